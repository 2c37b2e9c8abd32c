//! The client's settings ([MS-RDPBCGR] 2.2.1.11), of a client that has no user and does not ask to be logged on.

/// A mouse, no need of Ctrl+Alt+Del, text in UTF-16, a maximised shell (xrdp takes no client without these four), and the
/// logon's errors shown. INFO_AUTOLOGON is not among them ([MS-RDPBCGR] 2.2.1.11.1.1).
const FLAGS: u32 = 0x0000_0073;
/// No wallpaper, dragging, animation and theme.
const PERFORMANCE_FLAGS: u32 = 0x0F;
const AF_INET: u16 = 2;
/// TS_TIME_ZONE_INFORMATION ([MS-RDPBCGR] 2.2.1.11.1.1.1.1): UTC, without a name.
const TIME_ZONE: usize = 172;

pub(super) fn client_info() -> Vec<u8> {
    let mut info = Vec::new();
    for number in [0, FLAGS] {
        info.extend(number.to_le_bytes());
    }
    // Domain, user, password, shell and folder: their lengths without the terminators, which follow alone.
    info.extend([0; 5 * 2]);
    info.extend([0; 5 * 2]);
    info.extend(AF_INET.to_le_bytes());
    // Neither its address nor its folder.
    for _ in 0..2 {
        info.extend(2_u16.to_le_bytes());
        info.extend([0; 2]);
    }
    info.extend([0; TIME_ZONE]);
    // clientSessionId
    info.extend(0_u32.to_le_bytes());
    info.extend(PERFORMANCE_FLAGS.to_le_bytes());
    // cbAutoReconnectCookie
    info.extend(0_u16.to_le_bytes());
    info
}
