use proptest::prelude::*;
use rdprobe_report::hello::DEFAULT_CLIENT;
use rdprobe_report::{CipherSuite, NamedGroup, SignatureScheme};

use super::*;
use crate::testing::{self, frame, seed};

fn machine() -> HelloMachine {
    let profile = HelloProfile::client(DEFAULT_CLIENT).unwrap();
    HelloMachine::new(profile, Some("rds01.corp.example"), &seed())
}

fn read(bytes: &[u8], ending: Ending) -> (TlsFacts, Option<Failure>) {
    facts_of(testing::conclude(machine(), bytes, ending))
}

fn facts_of(concluded: Concluded) -> (TlsFacts, Option<Failure>) {
    match concluded.facts {
        Facts::Tls(facts) => (*facts, concluded.failure),
        other => panic!("{other:?}"),
    }
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.extend_from_slice(body);
    record
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    message.extend_from_slice(body);
    message
}

/// A ServerHello with these extensions, each with its type and length.
fn server_hello(version: u16, random: [u8; 32], suite: u16, extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend_from_slice(&random);
    body.push(0);
    body.extend_from_slice(&suite.to_be_bytes());
    body.push(0);
    body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(extensions);
    message(2, &body)
}

fn certificate(ders: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = ders.iter().flat_map(|der| message(0, der)[1..].to_vec()).collect();
    message(11, &message(0, &list)[1..])
}

/// TLS 1.2 with ECDHE over secp384r1, each message in its record.
fn flight_of_tls12() -> Vec<u8> {
    let mut key_exchange = vec![3, 0x00, 0x18, 3, 4, 1, 2];
    key_exchange.extend_from_slice(&[0x08, 0x04, 0, 2, 9, 9]);
    [
        server_hello(0x0303, [7; 32], 0xC030, &[]),
        certificate(&[b"leaf", b"issuer"]),
        message(22, b"ocsp"),
        message(12, &key_exchange),
        message(13, &[1, 1, 0, 2, 8, 4, 0, 0]),
        message(14, &[]),
    ]
    .iter()
    .flat_map(|message| record(22, message))
    .collect()
}

fn flight_of_tls13(random: [u8; 32], key_share: &[u8]) -> Vec<u8> {
    let mut extensions = vec![0, 43, 0, 2, 3, 4, 0, 51, 0, key_share.len() as u8];
    extensions.extend_from_slice(key_share);
    record(22, &server_hello(0x0303, random, 0x1302, &extensions))
}

fn kind(failure: &Option<Failure>) -> Option<FailureKind> {
    failure.as_ref().map(|failure| failure.kind)
}

#[test]
fn the_flight_of_server_2008_r2() {
    let bytes = frame("tls_server_flight_2008r2");
    let mut machine = machine();
    machine.receive(&bytes);
    assert_eq!(machine.wanted(), 0);
    assert_eq!(machine.chain().len(), 1);
    assert_eq!(machine.chain()[0].len(), 766);
    let (facts, failure) = facts_of(Box::new(machine).conclude());
    assert_eq!(failure, None);
    assert_eq!(facts.version, Some(TlsVersion::TLS_1_0));
    assert_eq!(facts.suite, Some(CipherSuite(0x002F)));
    assert_eq!(facts.suite_code.as_deref(), Some("0x002F"));
    assert_eq!(facts.group, None);
    assert_eq!(facts.messages, ["server_hello", "certificate", "server_hello_done"]);
    assert_eq!(facts.server_flight_bytes, Some(859));
    assert_eq!(facts.tls_bytes, 859);
    assert_eq!(facts.server_name.as_deref(), Some("rds01.corp.example"));
    assert_eq!(facts.hello.as_deref(), Some(DEFAULT_CLIENT));
}

#[test]
fn the_flight_of_windows_10() {
    let (facts, failure) = read(&frame("tls_server_flight_win10"), Ending::Closed);
    assert_eq!(failure, None);
    assert_eq!(facts.version, Some(TlsVersion::TLS_1_2));
    assert_eq!(facts.suite, Some(CipherSuite(0x009D)));
    assert_eq!(facts.tls_bytes, 872);
}

#[test]
fn a_flight_with_a_key_exchange() {
    let (facts, failure) = read(&flight_of_tls12(), Ending::Closed);
    assert_eq!(failure, None);
    assert_eq!(facts.group, Some(NamedGroup::SECP384R1));
    assert_eq!(facts.signature_scheme, Some(SignatureScheme(0x0804)));
    assert!(facts.certificate_requested);
    assert_eq!(facts.messages.len(), 6);
    assert!(!facts.completed);
}

#[test]
fn the_key_exchange_of_finite_fields_is_signed_after_three_numbers() {
    let body = [&[0, 1, 5][..], &[0, 1, 2], &[0, 1, 3], &[0x04, 0x01, 0, 1, 9]].concat();
    let flight = [server_hello(0x0303, [7; 32], 0x009F, &[]), message(12, &body), message(14, &[])].concat();
    let (facts, failure) = read(&record(22, &flight), Ending::Closed);
    assert_eq!(failure, None);
    assert_eq!(facts.signature_scheme, Some(SignatureScheme(0x0401)));
    assert_eq!(facts.group, None);
}

#[test]
fn tls13_is_done_at_the_server_hello() {
    let mut key_share = vec![0x00, 0x1D, 0, 32];
    key_share.extend_from_slice(&[9; 32]);
    let mut bytes = flight_of_tls13([7; 32], &key_share);
    let hello = bytes.len();
    bytes.extend(record(23, &[0; 100]));
    let (concluded, taken) = testing::drive(machine(), &bytes, &[usize::MAX], Ending::Closed);
    let (facts, failure) = facts_of(concluded);
    assert_eq!((failure, taken), (None, hello));
    assert_eq!(facts.version, Some(TlsVersion::TLS_1_3));
    assert_eq!(facts.group, Some(NamedGroup::X25519));
    assert!(!facts.hello_retry_request);
    assert_eq!(facts.server_flight_bytes, None);
}

#[test]
fn a_hello_retry_request_names_the_group_it_wants() {
    let random = hex::decode("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c").unwrap();
    let bytes = flight_of_tls13(random.try_into().unwrap(), &[0x00, 0x18]);
    let (facts, failure) = read(&bytes, Ending::Closed);
    assert_eq!(failure, None);
    assert!(facts.hello_retry_request);
    assert_eq!(facts.group, Some(NamedGroup::SECP384R1));
    assert_eq!(facts.messages, ["hello_retry_request"]);
}

#[test]
fn ssl3_is_recorded() {
    let mut body = vec![3, 0];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0x00, 0x0A, 0]);
    let flight = [message(2, &body), certificate(&[b"x"]), message(14, &[])].concat();
    let (facts, failure) = read(&record(22, &flight), Ending::Closed);
    assert_eq!(failure, None);
    assert_eq!(facts.version, Some(TlsVersion::SSL_3_0));
}

#[test]
fn an_alert_ends_the_reading() {
    let mut bytes = record(21, &[2, 70]);
    let alert = bytes.len();
    bytes.extend(hex::decode("0300000902f0802180").unwrap());
    let (concluded, taken) = testing::drive(machine(), &bytes, &[1], Ending::Closed);
    let (facts, failure) = facts_of(concluded);
    assert_eq!(taken, alert);
    assert_eq!(facts.alert, Some(Alert::new(2, 70)));
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Alert);
    assert!(failure.detail.contains("protocol_version"), "{failure:?}");
    assert_eq!(facts.not_tls, None);
}

#[test]
fn a_warning_about_the_name_is_not_the_end() {
    let mut bytes = record(21, &[1, 112]);
    bytes.extend(flight_of_tls12());
    let (facts, failure) = read(&bytes, Ending::Closed);
    assert_eq!(failure, None);
    assert_eq!(facts.alert, None);
    let (_, fatal) = read(&record(21, &[2, 112]), Ending::Closed);
    assert_eq!(kind(&fatal), Some(FailureKind::Alert));
}

#[test]
fn the_farewell_of_xrdp_is_a_close_without_a_byte_of_tls() {
    let farewell = frame("mcs_disconnect_provider_ultimatum_user_requested");
    let (concluded, taken) = testing::drive(machine(), &farewell, &[usize::MAX], crate::testing::SILENT);
    let (facts, failure) = facts_of(concluded);
    assert_eq!(taken, 9);
    assert_eq!(kind(&failure), Some(FailureKind::Closed));
    assert_eq!(facts.tls_bytes, 0);
    assert_eq!(facts.not_tls.as_deref(), Some("0300000902f0802180"));
    let (facts, failure) = read(&farewell[..5], Ending::Reset);
    assert_eq!(kind(&failure), Some(FailureKind::Reset));
    assert_eq!(facts.tls_bytes, 0);
}

#[test]
fn other_bytes_are_malformed_and_named() {
    for (bytes, part) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], "HTTP"),
        (b"\x80\x03\x00\x00\x01", "SSL 2.0"),
        (b"\x03\x00\x00\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0", "TPKT"),
        (&[0; 80], "unknown"),
    ] {
        let (facts, failure) = read(bytes, Ending::Closed);
        let failure = failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Malformed);
        assert!(failure.detail.contains(part), "{failure:?}");
        assert_eq!(facts.tls_bytes, 0);
        assert!(facts.not_tls.unwrap().len() <= 128);
    }
}

#[test]
fn broken_handshakes_are_malformed() {
    let hello = server_hello(0x0303, [7; 32], 0xC030, &[]);
    for (bytes, part) in [
        (record(22, &message(11, &[0, 0, 0])), "out of order"),
        (record(22, &[hello.clone(), hello.clone()].concat()), "out of order"),
        (record(22, &[hello.clone(), message(11, &[0, 0, 9, 1])].concat()), "a length"),
        (record(22, &message(2, &[3, 3, 1])), "a length"),
        (record(22, &message(20, &[0; 12])), "type 20"),
        (record(23, &[0; 12]), "application data"),
        (vec![22, 3, 3, 0xFF, 0xFF], "claims"),
        (record(22, &[2, 0xFF, 0xFF, 0xFF]), "claims"),
        (record(22, &message(0, &[]).repeat(40)), "messages"),
    ] {
        let (_, failure) = read(&bytes, Ending::Closed);
        let failure = failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Malformed, "{part}");
        assert!(failure.detail.contains(part), "{failure:?}");
    }
}

#[test]
fn a_flood_ends() {
    let flood: Vec<u8> = record(20, &[1; 1000]).repeat(100);
    let (concluded, taken) = testing::drive(machine(), &flood, &[usize::MAX], Ending::Closed);
    assert_eq!(kind(&concluded.failure), Some(FailureKind::Malformed));
    assert!(taken <= MAX_FLIGHT);
    let empty: Vec<u8> = record(22, &[]).repeat(20_000);
    let (concluded, taken) = testing::drive(machine(), &empty, &[usize::MAX], Ending::Closed);
    assert_eq!(kind(&concluded.failure), Some(FailureKind::Malformed));
    assert!(taken <= MAX_FLIGHT + 5);
}

#[test]
fn the_end_says_where_the_handshake_stood() {
    for (bytes, ending, expected, part) in [
        (0, Ending::Reset, FailureKind::Reset, "before the first byte"),
        (3, Ending::Closed, FailureKind::Closed, "before server_hello"),
        (60, crate::testing::SILENT, FailureKind::Timeout, "before server_hello"),
        (400, crate::testing::SILENT, FailureKind::Timeout, "mid-handshake after server_hello"),
    ] {
        let (facts, failure) = read(&frame("tls_server_flight_2008r2")[..bytes], ending);
        let failure = failure.unwrap();
        assert_eq!(failure.kind, expected);
        assert!(failure.detail.contains(part), "{failure:?}");
        assert_eq!(facts.tls_bytes, bytes as u64);
        assert_eq!(facts.server_flight_bytes, None);
    }
}

#[test]
fn every_cut_concludes() {
    let mut warned = record(21, &[1, 112]);
    warned.extend(flight_of_tls12());
    for bytes in [frame("tls_server_flight_2008r2"), warned, flight_of_tls13([7; 32], &[0, 29, 0, 0])] {
        testing::survives_every_cut(machine, &bytes);
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn garbled_flights_do_no_harm(
        bytes in testing::garbled(flight_of_tls12()), (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn garbled_real_flights_do_no_harm(
        bytes in testing::garbled(frame("tls_server_flight_win10")), (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }
}
