//! The few bytes of X.224 that a peer reads and writes. They are read here anew rather than by rdprobe-protocol, so
//! that a mistake there is not agreed with.

use rdprobe_report::{Protocol, Protocols};

/// A Connection Request ([MS-RDPBCGR] 2.2.1.1) as a server reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// `requestedProtocols`; none where there is no negotiation data.
    pub(crate) protocols: Option<Protocols>,
    /// The line before the negotiation data, without CR LF.
    pub(crate) cookie: Option<String>,
}

const NEG_REQ: u8 = 0x01;

impl Request {
    /// From a whole TPKT; `None` where it is no Connection Request.
    pub(crate) fn parse(tpkt: &[u8]) -> Option<Self> {
        // TPKT header, then length indicator, TPDU code, two references, class.
        let variable = match tpkt {
            [3, 0, _, _, _, code, _, _, _, _, _, variable @ ..] if code & 0xF0 == 0xE0 => variable,
            _ => return None,
        };
        let line_end = variable.windows(2).position(|pair| pair == b"\r\n");
        let (cookie, rest) = match line_end {
            Some(end) if variable[0] != NEG_REQ => {
                (Some(String::from_utf8_lossy(&variable[..end]).into_owned()), &variable[end + 2..])
            }
            _ => (None, variable),
        };
        let protocols = match rest {
            [NEG_REQ, _, 8, 0, a, b, c, d, ..] => Some(Protocols(u32::from_le_bytes([*a, *b, *c, *d]))),
            _ => None,
        };
        Some(Self { protocols, cookie })
    }
}

fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(tpdu.len() + 5).expect("a TPDU of ours is short");
    let mut bytes = vec![3, 0];
    bytes.extend(length.to_be_bytes());
    bytes.push(tpdu.len() as u8);
    bytes.extend(tpdu);
    bytes
}

/// Connection Confirm, with the negotiation structure if there is one.
pub(crate) fn confirm(destination: u16, source: u16, negotiation: &[u8]) -> Vec<u8> {
    let mut tpdu = vec![0xD0];
    tpdu.extend(destination.to_be_bytes());
    tpdu.extend(source.to_be_bytes());
    tpdu.push(0);
    tpdu.extend(negotiation);
    tpkt(&tpdu)
}

/// RDP_NEG_RSP ([MS-RDPBCGR] 2.2.1.2.1).
pub(crate) fn negotiation_response(flags: u8, selected: Protocol) -> Vec<u8> {
    let mut bytes = vec![2, flags, 8, 0];
    bytes.extend(selected.0.to_le_bytes());
    bytes
}

/// RDP_NEG_FAILURE ([MS-RDPBCGR] 2.2.1.2.2).
pub(crate) fn negotiation_failure(code: u32) -> Vec<u8> {
    let mut bytes = vec![3, 0, 8, 0];
    bytes.extend(code.to_le_bytes());
    bytes
}

/// X.224 Disconnect Request (13.5).
pub(crate) fn disconnect_request(reason: u8) -> Vec<u8> {
    tpkt(&[0x80, 0, 0, 0x12, 0x34, reason])
}

/// MCS Disconnect Provider Ultimatum in an X.224 Data TPDU.
pub(crate) const ULTIMATUM: [u8; 9] = [3, 0, 0, 9, 2, 0xF0, 0x80, 0x21, 0x80];

/// Noise that is the same every time, and never begins like a TPKT, a TLS record or text.
pub(crate) fn garbage(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut bytes: Vec<u8> = (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        })
        .collect();
    if let Some(first) = bytes.first_mut() {
        *first = 0xC7;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let plain = hex::decode("030000130ee000000000000100080003000000").unwrap();
        assert_eq!(Request::parse(&plain), Some(Request { protocols: Some(Protocols(3)), cookie: None }));
        let mut with_cookie = hex::decode("0300002727e00000000000").unwrap();
        with_cookie.extend(b"Cookie: mstshash=eve\r\n");
        with_cookie.extend([1, 0, 8, 0, 11, 0, 0, 0]);
        let request = Request::parse(&with_cookie).unwrap();
        assert_eq!(request.cookie.as_deref(), Some("Cookie: mstshash=eve"));
        assert_eq!(request.protocols, Some(Protocols::DEFAULT));
        let bare = hex::decode("0300000b06e00000000000").unwrap();
        assert_eq!(Request::parse(&bare), Some(Request::default()));
        assert_eq!(Request::parse(b"GET / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn confirms_are_those_of_the_field() {
        let bytes = confirm(0, 0x1234, &negotiation_response(0, Protocol::HYBRID));
        assert_eq!(hex::encode(bytes), "030000130ed000001234000200080002000000");
        assert_eq!(hex::encode(confirm(0, 0x1234, &[])), "0300000b06d00000123400");
        assert_eq!(hex::encode(disconnect_request(0)), "0300000b06800000123400");
    }
}
