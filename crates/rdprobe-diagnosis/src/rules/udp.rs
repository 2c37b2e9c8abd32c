//! The UDP transport. It never explains a failure at X.224, TLS or CredSSP: it starts after them.

use rdprobe_report::facts::UdpFacts;
use rdprobe_report::{Attempt, Facts, Finding, Phase, Purpose, Severity, Step, UdpQuestion};

use crate::coverage;
use crate::draft::Draft;
use crate::registry;
use crate::view::View;

/// SYNs from which on a loss is counted.
const FEWEST_FOR_LOSS: u32 = 10;
/// Percent of lost SYNs from which on the path is called lossy.
const LOSSY_PERCENT: f64 = 2.0;

/// A full-size datagram with its UDP and IP headers.
const FULL_PACKET_V4: u32 = 1232 + 28;
const FULL_PACKET_V6: u32 = 1232 + 48;

/// The UDP attempt of the address.
pub(crate) fn decided(view: View<'_>) -> Option<(&Attempt, &Step, &UdpFacts)> {
    let attempt = view.ended(Purpose::Udp).next()?;
    let step = attempt.step(Phase::Udp)?;
    match &step.facts {
        Facts::Udp(facts) => Some((attempt, step, facts)),
        _ => None,
    }
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let Some((attempt, step, facts)) = decided(view) else {
        return Vec::new();
    };
    if let Some(finding) = ours(view, attempt, step) {
        return vec![finding];
    }
    // Aside, a datagram that our own side did not send is no word of the host.
    if step.failure.as_ref().is_some_and(|failure| failure.local_fault().is_some()) {
        return Vec::new();
    }
    let Some(draft) = judge(view, facts) else {
        return Vec::new();
    };
    let severity = match view.seen.options.udp {
        UdpQuestion::Off | UdpQuestion::Aside => Severity::Info,
        UdpQuestion::Asked => Severity::Warning,
        // What was expected and is answered, if badly, breaks nothing.
        UdpQuestion::Expected if facts.received > 0 => Severity::Warning,
        UdpQuestion::Expected => Severity::Error,
    };
    vec![draft.severity(severity).evidence([view.pointer(attempt, Phase::Udp)]).finish()]
}

/// What was asked for properly could not be sent: nothing is known, and that is ours.
fn ours(view: View<'_>, attempt: &Attempt, step: &Step) -> Option<Finding> {
    let asked = matches!(view.seen.options.udp, UdpQuestion::Asked | UdpQuestion::Expected);
    let fault = step.failure.as_ref()?.local_fault().filter(|_| asked)?;
    let summary = format!(
        "This computer could not ask {} over UDP: {}. That says nothing of the host.",
        view.address,
        coverage::words(fault)
    );
    let draft = Draft::new(registry::PROBE_LOCAL_FAULT, Phase::Udp, summary);
    Some(draft.evidence([view.pointer(attempt, Phase::Udp)]).finish())
}

fn judge(view: View<'_>, facts: &UdpFacts) -> Option<Draft> {
    let port = facts.port.unwrap_or(view.address.port());
    let ip = view.address.ip();
    let draft = |code, summary| Some(Draft::new(code, Phase::Udp, summary));
    let from = |icmp: &rdprobe_report::facts::Icmp| match icmp.from {
        Some(from) if from == ip => "the host itself".to_owned(),
        Some(from) => from.to_string(),
        None => "an unknown machine".into(),
    };
    let full = if ip.is_ipv4() { FULL_PACKET_V4 } else { FULL_PACKET_V6 };
    let too_small =
        facts.received == 0 && facts.icmp.is_empty() && facts.path_mtu.is_some_and(|mtu| mtu < full);
    if too_small {
        let mtu = facts.path_mtu.unwrap_or_default();
        return draft(
            registry::UDP_MTU,
            format!(
                "This computer knows that the path to UDP port {port} carries packets of {mtu} bytes and no more, too small \
                 for RDP's full-size datagrams (1232 bytes of payload)."
            ),
        );
    }
    if let Some(icmp) = facts.icmp.iter().find(|icmp| icmp.is_too_big()) {
        let size = icmp
            .mtu
            .or(facts.path_mtu)
            .map_or_else(|| "smaller packets".into(), |mtu| format!("packets of {mtu} bytes"));
        return draft(
            registry::UDP_MTU,
            format!(
                "The path to UDP port {port} carries only {size}, too small for RDP's full-size datagrams (1232 bytes of \
                 payload); {} says so.",
                from(icmp)
            ),
        );
    }
    if facts.received == 0 {
        if let Some(icmp) = facts.icmp.iter().find(|icmp| icmp.is_prohibited()) {
            return draft(
                registry::UDP_PROHIBITED,
                format!(
                    "A firewall forbids UDP to port {port}: {} answers \"{}\".",
                    from(icmp),
                    icmp.meaning()
                ),
            );
        }
        if let Some(icmp) = facts.icmp.first() {
            let what = if icmp.is_port_unreachable() {
                format!("Nothing listens on UDP port {port}")
            } else {
                format!("UDP port {port} cannot be reached")
            };
            return draft(
                registry::UDP_REJECTED,
                format!("{what}: {} answers \"{}\". Sessions use TCP alone.", from(icmp), icmp.meaning()),
            );
        }
        if facts.sent == 0 {
            return None;
        }
        if facts.probes.iter().any(|probe| probe.garbage.is_some()) {
            return draft(
                registry::UDP_MALFORMED,
                format!(
                    "UDP port {port} answers, and with bytes that are no RDP-UDP: another service listens there. Sessions \
                     use TCP alone."
                ),
            );
        }
        return draft(
            registry::UDP_NO_ANSWER,
            format!(
                "No answer on UDP port {port} to {} full-size SYN{}: dropped on the way, too big for a path that does not \
                 say so, or not offered. Sessions work over TCP alone; silence does not tell more.",
                facts.sent,
                if facts.sent == 1 { "" } else { "s" },
            ),
        );
    }
    let loss = facts.loss_percent.unwrap_or_default();
    if facts.sent >= FEWEST_FOR_LOSS && loss >= LOSSY_PERCENT {
        let interval = facts
            .loss_interval
            .map(|[low, high]| format!(" (95 % interval {low:.0} to {high:.0})"))
            .unwrap_or_default();
        return draft(
            registry::UDP_LOSSY,
            format!(
                "UDP port {port} answers, and {loss:.0} % of {} SYNs got no answer{interval}: sessions over UDP will stutter.",
                facts.sent
            ),
        );
    }
    None
}
