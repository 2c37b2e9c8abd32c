use ironrdp_pdu::mcs::ConnectInitial;
use ironrdp_pdu::x224::X224Data;
use proptest::prelude::*;

use super::*;
use crate::testing::{conclude, frame, garbled, pieces_and_ending, pieces_do_not_matter, survives_every_cut};
use crate::x224::tpkt;

fn machine() -> McsMachine {
    McsMachine::new(Protocol::RDP)
}

fn answer(frame: &[u8]) -> (McsFacts, Option<Failure>) {
    let concluded = conclude(machine(), frame, Ending::Closed);
    let Facts::Mcs(facts) = concluded.facts else { panic!("{concluded:?}") };
    (*facts, concluded.failure)
}

#[test]
fn our_question_is_what_another_implementation_reads() {
    for selected in [Protocol::RDP, Protocol::SSL] {
        let bytes = McsMachine::new(selected).outgoing();
        let data: X224Data<'_> =
            ironrdp_core::decode::<ironrdp_pdu::x224::X224<X224Data<'_>>>(&bytes).unwrap().0;
        let initial: ConnectInitial = ironrdp_core::decode(&data.data).unwrap();
        let blocks = initial.conference_create_request.gcc_blocks();
        assert_eq!(blocks.core.client_name, "rdprobe");
        assert_eq!(
            blocks.security.encryption_methods.bits(),
            if selected == Protocol::RDP { 0x1B } else { 0 }
        );
        assert_eq!(blocks.channel_names().unwrap().len(), 1);
        assert!(blocks.message_channel.is_some() && blocks.multi_transport_channel.is_some());
        let optional = &blocks.core.optional_data;
        assert_eq!(optional.server_selected_protocol.unwrap().bits(), selected.0);
    }
}

#[test]
fn recorded_servers_are_read() {
    let (facts, failure) = answer(&frame("mcs_connect_response_xrdp_high"));
    assert_eq!(failure, None);
    assert_eq!(facts.result_name.as_deref(), Some("rt-successful"));
    assert_eq!(facts.version.as_deref(), Some("0x00080004"));
    assert_eq!((facts.encryption_method, facts.encryption_level), (Some(2), Some(3)));
    assert_eq!(facts.encryption_method_name.as_deref(), Some("128-bit"));
    assert_eq!((facts.certificate.as_deref(), facts.key_bits), (Some("proprietary"), Some(2048)));
    assert_eq!((facts.io_channel, facts.channels.len()), (Some(1003), 0));

    let (facts, failure) = answer(&frame("mcs_connect_response_freerdp3_rdp"));
    assert_eq!(failure, None);
    assert_eq!((facts.encryption_method, facts.encryption_level), (Some(0), Some(0)));
    assert_eq!(facts.certificate, None);
    assert_eq!(facts.channels.len(), 1);

    for (name, version) in [("xrdp_tls", "0x00080004"), ("weston_tls", "0x0008000C")] {
        let (facts, failure) = answer(&frame(&format!("mcs_connect_response_{name}")));
        assert_eq!((failure, facts.version.as_deref()), (None, Some(version)));
        assert_eq!(facts.encryption_method, Some(0));
    }
    let (low, _) = answer(&frame("mcs_connect_response_xrdp_low"));
    assert_eq!(low.encryption_method_name.as_deref(), Some("40-bit"));
}

#[test]
fn a_refusal_is_told_by_its_name() {
    // result rt-too-many-users, then what follows it in any response
    let refusal = "0300001802f0807f660c0a010d0201003004020100020100";
    let (facts, failure) = answer(&hex::decode(refusal).unwrap());
    assert_eq!(facts.result, Some(13));
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Rejected);
    assert!(failure.detail.contains("rt-too-many-users"), "{}", failure.detail);

    let (_, failure) = answer(&frame("mcs_disconnect_provider_ultimatum_user_requested"));
    assert_eq!(failure.unwrap().kind, FailureKind::Rejected);
}

#[test]
fn what_is_no_response_is_malformed() {
    for bytes in ["485454502f312e31", "0300000b06d00000123400", "03000004", "0300000802f080ff", "16030100"] {
        let (facts, failure) = answer(&hex::decode(bytes).unwrap());
        assert_eq!(failure.unwrap().kind, FailureKind::Malformed, "{bytes}");
        assert_eq!(facts, McsFacts::default());
    }
}

#[test]
fn every_cut_is_survived() {
    for name in ["mcs_connect_response_xrdp_high", "mcs_connect_response_freerdp3_rdp"] {
        survives_every_cut(machine, &frame(name));
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter_and_nothing_panics(
        bytes in garbled(frame("mcs_connect_response_xrdp_high")),
        (pieces, ending) in pieces_and_ending(),
    ) {
        pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn noise_does_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        conclude(machine(), &tpkt::data(&bytes), Ending::Closed);
    }
}
