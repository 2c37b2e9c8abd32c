//! The SYN over UDP, at the very start whatever TCP does.

use std::net::SocketAddr;

use rdprobe_report::{Ask, Purpose, Recipe, UdpQuestion};

use crate::view::View;

pub(super) fn wanted(view: View<'_>) -> Vec<Recipe> {
    let options = &view.seen.options;
    let (syns, all) = match options.udp {
        UdpQuestion::Off => return Vec::new(),
        UdpQuestion::Aside => (1, false),
        // From ten on, each is counted for the loss.
        UdpQuestion::Asked | UdpQuestion::Expected => (options.udp_probes.max(1), options.udp_probes >= 10),
    };
    let port = options.udp_port.unwrap_or(view.address.port());
    let address = SocketAddr::new(view.address.ip(), port);
    vec![Recipe {
        purpose: Purpose::Udp,
        address,
        alone: false,
        beside: None,
        patience_ms: None,
        ask: Ask::Udp { syns, all },
    }]
}
