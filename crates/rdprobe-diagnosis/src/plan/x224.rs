//! Follow-ups where the usual offer was not confirmed, and the further offers that were asked about.

use rdprobe_report::{Depth, FailureKind, Protocol, Protocols, Purpose, Recipe};

use crate::silence;
use crate::view::{View, x224_facts};

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    if view.in_flight(Purpose::Default) {
        return Vec::new();
    }
    let Some((_, step)) = view.x224() else {
        return Vec::new();
    };
    let Some(facts) = x224_facts(step) else {
        return Vec::new();
    };
    if let Some(failure) = &step.failure {
        return match failure.kind {
            // A failure code is followed up: what does the host accept then? Failure 5 is an answer in itself.
            FailureKind::Rejected if facts.failure_code == Some(5) => Vec::new(),
            FailureKind::Rejected => vec![rdp_only(view)],
            FailureKind::Reset | FailureKind::Closed | FailureKind::Timeout => unconfirmed(view),
            _ => Vec::new(),
        };
    }
    if view.seen.options.offers { further_offers(view) } else { Vec::new() }
}

/// Is there RDP at all behind it, from before the negotiation, or TLS without X.224?
pub(super) fn unconfirmed(view: View<'_>) -> Vec<Recipe> {
    let bare = view.recipe(Purpose::NoNegotiation, None, None, Depth::X224);
    let patience = silence::patience_ms(view);
    [rdp_only(view), bare, direct_tls(view)].map(|recipe| recipe.patience(patience)).into()
}

fn rdp_only(view: View<'_>) -> Recipe {
    let depth = view.beyond_tls().unwrap_or(Depth::X224);
    view.recipe(Purpose::RdpOnly, Some(Protocols::RDP), None, depth)
}

fn direct_tls(view: View<'_>) -> Recipe {
    let mut recipe = view.hello(Purpose::DirectTls, &view.seen.options.client);
    if let rdprobe_report::Ask::Tcp { offer, .. } = &mut recipe.ask {
        *offer = None;
    }
    recipe
}

/// RDSTLS and Entra ID, each on a connection of its own: xrdp drops connections that offer higher bits beside the
/// usual ones.
fn further_offers(view: View<'_>) -> Vec<Recipe> {
    [Protocol::RDSTLS, Protocol::RDSAAD, Protocol::RDP]
        .into_iter()
        .map(|protocol| {
            let bits = if protocol == Protocol::RDP { 0 } else { Protocols::SSL.0 | protocol.0 };
            view.recipe(Purpose::FurtherOffer, Some(Protocols(bits)), None, Depth::X224)
        })
        .collect()
}
