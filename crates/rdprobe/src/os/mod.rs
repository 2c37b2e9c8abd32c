//! What only some operating systems tell: one trait, and a file for each system. [`plain`] is what all of them have in
//! common.

use std::io;

use rdprobe_report::facts::{Icmp, TcpFacts};
use rdprobe_report::{Lack, Platform};
use socket2::SockRef;

#[cfg(target_os = "linux")]
pub(crate) mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::Linux as Here;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::Windows as Here;

#[cfg(any(test, not(any(windows, target_os = "linux"))))]
mod plain;
#[cfg(not(any(windows, target_os = "linux")))]
pub(crate) use plain::Plain as Here;

#[cfg(unix)]
mod limits_unix;
#[cfg(unix)]
pub(crate) use limits_unix::{descriptor_limit, raise_descriptor_limit};

#[cfg(not(unix))]
mod limits_none;
#[cfg(not(unix))]
pub(crate) use limits_none::{descriptor_limit, raise_descriptor_limit};

mod resolver;
pub(crate) use resolver::resolve;

/// What a system tells of its sockets. What it does not is left to the defaults, which learn nothing.
pub(crate) trait System {
    /// What a report from here lacks.
    const LACKS: &'static [Lack];
    /// ICMP errors on UDP come through [`icmp_error`](Self::icmp_error), so the error of a call says no more.
    const QUEUES_ERRORS: bool = false;

    /// Asks for ICMP errors as they come, or no longer.
    fn receive_icmp_errors(_: SockRef<'_>, _v6: bool, _on: bool) -> io::Result<()> {
        Ok(())
    }

    /// The next ICMP error that the socket drew, or none where it was a local one. `WouldBlock` where there is none.
    fn icmp_error(_: SockRef<'_>) -> io::Result<Option<Icmp>> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// The ICMP error for which this error of a connected UDP socket stands. No UDP peer can refuse or reset anything, so
    /// either is what the system makes of "port unreachable"; whose it was stays unknown.
    fn icmp_behind(error: &io::Error, v6: bool) -> Option<Icmp> {
        let (kind, code) = if v6 { (1, 4) } else { (3, 3) };
        matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
            .then(|| Icmp { kind, code, from: None, v6, mtu: None, ours: false })
    }

    /// Sets the don't-fragment bit.
    fn forbid_fragmentation(_: SockRef<'_>, _v6: bool) -> io::Result<()> {
        Ok(())
    }

    /// Adds what the system measured on the connection.
    fn tcp_info(_: SockRef<'_>, _: &mut TcpFacts) {}

    /// What the system believes of the path MTU of a connected socket, in bytes.
    fn path_mtu(_: SockRef<'_>, _v6: bool) -> Option<u32> {
        None
    }

    /// Whether no segment of ours waits for its acknowledgement.
    fn is_acknowledged(_: SockRef<'_>) -> Option<bool> {
        None
    }
}

/// The system on which this runs.
pub(crate) fn platform() -> Platform {
    Platform { os: std::env::consts::OS.into(), lacks: Here::LACKS.to_vec() }
}
