//! TSRequest ([MS-CSSP] 2.2.1).

use super::der;
use crate::DecodeError;
use crate::decode::Reader;

/// The shortest one: `version` alone. So many bytes can be asked for before the length is known.
pub(super) const MIN_LENGTH: usize = 7;
/// A challenge comes in a few hundred bytes, a Kerberos reply in a few thousand.
const MAX_LENGTH: usize = 64 * 1024;

/// One message of CredSSP, either way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TsRequest {
    /// `version`; some servers leave it out.
    pub version: Option<u32>,
    /// The first of `negoTokens`.
    pub token: Option<Vec<u8>>,
    /// `authInfo`.
    pub auth_info: Option<Vec<u8>>,
    /// `pubKeyAuth`.
    pub public_key_auth: Option<Vec<u8>>,
    /// `errorCode`, an NTSTATUS.
    pub error_code: Option<u32>,
    /// `clientNonce`.
    pub client_nonce: Option<Vec<u8>>,
}

impl TsRequest {
    /// The message in DER.
    pub fn encode(&self) -> Vec<u8> {
        let octets = |field: &Option<Vec<u8>>, number| {
            let inner = der::element(der::OCTET_STRING, field.as_ref()?);
            Some(der::explicit(number, &inner))
        };
        let token = octets(&self.token, 0).map(|item| {
            let items = der::element(der::SEQUENCE, &der::element(der::SEQUENCE, &item));
            der::explicit(1, &items)
        });
        let fields = [
            self.version.map(|version| der::explicit(0, &der::unsigned(version))),
            token,
            octets(&self.auth_info, 2),
            octets(&self.public_key_auth, 3),
            self.error_code.map(|code| der::explicit(4, &der::unsigned(code))),
            octets(&self.client_nonce, 5),
        ];
        let contents: Vec<u8> = fields.into_iter().flatten().flatten().collect();
        der::element(der::SEQUENCE, &contents)
    }

    /// Length of the whole message, by its first bytes. Anything but a SEQUENCE is malformed at once: a reader that
    /// takes it for a long message waits forever.
    pub fn frame_length(bytes: &[u8]) -> Result<usize, DecodeError> {
        let (header, length) = match bytes {
            [] | [der::SEQUENCE] => return Err(DecodeError::Incomplete),
            [der::SEQUENCE, short @ 0..=0x7F, ..] => (2, usize::from(*short)),
            [der::SEQUENCE, long @ 0x81..=0x84, octets @ ..] => {
                let count = usize::from(long & 0x7F);
                let octets = octets.get(..count).ok_or(DecodeError::Incomplete)?;
                let length = octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet));
                (2 + count, length)
            }
            [der::SEQUENCE, ..] => return Err(DecodeError::malformed("a SEQUENCE without a usable length")),
            [tag, ..] => return Err(DecodeError::malformed(format!("0x{tag:02x} begins no TSRequest"))),
        };
        match header + length {
            total @ MIN_LENGTH..=MAX_LENGTH => Ok(total),
            total => Err(DecodeError::malformed(format!("a TSRequest that claims {total} bytes"))),
        }
    }

    /// Reads one message from the front of `bytes`. Fields that are not known are skipped.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let length = Self::frame_length(bytes)?;
        let frame = bytes.get(..length).ok_or(DecodeError::Incomplete)?;
        Self::read(frame).ok_or_else(|| DecodeError::malformed("a length or type does not fit the TSRequest"))
    }

    fn read(frame: &[u8]) -> Option<Self> {
        let mut request = Self::default();
        let mut fields = der::expect(&mut Reader(frame), der::SEQUENCE)?;
        while !fields.is_empty() {
            let (tag, mut field) = der::next(&mut fields)?;
            let mut octets = || der::expect(&mut field, der::OCTET_STRING).map(|octets| octets.0.to_vec());
            match tag & 0x1F {
                _ if tag & 0xE0 != 0xA0 => return None,
                2 => request.auth_info = Some(octets()?),
                3 => request.public_key_auth = Some(octets()?),
                5 => request.client_nonce = Some(octets()?),
                0 => request.version = Some(read_integer(&mut field)?),
                4 => request.error_code = Some(read_integer(&mut field)?),
                1 => request.token = read_token(&mut field)?,
                _ => {}
            }
        }
        Some(request)
    }
}

fn read_integer(field: &mut Reader<'_>) -> Option<u32> {
    der::integer(der::expect(field, der::INTEGER)?.0)
}

/// NegoData is a list of tokens, of which one is ever sent; an empty list is none.
fn read_token(field: &mut Reader<'_>) -> Option<Option<Vec<u8>>> {
    let mut items = der::expect(field, der::SEQUENCE)?;
    if items.is_empty() {
        return Some(None);
    }
    let mut item = der::expect(&mut items, der::SEQUENCE)?;
    let mut token = der::expect(&mut item, der::context(0))?;
    Some(Some(der::expect(&mut token, der::OCTET_STRING)?.0.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::garbled;

    fn full() -> TsRequest {
        TsRequest {
            version: Some(6),
            token: Some(vec![1; 200]),
            auth_info: Some(vec![2]),
            public_key_auth: Some(vec![3; 16]),
            error_code: Some(0xC000_006D),
            client_nonce: Some(vec![4; 32]),
        }
    }

    #[test]
    fn messages_are_read_back() {
        for request in [TsRequest::default(), full()] {
            let bytes = request.encode();
            if bytes.len() >= MIN_LENGTH {
                assert_eq!(TsRequest::decode(&bytes), Ok(request));
            }
        }
    }

    #[test]
    fn the_shortest_message_is_a_version() {
        let request = TsRequest { version: Some(6), ..TsRequest::default() };
        assert_eq!(hex::encode(request.encode()), "3005a003020106");
        assert_eq!(request.encode().len(), MIN_LENGTH);
    }

    #[test]
    fn every_beginning_is_incomplete() {
        let bytes = full().encode();
        for cut in 0..bytes.len() {
            assert_eq!(TsRequest::decode(&bytes[..cut]), Err(DecodeError::Incomplete), "{cut}");
        }
    }

    #[test]
    fn what_is_no_message_is_malformed_at_once() {
        for bytes in [
            &[0u8; 12][..],
            b"HTTP/1.1",
            &[0x30, 0x80, 0, 0, 0, 0, 0],
            &[0x30, 0x83, 1, 0, 1],
            &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0],
            &[0x30, 1, 0],
            &[0x30, 5, 0xA0, 9, 2, 1, 6],
        ] {
            assert!(matches!(TsRequest::decode(bytes), Err(DecodeError::Malformed(_))), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn garbled_messages_do_no_harm(bytes in garbled(full().encode())) {
            let _ = TsRequest::decode(&bytes);
        }
    }
}
