//! An attempt: one connection with a recipe, and the steps that it took.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, is_default};
use crate::{Millis, Phase, Protocols, StepOutcome};

/// The hello that rustls itself makes, in the real handshake.
pub const RUSTLS: &str = "rustls";

/// What an attempt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The real handshake with the usual offer.
    Default,
    /// The offer without CredSSP, which decides whether NLA is required.
    NlaQuestion,
    /// The reference client's own hello after the usual offer.
    ReferenceHello,
    /// Another hello after the usual offer, to tell why TLS fails.
    HelloExperiment,
    /// The offer of Standard RDP Security alone.
    RdpOnly,
    /// A Connection Request without negotiation data, as clients before RDP 5.2 sent it.
    NoNegotiation,
    /// TLS without X.224: is this another service?
    DirectTls,
    /// A protocol that was asked about with `--offers`: RDSTLS or Entra ID.
    FurtherOffer,
    /// The CredSSP question inside SPNEGO, where bare NTLM was refused.
    Spnego,
    /// The logon with the user's credentials.
    Logon,
    /// The SYN over UDP.
    Udp,
}

/// How deep an attempt goes before it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Up to the Connection Confirm.
    X224,
    /// Up to the end of the TLS handshake, or of the server's first flight where the hello was hand-built.
    Tls,
    /// Up to the CredSSP challenge, where CredSSP was selected.
    Credssp,
    /// Up to the verified `pubKeyAuth`, with credentials.
    Logon,
}

/// The X.224 Connection Request ([MS-RDPBCGR] 2.2.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Offer {
    /// `requestedProtocols`; none for a request without negotiation data.
    pub protocols: Option<Protocols>,
    /// Flags byte of the negotiation request.
    #[serde(skip_serializing_if = "is_default")]
    pub flags: u8,
    /// The text after `Cookie: `, `mstshash=NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// A routing token as the load balancer made it; it takes the cookie's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_token: Option<String>,
}

/// What an attempt does, before it is made. Two equal recipes ask the host the same question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    /// Why it is made.
    pub purpose: Purpose,
    /// Where to.
    pub address: SocketAddr,
    /// Made while no other attempt of ours was open to this address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alone: bool,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// The question itself, by transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "transport", rename_all = "lowercase")]
pub enum Ask {
    /// One TCP connection.
    Tcp {
        /// The X.224 offer; none where TLS comes first.
        #[serde(skip_serializing_if = "Option::is_none")]
        offer: Option<Offer>,
        /// `rustls`, or the profile of a hand-built hello; none where the attempt stops before TLS.
        #[serde(skip_serializing_if = "Option::is_none")]
        hello: Option<String>,
        /// Where it stops.
        depth: Depth,
    },
    /// SYN datagrams, each from a socket of its own.
    Udp {
        /// How many at the most.
        syns: u32,
        /// Whether to send them all, or to stop at the first answer.
        all: bool,
    },
}

impl Recipe {
    /// The same question, asked alone.
    pub fn alone(&self) -> Self {
        Self { alone: true, ..self.clone() }
    }

    /// The hello that a TCP attempt sends.
    pub fn hello(&self) -> Option<&str> {
        match &self.ask {
            Ask::Tcp { hello, .. } => hello.as_deref(),
            Ask::Udp { .. } => None,
        }
    }

    /// The X.224 offer that a TCP attempt makes.
    pub fn offer(&self) -> Option<&Offer> {
        match &self.ask {
            Ask::Tcp { offer, .. } => offer.as_ref(),
            Ask::Udp { .. } => None,
        }
    }
}

/// One attempt and what it saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Number in the order of issue, from 0.
    pub id: u32,
    /// What it did.
    #[serde(flatten)]
    pub recipe: Recipe,
    /// When it began, from the start of the probe, in milliseconds.
    pub started_ms: Millis,
    /// When it ended; none while it is in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Millis>,
    /// The probe's deadline or Ctrl-C cut it off, so its last step proves nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cut_off: bool,
    /// Its steps, one for each phase that it came to, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
}

impl Attempt {
    /// True until its end was reported.
    pub fn in_flight(&self) -> bool {
        self.ended_ms.is_none()
    }

    /// The step of `phase`.
    pub fn step(&self, phase: Phase) -> Option<&Step> {
        self.steps.iter().find(|step| step.phase() == phase)
    }

    /// The step that failed, with its failure. At most one can: an attempt ends there.
    pub fn failure(&self) -> Option<(&Step, &Failure)> {
        self.steps.iter().find_map(|step| step.failure.as_ref().map(|failure| (step, failure)))
    }
}

/// One phase within an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The phase and what was learnt.
    #[serde(flatten)]
    pub facts: Facts,
    /// How it ended.
    pub outcome: StepOutcome,
    /// When it began, from the start of the probe, in milliseconds.
    pub started_ms: Millis,
    /// How long it took, in milliseconds.
    pub duration_ms: Millis,
    /// Bytes written to the socket within it.
    pub bytes_sent: u64,
    /// Bytes read from the socket within it.
    pub bytes_received: u64,
    /// How it failed.
    pub failure: Option<Failure>,
}

impl Step {
    /// The phase of the step.
    pub fn phase(&self) -> Phase {
        self.facts.phase()
    }

    /// True where the step did what it was for.
    pub fn is_ok(&self) -> bool {
        self.outcome == StepOutcome::Ok
    }
}

/// How the peer, the network or our own side ended a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind, on which rules decide.
    pub kind: FailureKind,
    /// What exactly, for the reader.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Failure {
    /// A failure with its explanation.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// RST on an established connection.
    Reset,
    /// FIN before the phase was done.
    Closed,
    /// Silence until the time of the phase was used up.
    Timeout,
    /// RST in answer to the SYN, or port unreachable.
    Refused,
    /// Host or network unreachable.
    Unreachable,
    /// An ICMP error that says "administratively prohibited".
    Prohibited,
    /// A TLS alert.
    Alert,
    /// An answer that says no in the protocol's own words.
    Rejected,
    /// An answer that is not the protocol, or breaks its rules.
    Malformed,
    /// Our own side gave up; the peer is not to blame.
    Local,
}
