//! What the standard library has no word for.
#![allow(
    unsafe_code,
    reason = "an ioctl on a file that we own and getrusage; each block says why it is sound"
)]

use std::fs::File;
use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// A TUN device of this name, in this process's network namespace, that lives as long as the file is open. Packets
/// come and go without a header.
pub(crate) fn tun(name: &str) -> io::Result<File> {
    let file = File::options().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: all zeros is a valid ifreq.
    let mut request: libc::ifreq = unsafe { zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is too long"));
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq, and the name in it ends with a zero.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

/// What the children that this process has waited for took together.
pub(crate) struct Usage {
    /// In user and kernel mode.
    pub(crate) cpu: Duration,
    /// Of the largest of them, in KiB. A child's count begins with this process's own memory.
    pub(crate) peak_kib: u64,
}

pub(crate) fn usage_of_children() -> io::Result<Usage> {
    // SAFETY: all zeros is a valid rusage, and the call writes one.
    let (result, usage) = unsafe {
        let mut usage: libc::rusage = zeroed();
        (libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage), usage)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let time = |time: libc::timeval| {
        Duration::from_micros(time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_usec.unsigned_abs())
    };
    Ok(Usage { cpu: time(usage.ru_utime) + time(usage.ru_stime), peak_kib: usage.ru_maxrss.unsigned_abs() })
}
