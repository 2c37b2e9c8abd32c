//! The whole inbound side as one function of bytes: machines, facts, observations, plan, verdict, report, JSON.
//!
//! The fuzz target calls it with what the fuzzer makes up, the tests with recorded frames. TLS is without
//! cryptography here: the reader of the server's flight stands where rustls would, and what follows the flight is
//! taken for the inside of the connection.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use rdprobe_diagnosis::{MOST_AT_ONCE, MOST_ATTEMPTS, diagnose, plan};
use rdprobe_protocol::certificate::certificate_facts;
use rdprobe_protocol::credssp::exchange::{ExchangeMachine, Expected};
use rdprobe_protocol::credssp::{CredsspMachine, TsRequest, Wrapping, kerberos};
use rdprobe_protocol::licensing::LicensingMachine;
use rdprobe_protocol::mcs::McsMachine;
use rdprobe_protocol::tls::enumeration::{Enumerator, Next, Scope};
use rdprobe_protocol::tls::legacy::{LegacyMachine, LegacySeed};
use rdprobe_protocol::tls::{HelloMachine, HelloSeed, Reading};
use rdprobe_protocol::udp::{Syn, SynAck};
use rdprobe_protocol::x224::X224Machine;
use rdprobe_protocol::{Concluded, Ending, Machine};
use rdprobe_report::facts::{Alert, DnsFacts, Icmp, SignatureCheck, TcpFacts, TlsFacts, UdpFacts, UdpProbe};
use rdprobe_report::hello::LEGACY_TLS;
use rdprobe_report::{
    Ask, Attempt, Depth, Facts, Failure, FailureKind, HelloProfile, Limit, LocalFault, Millis, Observations,
    Offer, Options, Protocol, Purpose, RUSTLS, Recipe, Report, Step, StepOutcome, Target, Timestamp,
    UdpQuestion,
};

use crate::proof;

/// Connections that the bytes can tell apart; the attempts take them in turn.
const MOST_CONNECTIONS: usize = 16;
/// Whatever the hosts say, a report is no larger than so many bytes for each that they said, and a base.
const GROWTH: usize = 256;
const BASE: usize = 1 << 20;

/// Judges the hosts that `data` describes. The first byte has the options, the second chooses the order in which
/// attempts end; then comes one connection after the other: how TCP fares and how the host ends it (1 byte), how much
/// it says (2 bytes, little-endian), and what.
///
/// # Panics
/// Where the product does, or breaks one of its promises.
pub fn judge(data: &[u8]) -> Report {
    let (settings, hosts) = data.split_at(data.len().min(2));
    let [choice, order] = [0, 1].map(|place| settings.get(place).copied().unwrap_or_default());
    let hosts = connections(hosts);
    let mut seen = question(choice);
    let mut in_flight: Vec<usize> = Vec::new();
    let mut said = 0;
    loop {
        for recipe in plan(&seen) {
            let id = seen.attempts.len();
            in_flight.push(id);
            seen.attempts.push(attempt(id, recipe));
        }
        check_plan(&seen);
        if in_flight.is_empty() {
            break;
        }
        let next = in_flight.remove(usize::from(order) % in_flight.len());
        let host = &hosts[next % hosts.len()];
        said += host.says.len();
        seen.elapsed_ms.0 += 1.0;
        let steps = host.answer(&seen.attempts[next].recipe, &seen.options);
        seen.attempts[next].steps = steps;
        seen.attempts[next].ended_ms = Some(seen.elapsed_ms);
    }
    let report = diagnose(&seen, now(), now());
    check(&report, said);
    report
}

/// The promises that hold whatever hosts say.
fn check(report: &Report, said: usize) {
    let verdict = &report.verdict;
    assert!(!verdict.summary.is_empty(), "a verdict says something");
    assert!(!verdict.ruled_out.is_empty() && !verdict.next.is_empty(), "never empty");
    assert_eq!(proof::unproven(report), None);
    let json = serde_json::to_string(report).expect("a report has string keys alone");
    assert!(json.len() <= BASE + GROWTH * said, "{} bytes of report for {said} of hosts", json.len());
    let read: Report = serde_json::from_str(&json).expect("what is written can be read");
    let again = diagnose(&read.observations(), now(), now());
    assert_eq!(again.verdict, report.verdict, "a replay comes to the same verdict");
}

fn check_plan(seen: &Observations) {
    for address in seen.addresses() {
        let over_tcp = |attempt: &&Attempt| {
            matches!(attempt.recipe.ask, Ask::Tcp { .. }) && attempt.recipe.address.ip() == address.ip()
        };
        let attempts: Vec<&Attempt> = seen.attempts.iter().filter(over_tcp).collect();
        let open = attempts.iter().filter(|attempt| attempt.in_flight()).count();
        assert!(attempts.len() <= MOST_ATTEMPTS && open <= MOST_AT_ONCE);
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_795_253_400).expect("2026-11-21T09:30:00Z")
}

fn question(choice: u8) -> Observations {
    let bit = |place: u8| choice & (1 << place) != 0;
    let options = Options {
        client: if bit(0) { "mstsc-win7" } else { "mstsc-win11-24h2" }.into(),
        server_name: bit(1).then(|| "rds01.corp.example".into()),
        no_nla: bit(2),
        offers: bit(3),
        mcs: bit(3),
        licensing: bit(4),
        tls: bit(3),
        in_turn: bit(4),
        udp: match choice >> 5 & 3 {
            0 => UdpQuestion::Aside,
            1 => UdpQuestion::Off,
            2 => UdpQuestion::Asked,
            _ => UdpQuestion::Expected,
        },
        ..Options::default()
    };
    let target = Target {
        input: "rds01.corp.example".into(),
        host: "rds01.corp.example".into(),
        port: Target::DEFAULT_PORT,
    };
    let mut addresses: Vec<IpAddr> = vec![[192, 0, 2, 7].into()];
    if bit(7) {
        addresses.push([192, 0, 2, 8].into());
    }
    let mut seen = Observations::new(target, options);
    let facts = DnsFacts { addresses, ..DnsFacts::default() };
    seen.resolution = Some(step(Facts::Dns(facts), None, 0));
    seen
}

fn attempt(id: usize, recipe: Recipe) -> Attempt {
    Attempt {
        id: id as u32,
        recipe,
        started_ms: Millis(id as f64),
        ended_ms: None,
        cut_off: false,
        steps: Vec::new(),
        waiting: None,
    }
}

fn step(facts: Facts, failure: Option<Failure>, received: usize) -> Step {
    Step {
        facts,
        outcome: match failure {
            None => StepOutcome::Ok,
            Some(_) => StepOutcome::Failed,
        },
        started_ms: Millis(1.0),
        duration_ms: Millis(1.0),
        bytes_sent: 0,
        bytes_received: received as u64,
        failure,
    }
}

/// What a host does on one connection.
struct Host<'d> {
    tcp: u8,
    ends: u8,
    /// Bytes come one by one.
    drips: bool,
    says: &'d [u8],
}

fn connections(mut data: &[u8]) -> Vec<Host<'_>> {
    let mut hosts = Vec::new();
    while hosts.len() < MOST_CONNECTIONS {
        let Some((&[how, low, high], rest)) = data.split_first_chunk() else {
            break;
        };
        let length = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
        let (says, rest) = rest.split_at(length);
        data = rest;
        hosts.push(Host { tcp: how & 7, ends: how >> 3 & 7, drips: how & 0x40 != 0, says });
    }
    if hosts.is_empty() {
        hosts.push(Host { tcp: 0, ends: 0, drips: false, says: data });
    }
    hosts
}

impl Host<'_> {
    fn answer(&self, recipe: &Recipe, options: &Options) -> Vec<Step> {
        match &recipe.ask {
            Ask::Udp { syns, .. } => vec![self.datagrams(*syns)],
            Ask::TlsEnumeration { clients, .. } => vec![self.enumeration(clients)],
            Ask::Tcp { offer, hello, depth } => {
                let mut connection = Connection { host: self, left: self.says, steps: Vec::new() };
                if connection.connect(recipe.address) {
                    let deep = Depths { recipe, options, depth: *depth };
                    connection.talk(offer.as_ref(), hello.as_deref(), &deep);
                }
                connection.steps
            }
        }
    }

    /// Every hello of an enumeration gets what the host says, from another place on.
    fn enumeration(&self, clients: &[String]) -> Step {
        let mut machine = Enumerator::new(Scope {
            server_name: Some("rds01.corp.example".into()),
            clients: clients.to_vec(),
            connections: 40,
            parallel: 4,
            known: Vec::new(),
        });
        let mut waiting = VecDeque::new();
        loop {
            match machine.advance() {
                Next::Ask(hello) => waiting.push_back(hello),
                Next::Pause(_) => {}
                Next::Done => break,
                Next::Wait => {
                    let Some(hello) = waiting.pop_front() else { break };
                    let seed = HelloSeed::from([7; 96]);
                    let mut reader = HelloMachine::new(&hello.profile, hello.server_name.as_deref(), &seed)
                        .reading(Reading::KeyExchange);
                    let mut says = &self.says[hello.id as usize % self.says.len().max(1)..];
                    while reader.wanted() > 0 && !says.is_empty() {
                        let (now, later) = says.split_at(reader.wanted().min(says.len()));
                        reader.receive(now);
                        says = later;
                    }
                    if reader.wanted() > 0 {
                        reader.end(self.ending());
                    }
                    machine.answer(hello.id, reader.answer(), reader.chain());
                }
            }
        }
        let exchanges = Some(Box::new(machine.finish()));
        let facts = TlsFacts { exchanges, ..TlsFacts::default() };
        step(Facts::Tls(Box::new(facts)), None, self.says.len())
    }

    fn ending(&self) -> Ending {
        match self.ends {
            0 | 6 | 7 => Ending::Closed,
            1 => Ending::Reset,
            2 => Ending::Silent { silent_ms: Millis(5000.0), limit: Limit::Phase },
            3 => Ending::Alert(Alert::new(2, self.says.first().copied().unwrap_or(40))),
            4 => Ending::Malformed("a record that cannot be decrypted".into()),
            _ => Ending::Local {
                fault: LocalFault::Resources,
                errno: Some(105),
                detail: "no buffer space".into(),
            },
        }
    }

    fn icmp(&self) -> Icmp {
        Icmp {
            kind: 3,
            code: self.says.first().map_or(13, |byte| byte % 16),
            from: Some([192, 0, 2, 1].into()),
            v6: false,
            mtu: None,
            ours: false,
        }
    }

    /// Datagrams of up to 1232 bytes, one for each SYN.
    fn datagrams(&self, syns: u32) -> Step {
        let mut facts = UdpFacts { sent: syns, ..UdpFacts::default() };
        let mut datagrams = self.says.chunks(rdprobe_protocol::udp::DATAGRAM);
        for number in 0..syns.min(4) {
            let version = [2, 1, 3, 2][number as usize];
            let syn = Syn::new(version, [7; 20]);
            let mut probe = UdpProbe { version, ..UdpProbe::default() };
            if self.tcp == 7 {
                probe.icmp = Some(self.icmp());
                facts.icmp.push(self.icmp());
            } else if let Some(datagram) = datagrams.next() {
                match SynAck::decode(datagram, &syn) {
                    Ok(answer) => {
                        answer.record(&mut facts);
                        facts.received += 1;
                        probe.rtt_ms = Some(Millis(1.0));
                        probe.answered_version = Some(answer.version);
                    }
                    Err(_) => probe.garbage = Some("ff".into()),
                }
            }
            facts.probes.push(probe);
        }
        let failure = match (facts.received, facts.icmp.first()) {
            (1.., _) => None,
            (_, Some(icmp)) => Some(Failure::new(FailureKind::Unreachable, icmp.meaning())),
            _ => Some(Failure::new(FailureKind::Timeout, "no answer")),
        };
        step(Facts::Udp(Box::new(facts)), failure, self.says.len())
    }
}

struct Depths<'r> {
    recipe: &'r Recipe,
    options: &'r Options,
    depth: Depth,
}

struct Connection<'h> {
    host: &'h Host<'h>,
    left: &'h [u8],
    steps: Vec<Step>,
}

impl Connection<'_> {
    fn connect(&mut self, address: SocketAddr) -> bool {
        let icmp = (self.host.tcp == 7).then(|| self.host.icmp());
        let failure = match (self.host.tcp, &icmp) {
            (5, _) => Some((FailureKind::Refused, "connection refused")),
            (6, _) => Some((FailureKind::Timeout, "no answer")),
            (_, Some(icmp)) if icmp.is_prohibited() => Some((FailureKind::Prohibited, icmp.meaning())),
            (_, Some(icmp)) => Some((FailureKind::Unreachable, icmp.meaning())),
            _ => None,
        };
        let facts =
            TcpFacts { address: Some(address), rtt_ms: Some(Millis(1.0)), icmp, ..TcpFacts::default() };
        let failure = failure.map(|(kind, detail)| Failure::new(kind, detail));
        let connected = failure.is_none();
        self.steps.push(step(Facts::Tcp(facts), failure, 0));
        connected
    }

    fn talk(&mut self, offer: Option<&Offer>, hello: Option<&str>, deep: &Depths<'_>) {
        let mut selected = Protocol::SSL;
        if let Some(offer) = offer {
            let concluded = self.drive(X224Machine::new(offer));
            let confirmed = match &concluded.0.facts {
                Facts::X224(facts) => facts.selected,
                other => panic!("X.224 concludes with {other:?}"),
            };
            let ok = self.record(concluded);
            let Some(confirmed) = confirmed.filter(|_| ok) else {
                return;
            };
            selected = confirmed;
        }
        if selected == Protocol::RDP && deep.depth >= Depth::Mcs {
            return self.mcs(selected, deep.depth);
        }
        let (Some(hello), true) = (hello, selected.uses_tls() && deep.depth >= Depth::Tls) else {
            return;
        };
        let real = hello == RUSTLS;
        if hello == LEGACY_TLS {
            return self.legacy_tls();
        }
        if !self.tls(hello, real, deep) || !real {
            return;
        }
        if !selected.uses_credssp() {
            if deep.depth >= Depth::Mcs {
                self.mcs(selected, deep.depth);
            }
            return;
        }
        if deep.depth >= Depth::Credssp {
            let wrapping = match deep.recipe.purpose {
                Purpose::Spnego => Wrapping::Spnego,
                _ => Wrapping::Bare,
            };
            let concluded = self.drive(CredsspMachine::new(wrapping));
            self.record(concluded);
            self.logon();
        }
    }

    fn mcs(&mut self, selected: Protocol, depth: Depth) {
        let mut machine = McsMachine::new(selected);
        let received = self.feed(&mut machine);
        let (concluded, conference) = machine.finish();
        self.steps.push(step(concluded.facts, concluded.failure, received));
        if let Some(conference) = conference.filter(|_| depth == Depth::Licensing) {
            let concluded = self.drive(LicensingMachine::new(conference, [7; 32]));
            self.record(concluded);
        }
    }

    fn tls(&mut self, hello: &str, real: bool, deep: &Depths<'_>) -> bool {
        let client = &deep.options.client;
        let profile = HelloProfile::named(if real { client } else { hello }, client);
        let profile = profile.unwrap_or_else(|| panic!("no profile {hello}"));
        let seed = HelloSeed::from([7; 96]);
        let mut machine = HelloMachine::new(&profile, Some("rds01.corp.example"), &seed);
        let received = self.feed(&mut machine);
        let chain = machine.chain().to_vec();
        let mut concluded = Box::new(machine).conclude();
        let ok = concluded.failure.is_none();
        if let Facts::Tls(facts) = &mut concluded.facts
            && real
        {
            facts.hello = Some(RUSTLS.into());
            facts.completed = ok;
        }
        self.steps.push(step(concluded.facts, concluded.failure, received));
        if !chain.is_empty() {
            let mut facts = certificate_facts(&chain);
            facts.signature_check = Some(SignatureCheck::NotVerifiable);
            facts.trusted = Some(false);
            let failure = facts.parse_error.clone();
            let failure = failure.map(|error| Failure::new(FailureKind::Malformed, error));
            self.steps.push(step(Facts::Certificate(Box::new(facts)), failure, 0));
        }
        ok
    }

    /// With the seed of the recordings, so that what was recorded is understood; what follows is read and told to nobody.
    fn legacy_tls(&mut self) {
        let hello = HelloSeed::from(std::array::from_fn(|index| index as u8 + 1));
        let seed = LegacySeed { hello, premaster: [7; 46], secret: [9; 32] };
        let mut machine = LegacyMachine::new(Some("rds01.corp.example"), &seed).expect("it has a profile");
        let received = self.feed(&mut machine);
        let (concluded, connection) = machine.finish();
        self.steps.push(step(concluded.facts, concluded.failure, received));
        if let Some(mut connection) = connection {
            connection.receive(self.left);
            while let Ok(Some(_)) = connection.received() {}
        }
    }

    /// What follows the challenge is read as the messages of a logon are; nothing is concluded from it.
    fn logon(&mut self) {
        let request = TsRequest { version: Some(6), ..TsRequest::default() };
        for expected in [Expected::Request, Expected::Authorization] {
            let mut machine = ExchangeMachine::new(&request, expected, "an answer");
            self.feed(&mut machine);
            drop(machine.answer());
        }
        drop(kerberos::error_in_token(self.left));
    }

    fn drive(&mut self, mut machine: impl Machine) -> (Concluded, usize) {
        let received = self.feed(&mut machine);
        (Box::new(machine).conclude(), received)
    }

    fn record(&mut self, (concluded, received): (Concluded, usize)) -> bool {
        let ok = concluded.failure.is_none();
        self.steps.push(step(concluded.facts, concluded.failure, received));
        ok
    }

    /// As the driver does: what goes out, then as many bytes as are wanted at the most, then the end.
    fn feed(&mut self, machine: &mut impl Machine) -> usize {
        let before = self.left.len();
        loop {
            drop(machine.outgoing());
            let wanted = machine.wanted();
            if wanted == 0 {
                return before - self.left.len();
            }
            if self.left.is_empty() {
                machine.end(self.host.ending());
                assert_eq!(machine.wanted(), 0, "nothing is wanted after the end");
                continue;
            }
            let most = if self.host.drips { 1 } else { wanted };
            let (now, left) = self.left.split_at(most.min(self.left.len()));
            self.left = left;
            machine.receive(now);
        }
    }
}

/// Hosts made of the frames of `fixtures/wire`, for a fuzzer to begin with.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let frames: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/wire/frames.json")).expect("JSON");
    let frames: Vec<(&str, Vec<u8>)> = frames["frames"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|frame| Some((frame["name"].as_str()?, bytes(frame["hex"].as_str()?))))
        .collect();
    let whole = |name: &str, says: &[u8]| {
        let length = u16::try_from(says.len()).expect("frames are small").to_le_bytes();
        let data = [&[0, 0, 0, length[0], length[1]], says].concat();
        (name.to_owned(), data)
    };
    let named = |part: &'static str| frames.iter().filter(move |(name, _)| name.contains(part));
    let mut seeds: Vec<_> = frames.iter().map(|(name, frame)| whole(name, frame)).collect();
    // Confirm, flight and challenge behind one another: a host that goes all the way.
    for (confirm, first) in named("x224_cc_hybrid") {
        for (flight, second) in named("tls_server_flight") {
            for (_, third) in named("credssp_challenge") {
                let says = [&first[..], second, third].concat();
                seeds.push(whole(&format!("{confirm}-{flight}"), &says));
            }
        }
    }
    // A Confirm, and then old TLS.
    let recorded: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/wire/legacy_tls.json")).expect("JSON");
    for recording in recorded["recordings"].as_array().expect("a list") {
        for (_, confirm) in named("x224_cc_hybrid") {
            let of = |key: &str| bytes(recording[key].as_str().unwrap_or_default());
            let says = [&confirm[..], &of("handshake"), &of("data")].concat();
            seeds.push(whole(recording["name"].as_str().unwrap_or_default(), &says));
        }
    }
    seeds
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}
