//! What the harness reads from /proc: who runs, and who listens.
//!
//! A bare connect would disturb several servers (FreeRDP's shadow, gnome-remote-desktop), so readiness is a
//! socket in state LISTEN.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One process, from `/proc/PID/stat`.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) state: char,
    pub(super) group: i32,
    /// Clock ticks since boot: with the id, it names a process for good.
    pub(super) started: u64,
}

impl Process {
    pub(super) fn read(pid: i32) -> Option<Process> {
        Process::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Process> {
        // The second field is the program's name in brackets, which may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Process {
            state: fields.first()?.chars().next()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    pub(super) fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

/// The living processes of a group that started at or after `since`: a later group that got the same id is
/// not excluded by its id alone.
pub(super) fn group_members(group: i32, since: u64) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            Process::read(*pid).is_some_and(|process| {
                process.group == group && process.started >= since && process.is_alive()
            })
        })
        .collect()
}

/// Whether somebody listens on exactly this address and port, or on all addresses of that port, in the
/// network namespace of `pid` (`self` for our own).
pub(super) fn is_listening(pid: &str, address: SocketAddr) -> bool {
    listeners(pid).into_iter().any(|listener| {
        listener.port() == address.port()
            && (listener.ip() == address.ip()
                || listener.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
                || (address.is_ipv4() && listener.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    })
}

fn listeners(pid: &str) -> Vec<SocketAddr> {
    ["tcp", "tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok())
        .flat_map(|text| text.lines().filter_map(listener).collect::<Vec<_>>())
        .collect()
}

/// The local address of one line of `/proc/net/tcp` or `tcp6`, if its state is LISTEN.
fn listener(line: &str) -> Option<SocketAddr> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_whitespace().skip(1);
    let local = fields.next()?;
    let state = fields.nth(1)?;
    if state != LISTEN {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Each 32-bit word is printed in the machine's byte order.
    let words: Vec<[u8; 4]> = address
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    let ip = match words.as_slice() {
        [word] => IpAddr::from(*word),
        [a, b, c, d] => IpAddr::from(<[u8; 16]>::try_from([*a, *b, *c, *d].concat()).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_confuse() {
        let stat = "42 (a) b) S 1 40 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 1000 2";
        let process = Process::parse(stat).unwrap();
        assert_eq!((process.state, process.group, process.started), ('S', 40, 777));
        assert!(process.is_alive());
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_read_and_others_are_not() {
        let v4 =
            "   0: 650A007F:0D3D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1";
        assert_eq!(listener(v4), Some("127.0.10.101:3389".parse().unwrap()));
        let v6 = "   1: 00000000000000000000000001000000:0D3D 00000000000000000000000000000000:0000 0A 0:0";
        assert_eq!(listener(v6), Some("[::1]:3389".parse().unwrap()));
        let connected = "   2: 650A007F:0D3D 0100007F:9999 01 00000000:00000000";
        assert_eq!(listener(connected), None);
        assert_eq!(listener("  sl  local_address rem_address   st tx_queue"), None);
    }

    #[test]
    fn a_listener_of_our_own_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        assert!(is_listening("self", address));
        let elsewhere = SocketAddr::new("127.0.0.2".parse().unwrap(), address.port());
        assert!(!is_listening("self", elsewhere));
    }
}
