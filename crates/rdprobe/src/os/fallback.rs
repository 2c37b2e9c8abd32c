//! Platforms without an error queue, TCP_INFO or a don't-fragment switch that we know: nothing is learnt there.

use std::io;

use rdprobe_report::facts::{Icmp, TcpFacts};
use socket2::SockRef;

pub(crate) fn receive_icmp_errors(_: SockRef<'_>, _: bool, _: bool) -> io::Result<()> {
    Ok(())
}

pub(crate) fn forbid_fragmentation(_: SockRef<'_>, _: bool) -> io::Result<()> {
    Ok(())
}

pub(crate) fn icmp_error(_: SockRef<'_>) -> io::Result<Option<Icmp>> {
    Err(io::ErrorKind::WouldBlock.into())
}

pub(crate) fn tcp_info(_: SockRef<'_>, _: &mut TcpFacts) {}

pub(crate) fn path_mtu(_: SockRef<'_>, _: bool) -> Option<u32> {
    None
}

pub(crate) fn is_acknowledged(_: SockRef<'_>) -> Option<bool> {
    None
}
