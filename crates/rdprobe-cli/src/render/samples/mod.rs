//! Hosts made by hand and judged for real, for the tests of the renderers.

mod host;
mod steps;

use rdprobe_report::facts::{Icmp, Implementation, Negotiation, TcpFacts, TlsFacts, X224Facts};
use rdprobe_report::{Confidence, Facts, FailureKind, Protocol, Protocols, Purpose, RUSTLS, Report, hello};

use host::Host;
use steps::{confirmed, failed, step, windows_certificate};

/// One of each, healthy first.
pub(crate) fn all() -> Vec<Report> {
    vec![healthy(), expired(), key_unusable(), silent(), prohibited(), rdp_only()]
}

/// Windows with NLA required, TLS 1.3, a certificate that the system trusts.
pub(crate) fn healthy() -> Report {
    Host::new("rds01.corp.example").with_tls(windows_certificate("2027-06-01T00:00:00Z")).judge()
}

/// The same with a certificate that has run out.
pub(crate) fn expired() -> Report {
    Host::new("rds02.corp.example").with_tls(windows_certificate("2026-11-01T00:00:00Z")).judge()
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
        let reset = failed(FailureKind::Reset, "the host reset the connection after 0 bytes of TLS");
        let facts = TlsFacts { hello: Some(hello.into()), ..TlsFacts::default() };
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
        let facts = TcpFacts { address: Some(host.address), ..TcpFacts::default() };
        let steps = vec![step(Facts::Tcp(facts), timeout, 4001.3, (0, 0))];
        host.tcp_attempt(Purpose::Default, Some(RUSTLS), alone, steps);
    }
    host.udp_silent();
    host.judge()
}

/// A firewall says so.
pub(crate) fn prohibited() -> Report {
    let mut host = Host::new("rds05.corp.example");
    let icmp =
        Icmp { kind: 3, code: 13, from: Some([198, 51, 100, 1].into()), v6: false, mtu: None, ours: false };
    let facts = TcpFacts { address: Some(host.address), icmp: Some(icmp), ..TcpFacts::default() };
    let failure = failed(FailureKind::Prohibited, "communication administratively prohibited");
    let steps = vec![step(Facts::Tcp(facts), failure, 2.2, (0, 0))];
    host.tcp_attempt(Purpose::Default, Some(RUSTLS), false, steps);
    host.judge()
}

/// xrdp without TLS.
pub(crate) fn rdp_only() -> Report {
    let mut host = Host::new("xrdp.lab.example");
    for (purpose, hello) in [(Purpose::Default, RUSTLS), (Purpose::ReferenceHello, hello::DEFAULT_CLIENT)] {
        let facts = X224Facts {
            offered: Protocols::DEFAULT,
            negotiation: Some(Negotiation::Response),
            selected: Some(Protocol::RDP),
            implementation: Some(Implementation {
                name: "xrdp".into(),
                version: None,
                confidence: Confidence::Likely,
            }),
            fits_windows: Some(false),
            ..X224Facts::default()
        };
        let steps = vec![host.connected(), step(Facts::X224(facts.into()), None, 0.6, (19, 19))];
        host.tcp_attempt(purpose, Some(hello), false, steps);
    }
    host.udp_silent();
    host.judge()
}
