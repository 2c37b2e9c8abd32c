//! What a verdict says beyond its finding: what is ruled out, what to do next, and which machine answered.
//!
//! For a healthy host this is the answer: people come with a code on their screen, and more than half of them have a
//! host that is fine from outside.

use std::borrow::Cow;

use rdprobe_report::facts::{Nla, Package};
use rdprobe_report::{
    Effect, Finding, Fix, Next, Observations, Phase, PhaseOutcome, Phases, Protocol, Report, RuledOut,
    Severity, Where,
};

use crate::symptom::{Features, Ranked, fixes, rank};
use crate::{knowledge, registry};

/// How many causes a healthy host's user is told of.
const LAYERS_TOLD: usize = 5;
/// How many where something was found.
const CAUSES_TOLD: usize = 3;

/// One sentence on what was seen to be fine.
pub(crate) fn healthy_summary(seen: &Observations, phases: &Phases) -> String {
    let mut parts = Vec::new();
    if let (Some(version), Some(suite)) = (phases.tls.facts.version, phases.tls.facts.suite) {
        parts.push(format!("{version} with {suite}"));
    }
    match phases.x224.facts.nla {
        Some(Nla::Required) => parts.push("NLA required".into()),
        Some(Nla::Optional) => parts.push("NLA supported, not required".into()),
        Some(Nla::Unsupported) => parts.push("no NLA".into()),
        Some(Nla::Unknown) => parts.push("NLA supported".into()),
        None => {}
    }
    if let Some(not_after) = phases.certificate.facts.not_after {
        parts.push(format!("certificate valid until {}", not_after.date()));
    }
    let list = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let credssp = &phases.credssp.facts;
    if let (true, Some(account)) = (credssp.accepted, &credssp.account) {
        return format!(
            "{} answers Remote Desktop as it should{list} and accepts the logon of {account}: what is left comes after it.",
            seen.target.host
        );
    }
    if phases.credssp.outcome == PhaseOutcome::NotObservable {
        return format!(
            "{} answers Remote Desktop as it should{list}, as far as it could be followed: NLA, which comes behind TLS, \
             was not reached.",
            seen.target.host
        );
    }
    format!(
        "{} answers Remote Desktop as it should{list}: nothing that can be seen before the logon stops a client.",
        seen.target.host
    )
}

/// Says which machine answered, where it is not plainly the one that was asked for.
pub(crate) fn with_machine(summary: String, seen: &Observations, phases: &Phases) -> String {
    let mut summary = summary;
    let host = seen.target.host.to_ascii_lowercase();
    let credssp = &phases.credssp.facts;
    let name = credssp.dns_computer.as_deref().or(credssp.netbios_computer.as_deref());
    if let Some(name) = name {
        let plain = name.to_ascii_lowercase();
        let label = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        if seen.target.ip().is_some() || label(&plain) != label(&host) {
            summary.push_str(&format!(" The machine that answered calls itself {name}."));
        }
    }
    if phases.tcp.facts.is_this_computer && phases.x224.outcome == PhaseOutcome::Ok {
        summary.push_str(" It is this very computer.");
    }
    summary
}

/// What this run shows to be fine, phase by phase. Never empty.
pub(crate) fn ruled_out(seen: &Observations, phases: &Phases, findings: &[Finding]) -> Vec<RuledOut> {
    let mut lines = Vec::new();
    let mut line = |phase: Phase, text: String| {
        let evidence = match phase {
            Phase::Dns => "/resolution".into(),
            _ => format!("/phases/{phase}"),
        };
        lines.push(RuledOut { phase: Some(phase), text, evidence: Some(evidence) });
    };
    let has = |code: &rdprobe_report::Code| findings.iter().any(|finding| finding.code == *code);
    let dns = &phases.dns.facts;
    if dns.literal {
        line(Phase::Dns, "an address was given, so no name was resolved".into());
    } else if phases.dns.outcome == PhaseOutcome::Ok {
        let addresses: Vec<String> = dns.addresses.iter().map(ToString::to_string).collect();
        line(Phase::Dns, format!("{} resolves to {}", seen.target.host, addresses.join(", ")));
    }
    if phases.tcp.outcome == PhaseOutcome::Ok {
        let rtt =
            phases.tcp.facts.rtt_ms.map(|rtt| format!(", round trip {:.1} ms", rtt.0)).unwrap_or_default();
        let address = phases.tcp.facts.address.map(|address| address.to_string()).unwrap_or_default();
        line(Phase::Tcp, format!("{address} takes TCP connections{rtt}"));
    }
    if phases.x224.outcome == PhaseOutcome::Ok {
        let selected = phases.x224.facts.selected.unwrap_or(Protocol::RDP);
        line(Phase::X224, format!("Remote Desktop answers and selects {}", spelled(selected)));
    }
    if phases.tls.outcome == PhaseOutcome::Ok
        && let (Some(version), Some(suite)) = (phases.tls.facts.version, phases.tls.facts.suite)
    {
        line(Phase::Tls, format!("{} gets {version} with {suite}", seen.options.client));
    }
    let certificate = &phases.certificate.facts;
    if phases.certificate.outcome == PhaseOutcome::Ok && !has(&registry::CERT_EXPIRES_SOON) {
        if let Some(not_after) = certificate.not_after {
            line(Phase::Certificate, format!("valid until {}", not_after.date()));
        }
        if certificate.signature_check == Some(rdprobe_report::facts::SignatureCheck::Verified) {
            line(Phase::Certificate, "the host proved that it can use its private key".into());
        }
    }
    if phases.mcs.outcome == PhaseOutcome::Ok {
        line(Phase::Mcs, "the RDP server itself answers, behind whatever terminates TLS".into());
    }
    if phases.licensing.outcome == PhaseOutcome::Ok {
        line(Phase::Licensing, "no licence is refused before the logon".into());
    }
    if phases.credssp.outcome == PhaseOutcome::Ok {
        let facts = &phases.credssp.facts;
        let version = facts.version.map(|version| format!(" (version {version})")).unwrap_or_default();
        line(Phase::Credssp, format!("CredSSP{version} answers and NTLM is on offer"));
        if let (true, Some(account), Some(package)) = (facts.accepted, &facts.account, facts.package) {
            let how = if package == Package::Kerberos { "Kerberos" } else { "NTLM" };
            line(Phase::Credssp, format!("{account} is accepted by {how}, bound to this TLS channel"));
        }
        if facts.authorization_result == Some(0) {
            line(Phase::Credssp, "the account may log on through Remote Desktop".into());
        }
        if let Some(skew) = facts.skew_ms.filter(|_| !has(&registry::CLOCK_SKEW)) {
            line(
                Phase::Credssp,
                format!("the host's clock differs from ours by {:.1} s", skew.0.abs() / 1e3),
            );
        }
    }
    if phases.udp.outcome == PhaseOutcome::Ok {
        let rtt = phases.udp.facts.rtt_ms.map(|rtt| format!(" in {:.1} ms", rtt.0)).unwrap_or_default();
        line(Phase::Udp, format!("the fast transport answers{rtt}"));
    }
    if lines.is_empty() {
        let text = "nothing yet: the first step already failed, so the host itself was not reached";
        lines.push(RuledOut { phase: None, text: text.into(), evidence: None });
    }
    lines
}

fn spelled(protocol: Protocol) -> String {
    match protocol {
        Protocol::RDP => "standard RDP security".into(),
        Protocol::SSL => "TLS".into(),
        Protocol::HYBRID => "NLA (CredSSP)".into(),
        Protocol::HYBRID_EX => "NLA (CredSSP with early user authorization)".into(),
        other => other.to_string(),
    }
}

/// What to do or look at next: what mends the likeliest causes, in the one order that they have. Never empty.
pub(crate) fn next(report: &Report) -> Vec<Next> {
    let primary = report.findings.iter().find(|finding| finding.code == report.verdict.code);
    let mut next = Vec::new();
    if report.phases.tcp.facts.is_this_computer && primary.is_none() {
        next.push(Next::new(
            "Make sure that this is the host you meant",
            format!(
                "{} is an address of this very computer: WSL, containers and port forwards put another RDP server there.",
                report.target.host
            ),
        ));
    }
    let unanswered = primary.is_some_and(|finding| registry::leaves_question_open(&finding.code));
    if let Some(gateway) = report.options.gateway.as_ref().filter(|_| primary.is_none() || unanswered) {
        next.push(Next {
            commands: vec![format!("rdprobe {gateway}:443")],
            ..Next::new(
                format!("Look at the gateway {gateway} too"),
                "The client goes through it, and neither it nor what it does behind it was probed. What answers there should \
                 be a web service (http or tls), with a certificate for its name.",
            )
        });
    }
    let features = Features::of(&report.options.told).with_seen(report);
    next.extend(
        remedies(report, &features, &rank(&features, Some(report))).into_iter().map(Remedy::into_next),
    );
    next.extend(name(report));
    if primary.is_none() {
        next.push(Next::new(
            "Not visible from outside",
            format!("This run says nothing of: {}.", knowledge::not_visible().join("; ")),
        ));
    }
    let depth_limited = report.findings.iter().any(|finding| finding.code == registry::PROBE_DEPTH_LIMITED);
    if depth_limited && primary.is_none() {
        next.push(Next::new(
            "Look at the logon with the client itself",
            "What follows TLS could not be looked at here, since the host has no suite that rdprobe's TLS library \
             speaks; the client has one.",
        ));
    }
    next
}

/// What mends one cause, or one finding by itself.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// What it mends, and where it is a cause's, the question that separates that cause from the others.
    pub why: String,
    /// What is tried first.
    pub best: Fix,
    /// And what then.
    pub others: Vec<Fix>,
}

impl Remedy {
    fn into_next(self) -> Next {
        let own = |texts: Vec<Cow<'static, str>>| texts.into_iter().map(Cow::into_owned).collect();
        let fix = self.best;
        Next { steps: own(fix.steps), commands: own(fix.commands), ..Next::new(fix.title, self.why) }
    }
}

/// What to do on this host, in the one order that its causes have, `ranked` as [`rank`] gives them. What breaks a host
/// comes before what might trouble somebody on a host that works.
pub fn remedies(report: &Report, features: &Features, ranked: &[Ranked]) -> Vec<Remedy> {
    let primary = report.findings.iter().find(|finding| finding.code == report.verdict.code);
    let told = if primary.is_some() { CAUSES_TOLD } else { LAYERS_TOLD };
    let left = || ranked.iter().filter(|ranked| !ranked.is_out()).take(told);
    let of_cause = |ranked: &Ranked| {
        let mut fixes = fixes(ranked.cause, features, Some(report)).into_iter();
        let why = format!("{}. {}", ranked.cause.title, ranked.cause.question);
        Some(Remedy { why, best: fixes.next()?, others: fixes.collect() })
    };
    match primary {
        // What was not answered, or what only the user demands, no cause of the host explains.
        Some(finding) if registry::leaves_question_open(&finding.code) || !left().any(Ranked::is_hinted) => {
            of_finding(finding)
        }
        Some(finding) if finding.severity == Severity::Error => {
            let hinted = left().filter(|ranked| ranked.is_hinted()).filter_map(of_cause);
            hinted.chain(of_finding(finding)).take(told).collect()
        }
        _ => left().filter_map(of_cause).collect(),
    }
}

fn of_finding(finding: &Finding) -> Vec<Remedy> {
    let tells_apart = |fix: &&Fix| fix.effect == Effect::DiagnosticOnly;
    let ordered = finding.fixes.iter().filter(tells_apart);
    let ordered = ordered.chain(finding.fixes.iter().filter(|fix| !tells_apart(fix)));
    let of = |fix: &Fix| Remedy { why: finding.summary.clone(), best: fix.clone(), others: Vec::new() };
    let remedies: Vec<Remedy> = ordered.take(CAUSES_TOLD).map(of).collect();
    if !remedies.is_empty() {
        return remedies;
    }
    let why = finding.causes.first().map_or(finding.summary.as_str(), |cause| cause);
    let read = Fix {
        title: "Read what is known of this code".into(),
        r#where: Where::Client,
        effect: Effect::DiagnosticOnly,
        steps: Vec::new(),
        shell: "".into(),
        commands: vec![format!("rdprobe explain {}", finding.code).into()],
        source: "".into(),
    };
    vec![Remedy { why: why.into(), best: read, others: Vec::new() }]
}

/// What the name that was asked for means for a client, where it is one that leads elsewhere from elsewhere.
fn name(report: &Report) -> Option<Next> {
    let dns = &report.phases.dns.facts;
    let host = report.target.host.to_ascii_lowercase();
    if dns.literal || host == "localhost" {
        return None;
    }
    if host.ends_with(".local") {
        return Some(Next::new(
            "Mind that the name ends in .local",
            "Computers ask the local link for such names, by multicast, and not every client does: through a VPN or from \
             another network it leads nowhere, or elsewhere. Use a name of the domain, or the address.",
        ));
    }
    if !host.contains('.') {
        return Some(Next::new(
            "Mind that the name has no domain",
            "What it leads to depends on the domains that a client's system appends, so it may be another host, or none, \
             from where the client is; certificates and Kerberos are for the full name.",
        ));
    }
    let only_v6 = !dns.addresses.is_empty() && dns.addresses.iter().all(std::net::IpAddr::is_ipv6);
    only_v6.then(|| {
        Next::new(
            "Mind that the name has IPv6 addresses alone",
            "A client without IPv6, such as in many company networks and VPNs, cannot reach the host by this name.",
        )
    })
}
