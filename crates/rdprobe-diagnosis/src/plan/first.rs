//! The first questions: the real handshake, the NLA question beside it, and the reference client's own hello where
//! the real handshake does not answer for it.
//!
//! The reference hello waits for the real handshake. A hello that is never completed is an abrupt end to a server
//! (gnome-remote-desktop takes one session at a time and remembers such ends), and on most hosts of today the real
//! handshake shows what the client would get.

use rdprobe_report::{Depth, Protocols, Purpose, RUSTLS, Recipe};

use crate::view::View;

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let options = &view.seen.options;
    let depth = if options.no_nla {
        Depth::Tls
    } else {
        Depth::Credssp
    };
    let mut wanted = vec![view.recipe(
        Purpose::Default,
        Some(view.usual_protocols()),
        Some(RUSTLS),
        depth,
    )];
    let answered = view.settled(Purpose::Default).is_some();
    if options.in_turn && !answered {
        return wanted;
    }
    if !options.no_nla && (!options.in_turn || view.reached_tls()) {
        wanted.push(view.recipe(Purpose::NlaQuestion, Some(Protocols::SSL), None, Depth::X224));
    }
    let connected = view.tcp().is_some_and(|(_, step)| step.is_ok());
    // Where the usual offer was refused, or came to no TLS, the hello has no place.
    let open = view.x224().is_none_or(|(_, step)| !step.is_ok()) || view.reached_tls();
    if answered && connected && open && !view.refused() && !view.folded() {
        wanted.push(view.hello(Purpose::ReferenceHello, &options.client));
    }
    wanted
}
