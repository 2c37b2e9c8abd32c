//! What a server may send in place of a licence message: a Share Control PDU ([MS-RDPBCGR] 2.2.8.1.1.1.1).

use crate::decode::Reader;

const DEMAND_ACTIVE: u16 = 1;
const DATA: u16 = 7;
/// pduType2 of the Set Error Info PDU ([MS-RDPBCGR] 2.2.5.1).
const SET_ERROR_INFO: u8 = 0x2F;

pub(super) enum Message {
    /// The server begins the session.
    DemandActive,
    /// `errorInfo`.
    ErrorInfo(u32),
    Other,
}

/// Reads a PDU that says its own length; none where these bytes are something else.
pub(super) fn whole(bytes: &[u8]) -> Option<Message> {
    let mut reader = Reader(bytes);
    if usize::from(reader.u16_le()?) != bytes.len() {
        return None;
    }
    let kind = reader.u16_le()?;
    // TS_PROTOCOL_VERSION stands in the second half-byte.
    if kind & 0xFFF0 != 0x10 {
        return None;
    }
    Some(match kind & 0x0F {
        DEMAND_ACTIVE => Message::DemandActive,
        DATA => error_info(reader).map_or(Message::Other, Message::ErrorInfo),
        _ => Message::Other,
    })
}

fn error_info(mut reader: Reader<'_>) -> Option<u32> {
    // pduSource, shareId, padding, streamId, uncompressedLength
    reader.take(2 + 4 + 1 + 1 + 2)?;
    let kind = reader.u8()?;
    // compressedType, compressedLength
    reader.take(1 + 2)?;
    (kind == SET_ERROR_INFO).then(|| reader.u32_le())?
}

/// [MS-RDPBCGR] 2.2.5.1.1, as far as a server may send it to a client that it does not know yet.
pub(super) fn error_info_name(code: u32) -> Option<&'static str> {
    NAMES.iter().find(|row| row.0 == code).map(|row| row.1)
}

const NAMES: [(u32, &str); 41] = [
    (0x1, "ERRINFO_RPC_INITIATED_DISCONNECT"),
    (0x2, "ERRINFO_RPC_INITIATED_LOGOFF"),
    (0x3, "ERRINFO_IDLE_TIMEOUT"),
    (0x4, "ERRINFO_LOGON_TIMEOUT"),
    (0x5, "ERRINFO_DISCONNECTED_BY_OTHERCONNECTION"),
    (0x6, "ERRINFO_OUT_OF_MEMORY"),
    (0x7, "ERRINFO_SERVER_DENIED_CONNECTION"),
    (0x9, "ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES"),
    (0xA, "ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED"),
    (0xB, "ERRINFO_RPC_INITIATED_DISCONNECT_BYUSER"),
    (0xC, "ERRINFO_LOGOFF_BY_USER"),
    (0xF, "ERRINFO_CLOSE_STACK_ON_DRIVER_NOT_READY"),
    (0x10, "ERRINFO_SERVER_DWM_CRASH"),
    (0x11, "ERRINFO_CLOSE_STACK_ON_DRIVER_FAILURE"),
    (0x12, "ERRINFO_CLOSE_STACK_ON_DRIVER_IFACE_FAILURE"),
    (0x17, "ERRINFO_SERVER_WINLOGON_CRASH"),
    (0x18, "ERRINFO_SERVER_CSRSS_CRASH"),
    (0x19, "ERRINFO_SERVER_SHUTDOWN"),
    (0x1A, "ERRINFO_SERVER_REBOOT"),
    (0x100, "ERRINFO_LICENSE_INTERNAL"),
    (0x101, "ERRINFO_LICENSE_NO_LICENSE_SERVER"),
    (0x102, "ERRINFO_LICENSE_NO_LICENSE"),
    (0x103, "ERRINFO_LICENSE_BAD_CLIENT_MSG"),
    (0x104, "ERRINFO_LICENSE_HWID_DOESNT_MATCH_LICENSE"),
    (0x105, "ERRINFO_LICENSE_BAD_CLIENT_LICENSE"),
    (0x106, "ERRINFO_LICENSE_CANT_FINISH_PROTOCOL"),
    (0x107, "ERRINFO_LICENSE_CLIENT_ENDED_PROTOCOL"),
    (0x108, "ERRINFO_LICENSE_BAD_CLIENT_ENCRYPTION"),
    (0x109, "ERRINFO_LICENSE_CANT_UPGRADE_LICENSE"),
    (0x10A, "ERRINFO_LICENSE_NO_REMOTE_CONNECTIONS"),
    (0x400, "ERRINFO_CB_DESTINATION_NOT_FOUND"),
    (0x402, "ERRINFO_CB_LOADING_DESTINATION"),
    (0x404, "ERRINFO_CB_REDIRECTING_TO_DESTINATION"),
    (0x405, "ERRINFO_CB_SESSION_ONLINE_VM_WAKE"),
    (0x406, "ERRINFO_CB_SESSION_ONLINE_VM_BOOT"),
    (0x407, "ERRINFO_CB_SESSION_ONLINE_VM_NO_DNS"),
    (0x408, "ERRINFO_CB_DESTINATION_POOL_NOT_FREE"),
    (0x409, "ERRINFO_CB_CONNECTION_CANCELLED"),
    (0x410, "ERRINFO_CB_CONNECTION_ERROR_INVALID_SETTINGS"),
    (0x411, "ERRINFO_CB_SESSION_ONLINE_VM_BOOT_TIMEOUT"),
    (0x412, "ERRINFO_CB_SESSION_ONLINE_VM_SESSMON_FAILED"),
];
