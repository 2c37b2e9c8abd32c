//! Linux: ICMP errors from the socket's error queue (ip(7), no privilege needed), TCP_INFO, the don't-fragment bit.
#![allow(
    unsafe_code,
    reason = "getsockopt, setsockopt and recvmsg on sockets that we own; each block says why it is sound"
)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;

use rdprobe_report::Millis;
use rdprobe_report::facts::{Icmp, TcpFacts};
use socket2::SockRef;

/// Asks for ICMP errors on the socket's error queue, or no longer.
pub(crate) fn receive_icmp_errors(socket: SockRef<'_>, v6: bool, on: bool) -> io::Result<()> {
    if v6 {
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, on.into())
    } else {
        set(&socket, libc::IPPROTO_IP, libc::IP_RECVERR, on.into())
    }
}

#[cfg(test)]
pub(crate) fn receives_icmp_errors(socket: SockRef<'_>) -> bool {
    get(&socket, libc::IPPROTO_IP, libc::IP_RECVERR) != Some(0)
}

/// Sets the don't-fragment bit and ignores what the kernel believes of the path MTU.
pub(crate) fn forbid_fragmentation(socket: SockRef<'_>, v6: bool) -> io::Result<()> {
    if v6 {
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE)
    } else {
        set(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)
    }
}

fn set(socket: &SockRef<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open while `socket` lives; the option takes an int.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes the next error off the queue: an ICMP error, or none where it was a local one. `WouldBlock` when empty.
pub(crate) fn icmp_error(socket: SockRef<'_>) -> io::Result<Option<Icmp>> {
    let mut payload = [0u8; 256];
    // Aligned for cmsghdr.
    let mut control = [0u64; 64];
    let mut iov = libc::iovec { iov_base: payload.as_mut_ptr().cast(), iov_len: payload.len() };
    // SAFETY: all zeros is a valid msghdr.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &mut iov;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: the message's buffers outlive the call and their lengths are true.
    let received =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel wrote msg_controllen bytes of well-formed control messages.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&message) };
    while !header.is_null() {
        // SAFETY: header is a valid control message within the buffer.
        let (level, kind, data) =
            unsafe { ((*header).cmsg_level, (*header).cmsg_type, libc::CMSG_DATA(header)) };
        let is_error = (level == libc::IPPROTO_IP && kind == libc::IP_RECVERR)
            || (level == libc::IPPROTO_IPV6 && kind == libc::IPV6_RECVERR);
        if is_error {
            // SAFETY: such a message holds a sock_extended_err, followed by the offender's address.
            let error = unsafe { data.cast::<libc::sock_extended_err>().read_unaligned() };
            let from_icmp =
                error.ee_origin == libc::SO_EE_ORIGIN_ICMP || error.ee_origin == libc::SO_EE_ORIGIN_ICMP6;
            if !from_icmp {
                return Ok(None);
            }
            // SAFETY: the offender's address follows directly in the same control message.
            let from = unsafe { offender(data.add(size_of::<libc::sock_extended_err>())) };
            let icmp = Icmp {
                kind: error.ee_type,
                code: error.ee_code,
                from,
                v6: error.ee_origin == libc::SO_EE_ORIGIN_ICMP6,
                mtu: None,
                ours: false,
            };
            let mtu = Some(error.ee_info).filter(|mtu| icmp.is_too_big() && *mtu > 0);
            return Ok(Some(Icmp { mtu, ..icmp }));
        }
        // SAFETY: as above.
        header = unsafe { libc::CMSG_NXTHDR(&message, header) };
    }
    Ok(None)
}

/// # Safety
/// `address` must point to a sockaddr as the kernel writes it behind a sock_extended_err.
unsafe fn offender(address: *const u8) -> Option<IpAddr> {
    // SAFETY: every sockaddr begins with its family; the rest is read by that family.
    unsafe {
        match i32::from(address.cast::<libc::sa_family_t>().read_unaligned()) {
            libc::AF_INET => {
                let address = address.cast::<libc::sockaddr_in>().read_unaligned();
                Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
            }
            libc::AF_INET6 => {
                let address = address.cast::<libc::sockaddr_in6>().read_unaligned();
                Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}

/// Adds what the kernel measured on the connection.
pub(crate) fn tcp_info(socket: SockRef<'_>, facts: &mut TcpFacts) {
    let Some(info) = read_tcp_info(&socket) else { return };
    if info.tcpi_rtt > 0 {
        facts.rtt_ms = Some(Millis(f64::from(info.tcpi_rtt) / 1e3));
    }
    facts.retransmits = Some(info.tcpi_total_retrans);
    facts.mss = Some(info.tcpi_snd_mss).filter(|mss| *mss > 0);
    facts.path_mtu = Some(info.tcpi_pmtu).filter(|mtu| *mtu > 0);
}

/// Whether no segment of ours waits for its acknowledgement.
pub(crate) fn is_acknowledged(socket: SockRef<'_>) -> Option<bool> {
    read_tcp_info(&socket).map(|info| info.tcpi_unacked == 0)
}

fn read_tcp_info(socket: &SockRef<'_>) -> Option<libc::tcp_info> {
    // SAFETY: all zeros is a valid tcp_info.
    let mut info: libc::tcp_info = unsafe { zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the buffer is as long as `length` says; the kernel writes at most that much.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &mut length,
        )
    };
    (result == 0).then_some(info)
}

/// What the kernel believes of the path MTU of a connected socket, in bytes.
pub(crate) fn path_mtu(socket: SockRef<'_>, v6: bool) -> Option<u32> {
    let (level, name) =
        if v6 { (libc::IPPROTO_IPV6, libc::IPV6_MTU) } else { (libc::IPPROTO_IP, libc::IP_MTU) };
    u32::try_from(get(&socket, level, name)?).ok().filter(|mtu| *mtu > 0)
}

fn get(socket: &SockRef<'_>, level: i32, name: i32) -> Option<i32> {
    let mut value: i32 = 0;
    let mut length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the descriptor is open while `socket` lives; the option yields an int.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &mut length) };
    (result == 0).then_some(value)
}
