//! `getaddrinfo` itself: its error codes tell cases apart that the standard library hides, and it honours the hosts
//! file and nsswitch as the user's client does.
#![allow(unsafe_code, reason = "getaddrinfo is a C function; each block says why it is sound")]

use std::ffi::{CStr, CString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use rdprobe_report::{Failure, LocalFault};

use crate::network::{ResolveError, local_failure};

/// Blocks until the system's resolver has answered. Addresses come in its order (RFC 6724), each once.
pub(crate) fn resolve(host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let Ok(name) = CString::new(host) else {
        return Err(ResolveError::new("EAI_NONAME", "the name contains a zero byte"));
    };
    // SAFETY: all zeros is a valid addrinfo: no flags, any family, null pointers.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: name and hints outlive the call; on success `list` owns a list that is freed below.
    let code = unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &hints, &mut list) };
    if code != 0 {
        return Err(error(code));
    }
    let mut addresses = Vec::new();
    let mut entry = list;
    while !entry.is_null() {
        // SAFETY: entry is a live node of the list, and ai_addr points to an address of the family named.
        let (address, next) = unsafe { (address(&*entry), (*entry).ai_next) };
        if let Some(address) = address.filter(|address| !addresses.contains(address)) {
            addresses.push(address);
        }
        entry = next;
    }
    // SAFETY: the list came from getaddrinfo and nothing refers to it any more.
    unsafe { libc::freeaddrinfo(list) };
    Ok(addresses)
}

/// # Safety
/// `ai_addr` must point to an address of the family that the entry names, as getaddrinfo guarantees.
unsafe fn address(entry: &libc::addrinfo) -> Option<IpAddr> {
    if entry.ai_addr.is_null() {
        return None;
    }
    match entry.ai_family {
        libc::AF_INET => {
            // SAFETY: the family says that this is a sockaddr_in.
            let raw = unsafe { (*entry.ai_addr.cast::<libc::sockaddr_in>()).sin_addr.s_addr };
            Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(raw))))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that this is a sockaddr_in6.
            let raw = unsafe { (*entry.ai_addr.cast::<libc::sockaddr_in6>()).sin6_addr.s6_addr };
            Some(IpAddr::V6(Ipv6Addr::from(raw)))
        }
        _ => None,
    }
}

fn error(code: i32) -> ResolveError {
    let name = match code {
        libc::EAI_NONAME => "EAI_NONAME",
        libc::EAI_AGAIN => "EAI_AGAIN",
        libc::EAI_FAIL => "EAI_FAIL",
        libc::EAI_MEMORY => "EAI_MEMORY",
        libc::EAI_SYSTEM => "EAI_SYSTEM",
        libc::EAI_FAMILY => "EAI_FAMILY",
        #[cfg(target_os = "linux")]
        libc::EAI_NODATA => "EAI_NODATA",
        _ => "EAI_OTHER",
    };
    // Before anything else is called.
    let system = std::io::Error::last_os_error();
    // SAFETY: gai_strerror returns a static string for every code.
    let text = || unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned();
    match code {
        libc::EAI_SYSTEM => ResolveError::local(name, local_failure(&system)),
        libc::EAI_MEMORY => ResolveError::local(name, Failure::local(LocalFault::Resources, text())),
        _ => ResolveError::new(name, text()),
    }
}
