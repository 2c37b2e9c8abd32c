//! What changed between two reports of one host: at two times, or seen from two places.

use rdprobe_report::facts::{CertificateFacts, Nla};
use rdprobe_report::{
    Compared, Comparison, Finding, Phase, PhaseOutcome, PhaseReport, Report, ReportChange, Severity,
};

/// A time has changed where it is so many times the other one, and so much longer: in milliseconds.
const NOISE_FACTOR: f64 = 3.0;
const NOISE_MS: f64 = 30.0;

/// Compares two reports.
pub fn compare(old: &Report, new: &Report) -> Comparison {
    let mut changes = Changes::default();
    changes.verdict(old, new);
    changes.dns(old, new);
    changes.tcp(old, new);
    changes.x224(old, new);
    changes.tls(old, new);
    changes.certificate(old, new);
    changes.credssp(old, new);
    let udp = |report: &Report| report.phases.udp.facts.version.map(|version| format!("version {version}"));
    changes.phase(Phase::Udp, &old.phases.udp, &new.phases.udp);
    changes.value(Phase::Udp, "version", udp(old), udp(new));
    changes.findings(old, new);
    // Where one of them came to no connection, from where it was made is not known.
    let two_places = place(old).zip(place(new)).is_some_and(|(old, new)| old != new);
    Comparison {
        host: new.target.input.clone(),
        old: compared(old),
        new: compared(new),
        two_places,
        conclusion: conclusion(old, new, &changes.0, two_places),
        changes: changes.0,
    }
}

fn compared(report: &Report) -> Compared {
    Compared {
        started_at: report.started_at,
        status: report.verdict.status,
        code: report.verdict.code.clone(),
    }
}

/// The address from which the host was reached, where it was.
fn place(report: &Report) -> Option<std::net::IpAddr> {
    report.phases.tcp.facts.local_address.map(|address| address.ip())
}

#[derive(Default)]
struct Changes(Vec<ReportChange>);

impl Changes {
    fn add(&mut self, phase: Option<Phase>, what: &str, old: Option<String>, new: Option<String>) {
        if old != new {
            self.0.push(ReportChange { phase, what: what.into(), old, new });
        }
    }

    fn value<T: ToString>(&mut self, phase: Phase, what: &str, old: Option<T>, new: Option<T>) {
        self.add(Some(phase), what, old.map(|old| old.to_string()), new.map(|new| new.to_string()));
    }

    /// Outcome and time. UDP's silence comes and goes with a datagram: whether it answers is all that counts.
    fn phase<F>(&mut self, phase: Phase, old: &PhaseReport<F>, new: &PhaseReport<F>) {
        let outcome = |of: &PhaseReport<F>| Some(of.outcome.as_str().to_owned());
        self.add(Some(phase), "outcome", outcome(old), outcome(new));
        let kind = |of: &PhaseReport<F>| of.failure.as_ref().map(|failure| failure.kind.to_string());
        self.add(Some(phase), "failure", kind(old), kind(new));
        if let (Some(before), Some(after)) = (old.duration_ms, new.duration_ms) {
            let (less, more) = (before.0.min(after.0), before.0.max(after.0));
            let answered = old.outcome == PhaseOutcome::Ok && new.outcome == PhaseOutcome::Ok;
            if answered && more > less * NOISE_FACTOR && more - less > NOISE_MS {
                let text = |millis: f64| Some(format!("{millis:.0} ms"));
                self.add(Some(phase), "time", text(before.0), text(after.0));
            }
        }
    }

    fn verdict(&mut self, old: &Report, new: &Report) {
        let verdict = |report: &Report| Some(format!("{} {}", report.verdict.status, report.verdict.code));
        self.add(None, "verdict", verdict(old), verdict(new));
        let client =
            |report: &Report| Some(format!("{} {}", report.client, report.verdict.client_outcome.as_str()));
        self.add(None, "client", client(old), client(new));
    }

    fn dns(&mut self, old: &Report, new: &Report) {
        self.phase(Phase::Dns, &old.phases.dns, &new.phases.dns);
        // A resolver may turn the list, and a client tries them all.
        let addresses = |report: &Report| {
            let mut addresses = report.phases.dns.facts.addresses.clone();
            addresses.sort();
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            (!addresses.is_empty()).then(|| addresses.join(", "))
        };
        self.add(Some(Phase::Dns), "addresses", addresses(old), addresses(new));
    }

    fn tcp(&mut self, old: &Report, new: &Report) {
        self.phase(Phase::Tcp, &old.phases.tcp, &new.phases.tcp);
        let (before, after) = (&old.phases.tcp.facts, &new.phases.tcp.facts);
        self.value(Phase::Tcp, "address", before.address, after.address);
        self.value(Phase::Tcp, "path MTU", before.path_mtu, after.path_mtu);
    }

    fn x224(&mut self, old: &Report, new: &Report) {
        self.phase(Phase::X224, &old.phases.x224, &new.phases.x224);
        let (before, after) = (&old.phases.x224.facts, &new.phases.x224.facts);
        self.value(Phase::X224, "selected", before.selected, after.selected);
        self.value(Phase::X224, "NLA", before.nla.map(Nla::as_str), after.nla.map(Nla::as_str));
        self.value(Phase::X224, "server", before.implementation.as_ref(), after.implementation.as_ref());
    }

    fn tls(&mut self, old: &Report, new: &Report) {
        self.phase(Phase::Tls, &old.phases.tls, &new.phases.tls);
        let (before, after) = (&old.phases.tls.facts, &new.phases.tls.facts);
        self.value(Phase::Tls, "version", before.version, after.version);
        self.value(Phase::Tls, "suite", before.suite, after.suite);
        self.value(Phase::Tls, "group", before.group.as_ref(), after.group.as_ref());
    }

    fn certificate(&mut self, old: &Report, new: &Report) {
        self.phase(Phase::Certificate, &old.phases.certificate, &new.phases.certificate);
        let (before, after) = (&old.phases.certificate.facts, &new.phases.certificate.facts);
        if before.sha256 != after.sha256 {
            let text = |facts: &CertificateFacts| {
                let sha256: String = facts.sha256.as_deref()?.chars().take(16).collect();
                let until = facts.not_after.map(|end| format!(", until {}", end.date())).unwrap_or_default();
                let name = facts.subject.as_deref().unwrap_or("no name");
                let issuer =
                    facts.issuer.as_deref().filter(|issuer| Some(*issuer) != facts.subject.as_deref());
                let by = issuer.map(|issuer| format!(", by {issuer}")).unwrap_or_default();
                Some(format!("{name}{by}{until} (SHA-256 {sha256}…)"))
            };
            self.add(Some(Phase::Certificate), "certificate", text(before), text(after));
        }
        self.value(Phase::Certificate, "trusted", before.trusted, after.trusted);
    }

    fn credssp(&mut self, old: &Report, new: &Report) {
        self.phase(Phase::Credssp, &old.phases.credssp, &new.phases.credssp);
        let (before, after) = (&old.phases.credssp.facts, &new.phases.credssp.facts);
        self.value(Phase::Credssp, "CredSSP version", before.version, after.version);
        self.value(Phase::Credssp, "build", before.build, after.build);
        let name = |report: &Report| {
            let facts = &report.phases.credssp.facts;
            facts.dns_computer.clone().or_else(|| facts.netbios_computer.clone())
        };
        self.value(Phase::Credssp, "computer", name(old), name(new));
    }

    /// Codes that came or went; a finding whose phase has changed is told by that already, and named all the same.
    fn findings(&mut self, old: &Report, new: &Report) {
        let told = |finding: &&Finding| finding.severity > Severity::Info;
        let has = |report: &Report, finding: &Finding| {
            report.findings.iter().filter(told).any(|other| other.code == finding.code)
        };
        for gone in old.findings.iter().filter(told).filter(|finding| !has(new, finding)) {
            self.add(Some(gone.phase), "finding", Some(gone.code.to_string()), None);
        }
        for come in new.findings.iter().filter(told).filter(|finding| !has(old, finding)) {
            self.add(Some(come.phase), "finding", None, Some(come.code.to_string()));
        }
    }
}

/// What the first phase that differs means.
fn conclusion(old: &Report, new: &Report, changes: &[ReportChange], two_places: bool) -> String {
    let Some(phase) = changes.iter().filter_map(|change| change.phase).min() else {
        return match changes.is_empty() {
            true => String::new(),
            false => "The host is the same; it is judged for another client, or by other rules.".into(),
        };
    };
    let what = |name: &str| changes.iter().any(|change| change.phase == Some(phase) && change.what == name);
    let text = match (phase, two_places) {
        (Phase::Dns, true) => {
            "The name leads to different addresses from the two places: split DNS, a hosts file, or a resolver that \
             has not learnt of a change yet."
        }
        (Phase::Dns, false) => {
            "The name resolves differently than before: the record was changed, or another resolver answered."
        }
        (Phase::Tcp, true) => {
            "One place connects and the other does not, at the same address: a firewall, a route or a VPN on one of \
             the ways."
        }
        (Phase::Tcp, false) => {
            "The connection itself differs: the service, the host or a firewall was switched between the two; or they \
             were made from two places, and a firewall, a route or a VPN stands on one of the ways."
        }
        (Phase::X224, true) => {
            "Both connect, and the answer to the negotiation differs: something on one way answers in the host's \
             place, or a balancer leads to different hosts."
        }
        (Phase::X224, false) => {
            "The listener answers differently: its security layer or NLA setting was changed, or another service took \
             the port."
        }
        (Phase::Tls, true) => {
            "The negotiation is the same and TLS differs: a filter or a TLS inspection stands on one of the ways."
        }
        (Phase::Tls, false) => {
            "TLS differs: protocols or suites were changed on the host, its key became unusable or usable again, or a \
             filter was put in or taken away."
        }
        (Phase::Certificate, two_places) if what("certificate") => certificate(old, new, two_places),
        (Phase::Certificate, _) => {
            "The certificate is the same, and what is thought of it differs: its dates, or the roots that are \
             trusted here."
        }
        (Phase::Credssp, _) if what("computer") => {
            "Different computers answer at this name: a farm or a balancer, or the name was given to another machine."
        }
        (Phase::Credssp, _) if what("build") => "The host was updated, or another one answers.",
        (Phase::Credssp, _) => {
            "NLA answers differently: the account policy, CredSSP's version, or the domain behind the host."
        }
        (Phase::Udp, true) => {
            "UDP gets through from one place and not from the other: a firewall on one of the ways. Sessions work over \
             TCP alone."
        }
        (Phase::Udp, false) => {
            "UDP answers differently: it was allowed or dropped on the way, or a datagram was lost."
        }
        _ => "Only the judgement differs.",
    };
    text.into()
}

fn certificate(old: &Report, new: &Report, two_places: bool) -> &'static str {
    let (before, after) = (&old.phases.certificate.facts, &new.phases.certificate.facts);
    let same_key = before.key.is_some() && before.key == after.key;
    let renewed = before.not_before < after.not_before && before.subject == after.subject;
    match (two_places, before.issuer == after.issuer) {
        _ if same_key && renewed => "The certificate was renewed with the same key.",
        (false, true) if renewed => "The certificate was renewed.",
        (false, true) => {
            "The host shows another certificate of the same issuer: a renewal, or another machine of a farm."
        }
        (false, false) => {
            "The host shows a certificate of another issuer: it was exchanged, or something on the way shows its own."
        }
        (true, true) => {
            "The two places are shown different certificates of one issuer: more than one machine answers at this \
             address, or it was renewed in between."
        }
        (true, false) => {
            "The two places are shown certificates of different issuers: a TLS inspection on one of the ways, or different \
             machines behind one address."
        }
    }
}
