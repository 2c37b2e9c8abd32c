//! The experiments that tell why the reference client's hello is not answered.

use rdprobe_report::{Attempt, FailureKind, HelloProfile, Phase, Purpose, Recipe, hello};

use crate::rules::stability;
use crate::rules::tls::{Refusal, reference_refusal};
use crate::view::{View, certificate, failure};

/// Does the host answer anything at all?
const ANY_ANSWER: [&str; 4] =
    [hello::ALL_SUITES, hello::TLS12_RSA_CBC, hello::TLS10, hello::TLS13_ALL_SUITES];
/// Is it the hello's size, its server name or its TLS 1.3 extensions?
const INTERFERENCE: [&str; 3] = [hello::SMALL, hello::NO_TLS13, hello::NO_SNI];

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    if view.in_flight(Purpose::Default) || !view.reached_tls() {
        return Vec::new();
    }
    if view.in_flight(Purpose::ReferenceHello)
        || (view.settled(Purpose::ReferenceHello).is_none() && !view.folded())
    {
        // Waiting for silence after silence would take the probe's whole time: ask side by side.
        let silent = view.settled(Purpose::Default).and_then(failure);
        let silent =
            silent.is_some_and(|(phase, why)| phase == Phase::Tls && why.kind == FailureKind::Timeout);
        return if silent { experiments(view, &ANY_ANSWER) } else { Vec::new() };
    }
    let Some(refusal) = reference_refusal(view) else {
        return unseen_certificate(view);
    };
    let mut wanted = Vec::new();
    let decided = matches!(refusal, Refusal::Mismatch { .. });
    if !decided {
        wanted.extend(experiments(view, &ANY_ANSWER));
        if ANY_ANSWER.iter().all(|id| done(view, id)) {
            wanted.extend(experiments(view, &INTERFERENCE));
        }
    }
    // "It cannot use its key" is said of a host that hung up on everything, and again when asked alone.
    if matches!(refusal, Refusal::HungUp { .. }) && INTERFERENCE.iter().all(|id| done(view, id)) {
        wanted.extend(view.settled(Purpose::ReferenceHello).map(|attempt| attempt.recipe.alone()));
    }
    wanted
}

/// Side by side, but one after the other on a host that was seen to turn away what comes beside another connection;
/// one that was turned away before TLS has answered nothing, and is asked again alone.
fn experiments(view: View<'_>, ids: &[&str]) -> Vec<Recipe> {
    let one_by_one = stability::turns_neighbours_away(view);
    let mut wanted = Vec::new();
    for id in ids.iter().filter(|id| differs(view, id)) {
        let recipe = view.hello(Purpose::HelloExperiment, id);
        let turned_away = view.experiments().any(|attempt| attempt.recipe == recipe && !reached_tls(attempt));
        let asked = view.attempts().any(|attempt| attempt.recipe == recipe);
        if turned_away || (one_by_one && !asked) {
            wanted.push(recipe.alone());
        } else {
            wanted.push(recipe);
        }
    }
    wanted
}

fn reached_tls(attempt: &Attempt) -> bool {
    attempt.step(Phase::Tls).is_some() || attempt.cut_off
}

/// A variant that is the reference client's own hello asks nothing new.
fn differs(view: View<'_>, id: &str) -> bool {
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

fn done(view: View<'_>, id: &str) -> bool {
    let answered = |attempt: &Attempt| reached_tls(attempt) || attempt.recipe.alone;
    view.experiment(id).is_some_and(answered) || !differs(view, id)
}

/// TLS 1.3 hides the certificate from the reader of the hand-built hello: where rustls did not get at it, TLS 1.2
/// may.
fn unseen_certificate(view: View<'_>) -> Vec<Recipe> {
    let seen = view.attempts().any(|attempt| certificate(attempt).is_some());
    let reference_read =
        view.settled(Purpose::ReferenceHello).is_some_and(|attempt| attempt.step(Phase::Tls).is_some());
    if seen || !reference_read { Vec::new() } else { experiments(view, &[hello::NO_TLS13]) }
}
