//! Against recordings of real servers (`fixtures/wire/legacy_tls.json`): with the same seed the machine says what it said
//! then, so that they fit.

use proptest::prelude::*;

use super::*;
use crate::testing::{garbled, pieces_and_ending, pieces_do_not_matter, seed, survives_every_cut};

const LINE: &[u8] = b"attack at dawn\n";

#[derive(Clone, Debug)]
struct Recording {
    name: String,
    version: String,
    suite: String,
    /// To the server's Finished.
    handshake: Vec<u8>,
    /// What it said then, to a line that was sent.
    data: Vec<u8>,
}

fn recordings() -> Vec<Recording> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../fixtures/wire/legacy_tls.json")).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let bytes = |row: &serde_json::Value, key: &str| hex::decode(text(row, key)).unwrap();
    let rows = file["recordings"].as_array().unwrap().iter().map(|row| Recording {
        name: text(row, "name"),
        version: text(row, "version"),
        suite: text(row, "suite"),
        handshake: bytes(row, "handshake"),
        data: bytes(row, "data"),
    });
    rows.collect()
}

fn machine() -> LegacyMachine {
    let seed = LegacySeed { hello: seed(), premaster: [7; 46], secret: [9; 32] };
    LegacyMachine::new(Some("rds01.corp.example"), &seed).unwrap()
}

/// The machine after these bytes, or as many of them as it wanted.
fn fed(bytes: &[u8]) -> LegacyMachine {
    let mut machine = machine();
    let mut left = bytes;
    while machine.wanted() > 0 && !left.is_empty() {
        machine.outgoing();
        let (now, later) = left.split_at(machine.wanted().min(left.len()));
        machine.receive(now);
        left = later;
    }
    machine
}

fn established(recording: &Recording) -> LegacyConnection {
    fed(&recording.handshake).finish().1.expect("a completed handshake")
}

#[test]
fn recorded_servers_are_understood() {
    for recording in recordings() {
        let (concluded, connection) = fed(&recording.handshake).finish();
        let Facts::Tls(facts) = concluded.facts else { panic!("{}", recording.name) };
        assert_eq!(concluded.failure, None, "{}", recording.name);
        assert!(facts.completed && facts.stack == Some(TlsStack::LegacyTls));
        assert_eq!(facts.version.unwrap().to_string(), recording.version);
        assert_eq!(facts.suite.unwrap().to_string(), recording.suite);
        assert_eq!(facts.tls_bytes, recording.handshake.len() as u64);

        let mut connection = connection.unwrap();
        connection.send(LINE);
        let mut said = Vec::new();
        for byte in recording.data {
            connection.receive(&[byte]);
            while let Some(received) = connection.received().unwrap() {
                let Received::Data(data) = received else { panic!("{received:?}") };
                said.extend(data);
            }
        }
        assert!(!said.is_empty() && b"nwad ta kcatta\n".starts_with(&said), "{}: {said:?}", recording.name);
    }
}

#[test]
fn one_request_goes_into_one_record() {
    for recording in recordings() {
        let sent = established(&recording).send(&[0x30; 4000]);
        assert_eq!(usize::from(u16::from_be_bytes([sent[3], sent[4]])), sent.len() - 5);
    }
}

#[test]
fn every_cut_is_survived() {
    for recording in recordings() {
        survives_every_cut(machine, &recording.handshake);
    }
}

/// Whoever changes anything on the way is seen: the Finished covers every message, and the keys cover it. Only the
/// version in the header of a record in clear concerns nobody.
#[test]
fn every_changed_byte_is_seen() {
    for recording in recordings() {
        let mut headers = Vec::new();
        let mut at = 0;
        while let Some(length) = recording.handshake.get(at + 3..at + 5) {
            headers.push(at);
            at += 5 + usize::from(u16::from_be_bytes([length[0], length[1]]));
        }
        for at in 0..recording.handshake.len() {
            let mut bytes = recording.handshake.clone();
            bytes[at] ^= 1;
            let of_a_header = headers.iter().any(|start| (start + 1..start + 3).contains(&at));
            let complete = fed(&bytes).is_complete();
            assert!(!complete || of_a_header, "{}: byte {at}", recording.name);
        }
    }
}

#[test]
fn what_was_said_to_another_client_does_not_fit() {
    for recording in recordings() {
        let seed = LegacySeed { hello: seed(), premaster: [8; 46], secret: [9; 32] };
        let mut machine = LegacyMachine::new(Some("rds01.corp.example"), &seed).unwrap();
        let mut left = recording.handshake.as_slice();
        while machine.wanted() > 0 && !left.is_empty() {
            let (now, later) = left.split_at(machine.wanted().min(left.len()));
            machine.receive(now);
            left = later;
        }
        let (concluded, connection) = machine.finish();
        assert!(connection.is_none());
        assert_eq!(concluded.failure.unwrap().kind, FailureKind::Malformed, "{}", recording.name);
    }
}

/// Of the bodies of its records, that is: a length that grew only waits for more.
#[test]
fn a_connection_refuses_what_is_not_of_its_keys() {
    for recording in recordings() {
        for at in record::HEADER..recording.data.len() {
            let mut connection = established(&recording);
            let mut data = recording.data.clone();
            data[at] ^= 1;
            connection.receive(&data[..at + 1]);
            connection.receive(&data[at + 1..]);
            let mut said = 0;
            while let Ok(Some(Received::Data(more))) = connection.received() {
                said += more.len();
            }
            assert!(said < LINE.len(), "{}: byte {at}", recording.name);
        }
    }
}

#[test]
fn both_ends_of_it_are_said() {
    let recording = &recordings()[2];
    assert!(!established(recording).close().is_empty());
    let mut peer = established(recording);
    peer.receive(&[21, 3, 3, 0, 2, 1, 0]);
    assert!(peer.received().is_err(), "in clear");
}

proptest! {
    #[test]
    fn pieces_and_garbling_do_no_harm(
        bytes in proptest::sample::select(recordings()).prop_flat_map(|recording| garbled(recording.handshake)),
        (pieces, ending) in pieces_and_ending(),
    ) {
        pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn noise_does_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut connection = established(&recordings()[0]);
        connection.receive(&bytes);
        while let Ok(Some(_)) = connection.received() {}
    }
}
