//! The server's answer: Connection Confirm ([MS-RDPBCGR] 2.2.1.2), or the TPDUs that stand in its place.

use rdprobe_report::facts::{Negotiation, X224Facts};
use rdprobe_report::{Failure, FailureKind, Protocol};

use crate::decode::Reader;

/// Length of RDP_NEG_REQ, RDP_NEG_RSP and RDP_NEG_FAILURE alike, little-endian in each.
pub(super) const NEGOTIATION_LENGTH: u16 = 8;
const CONNECTION_CONFIRM: u8 = 0xD0;
const DISCONNECT_REQUEST: u8 = 0x80;
const ERROR: u8 = 0x70;
const DATA: u8 = 0xF0;

const TYPE_RDP_NEG_RSP: u8 = 2;
const TYPE_RDP_NEG_FAILURE: u8 = 3;

/// [MS-RDPBCGR] 2.2.1.2.1.
const RESPONSE_FLAGS: [(u8, &str); 5] = [
    (0x01, "EXTENDED_CLIENT_DATA_SUPPORTED"),
    (0x02, "DYNVC_GFX_PROTOCOL_SUPPORTED"),
    (0x04, "NEGRSP_FLAG_RESERVED"),
    (0x08, "RESTRICTED_ADMIN_MODE_SUPPORTED"),
    (0x10, "REDIRECTED_AUTHENTICATION_MODE_SUPPORTED"),
];

/// Name of a negotiation failure code. 1 to 6 are those of [MS-RDPBCGR] 2.2.1.2.2; 7 is not in its revision of
/// February 2026, but other implementations know it.
pub fn failure_name(code: u32) -> Option<&'static str> {
    Some(match code {
        1 => "SSL_REQUIRED_BY_SERVER",
        2 => "SSL_NOT_ALLOWED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        7 => "ENTRA_AUTH_REQUIRED_BY_SERVER",
        _ => return None,
    })
}

/// Reads the TPDU of a whole frame, without its TPKT header, into `facts`.
pub(super) fn read(tpdu: &[u8], facts: &mut X224Facts) -> Option<Failure> {
    read_tpdu(tpdu, facts).unwrap_or_else(|| malformed("the TPDU is shorter than its kind demands"))
}

/// The outer `None` is a length that runs over the end, the inner one success.
fn read_tpdu(tpdu: &[u8], facts: &mut X224Facts) -> Option<Option<Failure>> {
    let mut reader = Reader(tpdu);
    let indicator = usize::from(reader.u8()?);
    let mut header = Reader(reader.take(indicator)?);
    let user_data = reader.0;
    let code = header.u8()?;
    // The low half of these two codes is an initial credit, 0 in class 0 (X.224 13.3.3 b, 13.4.3 b).
    let kind = if code & 0xF0 == CONNECTION_CONFIRM { CONNECTION_CONFIRM } else { code };
    if kind != CONNECTION_CONFIRM {
        facts.tpdu = Some(code);
    }
    Some(match kind {
        CONNECTION_CONFIRM => {
            facts.destination_reference = Some(header.u16()?);
            facts.source_reference = Some(header.u16()?);
            header.u8()?;
            if user_data.is_empty() {
                read_negotiation(header, facts)?
            } else {
                malformed(format!("{} bytes after the Connection Confirm", user_data.len()))
            }
        }
        DISCONNECT_REQUEST => {
            facts.destination_reference = Some(header.u16()?);
            facts.source_reference = Some(header.u16()?);
            let reason = header.u8()?;
            facts.reason = Some(reason);
            rejected(format!("X.224 Disconnect Request, reason {reason}: {}", disconnect_reason(reason)))
        }
        ERROR => {
            facts.destination_reference = Some(header.u16()?);
            let cause = header.u8()?;
            facts.reason = Some(cause);
            rejected(format!("X.224 Error, cause {cause}: {}", error_cause(cause)))
        }
        DATA if is_disconnect_ultimatum(user_data) => Some(Failure::new(
            FailureKind::Closed,
            "an MCS Disconnect Provider Ultimatum in place of the Connection Confirm",
        )),
        _ => malformed(format!("TPDU code 0x{code:02X} in place of the Connection Confirm")),
    })
}

/// Whether a Data TPDU carries the MCS message with which xrdp ends a connection early ([MS-RDPBCGR] 2.2.2.3;
/// T.125 7, choice 8 in the upper six bits).
pub(crate) fn is_disconnect_ultimatum(mcs: &[u8]) -> bool {
    matches!(mcs, [first, _] if first & 0xFC == 0x20)
}

fn read_negotiation(mut structure: Reader<'_>, facts: &mut X224Facts) -> Option<Option<Failure>> {
    if structure.is_empty() {
        facts.negotiation = Some(Negotiation::Absent);
        facts.selected = Some(Protocol::RDP);
        return Some(None);
    }
    let (kind, flags) = (structure.u8()?, structure.u8()?);
    let length = structure.u16_le()?;
    let value = structure.u32_le()?;
    if length != NEGOTIATION_LENGTH || !structure.is_empty() {
        return Some(malformed(format!(
            "negotiation structure of type {kind} that claims {length} bytes and has {}",
            usize::from(NEGOTIATION_LENGTH) + structure.0.len()
        )));
    }
    Some(match kind {
        TYPE_RDP_NEG_RSP => {
            facts.negotiation = Some(Negotiation::Response);
            facts.flags_raw = Some(flags);
            facts.flags = flag_names(flags);
            facts.selected = Some(Protocol(value));
            judge_selection(facts, Protocol(value))
        }
        TYPE_RDP_NEG_FAILURE => {
            facts.negotiation = Some(Negotiation::Failure);
            facts.failure_code = Some(value);
            facts.failure_name = failure_name(value).map(str::to_owned);
            rejected(format!(
                "negotiation failure {value}, {}",
                failure_name(value).unwrap_or("a code without a name")
            ))
        }
        _ => malformed(format!("negotiation structure of unknown type {kind}")),
    })
}

/// The handshake cannot go on with a protocol that we did not offer, nor with several at once.
fn judge_selection(facts: &X224Facts, selected: Protocol) -> Option<Failure> {
    if selected.0.count_ones() > 1 {
        return malformed(format!("selected protocol 0x{:08X} is several at once", selected.0));
    }
    if !facts.offered.contains(selected) {
        return malformed(format!("selected {selected}, which was not offered"));
    }
    None
}

fn flag_names(flags: u8) -> Vec<String> {
    (0..8)
        .map(|bit| 1 << bit)
        .filter(|bit| flags & bit != 0)
        .map(|bit| match RESPONSE_FLAGS.iter().find(|(known, _)| *known == bit) {
            Some((_, name)) => (*name).to_owned(),
            None => format!("0x{bit:02X}"),
        })
        .collect()
}

/// X.224 13.5.3 e.
fn disconnect_reason(reason: u8) -> &'static str {
    match reason {
        0 => "not specified",
        1 => "congestion",
        2 => "session entity not attached",
        3 => "address unknown",
        128 => "normal disconnect",
        129 => "remote congestion at connect time",
        130 => "connection negotiation failed",
        131 => "duplicate source reference",
        132 => "mismatched references",
        133 => "protocol error",
        135 => "reference overflow",
        136 => "connection request refused on this network connection",
        138 => "header or parameter length invalid",
        _ => "no meaning assigned",
    }
}

/// X.224 13.12.3 d.
fn error_cause(cause: u8) -> &'static str {
    match cause {
        0 => "not specified",
        1 => "invalid parameter code",
        2 => "invalid TPDU type",
        3 => "invalid parameter value",
        _ => "no meaning assigned",
    }
}

fn malformed(detail: impl Into<String>) -> Option<Failure> {
    Some(Failure::new(FailureKind::Malformed, detail))
}

fn rejected(detail: String) -> Option<Failure> {
    Some(Failure::new(FailureKind::Rejected, detail))
}
