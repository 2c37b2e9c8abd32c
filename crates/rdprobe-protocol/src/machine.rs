//! What every machine has in common.

use rdprobe_report::facts::Alert;
use rdprobe_report::{Facts, Failure, FailureEvidence, FailureKind, Limit, LocalFault, Millis};

/// How a connection ended under a machine that still wanted bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// FIN.
    Closed,
    /// RST.
    Reset,
    /// Nothing more within the time that there was.
    Silent {
        /// For how long nothing had come, in milliseconds.
        silent_ms: Millis,
        /// What ended the waiting.
        limit: Limit,
    },
    /// Nothing more within the time of the phase, and an ICMP error that tells why.
    Unreachable(String),
    /// A TLS alert, where TLS stands under the machine.
    Alert(Alert),
    /// TLS stands under the machine, and the peer broke its rules.
    Malformed(String),
    /// Our own side failed.
    Local {
        /// What stood in the way.
        fault: LocalFault,
        /// The operating system's error number, where it gave one.
        errno: Option<i32>,
        /// The reason, for the reader.
        detail: String,
    },
}

impl Ending {
    /// The failure that this ending is, where the machine knows nothing better.
    pub fn failure(&self, while_waiting_for: &str) -> Failure {
        match self {
            Self::Closed => {
                Failure::new(FailureKind::Closed, format!("closed while waiting for {while_waiting_for}"))
            }
            Self::Reset => {
                Failure::new(FailureKind::Reset, format!("reset while waiting for {while_waiting_for}"))
            }
            Self::Silent { silent_ms, limit } => {
                Failure::new(FailureKind::Timeout, format!("silent while waiting for {while_waiting_for}"))
                    .with(FailureEvidence::Silence { silent_ms: *silent_ms, limit: *limit })
            }
            Self::Unreachable(reason) => Failure::new(
                FailureKind::Unreachable,
                format!("{reason}, while waiting for {while_waiting_for}"),
            ),
            Self::Alert(alert) => Failure::new(
                FailureKind::Alert,
                format!("TLS alert {} ({}) while waiting for {while_waiting_for}", alert.name, alert.code),
            ),
            Self::Malformed(reason) => Failure::new(FailureKind::Malformed, reason.clone()),
            Self::Local { fault, errno, detail } => Failure::new(FailureKind::Local, detail.clone())
                .with(FailureEvidence::LocalFault { fault: *fault, errno: *errno }),
        }
    }
}

/// What a machine learnt, and how it failed if it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Concluded {
    /// The facts, as far as the phase went.
    pub facts: Facts,
    /// None where the phase succeeded.
    pub failure: Option<Failure>,
}

/// One phase of the handshake: bytes in, bytes out, facts at the end.
///
/// The driver repeats: send what [`outgoing`](Self::outgoing) yields; where [`wanted`](Self::wanted) is 0, stop;
/// else read at most that many bytes and pass them to [`receive`](Self::receive), or report to
/// [`end`](Self::end) that none will come. A machine never wants a byte beyond its phase, so what follows (the
/// TLS records after the X.224 Confirm) is left for the next one.
pub trait Machine {
    /// Bytes to send now; empty where there are none. Each is yielded once.
    fn outgoing(&mut self) -> Vec<u8>;

    /// How many bytes may be read at the most before the next call of `receive`; 0 once the phase is over.
    fn wanted(&self) -> usize;

    /// Whether the phase has done what it is for, and what is still wanted comes from a peer that thinks better of it
    /// alone: it is waited for one round trip and a little.
    fn is_content(&self) -> bool {
        false
    }

    /// Takes bytes that came, at least one and never more than `wanted` named.
    fn receive(&mut self, bytes: &[u8]);

    /// Is told that no more will come. Afterwards `wanted` is 0.
    fn end(&mut self, ending: Ending);

    /// Hands over what was learnt. Called once `wanted` is 0.
    fn conclude(self: Box<Self>) -> Concluded;
}
