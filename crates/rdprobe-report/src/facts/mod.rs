//! What one phase learnt, as typed facts. Everything is optional: a failed step keeps what it had learnt.

mod certificate;
mod credssp;
mod dns;
mod enumeration;
mod exchange;
mod licensing;
mod mcs;
mod tcp;
mod tls;
mod udp;
mod x224;

pub use certificate::{CertificateFacts, ChainLink, PublicKey, SignatureCheck};
pub use credssp::{CredsspFacts, KerberosError, KerberosExchange, NtStatus, Package};
pub use dns::DnsFacts;
pub use enumeration::{
    EnumeratedGroup, EnumeratedSuite, EnumeratedVersion, Enumeration, NameAnswer, PolicyChange, PolicyReport,
    ServedCertificate,
};
pub use exchange::{About, Answer, Asked, EnumerationEnd, Exchange, Exchanges, ServerHello, SuiteList};
pub use licensing::LicensingFacts;
pub use mcs::McsFacts;
pub use tcp::{Icmp, TcpFacts};
pub use tls::{Alert, ProbeTls, TlsFacts, TlsStack};
pub use udp::{UdpFacts, UdpProbe};
pub use x224::{Implementation, Negotiation, Nla, Service, X224Facts};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Phase;

/// The facts of one step, under the name of its phase.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "phase", content = "facts", rename_all = "lowercase")]
#[non_exhaustive]
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
    /// MCS.
    Mcs(Box<McsFacts>),
    /// Licensing.
    Licensing(Box<LicensingFacts>),
    /// UDP.
    Udp(Box<UdpFacts>),
    /// A phase of a later version: kept, not judged.
    #[serde(untagged)]
    Other(Box<OtherFacts>),
}

/// The facts of a phase that this version does not know, as they came.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OtherFacts {
    /// The phase.
    pub phase: Phase,
    /// Its facts.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub facts: Value,
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Tagged {
            phase: Phase,
            #[serde(default)]
            facts: Value,
        }
        fn read<T: serde::de::DeserializeOwned, E: serde::de::Error>(
            phase: Phase,
            facts: Value,
        ) -> Result<T, E> {
            serde_json::from_value(facts).map_err(|error| E::custom(format!("facts of {phase}: {error}")))
        }
        let Tagged { phase, facts } = Tagged::deserialize(deserializer)?;
        Ok(match phase {
            Phase::Dns => Self::Dns(read(phase, facts)?),
            Phase::Tcp => Self::Tcp(read(phase, facts)?),
            Phase::X224 => Self::X224(read(phase, facts)?),
            Phase::Tls => Self::Tls(read(phase, facts)?),
            Phase::Certificate => Self::Certificate(read(phase, facts)?),
            Phase::Credssp => Self::Credssp(read(phase, facts)?),
            Phase::Udp => Self::Udp(read(phase, facts)?),
            Phase::Mcs => Self::Mcs(read(phase, facts)?),
            Phase::Licensing => Self::Licensing(read(phase, facts)?),
            Phase::Other(_) => Self::Other(Box::new(OtherFacts { phase, facts })),
        })
    }
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
            Self::Mcs(_) => Phase::Mcs,
            Self::Licensing(_) => Phase::Licensing,
            Self::Udp(_) => Phase::Udp,
            Self::Other(other) => other.phase,
        }
    }
}

/// Left out of a report where there is nothing to say.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
