//! Who a Connection Confirm looks like. A fingerprint, never a proof: several implementations answer alike.

use rdprobe_report::facts::{Negotiation, X224Facts};

/// Windows answers with this source reference, and so does xrdp.
const WINDOWS_OR_XRDP: u16 = 0x1234;
/// VirtualBox writes the same reference byte-swapped.
const VIRTUALBOX: u16 = 0x3412;

/// Flags that Windows sends: none (2008), then each release or update adds to those before.
const WINDOWS_FLAGS: [(u8, &str); 6] = [
    (0x00, "Windows Vista or Server 2008"),
    (0x01, "Windows 7 or Server 2008 R2"),
    (
        0x09,
        "Windows 7 or Server 2008 R2 with the Restricted Admin update",
    ),
    (0x07, "Windows 8 or Server 2012"),
    (0x0F, "Windows 8 or 8.1, Server 2012 or 2012 R2"),
    (0x1F, "Windows 10 or later, Server 2016 or later"),
];

/// Who answered, with as much doubt as the evidence leaves.
pub(super) fn implementation(facts: &X224Facts) -> Option<String> {
    if facts.tpdu == Some(0xF0) {
        return Some("xrdp".into());
    }
    let known = match facts.source_reference? {
        0x0000 => match (facts.flags_raw, facts.uses_credssp()) {
            (Some(0x03), true) => "FreeRDP-based, such as gnome-remote-desktop",
            _ => "FreeRDP-based or IronRDP (gnome-remote-desktop, weston, a shadow server)",
        },
        VIRTUALBOX => "VirtualBox",
        WINDOWS_OR_XRDP => windows_or_xrdp(facts),
        _ => return None,
    };
    Some(known.into())
}

fn windows_or_xrdp(facts: &X224Facts) -> &'static str {
    match facts.negotiation {
        // Sent also by those that negotiate, in answer to a request without negotiation data.
        Some(Negotiation::Absent) if facts.offered.0 != 0 => "Windows 2000 or XP, or an old xrdp",
        // xrdp never asks for CredSSP.
        Some(Negotiation::Failure) if facts.failure_code == Some(5) => "Windows",
        Some(Negotiation::Response) => {
            let named = WINDOWS_FLAGS
                .iter()
                .find(|(flags, _)| Some(*flags) == facts.flags_raw)
                .map(|(_, name)| *name);
            match named {
                _ if facts.flags_raw.is_some_and(newer_than_known) => {
                    "Windows 10 or later, Server 2016 or later"
                }
                // xrdp selects CredSSP never, and sends few flags.
                Some(_) if !facts.uses_credssp() && facts.flags_raw <= Some(0x01) => "Windows or xrdp",
                Some(_) if facts.is_hybrid_ex() => "Windows 10 1607 or later, Server 2016 or later",
                Some(name) => name,
                None => "Windows or xrdp",
            }
        }
        _ => "Windows or xrdp",
    }
}

fn newer_than_known(flags: u8) -> bool {
    flags & 0x1F == 0x1F && flags != 0x1F
}

/// Whether the Confirm fits Windows so well that the build in its NTLM challenge may be believed. FreeRDP- and
/// sspi-based servers, whose challenges name builds that they made up, send source reference 0; xrdp, which
/// sends Windows' reference, never selects CredSSP.
pub fn fits_windows(facts: &X224Facts) -> bool {
    facts.source_reference == Some(WINDOWS_OR_XRDP)
        && facts.destination_reference == Some(0)
        && facts.uses_credssp()
        && facts.flags_raw.is_some_and(|flags| {
            newer_than_known(flags) || WINDOWS_FLAGS.iter().any(|(known, _)| *known == flags)
        })
}

trait Selected {
    fn uses_credssp(&self) -> bool;
    fn is_hybrid_ex(&self) -> bool;
}

impl Selected for X224Facts {
    fn uses_credssp(&self) -> bool {
        self.selected.is_some_and(rdprobe_report::Protocol::uses_credssp)
    }

    fn is_hybrid_ex(&self) -> bool {
        self.selected == Some(rdprobe_report::Protocol::HYBRID_EX)
    }
}
