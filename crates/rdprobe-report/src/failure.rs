//! How a step failed: the kind, on which rules decide, with its evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::name::open_words;

/// How the peer, the network or our own side ended a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind, on which rules decide.
    pub kind: FailureKind,
    /// What the kind alone does not tell, typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<FailureEvidence>,
    /// What exactly, for the reader; no rule reads it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Failure {
    /// A failure with its explanation.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, evidence: None, detail: detail.into() }
    }

    /// A failure of our own, for which no peer is to blame.
    pub fn local(fault: LocalFault, detail: impl Into<String>) -> Self {
        Self::new(FailureKind::Local, detail).with(FailureEvidence::LocalFault { fault, errno: None })
    }

    /// The same with its evidence.
    pub fn with(self, evidence: FailureEvidence) -> Self {
        Self { evidence: Some(evidence), ..self }
    }

    /// What of ours stood in the way; none where the peer or the network ended the step.
    pub fn local_fault(&self) -> Option<LocalFault> {
        match self.evidence {
            Some(FailureEvidence::LocalFault { fault, .. }) => Some(fault),
            _ if self.kind == FailureKind::Local => Some(LocalFault::Unspecified),
            _ => None,
        }
    }

    /// For how long nothing had come when a silent step was given up, in milliseconds.
    pub fn silent_ms(&self) -> Option<f64> {
        match self.evidence {
            Some(FailureEvidence::Silence { silent_ms, .. }) => Some(silent_ms.0),
            _ => None,
        }
    }
}

open_words! {
    /// The kinds of failure.
    pub enum FailureKind {
        /// RST on an established connection.
        Reset = "reset",
        /// FIN before the phase was done.
        Closed = "closed",
        /// Silence until the time of the phase was used up.
        Timeout = "timeout",
        /// RST in answer to the SYN, or port unreachable.
        Refused = "refused",
        /// Host or network unreachable.
        Unreachable = "unreachable",
        /// An ICMP error that says "administratively prohibited".
        Prohibited = "prohibited",
        /// A TLS alert.
        Alert = "alert",
        /// An answer that says no in the protocol's own words.
        Rejected = "rejected",
        /// An answer that is not the protocol, or breaks its rules.
        Malformed = "malformed",
        /// Our own side gave up; the peer is not to blame.
        Local = "local",
    }
}

/// What is known of a failure beyond its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureEvidence {
    /// Nothing came.
    Silence {
        /// For how long, from the last byte or the start of the step, in milliseconds.
        silent_ms: Millis,
        /// What ended the waiting.
        limit: Limit,
    },
    /// Our own side could not.
    LocalFault {
        /// What stood in the way.
        fault: LocalFault,
        /// The operating system's error number, where it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
    /// Evidence of a later version, as it came.
    #[serde(untagged)]
    Other(serde_json::Map<String, serde_json::Value>),
}

open_words! {
    /// What ended the waiting for a silent peer.
    pub enum Limit {
        /// The time limit of the phase.
        Phase = "phase",
        /// The deadline of the whole probe.
        Deadline = "deadline",
        /// The patience of a question that was asked beside a silent step.
        Patience = "patience",
        /// The user.
        Stop = "stop",
    }
}

open_words! {
    /// What of ours stood in the way.
    pub enum LocalFault {
        /// No file descriptor was to be had.
        Descriptors = "descriptors",
        /// This computer has no route, or no address of the family.
        NoRoute = "no_route",
        /// The operating system, or a firewall of this computer, does not allow it.
        Permission = "permission",
        /// Ports, buffers or memory ran out.
        Resources = "resources",
        /// Our TLS or security library lacks what the peer wants.
        Library = "library",
        /// What was asked for cannot be done: an unknown client, a name that TLS cannot send.
        Options = "options",
        /// Something else of ours.
        Unspecified = "unspecified",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_typed_and_what_is_unknown_of_it_survives() {
        let silent = Failure::new(FailureKind::Timeout, "no answer")
            .with(FailureEvidence::Silence { silent_ms: Millis(5000.0), limit: Limit::Phase });
        let text = serde_json::to_string(&silent).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"timeout","evidence":{"what":"silence","silent_ms":5000.0,"limit":"phase"},"detail":"no answer"}"#
        );
        assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), silent);

        let newer = r#"{"kind":"proxied","evidence":{"status":401,"what":"gateway"}}"#;
        let read: Failure = serde_json::from_str(newer).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), newer);
    }

    #[test]
    fn a_recorded_local_failure_without_evidence_is_ours_all_the_same() {
        let read: Failure = serde_json::from_str(r#"{"kind":"local","detail":"no socket"}"#).unwrap();
        assert_eq!(read.local_fault(), Some(LocalFault::Unspecified));
        assert_eq!(Failure::local(LocalFault::NoRoute, "").local_fault(), Some(LocalFault::NoRoute));
    }
}
