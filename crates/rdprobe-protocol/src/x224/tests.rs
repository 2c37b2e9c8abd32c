use proptest::prelude::*;
use rdprobe_report::facts::{Negotiation, Service};
use rdprobe_report::{Protocol, Step};

use super::*;
use crate::testing::{self, frame};

fn machine() -> X224Machine {
    X224Machine::new(&Offer { protocols: Some(Protocols::DEFAULT), ..Offer::default() })
}

fn facts_of(concluded: Concluded) -> (X224Facts, Option<Failure>) {
    match concluded.facts {
        Facts::X224(facts) => (*facts, concluded.failure),
        other => panic!("{other:?}"),
    }
}

/// The answer with bytes of another phase after it, which must stay unread.
fn answer(bytes: &[u8]) -> (X224Facts, Option<Failure>) {
    let mut stream = bytes.to_vec();
    stream.extend_from_slice(&[0x16; 32]);
    let (concluded, read) = testing::drive(machine(), &stream, &[usize::MAX], Ending::Closed);
    assert_eq!(read, bytes.len(), "never a byte beyond the frame");
    facts_of(concluded)
}

fn answer_hex(text: &str) -> (X224Facts, Option<Failure>) {
    answer(&hex::decode(text).unwrap())
}

fn kind(failure: Option<Failure>) -> Option<FailureKind> {
    failure.map(|failure| failure.kind)
}

#[test]
fn a_confirm_of_windows_10() {
    let (facts, failure) = answer(&frame("x224_cc_hybrid_ex_win10"));
    assert_eq!(failure, None);
    assert_eq!(facts.selected, Some(Protocol::HYBRID_EX));
    assert_eq!(facts.negotiation, Some(Negotiation::Response));
    assert_eq!(facts.flags.len(), 5);
    assert_eq!(facts.flags[0], "EXTENDED_CLIENT_DATA_SUPPORTED");
    assert_eq!(facts.source_reference, Some(0x1234));
    assert_eq!(
        facts.implementation.as_ref().map(ToString::to_string).as_deref(),
        Some("Windows 10 1607 or later, Server 2016 or later")
    );
    assert_eq!(facts.raw.as_deref(), Some("030000130ed00000123400021f080008000000"));
    assert!(fits_windows(&facts));
}

#[test]
fn unknown_flags_are_kept() {
    let (facts, failure) = answer_hex("030000130ed000001234000241080001000000");
    assert_eq!(failure, None);
    assert_eq!(facts.flags, ["EXTENDED_CLIENT_DATA_SUPPORTED", "0x40"]);
    assert_eq!(facts.flags_raw, Some(0x41));
}

#[test]
fn no_negotiation_data_is_not_a_selection_of_rdp() {
    let (absent, failure) = answer(&frame("x224_cc_no_negotiation_windows"));
    assert_eq!(failure, None);
    assert_eq!(absent.negotiation, Some(Negotiation::Absent));
    assert_eq!(absent.selected, Some(Protocol::RDP));
    let (explicit, failure) = answer(&frame("x224_cc_rdp_w2003"));
    assert_eq!(failure, None);
    assert_eq!(explicit.negotiation, Some(Negotiation::Response));
    assert_eq!(explicit.selected, Some(Protocol::RDP));
}

#[test]
fn every_failure_code_is_a_refusal() {
    for code in [0u32, 1, 2, 3, 4, 5, 6, 7, 8, 0xFFFF_FFFF] {
        let mut bytes = hex::decode("030000130ed000001234000300080000000000").unwrap();
        bytes[15..].copy_from_slice(&code.to_le_bytes());
        let (facts, failure) = answer(&bytes);
        assert_eq!(kind(failure), Some(FailureKind::Rejected));
        assert_eq!(facts.failure_code, Some(code));
        assert_eq!(facts.failure_name.is_some(), (1..=7).contains(&code));
        assert_eq!(facts.selected, None);
    }
    let (facts, _) = answer(&frame("x224_cc_failure_2_w2003"));
    assert_eq!(facts.failure_name.as_deref(), Some("SSL_NOT_ALLOWED_BY_SERVER"));
}

#[test]
fn a_protocol_that_was_not_offered_fails_and_is_kept() {
    let (facts, failure) = answer_hex("030000130ed000001234000200080004000000");
    assert_eq!(facts.selected, Some(Protocol::RDSTLS));
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Malformed);
    assert!(failure.detail.contains("RDSTLS"), "{failure:?}");
    let (_, several) = answer_hex("030000130ed000001234000200080003000000");
    assert_eq!(kind(several), Some(FailureKind::Malformed));
}

#[test]
fn disconnect_request_and_error_say_no() {
    let (facts, failure) = answer_hex("0300000b06800000123402");
    assert_eq!(kind(failure), Some(FailureKind::Rejected));
    assert_eq!((facts.tpdu, facts.reason), (Some(0x80), Some(2)));
    let (facts, failure) = answer_hex("030000090470000002");
    assert_eq!(kind(failure), Some(FailureKind::Rejected));
    assert_eq!((facts.tpdu, facts.reason), (Some(0x70), Some(2)));
}

#[test]
fn an_early_farewell_of_xrdp_is_a_close() {
    let (facts, failure) = answer(&frame("mcs_disconnect_provider_ultimatum_user_requested"));
    assert_eq!(kind(failure), Some(FailureKind::Closed));
    assert_eq!(facts.tpdu, Some(0xF0));
    assert_eq!(facts.implementation.as_ref().map(ToString::to_string).as_deref(), Some("xrdp"));
}

#[test]
fn broken_frames_are_malformed_and_kept() {
    for text in [
        "030000130ed000001234000200090002000000",   // wrong structure length
        "030000130ed000001234000400080002000000",   // unknown structure
        "030000130dd000001234000200080002000000",   // length indicator too short
        "0300001306d000001234000200080002000000",   // negotiation data outside the header
        "030000130fd000001234000200080002000000",   // length indicator beyond the frame
        "030000140fd00000123400020008000200000000", // trailing byte
        "0300000f0ad0000012340002000800",           // cut structure
        "0300000802d00000",                         // cut header
        "030000130ec000001234000200080002000000",   // no such TPDU
        "0300000902f0800000",                       // data, but no farewell
        "0300000700f080",                           // empty header
        "030000ff",                                 // needs more than came
        "03000006",                                 // shorter than any TPDU
        "03000201",                                 // longer than any answer
        "03ffffff",
    ] {
        let bytes = hex::decode(text).unwrap();
        let (facts, failure) = facts_of(testing::conclude(machine(), &bytes, Ending::Closed));
        let expected = if text == "030000ff" { FailureKind::Closed } else { FailureKind::Malformed };
        assert_eq!(kind(failure), Some(expected), "{text}");
        assert_eq!(facts.raw.as_deref(), Some(text));
    }
    let (_, failure) = answer_hex(&hex::encode(&frame("x224_cc_neg_length_zero")[..19]));
    assert_eq!(kind(failure), Some(FailureKind::Malformed));
}

#[test]
fn another_service_is_named_at_the_first_line() {
    let (concluded, read) =
        testing::drive(machine(), b"SSH-2.0-OpenSSH_9.2\r\nmore", &[1], crate::testing::SILENT);
    let (facts, failure) = facts_of(concluded);
    assert_eq!(facts.service, Some(Service::Ssh));
    assert_eq!(facts.banner.as_deref(), Some("SSH-2.0-OpenSSH_9.2"));
    assert_eq!(kind(failure), Some(FailureKind::Malformed));
    assert_eq!(read, 21);
    assert_eq!(facts.implementation, None);
}

#[test]
fn another_service_is_named_although_it_then_goes_silent() {
    for ending in testing::endings() {
        let (facts, failure) = facts_of(testing::conclude(machine(), b"RFB 003", ending));
        assert_eq!(facts.service, Some(Service::Vnc));
        assert_eq!(kind(failure), Some(FailureKind::Malformed));
    }
}

#[test]
fn silence_and_closes_before_any_byte() {
    for (ending, expected) in [
        (Ending::Closed, FailureKind::Closed),
        (Ending::Reset, FailureKind::Reset),
        (crate::testing::SILENT, FailureKind::Timeout),
    ] {
        let (facts, failure) = facts_of(testing::conclude(machine(), b"", ending));
        assert_eq!(kind(failure), Some(expected));
        assert_eq!(facts.raw, None);
        assert_eq!(facts.offered, Protocols::DEFAULT);
    }
}

#[test]
fn a_bad_offer_is_our_own_failure_and_sends_nothing() {
    let mut machine = X224Machine::new(&Offer { cookie: Some("x".repeat(300)), ..Offer::default() });
    assert!(machine.outgoing().is_empty());
    assert_eq!(machine.wanted(), 0);
    assert_eq!(kind(Box::new(machine).conclude().failure), Some(FailureKind::Local));
}

#[test]
fn fingerprints() {
    for (name, implementation, windows) in [
        ("x224_cc_hybrid_2008r2", "Windows 7 or Server 2008 R2", true),
        ("x224_cc_hybrid_2012", "Windows 8 or 8.1, Server 2012 or 2012 R2", true),
        ("x224_cc_hybrid_win10", "Windows 10 or later, Server 2016 or later", true),
        (
            "x224_cc_hybrid_win7_restricted_admin",
            "Windows 7 or Server 2008 R2 with the Restricted Admin update",
            true,
        ),
        ("x224_cc_gnome_remote_desktop", "FreeRDP-based (gnome-remote-desktop, a shadow server)", false),
        ("x224_cc_virtualbox", "VirtualBox", false),
        ("x224_cc_rdp_w2003", "Windows or xrdp", false),
        ("x224_cc_rdp_xrdp", "xrdp, or less likely Windows", false),
        ("x224_cc_ssl_xrdp", "xrdp, or less likely Windows", false),
        ("x224_cc_failure_2_w2003", "Windows or xrdp", false),
    ] {
        let (facts, _) = answer(&frame(name));
        assert_eq!(
            facts.implementation.as_ref().map(ToString::to_string).as_deref(),
            Some(implementation),
            "{name}"
        );
        assert_eq!(fits_windows(&facts), windows, "{name}");
    }
}

#[test]
fn facts_survive_the_report() {
    let (facts, failure) = answer(&frame("x224_cc_failure_2_w2003"));
    let step = Step {
        facts: Facts::X224(Box::new(facts)),
        outcome: rdprobe_report::StepOutcome::Failed,
        started_ms: Default::default(),
        duration_ms: Default::default(),
        bytes_sent: 19,
        bytes_received: 19,
        failure,
    };
    let json = serde_json::to_string(&step).unwrap();
    assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
}

#[test]
fn every_cut_concludes() {
    for name in ["x224_cc_hybrid_ex_win10", "x224_cc_failure_2_w2003", "x224_cc_virtualbox"] {
        testing::survives_every_cut(machine, &frame(name));
    }
    testing::survives_every_cut(machine, b"HTTP/1.1 400 Bad Request\r\n");
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        bytes in proptest::collection::vec(any::<u8>(), 0..600), (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn garbled_answers_do_no_harm(
        bytes in testing::garbled(hex::decode("030000130ed00000123400021f080008000000").unwrap()),
        (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(machine, &bytes, &pieces, &ending)?;
    }
}
