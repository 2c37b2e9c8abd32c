//! What came to another end than its neighbours is asked again, alone, before anything is concluded from it.

use rdprobe_report::{Attempt, FailureKind, Phase, Purpose, Recipe};

use crate::rules::stability::was_served;
use crate::silence;
use crate::view::{View, answered, failure, impatient};

/// The first questions, those on which most hangs first.
const NEIGHBOURS: [Purpose; 3] = [Purpose::ReferenceHello, Purpose::Default, Purpose::NlaQuestion];

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    if NEIGHBOURS.iter().any(|&purpose| view.in_flight(purpose)) {
        return Vec::new();
    }
    let turned_away = turned_away_among_answers(view);
    if !turned_away.is_empty() {
        return turned_away;
    }
    let first: Vec<&Attempt> = NEIGHBOURS
        .into_iter()
        .filter_map(|purpose| view.ended(purpose).find(|attempt| !attempt.recipe.alone))
        .collect();
    first
        .iter()
        .filter(|attempt| !attempt.cut_off && first.iter().any(|other| ends_apart(attempt, other)))
        .map(|attempt| match attempt.recipe.purpose {
            // It decides nothing, and its silence is not waited for twice.
            Purpose::NlaQuestion => attempt.recipe.alone().patience(silence::patience_ms(view)),
            _ => attempt.recipe.alone(),
        })
        .collect()
}

/// The usual offer came to nothing while another question was answered. A balancer that takes its machines in turn may
/// have sent both tries to the dead one: a third goes elsewhere.
fn turned_away_among_answers(view: View<'_>) -> Vec<Recipe> {
    let Some(default) = view.settled(Purpose::Default) else { return Vec::new() };
    let hung_up = failure(default).is_some_and(|(phase, why)| {
        matches!(why.kind, FailureKind::Reset | FailureKind::Closed | FailureKind::Refused)
            && phase <= Phase::X224
    });
    let answered = view.attempts().any(|other| {
        !matches!(other.recipe.purpose, Purpose::Default | Purpose::Control) && was_served(other)
    });
    if !hung_up || !answered {
        return Vec::new();
    }
    let alone = default.recipe.alone();
    let control = Recipe { purpose: Purpose::Control, ..alone.clone() };
    match default.recipe.alone {
        true => vec![control],
        false => vec![alone],
    }
}

/// Whether `attempt` failed where `other`, which had asked the same so far, went on or failed in another way.
fn ends_apart(attempt: &Attempt, other: &Attempt) -> bool {
    let Some((phase, why)) = failure(attempt) else {
        return false;
    };
    let same_question = match phase {
        Phase::Tcp => true,
        // An offer without CredSSP is another question; but who hangs up on it may hang up on connections.
        Phase::X224 => {
            attempt.recipe.offer() == other.recipe.offer()
                || matches!(why.kind, FailureKind::Reset | FailureKind::Closed | FailureKind::Timeout)
        }
        Phase::Tls => attempt.recipe.hello().is_some() && other.recipe.hello().is_some(),
        _ => return false,
    };
    // What the peer says in so many words is no accident; nor is what our own library could not do.
    let deliberate = match why.kind {
        FailureKind::Rejected | FailureKind::Local => true,
        // One client's hello may be refused where another's is taken; but that is worth a second look where the
        // reference client is the one refused.
        FailureKind::Alert => attempt.recipe.purpose != Purpose::ReferenceHello,
        _ => false,
    };
    if !same_question || deliberate {
        return false;
    }
    match failure(other) {
        None => other.step(phase).is_some(),
        Some((further, _)) if further > phase => true,
        // Who was not waited for to the end says nothing of how it would have ended.
        Some((same, _)) if same == phase && (impatient(attempt) || impatient(other)) => false,
        Some((same, other_why)) if same == phase => {
            class(why.kind) != class(other_why.kind) || answered(attempt) != answered(other)
        }
        Some(_) => false,
    }
}

/// Failures of one class are alike: a FIN with our bytes unread arrives as RST.
fn class(kind: FailureKind) -> FailureKind {
    if kind == FailureKind::Closed { FailureKind::Reset } else { kind }
}
