use std::collections::BTreeSet;

use rdprobe_report::Told;

use super::*;

fn best(text: &str) -> &'static str {
    recognise(text, &BTreeSet::new()).best().map_or("unknown", |symptom| symptom.id)
}

#[test]
fn codes_are_known_as_people_write_them() {
    for (text, id) in [
        ("0x904/0x7", "mstsc-0x904-0x7"),
        ("Error code: 0x904, Extended error code: 0x7", "mstsc-0x904-0x7"),
        ("2308", "mstsc-0x904"),
        ("0x204", "mstsc-0x204"),
        ("516", "mstsc-0x204"),
        ("0x1B07", "mstsc-0x1b07"),
        ("0x808 0x101", "mstsc-0x808"),
        ("C000006D", "ntstatus-logon-failure"),
        ("STATUS_ACCOUNT_LOCKED_OUT", "ntstatus-account-locked-out"),
        ("0x80090302", "hresult-unsupported-function"),
        ("ERRCONNECT_TLS_CONNECT_FAILED", "freerdp-tls-connect-failed"),
        ("0x00020017", "freerdp-account-restriction"),
        ("E_PROXY_RAP_ACCESSDENIED", "gateway-rap-accessdenied"),
        ("event id 36870", "event-schannel-36870"),
        ("Schannel 36874", "event-schannel-36874"),
        ("HYBRID_REQUIRED_BY_SERVER", "negotiation-5"),
        ("HTTP 401", "http-401"),
        ("guacamole 519", "guacamole-519"),
        ("xfreerdp exit code 131", "xfreerdp-exit-131"),
    ] {
        assert_eq!(best(text), id, "{text}");
    }
}

#[test]
fn sentences_are_matched_loosely() {
    for (text, id) in [
        ("This could be due to CredSSP encryption oracle remedation", "dialog-oracle"),
        ("an internal error has occured", "dialog-internal-error"),
        (
            "The remote computer requires Network Level Authentication, which your computer doesn't support",
            "mstsc-0xb09",
        ),
        ("xrdp: black screen after I log in", "see-black-screen"),
        ("[ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied", "xrdp-key-file"),
        ("Window manager (pid 2345, display 10) exited quickly (0 secs)", "xrdp-wm-exited"),
    ] {
        assert_eq!(best(text), id, "{text}");
    }
}

#[test]
fn what_is_unknown_has_neighbours_or_none() {
    assert!(recognise("frobnicate", &BTreeSet::new()).is_unknown());
    let near = nearest("ERRCONNECT_LOGON_FAILUR", 3);
    assert_eq!(near.first().map(|symptom| symptom.id), Some("freerdp-logon-failure"));
    assert!(nearest("zzzz", 3).is_empty());
}

#[test]
fn azure_ad_is_no_machine_in_azure() {
    let tags = tags_in("Windows 10, Azure AD joined");
    assert!(tags.contains("entra") && !tags.contains("azure"));
    assert!(tags_in("an Azure VM").contains("cloud"));
}

#[test]
fn every_layer_can_reach_the_top() {
    let layers: BTreeSet<&str> = crate::causes::all().iter().map(|cause| cause.layer).collect();
    let mut reached = BTreeSet::new();
    for symptom in symptoms() {
        let told = Told {
            symptom: Some(symptom.names.first().unwrap_or(&symptom.title).to_string()),
            ..Told::default()
        };
        reached.extend(rank(&Features::of(&told), None).first().map(|ranked| ranked.cause.layer));
    }
    let never: Vec<_> = layers.difference(&reached).collect();
    assert!(never.is_empty(), "{never:?}");
}
