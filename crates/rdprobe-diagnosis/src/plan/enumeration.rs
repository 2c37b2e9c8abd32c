//! The enumeration of what the host speaks of TLS: where it was asked for, and after all that decides the verdict.

use rdprobe_report::{Ask, HelloProfile, Observations, Purpose, Recipe};

use crate::clients;
use crate::verdict;
use crate::view::{View, answered};

/// Connections that one enumeration may make at the most.
pub const MOST_CONNECTIONS: u32 = 300;

/// Whether the recipe is an enumeration, which has limits of its own and decides no verdict.
pub fn is_enumeration(recipe: &Recipe) -> bool {
    recipe.purpose == Purpose::TlsEnumeration
}

/// Whether the verdict waits for the recipe; what only adds to it does without.
pub fn decides(recipe: &Recipe) -> bool {
    !is_enumeration(recipe) && recipe.purpose != Purpose::UsualPort
}

/// On the address that decided alone, where the host selected TLS and answered a hello: the next address is another
/// path to the same thing, and a host that answers none has nothing to be enumerated.
pub(super) fn wanted(seen: &Observations) -> Option<Recipe> {
    if !seen.options.tls {
        return None;
    }
    let busy = |recipe: &Recipe| !matches!(recipe.ask, Ask::Udp { .. });
    let asked = seen.attempts.iter().any(|attempt| is_enumeration(&attempt.recipe));
    if asked || seen.attempts.iter().any(|attempt| attempt.in_flight() && busy(&attempt.recipe)) {
        return None;
    }
    let view = View::new(seen, verdict::deciding_address(seen)?);
    if !view.reached_tls() || !view.attempts().any(answered) {
        return None;
    }
    let ask = Ask::TlsEnumeration {
        offer: view.offer(Some(view.usual_protocols())),
        connections: MOST_CONNECTIONS,
        parallel: seen.options.parallel,
        clients: unproven(view),
    };
    Some(Recipe {
        purpose: Purpose::TlsEnumeration,
        address: view.address,
        alone: false,
        beside: None,
        patience_ms: None,
        ask,
    })
}

/// Clients whose own hello has not been answered yet, one for each hello.
fn unproven(view: View<'_>) -> Vec<String> {
    let mut asked: Vec<&HelloProfile> = Vec::new();
    for client in HelloProfile::clients().filter(|client| !clients::is_proven(view, client)) {
        if !asked.iter().any(|other| other.sends_like(client)) {
            asked.push(client);
        }
    }
    asked.into_iter().map(|client| client.id.clone()).collect()
}
