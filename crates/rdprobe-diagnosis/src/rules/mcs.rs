//! MCS Connect, where it was asked for: what a host without NLA says first of itself.

use rdprobe_report::facts::McsFacts;
use rdprobe_report::{Attempt, Confidence, Facts, FailureKind, Finding, Phase, Purpose, Step};

use crate::draft::Draft;
use crate::registry;
use crate::rules::tcp::path_lost;
use crate::silence;
use crate::view::{View, x224_facts};

/// `encryptionMethod`: none, 40 bits, 56 bits ([MS-RDPBCGR] 2.2.1.4.3, 5.3.2).
const WEAK: [u32; 3] = [0, 1, 8];

pub(crate) fn decided(view: View<'_>) -> Option<(&Attempt, &Step, &McsFacts)> {
    let (attempt, step) = reached(view, Phase::Mcs)?;
    match &step.facts {
        Facts::Mcs(facts) => Some((attempt, step, facts.as_ref())),
        _ => None,
    }
}

/// The attempt that decides a phase behind the security layer: the usual offer, or that of RDP security alone where
/// nothing else was accepted.
pub(super) fn reached(view: View<'_>, phase: Phase) -> Option<(&Attempt, &Step)> {
    [Purpose::Default, Purpose::RdpOnly].into_iter().find_map(|purpose| {
        let attempt = view.settled(purpose)?;
        Some((attempt, attempt.step(phase)?))
    })
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let Some((attempt, step, facts)) = decided(view) else { return Vec::new() };
    let pointer = view.pointer(attempt, Phase::Mcs);
    let finding = if step.is_ok() { weak(view, attempt, facts) } else { failed(view, attempt, step) };
    let mut findings: Vec<Finding> = finding.into_iter().collect();
    findings.iter_mut().for_each(|finding| finding.evidence.push(pointer.clone()));
    findings
}

fn failed(view: View<'_>, attempt: &Attempt, step: &Step) -> Option<Finding> {
    let failure = step.failure.as_ref()?;
    let sureness = silence::sureness(view, step)?;
    let address = view.address;
    let detail = failure.detail.trim_end_matches('.');
    let (code, summary) = match failure.kind {
        FailureKind::Rejected => (
            registry::MCS_REFUSED,
            format!("{address} refuses the conference that a session begins with: {detail}."),
        ),
        FailureKind::Reset => {
            (registry::MCS_RESET, format!("{address} resets the connection on the first message of MCS."))
        }
        FailureKind::Closed => {
            (registry::MCS_CLOSED, format!("{address} closes the connection on the first message of MCS."))
        }
        FailureKind::Alert => (
            registry::MCS_CLOSED,
            format!("{address} ends the connection on the first message of MCS: {detail}."),
        ),
        FailureKind::Timeout => {
            (registry::MCS_TIMEOUT, format!("{address} says nothing to the first message of MCS."))
        }
        FailureKind::Malformed => (
            registry::MCS_MALFORMED,
            format!("{address} answers the first message of MCS with something else: {detail}."),
        ),
        FailureKind::Unreachable => return Some(path_lost(view, attempt, Phase::Mcs, detail)),
        // Our own side failed, which says nothing of the host.
        _ => return None,
    };
    let draft = Draft::new(code, Phase::Mcs, summary).confidence(sureness);
    Some(if attempt.cut_off { draft.confidence(Confidence::Likely) } else { draft }.finish())
}

/// Under Standard RDP Security the method that the host chose is all that protects the session.
fn weak(view: View<'_>, attempt: &Attempt, facts: &McsFacts) -> Option<Finding> {
    let selected = attempt.step(Phase::X224).and_then(|step| x224_facts(step)?.selected)?;
    let method = facts.encryption_method.filter(|method| !selected.uses_tls() && WEAK.contains(method))?;
    let summary = match method {
        0 => {
            format!("{} runs sessions in plain text: Standard RDP Security without encryption.", view.address)
        }
        _ => format!(
            "{} encrypts sessions with {} keys alone, which are broken in minutes.",
            view.address,
            facts.encryption_method_name.as_deref().unwrap_or("short"),
        ),
    };
    Some(Draft::new(registry::MCS_WEAK_ENCRYPTION, Phase::Mcs, summary).finish())
}
