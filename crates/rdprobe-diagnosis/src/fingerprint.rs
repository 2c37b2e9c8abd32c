//! Who a host looks like by what it says behind the security layer, beside its Connection Confirm. A fingerprint, never
//! a proof.

use rdprobe_report::Confidence;
use rdprobe_report::facts::{Implementation, LicensingFacts, McsFacts};

/// The newest RDP that each FreeRDP names as a server, of which it answers with what the client has at the most.
const FREERDP: [(&str, &str); 2] = [("0x0008000C", "FreeRDP 2"), ("0x00080011", "FreeRDP 3")];

/// What the Confirm told, and what more is known by now.
pub(crate) fn refined(
    confirm: Option<Implementation>,
    mcs: &McsFacts,
    licensing: &LicensingFacts,
) -> Option<Implementation> {
    if licensing.implementation.is_some() {
        return licensing.implementation.clone();
    }
    let who = confirm?;
    let release = FREERDP.iter().find(|row| mcs.version.as_deref() == Some(row.0)).map(|row| row.1);
    match release.filter(|_| who.name.starts_with("FreeRDP-based")) {
        Some(release) => Some(Implementation {
            name: "FreeRDP-based (gnome-remote-desktop, weston, a shadow server)".into(),
            version: Some(release.into()),
            confidence: Confidence::Likely,
        }),
        None => Some(who),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_confirm(name: &'static str) -> Option<Implementation> {
        Some(Implementation { name: name.into(), version: None, confidence: Confidence::Possible })
    }

    #[test]
    fn mcs_tells_the_release_of_freerdp_alone() {
        let mcs = |version: &str| McsFacts { version: Some(version.into()), ..McsFacts::default() };
        let who =
            |name, version| refined(by_confirm(name), &mcs(version), &LicensingFacts::default()).unwrap();
        let freerdp = "FreeRDP-based (gnome-remote-desktop, weston, a shadow server) or IronRDP";
        assert_eq!(who(freerdp, "0x00080011").version.as_deref(), Some("FreeRDP 3"));
        assert_eq!(who(freerdp, "0x0008000C").version.as_deref(), Some("FreeRDP 2"));
        assert_eq!(who(freerdp, "0x00080004").confidence, Confidence::Possible);
        assert_eq!(who("Windows or xrdp", "0x0008000C").version, None);
    }

    #[test]
    fn a_licence_request_tells_xrdp() {
        let xrdp = Implementation { name: "xrdp".into(), version: None, confidence: Confidence::Likely };
        let licensing = LicensingFacts { implementation: Some(xrdp.clone()), ..LicensingFacts::default() };
        let who = refined(by_confirm("Windows or xrdp"), &McsFacts::default(), &licensing);
        assert_eq!(who, Some(xrdp));
    }
}
