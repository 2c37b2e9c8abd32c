//! SPNEGO (RFC 4178): the wrapper in which some hosts want to be spoken to.

use x509_parser::asn1_rs::Oid;

use super::der;
use crate::DecodeError;
use crate::decode::Reader;

/// 1.3.6.1.5.5.2, SPNEGO itself.
const SPNEGO: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x02];
/// 1.3.6.1.4.1.311.2.2.10.
const NTLM: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0A];
/// 1.2.840.113554.1.2.2.
const KERBEROS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02];
/// 1.2.840.48018.1.2.2, the same with a bit lost, as Windows 2000 had it ([MS-SPNG] 3.1.5.2).
const MS_KERBEROS: &[u8] = &[0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02, 0x02];
/// 1.3.6.1.4.1.311.2.2.30 ([MS-NEGOEX]).
const NEGOEX: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1E];

const INITIAL_CONTEXT_TOKEN: u8 = 0x60;
const NEG_TOKEN_INIT: u8 = der::context(0);
const NEG_TOKEN_RESP: u8 = der::context(1);

/// A NegTokenInit that offers NTLM, with its first message, and Kerberos, so that a host which takes no NTLM can say
/// what it takes.
pub fn neg_token_init(ntlm: &[u8]) -> Vec<u8> {
    let mechanisms: Vec<u8> = [NTLM, MS_KERBEROS, KERBEROS]
        .iter()
        .flat_map(|oid| der::element(der::OBJECT_IDENTIFIER, oid))
        .collect();
    let fields = [
        der::explicit(0, &der::element(der::SEQUENCE, &mechanisms)),
        der::explicit(2, &der::element(der::OCTET_STRING, ntlm)),
    ]
    .concat();
    let init = der::element(NEG_TOKEN_INIT, &der::element(der::SEQUENCE, &fields));
    let token = [der::element(der::OBJECT_IDENTIFIER, SPNEGO), init].concat();
    der::element(INITIAL_CONTEXT_TOKEN, &token)
}

/// The mechanism token within a client's NegTokenInit, for a peer that plays the server.
pub fn token_of_init(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut token = der::expect(&mut Reader(bytes), INITIAL_CONTEXT_TOKEN)?;
    der::expect(&mut token, der::OBJECT_IDENTIFIER)?;
    let mut fields = der::expect(&mut der::expect(&mut token, NEG_TOKEN_INIT)?, der::SEQUENCE)?;
    while !fields.is_empty() {
        let (tag, mut field) = der::next(&mut fields)?;
        if tag == der::context(2) {
            return Some(der::expect(&mut field, der::OCTET_STRING)?.0.to_vec());
        }
    }
    None
}

/// `negState` (RFC 4178 4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegState {
    /// accept-completed.
    AcceptCompleted,
    /// accept-incomplete.
    AcceptIncomplete,
    /// reject.
    Reject,
    /// request-mic.
    RequestMic,
    /// None of the four.
    Unknown(u32),
}

/// NegTokenResp (RFC 4178 4.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NegTokenResp {
    /// `negState`.
    pub state: Option<NegState>,
    /// `supportedMech` by name: `NTLM`, `Kerberos`, `NEGOEX`, else its OID.
    pub mechanism: Option<String>,
    /// `responseToken`.
    pub token: Option<Vec<u8>>,
}

impl NegTokenResp {
    /// Whether `bytes` begin as a NegTokenResp does.
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.first() == Some(&NEG_TOKEN_RESP)
    }

    /// Reads a NegTokenResp.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(bytes)
            .ok_or_else(|| DecodeError::malformed("a length or type does not fit the NegTokenResp"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut response = Self::default();
        let mut token = der::expect(&mut Reader(bytes), NEG_TOKEN_RESP)?;
        let mut fields = der::expect(&mut token, der::SEQUENCE)?;
        while !fields.is_empty() {
            match der::next(&mut fields)? {
                (0xA0, mut field) => {
                    let state = der::integer(der::expect(&mut field, der::ENUMERATED)?.0)?;
                    response.state = Some(match state {
                        0 => NegState::AcceptCompleted,
                        1 => NegState::AcceptIncomplete,
                        2 => NegState::Reject,
                        3 => NegState::RequestMic,
                        other => NegState::Unknown(other),
                    });
                }
                (0xA1, mut field) => {
                    let oid = der::expect(&mut field, der::OBJECT_IDENTIFIER)?;
                    response.mechanism = Some(mechanism_name(oid.0));
                }
                (0xA2, mut field) => {
                    response.token = Some(der::expect(&mut field, der::OCTET_STRING)?.0.to_vec());
                }
                _ => {}
            }
        }
        Some(response)
    }
}

/// A NegTokenResp that accepts NTLM with this token, for a peer that plays the server.
pub fn neg_token_resp(ntlm: &[u8]) -> Vec<u8> {
    let fields = [
        der::explicit(0, &der::element(der::ENUMERATED, &[1])),
        der::explicit(1, &der::element(der::OBJECT_IDENTIFIER, NTLM)),
        der::explicit(2, &der::element(der::OCTET_STRING, ntlm)),
    ]
    .concat();
    der::element(NEG_TOKEN_RESP, &der::element(der::SEQUENCE, &fields))
}

fn mechanism_name(oid: &[u8]) -> String {
    if oid == NTLM {
        "NTLM".into()
    } else if oid == KERBEROS || oid == MS_KERBEROS {
        "Kerberos".into()
    } else if oid == NEGOEX {
        "NEGOEX".into()
    } else {
        Oid::new(oid.into()).to_id_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::garbled;

    #[test]
    fn the_token_comes_out_as_it_went_in() {
        assert_eq!(token_of_init(&neg_token_init(b"NTLMSSP")).as_deref(), Some(&b"NTLMSSP"[..]));
        let response = NegTokenResp::decode(&neg_token_resp(b"NTLMSSP")).unwrap();
        assert_eq!(response.state, Some(NegState::AcceptIncomplete));
        assert_eq!(response.mechanism.as_deref(), Some("NTLM"));
        assert_eq!(response.token.as_deref(), Some(&b"NTLMSSP"[..]));
    }

    #[test]
    fn mechanisms_are_named() {
        assert_eq!(mechanism_name(MS_KERBEROS), "Kerberos");
        assert_eq!(mechanism_name(&[0x2B, 0x06, 0x01, 0x05, 0x02, 0x05]), "1.3.6.1.5.2.5");
        assert!(!mechanism_name(&[0xFF; 40]).is_empty());
        mechanism_name(&[]);
    }

    #[test]
    fn a_refusal_is_read() {
        let response = NegTokenResp::decode(&hex::decode("a1073005a0030a0102").unwrap()).unwrap();
        assert_eq!(response.state, Some(NegState::Reject));
        assert_eq!(response.token, None);
    }

    proptest! {
        #[test]
        fn garbled_tokens_do_no_harm(bytes in garbled(neg_token_resp(&[7; 40]))) {
            let _ = NegTokenResp::decode(&bytes);
            let _ = token_of_init(&bytes);
        }
    }
}
