//! The SYN+ACK datagram ([MS-RDPEUDP] 3.1.5.1.3).

use rdprobe_report::facts::UdpFacts;

use super::{DATAGRAM, Syn, VERSION_INFO_VALID, flag, version_of_wire, wire_of_version};
use crate::DecodeError;
use crate::decode::Reader;

/// Length of RDPUDP_CORRELATION_ID_PAYLOAD, which an answer should not have ([MS-RDPEUDP] 2.2.2.8).
const CORRELATION_ID: usize = 32;

/// A server's SYN+ACK. Its MTUs are kept as sent, within the allowed range or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynAck {
    /// `snSourceAck`: the sequence number of the SYN that it answers.
    pub acknowledged: u32,
    /// `uReceiveWindowSize`, in datagrams.
    pub receive_window: u16,
    /// `snInitialSequenceNumber` of the server.
    pub initial_sequence_number: u32,
    /// `uUpStreamMtu`, in bytes.
    pub upstream_mtu: u16,
    /// `uDownStreamMtu`, in bytes.
    pub downstream_mtu: u16,
    /// Version chosen: 1 where there is no RDPUDP_SYNDATAEX_PAYLOAD, 2, 3.
    pub version: u16,
}

impl SynAck {
    /// Reads the answer to `syn`. Anything else that came to its port is malformed, and says why.
    pub fn decode(datagram: &[u8], syn: &Syn) -> Result<Self, DecodeError> {
        let answer =
            Self::read(Reader(datagram)).ok_or_else(|| DecodeError::malformed("no RDPEUDP SYN+ACK"))?;
        if answer.acknowledged != syn.initial_sequence_number {
            return Err(DecodeError::malformed(format!(
                "a SYN+ACK for sequence number {:#010x}, which we did not send",
                answer.acknowledged
            )));
        }
        Ok(answer)
    }

    fn read(mut reader: Reader<'_>) -> Option<Self> {
        let acknowledged = reader.array().map(u32::from_be_bytes)?;
        let receive_window = reader.u16()?;
        let flags = reader.u16()?;
        if flags & flag::SYN == 0 || flags & flag::ACK == 0 {
            return None;
        }
        // On a SYN+ACK the ACK flag announces no vector: the capture of section 4.1.2 has none.
        let mut answer = Self {
            acknowledged,
            receive_window,
            initial_sequence_number: reader.array().map(u32::from_be_bytes)?,
            upstream_mtu: reader.u16()?,
            downstream_mtu: reader.u16()?,
            version: 1,
        };
        if flags & flag::CORRELATION_ID != 0 {
            reader.take(CORRELATION_ID)?;
        }
        if flags & flag::SYNEX != 0 {
            let (ex_flags, wire) = (reader.u16()?, reader.u16()?);
            if ex_flags & VERSION_INFO_VALID != 0 {
                answer.version = version_of_wire(wire);
            }
        }
        Some(answer)
    }

    /// The datagram, padded to its full size, for a peer that plays the server.
    pub fn encode(&self) -> Vec<u8> {
        let has_version = self.version > 1;
        let synex = if has_version { flag::SYNEX } else { 0 };
        let mut datagram = Vec::with_capacity(DATAGRAM);
        datagram.extend_from_slice(&self.acknowledged.to_be_bytes());
        datagram.extend_from_slice(&self.receive_window.to_be_bytes());
        datagram.extend_from_slice(&(flag::SYN | flag::ACK | synex).to_be_bytes());
        datagram.extend_from_slice(&self.initial_sequence_number.to_be_bytes());
        datagram.extend_from_slice(&self.upstream_mtu.to_be_bytes());
        datagram.extend_from_slice(&self.downstream_mtu.to_be_bytes());
        if has_version {
            datagram.extend_from_slice(&VERSION_INFO_VALID.to_be_bytes());
            datagram.extend_from_slice(&wire_of_version(self.version).to_be_bytes());
        }
        datagram.resize(DATAGRAM, 0);
        datagram
    }

    /// Writes what the server chose into `facts`.
    pub fn record(&self, facts: &mut UdpFacts) {
        facts.version = Some(self.version);
        facts.receive_window = Some(self.receive_window);
        facts.upstream_mtu = Some(self.upstream_mtu);
        facts.downstream_mtu = Some(self.downstream_mtu);
    }
}

#[cfg(test)]
mod tests {
    use ironrdp_rdpeudp::pdu::{V1Datagram, V1Flags};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::frame;

    fn captured(syn: &str, answer: &str) -> SynAck {
        SynAck::decode(&frame(answer), &Syn::decode(&frame(syn)).unwrap()).unwrap()
    }

    #[test]
    fn captured_answers_are_read_and_written() {
        let answer = captured("eudp_syn_v101", "eudp_synack_v101");
        assert_eq!(answer.version, 3);
        assert_eq!((answer.receive_window, answer.upstream_mtu, answer.downstream_mtu), (64, 1232, 1232));
        let answer = captured("eudp_syn_v3old", "eudp_synack_v2");
        assert_eq!(answer.version, 2);
        assert_eq!(answer.encode(), frame("eudp_synack_v2"));
        let mut facts = UdpFacts::default();
        answer.record(&mut facts);
        assert_eq!((facts.version, facts.upstream_mtu), (Some(2), Some(1232)));
    }

    #[test]
    fn the_answer_of_the_specification_is_of_version_1() {
        // [MS-RDPEUDP] 4.1.2.
        let mut datagram = hex::decode("00000042040000050000004204d004d0").unwrap();
        datagram.resize(DATAGRAM, 0);
        let syn = Syn { initial_sequence_number: 0x42, ..Syn::new(1, [7; 20]) };
        let answer = SynAck::decode(&datagram, &syn).unwrap();
        assert_eq!((answer.version, answer.receive_window), (1, 1024));
        assert_eq!(answer.encode(), datagram);
    }

    #[test]
    fn answers_to_others_and_other_datagrams_are_malformed() {
        let answer = frame("eudp_synack_v2");
        assert!(SynAck::decode(&answer, &Syn::new(2, [7; 20])).is_err());
        let syn = Syn::decode(&frame("eudp_syn_v3old")).unwrap();
        assert!(SynAck::decode(&frame("eudp_syn_v2"), &syn).is_err());
        for cut in 0..20 {
            assert!(SynAck::decode(&answer[..cut], &syn).is_err(), "{cut}");
        }
    }

    #[test]
    fn ironrdp_reads_what_we_write() {
        let ours = captured("eudp_syn_v101", "eudp_synack_v101").encode();
        let read: V1Datagram = ironrdp_core::decode(&ours).unwrap();
        assert!(read.header.flags.contains(V1Flags::SYN | V1Flags::ACK | V1Flags::SYNEX));
        assert_eq!(read.syn_data.unwrap().upstream_mtu, 1232);
    }

    proptest! {
        #[test]
        fn noise_does_no_harm(bytes: Vec<u8>) {
            let _ = SynAck::decode(&bytes, &Syn::new(2, [7; 20]));
        }
    }
}
