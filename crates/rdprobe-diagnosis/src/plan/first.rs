//! The first questions, side by side: the real handshake, the NLA question, the reference client's own hello.

use rdprobe_report::{Depth, Protocols, Purpose, RUSTLS, Recipe};

use crate::view::View;

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let options = &view.seen.options;
    let depth = if options.no_nla {
        Depth::Tls
    } else {
        Depth::Credssp
    };
    let default = view.recipe(
        Purpose::Default,
        Some(view.usual_protocols()),
        Some(RUSTLS),
        depth,
    );
    let nla = view.recipe(Purpose::NlaQuestion, Some(Protocols::SSL), None, Depth::X224);
    let reference = view.hello(Purpose::ReferenceHello, &options.client);

    let mut wanted = vec![default];
    let answered = view.settled(Purpose::Default).is_some();
    if options.in_turn && !answered {
        return wanted;
    }
    // In turn, a host that answers nothing to the first offer is left to the experiments.
    let x224_open = !answered || view.reached_tls() || !options.in_turn;
    if !options.no_nla && (x224_open || view.x224().is_some()) {
        wanted.push(nla);
    }
    if x224_open && !view.folded() {
        wanted.push(reference);
    }
    wanted
}
