//! Linux: ICMP errors from the socket's error queue (ip(7), no privilege needed), TCP_INFO, the don't-fragment bit.

use std::io::{self, IoSliceMut};
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, getsockopt, recvmsg, setsockopt, sockopt};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};
use rdprobe_report::facts::{Icmp, TcpFacts};
use rdprobe_report::{Lack, Millis};
use socket2::SockRef;

use super::System;

sockopt_impl!(
    /// Who decides whether packets may be fragmented.
    Ipv4MtuDiscover, SetOnly, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::c_int
);
sockopt_impl!(
    /// The same for IPv6.
    Ipv6MtuDiscover, SetOnly, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::c_int
);
sockopt_impl!(
    /// What the kernel believes of the path MTU.
    Ipv6Mtu, GetOnly, libc::IPPROTO_IPV6, libc::IPV6_MTU, libc::c_int
);

pub(crate) struct Linux;

impl System for Linux {
    /// musl's resolver reads hosts files and asks name servers, whatever nsswitch.conf says.
    const LACKS: &'static [Lack] = if cfg!(target_env = "musl") { &[Lack::Nsswitch] } else { &[] };
    const QUEUES_ERRORS: bool = true;

    fn receive_icmp_errors(socket: SockRef<'_>, v6: bool, on: bool) -> io::Result<()> {
        let result = match v6 {
            true => setsockopt(&*socket, sockopt::Ipv6RecvErr, &on),
            false => setsockopt(&*socket, sockopt::Ipv4RecvErr, &on),
        };
        Ok(result?)
    }

    /// Sets the don't-fragment bit and ignores what the kernel believes of the path MTU.
    fn forbid_fragmentation(socket: SockRef<'_>, v6: bool) -> io::Result<()> {
        let result = match v6 {
            true => setsockopt(&*socket, Ipv6MtuDiscover, &libc::IPV6_PMTUDISC_PROBE),
            false => setsockopt(&*socket, Ipv4MtuDiscover, &libc::IP_PMTUDISC_PROBE),
        };
        Ok(result?)
    }

    fn icmp_error(socket: SockRef<'_>) -> io::Result<Option<Icmp>> {
        let mut payload = [0; 256];
        let mut iov = [IoSliceMut::new(&mut payload)];
        let mut control = nix::cmsg_space!([u8; 256]);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut iov, Some(&mut control), flags)?;
        for control in message.cmsgs()? {
            let (error, from) = match control {
                ControlMessageOwned::Ipv4RecvErr(error, from) => {
                    let from = from.filter(|from| i32::from(from.sin_family) == libc::AF_INET);
                    (error, from.map(|from| IpAddr::V4(Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr)))))
                }
                ControlMessageOwned::Ipv6RecvErr(error, from) => {
                    let from = from.filter(|from| i32::from(from.sin6_family) == libc::AF_INET6);
                    (error, from.map(|from| IpAddr::V6(Ipv6Addr::from(from.sin6_addr.s6_addr))))
                }
                _ => continue,
            };
            if ![libc::SO_EE_ORIGIN_ICMP, libc::SO_EE_ORIGIN_ICMP6].contains(&error.ee_origin) {
                return Ok(None);
            }
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
        Ok(None)
    }

    fn tcp_info(socket: SockRef<'_>, facts: &mut TcpFacts) {
        let Some(info) = read_tcp_info(&socket) else { return };
        if info.tcpi_rtt > 0 {
            facts.rtt_ms = Some(Millis(f64::from(info.tcpi_rtt) / 1e3));
        }
        facts.retransmits = Some(info.tcpi_total_retrans);
        facts.mss = Some(info.tcpi_snd_mss).filter(|mss| *mss > 0);
        facts.path_mtu = Some(info.tcpi_pmtu).filter(|mtu| *mtu > 0);
    }

    fn path_mtu(socket: SockRef<'_>, v6: bool) -> Option<u32> {
        let mtu = match v6 {
            true => getsockopt(&*socket, Ipv6Mtu),
            false => getsockopt(&*socket, sockopt::IpMtu),
        };
        u32::try_from(mtu.ok()?).ok().filter(|mtu| *mtu > 0)
    }

    fn is_acknowledged(socket: SockRef<'_>) -> Option<bool> {
        read_tcp_info(&socket).map(|info| info.tcpi_unacked == 0)
    }
}

#[cfg(test)]
pub(crate) fn receives_icmp_errors(socket: SockRef<'_>) -> bool {
    getsockopt(&*socket, sockopt::Ipv4RecvErr).unwrap_or(true)
}

/// An older kernel writes less of it than the structure has; a wrapper that insists on all would end there.
#[allow(unsafe_code, reason = "no library reads TCP_INFO so that a shorter answer is no panic")]
fn read_tcp_info(socket: &SockRef<'_>) -> Option<libc::tcp_info> {
    // SAFETY: all zeros is a valid tcp_info.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
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
