//! The SYN datagram ([MS-RDPEUDP] 3.1.5.1.1).

use super::{DATAGRAM, VERSION_INFO_VALID, flag, version_of_wire, wire_of_version};
use crate::DecodeError;
use crate::decode::Reader;

/// `snSourceAck` of a SYN.
const NO_ACK: u32 = u32::MAX;
/// As mstsc has it, in datagrams.
const RECEIVE_WINDOW: u16 = 64;
const COOKIE_HASH: usize = 32;
const CORRELATION_RESERVED: usize = 16;

/// A client's SYN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syn {
    /// Highest version offered: 1 (without RDPUDP_SYNDATAEX_PAYLOAD), 2, or 3 with an empty cookie hash.
    pub version: u16,
    /// `snInitialSequenceNumber`, which the answer must acknowledge.
    pub initial_sequence_number: u32,
    /// `uCorrelationId`.
    pub correlation_id: Option<[u8; 16]>,
}

impl Syn {
    /// A SYN that offers `version`; its numbers are made of `random`, drawn by the caller.
    pub fn new(version: u16, random: [u8; 20]) -> Self {
        let [a, b, c, d, id @ ..] = random;
        Self {
            version,
            initial_sequence_number: u32::from_be_bytes([a, b, c, d]),
            correlation_id: Some(correlation_id(id)),
        }
    }

    /// The datagram, padded to its full size.
    pub fn encode(&self) -> Vec<u8> {
        let has_version = self.version > 1;
        let mut flags = flag::SYN;
        if self.correlation_id.is_some() {
            flags |= flag::CORRELATION_ID;
        }
        if has_version {
            flags |= flag::SYNEX;
        }
        let mut datagram = Vec::with_capacity(DATAGRAM);
        datagram.extend_from_slice(&NO_ACK.to_be_bytes());
        datagram.extend_from_slice(&RECEIVE_WINDOW.to_be_bytes());
        datagram.extend_from_slice(&flags.to_be_bytes());
        datagram.extend_from_slice(&self.initial_sequence_number.to_be_bytes());
        for _ in ["uUpStreamMtu", "uDownStreamMtu"] {
            datagram.extend_from_slice(&(DATAGRAM as u16).to_be_bytes());
        }
        if let Some(id) = self.correlation_id {
            datagram.extend_from_slice(&id);
            datagram.extend_from_slice(&[0; CORRELATION_RESERVED]);
        }
        if has_version {
            datagram.extend_from_slice(&VERSION_INFO_VALID.to_be_bytes());
            datagram.extend_from_slice(&wire_of_version(self.version).to_be_bytes());
        }
        // The cookie hash of version 3 is zeros: without a session there is no cookie. Servers that check it answer
        // with version 2.
        datagram.resize(DATAGRAM, 0);
        datagram
    }

    /// Reads a client's SYN, for a peer that plays the server.
    pub fn decode(datagram: &[u8]) -> Result<Self, DecodeError> {
        Self::read(Reader(datagram)).ok_or_else(|| DecodeError::malformed("no RDPEUDP SYN"))
    }

    fn read(mut reader: Reader<'_>) -> Option<Self> {
        let acknowledged = reader.array().map(u32::from_be_bytes)?;
        let _window = reader.u16()?;
        let flags = reader.u16()?;
        if acknowledged != NO_ACK || flags & flag::SYN == 0 || flags & flag::ACK != 0 {
            return None;
        }
        let initial_sequence_number = reader.array().map(u32::from_be_bytes)?;
        let _mtus = reader.take(4)?;
        let mut correlation_id = None;
        if flags & flag::CORRELATION_ID != 0 {
            correlation_id = Some(reader.array()?);
            reader.take(CORRELATION_RESERVED)?;
        }
        let mut version = 1;
        if flags & flag::SYNEX != 0 {
            let ex_flags = reader.u16()?;
            let wire = reader.u16()?;
            if ex_flags & VERSION_INFO_VALID != 0 {
                version = version_of_wire(wire);
            }
            if version == 3 {
                reader.take(COOKIE_HASH)?;
            }
        }
        Some(Self { version, initial_sequence_number, correlation_id })
    }
}

/// A correlation id out of random bytes: no 0x0D, the first neither 0x00 nor 0xF4 ([MS-RDPEUDP] 3.1.5.1.1), the last two
/// zero as mstsc has them.
fn correlation_id(random: [u8; 16]) -> [u8; 16] {
    let mut id = random.map(|byte| if byte == 0x0D { 0x0C } else { byte });
    if matches!(id[0], 0x00 | 0xF4) {
        id[0] |= 1;
    }
    id[14..].fill(0);
    id
}

#[cfg(test)]
mod tests {
    use ironrdp_rdpeudp::pdu::{UdpVersion, V1Datagram, V1Flags};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::frame;

    #[test]
    fn our_syn_is_that_of_mstsc() {
        let captured = frame("eudp_syn_v2");
        let syn = Syn::decode(&captured).unwrap();
        assert_eq!(syn.version, 2);
        assert_eq!(syn.encode(), captured);
        let captured = frame("eudp_syn_v101");
        let syn = Syn::decode(&captured).unwrap();
        assert_eq!(syn.version, 3);
        assert_eq!(syn.encode(), captured);
    }

    #[test]
    fn ironrdp_reads_what_we_write() {
        for version in 1..=3 {
            let ours = Syn::new(version, [0x0D; 20]).encode();
            assert_eq!(ours.len(), DATAGRAM);
            let read: V1Datagram = ironrdp_core::decode(&ours).unwrap();
            assert!(read.header.flags.contains(V1Flags::SYN | V1Flags::CORRELATION_ID));
            assert_eq!(read.header.sn_source_ack, u32::MAX);
            let data = read.syn_data.unwrap();
            assert_eq!(data.initial_sequence_number, 0x0D0D_0D0D);
            assert_eq!((data.upstream_mtu, data.downstream_mtu), (1232, 1232));
            let named = match version {
                1 => None,
                2 => Some(UdpVersion::V2),
                _ => Some(UdpVersion::V3),
            };
            assert_eq!(read.syn_data_ex.map(|extended| extended.udp_ver), named);
        }
    }

    proptest! {
        #[test]
        fn correlation_ids_keep_the_rules(random: [u8; 16]) {
            let id = correlation_id(random);
            prop_assert!(!id.contains(&0x0D) && id[0] != 0 && id[0] != 0xF4);
            let all_forbidden = [0x0D; 16];
            prop_assert!(!correlation_id(all_forbidden).contains(&0x0D));
        }

        #[test]
        fn what_is_written_is_read_back(version in 1u16..=3, random: [u8; 20]) {
            let syn = Syn::new(version, random);
            prop_assert_eq!(Syn::decode(&syn.encode()), Ok(syn));
        }

        #[test]
        fn noise_does_no_harm(bytes: Vec<u8>) {
            let _ = Syn::decode(&bytes);
        }
    }
}
