//! Windows: what its stack measured on a connection (SIO_TCP_INFO), the ICMP error that ended one that was being made,
//! the don't-fragment bit and the path MTU. Each is asked for where it is needed and missed where it is not had: old
//! versions lack some.
#![allow(unsafe_code, reason = "WinSock's options have no safe wrapper; each block says why it is sound")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::windows::io::AsRawSocket;

use rdprobe_report::facts::{Icmp, TcpFacts};
use rdprobe_report::{Lack, Millis};
use socket2::SockRef;
use windows_sys::Win32::Networking::WinSock;
use windows_sys::Win32::Networking::WinSock::{ICMP_ERROR_INFO, SOCKET, TCP_INFO_v0};

use super::System;

pub(crate) struct Windows;

impl System for Windows {
    const LACKS: &'static [Lack] = &[Lack::IcmpOnUdp, Lack::BytesBeforeReset];

    /// A connection that is being made ends with the first ICMP error instead of with silence (Windows 10 2004).
    fn receive_icmp_errors(socket: SockRef<'_>, _v6: bool, on: bool) -> io::Result<()> {
        set(&socket, WinSock::IPPROTO_TCP, WinSock::TCP_FAIL_CONNECT_ON_ICMP_ERROR, u32::from(on))
    }

    fn icmp_error(socket: SockRef<'_>) -> io::Result<Option<Icmp>> {
        // SAFETY: all zeros is a valid ICMP_ERROR_INFO, and whatever the system writes over it too.
        let error: ICMP_ERROR_INFO =
            unsafe { get(&socket, WinSock::IPPROTO_TCP, WinSock::TCP_ICMP_ERROR_INFO) }
                .ok_or(io::ErrorKind::WouldBlock)?;
        let v6 = match error.protocol {
            WinSock::IPPROTO_ICMP => false,
            WinSock::IPPROTO_ICMPV6 => true,
            _ => return Err(io::ErrorKind::WouldBlock.into()),
        };
        // SAFETY: the family is at the same place in each part of the union, and every part is plain numbers.
        let from = unsafe {
            match error.srcaddress.si_family {
                WinSock::AF_INET => {
                    Some(IpAddr::V4(Ipv4Addr::from(error.srcaddress.Ipv4.sin_addr.S_un.S_addr.to_ne_bytes())))
                }
                WinSock::AF_INET6 => Some(IpAddr::V6(Ipv6Addr::from(error.srcaddress.Ipv6.sin6_addr.u.Byte))),
                _ => None,
            }
        };
        Ok(Some(Icmp { kind: error.r#type, code: error.code, from, v6, mtu: None, ours: false }))
    }

    fn forbid_fragmentation(socket: SockRef<'_>, v6: bool) -> io::Result<()> {
        match v6 {
            true => set(&socket, WinSock::IPPROTO_IPV6, WinSock::IPV6_DONTFRAG, 1),
            false => set(&socket, WinSock::IPPROTO_IP, WinSock::IP_DONTFRAGMENT, 1),
        }
    }

    fn tcp_info(socket: SockRef<'_>, facts: &mut TcpFacts) {
        let Some(info) = read_tcp_info(&socket) else { return };
        if info.RttUs > 0 {
            facts.rtt_ms = Some(Millis(f64::from(info.RttUs) / 1e3));
        }
        facts.retransmits = Some(retransmits(&info));
        facts.mss = Some(info.Mss).filter(|mss| *mss > 0);
        let v6 = facts.address.is_some_and(|address| address.is_ipv6());
        facts.path_mtu = Self::path_mtu(socket, v6);
    }

    fn path_mtu(socket: SockRef<'_>, v6: bool) -> Option<u32> {
        let (level, option) = match v6 {
            true => (WinSock::IPPROTO_IPV6, WinSock::IPV6_MTU),
            false => (WinSock::IPPROTO_IP, WinSock::IP_MTU),
        };
        // SAFETY: every u32 is valid.
        let mtu: Option<u32> = unsafe { get(&socket, level, option) };
        // An interface without a limit (loopback) has all ones.
        mtu.filter(|mtu| *mtu > 0 && *mtu < u32::MAX)
    }

    fn is_acknowledged(socket: SockRef<'_>) -> Option<bool> {
        read_tcp_info(&socket).map(|info| info.BytesInFlight == 0)
    }
}

/// Windows counts bytes that were sent again: so many segments at the least.
fn retransmits(info: &TCP_INFO_v0) -> u32 {
    info.BytesRetrans.div_ceil(info.Mss.max(1)) + u32::from(info.SynRetrans)
}

fn raw(socket: &SockRef<'_>) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

fn set(socket: &SockRef<'_>, level: i32, option: i32, value: u32) -> io::Result<()> {
    let length = size_of::<u32>() as i32;
    // SAFETY: the value is as long as `length` says, and is only read.
    let result =
        unsafe { WinSock::setsockopt(raw(socket), level, option, (&raw const value).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An option of this type; none where the system has not all of it.
///
/// # Safety
/// Every value of the bytes of `T` must be valid.
unsafe fn get<T>(socket: &SockRef<'_>, level: i32, option: i32) -> Option<T> {
    // SAFETY: every value of the bytes is valid, so all zeros are.
    let mut value: T = unsafe { zeroed() };
    let mut length = size_of::<T>() as i32;
    // SAFETY: the buffer is as long as `length` says; the system writes at most that much.
    let result =
        unsafe { WinSock::getsockopt(raw(socket), level, option, (&raw mut value).cast(), &raw mut length) };
    (result == 0 && length as usize == size_of::<T>()).then_some(value)
}

fn read_tcp_info(socket: &SockRef<'_>) -> Option<TCP_INFO_v0> {
    let version = 0_u32;
    let mut info = TCP_INFO_v0::default();
    let mut length = 0;
    // SAFETY: both buffers are as long as is said; the system writes the structure of version 0, whose one BOOLEAN it
    // makes 0 or 1. Without an OVERLAPPED the call is over when it returns.
    let result = unsafe {
        WinSock::WSAIoctl(
            raw(socket),
            WinSock::SIO_TCP_INFO,
            (&raw const version).cast(),
            size_of::<u32>() as u32,
            (&raw mut info).cast(),
            size_of::<TCP_INFO_v0>() as u32,
            &raw mut length,
            std::ptr::null_mut(),
            None,
        )
    };
    (result == 0 && length as usize == size_of::<TCP_INFO_v0>()).then_some(info)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn what_is_asked_is_had_or_missed_and_never_made_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut facts = TcpFacts::default();
        Windows::tcp_info(SockRef::from(&stream), &mut facts);
        match read_tcp_info(&SockRef::from(&stream)) {
            Some(_) => assert!(facts.mss.is_some() && facts.retransmits == Some(0), "{facts:?}"),
            None => assert_eq!(facts, TcpFacts::default()),
        }
        assert_eq!(
            Windows::icmp_error(SockRef::from(&stream)).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
    }

    #[test]
    fn fragmentation_is_forbidden() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Windows::forbid_fragmentation(SockRef::from(&socket), false).unwrap();
        // SAFETY: every u32 is valid.
        let set: Option<u32> =
            unsafe { get(&SockRef::from(&socket), WinSock::IPPROTO_IP, WinSock::IP_DONTFRAGMENT) };
        assert_eq!(set, Some(1));
    }

    #[test]
    fn a_reset_on_udp_is_a_closed_port() {
        let icmp =
            Windows::icmp_behind(&io::Error::from_raw_os_error(WinSock::WSAECONNRESET), false).unwrap();
        assert!(icmp.is_port_unreachable() && icmp.from.is_none());
    }

    #[test]
    fn bytes_that_were_sent_again_are_counted_as_segments() {
        let info = TCP_INFO_v0 { Mss: 1460, BytesRetrans: 2920, SynRetrans: 1, ..TCP_INFO_v0::default() };
        assert_eq!(retransmits(&info), 3);
        assert_eq!(retransmits(&TCP_INFO_v0::default()), 0);
    }
}
