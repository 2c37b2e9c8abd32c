use ironrdp_pdu::rdp::ClientInfoPdu;
use ironrdp_pdu::rdp::headers::{BasicSecurityHeader, BasicSecurityHeaderFlags};
use proptest::prelude::*;

use super::*;
use crate::mcs::McsMachine;
use crate::testing::{conclude, frame, garbled, pieces_and_ending, pieces_do_not_matter, survives_every_cut};

/// An Attach User Confirm for user 1007, and confirms for the channels that the conference below has.
const ATTACHED: &str = "0300000b02f0802e000006";
const JOINED: &str = "0300000f02f0803e000006 03ef03ef 0300000f02f0803e000006 03eb03eb";
/// STATUS_VALID_CLIENT, ST_NO_TRANSITION.
const VALID_CLIENT: &str = "ff0310000700000002000000 04000000";

fn conference(selected: Protocol, response: &str) -> Conference {
    let mut machine = McsMachine::new(selected);
    machine.receive(&frame(response));
    let (concluded, conference) = machine.finish();
    assert_eq!(concluded.failure, None);
    conference.unwrap()
}

/// On a server under TLS, whose one channel is 1003.
fn machine() -> LicensingMachine {
    LicensingMachine::new(conference(Protocol::SSL, "mcs_connect_response_xrdp_tls"), [7; 32])
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

/// A server's data on the I/O channel.
fn indication(content: &[u8]) -> Vec<u8> {
    let length = (0x8000 | content.len() as u16).to_be_bytes();
    tpkt::data(&[&[0x68, 0, 1, 0x03, 0xEB, 0x70], &length[..], content].concat())
}

fn licence(message: &str) -> Vec<u8> {
    [bytes(ATTACHED), bytes(JOINED), indication(&[&[0x80, 0, 0, 0], &bytes(message)[..]].concat())].concat()
}

fn answer(bytes: &[u8]) -> (LicensingFacts, Option<Failure>) {
    let concluded = conclude(machine(), bytes, Ending::Closed);
    let Facts::Licensing(facts) = concluded.facts else { panic!("{concluded:?}") };
    (*facts, concluded.failure)
}

#[test]
fn a_client_is_let_in() {
    let (facts, failure) = answer(&licence(VALID_CLIENT));
    assert_eq!(failure, None);
    assert_eq!(facts.message.as_deref(), Some("error-alert"));
    assert_eq!(facts.error_name.as_deref(), Some("STATUS_VALID_CLIENT"));
    assert_eq!(facts.state_transition_name.as_deref(), Some("ST_NO_TRANSITION"));
    assert_eq!((facts.version, facts.encrypted), (Some(3), Some(false)));
}

#[test]
fn each_refusal_has_its_name() {
    for (code, name) in [
        (1, "ERR_INVALID_SERVER_CERTIFICATE"),
        (2, "ERR_NO_LICENSE"),
        (3, "ERR_INVALID_MAC"),
        (4, "ERR_INVALID_SCOPE"),
        (6, "ERR_NO_LICENSE_SERVER"),
        (8, "ERR_INVALID_CLIENT"),
        (11, "ERR_INVALID_PRODUCTID"),
        (12, "ERR_INVALID_MESSAGE_LEN"),
    ] {
        let (facts, failure) = answer(&licence(&format!("ff031000{code:02x}0000000100000004000000")));
        let failure = failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Rejected);
        assert!(
            failure.detail.contains(name) && failure.detail.contains("ST_TOTAL_ABORT"),
            "{}",
            failure.detail
        );
        assert_eq!(facts.error_name.as_deref(), Some(name));
    }
    let (facts, failure) = answer(&licence("ff0310006300000001000000 04000000"));
    assert_eq!((facts.error_code, facts.error_name), (Some(0x63), None));
    assert_eq!(failure.unwrap().kind, FailureKind::Rejected);
}

#[test]
fn what_is_said_on_the_way_is_told() {
    // rt-too-many-users
    let (facts, failure) = answer(&bytes("0300000902f0802da0"));
    assert_eq!(facts.refused.as_deref(), Some("rt-too-many-users"));
    assert_eq!(failure.unwrap().kind, FailureKind::Rejected);
    // rt-no-such-channel for the I/O channel
    let (facts, _) = answer(&bytes(&format!("{ATTACHED} 0300000d02f0803c60000603eb")));
    assert_eq!(facts.refused.as_deref(), Some("rt-no-such-channel"));

    let (_, failure) = answer(&frame("mcs_disconnect_provider_ultimatum_user_requested"));
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Closed);
    assert!(failure.detail.contains("rn-user-requested"), "{}", failure.detail);

    // A Set Error Info PDU: no licence server.
    let share = bytes("160017 00 ea03 ea030100 00 01 0800 2f 00 0000 01010000");
    let told = [bytes(ATTACHED), bytes(JOINED), indication(&share)].concat();
    let (facts, failure) = answer(&told);
    assert_eq!(facts.error_info, Some(0x101));
    assert_eq!(facts.error_info_name.as_deref(), Some("ERRINFO_LICENSE_NO_LICENSE_SERVER"));
    assert_eq!(failure.unwrap().kind, FailureKind::Rejected);
    // ERRINFO_NONE is passed over, and so is what is no licence.
    let none = bytes("160017 00 ea03 ea030100 00 01 0800 2f 00 0000 00000000");
    let valid = [&[0x80, 0, 0, 0], &bytes(VALID_CLIENT)[..]].concat();
    let two = [bytes(ATTACHED), bytes(JOINED), indication(&none), indication(&valid)].concat();
    assert_eq!(answer(&two).1, None);
    let (_, failure) = answer(&[licence(""), indication(&none).repeat(20)].concat());
    assert!(failure.is_some());
    let endless = [bytes(ATTACHED), bytes(JOINED), indication(&none).repeat(20)].concat();
    assert_eq!(answer(&endless).1.unwrap().kind, FailureKind::Malformed);
}

#[test]
fn our_settings_are_what_another_implementation_reads() {
    let mut machine = machine();
    machine.outgoing();
    for message in [bytes(ATTACHED), bytes(JOINED)] {
        for byte in message {
            machine.receive(&[byte]);
        }
    }
    let sent = machine.outgoing();
    let info = &sent[sent.len() - client_info::client_info().len() - 4..];
    let (header, info) = info.split_at(4);
    let header: BasicSecurityHeader = ironrdp_core::decode(header).unwrap();
    assert_eq!(header.flags, BasicSecurityHeaderFlags::INFO_PKT);
    let mut with_header = info.to_vec();
    with_header.splice(0..0, [0x40, 0, 0, 0]);
    let pdu: ClientInfoPdu = ironrdp_core::decode(&with_header).unwrap();
    let credentials = &pdu.client_info.credentials;
    assert_eq!((credentials.username.as_str(), credentials.password.as_str()), ("", ""));
    assert!(!pdu.client_info.flags.contains(ironrdp_pdu::rdp::client_info::ClientInfoFlags::AUTOLOGON));
    assert_eq!(credentials.domain.as_deref().unwrap_or(""), "");
}

#[test]
fn a_users_channels_are_joined_at_once() {
    let mut machine =
        LicensingMachine::new(conference(Protocol::RDP, "mcs_connect_response_freerdp3_rdp"), [7; 32]);
    assert_eq!(hex::encode(machine.outgoing()), "0300000c02f08004010001000300000802f08028");
    for byte in bytes(ATTACHED) {
        machine.receive(&[byte]);
    }
    let joins = machine.outgoing();
    // The user's own, the I/O, the message and the one static channel.
    assert_eq!(joins.len(), 4 * 12);
    assert!(joins.ends_with(&bytes("0300000c02f08038000603ec")), "{}", hex::encode(&joins));
}

#[test]
fn keys_are_agreed_on_under_every_method() {
    for (response, exchange) in [
        ("mcs_connect_response_xrdp_high", 2048 / 8),
        ("mcs_connect_response_xrdp_low", 2048 / 8),
        ("mcs_connect_response_std_security", 512 / 8),
        ("mcs_connect_response_x509_cert", 512 / 8),
    ] {
        let conference = conference(Protocol::RDP, response);
        let channels: Vec<u16> = [Some(1017), Some(conference.io_channel), conference.message_channel]
            .into_iter()
            .flatten()
            .collect();
        let channels = [channels, conference.channels.clone()].concat();
        let mut machine = LicensingMachine::new(conference, [7; 32]);
        machine.outgoing();
        machine.take(&bytes("2e000010"));
        machine.outgoing();
        for channel in channels {
            machine.take(&[&bytes("3e000006")[..], &channel.to_be_bytes(), &channel.to_be_bytes()].concat());
        }
        let sent = machine.outgoing();
        assert!(machine.failure.is_none(), "{response}: {:?}", machine.failure);
        // The exchange, then the settings, encrypted.
        let first = tpkt::claimed(&sent).unwrap();
        assert_eq!(hex::encode(&sent[15..19]), "01000000", "{response}");
        assert_eq!(first, 7 + 8 + 4 + 4 + exchange + 8, "{response}");
        assert_eq!(hex::encode(&sent[first + 15..first + 19]), "48000000", "{response}");
    }
}

#[test]
fn every_cut_is_survived() {
    survives_every_cut(machine, &licence(VALID_CLIENT));
}

proptest! {
    #[test]
    fn pieces_do_not_matter_and_nothing_panics(
        bytes in garbled(licence(VALID_CLIENT)),
        (pieces, ending) in pieces_and_ending(),
    ) {
        pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn noise_does_no_harm(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let framed = [bytes(ATTACHED), bytes(JOINED), indication(&noise)].concat();
        conclude(machine(), &framed, Ending::Closed);
        conclude(machine(), &tpkt::data(&noise), Ending::Closed);
    }
}
