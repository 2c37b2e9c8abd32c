//! What the user demands of the host: each demand judged by what was seen, and what comes of it.
//!
//! Demands on TLS speak of what the reference client gets. None of them changes what that client does.

use rdprobe_report::facts::Nla;
use rdprobe_report::{
    ClientOutcome, ClientReport, ClientVerdict, Code, Expectation, ExpectationOutcome, ExpectationReport,
    Finding, Observations, Phase, PhaseOutcome, Phases, Severity, TlsVersion,
};

use crate::draft::Draft;
use crate::registry;

/// What a demand is judged by.
pub(crate) struct Ground<'a> {
    pub(crate) phases: &'a Phases,
    /// Before the demands' own.
    pub(crate) findings: &'a [Finding],
    pub(crate) client_outcome: ClientOutcome,
    /// What each client gets of TLS.
    pub(crate) clients: &'a [ClientReport],
}

/// Compiles a `server~=` pattern.
///
/// # Errors
/// What is wrong with it.
pub fn server_pattern(pattern: &str) -> Result<regex_lite::Regex, String> {
    regex_lite::RegexBuilder::new(pattern).case_insensitive(true).build().map_err(|error| error.to_string())
}

/// Whether a finding with this code may be left out of the status by `--ignore`.
pub fn may_be_ignored(code: &str) -> bool {
    registry::lookup(code).is_some_and(|row| {
        row.severity == Severity::Warning || row.code.starts_with("cert-") || row.code.starts_with("udp-")
    })
}

/// Marks the findings that the user accepts.
pub(crate) fn ignore(seen: &Observations, findings: &mut [Finding]) {
    let accepted = |code: &Code| seen.options.ignore.contains(code) && may_be_ignored(code.as_str());
    for finding in findings.iter_mut().filter(|finding| accepted(&finding.code)) {
        finding.ignored = true;
    }
}

/// Every demand of the user's, judged.
pub(crate) fn judge(seen: &Observations, ground: &Ground<'_>) -> Vec<ExpectationReport> {
    let report = |name: &Expectation| {
        let Answer { outcome, reason, evidence } = ground.answer(seen, name);
        let evidence = evidence.into_iter().map(Into::into).collect();
        ExpectationReport { name: name.clone(), outcome, reason, evidence }
    };
    seen.options.expect.iter().map(report).collect()
}

/// What comes of the demands: a finding for those that failed, and one for those that could not be seen.
pub(crate) fn findings(judged: &[ExpectationReport]) -> Vec<Finding> {
    let finding = |outcome, code: Code, begin: &str| {
        let such: Vec<_> =
            judged.iter().enumerate().filter(|(_, judged)| judged.outcome == outcome).collect();
        let phase = such.iter().map(|(_, judged)| phase(&judged.name)).min()?;
        let list: Vec<String> =
            such.iter().map(|(_, judged)| format!("{} ({})", judged.name, judged.reason)).collect();
        let evidence = such.iter().flat_map(|(place, judged)| {
            std::iter::once(format!("/expectations/{place}")).chain(judged.evidence.clone())
        });
        let summary = format!("{begin}: {}.", list.join("; "));
        Some(Draft::new(code, phase, summary).evidence(evidence).finish())
    };
    [
        finding(
            ExpectationOutcome::Failed,
            registry::EXPECTATION_FAILED,
            "The host is not as it was expected to be",
        ),
        finding(
            ExpectationOutcome::NotObservable,
            registry::EXPECTATION_NOT_OBSERVABLE,
            "This run does not tell whether the host is as expected",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The phase in which a demand is decided.
fn phase(expectation: &Expectation) -> Phase {
    match expectation {
        Expectation::Nla | Expectation::NlaRequired | Expectation::Server(_) => Phase::X224,
        Expectation::CertDays(_) | Expectation::Trusted => Phase::Certificate,
        Expectation::Udp => Phase::Udp,
        Expectation::Rtt(_) => Phase::Tcp,
        _ => Phase::Tls,
    }
}

struct Answer {
    outcome: ExpectationOutcome,
    reason: String,
    evidence: Option<&'static str>,
}

fn held_if(holds: bool, evidence: &'static str, reason: impl Into<String>) -> Answer {
    let outcome = if holds { ExpectationOutcome::Held } else { ExpectationOutcome::Failed };
    Answer { outcome, reason: reason.into(), evidence: Some(evidence) }
}

fn not_observable(reason: impl Into<String>) -> Answer {
    Answer { outcome: ExpectationOutcome::NotObservable, reason: reason.into(), evidence: None }
}

impl Ground<'_> {
    fn answer(&self, seen: &Observations, expectation: &Expectation) -> Answer {
        match expectation {
            Expectation::Nla => self.nla(),
            Expectation::NlaRequired => self.nla_required(),
            Expectation::Tls(least) => self.tls(*least),
            Expectation::CertDays(least) => self.cert_days(*least),
            Expectation::Trusted => self.trusted(),
            Expectation::NoWeakCiphers => self.no_weak_ciphers(),
            Expectation::Udp => self.udp(),
            Expectation::Rtt(most) => match self.phases.tcp.facts.rtt_ms {
                Some(rtt) => held_if(rtt.0 <= most.0, "/phases/tcp/rtt_ms", format!("{:.1} ms", rtt.0)),
                None => not_observable("no connection came about"),
            },
            Expectation::Server(pattern) => self.server(pattern),
            Expectation::Client(id) => self.client(seen, id),
            _ => not_observable("this version of rdprobe does not know it"),
        }
    }

    fn nla(&self) -> Answer {
        const EVIDENCE: &str = "/phases/x224";
        let facts = &self.phases.x224.facts;
        match (facts.nla, facts.selected) {
            (Some(Nla::Required), _) => held_if(true, EVIDENCE, "the host requires it"),
            (_, Some(selected)) if selected.uses_credssp() => {
                held_if(true, EVIDENCE, format!("the host selects {selected}"))
            }
            (Some(Nla::Unsupported), _) => held_if(false, EVIDENCE, "the host does not do it"),
            (_, Some(selected)) => held_if(false, EVIDENCE, format!("the host selects {selected}")),
            (_, None) => not_observable("the negotiation was not seen to its end"),
        }
    }

    fn nla_required(&self) -> Answer {
        const EVIDENCE: &str = "/phases/x224/nla";
        match self.phases.x224.facts.nla {
            Some(Nla::Required) => held_if(true, EVIDENCE, "a client without it is refused"),
            Some(Nla::Optional) => held_if(false, EVIDENCE, "a client without it is taken too"),
            Some(Nla::Unsupported) => held_if(false, EVIDENCE, "the host does not do it"),
            _ => not_observable("the host did not answer whether a client without it is taken"),
        }
    }

    /// Standard RDP Security leaves no TLS to be had.
    fn has_no_tls(&self) -> bool {
        self.phases.tls.outcome == PhaseOutcome::NotSupported
    }

    fn tls(&self, least: TlsVersion) -> Answer {
        let tls = &self.phases.tls;
        match tls.facts.version.filter(|_| tls.outcome == PhaseOutcome::Ok) {
            Some(version) => held_if(version >= least, "/phases/tls/version", version.to_string()),
            None if self.has_no_tls() => held_if(false, "/phases/tls", "the host takes no TLS"),
            None => not_observable("it was not seen what the client gets"),
        }
    }

    fn no_weak_ciphers(&self) -> Answer {
        let weak = [registry::TLS_WEAK_CIPHER, registry::TLS_LEGACY_VERSION];
        if let Some(finding) = self.findings.iter().find(|finding| weak.contains(&finding.code)) {
            return held_if(false, "/phases/tls", finding.code.to_string());
        }
        let tls = &self.phases.tls;
        // Where all was asked for, nothing weak may be on offer either.
        let offered = tls.facts.enumeration.iter().flat_map(|found| &found.versions);
        let offered = offered.flat_map(|version| version.suites.iter().map(move |suite| (version, suite)));
        if let Some((version, suite)) = offered.into_iter().find(|(_, suite)| !suite.weaknesses.is_empty()) {
            let reason = format!("the host takes {} under {}", suite.iana, version.version);
            return held_if(false, "/phases/tls/enumeration", reason);
        }
        match tls.facts.suite.filter(|_| tls.outcome == PhaseOutcome::Ok) {
            Some(suite) => held_if(true, "/phases/tls/suite", format!("the client gets {suite}")),
            None if self.has_no_tls() => held_if(false, "/phases/tls", "the host takes no TLS"),
            None => not_observable("it was not seen what the client gets"),
        }
    }

    fn cert_days(&self, least: f64) -> Answer {
        match self.phases.certificate.facts.expires_in_days {
            Some(days) => {
                held_if(days >= least, "/phases/certificate/expires_in_days", format!("{days} days are left"))
            }
            None => not_observable("no certificate was seen"),
        }
    }

    fn trusted(&self) -> Answer {
        const EVIDENCE: &str = "/phases/certificate";
        let facts = &self.phases.certificate.facts;
        match (facts.pinned, facts.trusted) {
            (Some(true), _) => held_if(true, EVIDENCE, "it is pinned"),
            (_, Some(true)) => held_if(true, EVIDENCE, "it leads to a trusted root"),
            (_, Some(false)) => {
                held_if(false, EVIDENCE, facts.trust_error.as_deref().unwrap_or("it is not trusted"))
            }
            _ => not_observable(facts.trust_error.as_deref().unwrap_or("no certificate was seen")),
        }
    }

    fn udp(&self) -> Answer {
        let udp = &self.phases.udp;
        match udp.outcome {
            PhaseOutcome::Ok => held_if(true, "/phases/udp", "it answers"),
            PhaseOutcome::NotRequested | PhaseOutcome::NotReached => {
                not_observable("nothing was sent over UDP")
            }
            _ if udp.facts.sent == 0 => not_observable("nothing was sent over UDP"),
            _ => held_if(false, "/phases/udp", "it does not answer"),
        }
    }

    fn server(&self, pattern: &str) -> Answer {
        let Ok(pattern) = server_pattern(pattern) else {
            return not_observable("the pattern cannot be read");
        };
        let (x224, credssp) = (&self.phases.x224.facts, &self.phases.credssp.facts);
        let implementation = x224.implementation.as_ref().map(|known| match &known.version {
            Some(version) => format!("{} {version}", known.name),
            None => known.name.to_string(),
        });
        let names = [&credssp.dns_computer, &credssp.netbios_computer, &credssp.netbios_domain];
        let said: Vec<String> = implementation
            .into_iter()
            .chain(credssp.windows.iter().cloned())
            .chain(credssp.build.map(|build| format!("build {build}")))
            .chain(names.into_iter().flatten().cloned())
            .collect();
        if said.is_empty() {
            return not_observable("nothing tells what the host is");
        }
        let matches = said.iter().any(|text| pattern.is_match(text));
        held_if(matches, "/phases", said.join(", "))
    }

    fn client(&self, seen: &Observations, id: &str) -> Answer {
        if id != seen.options.client {
            return self.other_client(id);
        }
        match self.client_outcome {
            ClientOutcome::Connects => held_if(true, "/verdict/client_outcome", "it connects"),
            ClientOutcome::ConnectsWithWarning => {
                held_if(true, "/verdict/client_outcome", "it connects after a warning")
            }
            ClientOutcome::Fails => held_if(false, "/verdict/client_outcome", "it fails"),
            _ => not_observable("it was not seen whether it connects"),
        }
    }

    /// TLS is what tells clients apart; what follows it, the client of the verdict shows for all.
    fn other_client(&self, id: &str) -> Answer {
        let Some(client) = self.clients.iter().find(|client| client.id == id) else {
            return not_observable("what it gets of TLS was not seen");
        };
        let reason = client.reason.as_deref();
        let connects = [ClientOutcome::Connects, ClientOutcome::ConnectsWithWarning];
        match client.outcome {
            ClientVerdict::Fails => held_if(false, "/clients", reason.unwrap_or("it gets no TLS")),
            ClientVerdict::Connects if connects.contains(&self.client_outcome) => {
                held_if(true, "/clients", "it gets TLS, and what follows works")
            }
            ClientVerdict::Connects => not_observable("it gets TLS, and what follows was not seen to work"),
            _ => not_observable(reason.unwrap_or("what it gets of TLS was not asked: --tls does")),
        }
    }
}
