//! AV_PAIR ([MS-NLMP] 2.2.2.1): what a challenge tells of its sender.

use rdprobe_report::Timestamp;

use crate::text::escape_controls;

/// Names longer than this are cut; the longest DNS name has 255 bytes.
const MAX_NAME: usize = 256;
/// Milliseconds from 1601-01-01, where FILETIME begins, to 1970-01-01.
const FILETIME_TO_UNIX_MILLIS: i64 = 11_644_473_600_000;

/// AvId; what is not listed is kept by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the name in the specification")]
pub enum AvId {
    NbComputerName,
    NbDomainName,
    DnsComputerName,
    DnsDomainName,
    DnsTreeName,
    Flags,
    Timestamp,
    SingleHost,
    TargetName,
    ChannelBindings,
    Unknown(u16),
}

impl AvId {
    const END: u16 = 0;
    const KNOWN: [Self; 10] = [
        Self::NbComputerName,
        Self::NbDomainName,
        Self::DnsComputerName,
        Self::DnsDomainName,
        Self::DnsTreeName,
        Self::Flags,
        Self::Timestamp,
        Self::SingleHost,
        Self::TargetName,
        Self::ChannelBindings,
    ];

    fn from_code(code: u16) -> Self {
        usize::from(code)
            .checked_sub(1)
            .and_then(|index| Self::KNOWN.get(index))
            .copied()
            .unwrap_or(Self::Unknown(code))
    }

    fn code(self) -> u16 {
        match self {
            Self::Unknown(code) => code,
            known => Self::KNOWN.iter().position(|id| *id == known).map_or(0, |index| index as u16 + 1),
        }
    }
}

/// One pair, its value as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvPair {
    /// What it tells.
    pub id: AvId,
    /// The value: UTF-16LE for names, FILETIME for the timestamp.
    pub value: Vec<u8>,
}

impl AvPair {
    /// A pair whose value is text.
    pub fn name(id: AvId, name: &str) -> Self {
        let value = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Self { id, value }
    }

    /// The value as text, control characters escaped.
    pub fn text(&self) -> String {
        utf16(&self.value)
    }

    /// The value as an instant; none where it is no FILETIME, or zero.
    pub fn instant(&self) -> Option<Timestamp> {
        let ticks = u64::from_le_bytes(self.value.as_slice().try_into().ok()?);
        let millis = i64::try_from(ticks / 10_000).ok()?;
        (ticks > 0).then(|| Timestamp::from_unix_millis(millis - FILETIME_TO_UNIX_MILLIS)).flatten()
    }
}

/// UTF-16LE as text, cut to a sane length, control characters escaped.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .take(MAX_NAME)
        .collect();
    escape_controls(&text)
}

/// Reads pairs up to the end mark; `None` where a length runs over the end. A missing end mark is forgiven.
pub(super) fn read_all(mut bytes: &[u8]) -> Option<Vec<AvPair>> {
    let mut pairs = Vec::new();
    while !bytes.is_empty() {
        let (header, rest) = bytes.split_at_checked(4)?;
        let code = u16::from_le_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
        if code == AvId::END {
            break;
        }
        let (value, rest) = rest.split_at_checked(length)?;
        pairs.push(AvPair { id: AvId::from_code(code), value: value.to_vec() });
        bytes = rest;
    }
    Some(pairs)
}

/// Writes the pairs and the end mark.
pub(super) fn write_all(pairs: &[AvPair]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for pair in pairs {
        bytes.extend_from_slice(&pair.id.code().to_le_bytes());
        bytes.extend_from_slice(&(pair.value.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&pair.value);
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_written() {
        for code in 1..=12 {
            assert_eq!(AvId::from_code(code).code(), code);
        }
        assert_eq!(AvId::from_code(7), AvId::Timestamp);
        assert_eq!(AvId::from_code(11), AvId::Unknown(11));
    }

    #[test]
    fn a_filetime_is_an_instant() {
        let at = |ticks: u64| AvPair { id: AvId::Timestamp, value: ticks.to_le_bytes().to_vec() };
        let instant = at(116_444_736_000_000_000 + 10_000).instant().unwrap();
        assert_eq!(instant.unix_millis(), 1);
        assert_eq!(at(0).instant(), None);
        assert_eq!(at(u64::MAX).instant(), None);
        assert_eq!(AvPair::name(AvId::Timestamp, "x").instant(), None);
    }

    #[test]
    fn names_are_cut_and_escaped() {
        let pair = AvPair::name(AvId::NbComputerName, &"\x1b".repeat(1000));
        assert_eq!(pair.text().len(), 3 * MAX_NAME);
    }
}
