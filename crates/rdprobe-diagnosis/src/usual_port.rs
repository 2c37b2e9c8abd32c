//! Port 3389 beside another one that has no Remote Desktop: who mistyped a port, or was told an old one, is told so.
//!
//! It is another listener, so nothing that it does counts for the one that was asked: it only stands beside its error.

use rdprobe_report::{Attempt, Phase, Purpose, Target};

use crate::rules::stability::was_served;
use crate::view::View;

/// The look, where Remote Desktop answered it.
pub(crate) fn answers(attempts: &[Attempt]) -> Option<&Attempt> {
    let look = attempts.iter().find(|attempt| attempt.recipe.purpose == Purpose::UsualPort);
    look.filter(|attempt| was_served(attempt))
}

/// What it means for the error of the port that was asked, with a pointer to what shows it.
pub(crate) fn hint(view: View<'_>) -> Option<(String, String)> {
    let text = format!(" On its usual port {} Remote Desktop does answer.", Target::DEFAULT_PORT);
    let look = answers(&view.seen.attempts).filter(|look| look.recipe.address.ip() == view.address.ip())?;
    Some((text, view.pointer(look, Phase::X224)))
}
