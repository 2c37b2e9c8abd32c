//! One look at port 3389, where another one that was asked has no Remote Desktop.

use std::net::SocketAddr;

use rdprobe_report::{Ask, Attempt, Depth, FailureKind, Observations, Purpose, Recipe, Target};

use crate::registry;
use crate::rules::x224;
use crate::silence;
use crate::verdict;
use crate::view::{View, tcp_facts};

/// After all that decides the verdict: where the port refuses, or answers with something else. None on this
/// very computer, where another port is often a tunnel's and 3389 its own.
pub(super) fn wanted(seen: &Observations) -> Option<Recipe> {
    if seen.target.port == Target::DEFAULT_PORT || seen.options.this_port_only {
        return None;
    }
    let holds_up = |attempt: &Attempt| {
        attempt.recipe.purpose == Purpose::UsualPort
            || attempt.in_flight() && !matches!(attempt.recipe.ask, Ask::Udp { .. })
    };
    if seen.attempts.iter().any(holds_up) {
        return None;
    }
    let view = View::new(seen, verdict::deciding_address(seen)?);
    let has_none = refuses(view) || serves_something_else(view);
    if view.address.ip().is_loopback() || is_this_computer(view) || !has_none {
        return None;
    }
    let recipe = view.recipe(Purpose::UsualPort, Some(view.usual_protocols()), None, Depth::X224);
    let address = SocketAddr::new(view.address.ip(), Target::DEFAULT_PORT);
    Some(Recipe { address, ..recipe }.patience(silence::patience_ms(view)))
}

fn refuses(view: View<'_>) -> bool {
    let failure = view.tcp().and_then(|(_, step)| step.failure.as_ref());
    failure.is_some_and(|failure| matches!(failure.kind, FailureKind::Refused | FailureKind::Reset))
}

fn serves_something_else(view: View<'_>) -> bool {
    x224::findings(view).iter().any(|finding| finding.code == registry::X224_NOT_RDP)
}

fn is_this_computer(view: View<'_>) -> bool {
    view.tcp().and_then(|(_, step)| tcp_facts(step)).is_some_and(|facts| facts.is_this_computer)
}
