//! What one phase learnt, as typed facts. Everything is optional: a failed step keeps what it had learnt.

mod certificate;
mod credssp;
mod dns;
mod tcp;
mod tls;
mod udp;
mod x224;

pub use certificate::{CertificateFacts, ChainLink, PublicKey, SignatureCheck};
pub use credssp::{CredsspFacts, KerberosError};
pub use dns::DnsFacts;
pub use tcp::{Icmp, TcpFacts};
pub use tls::{Alert, ProbeTls, TlsFacts};
pub use udp::{UdpFacts, UdpProbe};
pub use x224::{Negotiation, Nla, Service, X224Facts};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;

/// The facts of one step, under the name of its phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "phase", content = "facts", rename_all = "lowercase")]
pub enum Facts {
    /// Name resolution.
    Dns(DnsFacts),
    /// TCP.
    Tcp(TcpFacts),
    /// X.224.
    X224(Box<X224Facts>),
    /// TLS.
    Tls(Box<TlsFacts>),
    /// The certificate.
    Certificate(Box<CertificateFacts>),
    /// CredSSP.
    Credssp(Box<CredsspFacts>),
    /// UDP.
    Udp(Box<UdpFacts>),
}

impl Facts {
    /// The phase to which these facts belong.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Dns(_) => Phase::Dns,
            Self::Tcp(_) => Phase::Tcp,
            Self::X224(_) => Phase::X224,
            Self::Tls(_) => Phase::Tls,
            Self::Certificate(_) => Phase::Certificate,
            Self::Credssp(_) => Phase::Credssp,
            Self::Udp(_) => Phase::Udp,
        }
    }
}

/// Left out of a report where there is nothing to say.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
