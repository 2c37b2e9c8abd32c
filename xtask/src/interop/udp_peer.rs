//! A host that answers the first datagram of RDP's UDP transport and no more.

use std::net::{SocketAddr, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Where, and what it speaks.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    listen: SocketAddr,
    /// The highest protocol version: 1 or 2
    #[arg(long, default_value_t = 2)]
    version: u16,
}

const SYN: u16 = 0x0001;
const ACK: u16 = 0x0004;
const SYNLOSSY: u16 = 0x0200;
const CORRELATION_ID: u16 = 0x0800;
const SYNEX: u16 = 0x1000;

/// A SYN is padded to the MTU that it offers, 1132 to 1232 bytes ([MS-RDPEUDP] 3.1.5.1.1).
const SMALLEST: usize = 1132;
const LARGEST: usize = 1232;

pub(crate) fn run(options: &Options) -> Result<bool> {
    let socket =
        UdpSocket::bind(options.listen).with_context(|| format!("cannot bind {}", options.listen))?;
    println!("ready on {}", options.listen);
    let mut buffer = [0; 2048];
    loop {
        // An ICMP error of an earlier answer surfaces here and concerns nobody.
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        if let Some(answer) = answer(&buffer[..length], options.version, initial_sequence()) {
            let _ = socket.send_to(&answer, peer);
        }
    }
}

/// The SYN+ACK for a SYN; nothing for any other datagram.
fn answer(datagram: &[u8], newest: u16, sequence: u32) -> Option<Vec<u8>> {
    if !(SMALLEST..=LARGEST).contains(&datagram.len()) {
        return None;
    }
    let u16_at = |at: usize| Some(u16::from_be_bytes(datagram.get(at..at + 2)?.try_into().ok()?));
    let flags = u16_at(6)?;
    if datagram[..4] != [0xff; 4] || flags & SYN == 0 || flags & ACK != 0 {
        return None;
    }
    let client_sequence = &datagram[8..12];
    let synex_at = if flags & CORRELATION_ID == 0 { 16 } else { 48 };
    let offered = if flags & SYNEX == 0 { None } else { Some(u16_at(synex_at + 2)?) };

    let mut answer = Vec::with_capacity(LARGEST);
    answer.extend(client_sequence);
    answer.extend(0x0040_u16.to_be_bytes());
    let synex = if offered.is_some() && newest >= 2 { SYNEX } else { 0 };
    answer.extend((SYN | ACK | synex | flags & SYNLOSSY).to_be_bytes());
    answer.extend(sequence.to_be_bytes());
    answer.extend(&datagram[12..16]);
    if synex != 0 {
        // Version information is valid; versions above 2 are negotiated down.
        answer.extend(1_u16.to_be_bytes());
        answer.extend(offered.unwrap_or(1).clamp(1, newest).to_be_bytes());
    }
    answer.resize(datagram.len(), 0);
    Some(answer)
}

fn initial_sequence() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SYN as mstsc sends it: version 2, correlation id, SYNEX.
    fn syn(length: usize) -> Vec<u8> {
        let mut bytes = vec![0xff; 4];
        bytes.extend([0, 0x40, 0x18, 0x01, 1, 2, 3, 4, 0x04, 0xd0, 0x04, 0xd0]);
        bytes.extend([0xaa; 16]);
        bytes.extend([0; 16]);
        bytes.extend([0, 1, 0, 2]);
        bytes.resize(length, 0);
        bytes
    }

    #[test]
    fn a_full_syn_is_acknowledged_with_its_version() {
        let answer = answer(&syn(1232), 2, 7).unwrap();
        assert_eq!(answer.len(), 1232);
        assert_eq!(answer[..20], [1, 2, 3, 4, 0, 0x40, 0x10, 5, 0, 0, 0, 7, 4, 0xd0, 4, 0xd0, 0, 1, 0, 2]);
    }

    #[test]
    fn an_old_host_leaves_the_extension_out() {
        let answer = answer(&syn(1232), 1, 7).unwrap();
        assert_eq!(answer[6..8], [0, 5]);
        assert_eq!(answer[16..], vec![0; 1216]);
    }

    #[test]
    fn a_short_syn_gets_nothing() {
        assert_eq!(answer(&syn(200), 2, 7), None);
        assert_eq!(answer(&vec![0; 1232], 2, 7), None);
    }
}
