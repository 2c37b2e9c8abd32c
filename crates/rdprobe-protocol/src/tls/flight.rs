//! What of a server's flight an enumeration keeps, beside the facts that every handshake has.

use rdprobe_report::facts::{Answer, ServerHello, TlsFacts};
use rdprobe_report::{Failure, FailureEvidence, FailureKind, Millis, Phase};
use sha2::{Digest as _, Sha256};

/// What the messages said, in clear.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    /// Types of the ServerHello's extensions, in order.
    pub(super) extensions: Vec<u16>,
    pub(super) compression: u8,
    pub(super) session_id_bytes: u8,
    pub(super) alpn: Option<String>,
    /// Leaf first.
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) dh_bits: Option<u32>,
}

/// More extensions than a server has to answer with are not kept.
const MOST_EXTENSIONS: usize = 32;

impl Flight {
    /// The answer to one hello: the ServerHello where one came, whatever followed, else how it ended.
    pub(super) fn answer(&self, facts: &TlsFacts, failure: Option<&Failure>) -> Answer {
        if let (Some(version), Some(suite)) = (facts.version, facts.suite) {
            return Answer::ServerHello(Box::new(ServerHello {
                version,
                suite,
                group: facts.group,
                hello_retry_request: facts.hello_retry_request,
                extensions: self.extensions.iter().copied().take(MOST_EXTENSIONS).collect(),
                compression: self.compression,
                session_id_bytes: self.session_id_bytes,
                alpn: self.alpn.clone(),
                certificate: self.chain.first().map(|leaf| hex::encode(Sha256::digest(leaf))),
                signature_scheme: facts.signature_scheme,
                dh_bits: self.dh_bits,
            }));
        }
        let Some(failure) = failure else { return Answer::Closed };
        match (facts.alert, failure.kind) {
            (Some(alert), _) => Answer::Alert { alert },
            (_, FailureKind::Reset) => Answer::Reset,
            (_, FailureKind::Closed) => Answer::Closed,
            (_, FailureKind::Timeout) => {
                let waited_ms = match failure.evidence {
                    Some(FailureEvidence::Silence { silent_ms, .. }) => silent_ms,
                    _ => Millis(0.0),
                };
                Answer::Silence { waited_ms }
            }
            (_, FailureKind::Malformed) => Answer::Malformed { detail: failure.detail.clone() },
            (_, kind) => {
                Answer::NotReached { phase: Phase::Tls, failure: kind, detail: failure.detail.clone() }
            }
        }
    }
}
