//! The client's Connection Request ([MS-RDPBCGR] 2.2.1.1).

use rdprobe_report::{Offer, Protocols};

use super::confirm::NEGOTIATION_LENGTH;
use super::{CONNECTION_REQUEST, tpkt};
use crate::DecodeError;
use crate::decode::Reader;

const TYPE_RDP_NEG_REQ: u8 = 1;
/// Length indicator (1), code (1), references (4), class (1): X.224 13.3.
const FIXED_PART: usize = 7;
/// The length indicator does not count itself, and 255 is reserved (X.224 13.2.1).
const MAX_LENGTH_INDICATOR: usize = 254;

/// A Connection Request, as made from an [`Offer`] or read from a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRequest {
    /// The line before the negotiation request, without its CR LF: `Cookie: mstshash=NAME` or a routing token.
    pub line: Option<Vec<u8>>,
    /// `requestedProtocols`; none where there is no RDP_NEG_REQ.
    pub protocols: Option<Protocols>,
    /// Flags byte of the RDP_NEG_REQ ([MS-RDPBCGR] 2.2.1.1.1), 0 where there is none.
    pub flags: u8,
}

impl From<&Offer> for ConnectionRequest {
    fn from(offer: &Offer) -> Self {
        let token =
            offer.routing_token.as_ref().map(|token| token.strip_suffix("\r\n").unwrap_or(token).to_owned());
        let cookie = || offer.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}"));
        Self {
            line: token.or_else(cookie).map(String::into_bytes),
            protocols: offer.protocols,
            flags: offer.flags,
        }
    }
}

impl ConnectionRequest {
    /// The request with its TPKT header. The error says why it cannot be one: a line too long for the length
    /// indicator, or one that holds a line break.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let mut variable = Vec::new();
        if let Some(line) = &self.line {
            if line.contains(&b'\r') || line.contains(&b'\n') {
                return Err("a cookie or routing token is one line".into());
            }
            variable.extend_from_slice(line);
            variable.extend_from_slice(b"\r\n");
        }
        if let Some(protocols) = self.protocols {
            variable.extend_from_slice(&[TYPE_RDP_NEG_REQ, self.flags]);
            variable.extend_from_slice(&NEGOTIATION_LENGTH.to_le_bytes());
            variable.extend_from_slice(&protocols.0.to_le_bytes());
        }
        let indicator = FIXED_PART - 1 + variable.len();
        let Some(length_indicator) =
            u8::try_from(indicator).ok().filter(|_| indicator <= MAX_LENGTH_INDICATOR)
        else {
            let excess = indicator - MAX_LENGTH_INDICATOR;
            return Err(format!("a cookie or routing token {excess} bytes too long for X.224"));
        };

        let mut tpdu = vec![length_indicator, CONNECTION_REQUEST, 0, 0, 0, 0, 0];
        tpdu.extend(variable);
        Ok(tpkt::frame(&tpdu))
    }

    /// Reads a client's request with its TPKT header. What follows the RDP_NEG_REQ (correlation information,
    /// [MS-RDPBCGR] 2.2.1.1.2) is skipped.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let length = match bytes {
            [tpkt::VERSION, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
            [] | [tpkt::VERSION] | [tpkt::VERSION, _] | [tpkt::VERSION, _, _] => {
                return Err(DecodeError::Incomplete);
            }
            _ => return Err(DecodeError::malformed("no TPKT header")),
        };
        if bytes.len() < length {
            return Err(DecodeError::Incomplete);
        }
        Self::read(&bytes[..length])
            .ok_or_else(|| DecodeError::malformed("a length does not fit the Connection Request"))?
    }

    /// Reads a whole frame; `None` where a length runs over its end.
    fn read(frame: &[u8]) -> Option<Result<Self, DecodeError>> {
        let mut tpdu = Reader(frame.get(tpkt::HEADER..)?);
        let indicator = tpdu.u8()?;
        let mut tpdu = Reader(tpdu.take(indicator.into())?);
        let code = tpdu.u8()?;
        if code != CONNECTION_REQUEST {
            return Some(Err(DecodeError::malformed(format!(
                "TPDU code 0x{code:02x} is no Connection Request"
            ))));
        }
        tpdu.take(FIXED_PART - 2)?;

        let mut request = Self::default();
        if let Some(end) = tpdu.0.windows(2).position(|pair| pair == b"\r\n") {
            request.line = tpdu.take(end).map(<[u8]>::to_vec);
            tpdu.take(2)?;
        }
        if let Some(structure) = tpdu.u8() {
            let (flags, length) = (tpdu.u8()?, tpdu.u16_le()?);
            if structure != TYPE_RDP_NEG_REQ || length != NEGOTIATION_LENGTH {
                return Some(Err(DecodeError::malformed(format!(
                    "structure of type {structure} and length {length} is no RDP_NEG_REQ"
                ))));
            }
            request.flags = flags;
            request.protocols = Some(Protocols(tpdu.u32_le()?));
        }
        Some(Ok(request))
    }

    /// The text after `Cookie: `, `mstshash=NAME`; none where the line is a routing token.
    pub fn cookie(&self) -> Option<&str> {
        let cookie = std::str::from_utf8(self.line.as_deref()?).ok()?.strip_prefix("Cookie: ")?;
        (!cookie.starts_with("msts=")).then_some(cookie)
    }

    /// The routing token, `Cookie: msts=…` or whatever a load balancer made; none where the line is a cookie.
    pub fn routing_token(&self) -> Option<&[u8]> {
        self.line.as_deref().filter(|_| self.cookie().is_none())
    }
}

#[cfg(test)]
mod tests {
    use ironrdp_pdu::nego;
    use ironrdp_pdu::x224::X224;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::frame;

    fn offer(protocols: Option<u32>) -> Offer {
        Offer { protocols: protocols.map(Protocols), ..Offer::default() }
    }

    fn encode(offer: &Offer) -> Vec<u8> {
        ConnectionRequest::from(offer).encode().unwrap()
    }

    #[test]
    fn requests_are_those_of_real_clients() {
        assert_eq!(encode(&offer(Some(0x0b))), frame("x224_cr_no_cookie"));
        let with_cookie = Offer { cookie: Some("mstshash=eltons".into()), ..offer(Some(0)) };
        assert_eq!(encode(&with_cookie), frame("x224_cr_eltons"));
    }

    #[test]
    fn a_request_from_before_the_negotiation_ends_after_the_class() {
        assert_eq!(hex::encode(encode(&offer(None))), "0300000b06e00000000000");
    }

    #[test]
    fn a_routing_token_takes_the_place_of_the_cookie_and_ends_its_line_once() {
        for token in ["Cookie: msts=3640205228.15629.0000", "tsv://MS Terminal Services"] {
            let offer = Offer {
                cookie: Some("mstshash=someone".into()),
                routing_token: Some(format!("{token}\r\n")),
                ..offer(Some(3))
            };
            let bare = Offer { routing_token: Some(token.into()), ..offer.clone() };
            assert_eq!(encode(&offer), encode(&bare));
            let read = ConnectionRequest::decode(&encode(&offer)).unwrap();
            assert_eq!(read.routing_token(), Some(token.as_bytes()));
            assert_eq!(read.cookie(), None);
        }
    }

    #[test]
    fn a_line_that_x224_cannot_hold_is_our_own_fault() {
        for cookie in ["x".repeat(240), "two\r\nlines".into()] {
            let offer = Offer { cookie: Some(cookie), ..offer(Some(3)) };
            assert!(ConnectionRequest::from(&offer).encode().is_err());
        }
    }

    #[test]
    fn ironrdp_reads_what_we_write() {
        let ours = encode(&Offer { cookie: Some("mstshash=eltons".into()), flags: 1, ..offer(Some(0x0b)) });
        let read = ironrdp_core::decode::<X224<nego::ConnectionRequest>>(&ours).unwrap().0;
        assert_eq!(read.nego_data, Some(nego::NegoRequestData::cookie("eltons".into())));
        assert_eq!(read.protocol.bits(), 0x0b);
        assert_eq!(read.flags.bits(), 1);
    }

    #[test]
    fn requests_of_real_clients_are_read() {
        let request = ConnectionRequest::decode(&frame("x224_cr_ssl_hybrid")).unwrap();
        assert_eq!(request.cookie(), Some("mstshash=USERNAME1"));
        assert_eq!(request.protocols, Some(Protocols(3)));
        assert_eq!(ConnectionRequest::decode(b"\x03\0\0"), Err(DecodeError::Incomplete));
        assert!(matches!(ConnectionRequest::decode(b"GET / HTTP/1.1"), Err(DecodeError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            line in proptest::option::of("[ -~]{0,200}"), protocols in proptest::option::of(any::<u32>()), flags: u8,
        ) {
            let request = ConnectionRequest {
                line: line.map(String::into_bytes),
                protocols: protocols.map(Protocols),
                flags: if protocols.is_some() { flags } else { 0 },
            };
            prop_assert_eq!(ConnectionRequest::decode(&request.encode().unwrap()), Ok(request));
        }

        #[test]
        fn garbage_is_an_error_and_never_a_panic(bytes: Vec<u8>) {
            let _ = ConnectionRequest::decode(&bytes);
            let mut framed = vec![3, 0, 0, (bytes.len() + 4) as u8];
            framed.extend(bytes);
            let _ = ConnectionRequest::decode(&framed);
        }
    }
}
