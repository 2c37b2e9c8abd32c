//! The simulated network keeps its own rules: latency, FIN, RST, limits, names, datagrams.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rdprobe::network::{Datagram, Network, Received, Stream};
use rdprobe_report::FailureKind;
use rdprobe_testkit::Scenario;
use rdprobe_testkit::script::{ClientEnd, Cut, CutBy};
use rdprobe_testkit::simulated::{SimulatedNetwork, SimulatedStream, simulate, simulate_cut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const REQUEST: &str = "030000130ee00000000000010008000b000000";

fn scenario(hosts: &str) -> Scenario {
    format!("title = 'x'\ntarget = 'rds01.corp.example'\n{hosts}").parse().unwrap()
}

fn one_host(rules: &str) -> Scenario {
    scenario(&format!("[[hosts]]\naddress = '192.0.2.7'\n{rules}"))
}

fn address() -> SocketAddr {
    "192.0.2.7:3389".parse().unwrap()
}

async fn open(network: &SimulatedNetwork) -> SimulatedStream {
    network.connect(address()).await.unwrap()
}

async fn ask(stream: &mut SimulatedStream) {
    stream.write_all(&hex::decode(REQUEST).unwrap()).await.unwrap();
}

async fn read(stream: &mut SimulatedStream) -> Result<Vec<u8>, ErrorKind> {
    let mut buffer = vec![0; 4096];
    let length = stream.read(&mut buffer).await.map_err(|error| error.kind())?;
    buffer.truncate(length);
    Ok(buffer)
}

#[test]
fn latency_adds_up_and_real_time_stands_still() {
    let began = Instant::now();
    let scenario =
        one_host("rtt_ms = 50\nrules = [{ do = [{ delay = 60000 }, { confirm = { selected = 'SSL' } }] }]");
    let simulation = simulate(&scenario, |network| async move {
        let addresses = network.resolve("rds01.corp.example").await.unwrap();
        assert_eq!(addresses, [address().ip()]);
        let mut stream = open(&network).await;
        ask(&mut stream).await;
        let confirm = read(&mut stream).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(read(&mut stream).await, Ok(vec![]));
        assert_eq!(stream.facts().rtt_ms.unwrap().0, 50.0);
        confirm
    });
    assert_eq!(hex::encode(simulation.output), "030000130ed000001234000200080001000000");
    // Resolve 2, connect 50, the host's own delay from the arrival of the ACK, the answer, FIN and FIN.
    assert_eq!(simulation.elapsed, Duration::from_millis(2 + 50 + 25 + 60_000 + 25 + 50));
    let connection = &simulation.ledger.connections[0];
    assert_eq!(connection.round_trips, 2);
    assert_eq!((connection.bytes_sent, connection.bytes_received), (19, 19));
    assert_eq!(connection.journal.client_end, Some(ClientEnd::Fin));
    assert!(connection.is_polite());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn fin_and_rst_are_told_apart() {
    for (step, expected) in [
        ("'fin'", Ok(vec![])),
        ("'rst'", Err(ErrorKind::ConnectionReset)),
        // The request was never read, so the close is an RST.
        ("{ delay = 100 }, 'fin_unread'", Err(ErrorKind::ConnectionReset)),
        ("'expect_request', 'fin_unread'", Ok(vec![])),
    ] {
        let scenario = one_host(&format!("rules = [{{ do = [{step}] }}]"));
        let simulation = simulate(&scenario, |network| async move {
            let mut stream = open(&network).await;
            ask(&mut stream).await;
            read(&mut stream).await
        });
        assert_eq!(simulation.output, expected, "{step}");
    }
}

#[test]
fn an_rst_leaves_what_came_before_it_unless_it_discards() {
    for (step, expected) in [
        ("rst", vec![Ok(b"SSH".to_vec()), Err(ErrorKind::ConnectionReset)]),
        ("rst_discarding", vec![Err(ErrorKind::ConnectionReset); 2]),
    ] {
        let scenario = one_host(&format!("rules = [{{ do = [{{ send_text = 'SSH' }}, '{step}'] }}]"));
        let simulation = simulate(&scenario, |network| async move {
            let mut stream = open(&network).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let read = [read(&mut stream).await, read(&mut stream).await];
            assert!(stream.write_all(b"x").await.is_err());
            read.to_vec()
        });
        assert_eq!(simulation.output, expected, "{step}");
        assert!(simulation.ledger.connections[0].host_reset);
    }
}

#[test]
fn a_client_that_closes_on_unread_bytes_resets() {
    let scenario = one_host("rules = [{ do = [{ send_text = 'SSH' }] }]");
    let simulation = simulate(&scenario, |network| async move {
        let stream = open(&network).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(stream);
        // This one is gone before the banner comes.
        drop(open(&network).await);
        // And this one leaves properly.
        let mut stream = open(&network).await;
        read(&mut stream).await.unwrap();
    });
    let connections = &simulation.ledger.connections;
    assert!(connections[0].client_reset.is_some() && connections[1].client_reset.is_some());
    assert!(connections[2].client_reset.is_none() && connections[2].is_polite());
    assert_eq!(simulation.ledger.impolite().count(), 2);
    assert_eq!(connections[0].journal.client_end, Some(ClientEnd::Reset));
}

#[test]
fn syns_are_refused_dropped_or_prohibited() {
    let scenario = one_host(
        "tcp_first = ['refuse', 'drop', { icmp = { type = 3, code = 13, from = '203.0.113.1' } }]\nrules = [{}]",
    );
    simulate(&scenario, |network| async move {
        let error = network.connect(address()).await.unwrap_err();
        assert_eq!(error.failure.kind, FailureKind::Refused);
        let dropped = timeout(Duration::from_secs(4), network.connect(address())).await;
        assert!(dropped.is_err());
        let error = network.connect(address()).await.unwrap_err();
        assert_eq!(error.failure.kind, FailureKind::Prohibited);
        let icmp = error.facts.icmp.unwrap();
        assert_eq!((icmp.kind, icmp.code, icmp.from), (3, 13, "203.0.113.1".parse().ok()));
        network.connect(address()).await.unwrap();
        let other_port = "192.0.2.7:22".parse().unwrap();
        let error = network.connect(other_port).await.unwrap_err();
        assert_eq!(error.failure.kind, FailureKind::Refused);
    });
}

#[test]
fn one_at_a_time_waits_and_a_limit_resets() {
    let queue = one_host("one_at_a_time = true\nrules = [{ do = [{ confirm = { selected = 'SSL' } }] }]");
    let simulation = simulate(&queue, |network| async move {
        let mut first = open(&network).await;
        let mut second = open(&network).await;
        ask(&mut second).await;
        ask(&mut first).await;
        assert_eq!(read(&mut first).await.unwrap().len(), 19);
        let waiting = timeout(Duration::from_secs(3), read(&mut second)).await;
        assert!(waiting.is_err());
        first.shutdown().await.unwrap();
        assert_eq!(read(&mut second).await.unwrap().len(), 19);
    });
    assert_eq!(simulation.ledger.most_open(address().ip()), 2);

    let limited = one_host("limit = 1\nrules = [{ do = [{ confirm = { selected = 'SSL' } }] }]");
    simulate(&limited, |network| async move {
        let mut first = open(&network).await;
        let mut second = open(&network).await;
        assert_eq!(read(&mut second).await, Err(ErrorKind::ConnectionReset));
        ask(&mut first).await;
        assert_eq!(read(&mut first).await.unwrap().len(), 19);
        drop(first);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut third = open(&network).await;
        ask(&mut third).await;
        assert_eq!(read(&mut third).await.unwrap().len(), 19);
    });
}

#[test]
fn rules_choose_by_number_and_offer() {
    let scenario = one_host(
        "rules = [
            { when = { nth = 1 }, do = ['rst'] },
            { when = { offer = ['SSL'] }, do = [{ failure = 5 }] },
            { when = { negotiation = false }, do = ['confirm_without_negotiation'] },
            { do = [{ negotiate = { supports = ['SSL', 'HYBRID'] } }] },
        ]",
    );
    simulate(&scenario, |network| async move {
        assert!(read(&mut open(&network).await).await.is_err());
        for (request, answer) in [
            (REQUEST, "030000130ed000001234000200080002000000"),
            ("030000130ee000000000000100080001000000", "030000130ed000001234000300080005000000"),
            ("0300000b06e00000000000", "0300000b06d00000123400"),
            // Standard RDP Security alone, to a host that wants TLS.
            ("030000130ee000000000000100080000000000", "030000130ed000001234000300080001000000"),
        ] {
            let mut stream = open(&network).await;
            stream.write_all(&hex::decode(request).unwrap()).await.unwrap();
            assert_eq!(hex::encode(read(&mut stream).await.unwrap()), answer);
        }
    });
}

#[test]
fn a_flood_and_a_drip_cost_no_memory() {
    let scenario = one_host("rules = [{ do = ['flood'] }]");
    let simulation = simulate(&scenario, |network| async move {
        let mut stream = open(&network).await;
        let mut total = 0;
        let reading = async {
            loop {
                total += read(&mut stream).await.unwrap().len();
            }
        };
        assert!(timeout(Duration::from_secs(5), reading).await.is_err());
        total
    });
    // A window of 64 KiB for each round trip of 20 ms.
    assert!(simulation.output < 20 << 20, "{}", simulation.output);

    let scenario = one_host("rules = [{ do = [{ drip = 1000 }, { confirm = { selected = 'SSL' } }] }]");
    let simulation = simulate(&scenario, |network| async move {
        let mut stream = open(&network).await;
        ask(&mut stream).await;
        let mut confirm = [0; 19];
        stream.read_exact(&mut confirm).await.unwrap();
    });
    assert_eq!(simulation.elapsed.as_secs(), 18);
}

#[test]
fn what_a_host_sends_is_cut_where_asked() {
    let scenario = one_host("rules = [{ do = [{ confirm = { selected = 'SSL' } }] }]");
    for (by, end) in [
        (CutBy::Fin, Ok(Ok(vec![]))),
        (CutBy::Rst, Ok(Err(ErrorKind::ConnectionReset))),
        (CutBy::Silence, Err(())),
    ] {
        for after in [0, 7] {
            let cut = Some(Cut { after, by });
            let simulation = simulate_cut(&scenario, cut, |network| async move {
                let mut stream = open(&network).await;
                ask(&mut stream).await;
                if after > 0 {
                    assert_eq!(read(&mut stream).await.unwrap().len(), 7);
                }
                timeout(Duration::from_secs(5), read(&mut stream)).await.map_err(|_| ())
            });
            assert_eq!(simulation.output, end);
        }
    }
}

#[test]
fn names_fail_as_the_script_says() {
    let scenario = scenario(
        "[names]
        'gone' = { error = 'EAI_NONAME' }
        'hangs' = { hang = true }
        'two' = { addresses = ['192.0.2.1', '2001:db8::1'], delay_ms = 40 }",
    );
    let simulation = simulate(&scenario, |network| async move {
        assert_eq!(network.resolve("gone").await.unwrap_err().name, "EAI_NONAME");
        assert_eq!(network.resolve("unheard-of").await.unwrap_err().name, "EAI_NONAME");
        assert_eq!(network.resolve("two").await.unwrap().len(), 2);
        let hanging = timeout(Duration::from_secs(5), network.resolve("hangs")).await;
        assert!(hanging.is_err());
        network.now().to_string()
    });
    assert_eq!(simulation.elapsed, Duration::from_millis(2 + 2 + 40 + 5000));
    assert_eq!(simulation.output, "2026-11-21T09:30:05.044Z");
}

#[test]
fn datagrams_are_answered_lost_or_prohibited() {
    let mut syn = vec![0xFF; 4];
    syn.extend([0, 64, 0x10, 0x01, 1, 2, 3, 4, 4, 208, 4, 208, 0, 1, 0, 2]);
    syn.resize(1232, 0);
    let scenario = one_host("udp = { answer = { version = 2, lose = [2] } }");
    let datagram = syn.clone();
    simulate(&scenario, |network| async move {
        let mut socket = network.datagram(address()).await.unwrap();
        socket.send(&datagram).await.unwrap();
        let Received::Datagram(answer) = socket.receive().await.unwrap() else { panic!("an answer") };
        assert_eq!(answer.len(), 1232);
        assert_eq!(answer[..4], [1, 2, 3, 4]);
        assert_eq!(answer[6..8], [0x10, 0x05]);
        socket.send(&datagram).await.unwrap();
        assert!(timeout(Duration::from_secs(1), socket.receive()).await.is_err());
    });
    let scenario = one_host("udp = { icmp = { type = 3, code = 3 } }");
    simulate(&scenario, |network| async move {
        let mut socket = network.datagram(address()).await.unwrap();
        socket.send(&syn).await.unwrap();
        let Received::Icmp(icmp) = socket.receive().await.unwrap() else { panic!("an error") };
        assert!(icmp.is_port_unreachable() && icmp.from == Some(address().ip()));
    });
}

#[test]
fn the_first_error_is_told_once_as_linux_has_it() {
    // The RST is there before the write, which takes its error; reading is at its end then.
    let scenario = one_host("rules = [{ do = ['rst'] }]");
    simulate(&scenario, |network| async move {
        let mut stream = open(&network).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(stream.write_all(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(read(&mut stream).await, Ok(vec![]));
    });
    // Bytes that come to a closed end draw RST, behind the FIN.
    let scenario = one_host("rules = [{ do = ['fin_unread'] }]");
    simulate(&scenario, |network| async move {
        let mut stream = open(&network).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        ask(&mut stream).await;
        assert_eq!(read(&mut stream).await, Ok(vec![]));
        assert!(stream.take_error().is_none() && stream.is_acknowledged() == Some(false));
        assert_eq!(stream.next_error().await.kind(), ErrorKind::BrokenPipe);
    });
    let scenario = one_host("rules = [{ do = ['expect_request', 'fin_unread'] }]");
    simulate(&scenario, |network| async move {
        let mut stream = open(&network).await;
        ask(&mut stream).await;
        assert_eq!(read(&mut stream).await, Ok(vec![]));
        assert_eq!(stream.is_acknowledged(), Some(true));
    });
}

#[test]
fn an_icmp_error_on_a_connection_is_no_end_of_it() {
    let scenario = one_host("rules = [{ do = ['expect_request', 'lose_path'] }]");
    simulate(&scenario, |network| async move {
        let mut stream = open(&network).await;
        ask(&mut stream).await;
        assert!(timeout(Duration::from_secs(5), read(&mut stream)).await.is_err());
        assert_eq!(stream.take_error().unwrap().kind(), ErrorKind::HostUnreachable);
        assert!(stream.take_error().is_none());
    });
}

#[test]
fn a_seed_chooses_the_order_of_fin_and_bytes() {
    let ends = |seed: u64| {
        let scenario = scenario(&format!(
            "seed = {seed}\njitter_ms = 2.0\n[[hosts]]\naddress = '192.0.2.7'\nrules = [{{ do = ['fin_unread'] }}]"
        ));
        simulate(&scenario, |network| async move {
            let mut stream = open(&network).await;
            ask(&mut stream).await;
            read(&mut stream).await
        })
        .output
    };
    let all: Vec<_> = (0..32).map(ends).collect();
    assert!(all.contains(&Ok(vec![])) && all.contains(&Err(ErrorKind::ConnectionReset)), "{all:?}");
    assert_eq!(all, (0..32).map(ends).collect::<Vec<_>>());
}

#[test]
fn hosts_ban_die_wake_and_stand_behind_balancers() {
    let confirms = "rules = [{ do = [{ confirm = { selected = 'SSL' } }] }]";
    for (by, expected) in [("drop", None), ("refuse", Some(Err(())))] {
        let scenario = one_host(&format!("ban = {{ after = 1, by = '{by}' }}\n{confirms}"));
        simulate(&scenario, |network| async move {
            let mut first = open(&network).await;
            ask(&mut first).await;
            assert_eq!(read(&mut first).await.unwrap().len(), 19);
            let second = timeout(Duration::from_secs(4), network.connect(address())).await;
            assert_eq!(second.ok().map(|result| result.map(drop).map_err(drop)), expected);
        });
    }
    let scenario = one_host(&format!("ban = {{ after = 1, by = 'reset' }}\n{confirms}"));
    simulate(&scenario, |network| async move {
        drop(open(&network).await);
        assert_eq!(read(&mut open(&network).await).await, Err(ErrorKind::ConnectionReset));
    });

    let scenario = one_host("rules = [{ do = ['expect_request', 'die'] }]");
    simulate(&scenario, |network| async move {
        let mut beside = open(&network).await;
        let mut first = open(&network).await;
        ask(&mut first).await;
        assert_eq!(read(&mut first).await, Ok(vec![]));
        assert_eq!(read(&mut beside).await, Ok(vec![]));
        assert_eq!(network.connect(address()).await.unwrap_err().failure.kind, FailureKind::Refused);
    });

    let scenario = one_host(&format!("wakes_after_ms = 5500\n{confirms}"));
    let simulation = simulate(&scenario, |network| async move {
        for _ in 0..2 {
            let mut stream = open(&network).await;
            ask(&mut stream).await;
            assert_eq!(read(&mut stream).await.unwrap().len(), 19);
        }
    });
    // The SYN, the ACK, the sleep, the answer; then SYN, and request and answer.
    assert_eq!(simulation.elapsed, Duration::from_millis(20 + 10 + 5500 + 10 + 20 + 20));

    let scenario = one_host(&format!(
        "backends = [{{ {confirms} }}, {{ tcp = 'refuse' }}, {{ rules = [{{ do = ['rst'] }}] }}]"
    ));
    simulate(&scenario, |network| async move {
        for _ in 0..2 {
            let mut stream = open(&network).await;
            ask(&mut stream).await;
            assert_eq!(read(&mut stream).await.unwrap().len(), 19);
            assert_eq!(network.connect(address()).await.unwrap_err().failure.kind, FailureKind::Refused);
            assert_eq!(read(&mut open(&network).await).await, Err(ErrorKind::ConnectionReset));
        }
    });
}

#[test]
fn the_clients_own_machine_fails_as_scripted() {
    let scenario = one_host(
        "tcp_first = [{ local = 'descriptors' }, { local = 'no_route' }]\nudp = { local = 'permission' }",
    );
    let simulation = simulate(&scenario, |network| async move {
        for _ in 0..2 {
            let error = network.connect(address()).await.unwrap_err();
            assert_eq!(error.failure.kind, FailureKind::Local);
        }
        network.connect(address()).await.unwrap();
        assert_eq!(network.datagram(address()).await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    });
    // Nothing was sent for the first two.
    assert_eq!(simulation.elapsed, Duration::from_millis(20));
}
