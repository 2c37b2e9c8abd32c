//! Why a logon ends before it was accepted.

use rdprobe_report::facts::KerberosError;
use rdprobe_report::{Failure, FailureKind, LocalFault};

/// Why the logon ended before it was accepted.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nothing of the account was sent.
    NotTried(String),
    /// The KDC or the host refuses in Kerberos' words, or the KDC cannot be asked.
    Kerberos(Box<KerberosError>),
    /// Anything else.
    Failed(Failure),
}

impl Stop {
    pub(super) fn not_tried(why: String) -> Self {
        Self::NotTried(why)
    }

    pub(super) fn kerberos(error: KerberosError) -> Self {
        Self::Kerberos(Box::new(error))
    }

    pub(super) fn local(why: impl Into<String>) -> Self {
        Self::Failed(Failure::local(LocalFault::Library, why))
    }

    /// The library refuses: the host's token, where there was one to refuse, else our own configuration.
    pub(super) fn library(error: &sspi::Error, answers_host: bool) -> Self {
        let detail = format!("the CredSSP library gives up: {}", error.description);
        match answers_host {
            true => Self::Failed(Failure::new(FailureKind::Malformed, detail)),
            false => Self::local(detail),
        }
    }
}
