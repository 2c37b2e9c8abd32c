//! A symptom against a host: the right cause first, nothing wrongly confirmed, most of the rest ruled out.

use rdprobe_diagnosis::symptom::differential;
use rdprobe_report::{CauseStatus, SymptomReport, Told};
use rdprobe_testkit::Scenario;

use crate::stage::{play, scenarios};

fn scenario(name: &str) -> Scenario {
    scenarios().into_iter().find(|scenario| scenario.name == name).expect("a scenario")
}

fn against(host: &str, symptom: &str) -> SymptomReport {
    let report = play(&scenario(host), None).output;
    let told = Told { symptom: Some(symptom.into()), ..Told::default() };
    differential(&report, &told).expect("a symptom was told")
}

fn ruled_out(symptom: &SymptomReport) -> usize {
    symptom.causes.iter().filter(|cause| cause.status == CauseStatus::RuledOut).count()
}

#[test]
fn the_right_cause_comes_first() {
    for (host, symptom, causes, confirmed) in [
        ("tls-key-unusable", "0x904/0x7", &["cert-key-acl"][..], false),
        ("tls-key-unusable", "An internal error has occurred", &["cert-key-acl"], false),
        ("tls-cipher-mismatch", "0x904/0x7", &["cipher-mismatch"], true),
        ("tcp-refused", "0x204", &["rdp-disabled", "listener-down"], false),
        ("tcp-timeout", "0x204", &["fw-inbound", "power-sleep"], false),
        ("cert-expired", "0x1B07", &["cert-expired"], true),
        ("credssp-outdated", "CredSSP encryption oracle remediation", &["credssp-oracle"], true),
        ("x224-not-rdp-ssh", "0x904/0x7", &["proxy-or-other-service"], true),
    ] {
        let found = against(host, symptom);
        let first = &found.causes[0];
        assert!(causes.contains(&first.id.as_str()), "{host}, {symptom}: {first:#?}");
        assert_eq!(first.status == CauseStatus::Confirmed, confirmed, "{host}, {symptom}: {first:#?}");
        let others = found.causes[1..].iter().filter(|cause| cause.status == CauseStatus::Confirmed);
        assert_eq!(others.count(), 0, "{host}, {symptom}");
    }
}

#[test]
fn on_a_healthy_host_nothing_is_confirmed_and_most_is_ruled_out() {
    for host in ["healthy-nla", "healthy-windows-self-signed", "healthy-tls-only"] {
        for symptom in [
            "0x904/0x7",
            "0x204",
            "0x1B07",
            "An internal error has occurred",
            "CredSSP encryption oracle remediation",
        ] {
            let found = against(host, symptom);
            let confirmed = found.causes.iter().find(|cause| cause.status == CauseStatus::Confirmed);
            assert!(confirmed.is_none(), "{host}, {symptom}: {confirmed:?}");
            let out = ruled_out(&found);
            assert!(2 * out > found.causes.len(), "{host}, {symptom}: {out} of {}", found.causes.len());
        }
    }
}

/// A warning is not behind a symptom because it is the only finding.
#[test]
fn a_proved_fault_that_has_other_symptoms_does_not_lead() {
    for symptom in ["0x904/0x7", "CredSSP encryption oracle remediation"] {
        let found = against("cert-expired", symptom);
        let first = found.causes.first().expect("a cause");
        assert_ne!(first.id, "cert-expired", "{symptom}");
    }
    let found = against("cert-expired", "The identity of the remote computer cannot be verified");
    assert_eq!(found.causes.first().map(|cause| cause.id.as_str()), Some("cert-expired"));
}

#[test]
fn the_differential_of_0x904_names_all_that_help_articles_name() {
    let found = against("healthy-nla", "0x904/0x7");
    assert_eq!((found.claims.len(), found.remedies.len()), (7, 10));
    let likelihoods: Vec<f64> = found.causes.iter().map(|cause| cause.likelihood).collect();
    assert!(likelihoods.is_sorted_by(|a, b| a >= b), "{likelihoods:?}");
    for id in ["cert-key-acl", "lic-missing-server", "wmi-invalid-class", "udp-corruption", "cached-creds"] {
        assert!(found.causes.iter().any(|cause| cause.id == id), "{id}");
    }
}
