//! The logon with credentials: whether it may be tried at all, and what came of it.

use rdprobe_report::facts::{CredsspFacts, SignatureCheck};
use rdprobe_report::{Attempt, Code, FailureKind, Finding, Phase, Purpose};

use crate::draft::Draft;
use crate::registry;
use crate::rules::certificate;
use crate::view::{View, certificate as certificate_of, credssp, x224_facts};

/// Whether credentials may be sent to this address: it is the one that a client would end up on, CredSSP is
/// selected, its challenge was answered, and the certificate is trusted, pinned or accepted by the user.
pub(crate) fn may_be_tried(view: View<'_>) -> bool {
    view.seen.options.logon && obstacle(view).is_none() && view.settled(Purpose::Logon).is_none()
}

/// Why no logon is tried.
pub(crate) enum Obstacle {
    /// The host has no CredSSP, so credentials cannot be verified there.
    NoNla,
    /// The certificate or the key is not good enough to send credentials over.
    Unsafe(String),
    /// CredSSP was not reached, or did not answer.
    NotReached,
}

fn obstacle(view: View<'_>) -> Option<Obstacle> {
    if crate::verdict::deciding_address(view.seen) != Some(view.address) {
        return Some(Obstacle::NotReached);
    }
    let Some((_, step)) = view.x224() else {
        return Some(Obstacle::NotReached);
    };
    let selected = x224_facts(step).and_then(|facts| facts.selected);
    if selected.is_some_and(|selected| !selected.uses_credssp()) {
        return Some(Obstacle::NoNla);
    }
    let Some((attempt, step, _)) = crate::rules::credssp::decided(view) else {
        return Some(Obstacle::NotReached);
    };
    if !step.is_ok() {
        return Some(Obstacle::NotReached);
    }
    let Some(facts) = certificate_of(attempt) else {
        return Some(Obstacle::Unsafe("no certificate was seen".into()));
    };
    if facts.signature_check == Some(SignatureCheck::Failed) {
        return Some(Obstacle::Unsafe(
            "the host did not prove that it holds the certificate's key".into(),
        ));
    }
    let trusted = facts.trusted == Some(true) && certificate::matches(facts, view.seen.server_name());
    if facts.pinned == Some(true)
        || trusted
        || (facts.pinned.is_none() && view.seen.options.accept_untrusted_certificate)
    {
        return None;
    }
    Some(Obstacle::Unsafe(match (facts.pinned, facts.trusted) {
        (Some(false), _) => "the certificate is not the one that was pinned".into(),
        (_, Some(true)) => "the certificate is for another name".into(),
        _ => "the certificate is neither trusted nor pinned".into(),
    }))
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    if !view.seen.options.logon {
        return Vec::new();
    }
    if let Some(attempt) = view.settled(Purpose::Logon) {
        return judged(view, attempt);
    }
    match obstacle(view) {
        Some(Obstacle::NoNla) => {
            let summary = format!(
                "{} has no NLA: it takes credentials only inside a session, so they could not be verified here.",
                view.address
            );
            vec![Draft::new(registry::LOGON_NOT_OBSERVABLE, Phase::Credssp, summary).finish()]
        }
        Some(Obstacle::Unsafe(why)) => vec![skipped(
            view,
            &format!("{why}; --pin or --accept-untrusted-certificate allows it"),
        )],
        Some(Obstacle::NotReached) => vec![skipped(view, "the handshake did not come that far")],
        None => vec![skipped(view, "the probe ended before its turn came")],
    }
}

fn skipped(view: View<'_>, why: &str) -> Finding {
    let summary = format!("No logon was tried on {}: {why}.", view.address);
    Draft::new(registry::LOGON_SKIPPED, Phase::Credssp, summary).finish()
}

fn judged(view: View<'_>, attempt: &Attempt) -> Vec<Finding> {
    let pointer = view.pointer(attempt, Phase::Credssp);
    let Some((step, facts)) = credssp(attempt) else {
        return vec![skipped(view, "the connection for it did not come that far")];
    };
    if let Some(why) = &facts.not_tried {
        return vec![skipped(view, why)];
    }
    let account = facts.account.as_deref().unwrap_or("the account");
    let address = view.address;
    if facts.public_key_bound == Some(false) {
        let summary = format!(
            "{address} does not bind the logon to this TLS connection: somebody between terminates TLS, and the logon \
             was stopped."
        );
        return vec![
            Draft::new(registry::CREDSSP_KEY_MISMATCH, Phase::Credssp, summary)
                .evidence([pointer])
                .finish(),
        ];
    }
    if facts.authorization_result.is_some_and(|result| result != 0) {
        let summary = format!("{address} accepts the password of {account} and denies it Remote Desktop.");
        return vec![
            Draft::new(registry::LOGON_ACCESS_DENIED, Phase::Credssp, summary)
                .evidence([pointer])
                .finish(),
        ];
    }
    let Some(failure) = &step.failure else {
        return Vec::new();
    };
    let said = refusal(facts);
    let code = match (&facts.ntstatus, &facts.kerberos_error) {
        (Some(status), _) => by_ntstatus(status),
        (None, Some(error)) => by_kerberos(error.code),
        (None, None) if facts.authentication_sent => registry::LOGON_BAD_CREDENTIALS,
        (None, None) => match failure.kind {
            FailureKind::Timeout => registry::CREDSSP_TIMEOUT,
            FailureKind::Malformed => registry::CREDSSP_MALFORMED,
            FailureKind::Reset => registry::CREDSSP_RESET,
            FailureKind::Closed => registry::CREDSSP_CLOSED,
            _ => registry::LOGON_FAILED,
        },
    };
    // A host of version 2 or 5 has no error code to send: it hangs up on a wrong password.
    let silent_refusal =
        facts.ntstatus.is_none() && facts.kerberos_error.is_none() && facts.authentication_sent;
    let how = if silent_refusal {
        format!("by ending the connection ({})", failure.detail)
    } else {
        said
    };
    let summary = format!("{address} refuses the logon of {account}: {how}.");
    let mut draft = Draft::new(code, Phase::Credssp, summary).evidence([pointer]);
    if silent_refusal {
        draft = draft.confidence(rdprobe_report::Confidence::Likely);
    }
    vec![draft.finish()]
}

fn refusal(facts: &CredsspFacts) -> String {
    if let Some(status) = &facts.ntstatus {
        return format!(
            "{} ({status})",
            facts
                .ntstatus_name
                .as_deref()
                .unwrap_or("a status without a name")
        );
    }
    match &facts.kerberos_error {
        Some(error) => {
            let name = error.name.as_deref().unwrap_or("the KDC could not be asked");
            let text = error
                .text
                .as_deref()
                .map(|text| format!(", {text}"))
                .unwrap_or_default();
            format!("{name}{text}")
        }
        None => "without a reason".into(),
    }
}

/// [MS-ERREF] 2.3.1, as far as a logon can meet it.
pub(crate) fn by_ntstatus(status: &str) -> Code {
    match status {
        "0xC000006D" | "0xC000006A" | "0xC0000064" | "0xC0000062" | "0xC00000DF" => {
            registry::LOGON_BAD_CREDENTIALS
        }
        "0xC0000234" => registry::LOGON_ACCOUNT_LOCKED,
        "0xC0000072" => registry::LOGON_ACCOUNT_DISABLED,
        "0xC0000193" => registry::LOGON_ACCOUNT_EXPIRED,
        "0xC0000071" => registry::LOGON_PASSWORD_EXPIRED,
        "0xC0000224" => registry::LOGON_PASSWORD_MUST_CHANGE,
        "0xC000006F" | "0xC0000247" => registry::LOGON_HOURS,
        "0xC0000070" | "0xC0000248" => registry::LOGON_WORKSTATION,
        "0xC000015B" | "0xC0000155" => registry::LOGON_NOT_GRANTED,
        "0xC000006E" | "0xC00002FA" | "0xC0000413" | "0xC0000199" => registry::LOGON_RESTRICTED,
        "0xC000005E" | "0xC0000233" | "0xC0000192" | "0xC000018A" | "0xC000018B" | "0xC000018C"
        | "0xC000018D" | "0xC0000190" | "0xC000019B" => registry::LOGON_NO_DOMAIN_CONTROLLER,
        "0xC0000133" => registry::LOGON_CLOCK_SKEW,
        "0xC0000022" | "0xC00A002B" => registry::LOGON_ACCESS_DENIED,
        "0xC0000418" => registry::CREDSSP_NTLM_BLOCKED,
        "0xC000035B" => registry::CREDSSP_KEY_MISMATCH,
        "0xC00000BB" => registry::CREDSSP_REJECTED,
        _ => registry::LOGON_FAILED,
    }
}

/// RFC 4120 7.5.9; no code at all means that the KDC could not be asked.
fn by_kerberos(code: Option<u32>) -> Code {
    match code {
        None => registry::LOGON_NO_DOMAIN_CONTROLLER,
        Some(6 | 24) => registry::LOGON_BAD_CREDENTIALS,
        Some(18) => registry::LOGON_ACCOUNT_DISABLED,
        Some(23) => registry::LOGON_PASSWORD_EXPIRED,
        Some(37) => registry::LOGON_CLOCK_SKEW,
        _ => registry::LOGON_FAILED,
    }
}
