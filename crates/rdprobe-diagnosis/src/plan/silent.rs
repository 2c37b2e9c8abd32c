//! What is asked beside a silent step, so that its timeout costs no second one.
//!
//! Once the attempt that decides has had no answer for the longer of 1 s and 8 round trips, the questions that its
//! timeout would raise start beside it, one at a time. None starts after its limit; as it ends, it is made once more,
//! and waited for only as long as silence needs to say anything.

use rdprobe_report::{Attempt, Beside, FailureKind, Phase, Purpose, Recipe, hello};

use super::tls::{controls, experiment};
use crate::rules::tls::outcome::{control, refused_after, within};
use crate::silence;
use crate::view::{View, answered};

/// Connections to a host of which one is silent: that one and one question.
pub(super) const MOST_BESIDE: usize = 2;

/// The deciding attempt under way that has been silent for long, with its phase.
pub(super) fn in_flight<'a>(view: View<'a>) -> Option<(&'a Attempt, Phase)> {
    view.attempts()
        .filter(|attempt| decides(attempt) && !attempt.recipe.alone && attempt.recipe.beside.is_none())
        .find_map(|attempt| {
            let phase = silence::waiting(view, attempt).filter(|phase| *phase >= Phase::X224)?;
            Some((attempt, phase))
        })
}

/// The deciding attempt that ended in silence, where that is how it stands.
pub(super) fn ended<'a>(view: View<'a>) -> Option<&'a Attempt> {
    [Purpose::ReferenceHello, Purpose::Default].into_iter().filter_map(|purpose| view.settled(purpose)).find(
        |attempt| {
            attempt.recipe.beside.is_none()
                && attempt.failure().is_some_and(|(step, failure)| {
                    step.phase() >= Phase::X224 && failure.kind == FailureKind::Timeout
                })
        },
    )
}

fn decides(attempt: &Attempt) -> bool {
    matches!(attempt.recipe.purpose, Purpose::Default | Purpose::ReferenceHello)
}

/// The questions that the timeout of this step would raise, the deciding ones first.
pub(super) fn questions(view: View<'_>, attempt: &Attempt, phase: Phase) -> Vec<Recipe> {
    let wanted = match phase {
        Phase::X224 => super::x224::unconfirmed(view),
        Phase::Tls => hellos(view, attempt),
        Phase::Credssp => vec![super::credssp::within_spnego(view)],
        _ => Vec::new(),
    };
    let beside = Beside { attempt: attempt.id, phase };
    let patience = silence::patience_ms(view);
    wanted.into_iter().map(|recipe| recipe.beside(beside).patience(patience)).collect()
}

/// A filter that swallows what it does not like is the likeliest reason for silence, so the hello without TLS 1.3 goes
/// first: where it is answered, the client's own is its control, and it is the control of that.
fn hellos(view: View<'_>, silent: &Attempt) -> Vec<Recipe> {
    let own = match silent.recipe.purpose {
        Purpose::Default => Some(Purpose::ReferenceHello),
        _ => None,
    };
    let own = own.map(|purpose| view.hello(purpose, &view.seen.options.client));
    if let Some(answer) = worked(view) {
        return own.into_iter().chain(controls(view, answer)).collect();
    }
    let ask = |id| experiment(view, id);
    let rest = [hello::SMALL, hello::ALL_SUITES, hello::NO_SNI];
    ask(hello::NO_TLS13).into_iter().chain(own).chain(rest.into_iter().filter_map(ask)).collect()
}

/// An experiment that was answered with what the client offers.
fn worked<'a>(view: View<'a>) -> Option<&'a Attempt> {
    let reference = view.reference()?;
    view.experiments().find(|attempt| answered(attempt) && within(reference, attempt))
}

/// The last question, once the silent step has ended: the control that is still missing, else the silent attempt once
/// more. It is waited for only as long as silence needs to say anything.
pub(super) fn last(view: View<'_>, silent: &Attempt) -> Vec<Recipe> {
    let Some((step, _)) = silent.failure() else { return Vec::new() };
    let beside = Beside { attempt: silent.id, phase: step.phase() };
    let patience = silence::patience_ms(view);
    let wanted = match worked(view).filter(|answer| refused_after(view, answer).is_some()) {
        Some(answer) if answer.recipe.hello().and_then(|hello| control(view, hello)).is_some() => Vec::new(),
        Some(answer) => controls(view, answer),
        None => vec![silent.recipe.clone()],
    };
    wanted.into_iter().map(|recipe| recipe.beside(beside).patience(patience)).collect()
}

/// Attempts whose silence is waited for no longer: the NLA question, which decides nothing. Where it is asked again, it
/// has a patience of its own.
pub(super) fn given_up<'a>(view: View<'a>) -> impl Iterator<Item = u32> + 'a {
    view.attempts()
        .filter(|attempt| {
            attempt.recipe.purpose == Purpose::NlaQuestion && attempt.recipe.patience_ms.is_none()
        })
        .filter(move |attempt| silence::waiting(view, attempt).is_some())
        .map(|attempt| attempt.id)
}
