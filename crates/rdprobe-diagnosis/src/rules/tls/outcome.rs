//! What the reference client gets of TLS, and why where it gets none. The client's own offer is the measure.

use rdprobe_report::facts::TlsFacts;
use rdprobe_report::{Attempt, FailureKind, HelloProfile, NamedGroup, Purpose, TlsVersion, hello};

use crate::silence;
use crate::view::{View, answered, certificate, credssp, no_tls, tls, tls_facts};

/// `certificate_required` (RFC 8446 6.2).
const CERTIFICATE_REQUIRED: u8 = 116;
/// Alerts that name what was offered: another client's offer may fare better. handshake_failure, protocol_version,
/// insufficient_security (RFC 8446 6.2).
const OF_THE_OFFER: [u8; 3] = [40, 70, 71];

/// What the reference client gets.
pub(crate) enum Outcome<'a> {
    /// A ServerHello within its offer, and nothing broke off as far as was seen.
    Gets(&'a Attempt),
    /// No TLS.
    Refused(Refusal<'a>),
    /// Not known: not looked at, turned away, cut short, or our own fault.
    Open,
}

/// Why the reference client gets no TLS. The attempt is the one that shows it.
pub(crate) enum Refusal<'a> {
    /// Another hello was answered with what this client does not offer.
    Mismatch { answer: &'a Attempt, refused: &'a Attempt, variants_refused: bool },
    /// The client's own hello was answered with what it does not offer, so it breaks off.
    Outside { attempt: &'a Attempt },
    /// Another hello was answered with what this client had offered too, each again and alone.
    Interference { answer: &'a Attempt, refused: &'a Attempt, controls: [&'a Attempt; 2] },
    /// The host asked for a client certificate and broke off without one.
    ClientCertificate { attempt: &'a Attempt },
    /// The hello was answered, and the handshake broke off later.
    BrokeOff { attempt: &'a Attempt },
    /// Nothing was answered, and an alert came.
    Alert { attempt: &'a Attempt },
    /// Nothing was answered: RST or FIN before the first TLS byte.
    HungUp { attempt: &'a Attempt },
    /// Nothing was answered at all.
    Silent { attempt: &'a Attempt },
    /// Bytes came that are no TLS.
    Malformed { attempt: &'a Attempt },
}

impl Refusal<'_> {
    /// Why the client gets no TLS, in a few words.
    pub(crate) fn in_words(&self) -> String {
        let failure = |attempt: &Attempt| {
            let failure = tls(attempt).and_then(|step| step.failure.as_ref());
            failure
                .map_or("no reason given".into(), |failure| failure.detail.trim_end_matches('.').to_owned())
        };
        match self {
            Self::Mismatch { refused, .. } => failure(refused),
            Self::Outside { attempt } => {
                let facts = facts(attempt);
                match (facts.version, facts.suite) {
                    (Some(version), Some(suite)) => format!("the host chooses {version} with {suite}"),
                    _ => failure(attempt),
                }
            }
            Self::Interference { refused, .. } => failure(refused),
            Self::ClientCertificate { .. } => "the host wants a client certificate".into(),
            Self::BrokeOff { attempt }
            | Self::Alert { attempt }
            | Self::HungUp { attempt }
            | Self::Silent { attempt }
            | Self::Malformed { attempt } => failure(attempt),
        }
    }
}

/// What the reference client gets on this address.
pub(crate) fn outcome<'a>(view: View<'a>) -> Outcome<'a> {
    let (Some(reference), true) = (view.reference(), view.reached_tls()) else {
        return Outcome::Open;
    };
    let real = view.settled(Purpose::Default).filter(|attempt| tells(view, attempt));
    let own = own_hello(view);
    if let Some(attempt) = real.filter(|attempt| wants_client_certificate(attempt)) {
        return Outcome::Refused(Refusal::ClientCertificate { attempt });
    }
    match own {
        Some(own) if !answered(own) => refused(view, reference, real, own),
        Some(own) if !within(reference, own) => Outcome::Refused(Refusal::Outside { attempt: own }),
        Some(own) if failed_by(own).is_some() => Outcome::Refused(Refusal::BrokeOff { attempt: own }),
        Some(own) => match real.filter(|real| broke_off(reference, real)) {
            Some(attempt) => Outcome::Refused(Refusal::BrokeOff { attempt }),
            None => Outcome::Gets(own),
        },
        None => real.map_or(Outcome::Open, |real| without_own_hello(view, reference, real)),
    }
}

/// The refusal alone.
pub(crate) fn refusal<'a>(view: View<'a>) -> Option<Refusal<'a>> {
    match outcome(view) {
        Outcome::Refused(refusal) => Some(refusal),
        Outcome::Gets(_) | Outcome::Open => None,
    }
}

/// The attempt that shows what the reference client gets, where it gets something.
pub(crate) fn gets<'a>(view: View<'a>) -> Option<&'a Attempt> {
    match outcome(view) {
        Outcome::Gets(attempt) => Some(attempt),
        Outcome::Refused(_) | Outcome::Open => None,
    }
}

/// The attempt with the reference client's own hello that decides: where it was refused at first and answered when it
/// was made again as a control, that one.
pub(crate) fn own_hello<'a>(view: View<'a>) -> Option<&'a Attempt> {
    let control = control(view, &view.seen.options.client).filter(|attempt| answered(attempt));
    control.or_else(|| view.settled(Purpose::ReferenceHello)).filter(|attempt| tells(view, attempt))
}

/// The control with this hello.
pub(crate) fn control<'a>(view: View<'a>, hello: &str) -> Option<&'a Attempt> {
    view.ended(Purpose::Control).find(|attempt| attempt.recipe.hello() == Some(hello) && tells(view, attempt))
}

/// Whether the attempt reached TLS and its end says something of the host: not our own fault, nor our impatience.
pub(crate) fn tells(view: View<'_>, attempt: &Attempt) -> bool {
    tls(attempt).is_some_and(|step| {
        let ours = step.failure.as_ref().is_some_and(|failure| failure.local_fault().is_some());
        (!ours || answered(attempt)) && silence::sureness(view, step).is_some()
    })
}

/// How the peer ended the TLS step, if it did.
fn failed_by(attempt: &Attempt) -> Option<FailureKind> {
    let failure = tls(attempt)?.failure.as_ref()?;
    failure.local_fault().is_none().then_some(failure.kind)
}

/// The real handshake got a ServerHello that the client could have got, and the peer ended it before its time.
fn broke_off(client: &HelloProfile, attempt: &Attempt) -> bool {
    failed_by(attempt).is_some() && answered(attempt) && within(client, attempt)
}

/// Where the client's own hello came to no answer, the others tell why.
fn refused<'a>(
    view: View<'a>,
    reference: &HelloProfile,
    real: Option<&'a Attempt>,
    own: &'a Attempt,
) -> Outcome<'a> {
    let telling = || real.into_iter().chain(view.experiments().filter(|attempt| tells(view, attempt)));
    let (inside, outside): (Vec<_>, Vec<_>) =
        telling().filter(|attempt| answered(attempt)).partition(|attempt| within(reference, attempt));
    if let Some(answer) = best_answer(&inside) {
        return match controls(view, answer) {
            Some(controls) => Outcome::Refused(Refusal::Interference { answer, refused: own, controls }),
            // Without the controls nothing is blamed on the hello.
            None => Outcome::Open,
        };
    }
    if let Some(&answer) = outside.first() {
        let variants_refused = variants(view)
            .all(|id| view.experiment(id).is_some_and(|attempt| tells(view, attempt) && !answered(attempt)));
        let said_so = alert_of(own).is_some_and(|alert| OF_THE_OFFER.contains(&alert));
        return if variants_refused || said_so {
            Outcome::Refused(Refusal::Mismatch { answer, refused: own, variants_refused })
        } else {
            Outcome::Open
        };
    }
    let mut tried = telling().chain([own]);
    if let Some(attempt) = tried.find(|attempt| failed_by(attempt) == Some(FailureKind::Alert)) {
        return Outcome::Refused(Refusal::Alert { attempt });
    }
    // What was asked beside a silent step was waited for only briefly; the step itself shows the silence.
    let longer = real.filter(|real| own.recipe.beside.is_some() && failed_by(real) == failed_by(own));
    unanswered(longer.unwrap_or(own))
}

/// The hello that was answered and serves as control: an experiment rather than our own library's.
pub(crate) fn best_answer<'a>(inside: &[&'a Attempt]) -> Option<&'a Attempt> {
    let experiment =
        inside.iter().find(|attempt| attempt.recipe.purpose == Purpose::HelloExperiment).or(inside.first());
    experiment.copied()
}

/// The refused hello, made after one that had worked and refused all the same, and the one that had worked, answered
/// again after that.
fn controls<'a>(view: View<'a>, answer: &Attempt) -> Option<[&'a Attempt; 2]> {
    let worked = control(view, answer.recipe.hello()?).filter(|attempt| answered(attempt))?;
    Some([refused_after(view, answer)?, worked])
}

/// The client's own hello, made after this answer and refused.
pub(crate) fn refused_after<'a>(view: View<'a>, answer: &Attempt) -> Option<&'a Attempt> {
    let own = view.ended(Purpose::Control).chain(view.ended(Purpose::ReferenceHello));
    own.filter(|attempt| attempt.recipe.hello() == Some(&view.seen.options.client))
        .filter(|attempt| attempt.started_ms.0 > answer.started_ms.0)
        .find(|attempt| tells(view, attempt) && !answered(attempt))
}

/// The variants of the client's own hello that ask something new.
pub(crate) fn variants(view: View<'_>) -> impl Iterator<Item = &'static str> {
    [hello::SMALL, hello::NO_TLS13, hello::NO_SNI].into_iter().filter(move |id| differs(view, id))
}

/// A variant that is the reference client's own hello asks nothing new.
pub(crate) fn differs(view: View<'_>, id: &str) -> bool {
    let (Some(profile), Some(reference)) =
        (HelloProfile::named(id, &view.seen.options.client), view.reference())
    else {
        return false;
    };
    let named = view.seen.server_name().parse::<std::net::IpAddr>().is_err();
    (id != hello::NO_SNI || named)
        && (&profile.suites, &profile.versions, &profile.extensions)
            != (&reference.suites, &reference.versions, &reference.extensions)
}

/// The client's own hello was not looked at, or turned away before it could be: the real handshake is what one
/// connection of a client got.
fn without_own_hello<'a>(view: View<'a>, reference: &HelloProfile, real: &'a Attempt) -> Outcome<'a> {
    if tls(real).is_some_and(|step| step.is_ok()) {
        return if view.folded() || within(reference, real) { Outcome::Gets(real) } else { Outcome::Open };
    }
    if broke_off(reference, real) {
        return Outcome::Refused(Refusal::BrokeOff { attempt: real });
    }
    // Where the answer lies outside the client's offer, or speaks of the offer, the client's own may fare better.
    if answered(real) || alert_of(real).is_some_and(|alert| OF_THE_OFFER.contains(&alert)) {
        return Outcome::Open;
    }
    match failed_by(real) {
        Some(FailureKind::Alert) => Outcome::Refused(Refusal::Alert { attempt: real }),
        Some(_) => unanswered(real),
        None => Outcome::Open,
    }
}

/// By how a hello without an answer ended.
fn unanswered(attempt: &Attempt) -> Outcome<'_> {
    let facts = facts(attempt);
    Outcome::Refused(match failed_by(attempt) {
        Some(FailureKind::Malformed) => Refusal::Malformed { attempt },
        Some(_) if facts.tls_bytes > 0 => Refusal::BrokeOff { attempt },
        Some(FailureKind::Timeout) => Refusal::Silent { attempt },
        Some(FailureKind::Reset | FailureKind::Closed) => Refusal::HungUp { attempt },
        _ => return Outcome::Open,
    })
}

/// The host asked for a certificate, and broke off in the handshake or right behind it.
fn wants_client_certificate(attempt: &Attempt) -> bool {
    let required = |alert: u8| alert == CERTIFICATE_REQUIRED;
    let behind =
        credssp(attempt).and_then(|(_, facts)| facts.alert).is_some_and(|alert| required(alert.code));
    let hung_up =
        matches!(failed_by(attempt), Some(FailureKind::Alert | FailureKind::Reset | FailureKind::Closed));
    behind
        || alert_of(attempt).is_some_and(required)
        || (facts(attempt).certificate_requested && answered(attempt) && hung_up)
}

fn alert_of(attempt: &Attempt) -> Option<u8> {
    facts(attempt).alert.map(|alert| alert.code)
}

/// Whether what the server chose lies within the client's own offer, its key included (RFC 8422 5.1).
pub(crate) fn within(client: &HelloProfile, attempt: &Attempt) -> bool {
    let chosen = facts(attempt);
    let curve = certificate(attempt).and_then(|facts| facts.key.as_ref()?.curve.as_deref()?.parse().ok());
    let below_1_3 = chosen.version.is_some_and(|version| version < TlsVersion::TLS_1_3);
    offers(client, chosen) && (!below_1_3 || curve.is_none_or(|curve| has_group(client, curve)))
}

/// Whether the client offers this version, suite, group and signature scheme.
pub(crate) fn offers(client: &HelloProfile, chosen: &TlsFacts) -> bool {
    let (Some(version), Some(suite)) = (chosen.version, chosen.suite) else {
        return false;
    };
    let scheme = chosen.signature_scheme.is_none_or(|scheme| {
        client.signature_schemes.is_empty() || client.signature_schemes.contains(&scheme)
    });
    client.offers(version, suite)
        && client.limits.admit(version, suite)
        && chosen.group.is_none_or(|group| has_group(client, group))
        && scheme
}

/// A client that lists no groups takes any (RFC 8422 4).
fn has_group(client: &HelloProfile, group: NamedGroup) -> bool {
    client.groups.is_empty() || client.groups.contains(&group)
}

/// The facts of an attempt's TLS; nothing where it did not come that far.
pub(crate) fn facts(attempt: &Attempt) -> &TlsFacts {
    match tls(attempt) {
        Some(step) => tls_facts(step),
        None => no_tls(),
    }
}
