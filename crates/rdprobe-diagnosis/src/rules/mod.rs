//! What the observations mean: one file per phase, each a list of findings for one address.

pub(crate) mod certificate;
pub(crate) mod credssp;
pub(crate) mod dns;
pub(crate) mod licensing;
pub(crate) mod logon;
pub(crate) mod mcs;
pub(crate) mod stability;
pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod udp;
pub(crate) mod x224;
