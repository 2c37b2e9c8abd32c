//! Who a Connection Confirm looks like. A fingerprint, never a proof: several implementations answer alike.

use rdprobe_report::Protocol;
use rdprobe_report::facts::{Negotiation, X224Facts};

/// Windows answers with this source reference, and so does xrdp.
const WINDOWS_OR_XRDP: u16 = 0x1234;
/// VirtualBox writes the same reference byte-swapped.
const VIRTUALBOX: u16 = 0x3412;

/// Flags that Windows sends: none (2008), then each release or update adds to those before.
const WINDOWS_FLAGS: [(u8, &str); 6] = [
    (0x00, "Windows Vista or Server 2008"),
    (0x01, "Windows 7 or Server 2008 R2"),
    (0x09, "Windows 7 or Server 2008 R2 with the Restricted Admin update"),
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
        0x0000 => match (facts.flags_raw, uses_credssp(facts)) {
            (Some(0x03), true) => "FreeRDP-based (gnome-remote-desktop, a shadow server)",
            _ => "FreeRDP-based (gnome-remote-desktop, weston, a shadow server) or IronRDP",
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
        Some(Negotiation::Response) => by_response(facts, facts.flags_raw.unwrap_or_default()),
        _ => "Windows or xrdp",
    }
}

fn by_response(facts: &X224Facts, flags: u8) -> &'static str {
    // All that xrdp ever sends: it knows one flag and no CredSSP.
    if !uses_credssp(facts) && flags <= 0x01 {
        return if flags == 0x01 && passes_over_better(facts) {
            "xrdp, or less likely Windows"
        } else {
            "Windows or xrdp"
        };
    }
    if facts.selected == Some(Protocol::HYBRID_EX) {
        return "Windows 10 1607 or later, Server 2016 or later";
    }
    by_windows_flags(flags).unwrap_or("Windows or xrdp")
}

/// The releases that send these flags. Future ones are taken to add to those of today.
fn by_windows_flags(flags: u8) -> Option<&'static str> {
    let flags = if flags & 0x1F == 0x1F { 0x1F } else { flags };
    WINDOWS_FLAGS.iter().find(|(known, _)| *known == flags).map(|(_, name)| *name)
}

fn uses_credssp(facts: &X224Facts) -> bool {
    facts.selected.is_some_and(Protocol::uses_credssp)
}

/// CredSSP was offered and TLS selected, or TLS offered and RDP's own security selected. Windows selects the best of
/// what is offered, or refuses all of it.
fn passes_over_better(facts: &X224Facts) -> bool {
    match facts.selected {
        Some(Protocol::SSL) => facts.offered.contains(Protocol::HYBRID),
        Some(Protocol::RDP) => facts.offered.contains(Protocol::SSL),
        _ => false,
    }
}

/// Whether the Confirm fits Windows so well that the build in its NTLM challenge may be believed. FreeRDP- and
/// sspi-based servers, whose challenges name builds that they made up, send source reference 0; xrdp, which
/// sends Windows' reference, never selects CredSSP.
pub fn fits_windows(facts: &X224Facts) -> bool {
    facts.source_reference == Some(WINDOWS_OR_XRDP)
        && facts.destination_reference == Some(0)
        && uses_credssp(facts)
        && facts.flags_raw.is_some_and(|flags| by_windows_flags(flags).is_some())
}
