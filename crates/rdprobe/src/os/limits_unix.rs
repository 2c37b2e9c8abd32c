//! The limit of open file descriptors (getrlimit(2)).
#![allow(unsafe_code, reason = "getrlimit and setrlimit; each block says why it is sound")]

use std::io;

fn limit() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one rlimit.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    if result == 0 { Ok(limit) } else { Err(io::Error::last_os_error()) }
}

/// Descriptors that this process may have open, as far as it is limited.
pub(crate) fn descriptor_limit() -> Option<usize> {
    usize::try_from(limit().ok()?.rlim_cur).ok()
}

/// Raises the soft limit to the hard one.
pub(crate) fn raise_descriptor_limit() -> io::Result<()> {
    let limit = limit()?;
    if limit.rlim_cur == limit.rlim_max {
        return Ok(());
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: the kernel reads one rlimit.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
