//! The SYN over UDP before a server on `ironrdp-rdpeudp`: an implementation of [MS-RDPEUDP] that is not ours.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use ironrdp_core::decode;
use ironrdp_rdpeudp::pdu::V1Datagram;
use ironrdp_rdpeudp::{ConnectionConfig, MonotonicInstant, RdpeudpConnection};
use rdprobe::Probe;
use rdprobe_report::{Options, PhaseOutcome, Report, Target, UdpQuestion};
use tokio::net::UdpSocket;

/// Peers of whom a server keeps the state, at the most.
const MOST_PEERS: usize = 256;

/// Serves every peer by its own connection, so that one who never completes the handshake holds up nobody.
async fn serve(socket: UdpSocket) {
    let started = Instant::now();
    let mut peers: HashMap<SocketAddr, RdpeudpConnection> = HashMap::new();
    let mut buffer = [0; 2048];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        let now =
            MonotonicInstant::from_millis(u64::try_from(started.elapsed().as_millis()).unwrap_or_default());
        if peers.len() < MOST_PEERS && !peers.contains_key(&peer) {
            let Ok(syn) = decode::<V1Datagram>(&buffer[..length]) else { continue };
            let config = ConnectionConfig {
                initial_sequence_number: 7,
                // The hash of no cookie: a version 3 SYN without the right one is answered as version 2.
                cookie_hash: Some([0x5A; 32]),
                ..ConnectionConfig::default()
            };
            let Ok(connection) = RdpeudpConnection::accept(config, &syn, now) else { continue };
            peers.insert(peer, connection);
        }
        let Some(connection) = peers.get_mut(&peer) else { continue };
        while let Some(transmit) = connection.poll_transmit(now) {
            let _ = socket.send_to(&transmit.contents, peer).await;
        }
    }
}

/// Asks the port over UDP; nobody listens there over TCP.
async fn ask(port: u16, udp: UdpQuestion, syns: u32) -> Report {
    let target = Target { input: format!("127.0.0.1:{port}"), host: "127.0.0.1".into(), port };
    let options = Options { udp, udp_probes: syns, ..Options::default() };
    Probe::new(target).options(options).run().await
}

async fn start() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(serve(socket));
    port
}

#[tokio::test]
async fn a_server_of_another_make_answers_the_first_syn() {
    let report = ask(start().await, UdpQuestion::Asked, 3).await;
    let udp = &report.phases.udp;
    assert_eq!(udp.outcome, PhaseOutcome::Ok, "{udp:?}");
    assert_eq!((udp.facts.sent, udp.facts.received, udp.facts.version), (1, 1, Some(2)));
    assert_eq!((udp.facts.upstream_mtu, udp.facts.downstream_mtu), (Some(1232), Some(1232)));
    assert!(udp.facts.rtt_ms.is_some());
}

#[tokio::test]
async fn many_half_open_peers_hold_up_nobody() {
    let port = start().await;
    let reports = futures_util::future::join_all((0..20).map(|_| ask(port, UdpQuestion::Asked, 3))).await;
    assert!(reports.iter().all(|report| report.phases.udp.facts.received == 1));
}

#[tokio::test]
async fn each_syn_counts_for_the_loss() {
    let report = ask(start().await, UdpQuestion::Asked, 10).await;
    let udp = &report.phases.udp.facts;
    assert_eq!((udp.sent, udp.received, udp.loss_percent), (10, 10, Some(0.0)));
}

#[tokio::test]
async fn answers_that_are_no_syn_ack_are_kept_and_not_believed() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            // Nothing, a byte, the SYN cut at every hundredth offset, the SYN itself, and a SYN+ACK for another SYN.
            let mut other = buffer[..length].to_vec();
            other[..4].copy_from_slice(&[1, 2, 3, 4]);
            other[6..8].copy_from_slice(&[0x10, 0x05]);
            let _ = socket.send_to(&[], peer).await;
            let _ = socket.send_to(&[0xFF], peer).await;
            for end in (0..=length).step_by(100) {
                let _ = socket.send_to(&buffer[..end], peer).await;
            }
            let _ = socket.send_to(&other, peer).await;
        }
    });
    let report = ask(port, UdpQuestion::Asked, 1).await;
    let udp = &report.phases.udp;
    assert_eq!((udp.outcome, udp.facts.received), (PhaseOutcome::Inconclusive, 0));
    // The first that was not empty.
    assert_eq!(udp.facts.probes[0].garbage.as_deref(), Some("ff"));
    assert!(report.findings.iter().any(|finding| finding.code.as_str() == "udp-malformed"));
}
