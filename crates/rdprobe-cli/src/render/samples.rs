//! Hosts made by hand and judged for real, for the tests of the renderers.

use std::net::SocketAddr;

use rdprobe_report::facts::{
    CertificateFacts, CredsspFacts, DnsFacts, Icmp, Negotiation, PublicKey, SignatureCheck, TcpFacts,
    TlsFacts, UdpFacts, X224Facts,
};
use rdprobe_report::{
    Ask, Attempt, CipherSuite, Depth, Facts, Failure, FailureKind, Millis, NamedGroup, Observations, Offer,
    Options, Protocol, Protocols, Purpose, RUSTLS, Recipe, Report, Step, StepOutcome, Target, Timestamp,
    TlsVersion, hello,
};

const NOW: &str = "2026-11-21T09:30:00Z";

/// One of each, healthy first.
pub(crate) fn all() -> Vec<Report> {
    vec![
        healthy(),
        expired(),
        key_unusable(),
        silent(),
        prohibited(),
        rdp_only(),
    ]
}

/// Windows with NLA required, TLS 1.3, a certificate that the system trusts.
pub(crate) fn healthy() -> Report {
    Host::new("rds01.corp.example")
        .with_tls(windows_certificate("2027-06-01T00:00:00Z"))
        .judge()
}

/// The same with a certificate that has run out.
pub(crate) fn expired() -> Report {
    Host::new("rds02.corp.example")
        .with_tls(windows_certificate("2026-11-01T00:00:00Z"))
        .judge()
}

/// Confirms TLS and drops every hello.
pub(crate) fn key_unusable() -> Report {
    let mut host = Host::new("rds03.corp.example");
    let asked = [
        (Purpose::Default, RUSTLS, false),
        (Purpose::ReferenceHello, hello::DEFAULT_CLIENT, false),
        (Purpose::HelloExperiment, hello::TLS12_RSA_CBC, false),
        (Purpose::HelloExperiment, hello::TLS10, false),
        (Purpose::HelloExperiment, hello::ALL_SUITES, false),
        (Purpose::ReferenceHello, hello::DEFAULT_CLIENT, true),
    ];
    for (purpose, hello, alone) in asked {
        let reset = failed(
            FailureKind::Reset,
            "the host reset the connection after 0 bytes of TLS",
        );
        let facts = TlsFacts {
            hello: Some(hello.into()),
            ..TlsFacts::default()
        };
        let steps = vec![
            host.connected(),
            confirmed(Protocol::HYBRID_EX),
            step(Facts::Tls(facts.into()), reset, 3.1, (517, 0)),
        ];
        host.tcp_attempt(purpose, Some(hello), alone, steps);
    }
    host.nla_required();
    host.udp_silent();
    host.judge()
}

/// Answers nothing at all.
pub(crate) fn silent() -> Report {
    let mut host = Host::new("192.0.2.7:3390");
    for alone in [false, true] {
        let timeout = failed(FailureKind::Timeout, "no answer to the SYN within 4 s");
        let facts = TcpFacts {
            address: Some(host.address),
            ..TcpFacts::default()
        };
        let steps = vec![step(Facts::Tcp(facts), timeout, 4001.3, (0, 0))];
        host.tcp_attempt(Purpose::Default, Some(RUSTLS), alone, steps);
    }
    host.udp_silent();
    host.judge()
}

/// A firewall says so.
pub(crate) fn prohibited() -> Report {
    let mut host = Host::new("rds05.corp.example");
    let icmp = Icmp {
        kind: 3,
        code: 13,
        from: Some([198, 51, 100, 1].into()),
        v6: false,
        mtu: None,
    };
    let facts = TcpFacts {
        address: Some(host.address),
        icmp: Some(icmp),
        ..TcpFacts::default()
    };
    let failure = failed(
        FailureKind::Prohibited,
        "communication administratively prohibited",
    );
    let steps = vec![step(Facts::Tcp(facts), failure, 2.2, (0, 0))];
    host.tcp_attempt(Purpose::Default, Some(RUSTLS), false, steps);
    host.judge()
}

/// xrdp without TLS.
pub(crate) fn rdp_only() -> Report {
    let mut host = Host::new("xrdp.lab.example");
    for (purpose, hello) in [
        (Purpose::Default, RUSTLS),
        (Purpose::ReferenceHello, hello::DEFAULT_CLIENT),
    ] {
        let facts = X224Facts {
            offered: Protocols::DEFAULT,
            negotiation: Some(Negotiation::Response),
            selected: Some(Protocol::RDP),
            implementation: Some("xrdp".into()),
            fits_windows: Some(false),
            ..X224Facts::default()
        };
        let steps = vec![
            host.connected(),
            step(Facts::X224(facts.into()), None, 0.6, (19, 19)),
        ];
        host.tcp_attempt(purpose, Some(hello), false, steps);
    }
    host.udp_silent();
    host.judge()
}

/// A host in the making.
struct Host {
    seen: Observations,
    address: SocketAddr,
}

impl Host {
    fn new(input: &str) -> Self {
        let (host, port) = input.split_once(':').unwrap_or((input, "3389"));
        let literal: Option<std::net::IpAddr> = host.parse().ok();
        let ip = literal.unwrap_or([192, 0, 2, 7].into());
        let port = port.parse().unwrap();
        let target = Target {
            input: input.into(),
            host: host.into(),
            port,
        };
        let mut seen = Observations::new(target, Options::default());
        let facts = DnsFacts {
            literal: literal.is_some(),
            addresses: vec![ip],
            ..DnsFacts::default()
        };
        let spent = if literal.is_some() { 0.0 } else { 1.2 };
        seen.resolution = Some(step(Facts::Dns(facts), None, spent, (0, 0)));
        Self {
            seen,
            address: SocketAddr::new(ip, port),
        }
    }

    /// The usual three questions, all well.
    fn with_tls(mut self, certificate: CertificateFacts) -> Self {
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

    fn connected(&self) -> Step {
        let facts = TcpFacts {
            address: Some(self.address),
            rtt_ms: Some(Millis(0.42)),
            ..TcpFacts::default()
        };
        step(Facts::Tcp(facts), None, 0.44, (0, 0))
    }

    fn nla_required(&mut self) {
        let facts = X224Facts {
            offered: Protocols::SSL,
            negotiation: Some(Negotiation::Failure),
            failure_code: Some(5),
            failure_name: Some("HYBRID_REQUIRED_BY_SERVER".into()),
            ..X224Facts::default()
        };
        let refused = failed(FailureKind::Rejected, "failure 5, HYBRID_REQUIRED_BY_SERVER");
        let steps = vec![
            self.connected(),
            step(Facts::X224(facts.into()), refused, 0.9, (19, 19)),
        ];
        self.tcp_attempt(Purpose::NlaQuestion, None, false, steps);
    }

    fn udp_silent(&mut self) {
        let facts = UdpFacts {
            port: Some(self.address.port()),
            sent: 1,
            ..UdpFacts::default()
        };
        let timeout = failed(FailureKind::Timeout, "");
        let steps = vec![step(Facts::Udp(facts.into()), timeout, 30.8, (1232, 0))];
        self.attempt(Purpose::Udp, Ask::Udp { syns: 1, all: false }, false, steps);
    }

    fn tcp_attempt(&mut self, purpose: Purpose, hello: Option<&str>, alone: bool, steps: Vec<Step>) {
        let protocols = match purpose {
            Purpose::NlaQuestion => Protocols::SSL,
            _ => Protocols::DEFAULT,
        };
        let offer = Offer {
            protocols: Some(protocols),
            ..Offer::default()
        };
        let ask = Ask::Tcp {
            offer: Some(offer),
            hello: hello.map(Into::into),
            depth: Depth::Credssp,
        };
        self.attempt(purpose, ask, alone, steps);
    }

    fn attempt(&mut self, purpose: Purpose, ask: Ask, alone: bool, steps: Vec<Step>) {
        self.seen.attempts.push(Attempt {
            id: self.seen.attempts.len() as u32,
            recipe: Recipe {
                purpose,
                address: self.address,
                alone,
                ask,
            },
            started_ms: Millis(1.3),
            ended_ms: Some(Millis(8.0)),
            cut_off: false,
            steps,
        });
    }

    fn judge(mut self) -> Report {
        self.seen.elapsed_ms = Millis(34.1);
        let now: Timestamp = NOW.parse().unwrap();
        rdprobe_diagnosis::diagnose(&self.seen, now, now)
    }
}

fn confirmed(selected: Protocol) -> Step {
    let facts = X224Facts {
        offered: Protocols::DEFAULT,
        negotiation: Some(Negotiation::Response),
        selected: Some(selected),
        implementation: Some("Windows".into()),
        fits_windows: Some(true),
        ..X224Facts::default()
    };
    step(Facts::X224(facts.into()), None, 0.9, (19, 19))
}

fn failed(kind: FailureKind, detail: &str) -> Option<Failure> {
    Some(Failure::new(kind, detail))
}

fn step(facts: Facts, failure: Option<Failure>, spent: f64, (sent, received): (u64, u64)) -> Step {
    Step {
        facts,
        outcome: if failure.is_some() {
            StepOutcome::Failed
        } else {
            StepOutcome::Ok
        },
        started_ms: Millis(1.3),
        duration_ms: Millis(spent),
        bytes_sent: sent,
        bytes_received: received,
        failure,
    }
}

fn windows_certificate(not_after: &str) -> CertificateFacts {
    CertificateFacts {
        subject: Some("CN=rds.corp.example".into()),
        common_name: Some("rds.corp.example".into()),
        issuer: Some("CN=Corp Issuing CA 2".into()),
        names: vec!["*.corp.example".into()],
        not_before: "2026-01-01T00:00:00Z".parse().ok(),
        not_after: not_after.parse().ok(),
        self_signed: Some(false),
        trusted: Some(true),
        key: Some(PublicKey {
            algorithm: "RSA".into(),
            bits: Some(2048),
            curve: None,
        }),
        signature_algorithm: Some("sha256WithRSAEncryption".into()),
        signature_check: Some(SignatureCheck::Verified),
        ..CertificateFacts::default()
    }
}
