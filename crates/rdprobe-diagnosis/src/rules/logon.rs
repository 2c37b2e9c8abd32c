//! The logon with credentials: whether it may be tried at all, and what came of it.

use rdprobe_report::facts::{
    CertificateFacts, CredsspFacts, KerberosError, KerberosExchange, NtStatus, Package, SignatureCheck,
};
use rdprobe_report::{
    Attempt, CipherSuite, Code, Confidence, Depth, FailureKind, Finding, NamedGroup, Observations, Options,
    Phase, Purpose, Recipe, TlsVersion,
};

use crate::draft::Draft;
use crate::registry;
use crate::rules::certificate;
use crate::rules::tls::outcome;
use crate::view::{View, answered, certificate as certificate_of, credssp, x224_facts};

/// Whether credentials may be sent to this address: it is the one that a client would end up on, CredSSP is
/// selected, its challenge was answered, and the certificate is trusted, pinned or accepted by the user.
///
/// One logon for the whole target, after every other connection has ended: which address decides is settled then.
pub(crate) fn may_be_tried(view: View<'_>) -> bool {
    let over_tcp = |attempt: &&Attempt| matches!(attempt.recipe.ask, rdprobe_report::Ask::Tcp { .. });
    let mut others = view.seen.attempts.iter().filter(over_tcp).filter(|attempt| !was_lost(attempt));
    let none_before =
        others.all(|attempt| attempt.recipe.depth() != Some(Depth::Logon) && !attempt.in_flight());
    view.seen.options.logon && none_before && obstacle(view).is_none()
}

/// Whether the connection for the logon was lost before CredSSP began: the host has heard of no account.
pub(crate) fn lost(view: View<'_>) -> bool {
    view.ended(Purpose::Logon).any(was_lost)
}

/// However the host ended it: gnome-remote-desktop has been seen to answer a ClientHello with a frame of RDP.
fn was_lost(attempt: &Attempt) -> bool {
    let by_the_host = |kind| !matches!(kind, FailureKind::Local | FailureKind::Timeout);
    attempt.recipe.depth() == Some(Depth::Logon)
        && !attempt.in_flight()
        && attempt.step(Phase::Credssp).is_none()
        && attempt.failure().is_some_and(|(_, why)| by_the_host(why.kind))
}

/// On what a logon stands that was planned: what the attempts before it have seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// SHA-256 of the certificate that was judged, in hex. A connection that shows another one gets no credentials.
    pub certificate: Option<String>,
    /// Bare NTLM was refused, and NTLM inside SPNEGO was answered.
    pub spnego: bool,
    /// For an enumeration: the version, suite and group of every handshake that was answered.
    pub tls: Vec<(TlsVersion, CipherSuite, Option<NamedGroup>)>,
}

/// The ground of a planned logon, or of an enumeration.
pub fn ground(seen: &Observations, recipe: &Recipe) -> Ground {
    let view = View::new(seen, recipe.address);
    if recipe.purpose == Purpose::TlsEnumeration {
        return Ground { tls: chosen(view), ..Ground::default() };
    }
    crate::rules::credssp::decided(view).map_or_else(Ground::default, |(attempt, _, facts)| Ground {
        certificate: certificate_of(attempt).and_then(|facts| facts.sha256.clone()),
        spnego: facts.spnego,
        ..Ground::default()
    })
}

fn chosen(view: View<'_>) -> Vec<(TlsVersion, CipherSuite, Option<NamedGroup>)> {
    let facts = view.attempts().filter(|attempt| answered(attempt)).map(outcome::facts);
    facts.filter_map(|facts| Some((facts.version?, facts.suite?, facts.group))).collect()
}

/// Why no credentials go over a connection that shows this certificate; none where they may.
pub fn unsafe_for_credentials(
    facts: &CertificateFacts,
    server_name: &str,
    options: &Options,
) -> Option<String> {
    const HOW_TO_ALLOW: &str = "--pin or --accept-untrusted-certificate allows it";
    const HOW_TO_ACCEPT: &str = "--accept-untrusted-certificate allows it";
    if facts.signature_check == Some(SignatureCheck::Failed) {
        return Some("the host did not prove that it holds the certificate's key".into());
    }
    if facts.pinned == Some(false) {
        return Some("the certificate is not the one that was pinned".into());
    }
    if options.accept_untrusted_certificate {
        return None;
    }
    // Whoever has seen a certificate can show it; trust and pins rest on the proof of its key.
    if facts.signature_check != Some(SignatureCheck::Verified) {
        return Some(format!(
            "the host's proof that it holds the certificate's key could not be verified; {HOW_TO_ACCEPT}"
        ));
    }
    let for_this_name = certificate::matches(facts, server_name);
    match (facts.pinned, facts.trusted) {
        (Some(true), _) => None,
        (_, Some(true)) if for_this_name => None,
        (_, Some(true)) => Some(format!("the certificate is for another name; {HOW_TO_ALLOW}")),
        _ => Some(format!("the certificate is neither trusted nor pinned; {HOW_TO_ALLOW}")),
    }
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
    let takes_rdp_security = view
        .settled(Purpose::RdpOnly)
        .and_then(|attempt| attempt.step(Phase::X224))
        .is_some_and(rdprobe_report::Step::is_ok);
    if takes_rdp_security && !step.is_ok() {
        return Some(Obstacle::NoNla);
    }
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
    if attempt.recipe.purpose == Purpose::LegacyTls {
        return Some(Obstacle::Unsafe(
            "CredSSP was reached over TLS without forward secrecy, which carries no credentials here".into(),
        ));
    }
    let Some(facts) = certificate_of(attempt) else {
        return Some(Obstacle::Unsafe("no certificate was seen".into()));
    };
    unsafe_for_credentials(facts, view.seen.server_name(), &view.seen.options).map(Obstacle::Unsafe)
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
        Some(Obstacle::Unsafe(why)) => vec![skipped(view, &why)],
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
            Draft::new(registry::CREDSSP_KEY_MISMATCH, Phase::Credssp, summary).evidence([pointer]).finish(),
        ];
    }
    if facts.authorization_result.is_some_and(|result| result != 0) {
        let summary = format!("{address} accepts the password of {account} and denies it Remote Desktop.");
        return vec![
            Draft::new(registry::LOGON_ACCESS_DENIED, Phase::Credssp, summary).evidence([pointer]).finish(),
        ];
    }
    let Some(failure) = &step.failure else {
        return not_observable(view, account, facts);
    };
    let (code, how) = match (facts.ntstatus, &facts.kerberos_error) {
        (Some(status), _) => by_status(facts, status),
        (None, Some(error)) if error.code.is_none() => (by_kerberos(None), kerberos_says(view, error)),
        (None, Some(error)) => (by_kerberos(error.code), format!(": {}", kerberos_says(view, error))),
        (None, None) => by_ending(facts, failure.kind, &failure.detail),
    };
    let kdc_silent =
        facts.ntstatus.is_none() && facts.kerberos_error.as_ref().is_some_and(|error| error.code.is_none());
    let summary = if kdc_silent {
        format!("No logon at {address}, for the key distribution centre gives no ticket: {how}.")
    } else {
        format!("{address} refuses the logon of {account}{how}.")
    };
    let mut draft = Draft::new(code, Phase::Credssp, summary).evidence([pointer]);
    let told = facts.kerberos_error.is_some() || facts.ntstatus.is_some_and(|status| !is_private(status));
    if !told && facts.authentication_sent {
        draft = draft.confidence(Confidence::Likely);
    }
    vec![draft.finish()]
}

/// A status that only wraps an error of the host's own program, as FreeRDP 3 and hosts built on `sspi` send it
/// (FACILITY_NTWIN32), and none of those that Windows has for logons.
fn is_private(status: NtStatus) -> bool {
    status.0 >> 16 == 0xC007 && by_ntstatus(status) == registry::LOGON_FAILED
}

fn by_status(facts: &CredsspFacts, status: NtStatus) -> (Code, String) {
    let said = said(status, facts.ntstatus_name.as_deref());
    if is_private(status) && facts.authentication_sent && facts.package == Some(Package::Ntlm) {
        let how = format!(" with {status}, an error of its own program that names no reason");
        return (registry::LOGON_BAD_CREDENTIALS, how);
    }
    (by_ntstatus(status), format!(": {said}"))
}

/// What was asked for beyond the password, and this host does not answer.
fn not_observable(view: View<'_>, account: &str, facts: &CredsspFacts) -> Vec<Finding> {
    let Some(why) = &facts.authorization_not_observable else {
        return Vec::new();
    };
    let summary = format!(
        "{} accepts the password of {account}; whether the account may log on through Remote Desktop cannot be seen: \
         {why}.",
        view.address
    );
    vec![Draft::new(registry::LOGON_NOT_OBSERVABLE, Phase::Credssp, summary).finish()]
}

fn said(status: NtStatus, name: Option<&str>) -> String {
    format!("{} ({status})", name.unwrap_or("a status without a name"))
}

/// A host that says no without a reason. One of version 2 or 5 has no error code to send and hangs up on a wrong
/// password; after a ticket of the KDC, which has checked the password, hanging up means something else.
fn by_ending(facts: &CredsspFacts, kind: FailureKind, detail: &str) -> (Code, String) {
    let refused =
        matches!(kind, FailureKind::Closed | FailureKind::Reset | FailureKind::Alert | FailureKind::Rejected);
    let by_kerberos = facts.package == Some(Package::Kerberos);
    let code = match kind {
        _ if refused && facts.authentication_sent && !by_kerberos => registry::LOGON_BAD_CREDENTIALS,
        _ if refused && facts.authentication_sent => registry::LOGON_FAILED,
        FailureKind::Timeout => registry::CREDSSP_TIMEOUT,
        FailureKind::Malformed => registry::CREDSSP_MALFORMED,
        FailureKind::Reset => registry::CREDSSP_RESET,
        FailureKind::Closed => registry::CREDSSP_CLOSED,
        _ => registry::LOGON_FAILED,
    };
    let how = match (refused && facts.authentication_sent, by_kerberos) {
        (true, false) => format!(" without saying why ({detail})"),
        (true, true) => {
            format!(": it does not take the ticket that the key distribution centre gave for it ({detail})")
        }
        (false, _) => format!(": {detail}"),
    };
    (code, how)
}

fn kerberos_says(view: View<'_>, error: &KerberosError) -> String {
    let text = error
        .text
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(|text| format!(", {text}"))
        .unwrap_or_default();
    let Some(code) = error.code else {
        return error.text.clone().unwrap_or_else(|| "the KDC gave no answer".into());
    };
    let name = match &error.name {
        Some(name) => format!("{name} ({code}{text})"),
        None => format!("Kerberos error {code}{text}"),
    };
    let service = error.service.clone().unwrap_or_else(|| format!("TERMSRV/{}", view.seen.server_name()));
    match (code, error.exchange) {
        (7, Some(KerberosExchange::As)) => {
            format!("the KDC has no ticket-granting service for this realm, {name}")
        }
        (7, _) => {
            format!("the KDC knows no service {service}, {name}: the host is not registered by this name")
        }
        (_, Some(KerberosExchange::Ap)) => format!("the host does not take the ticket for {service}, {name}"),
        (6, _) => format!("the KDC does not know the account, {name}"),
        (24, _) => format!("the KDC says that the password is wrong, {name}"),
        _ => format!("the KDC says {name}"),
    }
}

/// [MS-ERREF] 2.3.1, as far as a logon can meet it; `0xC007` are the Win32 errors of the same meaning (2.2).
pub(crate) fn by_ntstatus(status: NtStatus) -> Code {
    match status.0 {
        0xC000_006D | 0xC000_006A | 0xC000_0064 | 0xC000_0062 | 0xC000_00DF | 0xC007_052E => {
            registry::LOGON_BAD_CREDENTIALS
        }
        0xC000_0234 | 0xC007_0775 => registry::LOGON_ACCOUNT_LOCKED,
        0xC000_0072 | 0xC007_0533 => registry::LOGON_ACCOUNT_DISABLED,
        0xC000_0193 | 0xC007_0701 => registry::LOGON_ACCOUNT_EXPIRED,
        0xC000_0071 | 0xC007_0532 => registry::LOGON_PASSWORD_EXPIRED,
        0xC000_0224 | 0xC007_0773 => registry::LOGON_PASSWORD_MUST_CHANGE,
        0xC000_006F | 0xC000_0247 | 0xC007_0530 => registry::LOGON_HOURS,
        0xC000_0070 | 0xC000_0248 | 0xC007_0531 => registry::LOGON_WORKSTATION,
        0xC000_015B | 0xC000_0155 | 0xC007_0569 => registry::LOGON_NOT_GRANTED,
        0xC000_006E | 0xC000_02FA | 0xC000_0413 | 0xC000_0199 | 0xC007_052F => registry::LOGON_RESTRICTED,
        0xC000_005E | 0xC000_0233 | 0xC000_0192 | 0xC000_018A | 0xC000_018B | 0xC000_018C | 0xC000_018D
        | 0xC000_0190 | 0xC000_019B | 0xC007_051F => registry::LOGON_NO_DOMAIN_CONTROLLER,
        0xC000_0133 | 0xC007_0576 => registry::LOGON_CLOCK_SKEW,
        0xC000_0022 | 0xC00A_002B => registry::LOGON_ACCESS_DENIED,
        0xC000_0418 => registry::CREDSSP_NTLM_BLOCKED,
        0xC000_035B => registry::CREDSSP_KEY_MISMATCH,
        0xC000_00BB => registry::CREDSSP_REJECTED,
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
        Some(1) => registry::LOGON_ACCOUNT_EXPIRED,
        Some(12) => registry::LOGON_RESTRICTED,
        Some(29) => registry::LOGON_NO_DOMAIN_CONTROLLER,
        Some(37) => registry::LOGON_CLOCK_SKEW,
        _ => registry::LOGON_FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_only_where_the_key_is_proven_and_known() {
        let good = CertificateFacts {
            signature_check: Some(SignatureCheck::Verified),
            trusted: Some(true),
            names: vec!["rds01.corp.example".into()],
            ..CertificateFacts::default()
        };
        let strict = Options::default();
        let lenient = Options { accept_untrusted_certificate: true, ..Options::default() };
        let refused = |facts: &CertificateFacts, name: &str, options: &Options| {
            unsafe_for_credentials(facts, name, options).is_some()
        };
        assert!(!refused(&good, "rds01.corp.example", &strict));
        assert!(refused(&good, "rds02.corp.example", &strict));

        let untrusted = CertificateFacts { trusted: Some(false), ..good.clone() };
        assert!(refused(&untrusted, "rds01.corp.example", &strict));
        assert!(!refused(&untrusted, "rds01.corp.example", &lenient));
        let pinned = CertificateFacts { pinned: Some(true), ..untrusted.clone() };
        assert!(!refused(&pinned, "rds01.corp.example", &strict));
        let other_pin = CertificateFacts { pinned: Some(false), ..good.clone() };
        assert!(refused(&other_pin, "rds01.corp.example", &lenient));

        // A key that was disproved gets nothing, whatever the user allows; one that nobody could check, only then.
        let failed = CertificateFacts { signature_check: Some(SignatureCheck::Failed), ..pinned.clone() };
        assert!(
            refused(&failed, "rds01.corp.example", &strict)
                && refused(&failed, "rds01.corp.example", &lenient)
        );
        let unproven = CertificateFacts { signature_check: Some(SignatureCheck::NotVerifiable), ..pinned };
        assert!(refused(&unproven, "rds01.corp.example", &strict));
        assert!(!refused(&unproven, "rds01.corp.example", &lenient));
    }
}
