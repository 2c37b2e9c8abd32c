//! The experiments that tell why the reference client's hello is not answered.

use rdprobe_report::{Attempt, FailureKind, Phase, Purpose, Recipe, hello};

use crate::rules::stability;
use crate::rules::tls::outcome::{self, Outcome, Refusal, best_answer, differs, own_hello, within};
use crate::silence;
use crate::view::{View, answered, certificate, failure, hung_up};

/// Does the host answer anything at all?
const ANY_ANSWER: [&str; 4] =
    [hello::ALL_SUITES, hello::TLS12_RSA_CBC, hello::TLS10, hello::TLS13_ALL_SUITES];
/// Is it the hello's size, its server name or its TLS 1.3 extensions?
const INTERFERENCE: [&str; 3] = [hello::SMALL, hello::NO_TLS13, hello::NO_SNI];

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let waits = view.in_flight(Purpose::Default)
        || view.in_flight(Purpose::ReferenceHello)
        || !view.reached_tls()
        || (view.settled(Purpose::ReferenceHello).is_none() && !view.folded());
    if waits {
        return Vec::new();
    }
    match outcome::outcome(view) {
        Outcome::Refused(Refusal::Outside { .. } | Refusal::ClientCertificate { .. }) => Vec::new(),
        Outcome::Gets(_) => unseen_certificate(view),
        Outcome::Refused(Refusal::BrokeOff { attempt }) if answered(attempt) => unseen_certificate(view),
        Outcome::Refused(_) | Outcome::Open => refused(view),
    }
}

/// The reference client's own hello came to no answer.
fn refused(view: View<'_>) -> Vec<Recipe> {
    let Some(own) = own_hello(view).filter(|own| !answered(own)) else {
        return Vec::new();
    };
    let Some(reference) = view.reference() else { return Vec::new() };
    let telling = || {
        let real = view.settled(Purpose::Default);
        real.into_iter().chain(view.experiments()).filter(|attempt| answered(attempt))
    };
    let inside: Vec<&Attempt> = telling().filter(|attempt| within(reference, attempt)).collect();
    if let Some(answer) = best_answer(&inside) {
        return controls(view, answer);
    }
    let mut wanted = Vec::new();
    if telling().next().is_none() {
        wanted.extend(experiments(view, &ANY_ANSWER));
        if !ANY_ANSWER.iter().all(|id| done(view, id)) {
            return wanted;
        }
    }
    // Nothing but these variants shows whether it is the hello itself that something cannot bear.
    wanted.extend(experiments(view, &INTERFERENCE));
    let dropped = failure(own).is_some_and(|(_, why)| hung_up(why.kind)) && telling().next().is_none();
    // "It cannot use its key" is said of a host that hung up on everything, and again when asked alone.
    if dropped && INTERFERENCE.iter().all(|id| done(view, id)) {
        wanted.extend(view.settled(Purpose::ReferenceHello).map(|attempt| attempt.recipe.alone()));
    }
    wanted
}

/// The refused hello again after one that worked, and the one that worked again after that: rate limits and balancers
/// do not mind which hello it is.
pub(super) fn controls(view: View<'_>, answer: &Attempt) -> Vec<Recipe> {
    let hello = match outcome::refused_after(view, answer) {
        Some(_) => answer.recipe.hello(),
        None => Some(view.seen.options.client.as_str()),
    };
    hello.map(|hello| view.hello(Purpose::Control, hello).alone()).into_iter().collect()
}

/// Side by side, but one after the other on a host that was seen to turn away what comes beside another connection;
/// one that was turned away before TLS has answered nothing, and is asked again alone.
fn experiments(view: View<'_>, ids: &[&str]) -> Vec<Recipe> {
    let one_by_one = stability::turns_neighbours_away(view);
    let mut wanted = Vec::new();
    for recipe in ids.iter().filter_map(|id| experiment(view, id)) {
        let turned_away =
            view.experiments().any(|attempt| attempt.recipe.asks_like(&recipe) && !reached_tls(attempt));
        let asked = view.attempts().any(|attempt| attempt.recipe.asks_like(&recipe));
        if turned_away || (one_by_one && !asked) {
            wanted.push(recipe.alone());
        } else {
            wanted.push(recipe);
        }
    }
    wanted
}

/// One experiment, where it asks anything new.
pub(super) fn experiment(view: View<'_>, id: &str) -> Option<Recipe> {
    let recipe = view.hello(Purpose::HelloExperiment, id).patience(silence::patience_ms(view));
    differs(view, id).then_some(recipe)
}

fn reached_tls(attempt: &Attempt) -> bool {
    attempt.step(Phase::Tls).is_some() || attempt.cut_off
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
    let broke_in_silence = view
        .settled(Purpose::Default)
        .and_then(failure)
        .is_some_and(|(_, why)| why.kind == FailureKind::Timeout);
    if seen || !reference_read || broke_in_silence {
        Vec::new()
    } else {
        experiments(view, &[hello::NO_TLS13])
    }
}
