//! Licence messages from a server ([MS-RDPBCGR] 2.2.1.12, [MS-RDPELE] 2.2.2).

use rdprobe_report::facts::{Implementation, LicensingFacts};
use rdprobe_report::{Confidence, Failure, FailureKind};

use crate::decode::Reader;
use crate::text::escape_controls;

const LICENSE_REQUEST: u8 = 0x01;
const ERROR_ALERT: u8 = 0xFF;
/// The phase is over without a licence: the client is let in.
const STATUS_VALID_CLIENT: u32 = 7;
/// More scopes than this are not kept; servers name one.
const MOST_SCOPES: u32 = 8;
/// A name longer than this is none, in bytes.
const MOST_NAME: usize = 256;

/// Reads a message into `facts`. The outer none is one that is too short, the inner none a client that may go on.
pub(super) fn read(bytes: &[u8], facts: &mut LicensingFacts) -> Option<Option<Failure>> {
    let mut reader = Reader(bytes);
    let (kind, flags) = (reader.u8()?, reader.u8()?);
    let length = usize::from(reader.u16_le()?).checked_sub(4)?;
    let mut body = Reader(reader.take(length)?);
    let name = MESSAGES.iter().find(|row| row.0 == kind).map(|row| row.1)?;
    facts.message = Some(name.into());
    facts.version = Some(flags & 0x0F);
    match kind {
        ERROR_ALERT => error(&mut body, facts),
        LICENSE_REQUEST => request(body, facts).map(|()| None),
        _ => Some(None),
    }
}

/// [MS-RDPBCGR] 2.2.1.12.1.3.
fn error(body: &mut Reader<'_>, facts: &mut LicensingFacts) -> Option<Option<Failure>> {
    let (code, transition) = (body.u32_le()?, body.u32_le()?);
    let name = |rows: &[(u32, &'static str)], code| rows.iter().find(|row| row.0 == code).map(|row| row.1);
    facts.error_code = Some(code);
    facts.error_name = name(&ERRORS, code).map(Into::into);
    facts.state_transition = Some(transition);
    facts.state_transition_name = name(&TRANSITIONS, transition).map(Into::into);
    if code == STATUS_VALID_CLIENT {
        return Some(None);
    }
    let said = facts.error_name.as_deref().unwrap_or("a code of no name");
    let then = facts.state_transition_name.as_deref().unwrap_or("a transition of no name");
    Some(Some(Failure::new(
        FailureKind::Rejected,
        format!("the licence message says {said} ({code}), {then}"),
    )))
}

/// [MS-RDPELE] 2.2.2.1.
fn request(mut body: Reader<'_>, facts: &mut LicensingFacts) -> Option<()> {
    let random = body.take(32)?;
    if random == XRDP {
        facts.implementation =
            Some(Implementation { name: "xrdp".into(), version: None, confidence: Confidence::Likely });
    }
    facts.product_version = Some(format!("0x{:08X}", body.u32_le()?));
    facts.company = Some(utf16(name(&mut body)?));
    facts.product_id = Some(utf16(name(&mut body)?));
    // KeyExchangeList and ServerCertificate
    blob(&mut body)?;
    blob(&mut body)?;
    for _ in 0..body.u32_le()?.min(MOST_SCOPES) {
        let scope = blob(&mut body)?;
        let scope = scope.get(..scope.len().min(MOST_NAME))?;
        let text = String::from_utf8_lossy(scope);
        facts.scopes.push(escape_controls(text.trim_end_matches('\0')));
    }
    Some(())
}

fn name<'a>(body: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(body.u32_le()?).ok().filter(|length| *length <= MOST_NAME)?;
    body.take(length)
}

/// LICENSE_BINARY_BLOB ([MS-RDPBCGR] 2.2.1.12.1.2): its kind, length and contents.
fn blob<'a>(body: &mut Reader<'a>) -> Option<&'a [u8]> {
    body.u16_le()?;
    let length = body.u16_le()?.into();
    body.take(length)
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    escape_controls(String::from_utf16_lossy(&units).trim_end_matches('\0'))
}

/// bMsgType of those that a server sends ([MS-RDPBCGR] 2.2.1.12.1.1).
const MESSAGES: [(u8, &str); 5] = [
    (LICENSE_REQUEST, "license-request"),
    (0x02, "platform-challenge"),
    (0x03, "new-license"),
    (0x04, "upgrade-license"),
    (ERROR_ALERT, "error-alert"),
];

/// dwErrorCode ([MS-RDPBCGR] 2.2.1.12.1.3).
const ERRORS: [(u32, &str); 9] = [
    (1, "ERR_INVALID_SERVER_CERTIFICATE"),
    (2, "ERR_NO_LICENSE"),
    (3, "ERR_INVALID_MAC"),
    (4, "ERR_INVALID_SCOPE"),
    (6, "ERR_NO_LICENSE_SERVER"),
    (STATUS_VALID_CLIENT, "STATUS_VALID_CLIENT"),
    (8, "ERR_INVALID_CLIENT"),
    (11, "ERR_INVALID_PRODUCTID"),
    (12, "ERR_INVALID_MESSAGE_LEN"),
];

/// dwStateTransition.
const TRANSITIONS: [(u32, &str); 4] = [
    (1, "ST_TOTAL_ABORT"),
    (2, "ST_NO_TRANSITION"),
    (3, "ST_RESET_PHASE_TO_START"),
    (4, "ST_RESEND_LAST_MESSAGE"),
];

/// The random of the request that is compiled into xrdp: it asks every client with the same one, and has no licence
/// server behind it.
const XRDP: [u8; 32] = [
    0x7B, 0x3C, 0x31, 0xA6, 0xAE, 0xE8, 0x74, 0xF6, 0xB4, 0xA5, 0x03, 0x90, 0xE7, 0xC2, 0xC7, 0x39, 0xBA,
    0x53, 0x1C, 0x30, 0x54, 0x6E, 0x90, 0x05, 0xD0, 0x05, 0xCE, 0x44, 0x18, 0x91, 0x83, 0x81,
];
