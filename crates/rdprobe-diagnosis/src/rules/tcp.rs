//! The connection was not made.

use rdprobe_report::{FailureKind, Finding, Phase, Target};

use crate::draft::Draft;
use crate::registry;
use crate::view::{View, tcp_facts};

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let Some((attempt, step)) = view.tcp() else {
        return Vec::new();
    };
    let Some(failure) = &step.failure else {
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
    let mut draft =
        Draft::new(code.clone(), Phase::Tcp, summary).evidence([view.pointer(attempt, Phase::Tcp)]);
    if attempt.cut_off {
        draft = draft.confidence(rdprobe_report::Confidence::Likely);
    }
    if code == registry::TCP_REFUSED && port != Target::DEFAULT_PORT {
        draft = draft.cause(format!(
            "Remote Desktop listens on its usual port {} and not on {port}, or on a third one.",
            Target::DEFAULT_PORT
        ));
    }
    vec![draft.finish()]
}
