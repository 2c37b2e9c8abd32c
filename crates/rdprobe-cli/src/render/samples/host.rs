//! Building blocks of the samples.

use std::net::SocketAddr;

use rdprobe_report::facts::{
    CertificateFacts, CredsspFacts, DnsFacts, Negotiation, TcpFacts, TlsFacts, UdpFacts, X224Facts,
};
use rdprobe_report::{
    Ask, Attempt, CipherSuite, Depth, Facts, FailureKind, Millis, NamedGroup, Observations, Offer, Options,
    Protocol, Protocols, Purpose, RUSTLS, Recipe, Report, Step, Target, Timestamp, TlsVersion,
};

use super::steps::{confirmed, failed, step};

const NOW: &str = "2026-11-21T09:30:00Z";

/// A host in the making.
pub(super) struct Host {
    seen: Observations,
    pub(super) address: SocketAddr,
}

impl Host {
    pub(super) fn new(input: &str) -> Self {
        let (host, port) = input.split_once(':').unwrap_or((input, "3389"));
        let literal: Option<std::net::IpAddr> = host.parse().ok();
        let ip = literal.unwrap_or([192, 0, 2, 7].into());
        let port = port.parse().unwrap();
        let target = Target { input: input.into(), host: host.into(), port };
        let mut seen = Observations::new(target, Options::default());
        let facts = DnsFacts { literal: literal.is_some(), addresses: vec![ip], ..DnsFacts::default() };
        let spent = if literal.is_some() { 0.0 } else { 1.2 };
        seen.resolution = Some(step(Facts::Dns(facts), None, spent, (0, 0)));
        Self { seen, address: SocketAddr::new(ip, port) }
    }

    /// The usual three questions, all well.
    pub(super) fn with_tls(mut self, certificate: CertificateFacts) -> Self {
        let tls = TlsFacts {
            hello: Some(RUSTLS.into()),
            version: Some(TlsVersion::TLS_1_3),
            suite: Some(CipherSuite(0x1302)),
            suite_code: Some("0x1302".into()),
            group: Some(NamedGroup::X25519),
            completed: true,
            tls_bytes: 1402,
            ..TlsFacts::default()
        };
        let credssp = CredsspFacts {
            version: Some(6),
            build: Some(20348),
            windows: vec!["Windows Server 2022".into()],
            netbios_computer: Some("RDS01".into()),
            dns_computer: Some(self.seen.target.host.clone()),
            skew_ms: Some(Millis(-120.0)),
            ..CredsspFacts::default()
        };
        let steps = vec![
            self.connected(),
            confirmed(Protocol::HYBRID_EX),
            step(Facts::Tls(tls.into()), None, 2.6, (517, 1402)),
            step(Facts::Certificate(certificate.into()), None, 0.3, (0, 0)),
            step(Facts::Credssp(credssp.into()), None, 1.8, (85, 291)),
        ];
        self.tcp_attempt(Purpose::Default, Some(RUSTLS), false, steps);
        self.nla_required();
        self.udp_silent();
        self
    }

    pub(super) fn connected(&self) -> Step {
        let facts =
            TcpFacts { address: Some(self.address), rtt_ms: Some(Millis(0.42)), ..TcpFacts::default() };
        step(Facts::Tcp(facts), None, 0.44, (0, 0))
    }

    pub(super) fn nla_required(&mut self) {
        let facts = X224Facts {
            offered: Protocols::SSL,
            negotiation: Some(Negotiation::Failure),
            failure_code: Some(5),
            failure_name: Some("HYBRID_REQUIRED_BY_SERVER".into()),
            ..X224Facts::default()
        };
        let refused = failed(FailureKind::Rejected, "failure 5, HYBRID_REQUIRED_BY_SERVER");
        let steps = vec![self.connected(), step(Facts::X224(facts.into()), refused, 0.9, (19, 19))];
        self.tcp_attempt(Purpose::NlaQuestion, None, false, steps);
    }

    pub(super) fn udp_silent(&mut self) {
        let facts = UdpFacts { port: Some(self.address.port()), sent: 1, ..UdpFacts::default() };
        let timeout = failed(FailureKind::Timeout, "");
        let steps = vec![step(Facts::Udp(facts.into()), timeout, 30.8, (1232, 0))];
        self.attempt(Purpose::Udp, Ask::Udp { syns: 1, all: false }, false, steps);
    }

    pub(super) fn tcp_attempt(
        &mut self,
        purpose: Purpose,
        hello: Option<&str>,
        alone: bool,
        steps: Vec<Step>,
    ) {
        let protocols = match purpose {
            Purpose::NlaQuestion => Protocols::SSL,
            _ => Protocols::DEFAULT,
        };
        let offer = Offer { protocols: Some(protocols), ..Offer::default() };
        let ask = Ask::Tcp { offer: Some(offer), hello: hello.map(Into::into), depth: Depth::Credssp };
        self.attempt(purpose, ask, alone, steps);
    }

    fn attempt(&mut self, purpose: Purpose, ask: Ask, alone: bool, steps: Vec<Step>) {
        self.seen.attempts.push(Attempt {
            id: self.seen.attempts.len() as u32,
            recipe: Recipe { purpose, address: self.address, alone, beside: None, patience_ms: None, ask },
            started_ms: Millis(1.3),
            ended_ms: Some(Millis(8.0)),
            cut_off: false,
            steps,
            waiting: None,
        });
    }

    pub(super) fn judge(mut self) -> Report {
        self.seen.elapsed_ms = Millis(34.1);
        let now: Timestamp = NOW.parse().unwrap();
        rdprobe_diagnosis::diagnose(&self.seen, now, now)
    }
}
