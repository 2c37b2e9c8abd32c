//! What a UDP listener does with a SYN datagram ([MS-RDPEUDP] 2.2.1).

use serde::Deserialize;

use super::{HexBytes, IcmpError, LocalError};

/// What the UDP listener does.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Udp {
    /// Nothing: dropped, or nobody listens and no ICMP comes back.
    #[default]
    Silent,
    /// SYN+ACK.
    Answer(UdpAnswer),
    /// An ICMP error.
    Icmp(IcmpError),
    /// These bytes.
    Send(HexBytes),
    /// No datagram is sent: the client's own machine fails.
    Local(LocalError),
}

/// A listener that answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UdpAnswer {
    /// The highest version that it speaks: 1, 2 or 3.
    pub version: u16,
    /// It answers no SYN without SYNEX.
    pub demands_synex: bool,
    /// Numbers, from 1, of the datagrams that get lost.
    pub lose: Vec<u32>,
    /// Added to the round-trip time of each datagram in turn, in milliseconds, over and over.
    pub jitter_ms: Vec<f64>,
    /// `uUpStreamMtu` and `uDownStreamMtu`.
    pub mtu: u16,
    /// `uReceiveWindowSize`.
    pub window: u16,
}

impl Default for UdpAnswer {
    fn default() -> Self {
        Self {
            version: 2,
            demands_synex: false,
            lose: Vec::new(),
            jitter_ms: Vec::new(),
            mtu: 1232,
            window: 64,
        }
    }
}

/// What comes back for one datagram.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Nothing,
    Datagram { bytes: Vec<u8>, extra_ms: f64 },
    Icmp(IcmpError),
}

const SYN: u16 = 0x0001;
const ACK: u16 = 0x0004;
const SYNEX: u16 = 0x1000;
const VERSION_INFO_VALID: u16 = 0x0001;
const VERSION_3: u16 = 0x0101;

/// The reply to the `nth` datagram, from 1.
pub(crate) fn answer(udp: &Udp, nth: u32, datagram: &[u8]) -> Reply {
    match udp {
        Udp::Silent | Udp::Local(_) => Reply::Nothing,
        Udp::Icmp(error) => Reply::Icmp(error.clone()),
        Udp::Send(bytes) => Reply::Datagram { bytes: bytes.0.clone(), extra_ms: 0.0 },
        Udp::Answer(answer) if answer.lose.contains(&nth) => Reply::Nothing,
        Udp::Answer(answer) => match syn_ack(answer, datagram) {
            Some(bytes) => Reply::Datagram { bytes, extra_ms: turn(&answer.jitter_ms, nth) },
            None => Reply::Nothing,
        },
    }
}

fn turn(jitter: &[f64], nth: u32) -> f64 {
    match jitter.len() {
        0 => 0.0,
        length => jitter[(nth as usize - 1) % length],
    }
}

/// RDPUDP_FEC_HEADER, RDPUDP_SYNDATA_PAYLOAD and, where the client sent one, RDPUDP_SYNDATAEX_PAYLOAD; padded to
/// the size of the SYN ([MS-RDPEUDP] 3.1.5.1.1). All of it is big-endian.
fn syn_ack(answer: &UdpAnswer, syn: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u16::from_be_bytes(syn.get(at..at + 2)?.try_into().ok()?));
    let flags = word(6)?;
    if flags & SYN == 0 || flags & ACK != 0 {
        return None;
    }
    let synex = flags & SYNEX != 0;
    if answer.demands_synex && !synex {
        return None;
    }
    let mut bytes = Vec::with_capacity(1232);
    bytes.extend(syn.get(8..12)?);
    bytes.extend(answer.window.to_be_bytes());
    bytes.extend((SYN | ACK | if synex { SYNEX } else { 0 }).to_be_bytes());
    bytes.extend(0x1122_3344_u32.to_be_bytes());
    bytes.extend(answer.mtu.to_be_bytes());
    bytes.extend(answer.mtu.to_be_bytes());
    if synex {
        bytes.extend(VERSION_INFO_VALID.to_be_bytes());
        let version = if answer.version >= 3 { VERSION_3 } else { answer.version };
        bytes.extend(version.to_be_bytes());
    }
    bytes.resize(1232, 0);
    Some(bytes)
}
