//! `getaddrinfo` itself: its error codes tell cases apart that the standard library hides, and it honours the hosts
//! file and nsswitch as the user's client does.

use std::io;
use std::net::IpAddr;

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};
use rdprobe_report::{Failure, LocalFault};

use crate::network::{ResolveError, local_failure};

/// Blocks until the system's resolver has answered. Addresses come in its order (RFC 6724), each once.
pub(crate) fn resolve(host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(host), None, Some(hints)).map_err(error)?;
    let mut addresses = Vec::new();
    // A family that is no IP's is passed over.
    for address in found.filter_map(Result::ok).map(|entry| entry.sockaddr.ip()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

fn error(error: LookupError) -> ResolveError {
    let kind = error.kind();
    let name = match kind {
        LookupErrorKind::NoName => "EAI_NONAME",
        LookupErrorKind::NoData => "EAI_NODATA",
        LookupErrorKind::Again => "EAI_AGAIN",
        LookupErrorKind::Fail => "EAI_FAIL",
        LookupErrorKind::Memory => "EAI_MEMORY",
        LookupErrorKind::System => "EAI_SYSTEM",
        LookupErrorKind::Family => "EAI_FAMILY",
        _ => "EAI_OTHER",
    };
    let error = io::Error::from(error);
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned();
    match kind {
        LookupErrorKind::System => ResolveError::local(name, local_failure(&error)),
        LookupErrorKind::Memory => ResolveError::local(name, Failure::local(LocalFault::Resources, text)),
        _ => ResolveError::new(name, text),
    }
}
