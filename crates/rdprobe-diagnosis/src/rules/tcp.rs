//! The connection was not made.

use rdprobe_report::{Attempt, FailureKind, Finding, Phase, Target};

use crate::draft::Draft;
use crate::registry;
use crate::silence;
use crate::usual_port;
use crate::view::{View, tcp_facts};

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let Some((attempt, step)) = view.tcp() else {
        return Vec::new();
    };
    let Some(failure) = &step.failure else {
        return Vec::new();
    };
    let Some(sureness) = silence::sureness(view, step) else {
        return Vec::new();
    };
    let address = view.address;
    let icmp = tcp_facts(step).and_then(|facts| facts.icmp.as_ref());
    let said_by = icmp.map(|icmp| {
        let from = match icmp.from {
            Some(from) if from == address.ip() => "the host itself".to_owned(),
            Some(from) => from.to_string(),
            None => "an unknown machine".into(),
        };
        format!(" {from} says so: ICMP type {} code {}, {}.", icmp.kind, icmp.code, icmp.meaning())
    });
    let said_by = said_by.unwrap_or_default();
    let port = address.port();
    let (code, summary) = match failure.kind {
        FailureKind::Refused | FailureKind::Reset => (
            registry::TCP_REFUSED,
            format!(
                "{} is up and refuses connections to port {port}: nothing listens there, or a firewall answers with a \
                 reset.{said_by}",
                address.ip()
            ),
        ),
        FailureKind::Timeout | FailureKind::Closed => (
            registry::TCP_TIMEOUT,
            format!(
                "Nothing answers at {address}: the connection attempts were dropped in silence for {:.0} ms.",
                step.duration_ms.0
            ),
        ),
        FailureKind::Prohibited => (
            registry::TCP_PROHIBITED,
            format!("A firewall forbids the connection to {address} and says so.{said_by}"),
        ),
        FailureKind::Unreachable => (
            registry::TCP_UNREACHABLE,
            format!("There is no way to {address}: {}.{said_by}", failure.detail.trim_end_matches('.')),
        ),
        _ => return Vec::new(),
    };
    let usual = usual_port::hint(view).filter(|_| code == registry::TCP_REFUSED);
    let summary = summary + usual.as_ref().map_or("", |(text, _)| text);
    let mut draft = Draft::new(code.clone(), Phase::Tcp, summary)
        .evidence([view.pointer(attempt, Phase::Tcp)])
        .evidence(usual.map(|(_, pointer)| pointer))
        .confidence(sureness);
    if code == registry::TCP_REFUSED && port != Target::DEFAULT_PORT {
        draft = draft.cause(format!(
            "Remote Desktop listens on its usual port {} and not on {port}, or on a third one.",
            Target::DEFAULT_PORT
        ));
    }
    vec![draft.finish()]
}

/// The way to the host was lost under a connection that stood: an ICMP error came in answer to its segments.
pub(crate) fn path_lost(view: View<'_>, attempt: &Attempt, phase: Phase, detail: &str) -> Finding {
    let summary = format!(
        "{} took the connection, and then the way to it was lost: {detail}. Something between drops what follows the \
         first packets and says so.",
        view.address
    );
    Draft::new(registry::TCP_UNREACHABLE, Phase::Tcp, summary)
        .evidence([view.pointer(attempt, phase)])
        .finish()
}
