//! Name resolution, and addresses that do not agree.

use rdprobe_report::{Failure, FailureKind, Finding, Observations, Phase};

use crate::draft::Draft;
use crate::registry;

/// A resolver that was given less time, in milliseconds, was given none: it asks each server for seconds.
const LEAST_MS: f64 = 1000.0;

/// The name did not resolve.
pub(crate) fn findings(seen: &Observations) -> Vec<Finding> {
    let Some(step) = &seen.resolution else {
        return Vec::new();
    };
    let host = &seen.target.host;
    let dns = seen.dns().cloned().unwrap_or_default();
    let error = dns.resolver_error.as_deref().unwrap_or("no error name");
    let (code, summary) = match &step.failure {
        Some(failure) if failure.local_fault().is_some() => return Vec::new(),
        // Our patience, not the resolver's silence.
        Some(Failure { kind: FailureKind::Timeout, .. }) if step.duration_ms.0 < LEAST_MS => {
            return Vec::new();
        }
        Some(Failure { kind: FailureKind::Timeout, .. }) => (
            registry::DNS_TIMEOUT,
            format!(
                "The resolver of this computer gave no answer for {host} in {:.0} ms.",
                step.duration_ms.0
            ),
        ),
        Some(_) if matches!(error, "EAI_NODATA" | "WSANO_DATA") => {
            (registry::DNS_NO_ADDRESS, format!("The name {host} exists and has no address ({error})."))
        }
        Some(_) if matches!(error, "EAI_NONAME" | "WSAHOST_NOT_FOUND") => (
            registry::DNS_NAME_NOT_FOUND,
            format!("The name {host} does not resolve: the resolver knows no address for it ({error})."),
        ),
        Some(failure) => (
            registry::DNS_SERVER_FAILURE,
            format!(
                "The name {host} could not be resolved: the resolver failed ({error}: {}).",
                failure.detail
            ),
        ),
        None if seen.addresses().is_empty() => {
            let others: Vec<String> = dns.not_probed.iter().map(ToString::to_string).collect();
            let has =
                if others.is_empty() { "none at all".into() } else { format!("only {}", others.join(", ")) };
            (registry::DNS_NO_ADDRESS, format!("{host} has no address that may be used here: it has {has}."))
        }
        None => return Vec::new(),
    };
    vec![Draft::new(code, Phase::Dns, summary).evidence(["/resolution".into()]).finish()]
}
