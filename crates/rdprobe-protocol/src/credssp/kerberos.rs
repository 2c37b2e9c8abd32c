//! KRB-ERROR (RFC 4120 5.9.1): why a key distribution centre or a service says no.

use rdprobe_report::facts::{KerberosError, KerberosExchange};

use super::der;
use crate::decode::Reader;
use crate::text::escape_controls;

/// [APPLICATION 30].
const KRB_ERROR: u8 = 0x7E;
const AS_REQ: u8 = 0x6A;
const TGS_REQ: u8 = 0x6C;
const GENERAL_STRING: u8 = 0x1B;
/// Begins a GSS-API token.
const INITIAL_CONTEXT_TOKEN: u8 = 0x60;
/// TOK_ID of a KRB-ERROR within one (RFC 4121 4.1).
const ERROR_TOKEN: [u8; 2] = [3, 0];
/// As much of `e-text` as a report keeps.
const MAX_TEXT: usize = 200;

/// More is asked for: the answer to a first AS-REQ, and no refusal.
pub const PREAUTH_REQUIRED: u32 = 25;

/// The exchange that a request to a KDC belongs to, by its first byte: `as` or `tgs`.
pub fn exchange_of(request: &[u8]) -> Option<KerberosExchange> {
    match *request.first()? {
        AS_REQ => Some(KerberosExchange::As),
        TGS_REQ => Some(KerberosExchange::Tgs),
        _ => None,
    }
}

/// Reads a KRB-ERROR; `None` for any other message. The exchange is left for the caller.
pub fn error(message: &[u8]) -> Option<KerberosError> {
    let mut outer = der::expect(&mut Reader(message), KRB_ERROR)?;
    let mut fields = der::expect(&mut outer, der::SEQUENCE)?;
    let mut error = KerberosError::default();
    while !fields.is_empty() {
        let (tag, mut field) = der::next(&mut fields)?;
        match tag & 0x1F {
            6 => error.code = Some(der::integer(der::expect(&mut field, der::INTEGER)?.0)?),
            10 => error.service = principal(field),
            11 => error.text = Some(text(der::expect(&mut field, GENERAL_STRING)?.0)),
            _ => {}
        }
    }
    error.name = error.code.and_then(name).map(str::to_owned);
    error.code.is_some().then_some(error)
}

/// The KRB-ERROR within a mechanism token of SPNEGO, in which a service refuses an AP-REQ.
pub fn error_in_token(token: &[u8]) -> Option<KerberosError> {
    if let Some(mut inner) = der::expect(&mut Reader(token), INITIAL_CONTEXT_TOKEN) {
        der::expect(&mut inner, der::OBJECT_IDENTIFIER)?;
        return (inner.array() == Some(ERROR_TOKEN)).then(|| error(inner.0)).flatten();
    }
    error(token)
}

/// `sname`, its parts joined: `TERMSRV/host`.
fn principal(mut field: Reader<'_>) -> Option<String> {
    let mut name = der::expect(&mut field, der::SEQUENCE)?;
    while !name.is_empty() {
        let (tag, mut part) = der::next(&mut name)?;
        if tag != der::context(1) {
            continue;
        }
        let mut components = der::expect(&mut part, der::SEQUENCE)?;
        let mut parts = Vec::new();
        while !components.is_empty() {
            parts.push(text(der::expect(&mut components, GENERAL_STRING)?.0));
        }
        return Some(parts.join("/"));
    }
    None
}

fn text(bytes: &[u8]) -> String {
    escape_controls(&String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]))
}

/// RFC 4120 7.5.9, as far as a logon can meet it.
pub fn name(code: u32) -> Option<&'static str> {
    Some(match code {
        1 => "KDC_ERR_NAME_EXP",
        2 => "KDC_ERR_SERVICE_EXP",
        3 => "KDC_ERR_BAD_PVNO",
        6 => "KDC_ERR_C_PRINCIPAL_UNKNOWN",
        7 => "KDC_ERR_S_PRINCIPAL_UNKNOWN",
        8 => "KDC_ERR_PRINCIPAL_NOT_UNIQUE",
        9 => "KDC_ERR_NULL_KEY",
        10 => "KDC_ERR_CANNOT_POSTDATE",
        11 => "KDC_ERR_NEVER_VALID",
        12 => "KDC_ERR_POLICY",
        13 => "KDC_ERR_BADOPTION",
        14 => "KDC_ERR_ETYPE_NOSUPP",
        15 => "KDC_ERR_SUMTYPE_NOSUPP",
        16 => "KDC_ERR_PADATA_TYPE_NOSUPP",
        17 => "KDC_ERR_TRTYPE_NOSUPP",
        18 => "KDC_ERR_CLIENT_REVOKED",
        19 => "KDC_ERR_SERVICE_REVOKED",
        20 => "KDC_ERR_TGT_REVOKED",
        21 => "KDC_ERR_CLIENT_NOTYET",
        22 => "KDC_ERR_SERVICE_NOTYET",
        23 => "KDC_ERR_KEY_EXPIRED",
        24 => "KDC_ERR_PREAUTH_FAILED",
        PREAUTH_REQUIRED => "KDC_ERR_PREAUTH_REQUIRED",
        26 => "KDC_ERR_SERVER_NOMATCH",
        27 => "KDC_ERR_MUST_USE_USER2USER",
        28 => "KDC_ERR_PATH_NOT_ACCEPTED",
        29 => "KDC_ERR_SVC_UNAVAILABLE",
        31 => "KRB_AP_ERR_BAD_INTEGRITY",
        32 => "KRB_AP_ERR_TKT_EXPIRED",
        33 => "KRB_AP_ERR_TKT_NYV",
        34 => "KRB_AP_ERR_REPEAT",
        35 => "KRB_AP_ERR_NOT_US",
        36 => "KRB_AP_ERR_BADMATCH",
        37 => "KRB_AP_ERR_SKEW",
        38 => "KRB_AP_ERR_BADADDR",
        39 => "KRB_AP_ERR_BADVERSION",
        40 => "KRB_AP_ERR_MSG_TYPE",
        41 => "KRB_AP_ERR_MODIFIED",
        44 => "KRB_AP_ERR_BADKEYVER",
        45 => "KRB_AP_ERR_NOKEY",
        46 => "KRB_AP_ERR_MUT_FAIL",
        48 => "KRB_AP_ERR_METHOD",
        50 => "KRB_AP_ERR_INAPP_CKSUM",
        52 => "KRB_ERR_RESPONSE_TOO_BIG",
        60 => "KRB_ERR_GENERIC",
        61 => "KRB_ERR_FIELD_TOOLONG",
        68 => "KDC_ERR_WRONG_REALM",
        69 => "KRB_AP_ERR_USER_TO_USER_REQUIRED",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::garbled;

    /// A KRB-ERROR with the fields that are read and some that are not.
    fn message(code: u32) -> Vec<u8> {
        let string = |text: &[u8]| der::element(GENERAL_STRING, text);
        let names = der::element(der::SEQUENCE, &[string(b"TERMSRV"), string(b"host")].concat());
        let service = [der::explicit(0, &der::unsigned(2)), der::explicit(1, &names)].concat();
        let fields = [
            der::explicit(0, &der::unsigned(5)),
            der::explicit(1, &der::unsigned(30)),
            der::explicit(4, &der::element(0x18, b"20261121093000Z")),
            der::explicit(5, &der::unsigned(7)),
            der::explicit(6, &der::unsigned(code)),
            der::explicit(9, &string(b"REALM")),
            der::explicit(10, &der::element(der::SEQUENCE, &service)),
            der::explicit(11, &string(b"LOOKING_UP_SERVER")),
        ]
        .concat();
        der::element(KRB_ERROR, &der::element(der::SEQUENCE, &fields))
    }

    #[test]
    fn an_error_is_read_with_its_name_service_and_text() {
        let read = error(&message(7)).unwrap();
        assert_eq!(read.code, Some(7));
        assert_eq!(read.name.as_deref(), Some("KDC_ERR_S_PRINCIPAL_UNKNOWN"));
        assert_eq!(read.service.as_deref(), Some("TERMSRV/host"));
        assert_eq!(read.text.as_deref(), Some("LOOKING_UP_SERVER"));
        assert_eq!(error(&message(0x4242)).unwrap().name, None);
    }

    #[test]
    fn an_error_is_found_within_a_gss_token() {
        let contents =
            [der::element(der::OBJECT_IDENTIFIER, &[0x2A, 0x86, 0x48]), ERROR_TOKEN.to_vec(), message(37)]
                .concat();
        let token = der::element(INITIAL_CONTEXT_TOKEN, &contents);
        assert_eq!(error_in_token(&token).unwrap().code, Some(37));
        assert_eq!(error_in_token(&message(41)).unwrap().code, Some(41));
    }

    #[test]
    fn other_messages_are_none() {
        assert_eq!(error(&[]), None);
        assert_eq!(error(&[0x6B, 0]), None);
        assert_eq!(exchange_of(&[AS_REQ]), Some(KerberosExchange::As));
        assert_eq!(exchange_of(&[TGS_REQ, 0]), Some(KerberosExchange::Tgs));
        assert_eq!(exchange_of(&[]), None);
    }

    proptest! {
        #[test]
        fn garbled_errors_do_no_harm(bytes in garbled(message(6))) {
            let _ = error(&bytes);
            let _ = error_in_token(&bytes);
        }
    }
}
