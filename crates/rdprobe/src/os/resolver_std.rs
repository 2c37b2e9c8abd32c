//! The standard library's resolver, which does not tell one error from another.

use std::net::{IpAddr, ToSocketAddrs};

use crate::network::{ResolveError, plain};

/// Blocks until the system's resolver has answered.
pub(crate) fn resolve(host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    match (host, 0).to_socket_addrs() {
        Ok(addresses) => {
            let mut unique: Vec<IpAddr> = Vec::new();
            for address in addresses {
                if !unique.contains(&address.ip()) {
                    unique.push(address.ip());
                }
            }
            Ok(unique)
        }
        Err(error) => {
            // WSAHOST_NOT_FOUND and WSANO_DATA; what else there is counts as a failure of the resolver.
            let name = match error.raw_os_error() {
                Some(11001 | 11004) => "EAI_NONAME",
                Some(11002) => "EAI_AGAIN",
                _ => "EAI_FAIL",
            };
            Err(ResolveError::new(name, plain(&error)))
        }
    }
}
