//! Licensing, where it was asked for: the first thing that a host without NLA decides about a client.

use rdprobe_report::facts::LicensingFacts;
use rdprobe_report::{
    Attempt, Code, Confidence, Facts, Failure, FailureKind, Finding, Phase, Protocol, Step,
};

use crate::draft::Draft;
use crate::registry;
use crate::rules::mcs::reached;
use crate::rules::tcp::path_lost;
use crate::silence;
use crate::view::{View, x224_facts};

/// `dwErrorCode` ([MS-RDPBCGR] 2.2.1.12.1.3).
const ERR_NO_LICENSE_SERVER: u32 = 6;
/// `errorInfo` ([MS-RDPBCGR] 2.2.5.1.1): ERRINFO_LICENSE_INTERNAL to _NO_REMOTE_CONNECTIONS, and the second of them.
const ERRINFO_LICENSE: std::ops::RangeInclusive<u32> = 0x100..=0x10A;
const ERRINFO_LICENSE_NO_LICENSE_SERVER: u32 = 0x101;

pub(crate) fn decided(view: View<'_>) -> Option<(&Attempt, &Step, &LicensingFacts)> {
    let (attempt, step) = reached(view, Phase::Licensing)?;
    match &step.facts {
        Facts::Licensing(facts) => Some((attempt, step, facts.as_ref())),
        _ => None,
    }
}

/// Behind CredSSP it is said to those who have logged on alone.
pub(crate) fn hidden(view: View<'_>) -> bool {
    let selected = view.x224().and_then(|(_, step)| x224_facts(step)?.selected);
    selected.is_some_and(Protocol::uses_credssp)
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let finding = match decided(view) {
        Some((attempt, step, facts)) => failed(view, attempt, step, facts),
        None => skipped(view),
    };
    finding.into_iter().collect()
}

fn skipped(view: View<'_>) -> Option<Finding> {
    let attempt = view.x224().map(|(attempt, _)| attempt)?;
    if !view.seen.options.licensing || !hidden(view) {
        return None;
    }
    let summary = format!(
        "{} wants NLA before anything else, so it says what it has of licences to those who have logged on \
         alone; licensing was not asked.",
        view.address
    );
    let draft = Draft::new(registry::LICENSING_SKIPPED, Phase::Licensing, summary);
    Some(draft.evidence([view.pointer(attempt, Phase::X224)]).finish())
}

fn failed(view: View<'_>, attempt: &Attempt, step: &Step, facts: &LicensingFacts) -> Option<Finding> {
    let failure = step.failure.as_ref()?;
    let sureness = silence::sureness(view, step)?;
    let detail = failure.detail.trim_end_matches('.');
    if failure.kind == FailureKind::Unreachable {
        return Some(path_lost(view, attempt, Phase::Licensing, detail));
    }
    let (code, summary) = told(view, failure, facts)?;
    let sureness = if attempt.cut_off { Confidence::Likely } else { sureness };
    // An end without a word may be for us alone, who named no user.
    let sureness =
        if failure.kind == FailureKind::Rejected { sureness } else { sureness.min(Confidence::Likely) };
    let draft = Draft::new(code, Phase::Licensing, summary).confidence(sureness);
    Some(draft.evidence([view.pointer(attempt, Phase::Licensing)]).finish())
}

fn told(view: View<'_>, failure: &Failure, facts: &LicensingFacts) -> Option<(Code, String)> {
    let address = view.address;
    let detail = failure.detail.trim_end_matches('.');
    Some(match failure.kind {
        FailureKind::Rejected if facts.refused.is_some() => (
            registry::LICENSING_CHANNEL_REFUSED,
            format!("{address} refuses the user or a channel of the conference: {detail}."),
        ),
        FailureKind::Rejected => match (facts.error_code, facts.error_info) {
            (Some(ERR_NO_LICENSE_SERVER), _) | (_, Some(ERRINFO_LICENSE_NO_LICENSE_SERVER)) => (
                registry::LICENSING_NO_SERVER,
                format!("{address} finds no licence server and lets no client in: {detail}."),
            ),
            (_, Some(code)) if !ERRINFO_LICENSE.contains(&code) => {
                (registry::SERVER_ERROR_INFO, format!("{address} says why it ends the connection: {detail}."))
            }
            _ => (registry::LICENSING_REJECTED, format!("{address} refuses at licensing: {detail}.")),
        },
        FailureKind::Reset => (
            registry::LICENSING_RESET,
            format!("{address} resets the connection before any licence message."),
        ),
        FailureKind::Closed => (
            registry::LICENSING_CLOSED,
            format!("{address} ends the connection before any licence message: {detail}."),
        ),
        FailureKind::Alert => (
            registry::LICENSING_CLOSED,
            format!("{address} ends the connection before any licence message: {detail}."),
        ),
        FailureKind::Timeout => (
            registry::LICENSING_TIMEOUT,
            format!("{address} says nothing where its first licence message is due: {detail}."),
        ),
        FailureKind::Malformed => (
            registry::LICENSING_MALFORMED,
            format!("{address} answers with something else on the way to licensing: {detail}."),
        ),
        // Our own side failed, which says nothing of the host.
        _ => return None,
    })
}
