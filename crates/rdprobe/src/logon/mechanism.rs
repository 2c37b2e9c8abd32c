//! How an account proves itself to a host.

use rdprobe_report::facts;

/// The mechanism that is used, once it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// Bare NTLM, as clients send it where there is no Kerberos.
    Ntlm,
    /// NTLM inside SPNEGO.
    NtlmInSpnego,
    /// Kerberos inside SPNEGO.
    Kerberos,
}

impl Mechanism {
    pub(super) fn package(self) -> facts::Package {
        match self {
            Self::Ntlm | Self::NtlmInSpnego => facts::Package::Ntlm,
            Self::Kerberos => facts::Package::Kerberos,
        }
    }
}
