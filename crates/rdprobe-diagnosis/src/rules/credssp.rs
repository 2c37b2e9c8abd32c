//! CredSSP without credentials: the version, the challenge, the clock.

use rdprobe_report::facts::{CredsspFacts, NtStatus};
use rdprobe_report::{Attempt, Confidence, FailureKind, Finding, Phase, Purpose, Severity, Step, Timestamp};

use crate::draft::Draft;
use crate::registry;
use crate::rules::tcp::path_lost;
use crate::silence;
use crate::view::{View, credssp};

/// STATUS_NTLM_BLOCKED ([MS-ERREF] 2.3.1).
const NTLM_BLOCKED: NtStatus = NtStatus(0xC000_0418);
/// Kerberos bears no more than five minutes ([RFC 4120] 8.2).
const MOST_SKEW_MS: f64 = 300_000.0;
/// The first version with the fix of CVE-2018-0886 ([MS-CSSP] 3.1.5).
const FIRST_FIXED_VERSION: u32 = 5;

/// The attempt that decides for the phase: bare NTLM, over old TLS where the real handshake did not get there, or SPNEGO where that alone was answered.
pub(crate) fn decided(view: View<'_>) -> Option<(&Attempt, &Step, &CredsspFacts)> {
    let bare = [Purpose::Default, Purpose::LegacyTls].into_iter().find_map(|purpose| {
        let attempt = view.settled(purpose)?;
        credssp(attempt).map(|(step, facts)| (attempt, step, facts))
    });
    let spnego = view
        .settled(Purpose::Spnego)
        .and_then(|attempt| credssp(attempt).map(|(step, facts)| (attempt, step, facts)));
    match (bare, spnego) {
        (Some(bare), Some(spnego)) if !bare.1.is_ok() && spnego.1.is_ok() => Some(spnego),
        (Some(bare), _) => Some(bare),
        (None, spnego) => spnego,
    }
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let Some((attempt, step, facts)) = decided(view) else {
        return Vec::new();
    };
    let pointer = view.pointer(attempt, Phase::Credssp);
    let mut findings = Vec::new();
    findings.extend(outdated(view, facts));
    if !step.is_ok() {
        findings.extend(failed(view, attempt, step, facts));
    }
    findings.extend(skew(view, facts));
    for finding in &mut findings {
        finding.evidence.push(pointer.clone());
    }
    findings
}

fn outdated(view: View<'_>, facts: &CredsspFacts) -> Option<Finding> {
    let version = facts.version.filter(|&version| version < FIRST_FIXED_VERSION)?;
    let summary = format!(
        "{} speaks CredSSP version {version}, from before the fix of CVE-2018-0886: a patched mstsc refuses it with a \
         message on encryption oracle remediation.",
        view.address
    );
    Some(Draft::new(registry::CREDSSP_OUTDATED, Phase::Credssp, summary).finish())
}

fn failed(view: View<'_>, attempt: &Attempt, step: &Step, facts: &CredsspFacts) -> Vec<Finding> {
    let Some(failure) = &step.failure else {
        return Vec::new();
    };
    let Some(sureness) = silence::sureness(view, step) else {
        return Vec::new();
    };
    let address = view.address;
    let detail = failure.detail.trim_end_matches('.');
    let status = facts.ntstatus;
    if status == Some(NTLM_BLOCKED) {
        let summary = format!(
            "{address} refuses NTLM by policy (STATUS_NTLM_BLOCKED); only Kerberos can log on there."
        );
        return vec![Draft::new(registry::CREDSSP_NTLM_BLOCKED, Phase::Credssp, summary).finish()];
    }
    if let Some(finding) = refuses_ntlm(view) {
        return vec![finding];
    }
    let (code, summary) = match failure.kind {
        FailureKind::Unreachable | FailureKind::Prohibited => {
            return vec![path_lost(view, attempt, Phase::Credssp, detail)];
        }
        FailureKind::Rejected => {
            let name = facts.ntstatus_name.as_deref().unwrap_or("a status without a name");
            (
                registry::CREDSSP_REJECTED,
                format!(
                    "{address} refuses CredSSP before any credentials: {} ({name}).",
                    status.map_or_else(|| detail.to_owned(), |status| status.to_string())
                ),
            )
        }
        FailureKind::Reset => {
            (registry::CREDSSP_RESET, format!("{address} completes TLS and resets on CredSSP ({detail})."))
        }
        FailureKind::Closed | FailureKind::Alert => {
            (registry::CREDSSP_CLOSED, format!("{address} completes TLS and closes on CredSSP ({detail})."))
        }
        FailureKind::Timeout => (
            registry::CREDSSP_TIMEOUT,
            format!("{address} completes TLS and says nothing to CredSSP for {:.0} ms.", step.duration_ms.0),
        ),
        FailureKind::Malformed => (
            registry::CREDSSP_MALFORMED,
            format!("{address} answers CredSSP with bytes that break the protocol: {detail}."),
        ),
        _ => return Vec::new(),
    };
    let draft = Draft::new(code, Phase::Credssp, summary).confidence(sureness);
    let mut findings = vec![draft.finish()];
    if matches!(
        failure.kind,
        FailureKind::Rejected | FailureKind::Closed | FailureKind::Reset | FailureKind::Alert
    ) {
        let summary = format!(
            "{address} may forbid NTLM and take Kerberos only; without credentials that cannot be proven."
        );
        findings.push(
            Draft::new(registry::CREDSSP_NTLM_BLOCKED, Phase::Credssp, summary)
                .confidence(Confidence::Possible)
                .finish(),
        );
    }
    findings
}

/// The host's own SPNEGO answer takes no NTLM: CredSSP works, and a client with Kerberos gets in.
fn refuses_ntlm(view: View<'_>) -> Option<Finding> {
    let refusing = [Purpose::Spnego, Purpose::Default].into_iter().find_map(|purpose| {
        let attempt = view.settled(purpose)?;
        let (step, facts) = credssp(attempt)?;
        let by_spnego = step.failure.as_ref()?.kind == FailureKind::Rejected && facts.ntstatus.is_none();
        let answered_in_spnego = facts.spnego || facts.mechanism.is_some();
        (by_spnego && answered_in_spnego).then_some((attempt, facts))
    });
    let (attempt, facts) = refusing?;
    let instead = match facts.mechanism.as_deref() {
        Some(mechanism) if mechanism != "NTLM" => format!("it selects {mechanism}"),
        _ => "it rejects what it was offered".into(),
    };
    let summary = format!(
        "{} answers CredSSP and takes no NTLM: {instead}. A client with a Kerberos ticket for it gets in; one that enters \
         it by address, is outside the domain or reaches no domain controller does not.",
        view.address
    );
    let draft =
        Draft::new(registry::CREDSSP_NTLM_BLOCKED, Phase::Credssp, summary).severity(Severity::Warning);
    Some(draft.evidence([view.pointer(attempt, Phase::Credssp)]).finish())
}

fn skew(view: View<'_>, facts: &CredsspFacts) -> Option<Finding> {
    let skew = facts.skew_ms?.0;
    if skew.abs() < MOST_SKEW_MS {
        return None;
    }
    let summary = format!(
        "The clock of {} is {} {} this computer's: Kerberos bears five minutes, and certificates are judged by the clock.",
        view.address,
        span(skew),
        if skew > 0.0 { "ahead of" } else { "behind" },
    );
    Some(Draft::new(registry::CLOCK_SKEW, Phase::Certificate, summary).finish())
}

/// The skew in words, where a certificate that looks out of its dates is in them by the host's clock.
pub(crate) fn skew_explains(view: View<'_>, valid_at: impl Fn(Timestamp) -> bool) -> Option<String> {
    let (_, _, facts) = decided(view)?;
    let skew = facts.skew_ms?.0;
    (skew.abs() >= MOST_SKEW_MS && valid_at(facts.server_time?)).then(|| span(skew))
}

fn span(millis: f64) -> String {
    let minutes = millis.abs() / 60_000.0;
    if minutes < 120.0 {
        format!("{minutes:.0} minutes")
    } else if minutes < 48.0 * 60.0 {
        format!("{:.0} hours", minutes / 60.0)
    } else {
        format!("{:.0} days", minutes / 1440.0)
    }
}
