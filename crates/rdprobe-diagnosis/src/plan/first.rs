//! The first questions: the real handshake, the NLA question beside it, and the reference client's own hello where
//! the real handshake does not show what the client would get.
//!
//! That hello waits for the real handshake. It can never be completed, so to a server it is an abrupt end, and
//! gnome-remote-desktop, which serves one session at a time, dies of a few of those.
//!
//! On the way to licensing the host has the connection to itself: weston serves all of them on one thread, and one that
//! ends before its TLS, as the NLA question does, can take another one with it.

use rdprobe_report::{Depth, Protocols, Purpose, RUSTLS, Recipe};

use crate::view::View;

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let options = &view.seen.options;
    let depth = view.beyond_tls().unwrap_or(if options.no_nla { Depth::Tls } else { Depth::Credssp });
    let mut wanted = vec![view.recipe(Purpose::Default, Some(view.usual_protocols()), Some(RUSTLS), depth)];
    let answered = view.settled(Purpose::Default).is_some();
    if (options.in_turn || options.licensing) && !answered {
        return wanted;
    }
    if !options.no_nla && (!options.in_turn || view.reached_tls()) {
        wanted.push(view.recipe(Purpose::NlaQuestion, Some(Protocols::SSL), None, Depth::X224));
    }
    if answered && view.reached_tls() && !view.folded() {
        wanted.push(view.hello(Purpose::ReferenceHello, &options.client));
    }
    wanted
}
