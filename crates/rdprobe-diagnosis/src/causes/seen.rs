//! What causes ask of a report. The one file that knows where a report keeps it.

use rdprobe_report::facts::Nla;
use rdprobe_report::{Finding, Phase, PhaseOutcome, Protocol, Report, Status, Target};

/// A report as the judges read it.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub(super) report: &'a Report,
}

/// Servers that the fingerprint of a FreeRDP-based one leaves open.
const FREERDP_BASED: &[&str] = &["gnome", "weston", "freerdp-shadow", "other-server"];

impl<'a> Seen<'a> {
    /// Reads `report`.
    pub fn new(report: &'a Report) -> Self {
        Self { report }
    }

    /// The finding with a code.
    pub(super) fn finding(self, code: &str) -> Option<&'a Finding> {
        self.report.findings.iter().find(|finding| finding.code.as_str() == code)
    }

    /// How a phase ended.
    pub fn outcome(self, phase: Phase) -> PhaseOutcome {
        let phases = &self.report.phases;
        match phase {
            Phase::Dns => phases.dns.outcome,
            Phase::Tcp => phases.tcp.outcome,
            Phase::X224 => phases.x224.outcome,
            Phase::Tls => phases.tls.outcome,
            Phase::Certificate => phases.certificate.outcome,
            Phase::Credssp => phases.credssp.outcome,
            Phase::Mcs => phases.mcs.outcome,
            Phase::Licensing => phases.licensing.outcome,
            Phase::Udp => phases.udp.outcome,
            _ => PhaseOutcome::NotReached,
        }
    }

    pub(super) fn ok(self, phase: Phase) -> bool {
        self.outcome(phase) == PhaseOutcome::Ok
    }

    /// JSON pointer to a phase.
    pub(super) fn pointer(self, phase: Phase) -> String {
        format!("/phases/{phase}")
    }

    /// The phase at which every client is stopped.
    pub(crate) fn ends_at(self) -> Option<Phase> {
        let verdict = &self.report.verdict;
        let stops = verdict.status == Status::Broken
            && verdict.client_outcome == rdprobe_report::ClientOutcome::Fails;
        verdict.phase.filter(|_| stops)
    }

    pub(super) fn nla(self) -> Option<Nla> {
        self.report.phases.x224.facts.nla
    }

    pub(super) fn selected(self) -> Option<Protocol> {
        self.report.phases.x224.facts.selected
    }

    pub(super) fn is_default_port(self) -> bool {
        self.report.target.port == Target::DEFAULT_PORT
    }

    /// The port on which gateways listen.
    pub(super) fn is_gateway_port(self) -> bool {
        self.report.target.port == 443
    }

    /// The target is this computer, or a port of it.
    pub(super) fn is_this_computer(self) -> bool {
        let host = self.report.target.host.to_ascii_lowercase();
        self.report.phases.tcp.facts.is_this_computer
            || host == "localhost"
            || self.report.target.ip().is_some_and(|address| address.is_loopback())
    }

    /// A logon can be tried: CredSSP was reached and none was accepted yet.
    pub(crate) fn takes_a_logon(self) -> bool {
        self.ok(Phase::Credssp) && !self.report.phases.credssp.facts.accepted
    }

    /// The name by which the machine that answered calls itself.
    pub fn computer(self) -> Option<&'a str> {
        let facts = &self.report.phases.credssp.facts;
        facts.dns_computer.as_deref().or(facts.netbios_computer.as_deref())
    }

    /// The machine belongs to a domain, by its NTLM challenge.
    pub(crate) fn domain_member(self) -> Option<bool> {
        let facts = &self.report.phases.credssp.facts;
        let computer = facts.netbios_computer.as_deref()?;
        let domain = facts.netbios_domain.as_deref()?;
        Some(!domain.eq_ignore_ascii_case(computer))
    }

    /// Servers that it can be, by the fingerprint; none where that says nothing.
    pub fn servers(self) -> Option<Vec<&'static str>> {
        let who = self.report.phases.x224.facts.implementation.as_ref()?.name.as_ref();
        let mut servers = Vec::new();
        let xrdp_alone = who.starts_with("xrdp") || who.contains("less likely Windows");
        if who.contains("xrdp") {
            servers.push("xrdp");
        }
        if who.contains("Windows") && !xrdp_alone {
            servers.push("windows");
        }
        if who.contains("FreeRDP") || who.contains("IronRDP") {
            servers.extend(FREERDP_BASED);
        }
        if who.contains("VirtualBox") {
            servers.push("other-server");
        }
        (!servers.is_empty()).then_some(servers)
    }

    /// Where the host is, for commands: name, port, address, computer name.
    pub fn fill(self, text: &str) -> String {
        let target = &self.report.target;
        let address = self.report.phases.tcp.facts.address.map(|address| address.ip().to_string());
        text.replace("{host}", &target.host)
            .replace("{port}", &target.port.to_string())
            .replace("{address}", address.as_deref().unwrap_or(&target.host))
            .replace("{computer}", self.computer().unwrap_or(&target.host))
    }
}
