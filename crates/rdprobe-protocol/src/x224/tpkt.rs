//! Frames of TPKT (RFC 1006 6), and the X.224 Data TPDU in which all that follows the negotiation stands.

/// Version, reserved, length of the whole frame in two bytes.
pub(crate) const HEADER: usize = 4;
pub(crate) const VERSION: u8 = 3;
/// The Data TPDU's header (X.224 13.7), which is the shortest TPDU there is.
const DATA: [u8; 3] = [2, 0xF0, 0x80];
pub(crate) const SHORTEST: usize = HEADER + DATA.len();

/// A whole frame around a TPDU that is no longer than X.224 and MCS allow.
pub(crate) fn frame(tpdu: &[u8]) -> Vec<u8> {
    let length = (HEADER + tpdu.len()) as u16;
    [&[VERSION, 0], &length.to_be_bytes()[..], tpdu].concat()
}

/// A whole frame with a Data TPDU around an MCS message.
pub(crate) fn data(mcs: &[u8]) -> Vec<u8> {
    frame(&[&DATA, mcs].concat())
}

/// What the header claims as the length of the whole frame; none while it is incomplete.
pub(crate) fn claimed(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(2..HEADER)?;
    Some(u16::from_be_bytes([length[0], length[1]]).into())
}

/// Reads Data TPDUs one after the other, and never a byte beyond the one at hand.
#[derive(Debug, Default)]
pub(crate) struct DataReader(Vec<u8>);

impl DataReader {
    /// How many bytes of the frame at hand are missing, as far as is known.
    pub(crate) fn missing(&self) -> usize {
        claimed(&self.0).unwrap_or(HEADER).saturating_sub(self.0.len())
    }

    /// Takes bytes, never more than are missing, and hands over the MCS message that is whole by them.
    ///
    /// # Errors
    /// Where they are no such frame, with what is wrong.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
        self.0.extend_from_slice(bytes);
        let wrong = |(at, byte): (usize, &u8)| [VERSION, 0].get(at).is_some_and(|right| right != byte);
        if self.0.iter().enumerate().any(wrong) {
            return Err("bytes that are no TPKT");
        }
        match claimed(&self.0) {
            Some(length) if length <= HEADER => Err("a TPKT without contents"),
            Some(length) if self.0.len() >= length => {
                let frame = std::mem::take(&mut self.0);
                let mcs = frame[HEADER..].strip_prefix(&DATA).ok_or("a TPDU that is no X.224 Data")?;
                Ok(Some(mcs.to_vec()))
            }
            _ => Ok(None),
        }
    }
}
