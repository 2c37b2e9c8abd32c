//! An attempt: one connection with a recipe, and the steps that it took.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{ChainLink, Facts, is_default};
use crate::name::open_words;
use crate::{Failure, Millis, Phase, Protocols, StepOutcome};

/// The hello that rustls itself makes, in the real handshake.
pub const RUSTLS: &str = "rustls";

open_words! {
    /// What an attempt is for.
    pub enum Purpose {
        /// The real handshake with the usual offer.
        Default = "default",
        /// The offer without CredSSP, which decides whether NLA is required.
        NlaQuestion = "nla-question",
        /// The reference client's own hello after the usual offer.
        ReferenceHello = "reference-hello",
        /// Another hello after the usual offer, to tell why TLS fails.
        HelloExperiment = "hello-experiment",
        /// The hello that was answered before, again and alone: without it nothing is blamed on another hello.
        Control = "control",
        /// The offer of Standard RDP Security alone.
        RdpOnly = "rdp-only",
        /// A Connection Request without negotiation data, as clients before RDP 5.2 sent it.
        NoNegotiation = "no-negotiation",
        /// TLS without X.224: is this another service?
        DirectTls = "direct-tls",
        /// A protocol that was asked about with `--offers`: RDSTLS or Entra ID.
        FurtherOffer = "further-offer",
        /// The CredSSP question inside SPNEGO, where bare NTLM was refused.
        Spnego = "spnego",
        /// Port 3389 of the address, where the port that was asked has no Remote Desktop.
        UsualPort = "usual-port",
        /// The CredSSP question over TLS 1.0 to 1.2 with static RSA, where the real handshake lacks what the host has.
        LegacyTls = "legacy-tls",
        /// The logon with the user's credentials.
        Logon = "logon",
        /// Every version, suite and group that the host speaks, over as many connections as that takes.
        TlsEnumeration = "tls-enumeration",
        /// The SYN over UDP.
        Udp = "udp",
    }
}

/// How deep an attempt goes before it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Depth {
    /// Up to the Connection Confirm.
    X224,
    /// Up to the end of the TLS handshake, or of the server's first flight where the hello was hand-built.
    Tls,
    /// Up to the CredSSP challenge, where CredSSP was selected.
    Credssp,
    /// Up to the MCS Connect Response where no CredSSP was selected, else to its challenge.
    Mcs,
    /// Up to the first licence message where no CredSSP was selected, else to its challenge.
    Licensing,
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
    /// Made beside a step that had been silent for long, as the question that its silence would raise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// For how long each of its phases is waited for at the most, in milliseconds; none for the limits of the probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_ms: Option<u32>,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// The silent step beside which a question is asked. Its answer counts only if that step ended unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Beside {
    /// `id` of the attempt that is silent.
    pub attempt: u32,
    /// Its phase.
    pub phase: Phase,
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
    /// As many TCP connections as it takes to know what the host speaks of TLS.
    #[serde(rename = "tls-enumeration")]
    TlsEnumeration {
        /// The X.224 offer of each.
        offer: Offer,
        /// How many at the most.
        connections: u32,
        /// How many side by side at the most.
        parallel: u32,
        /// Clients whose own hello is sent too, by their ids.
        clients: Vec<String>,
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
        Self { alone: true, beside: None, ..self.clone() }
    }

    /// The same question, asked beside a silent step.
    pub fn beside(&self, silent: Beside) -> Self {
        Self { alone: false, beside: Some(silent), ..self.clone() }
    }

    /// The same question, waited for only so long.
    pub fn patience(self, milliseconds: f64) -> Self {
        // Whole milliseconds, and no more than an hour: a duration from a peer's own round trip.
        Self { patience_ms: Some(milliseconds.clamp(0.0, 3_600_000.0).ceil() as u32), ..self }
    }

    /// Whether both are the same question, asked alike: alone or not, beside a silent step or not.
    pub fn asks_like(&self, other: &Self) -> bool {
        (self.purpose, self.address, self.alone, self.beside.is_some(), &self.ask)
            == (other.purpose, other.address, other.alone, other.beside.is_some(), &other.ask)
    }

    /// How deep a TCP attempt goes.
    pub fn depth(&self) -> Option<Depth> {
        match &self.ask {
            Ask::Tcp { depth, .. } => Some(*depth),
            Ask::TlsEnumeration { .. } | Ask::Udp { .. } => None,
        }
    }

    /// The hello that a TCP attempt sends.
    pub fn hello(&self) -> Option<&str> {
        match &self.ask {
            Ask::Tcp { hello, .. } => hello.as_deref(),
            Ask::TlsEnumeration { .. } | Ask::Udp { .. } => None,
        }
    }

    /// The X.224 offer that a TCP attempt makes.
    pub fn offer(&self) -> Option<&Offer> {
        match &self.ask {
            Ask::Tcp { offer, .. } => offer.as_ref(),
            Ask::TlsEnumeration { offer, .. } => Some(offer),
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
    /// While it is in flight: since when which phase has had no answer. Not recorded.
    #[serde(skip)]
    pub waiting: Option<Waiting>,
}

/// A step under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// Its phase.
    pub phase: Phase,
    /// For how long nothing has come, in milliseconds.
    pub silent_ms: Millis,
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

    /// The links of the chain that it was shown.
    pub fn chain_mut(&mut self) -> impl Iterator<Item = &mut ChainLink> {
        self.steps.iter_mut().flat_map(Step::chain_mut)
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

    fn chain_mut(&mut self) -> impl Iterator<Item = &mut ChainLink> {
        let (own, enumerated) = match &mut self.facts {
            Facts::Certificate(facts) => (Some(&mut facts.chain), None),
            Facts::Tls(facts) => (None, facts.exchanges.as_mut().map(|seen| &mut seen.certificates)),
            _ => (None, None),
        };
        let enumerated = enumerated.into_iter().flatten().flat_map(|facts| &mut facts.chain);
        own.into_iter().flatten().chain(enumerated)
    }

    /// True where the step did what it was for.
    pub fn is_ok(&self) -> bool {
        self.outcome == StepOutcome::Ok
    }
}
