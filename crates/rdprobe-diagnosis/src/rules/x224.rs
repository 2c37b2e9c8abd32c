//! The X.224 negotiation: who answers, what it selects, and whether it insists on NLA.

use rdprobe_report::facts::{Nla, Service, X224Facts};
use rdprobe_report::{Attempt, Failure, FailureKind, Finding, Lack, Phase, Protocol, Purpose, Step};

use crate::draft::Draft;
use crate::registry;
use crate::rules::tcp::path_lost;
use crate::silence;
use crate::usual_port;
use crate::view::{View, answered, x224_facts};

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    let Some((attempt, step)) = view.x224() else {
        return Vec::new();
    };
    let Some(facts) = x224_facts(step) else {
        return Vec::new();
    };
    let mut findings = match &step.failure {
        Some(failure) => failed(view, attempt, step, facts, failure),
        None if facts.selected == Some(Protocol::RDP) => vec![rdp_only(view, attempt, None)],
        None => Vec::new(),
    };
    findings.extend(nla_finding(view, attempt));
    findings
}

fn failed(
    view: View<'_>,
    attempt: &Attempt,
    step: &Step,
    facts: &X224Facts,
    failure: &Failure,
) -> Vec<Finding> {
    let address = view.address;
    let pointer = view.pointer(attempt, Phase::X224);
    let accepted = |purpose: Purpose| {
        view.settled(purpose).filter(|other| other.step(Phase::X224).is_some_and(Step::is_ok))
    };
    if let Some(code) = facts.failure_code {
        if let Some(other) = accepted(Purpose::RdpOnly) {
            return vec![rdp_only(view, attempt, Some(other))];
        }
        let named = facts.failure_name.clone().unwrap_or_else(|| "a code that no specification names".into());
        let summary = match code {
            1 => format!(
                "{address} refuses the offer with failure 1 ({named}): it wants TLS, though TLS was on offer."
            ),
            2 => format!(
                "{address} refuses TLS with failure 2 ({named}) and does not take standard RDP security either."
            ),
            3 => format!(
                "{address} has no usable certificate and says so with failure 3 ({named}): TLS and NLA cannot start."
            ),
            4 => format!(
                "{address} refuses the offer with failure 4 ({named}): another security protocol is active already."
            ),
            5 if view.seen.options.no_nla => {
                format!(
                    "{address} requires NLA and says so with failure 5 ({named}); a client without CredSSP cannot connect."
                )
            }
            5 => {
                format!("{address} refuses the offer with failure 5 ({named}) although CredSSP was on offer.")
            }
            6 => {
                format!("{address} wants TLS with a client certificate and says so with failure 6 ({named}).")
            }
            _ => format!("{address} refuses the offer with failure {code}, {named}."),
        };
        return vec![Draft::new(failure_code(code), Phase::X224, summary).evidence([pointer]).finish()];
    }
    if let Some(service) = facts.service {
        return vec![not_rdp(view, service, facts.banner.as_deref(), pointer)];
    }
    if let (Some(selected), FailureKind::Malformed | FailureKind::Rejected) = (facts.selected, failure.kind)
        && !facts.offered.contains(selected)
    {
        let offered: Vec<String> = facts.offered.iter().map(|protocol| protocol.to_string()).collect();
        let summary =
            format!("{address} selects {selected}, which was not offered ({}).", offered.join(", "));
        return vec![
            Draft::new(registry::X224_PROTOCOL_NOT_OFFERED, Phase::X224, summary)
                .evidence([pointer])
                .finish(),
        ];
    }
    if let Some(other) = view.settled(Purpose::DirectTls).filter(|other| answered(other)) {
        let tls = view.pointer(other, Phase::Tls);
        let mut finding = not_rdp(view, Service::Tls, None, pointer);
        finding.evidence.push(tls);
        return vec![finding];
    }
    let Some(sureness) = silence::sureness(view, step) else {
        return Vec::new();
    };
    let detail = failure.detail.trim_end_matches('.');
    let (code, summary) = match failure.kind {
        FailureKind::Unreachable | FailureKind::Prohibited => {
            return vec![path_lost(view, attempt, Phase::X224, detail)];
        }
        FailureKind::Reset => (
            registry::X224_RESET,
            format!(
                "{address} accepts the connection and resets it on the RDP connection request ({detail}).{}",
                if view.seen.lacks(Lack::BytesBeforeReset) {
                    " This computer's system drops what came right before a reset, so what the service said of itself may \
                     have been lost: asked from Linux, it would show."
                } else {
                    ""
                }
            ),
        ),
        FailureKind::Closed => (
            registry::X224_CLOSED,
            format!(
                "{address} accepts the connection and closes it on the RDP connection request ({detail})."
            ),
        ),
        FailureKind::Timeout => (
            registry::X224_TIMEOUT,
            format!(
                "{address} accepts the connection and says nothing to the RDP connection request for {:.0} ms.",
                step.duration_ms.0
            ),
        ),
        FailureKind::Rejected => (
            registry::X224_CLOSED,
            format!(
                "{address} declines the connection in X.224's own words and without a reason of RDP's: {detail}."
            ),
        ),
        FailureKind::Malformed => (
            registry::X224_MALFORMED,
            format!(
                "{address} answers the RDP connection request with bytes that break the protocol: {detail}."
            ),
        ),
        _ => return Vec::new(),
    };
    let mut draft = Draft::new(code, Phase::X224, summary).evidence([pointer]).confidence(sureness);
    let older =
        [Purpose::RdpOnly, Purpose::NoNegotiation, Purpose::NlaQuestion].into_iter().find_map(accepted);
    if let Some(other) = older {
        let asked = match other.recipe.purpose {
            Purpose::NlaQuestion => "an offer of TLS without CredSSP",
            Purpose::RdpOnly => "an offer of standard RDP security alone",
            _ => "a request without negotiation data",
        };
        draft = draft
            .cause(format!(
                "The host confirms {asked}, so it does speak RDP: it, or a filter before it, cannot bear the usual offer."
            ))
            .evidence([view.pointer(other, Phase::X224)]);
    }
    vec![draft.finish()]
}

/// The code under which a host stands that answers the usual offer with this failure code.
fn failure_code(code: u32) -> rdprobe_report::Code {
    match code {
        1 => registry::X224_TLS_REQUIRED,
        2 => registry::X224_TLS_NOT_ALLOWED,
        3 => registry::X224_CERTIFICATE_MISSING,
        4 => registry::X224_INCONSISTENT_FLAGS,
        5 => registry::X224_NLA_REQUIRED,
        6 => registry::X224_USER_AUTH_TLS_REQUIRED,
        _ => registry::X224_UNKNOWN_FAILURE,
    }
}

fn not_rdp(view: View<'_>, service: Service, banner: Option<&str>, pointer: String) -> Finding {
    let said = banner.map(|banner| format!(" It says: {banner:?}.")).unwrap_or_default();
    let summary = match service {
        Service::Unknown => {
            format!("What listens at {} is not Remote Desktop: its answer is no RDP.{said}", view.address)
        }
        Service::Tls => format!(
            "What listens at {} is not Remote Desktop but a service that speaks TLS from the first byte.{said}",
            view.address
        ),
        _ => format!("What listens at {} is not Remote Desktop but {service}.{said}", view.address),
    };
    let usual = usual_port::hint(view);
    let summary = summary + usual.as_ref().map_or("", |(text, _)| text);
    let evidence = std::iter::once(pointer).chain(usual.map(|(_, pointer)| pointer));
    Draft::new(registry::X224_NOT_RDP, Phase::X224, summary).evidence(evidence).finish()
}

/// Standard RDP Security: selected over TLS, or accepted after TLS had been refused.
fn rdp_only(view: View<'_>, attempt: &Attempt, after_refusal: Option<&Attempt>) -> Finding {
    let how = match after_refusal {
        Some(_) => "refuses TLS and accepts standard RDP security",
        None => "chooses standard RDP security although TLS and NLA were on offer",
    };
    let summary = format!(
        "{} {how}: no TLS, no certificate, no NLA. Clients connect after a warning, and nobody can tell who answered.",
        view.address
    );
    let other = after_refusal.map(|other| view.pointer(other, Phase::X224));
    Draft::new(registry::SECURITY_RDP_ONLY, Phase::X224, summary)
        .evidence(std::iter::once(view.pointer(attempt, Phase::X224)).chain(other))
        .finish()
}

/// Whether the host insists on NLA, by the second offer.
pub(crate) fn nla(view: View<'_>) -> Option<Nla> {
    let usual = x224_facts(view.x224()?.1)?;
    if view.seen.options.no_nla {
        return (usual.failure_code == Some(5)).then_some(Nla::Required);
    }
    let selected = usual.selected?;
    if !selected.uses_credssp() {
        return Some(Nla::Unsupported);
    }
    let second = view.settled(Purpose::NlaQuestion).and_then(|attempt| attempt.step(Phase::X224));
    Some(match second {
        Some(step) if step.is_ok() => Nla::Optional,
        Some(step) if x224_facts(step).is_some_and(|facts| facts.failure_code == Some(5)) => Nla::Required,
        _ => Nla::Unknown,
    })
}

fn nla_finding(view: View<'_>, attempt: &Attempt) -> Option<Finding> {
    let address = view.address;
    let second = view.settled(Purpose::NlaQuestion);
    let pointers =
        [Some(attempt), second].into_iter().flatten().map(|attempt| view.pointer(attempt, Phase::X224));
    let (code, summary) = match nla(view)? {
        Nla::Required if view.seen.options.no_nla => return None,
        Nla::Required => (
            registry::NLA_REQUIRED,
            format!("{address} requires NLA: an offer without CredSSP is refused with failure 5."),
        ),
        Nla::Optional => (
            registry::NLA_NOT_REQUIRED,
            format!(
                "{address} supports NLA and does not insist on it: an offer without CredSSP is accepted too."
            ),
        ),
        Nla::Unsupported => (
            registry::NLA_NOT_SUPPORTED,
            format!("{address} does not support NLA: it was offered and not selected."),
        ),
        Nla::Unknown => return None,
    };
    Some(Draft::new(code, Phase::X224, summary).evidence(pointers).finish())
}
