//! As much of DER (X.690) as CredSSP and SPNEGO need. Lengths longer than they need be are read too.

use crate::decode::Reader;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0A;
pub(super) const SEQUENCE: u8 = 0x30;

/// The tag `[number]`, explicit.
pub(super) const fn context(number: u8) -> u8 {
    0xA0 | number
}

/// An element with its tag and length.
pub(super) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u32).to_be_bytes();
    let significant = &length[length.iter().take_while(|&&byte| byte == 0).count()..];
    let mut element = vec![tag];
    match contents.len() {
        0..=0x7F => element.push(contents.len() as u8),
        _ => {
            element.push(0x80 | significant.len() as u8);
            element.extend_from_slice(significant);
        }
    }
    element.extend_from_slice(contents);
    element
}

/// An element within an explicit tag.
pub(super) fn explicit(number: u8, inner: &[u8]) -> Vec<u8> {
    element(context(number), inner)
}

/// A non-negative INTEGER.
pub(super) fn unsigned(value: u32) -> Vec<u8> {
    let bytes = u64::from(value).to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|&&byte| byte == 0).count();
    // A leading bit would make it negative.
    let start = if bytes[zeros] & 0x80 == 0 { zeros } else { zeros - 1 };
    element(INTEGER, &bytes[start..])
}

/// Reads the tag and the contents of the next element; `None` where a length runs over the end.
pub(super) fn next<'a>(reader: &mut Reader<'a>) -> Option<(u8, Reader<'a>)> {
    let tag = reader.u8()?;
    let length = match reader.u8()? {
        short @ 0..=0x7F => usize::from(short),
        long => {
            let octets = reader.take(usize::from(long & 0x7F))?;
            if octets.is_empty() || octets.len() > 4 {
                return None;
            }
            octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet))
        }
    };
    Some((tag, Reader(reader.take(length)?)))
}

/// Reads the contents of the next element, which must have this tag.
pub(super) fn expect<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<Reader<'a>> {
    next(reader).filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
}

/// The value of an INTEGER of up to four bytes, a negative one as its two's complement: an NTSTATUS is sent as
/// either.
pub(super) fn integer(contents: &[u8]) -> Option<u32> {
    let (excess, low) = contents.split_at(contents.len().saturating_sub(4));
    let is_padding = excess.iter().all(|&byte| byte == 0) || excess.iter().all(|&byte| byte == 0xFF);
    if low.is_empty() || !is_padding {
        return None;
    }
    let sign = if excess.is_empty() && low.len() < 4 && low[0] & 0x80 != 0 { u32::MAX } else { 0 };
    Some(low.iter().fold(sign, |value, &byte| value << 8 | u32::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_and_read_back() {
        for value in [0, 6, 0x7F, 0x80, 0xFFFF, 0xC000_006D, u32::MAX] {
            let written = unsigned(value);
            let read = expect(&mut Reader(&written), INTEGER).unwrap();
            assert_eq!(integer(read.0), Some(value), "{value:x}");
        }
        assert_eq!(integer(&[0xC0, 0, 0, 0x6D]), Some(0xC000_006D));
        assert_eq!(integer(&[0xFF]), Some(u32::MAX));
        assert_eq!(integer(&[1, 0, 0, 0, 0]), None);
        assert_eq!(integer(&[]), None);
    }

    #[test]
    fn lengths_are_bounded_by_what_is_there() {
        assert!(next(&mut Reader(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF])).is_none());
        assert!(next(&mut Reader(&[0x30, 0x80])).is_none());
        assert!(next(&mut Reader(&[0x30, 0x85, 0, 0, 0, 0, 0])).is_none());
        let long = element(OCTET_STRING, &[7; 300]);
        assert_eq!(&long[..4], [0x04, 0x82, 0x01, 0x2C]);
        assert_eq!(next(&mut Reader(&long)).unwrap().1.0, [7; 300]);
    }
}
