//! What a server sends where TLS is due, and is none.

use rdprobe_report::facts::Service;
use rdprobe_report::{Failure, FailureKind};

use crate::x224::{is_disconnect_ultimatum, service};

/// As much as is read and kept.
const MAX: usize = 64;
/// TPKT and X.224 headers of the nine bytes with which xrdp gives up TLS; the MCS message follows.
const FAREWELL_HEADER: [u8; 7] = [0x03, 0x00, 0x00, 0x09, 0x02, 0xF0, 0x80];
const FAREWELL: usize = 9;

/// Whether `bytes` are the beginning of xrdp's farewell, or all of it.
pub(super) fn may_be_farewell(bytes: &[u8]) -> bool {
    bytes.iter().zip(FAREWELL_HEADER).all(|(came, expected)| *came == expected)
}

/// How many more bytes are worth reading; 0 once they can be named. Depends on the bytes alone and not on how
/// they came.
pub(super) fn wanted(bytes: &[u8]) -> usize {
    if may_be_farewell(bytes) {
        FAREWELL - bytes.len()
    } else if service::is_decided(bytes) {
        0
    } else {
        MAX - bytes.len()
    }
}

/// The failure that `bytes` are.
pub(super) fn failure(bytes: &[u8], progress: &str) -> Failure {
    if may_be_farewell(bytes) && is_disconnect_ultimatum(&bytes[FAREWELL_HEADER.len()..]) {
        let detail = format!("an MCS Disconnect Provider Ultimatum in place of TLS, {progress}");
        return Failure::new(FailureKind::Closed, detail);
    }
    let what = match (bytes, service::identify(bytes)) {
        // SERVER-HELLO or ERROR of SSL 2.0 after a two-byte record header.
        ([0x80..=0xFF, _, 0x04 | 0x00, ..], _) => "an SSL 2.0 answer".to_owned(),
        ([0x03, 0x00, ..], _) => "a TPKT frame".to_owned(),
        (_, Service::Unknown) => "bytes of an unknown protocol".to_owned(),
        (_, service) => format!("{service} answered"),
    };
    Failure::new(FailureKind::Malformed, format!("not TLS: {what}, {progress}"))
}
