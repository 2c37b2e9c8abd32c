//! The enumeration against hosts that are made of rules, and against hosts that keep none.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rdprobe_report::facts::{Alert, ServerHello};
use rdprobe_report::{KeyExchange, Millis, Phase};

use super::*;

/// A host.
#[derive(Clone, Debug)]
struct Host {
    /// Suites of each version, in its order.
    suites: Vec<(TlsVersion, Vec<CipherSuite>)>,
    groups: Vec<NamedGroup>,
    /// The client's order decides.
    client_order: bool,
    refusal: Answer,
    /// From this connection on it takes none.
    ban_after: u32,
    /// For so many connections, then it is back.
    ban_for: u32,
    /// More than so many side by side are reset.
    at_once: usize,
    wants_key_share: bool,
}

impl Host {
    fn new(suites: &[(TlsVersion, &[u16])]) -> Self {
        let suites = suites
            .iter()
            .map(|(version, suites)| (*version, suites.iter().map(|&code| CipherSuite(code)).collect()));
        Self {
            suites: suites.collect(),
            groups: [0x001D, 0x0017, 0x0018].map(NamedGroup).to_vec(),
            client_order: false,
            refusal: alert(40),
            ban_after: u32::MAX,
            ban_for: u32::MAX,
            at_once: usize::MAX,
            wants_key_share: false,
        }
    }

    fn answer(&self, hello: &HelloProfile) -> Answer {
        let offered = |version: &TlsVersion| match hello.versions[0] >= TlsVersion::TLS_1_3
            && hello.versions.len() == 1
        {
            true => *version == TlsVersion::TLS_1_3,
            false => {
                hello.versions[0] >= *version && (*version < TlsVersion::TLS_1_3 || hello.offers_tls13())
            }
        };
        let best =
            self.suites.iter().filter(|(version, _)| offered(version)).max_by_key(|(version, _)| *version);
        let Some((version, own)) = best else { return alert(70) };
        let is_13 = *version == TlsVersion::TLS_1_3;
        if is_13 && self.wants_key_share && hello.key_shares.is_empty() {
            return alert(40);
        }
        let group = self.groups.iter().find(|group| hello.groups.contains(group)).copied();
        let usable = |suite: &CipherSuite| {
            let grouped = matches!(suite.key_exchange(), Some(KeyExchange::Ecdhe | KeyExchange::Tls13));
            own.contains(suite) && hello.suites.contains(suite) && (!grouped || group.is_some())
        };
        let order = if self.client_order { &hello.suites } else { own };
        let Some(suite) = order.iter().copied().find(usable) else { return self.refusal.clone() };
        let grouped = matches!(suite.key_exchange(), Some(KeyExchange::Ecdhe | KeyExchange::Tls13));
        server_hello(*version, suite, group.filter(|_| grouped))
    }

    fn truth(&self, version: TlsVersion) -> BTreeSet<u16> {
        let own = self.suites.iter().find(|(other, _)| *other == version);
        own.map(|(_, suites)| suites.iter().map(|suite| suite.0).collect()).unwrap_or_default()
    }
}

fn server_hello(version: TlsVersion, suite: CipherSuite, group: Option<NamedGroup>) -> Answer {
    Answer::ServerHello(Box::new(ServerHello {
        version,
        suite,
        group,
        hello_retry_request: false,
        extensions: Vec::new(),
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

fn not_reached() -> Answer {
    Answer::NotReached { phase: Phase::Tcp, failure: FailureKind::Refused, detail: "refused".into() }
}

fn scope() -> Scope {
    Scope {
        server_name: Some("rds01.corp.example".into()),
        clients: Vec::new(),
        connections: 200,
        parallel: 4,
        known: Vec::new(),
    }
}

/// Runs it against the host; what was seen and how many connections that took, and how often it paused.
fn run(host: &Host, scope: Scope) -> (Exchanges, u32, u32) {
    let mut machine = Enumerator::new(scope);
    let (mut made, mut pauses) = (0, 0);
    let mut flying: VecDeque<(u32, Answer)> = VecDeque::new();
    loop {
        match machine.advance() {
            Next::Ask(hello) => {
                made += 1;
                let banned = made > host.ban_after && made - host.ban_after <= host.ban_for;
                let answer = match flying.len() >= host.at_once {
                    _ if banned => not_reached(),
                    true => Answer::Reset,
                    false => host.answer(&hello.profile),
                };
                flying.push_back((hello.id, answer));
            }
            Next::Wait => {
                let (id, answer) = flying.pop_front().expect("nothing is waited for but answers");
                machine.answer(id, answer, &[]);
            }
            Next::Pause(_) => pauses += 1,
            Next::Done => break,
        }
    }
    (machine.finish(), made, pauses)
}

/// The suites that the exchanges prove for a version.
fn proved(seen: &Exchanges, version: TlsVersion) -> BTreeSet<u16> {
    let hellos = seen.exchanges.iter().filter_map(|exchange| exchange.answer.server_hello());
    hellos.filter(|hello| hello.version == version).map(|hello| hello.suite.0).collect()
}

fn groups(seen: &Exchanges, version: TlsVersion) -> BTreeSet<u16> {
    let hellos = seen.exchanges.iter().filter_map(|exchange| exchange.answer.server_hello());
    hellos.filter(|hello| hello.version == version).filter_map(|hello| Some(hello.group?.0)).collect()
}

const V13: TlsVersion = TlsVersion::TLS_1_3;
const V12: TlsVersion = TlsVersion::TLS_1_2;
const V10: TlsVersion = TlsVersion::TLS_1_0;
const OPENSSL_13: &[u16] = &[0x1302, 0x1303, 0x1301];
const OPENSSL_12: &[u16] = &[
    0xC030, 0x009F, 0xCCA8, 0xCCAA, 0xC02F, 0x009E, 0xC028, 0x006B, 0xC027, 0x0067, 0xC014, 0x0039, 0xC013,
    0x0033, 0x009D, 0x009C, 0x003D, 0x003C, 0x0035, 0x002F,
];

fn xrdp() -> Host {
    let groups = [0x001D, 0x0017, 0x001E, 0x0019, 0x0018, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104];
    Host { groups: groups.map(NamedGroup).to_vec(), ..Host::new(&[(V13, OPENSSL_13), (V12, OPENSSL_12)]) }
}

#[test]
fn a_host_like_xrdp_takes_forty_connections() {
    for client_order in [false, true] {
        let host = Host { client_order, ..xrdp() };
        let known = vec![(V13, CipherSuite(0x1302), Some(NamedGroup(0x001D)))];
        let (seen, made, _) = run(&host, Scope { known: known.clone(), ..scope() });
        assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
        let mut suites = proved(&seen, V13);
        suites.insert(0x1302);
        assert_eq!(suites, host.truth(V13));
        assert_eq!(proved(&seen, V12), host.truth(V12));
        assert_eq!(groups(&seen, V12), [0x001D, 0x0017, 0x001E, 0x0019, 0x0018].into());
        assert!(groups(&seen, V13).len() >= 9);
        assert!(made <= 40, "{made} connections, the client's order {client_order}");
    }
}

#[test]
fn a_host_of_old_versions_is_read_to_the_bottom() {
    let legacy: &[u16] = &[0xC014, 0x0039, 0x0035, 0x002F, 0x000A, 0x0005];
    let host =
        Host::new(&[(V12, &[0xC02F, 0xC030]), (V10, legacy), (TlsVersion::SSL_3_0, &[0x0005, 0x000A])]);
    let (seen, made, _) = run(&host, scope());
    for version in VERSIONS {
        assert_eq!(proved(&seen, version), host.truth(version), "{version}");
    }
    assert!(made <= 30, "{made}");
}

#[test]
fn a_refusal_by_hanging_up_is_believed_after_a_control() {
    for refusal in [Answer::Reset, Answer::Closed, Answer::Silence { waited_ms: Millis(5000.0) }] {
        let host = Host { refusal, ..xrdp() };
        let (seen, made, pauses) = run(&host, scope());
        assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
        assert_eq!(proved(&seen, V12), host.truth(V12));
        assert_eq!(pauses, 0);
        assert!(made <= 60, "{made}");
    }
}

#[test]
fn a_host_that_bans_us_is_left_alone() {
    let host = Host { ban_after: 20, ..xrdp() };
    let (seen, made, pauses) = run(&host, scope());
    assert_eq!(seen.ended, Some(EnumerationEnd::TurnedAway));
    assert!(made <= 30 && pauses == 3, "{made} connections, {pauses} pauses");
    // What was found before stands, and nothing was refused on the ban's account.
    assert!(proved(&seen, V12).len() >= 5);
}

#[test]
fn a_host_that_comes_back_is_read_to_the_end_slowly() {
    let host = Host { ban_after: 20, ban_for: 6, ..xrdp() };
    let (seen, _, pauses) = run(&host, scope());
    assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
    assert_eq!(proved(&seen, V12), host.truth(V12));
    assert!(pauses > 0);
}

#[test]
fn a_host_that_resets_neighbours_loses_no_suite() {
    let host = Host { at_once: 2, ..xrdp() };
    let (seen, ..) = run(&host, scope());
    assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
    assert_eq!(proved(&seen, V12), host.truth(V12));
    assert_eq!(proved(&seen, V13), host.truth(V13));
}

#[test]
fn a_budget_is_kept() {
    let (seen, made, _) = run(&xrdp(), Scope { connections: 12, ..scope() });
    assert_eq!((seen.ended, made), (Some(EnumerationEnd::Budget), 12));
    assert_eq!(seen.exchanges.len(), 12);
}

#[test]
fn a_host_that_wants_a_key_share_gets_one() {
    let host = Host { wants_key_share: true, ..xrdp() };
    let known = vec![(V13, CipherSuite(0x1302), Some(NamedGroup::X25519))];
    let (seen, ..) = run(&host, Scope { known, ..scope() });
    let mut suites = proved(&seen, V13);
    suites.insert(0x1302);
    assert_eq!(suites, host.truth(V13));
}

/// No library here has the hybrids, so a rule plays them: a HelloRetryRequest names one without cryptography.
#[test]
fn hybrid_groups_are_found() {
    let hybrids = [0x11EC, 0x11EB, 0x11ED, 0x0019];
    let host = Host { groups: hybrids.map(NamedGroup).to_vec(), ..Host::new(&[(V13, OPENSSL_13)]) };
    let (seen, ..) = run(&host, scope());
    assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
    assert_eq!(groups(&seen, V13), hybrids.into());
}

/// What the host was seen to choose is not asked again, so the first part of the groups may well be refused; that says
/// nothing of key shares, and nothing of the groups that few hosts have.
#[test]
fn a_group_known_before_hides_no_other() {
    let own = [0x001D, 0x11EC, 0x11EB].map(NamedGroup);
    let host = Host { groups: own.to_vec(), ..Host::new(&[(V13, OPENSSL_13)]) };
    let known = vec![(V13, CipherSuite(0x1302), Some(NamedGroup::X25519))];
    let (seen, ..) = run(&host, Scope { known, ..scope() });
    assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
    let mut found = groups(&seen, V13);
    found.insert(0x001D);
    assert_eq!(found, own.map(|group| group.0).into());
}

#[test]
fn each_client_is_asked_with_its_own_hello() {
    let clients: Vec<String> = HelloProfile::clients().map(|client| client.id.clone()).collect();
    let (seen, ..) = run(&xrdp(), Scope { clients: clients.clone(), ..scope() });
    let mut asked: Vec<_> =
        seen.exchanges.iter().filter_map(|exchange| exchange.asked.client.clone()).collect();
    asked.sort();
    let mut expected = clients;
    expected.sort();
    assert_eq!(asked, expected);
}

#[test]
fn an_answer_outside_the_offer_is_a_refusal() {
    // It chooses the same, whatever is offered.
    let mut machine = Enumerator::new(scope());
    let mut made = 0;
    loop {
        match machine.advance() {
            Next::Ask(hello) => {
                made += 1;
                machine.answer(
                    hello.id,
                    server_hello(V12, CipherSuite(0xC02F), Some(NamedGroup::X25519)),
                    &[],
                );
            }
            Next::Done => break,
            Next::Wait | Next::Pause(_) => unreachable!("each is answered at once"),
        }
    }
    assert!(made <= 16, "{made}");
}

/// Any answer at all.
fn any_answer() -> impl Strategy<Value = Answer> {
    let hello = (0x02FEu16..0x0306, any::<u16>(), proptest::option::of(0u16..0x110)).prop_map(
        |(version, suite, group)| {
            server_hello(TlsVersion(version), CipherSuite(suite), group.map(NamedGroup))
        },
    );
    let known =
        (0x0301u16..0x0305, proptest::sample::select(OPENSSL_12.to_vec())).prop_map(|(version, suite)| {
            server_hello(TlsVersion(version), CipherSuite(suite), Some(NamedGroup::X25519))
        });
    prop_oneof![
        hello,
        known,
        any::<u8>().prop_map(alert),
        Just(Answer::Reset),
        Just(Answer::Closed),
        Just(Answer::Silence { waited_ms: Millis(1.0) }),
        Just(not_reached()),
        Just(Answer::Malformed { detail: "noise".into() }),
    ]
}

/// A host with any suites and any groups, which refuses in any way.
fn any_host() -> impl Strategy<Value = Host> {
    let suites = |version: TlsVersion, most: usize| {
        let all: Vec<CipherSuite> = CipherSuite::registered().filter(|suite| suite.fits(version)).collect();
        proptest::sample::subsequence(all, 0..=most).prop_shuffle()
    };
    let versions = (suites(V13, 5), suites(V12, 40), suites(TlsVersion::TLS_1_1, 10), suites(V10, 10));
    let groups = proptest::sample::subsequence(super::question::all_groups(V12), 1..6).prop_shuffle();
    let refusal = proptest::sample::select(vec![alert(40), Answer::Reset, Answer::Closed]);
    (versions, groups, refusal, any::<bool>()).prop_map(
        |((v13, v12, v11, v10), groups, refusal, client_order)| {
            let versions = [(V13, v13), (V12, v12), (TlsVersion::TLS_1_1, v11), (V10, v10)];
            let spoken = versions.into_iter().filter(|(_, suites)| !suites.is_empty());
            Host { suites: spoken.collect(), groups, refusal, client_order, ..Host::new(&[]) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a host answers, the enumeration comes to an end within its budget.
    #[test]
    fn any_answers_come_to_an_end(answers in proptest::collection::vec(any_answer(), 1..60)) {
        let mut machine = Enumerator::new(Scope { connections: 150, ..scope() });
        let mut answers = answers.into_iter().cycle();
        let mut waiting = VecDeque::new();
        let mut steps = 0;
        loop {
            steps += 1;
            prop_assert!(steps < 2000);
            match machine.advance() {
                Next::Ask(hello) => waiting.push_back(hello.id),
                Next::Wait => {
                    let id = waiting.pop_front().unwrap();
                    machine.answer(id, answers.next().unwrap(), &[]);
                }
                Next::Pause(_) => {}
                Next::Done => break,
            }
        }
        prop_assert!(machine.finish().exchanges.len() <= 150);
    }

    /// What a host that keeps to the rules speaks is found, all of it.
    #[test]
    fn all_that_a_host_speaks_is_found(host in any_host()) {
        let (seen, made, _) = run(&host, scope());
        prop_assert_eq!(seen.ended, Some(EnumerationEnd::Complete));
        for version in VERSIONS {
            let usable: BTreeSet<u16> = host.truth(version).into_iter().filter(|code| {
                let grouped = matches!(CipherSuite(*code).key_exchange(), Some(KeyExchange::Ecdhe | KeyExchange::Tls13));
                !grouped || host.groups.iter().any(|group| group.fits(version))
            }).collect();
            prop_assert_eq!(proved(&seen, version), usable, "{}", version);
        }
        let found: usize = VERSIONS.iter().map(|version| proved(&seen, *version).len()).sum();
        prop_assert!(made as usize <= 3 * found + 60, "{} for {}", made, found);
    }
}
