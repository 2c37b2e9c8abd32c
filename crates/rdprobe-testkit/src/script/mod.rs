//! The script of a peer: which connections it answers, and how, step by step.
//!
//! Scripts are data (TOML through serde) and know nothing of sockets; `play` acts them out over any byte stream.

mod credssp;
mod hello;
mod paper;
mod play;
mod stage;
mod tls;
mod udp;
mod when;
mod wire;

use std::net::{IpAddr, SocketAddr};

use rdprobe_report::{CipherSuite, NamedGroup, Protocol, TlsVersion};
use serde::Deserialize;

pub use credssp::{Challenge, CredsspError};
pub(crate) use play::{PeerStream, Player};
pub use stage::{ClientEnd, Cut, CutBy, Journal};
pub(crate) use stage::{Connection, Stage};
pub(crate) use udp::{Reply, answer};
pub use udp::{Udp, UdpAnswer};
pub use when::{HelloWhen, Numbers, When};

/// A machine with a listener.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Host {
    /// Its only address, or the first.
    pub address: Option<IpAddr>,
    /// Further addresses of the same machine.
    pub addresses: Vec<IpAddr>,
    /// TCP and UDP port of the listener; 3389 where none is given.
    pub port: Option<u16>,
    /// Round-trip time in milliseconds; 20 where none is given, never less than 1 in the simulated network.
    pub rtt_ms: Option<f64>,
    /// What TCP does with a SYN.
    pub tcp: Tcp,
    /// What TCP does with the first SYNs, one by one, before it does as `tcp` says.
    pub tcp_first: Vec<Tcp>,
    /// Serves a connection only once the client has ended the one before; the backlog accepts meanwhile.
    pub one_at_a_time: bool,
    /// Resets a connection that comes while so many are open.
    pub limit: Option<u32>,
    /// Turns the client away after so many connections.
    pub ban: Option<Ban>,
    /// Wakes with the first connection: until so many milliseconds later it says nothing on any.
    pub wakes_after_ms: Option<u64>,
    /// Machines behind this address, which then is a balancer: each connection goes to the next one, which does as its
    /// own script says. They bear neither addresses nor UDP.
    pub backends: Vec<Host>,
    /// What the UDP listener does.
    pub udp: Udp,
    /// What it does on a connection: the first rule whose condition holds.
    pub rules: Vec<Rule>,
}

impl Host {
    /// Only rules and `one_at_a_time`: what loopback can play.
    pub fn is_plain(&self) -> bool {
        self.limit.is_none()
            && self.tcp_first.is_empty()
            && self.ban.is_none()
            && self.wakes_after_ms.is_none()
            && self.backends.is_empty()
            && matches!(self.tcp, Tcp::Accept | Tcp::Refuse)
            && !matches!(self.udp, Udp::Local(_))
            && !self.rules.iter().any(Rule::needs_simulation)
    }

    /// Every address of the machine.
    pub fn all_addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.address.into_iter().chain(self.addresses.iter().copied())
    }

    /// Every address with the listener's port.
    pub fn sockets(&self) -> impl Iterator<Item = SocketAddr> {
        let port = self.port.unwrap_or(rdprobe_report::Target::DEFAULT_PORT);
        self.all_addresses().map(move |address| SocketAddr::new(address, port))
    }
}

/// What TCP does with a SYN.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tcp {
    /// The connection is made.
    #[default]
    Accept,
    /// RST in answer to the SYN.
    Refuse,
    /// No answer.
    Drop,
    /// An ICMP error in answer to the SYN.
    Icmp(IcmpError),
    /// No SYN is sent: the client's own machine fails.
    Local(LocalError),
}

/// Turns a client away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// After so many connections that were accepted.
    pub after: u32,
    /// How.
    pub by: BanBy,
}

/// How a client is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanBy {
    /// No answer to the SYN.
    Drop,
    /// RST in answer to the SYN.
    Refuse,
    /// The connection is accepted and reset.
    Reset,
}

/// What fails on the client's own machine, before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalError {
    /// EMFILE.
    Descriptors,
    /// ENOBUFS.
    Resources,
    /// ENETUNREACH without an ICMP message: no route.
    NoRoute,
    /// EACCES: a firewall of its own.
    Permission,
}

impl LocalError {
    /// Linux's number for it.
    pub fn errno(self) -> i32 {
        match self {
            Self::Descriptors => 24,
            Self::Resources => 105,
            Self::NoRoute => 101,
            Self::Permission => 13,
        }
    }
}

/// An ICMP error and who sends it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcmpError {
    /// Type, 3 for destination unreachable in ICMP and 1 in ICMPv6.
    #[serde(rename = "type")]
    pub kind: u8,
    /// Code under the type.
    pub code: u8,
    /// The machine that sends it; the host itself where none is given.
    pub from: Option<IpAddr>,
    /// Next-hop MTU.
    pub mtu: Option<u32>,
}

/// A condition and what is done where it holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Holds always where it is empty.
    pub when: When,
    /// The steps. After the last one the connection is held until the client ends it, and is closed then.
    pub r#do: Vec<Step>,
}

impl Rule {
    fn needs_simulation(&self) -> bool {
        self.r#do.iter().any(|step| match step {
            Step::Die | Step::LosePath => true,
            Step::Branch(rules) => rules.iter().any(Self::needs_simulation),
            _ => false,
        })
    }
}

/// One step of a script.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reads the X.224 Connection Request. The steps that answer one do this by themselves.
    ExpectRequest,
    /// Connection Confirm with RDP_NEG_RSP ([MS-RDPBCGR] 2.2.1.2.1).
    Confirm(Confirm),
    /// Connection Confirm without negotiation data.
    ConfirmWithoutNegotiation,
    /// Connection Confirm that a server makes which supports these protocols: it selects the best of those
    /// offered, or fails with code 5 where it insists on CredSSP, else 1.
    Negotiate(Negotiate),
    /// Connection Confirm with RDP_NEG_FAILURE ([MS-RDPBCGR] 2.2.1.2.2) and this code.
    Failure(u32),
    /// X.224 Disconnect Request with this reason.
    DisconnectRequest(u8),
    /// The nine plaintext bytes with which xrdp gives up: MCS Disconnect Provider Ultimatum.
    Ultimatum,
    /// Bytes in hex; white space between them is allowed.
    Send(HexBytes),
    /// Text, as it stands.
    SendText(String),
    /// So many bytes that look like noise and are always the same.
    Garbage(usize),
    /// Garbage until the client ends the connection.
    Flood,
    /// From here on, bytes go out one at a time, so many milliseconds apart; 0 ends it.
    Drip(u64),
    /// Waits, in milliseconds.
    Delay(u64),
    /// After so many more bytes, whatever steps they come from, the host ends as told.
    Cut(Cut),
    /// Reads a ClientHello. The steps that answer one do this by themselves.
    ExpectHello,
    /// Goes on with the first rule whose condition holds, and then with what follows here.
    Branch(Vec<Rule>),
    /// A TLS alert in plaintext.
    Alert(AlertStep),
    /// A real TLS handshake, on rustls.
    Tls(TlsStep),
    /// The server's first flight without any cryptography: every version and suite, none of the proofs.
    PaperTls(Box<PaperTlsStep>),
    /// Reads at least so many bytes of what the client sends within TLS.
    ExpectTls(usize),
    /// Sends bytes within TLS, in one record.
    SendTls(HexBytes),
    /// Reads one TSRequest within TLS and answers it with an NTLM CHALLENGE ([MS-CSSP] 3.1.5).
    Challenge(Box<Challenge>),
    /// Reads one TSRequest within TLS and answers it with an error.
    CredsspError(CredsspError),
    /// Sends TLS's own end.
    CloseNotify,
    /// Keeps the connection open and says nothing until the client ends it.
    Silence,
    /// Reads what the client has sent, then ends the connection by FIN.
    Fin,
    /// Closes at once: by FIN, or by RST where bytes of the client were not read.
    FinUnread,
    /// RST. What was sent before is still read by the client, as Linux has it.
    Rst,
    /// RST that takes what the client has not read yet with it, as Windows has it. On loopback it is `rst`.
    RstDiscarding,
    /// Nothing passes any more, and the client's kernel learns of it by ICMP host unreachable. On loopback it is
    /// `silence`.
    LosePath,
    /// The service dies: every connection of the machine is closed as it stands, and further SYNs are refused.
    Die,
}

/// Connection Confirm with a selected protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// `selectedProtocol`.
    pub selected: Protocol,
    /// Flags of the response.
    #[serde(default)]
    pub flags: u8,
    /// Source reference of the TPDU; Windows and xrdp send 0x1234, which is the default.
    #[serde(default = "windows_reference")]
    pub source_reference: u16,
    /// Destination reference of the TPDU.
    #[serde(default)]
    pub destination_reference: u16,
}

pub(crate) fn windows_reference() -> u16 {
    0x1234
}

/// A server's choice among the protocols offered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negotiate {
    /// What it supports.
    pub supports: Vec<Protocol>,
    /// Flags of the response.
    #[serde(default)]
    pub flags: u8,
    /// Source reference of the TPDU.
    #[serde(default = "windows_reference")]
    pub source_reference: u16,
}

/// A plaintext alert.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertStep {
    /// 1 is a warning, 2 is fatal.
    #[serde(default = "fatal")]
    pub level: u8,
    /// Description byte.
    pub description: u8,
}

fn fatal() -> u8 {
    2
}

/// A real TLS handshake.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsStep {
    /// Name of the certificate; `good` where none is given.
    pub certificate: Option<String>,
    /// TLS 1.2, TLS 1.3; both where none is given.
    pub versions: Vec<TlsVersion>,
    /// Suites that the server has, in its order, those with ECDHE and CBC too; all of rustls's own where none is given.
    pub suites: Vec<CipherSuite>,
    /// Groups that the server has, in its order; all of rustls's where none is given.
    pub groups: Vec<NamedGroup>,
    /// Signs with another key than the certificate's.
    pub wrong_key: bool,
    /// Asks for a client certificate.
    pub client_certificate: Option<ClientCertificate>,
}

/// How much a server minds that a client has no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificate {
    /// Not at all.
    Wanted,
    /// It refuses with an alert: in TLS 1.3 one round trip after the client's Finished.
    Required,
}

/// A TLS server made of paper.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaperTlsStep {
    /// Name of the certificate; `good` where none is given.
    pub certificate: Option<String>,
    /// Versions that the server has; the highest that was offered is taken. TLS 1.2 where none is given. In TLS 1.3 a
    /// group without a key share is asked for by a HelloRetryRequest, after which it says nothing.
    pub versions: Vec<TlsVersion>,
    /// Suites that the server has, in its order.
    pub suites: Vec<CipherSuite>,
    /// Groups that the server has, in its order; secp256r1, x25519, secp384r1 where none is given.
    pub groups: Vec<NamedGroup>,
    /// The client's order of suites decides, and not its own.
    pub client_order: bool,
    /// Size of its finite-field group, in bits; 2048 where none is given.
    pub dh_bits: Option<u32>,
    /// How it refuses a hello that it shares no version or suite with.
    pub refuse: Refusal,
}

/// How a server refuses a hello.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Alert 70 for the version, 40 for the suites, then FIN.
    #[default]
    Alert,
    /// Alert 40 whatever the reason, then FIN.
    AlertHandshakeFailure,
    /// FIN without a byte.
    Fin,
    /// RST without a byte.
    Rst,
    /// Alert 40, the nine bytes of an ultimatum, then FIN: xrdp.
    Ultimatum,
}

/// Bytes written in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        hex::decode(digits).map(Self).map_err(serde::de::Error::custom)
    }
}
