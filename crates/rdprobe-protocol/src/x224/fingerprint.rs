//! Who a Connection Confirm looks like. A fingerprint, never a proof: several implementations answer alike.

use rdprobe_report::facts::{Implementation, Negotiation, X224Facts};
use rdprobe_report::{Confidence, Protocol};

/// Windows answers with this source reference, and so does xrdp.
const WINDOWS_OR_XRDP: u16 = 0x1234;
/// VirtualBox writes the same reference byte-swapped.
const VIRTUALBOX: u16 = 0x3412;

/// Flags that Windows sends: none (2008), then each release or update adds to those before.
const WINDOWS_FLAGS: [(u8, &str); 6] = [
    (0x00, "Vista or Server 2008"),
    (0x01, "7 or Server 2008 R2"),
    (0x09, "7 or Server 2008 R2 with the Restricted Admin update"),
    (0x07, "8 or Server 2012"),
    (0x0F, "8 or 8.1, Server 2012 or 2012 R2"),
    (0x1F, "10 or later, Server 2016 or later"),
];

/// Who answered, with as much doubt as the evidence leaves.
pub(super) fn implementation(facts: &X224Facts) -> Option<Implementation> {
    if facts.tpdu == Some(0xF0) {
        return Some(looks_like("xrdp", None, Confidence::Likely));
    }
    Some(match facts.source_reference? {
        0x0000 => match (facts.flags_raw, uses_credssp(facts)) {
            (Some(0x03), true) => {
                looks_like("FreeRDP-based (gnome-remote-desktop, a shadow server)", None, Confidence::Likely)
            }
            _ => looks_like(
                "FreeRDP-based (gnome-remote-desktop, weston, a shadow server) or IronRDP",
                None,
                Confidence::Possible,
            ),
        },
        VIRTUALBOX => looks_like("VirtualBox", None, Confidence::Likely),
        WINDOWS_OR_XRDP => windows_or_xrdp(facts),
        _ => return None,
    })
}

fn looks_like(name: &'static str, version: Option<&'static str>, confidence: Confidence) -> Implementation {
    Implementation { name: name.into(), version: version.map(Into::into), confidence }
}

fn windows_or_xrdp(facts: &X224Facts) -> Implementation {
    match facts.negotiation {
        // Sent also by those that negotiate, in answer to a request without negotiation data.
        Some(Negotiation::Absent) if facts.offered.0 != 0 => {
            looks_like("Windows 2000 or XP, or an old xrdp", None, Confidence::Possible)
        }
        // xrdp never asks for CredSSP.
        Some(Negotiation::Failure) if facts.failure_code == Some(5) => {
            looks_like("Windows", None, Confidence::Likely)
        }
        Some(Negotiation::Response) => by_response(facts, facts.flags_raw.unwrap_or_default()),
        _ => looks_like("Windows or xrdp", None, Confidence::Possible),
    }
}

fn by_response(facts: &X224Facts, flags: u8) -> Implementation {
    // All that xrdp ever sends: it knows one flag and no CredSSP.
    if !uses_credssp(facts) && flags <= 0x01 {
        return if flags == 0x01 && passes_over_better(facts) {
            looks_like("xrdp, or less likely Windows", None, Confidence::Possible)
        } else {
            looks_like("Windows or xrdp", None, Confidence::Possible)
        };
    }
    if facts.selected == Some(Protocol::HYBRID_EX) {
        return looks_like("Windows", Some("10 1607 or later, Server 2016 or later"), Confidence::Likely);
    }
    match by_windows_flags(flags) {
        Some(release) => looks_like("Windows", Some(release), Confidence::Likely),
        None => looks_like("Windows or xrdp", None, Confidence::Possible),
    }
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
