use proptest::prelude::*;

use super::*;
use crate::testing::{self, challenge};

fn bare() -> CredsspMachine {
    CredsspMachine::new(Wrapping::Bare)
}

fn facts_of(concluded: Concluded) -> (CredsspFacts, Option<Failure>) {
    match concluded.facts {
        Facts::Credssp(facts) => (*facts, concluded.failure),
        other => panic!("{other:?}"),
    }
}

fn answer(bytes: &[u8]) -> (CredsspFacts, Option<Failure>) {
    facts_of(testing::conclude(bare(), bytes, Ending::Closed))
}

fn reply(version: Option<u32>, token: Option<Vec<u8>>) -> Vec<u8> {
    TsRequest { version, token, ..TsRequest::default() }.encode()
}

fn refusal(status: u32) -> Vec<u8> {
    TsRequest { version: Some(6), error_code: Some(status), ..TsRequest::default() }.encode()
}

fn kind(failure: &Option<Failure>) -> Option<FailureKind> {
    failure.as_ref().map(|failure| failure.kind)
}

#[test]
fn we_send_one_request_of_version_6() {
    let bytes = bare().outgoing();
    let request = TsRequest::decode(&bytes).unwrap();
    assert_eq!(request.version, Some(6));
    assert_eq!(request.token, Some(ntlm::negotiate()));
    let bytes = CredsspMachine::new(Wrapping::Spnego).outgoing();
    let request = TsRequest::decode(&bytes).unwrap();
    assert_eq!(spnego::token_of_init(&request.token.unwrap()), Some(ntlm::negotiate()));
}

#[test]
fn a_challenge_says_who_the_host_is() {
    let mut stream = reply(Some(6), Some(challenge().encode()));
    let length = stream.len();
    stream.extend_from_slice(&[0x30; 40]);
    let (concluded, read) = testing::drive(bare(), &stream, &[usize::MAX], Ending::Closed);
    assert_eq!(read, length, "never a byte beyond the message");
    let (facts, failure) = facts_of(concluded);
    assert_eq!(failure, None);
    assert_eq!(facts.version, Some(6));
    assert_eq!(facts.build, Some(20348));
    assert_eq!(facts.ntlm_version.as_deref(), Some("10.0.20348"));
    assert_eq!(facts.netbios_computer.as_deref(), Some("RDS01"));
    assert_eq!(facts.netbios_domain.as_deref(), Some("CONTOSO"));
    assert_eq!(facts.dns_computer.as_deref(), Some("rds01.corp.contoso.example"));
    assert_eq!(facts.dns_domain.as_deref(), Some("corp.contoso.example"));
    assert_eq!(facts.dns_forest.as_deref(), Some("contoso.example"));
    assert_eq!(facts.target_name.as_deref(), Some("CONTOSO"));
    assert_eq!(facts.server_time.unwrap().date(), "2026-11-24");
    assert_eq!(facts.mechanism, None);
    assert_eq!(facts.windows, Vec::<String>::new());
    assert_eq!(facts.raw, None);
    assert!(!facts.spnego && !facts.authentication_sent);
}

#[test]
fn the_challenge_of_a_freerdp_server_claims_a_build_of_windows() {
    let (facts, failure) = answer(&testing::frame("credssp_challenge_freerdp2_shadow"));
    assert_eq!(failure, None);
    assert_eq!(facts.ntlm_version.as_deref(), Some("6.1.7601"));
    assert_eq!(facts.netbios_computer.as_deref(), Some("VM"));
    assert_eq!(facts.dns_forest, None);
    assert_eq!(facts.server_time.unwrap().to_string(), "2026-11-21T08:25:42.000Z");
}

#[test]
fn an_answer_within_spnego_names_the_mechanism() {
    let token = spnego::neg_token_resp(&challenge().encode());
    let bytes = reply(Some(6), Some(token));
    for wrapping in [Wrapping::Spnego, Wrapping::Bare] {
        let machine = CredsspMachine::new(wrapping);
        let (facts, failure) = facts_of(testing::conclude(machine, &bytes, Ending::Closed));
        assert_eq!(failure, None);
        assert_eq!(facts.mechanism.as_deref(), Some("NTLM"));
        assert_eq!(facts.build, Some(20348));
        assert_eq!(facts.spnego, wrapping == Wrapping::Spnego);
    }
}

#[test]
fn odd_and_missing_versions_are_no_failure() {
    for version in [None, Some(0), Some(2), Some(5), Some(7), Some(0x7FFF_FFFF), Some(u32::MAX)] {
        let (facts, failure) = answer(&reply(version, Some(challenge().encode())));
        assert_eq!(failure, None, "{version:?}");
        assert_eq!(facts.version, version);
    }
}

#[test]
fn a_refusal_names_its_status() {
    let (facts, failure) = answer(&refusal(0xC000_00BB));
    assert_eq!(kind(&failure), Some(FailureKind::Rejected));
    assert_eq!(facts.ntstatus, Some(NtStatus(0xC000_00BB)));
    assert_eq!(facts.ntstatus_name.as_deref(), Some("STATUS_NOT_SUPPORTED"));
    let (facts, failure) = answer(&refusal(0xC007_0057));
    assert_eq!(kind(&failure), Some(FailureKind::Rejected));
    assert_eq!(facts.ntstatus_name, None);
}

#[test]
fn a_host_without_ntlm_says_what_it_takes() {
    // NegTokenResp: accept-incomplete, Kerberos, no token.
    let token = hex::decode("a1143012a0030a0101a10b06092a864886f712010202").unwrap();
    let (facts, failure) = answer(&reply(Some(6), Some(token)));
    assert_eq!(kind(&failure), Some(FailureKind::Rejected));
    assert_eq!(facts.mechanism.as_deref(), Some("Kerberos"));
    let reject = hex::decode("a1073005a0030a0102").unwrap();
    let (_, failure) = answer(&reply(Some(6), Some(reject)));
    assert_eq!(kind(&failure), Some(FailureKind::Rejected));
}

#[test]
fn what_is_no_answer_is_malformed_and_kept() {
    // FreeRDP 2 answers SPNEGO with a token of 12 kB of zeros.
    let (_, failure) = answer(&reply(Some(6), Some(vec![0; 12_260])));
    assert_eq!(kind(&failure), Some(FailureKind::Malformed));
    let (facts, failure) = answer(&[0; 12_000]);
    assert_eq!(kind(&failure), Some(FailureKind::Malformed));
    assert_eq!(facts.raw.as_deref(), Some("00000000000000"));
    for bytes in [
        reply(Some(6), None),
        reply(Some(6), Some(Vec::new())),
        reply(Some(6), Some(ntlm::negotiate())),
        reply(Some(6), Some(vec![0xA1; 20])),
        reply(Some(6), Some(challenge().encode()[..60].to_vec())),
        b"HTTP/1.1 400".to_vec(),
    ] {
        let (facts, failure) = answer(&bytes);
        assert_eq!(kind(&failure), Some(FailureKind::Malformed));
        assert!(facts.raw.unwrap().len() <= 2 * MAX_RAW);
    }
}

#[test]
fn ends_before_and_within_the_answer() {
    let bytes = reply(Some(6), Some(challenge().encode()));
    for (cut, ending, expected) in [
        (0, Ending::Reset, FailureKind::Reset),
        (3, Ending::Closed, FailureKind::Closed),
        (50, crate::testing::SILENT, FailureKind::Timeout),
    ] {
        let (facts, failure) = facts_of(testing::conclude(bare(), &bytes[..cut], ending));
        assert_eq!(kind(&failure), Some(expected));
        assert_eq!(facts.raw.is_some(), cut > 0);
    }
    // Old servers refuse a logon with access_denied.
    let alert = rdprobe_report::facts::Alert::new(2, 49);
    let (facts, failure) = facts_of(testing::conclude(bare(), b"", Ending::Alert(alert)));
    assert_eq!(kind(&failure), Some(FailureKind::Alert));
    assert_eq!(facts.alert, Some(alert));
    let (_, failure) = answer(b"no");
    assert_eq!(kind(&failure), Some(FailureKind::Malformed));
}

#[test]
fn every_cut_concludes() {
    testing::survives_every_cut(bare, &reply(Some(6), Some(challenge().encode())));
    testing::survives_every_cut(bare, &refusal(0xC000_006D));
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        bytes in proptest::collection::vec(any::<u8>(), 0..100), (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(bare, &bytes, &pieces, &ending)?;
    }

    #[test]
    fn garbled_answers_do_no_harm(
        bytes in testing::garbled(reply(Some(6), Some(spnego::neg_token_resp(&challenge().encode())))),
        (pieces, ending) in testing::pieces_and_ending(),
    ) {
        testing::pieces_do_not_matter(bare, &bytes, &pieces, &ending)?;
    }
}
