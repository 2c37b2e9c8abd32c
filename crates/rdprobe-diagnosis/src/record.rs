//! What the report keeps beside the judgement: each certificate once, and what was not judged.

use std::collections::BTreeMap;

use rdprobe_report::{Certificate, Facts, Observations};

/// Every certificate that was seen, by the SHA-256 of its DER.
pub(crate) fn certificates(seen: &Observations) -> BTreeMap<String, Certificate> {
    let links = seen.attempts.iter().flat_map(|attempt| &attempt.steps).flat_map(|step| {
        let (own, enumerated) = match &step.facts {
            Facts::Certificate(facts) => (Some(&facts.chain), None),
            Facts::Tls(facts) => (None, facts.exchanges.as_ref().map(|seen| &seen.certificates)),
            _ => (None, None),
        };
        let enumerated = enumerated.into_iter().flatten().flat_map(|facts| &facts.chain);
        own.into_iter().flatten().chain(enumerated)
    });
    links
        .filter(|link| !link.der.is_empty())
        .map(|link| (link.sha256.clone(), Certificate { der: link.der.clone() }))
        .collect()
}

/// What this version does not know, and so did not judge: a line each, with where it stands.
pub(crate) fn not_judged(seen: &Observations) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, attempt) in seen.attempts.iter().enumerate() {
        if !attempt.recipe.purpose.is_known() {
            lines.push(format!("/attempts/{place}: purpose {:?}", attempt.recipe.purpose.as_str()));
        }
        for (number, step) in attempt.steps.iter().enumerate() {
            if matches!(step.facts, Facts::Other(_)) {
                lines.push(format!("/attempts/{place}/steps/{number}: phase {:?}", step.phase().as_str()));
            }
            if let Some(failure) = step.failure.as_ref().filter(|failure| !failure.kind.is_known()) {
                lines.push(format!("/attempts/{place}/steps/{number}: failure {:?}", failure.kind.as_str()));
            }
        }
    }
    lines
}
