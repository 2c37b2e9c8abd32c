//! One address of the target, and which of its attempts decide.

use std::net::SocketAddr;

use rdprobe_report::facts::{CertificateFacts, CredsspFacts, TcpFacts, TlsFacts, X224Facts};
use rdprobe_report::{
    Attempt, Facts, Failure, FailureEvidence, FailureKind, HelloProfile, Limit, Observations, Phase, Purpose,
    Step,
};

/// The attempts on one address.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) seen: &'a Observations,
    pub(crate) address: SocketAddr,
}

impl<'a> View<'a> {
    pub(crate) fn new(seen: &'a Observations, address: SocketAddr) -> Self {
        Self { seen, address }
    }

    /// Every attempt on the address that counts, over TCP and UDP; not those on another port of it.
    pub(crate) fn attempts(self) -> impl Iterator<Item = &'a Attempt> {
        self.seen
            .attempts
            .iter()
            .filter(move |attempt| attempt.recipe.address.ip() == self.address.ip() && self.counts(attempt))
            .filter(|attempt| attempt.recipe.purpose != Purpose::UsualPort)
    }

    /// A question asked beside a silent step counts only if that step ended unanswered; until then it may.
    fn counts(self, attempt: &Attempt) -> bool {
        let Some(beside) = attempt.recipe.beside else { return true };
        let silent = self.seen.attempts.iter().find(|silent| silent.id == beside.attempt);
        match silent.and_then(|silent| silent.step(beside.phase)) {
            Some(step) => step.failure.as_ref().is_some_and(|why| why.kind == FailureKind::Timeout),
            None => silent.is_some(),
        }
    }

    /// Attempts with a purpose that have ended.
    pub(crate) fn ended(self, purpose: Purpose) -> impl Iterator<Item = &'a Attempt> {
        self.attempts().filter(move |attempt| attempt.recipe.purpose == purpose && !attempt.in_flight())
    }

    /// The attempt that decides for a purpose: the one asked alone, where there is one, else the first. One that
    /// was cut off, or waited for only briefly and in vain, decides only where there is no other.
    pub(crate) fn settled(self, purpose: Purpose) -> Option<&'a Attempt> {
        let decides = |attempt: &&Attempt| (!attempt.cut_off, !impatient(attempt), attempt.recipe.alone);
        // `max_by_key` takes the last of equals; what is alone was issued last, so that is the order wanted.
        let own = self.ended(purpose);
        let first = self.attempts().find(|attempt| attempt.recipe.purpose == purpose);
        // The same question as a control is that question once more.
        let again = self.ended(Purpose::Control).filter(move |attempt| {
            let repeated = matches!(purpose, Purpose::Default | Purpose::Logon);
            first.is_some_and(|first| repeated && first.recipe.ask == attempt.recipe.ask)
        });
        own.chain(again).max_by_key(decides)
    }

    /// The attempt that decides for one hello experiment.
    pub(crate) fn experiment(self, hello: &str) -> Option<&'a Attempt> {
        self.experiments().filter(|attempt| attempt.recipe.hello() == Some(hello)).last()
    }

    /// Every hello experiment that has ended.
    pub(crate) fn experiments(self) -> impl Iterator<Item = &'a Attempt> {
        self.ended(Purpose::HelloExperiment)
    }

    /// True while an attempt with this purpose is in flight.
    pub(crate) fn in_flight(self, purpose: Purpose) -> bool {
        self.attempts().any(|attempt| attempt.recipe.purpose == purpose && attempt.in_flight())
    }

    /// The attempts that make the usual offer and so ask X.224 the same question.
    pub(crate) fn usual_offer(self) -> impl Iterator<Item = &'a Attempt> {
        [Purpose::Default, Purpose::ReferenceHello]
            .into_iter()
            .filter_map(move |purpose| self.settled(purpose))
    }

    /// The step that decided TCP on this address: one that connected where there is one.
    pub(crate) fn tcp(self) -> Option<(&'a Attempt, &'a Step)> {
        self.pick(self.attempts().filter(|attempt| !attempt.in_flight()), Phase::Tcp)
    }

    /// The step that decided X.224: of the usual offer, one that was confirmed where there is one.
    pub(crate) fn x224(self) -> Option<(&'a Attempt, &'a Step)> {
        self.pick(self.usual_offer(), Phase::X224)
    }

    fn pick(
        self,
        attempts: impl Iterator<Item = &'a Attempt>,
        phase: Phase,
    ) -> Option<(&'a Attempt, &'a Step)> {
        let steps: Vec<_> =
            attempts.filter_map(|attempt| attempt.step(phase).map(|step| (attempt, step))).collect();
        steps.iter().find(|(_, step)| step.is_ok()).or(steps.first()).copied()
    }

    /// The reference client's profile.
    pub(crate) fn reference(self) -> Option<&'static HelloProfile> {
        HelloProfile::client(&self.seen.options.client)
    }

    /// Whether TLS follows the Confirm of the usual offer.
    pub(crate) fn reached_tls(self) -> bool {
        self.x224().is_some_and(|(_, step)| {
            step.is_ok()
                && x224_facts(step)
                    .and_then(|facts| facts.selected)
                    .is_some_and(|selected| selected.uses_tls())
        })
    }

    /// The round trip to the address as the kernel or connecting measured it, in milliseconds.
    pub(crate) fn round_trip_ms(self) -> Option<f64> {
        let measured = self.attempts().filter_map(|attempt| {
            let step = attempt.step(Phase::Tcp).filter(|step| step.is_ok())?;
            tcp_facts(step)?.rtt_ms.or(Some(step.duration_ms))
        });
        measured.map(|rtt| rtt.0).reduce(f64::max)
    }

    /// Whether rustls's handshake shows what the reference client would get, so that its own hello need not be
    /// sent: TLS 1.3 with a suite and a group that it offers too.
    pub(crate) fn folded(self) -> bool {
        let (Some(reference), Some(tls)) = (self.reference(), self.settled(Purpose::Default).and_then(tls))
        else {
            return false;
        };
        let facts = tls_facts(tls);
        tls.is_ok()
            && reference.offers_tls13()
            && facts.version == Some(rdprobe_report::TlsVersion::TLS_1_3)
            && facts.suite.is_some_and(|suite| reference.suites.contains(&suite))
            && facts.group.is_some_and(|group| reference.groups.contains(&group))
            && facts.signature_scheme.is_none_or(|scheme| {
                reference.signature_schemes.is_empty() || reference.signature_schemes.contains(&scheme)
            })
    }

    /// JSON pointer to the step of a phase within an attempt.
    pub(crate) fn pointer(self, attempt: &Attempt, phase: Phase) -> String {
        let position = self.seen.attempts.iter().position(|other| other.id == attempt.id).unwrap_or_default();
        match attempt.steps.iter().position(|step| step.phase() == phase) {
            Some(step) => format!("/attempts/{position}/steps/{step}"),
            None => format!("/attempts/{position}"),
        }
    }
}

/// The TLS step of an attempt.
pub(crate) fn tls(attempt: &Attempt) -> Option<&Step> {
    attempt.step(Phase::Tls)
}

/// The facts of a TLS step; a step of another phase has none.
pub(crate) fn tls_facts(step: &Step) -> &TlsFacts {
    match &step.facts {
        Facts::Tls(facts) => facts,
        _ => no_tls(),
    }
}

/// Where no TLS was seen.
pub(crate) fn no_tls() -> &'static TlsFacts {
    static NONE: std::sync::OnceLock<TlsFacts> = std::sync::OnceLock::new();
    NONE.get_or_init(TlsFacts::default)
}

/// The facts of an X.224 step.
pub(crate) fn x224_facts(step: &Step) -> Option<&X224Facts> {
    match &step.facts {
        Facts::X224(facts) => Some(facts),
        _ => None,
    }
}

/// The facts of a TCP step.
pub(crate) fn tcp_facts(step: &Step) -> Option<&TcpFacts> {
    match &step.facts {
        Facts::Tcp(facts) => Some(facts),
        _ => None,
    }
}

/// The certificate that an attempt saw.
pub(crate) fn certificate(attempt: &Attempt) -> Option<&CertificateFacts> {
    match &attempt.step(Phase::Certificate)?.facts {
        Facts::Certificate(facts) => Some(facts),
        _ => None,
    }
}

/// What an attempt saw of CredSSP.
pub(crate) fn credssp(attempt: &Attempt) -> Option<(&Step, &CredsspFacts)> {
    let step = attempt.step(Phase::Credssp)?;
    match &step.facts {
        Facts::Credssp(facts) => Some((step, facts)),
        _ => None,
    }
}

/// The failure of an attempt, with its phase.
pub(crate) fn failure(attempt: &Attempt) -> Option<(Phase, &Failure)> {
    attempt.failure().map(|(step, failure)| (step.phase(), failure))
}

/// Silence ended the attempt before the limit of its phase, since nobody waited for it any longer.
pub(crate) fn impatient(attempt: &Attempt) -> bool {
    attempt.failure().is_some_and(|(_, failure)| {
        matches!(failure.evidence, Some(FailureEvidence::Silence { limit: Limit::Patience, .. }))
    })
}

/// How the peer hung up, where RST and FIN are one cause.
pub(crate) fn hung_up(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Reset | FailureKind::Closed)
}

/// A ServerHello came.
pub(crate) fn answered(attempt: &Attempt) -> bool {
    tls(attempt).is_some_and(|step| tls_facts(step).version.is_some())
}
