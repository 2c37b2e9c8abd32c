//! Steps of an attempt, and the certificate that they see.

use rdprobe_report::facts::{
    CertificateFacts, Implementation, Negotiation, PublicKey, SignatureCheck, X224Facts,
};
use rdprobe_report::{
    Confidence, Facts, Failure, FailureKind, Millis, Protocol, Protocols, Step, StepOutcome,
};

pub(super) fn confirmed(selected: Protocol) -> Step {
    let facts = X224Facts {
        offered: Protocols::DEFAULT,
        negotiation: Some(Negotiation::Response),
        selected: Some(selected),
        implementation: Some(Implementation {
            name: "Windows".into(),
            version: None,
            confidence: Confidence::Likely,
        }),
        fits_windows: Some(true),
        ..X224Facts::default()
    };
    step(Facts::X224(facts.into()), None, 0.9, (19, 19))
}

pub(super) fn failed(kind: FailureKind, detail: &str) -> Option<Failure> {
    Some(Failure::new(kind, detail))
}

pub(super) fn step(facts: Facts, failure: Option<Failure>, spent: f64, (sent, received): (u64, u64)) -> Step {
    Step {
        facts,
        outcome: if failure.is_some() { StepOutcome::Failed } else { StepOutcome::Ok },
        started_ms: Millis(1.3),
        duration_ms: Millis(spent),
        bytes_sent: sent,
        bytes_received: received,
        failure,
    }
}

pub(super) fn windows_certificate(not_after: &str) -> CertificateFacts {
    CertificateFacts {
        subject: Some("CN=rds.corp.example".into()),
        common_name: Some("rds.corp.example".into()),
        sha256: Some("5f".repeat(32)),
        issuer: Some("CN=Corp Issuing CA 2".into()),
        names: vec!["*.corp.example".into()],
        not_before: "2026-01-01T00:00:00Z".parse().ok(),
        not_after: not_after.parse().ok(),
        self_signed: Some(false),
        trusted: Some(true),
        key: Some(PublicKey { algorithm: "RSA".into(), bits: Some(2048), curve: None }),
        signature_algorithm: Some("sha256WithRSAEncryption".into()),
        signature_check: Some(SignatureCheck::Verified),
        ..CertificateFacts::default()
    }
}
