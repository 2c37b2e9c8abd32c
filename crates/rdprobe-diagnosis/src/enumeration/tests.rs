//! Exchanges as they are recorded, and what they come to.

use std::net::SocketAddr;

use rdprobe_report::facts::{
    About, Alert, Answer, Asked, DnsFacts, Exchange, Exchanges, ServerHello, SuiteList, TlsFacts,
};
use rdprobe_report::{
    Ask, Attempt, Facts, FailureKind, Millis, NamedGroup, Observations, Offer, Options, Phase, Purpose,
    Recipe, Step, StepOutcome, Target, TlsPolicy,
};

use super::*;
use crate::clients;

const ADDRESS: &str = "192.0.2.7:3389";
const V12: TlsVersion = TlsVersion::TLS_1_2;

fn hello(suite: u16) -> Answer {
    Answer::ServerHello(Box::new(ServerHello {
        version: V12,
        suite: CipherSuite(suite),
        group: Some(NamedGroup::X25519),
        hello_retry_request: false,
        extensions: vec![RENEGOTIATION_INFO],
        compression: 0,
        session_id_bytes: 0,
        alpn: None,
        certificate: None,
        signature_scheme: None,
        dh_bits: None,
    }))
}

fn alert(code: u8) -> Answer {
    Answer::Alert { alert: Alert::new(2, code) }
}

fn exchange(version: TlsVersion, suites: &[CipherSuite], answer: Answer, began_after: u32) -> Exchange {
    let asked = Asked {
        about: About::Suites,
        client: None,
        version: Some(version),
        suites: SuiteList(suites.to_vec()),
        groups: None,
        key_shares: false,
        server_name: None,
    };
    Exchange { asked, answer, began_after, alone: false }
}

fn all_but(found: &[u16]) -> Vec<CipherSuite> {
    CipherSuite::registered().filter(|suite| suite.fits(V12) && !found.contains(&suite.0)).collect()
}

fn seen(exchanges: Vec<Exchange>) -> Observations {
    let target = Target { input: "192.0.2.7".into(), host: "192.0.2.7".into(), port: 3389 };
    let options = Options { tls_policy: Some(TlsPolicy::Modern), ..Options::default() };
    let mut seen = Observations::new(target, options);
    let step = |facts| Step {
        facts,
        outcome: StepOutcome::Ok,
        started_ms: Millis(0.0),
        duration_ms: Millis(0.0),
        bytes_sent: 0,
        bytes_received: 0,
        failure: None,
    };
    let address: SocketAddr = ADDRESS.parse().unwrap();
    seen.resolution =
        Some(step(Facts::Dns(DnsFacts { addresses: vec![address.ip()], ..DnsFacts::default() })));
    let ask =
        Ask::TlsEnumeration { offer: Offer::default(), connections: 200, parallel: 4, clients: Vec::new() };
    let exchanges = Exchanges { exchanges, ended: Some(EnumerationEnd::Complete), ..Exchanges::default() };
    let facts = TlsFacts { exchanges: Some(Box::new(exchanges)), ..TlsFacts::default() };
    seen.attempts.push(Attempt {
        id: 0,
        recipe: Recipe {
            purpose: Purpose::TlsEnumeration,
            address,
            alone: false,
            beside: None,
            patience_ms: None,
            ask,
        },
        started_ms: Millis(0.0),
        ended_ms: Some(Millis(1.0)),
        cut_off: false,
        steps: vec![step(Facts::Tls(Box::new(facts)))],
        waiting: None,
    });
    seen
}

fn judged(exchanges: Vec<Exchange>) -> Enumeration {
    let seen = seen(exchanges);
    enumeration(View::new(&seen, ADDRESS.parse().unwrap())).unwrap()
}

fn version(found: &Enumeration, version: TlsVersion) -> &EnumeratedVersion {
    found.versions.iter().find(|known| known.version == version).unwrap()
}

#[test]
fn what_is_answered_is_accepted_and_what_is_refused_by_alert_is_not() {
    let found = judged(vec![
        exchange(V12, &all_but(&[]), hello(0xC02F), 0),
        exchange(V12, &all_but(&[0xC02F]), alert(40), 1),
        exchange(TlsVersion::TLS_1_1, &all_but(&[]), alert(70), 2),
    ]);
    let tls12 = version(&found, V12);
    assert_eq!((tls12.accepted, tls12.complete, tls12.suites.len()), (Some(true), true, 1));
    for refused in [TlsVersion::TLS_1_1, TlsVersion::TLS_1_0, TlsVersion::SSL_3_0] {
        assert_eq!(version(&found, refused).accepted, Some(false), "{refused}");
    }
    assert_eq!(version(&found, TlsVersion::TLS_1_3).accepted, None);
    assert_eq!(found.secure_renegotiation, Some(true));
    assert_eq!(found.policy.as_ref().and_then(|policy| policy.met), Some(false));
}

#[test]
fn hanging_up_refuses_nothing_unless_it_did_so_alone_and_answered_later() {
    let rest = all_but(&[0xC02F]);
    let reset = |began_after, alone| Exchange { alone, ..exchange(V12, &rest, Answer::Reset, began_after) };
    let answered = |began_after| exchange(V12, &all_but(&[]), hello(0xC02F), began_after);
    // Nothing was asked after it.
    assert!(!version(&judged(vec![answered(0), reset(1, true)]), V12).complete);
    // Something was answered after it, but it was not alone.
    assert!(!version(&judged(vec![answered(0), reset(1, false), answered(2)]), V12).complete);
    assert!(version(&judged(vec![answered(0), reset(1, true), answered(2)]), V12).complete);
    // The one that was answered had been sent before.
    assert!(!version(&judged(vec![answered(0), reset(1, true), answered(1)]), V12).complete);
}

#[test]
fn what_did_not_reach_the_host_says_nothing() {
    let away =
        Answer::NotReached { phase: Phase::Tcp, failure: FailureKind::Refused, detail: "refused".into() };
    let found = judged(vec![
        exchange(V12, &all_but(&[]), hello(0xC02F), 0),
        exchange(V12, &all_but(&[0xC02F]), away, 1),
        exchange(V12, &all_but(&[]), hello(0xC02F), 2),
    ]);
    assert!(!version(&found, V12).complete);
    assert!(
        found.unknown.iter().any(|line| line.contains("further suites of TLS 1.2")),
        "{:?}",
        found.unknown
    );
}

#[test]
fn an_answer_from_outside_the_offer_accepts_nothing() {
    let found = judged(vec![exchange(V12, &[CipherSuite(0xC030)], hello(0xC02F), 0)]);
    assert_eq!(version(&found, V12).accepted, None);
}

#[test]
fn a_choice_that_passes_over_an_earlier_suite_is_the_host_s_own() {
    let two = [CipherSuite(0xC030), CipherSuite(0xC02F)];
    let found = judged(vec![
        exchange(V12, &two, hello(0xC02F), 0),
        exchange(V12, &[CipherSuite(0xC030)], hello(0xC030), 1),
    ]);
    assert_eq!(version(&found, V12).server_preference, Some(true));
}

#[test]
fn a_client_is_locked_out_only_where_its_hello_was_refused() {
    let mut refused = exchange(V12, &[], alert(40), 1);
    refused.asked =
        Asked { about: About::Client, client: Some("java-17".into()), version: None, ..refused.asked };
    let mut reset = refused.clone();
    (reset.asked.client, reset.answer) = (Some("mstsc-win81".into()), Answer::Reset);
    let seen = seen(vec![exchange(V12, &all_but(&[]), hello(0xC02F), 0), refused, reset]);
    let clients = clients::clients(View::new(&seen, ADDRESS.parse().unwrap()));
    let of = |id: &str| clients.iter().find(|client| client.id == id).unwrap();
    assert_eq!((of("java-17").outcome.as_str(), of("java-17").proven), ("fails", true));
    // It has the suite and the group that another hello was given.
    assert!(of("java-17").reason.as_ref().is_some_and(|reason| reason.contains("signature algorithms")));
    assert!(!of("mstsc-win81").proven);
    assert_eq!(of("mstsc-win7").outcome.as_str(), "unknown");
}
