//! The SYN over UDP, at the very start whatever TCP does.

use std::net::SocketAddr;

use rdprobe_report::facts::UdpFacts;
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

/// The version of RDP-UDP that the `number`th SYN asks for, from 0; `all` where each counts for the loss.
///
/// Version 2 first: a server that demands SYNEX answers no version 1 ([MS-RDPEUDP] 3.1.5.1.1). Where nothing was
/// answered, the others; after that the one that was.
pub fn next_syn_version(so_far: &UdpFacts, number: u32, all: bool) -> u16 {
    let silent = so_far.received == 0;
    let spoken = || so_far.probes.iter().find(|probe| probe.rtt_ms.is_some()).map(|probe| probe.version);
    match number {
        0 => 2,
        1 if silent => 1,
        2 if silent && !all => 3,
        _ if silent && all && number % 4 == 3 => 1,
        _ => spoken().unwrap_or(2),
    }
}

#[cfg(test)]
mod tests {
    use rdprobe_report::Millis;
    use rdprobe_report::facts::UdpProbe;

    use super::*;

    #[test]
    fn what_was_answered_is_asked_again_and_silence_asks_every_version() {
        let silent = UdpFacts::default();
        let asked =
            |facts: &UdpFacts, all| (0..4).map(|n| next_syn_version(facts, n, all)).collect::<Vec<_>>();
        assert_eq!(asked(&silent, false), [2, 1, 3, 2]);
        assert_eq!(asked(&silent, true), [2, 1, 2, 1]);
        let answered = UdpProbe { version: 1, rtt_ms: Some(Millis(1.0)), ..UdpProbe::default() };
        let facts = UdpFacts { received: 1, probes: vec![answered], ..UdpFacts::default() };
        assert_eq!(asked(&facts, false), [2, 1, 1, 1]);
    }
}
