//! Coverage: what is known of each phase that the verdict needs. Healthy is proven here or nowhere.
//!
//! Needed is what the host selected for the reference client's offer: standard RDP security needs dns, tcp and x224;
//! TLS also tls and certificate; CredSSP also its first token. UDP, the NLA question, other addresses and a logon are
//! never needed: what was asked for beyond has codes of its own.

use rdprobe_report::facts::CertificateFacts;
use rdprobe_report::{
    Attempt, Code, Failure, FailureKind, Finding, LocalFault, Observations, Phase, Protocol, Purpose,
    Severity, Step,
};

use crate::draft::Draft;
use crate::registry;
use crate::rules::{credssp, tls};
use crate::silence;
use crate::view::{View, certificate, x224_facts};

/// What is known of one needed phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Seen to work.
    Seen,
    /// Seen to fail: a finding of its own says how, and its severity decides.
    Failed,
    /// As far as our own TLS library can see; the client gets further.
    Limited,
    /// Not known, and why.
    Open(Why),
}

/// Why a needed phase stayed open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nobody looked, or the answer does not tell.
    NotSeen,
    /// The deadline, the user or a short limit ended it.
    CutShort,
    /// The host, or something before it, turned the question away.
    TurnedAway,
    /// Our own side could not.
    Local(LocalFault),
    /// The client goes through a gateway, and the direct way is closed.
    BehindGateway,
}

/// The needed phases, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coverage(Vec<(Phase, State)>);

impl Coverage {
    /// What `findings` and the observations show of the address that decides.
    pub(crate) fn of(seen: &Observations, view: Option<View<'_>>, findings: &[Finding]) -> Self {
        // Where the client does not come this way, that it is closed says nothing.
        let gateway = seen.options.gateway.is_some();
        let direct = |phase, state| match state {
            State::Open(Why::NotSeen) if gateway && phase <= Phase::Tcp => State::Open(Why::BehindGateway),
            state => state,
        };
        let mut needed = vec![(Phase::Dns, direct(Phase::Dns, dns(seen, findings)))];
        let Some(view) = view.filter(|_| needed[0].1 == State::Seen) else {
            return Self(needed);
        };
        let look: [fn(View<'_>) -> State; 5] = [tcp, x224, tls_state, certificate_state, credssp_state];
        let phases = [Phase::Tcp, Phase::X224, Phase::Tls, Phase::Certificate, Phase::Credssp];
        for (phase, look) in phases.into_iter().zip(look) {
            if !needs(view, phase, findings) {
                break;
            }
            let state = match look(view) {
                State::Open(_) if failed(phase, findings) => State::Failed,
                state => direct(phase, state),
            };
            needed.push((phase, state));
            if matches!(state, State::Failed | State::Open(_)) {
                break;
            }
        }
        Self(needed)
    }

    /// The first needed phase of which too little is known.
    pub(crate) fn open(&self) -> Option<(Phase, Why)> {
        self.0.iter().find_map(|(phase, state)| match state {
            State::Open(why) => Some((*phase, *why)),
            _ => None,
        })
    }

    /// Something was seen only as far as our own library goes.
    pub(crate) fn limited(&self) -> bool {
        self.0.iter().any(|(_, state)| *state == State::Limited)
    }

    /// What is known of a phase; none where it is not needed or an earlier one ended the way there.
    pub(crate) fn state(&self, phase: Phase) -> Option<State> {
        self.0.iter().find(|(needed, _)| *needed == phase).map(|(_, state)| *state)
    }
}

/// Whether the host's selection needs this phase.
fn needs(view: View<'_>, phase: Phase, findings: &[Finding]) -> bool {
    if phase <= Phase::X224 {
        return true;
    }
    if has(findings, &registry::SECURITY_RDP_ONLY) {
        return false;
    }
    let selected = view.x224().and_then(|(_, step)| x224_facts(step)?.selected);
    match phase {
        Phase::Credssp => selected.is_some_and(Protocol::uses_credssp),
        _ => selected.is_some_and(Protocol::uses_tls),
    }
}

fn has(findings: &[Finding], code: &Code) -> bool {
    findings.iter().any(|finding| finding.code == *code)
}

/// A finding of the phase's own, beside what is merely worth knowing.
fn failed(phase: Phase, findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.phase == phase && finding.severity > Severity::Info)
}

fn dns(seen: &Observations, findings: &[Finding]) -> State {
    match &seen.resolution {
        Some(step) if step.is_ok() && !seen.addresses().is_empty() => State::Seen,
        _ if failed(Phase::Dns, findings) => State::Failed,
        Some(step) => State::Open(ended(step.failure.as_ref(), seen.cut_short)),
        None => State::Open(if seen.cut_short { Why::CutShort } else { Why::NotSeen }),
    }
}

fn tcp(view: View<'_>) -> State {
    of_step(view, view.tcp().map(|(_, step)| step))
}

fn x224(view: View<'_>) -> State {
    match view.x224() {
        Some((_, step)) => of_step(view, Some(step)),
        None => State::Open(why_missing(view, Phase::X224)),
    }
}

fn tls_state(view: View<'_>) -> State {
    if view.reference().is_none() {
        return State::Open(Why::Local(LocalFault::Options));
    }
    match tls::outcome::outcome(view) {
        tls::outcome::Outcome::Gets(_) => State::Seen,
        _ => State::Open(why_missing(view, Phase::Tls)),
    }
}

fn certificate_state(view: View<'_>) -> State {
    let ok = |attempt: &&Attempt| attempt.step(Phase::Certificate).is_some_and(Step::is_ok);
    let read = |facts: &CertificateFacts| facts.sha256.is_some() && facts.parse_error.is_none();
    if view.attempts().filter(ok).filter_map(certificate).any(read) {
        State::Seen
    } else {
        State::Open(why_missing(view, Phase::Certificate))
    }
}

fn credssp_state(view: View<'_>) -> State {
    match credssp::decided(view) {
        Some((_, step, _)) if step.is_ok() => State::Seen,
        Some((_, step, _)) => of_step(view, Some(step)),
        None if tls::library_lacks(view) => State::Limited,
        None => State::Open(why_missing(view, Phase::Credssp)),
    }
}

fn of_step(view: View<'_>, step: Option<&Step>) -> State {
    match step {
        Some(step) if step.is_ok() => State::Seen,
        Some(step) => {
            let impatient = silence::sureness(view, step).is_none();
            State::Open(if impatient {
                Why::CutShort
            } else {
                ended(step.failure.as_ref(), view.seen.cut_short)
            })
        }
        None => State::Open(why_missing(view, Phase::Tcp)),
    }
}

fn ended(failure: Option<&Failure>, cut_short: bool) -> Why {
    match failure {
        Some(failure) => match failure.local_fault() {
            Some(fault) => Why::Local(fault),
            None if cut_short && failure.kind == FailureKind::Timeout => Why::CutShort,
            None => Why::NotSeen,
        },
        None if cut_short => Why::CutShort,
        None => Why::NotSeen,
    }
}

/// Why no attempt shows the phase: by how those that were to go there ended.
fn why_missing(view: View<'_>, phase: Phase) -> Why {
    let deciding = [Purpose::ReferenceHello, Purpose::Default, Purpose::Spnego];
    let ends = || {
        let tried = view.attempts().filter(|attempt| deciding.contains(&attempt.recipe.purpose));
        tried.filter_map(|attempt| attempt.failure())
    };
    let local = ends().find_map(|(_, failure)| failure.local_fault());
    let too_short = ends().any(|(step, _)| silence::sureness(view, step).is_none());
    let turned_away = ends().any(|(step, _)| step.phase() < phase.min(Phase::Tls));
    match local {
        _ if too_short => Why::CutShort,
        Some(fault) => Why::Local(fault),
        None if view.seen.cut_short => Why::CutShort,
        None if turned_away => Why::TurnedAway,
        None => Why::NotSeen,
    }
}

/// The finding that says which question stayed open, and why.
pub(crate) fn finding(seen: &Observations, view: Option<View<'_>>, coverage: &Coverage) -> Option<Finding> {
    let (phase, why) = coverage.open()?;
    let question = question(seen, view, phase);
    let (code, summary) = match why {
        Why::CutShort => (
            registry::PROBE_CUT_SHORT,
            format!(
                "The probe was ended after {:.0} ms, before it was known {question}: give it a longer --deadline or \
                 --timeout.",
                seen.elapsed_ms.0
            ),
        ),
        Why::Local(fault) => (
            registry::PROBE_LOCAL_FAULT,
            format!(
                "This computer could not find out {question}: {}. That says nothing of the host.",
                words(fault)
            ),
        ),
        Why::TurnedAway => (
            registry::PROBE_INCOMPLETE,
            format!("It stayed open {question}: the connections that were to show it were turned away."),
        ),
        Why::BehindGateway => (
            registry::PROBE_INCOMPLETE,
            format!(
                "The client reaches {} through the gateway {}, and what lies behind it cannot be seen from here: that the \
                 direct way is closed is no fault of the host.",
                seen.target.host,
                seen.options.gateway.as_deref().unwrap_or_default(),
            ),
        ),
        Why::NotSeen => (
            registry::PROBE_INCOMPLETE,
            format!("It stayed open {question}: nothing that was seen answers it."),
        ),
    };
    let evidence = match (phase, seen.attempts.is_empty()) {
        (Phase::Dns, _) => "/resolution",
        (_, true) => "/options",
        _ => "/attempts",
    };
    Some(Draft::new(code, phase, summary).evidence([evidence.into()]).finish())
}

fn question(seen: &Observations, view: Option<View<'_>>, phase: Phase) -> String {
    let address = view.map_or_else(|| seen.target.host.clone(), |view| view.address.to_string());
    match phase {
        Phase::Dns => format!("whether {} resolves to an address", seen.target.host),
        Phase::Tcp => format!("whether {address} takes connections"),
        Phase::X224 => format!("whether Remote Desktop answers at {address}"),
        Phase::Tls => format!("whether {} gets TLS from {address}", seen.options.client),
        Phase::Certificate => format!("which certificate {address} shows"),
        _ => format!("whether NLA (CredSSP) answers at {address}"),
    }
}

/// What of ours stood in the way, in words.
pub(crate) fn words(fault: LocalFault) -> &'static str {
    match fault {
        LocalFault::Descriptors => {
            "no file descriptor was free; allow more (`ulimit -n`) or ask fewer hosts at once"
        }
        LocalFault::NoRoute => "it has no route there, or no address of that family",
        LocalFault::Permission => "its operating system, or its own firewall, does not allow it",
        LocalFault::Resources => "its ports, buffers or memory ran out",
        LocalFault::Library => "the TLS library in use lacks what the host wants",
        LocalFault::Options => {
            "what was asked for cannot be done; look at the client and the name that were given"
        }
        _ => "something here failed",
    }
}
