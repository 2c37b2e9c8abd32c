//! A system of which nothing is known beyond what all of them have.

use rdprobe_report::Lack;

use super::System;

pub(crate) struct Plain;

impl System for Plain {
    const LACKS: &'static [Lack] = &[
        Lack::IcmpOnTcp,
        Lack::IcmpOnUdp,
        Lack::TcpInfo,
        Lack::PathMtu,
        Lack::DontFragment,
        Lack::Acknowledgements,
    ];
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{TcpListener, TcpStream};

    use rdprobe_report::facts::TcpFacts;
    use socket2::SockRef;

    use super::*;

    #[test]
    fn it_learns_nothing_and_breaks_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = || SockRef::from(&stream);
        Plain::receive_icmp_errors(socket(), false, true).unwrap();
        Plain::forbid_fragmentation(socket(), false).unwrap();
        let mut facts = TcpFacts::default();
        Plain::tcp_info(socket(), &mut facts);
        assert_eq!(facts, TcpFacts::default());
        assert_eq!(Plain::icmp_error(socket()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!((Plain::path_mtu(socket(), false), Plain::is_acknowledged(socket())), (None, None));
    }

    /// Wine delivers no ICMP errors on UDP.
    #[test]
    #[cfg(unix)]
    fn a_closed_udp_port_shows_all_the_same() {
        use std::net::UdpSocket;

        for (address, v6) in [("127.0.0.1:0", false), ("[::1]:0", true)] {
            let Ok(closed) = UdpSocket::bind(address) else { continue };
            let peer = closed.local_addr().unwrap();
            let socket = UdpSocket::bind(address).unwrap();
            socket.connect(peer).unwrap();
            drop(closed);
            socket.send(b"syn").unwrap();
            let error = socket.recv(&mut [0; 16]).unwrap_err();
            let icmp = Plain::icmp_behind(&error, v6).unwrap();
            assert!(icmp.is_port_unreachable() && icmp.from.is_none(), "{icmp:?}");
        }
    }

    #[test]
    fn other_errors_are_no_word_of_a_router() {
        assert_eq!(Plain::icmp_behind(&io::ErrorKind::WouldBlock.into(), false), None);
        assert_eq!(Plain::icmp_behind(&io::ErrorKind::PermissionDenied.into(), false), None);
    }
}
