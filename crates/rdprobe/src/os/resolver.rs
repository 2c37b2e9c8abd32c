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
    let name = name(kind);
    let error = io::Error::from(error);
    match kind {
        LookupErrorKind::System => ResolveError::local(name, local_failure(&error)),
        // WinSock's own trouble, and no name server's.
        LookupErrorKind::IO if cfg!(windows) => ResolveError::local(name, local_failure(&error)),
        LookupErrorKind::Memory => {
            ResolveError::local(name, Failure::local(LocalFault::Resources, detail(kind, &error)))
        }
        _ => ResolveError::new(name, detail(kind, &error)),
    }
}

#[cfg(not(windows))]
fn name(kind: LookupErrorKind) -> &'static str {
    match kind {
        LookupErrorKind::NoName => "EAI_NONAME",
        LookupErrorKind::NoData => "EAI_NODATA",
        LookupErrorKind::Again => "EAI_AGAIN",
        LookupErrorKind::Fail => "EAI_FAIL",
        LookupErrorKind::Memory => "EAI_MEMORY",
        LookupErrorKind::System => "EAI_SYSTEM",
        LookupErrorKind::Family => "EAI_FAMILY",
        _ => "EAI_OTHER",
    }
}

#[cfg(not(windows))]
fn detail(_: LookupErrorKind, error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}

/// WinSock has names of its own.
#[cfg(windows)]
fn name(kind: LookupErrorKind) -> &'static str {
    match kind {
        LookupErrorKind::NoName => "WSAHOST_NOT_FOUND",
        LookupErrorKind::NoData => "WSANO_DATA",
        LookupErrorKind::Again => "WSATRY_AGAIN",
        LookupErrorKind::Fail => "WSANO_RECOVERY",
        LookupErrorKind::Memory => "WSA_NOT_ENOUGH_MEMORY",
        LookupErrorKind::Family => "WSAEAFNOSUPPORT",
        LookupErrorKind::Badflags => "WSAEINVAL",
        LookupErrorKind::Service => "WSATYPE_NOT_FOUND",
        LookupErrorKind::Socktype => "WSAESOCKTNOSUPPORT",
        _ => "WSA_OTHER",
    }
}

/// Windows would tell in the user's language.
#[cfg(windows)]
fn detail(kind: LookupErrorKind, error: &io::Error) -> String {
    match kind {
        LookupErrorKind::NoName => "no such host is known".into(),
        LookupErrorKind::NoData => "the name has no address".into(),
        LookupErrorKind::Again => "no name server answered, or none could now".into(),
        LookupErrorKind::Fail => "a name server failed for good".into(),
        _ => crate::network::plain(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(windows)]
    fn an_error_is_named_as_winsock_names_it() {
        let error = error(LookupError::new(11001));
        assert_eq!((&error.name[..], &error.detail[..]), ("WSAHOST_NOT_FOUND", "no such host is known"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_error_is_named_as_getaddrinfo_names_it() {
        let error = error(LookupError::new(-2));
        assert_eq!(error.name, "EAI_NONAME");
        assert!(!error.detail.contains("lookup"), "{}", error.detail);
    }
}
