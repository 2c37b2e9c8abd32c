//! The phases of the handshake and how each can end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::open_words;

open_words! {
    /// A phase of the RDP handshake, in the order in which a client goes through them.
    pub enum Phase {
        /// Name resolution.
        Dns = "dns",
        /// The TCP connection.
        Tcp = "tcp",
        /// X.224 Connection Request and Confirm ([MS-RDPBCGR] 1.3.1.1, connection initiation).
        X224 = "x224",
        /// The TLS handshake.
        Tls = "tls",
        /// The certificate that the host presents.
        Certificate = "certificate",
        /// CredSSP, also called Network Level Authentication ([MS-CSSP]).
        Credssp = "credssp",
        /// MCS Connect and the GCC conference blocks ([MS-RDPBCGR] 2.2.1.3).
        Mcs = "mcs",
        /// Licensing ([MS-RDPELE]).
        Licensing = "licensing",
        /// The UDP transport ([MS-RDPEUDP]).
        Udp = "udp",
    }
}

impl Phase {
    /// Every phase that this version knows, in order.
    pub const ALL: [Self; 9] = [
        Self::Dns,
        Self::Tcp,
        Self::X224,
        Self::Tls,
        Self::Certificate,
        Self::Credssp,
        Self::Mcs,
        Self::Licensing,
        Self::Udp,
    ];
}

/// How a phase ended, over all attempts on the address that decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PhaseOutcome {
    /// The phase was seen to succeed.
    Ok,
    /// The phase was seen to fail.
    Failed,
    /// It was asked, and the answer (silence over UDP, say) does not tell.
    Inconclusive,
    /// An earlier phase failed.
    #[default]
    NotReached,
    /// Nobody asked for it.
    NotRequested,
    /// The host does not offer it (CredSSP on a host without NLA).
    NotSupported,
    /// The host hides it from a client that has not logged on.
    NotObservable,
}

impl PhaseOutcome {
    /// The word in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::NotReached => "not_reached",
            Self::NotRequested => "not_requested",
            Self::NotSupported => "not_supported",
            Self::NotObservable => "not_observable",
        }
    }
}

/// How one step of one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It did what it was for.
    Ok,
    /// It did not; the step's `failure` says how.
    Failed,
    /// It was not tried, since nothing hung on it.
    Skipped,
}
