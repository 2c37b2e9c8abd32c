//! Names the service that answers where it is not RDP, by its first bytes.

use rdprobe_report::facts::Service;

/// As much as is read of a service that is not RDP.
pub(super) const MAX_BANNER: usize = 512;
/// By so many bytes a binary protocol of the list is known, or never.
const MAX_BINARY: usize = 16;

/// Whether `bytes` suffice to name the service; after that no more is read. Depends on the bytes alone and not on
/// how they came, so it is asked after each one.
pub(crate) fn is_decided(bytes: &[u8]) -> bool {
    if bytes.len() >= MAX_BANNER {
        return true;
    }
    match bytes {
        // The page says more than its first line: nginx answers garbage with a page and no status line.
        [b'<', ..] => contains(bytes, b"</title>"),
        [0x20..=0x7E, ..] => bytes.ends_with(b"\n"),
        // Record header and the two bytes of an alert.
        [0x15 | 0x16, 0x03, ..] => bytes.len() >= 7,
        [b'\r' | b'\n' | b'\t', ..] => bytes.ends_with(b"\n") && bytes.iter().any(u8::is_ascii_graphic),
        _ => bytes.len() >= MAX_BINARY,
    }
}

/// The service that begins with `bytes`.
pub(crate) fn identify(bytes: &[u8]) -> Service {
    match bytes {
        [0x15 | 0x16, 0x03, 0x00..=0x04, ..] => Service::Tls,
        [0xFF, 0xFB..=0xFE, ..] => Service::Telnet,
        // [MS-SMB2] 2.1, after the four bytes of direct TCP transport.
        [0x00, _, _, _, 0xFE | 0xFF, b'S', b'M', b'B', ..] => Service::Smb,
        // A packet with sequence number 0: greeting of protocol 10, or an error.
        [_, _, 0x00, 0x00, 0x0A | 0xFF, ..] => Service::Mysql,
        // ErrorResponse with its length, then the severity field.
        [b'E', 0x00, 0x00, _, _, b'S', ..] => Service::Postgresql,
        _ => identify_text(bytes),
    }
}

fn identify_text(bytes: &[u8]) -> Service {
    let text = bytes.trim_ascii_start();
    let starts =
        |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    if starts(b"SSH-") {
        Service::Ssh
    } else if starts(b"HTTP/")
        || starts(b"<html")
        || starts(b"<!doctype html")
        || contains(text, b"400 Bad Request")
    {
        Service::Http
    } else if starts(b"RFB ") {
        Service::Vnc
    } else if starts(b"* OK") || starts(b"* PREAUTH") || starts(b"* BYE") {
        Service::Imap
    } else if starts(b"+OK") {
        Service::Pop3
    } else if starts(b"-ERR") || starts(b"-NOAUTH") || starts(b"-DENIED") {
        Service::Redis
    } else if starts(b"220") || starts(b"421") || starts(b"554") {
        if contains(text, b"SMTP") || starts(b"554") { Service::Smtp } else { Service::Ftp }
    } else {
        Service::Unknown
    }
}

/// The bytes as one printable line: control characters and what is not ASCII as dots, line ends left off.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text: String = bytes
        .iter()
        .map(|&byte| match byte {
            0x20..=0x7E => char::from(byte),
            _ => '.',
        })
        .collect();
    let ends = bytes.len() - bytes.trim_ascii_end().len();
    text[..text.len() - ends].to_owned()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_by_their_first_bytes() {
        for (bytes, service) in [
            (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], Service::Ssh),
            (b"HTTP/1.1 400 Bad Request\r\n", Service::Http),
            (b"<html>\r\n<head><title>400 Bad Request</title>", Service::Http),
            (b"\x15\x03\x01\x00\x02\x02\x46", Service::Tls),
            (b"\x16\x03\x03\x00\x40\x02\x00", Service::Tls),
            (b"RFB 003.008\n", Service::Vnc),
            (b"220 mail.example ESMTP Postfix\r\n", Service::Smtp),
            (b"220 ProFTPD Server ready\r\n", Service::Ftp),
            (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", Service::Imap),
            (b"+OK ready\r\n", Service::Pop3),
            (b"\xff\xfd\x18\xff\xfd\x20", Service::Telnet),
            (b"J\0\0\0\x0a8.0.36\0", Service::Mysql),
            (b"E\0\0\0\x5fSFATAL\0", Service::Postgresql),
            (b"\0\0\0\x45\xfeSMB@\0", Service::Smb),
            (b"-ERR unknown command\r\n", Service::Redis),
            (b"-ERR Protocol error\r\n", Service::Redis),
            (b"hello\n", Service::Unknown),
            (b"\0\x01\x02", Service::Unknown),
        ] {
            assert_eq!(identify(bytes), service, "{}", printable(bytes));
        }
    }

    #[test]
    fn a_line_or_a_few_bytes_decide() {
        assert!(is_decided(b"SSH-2.0-x\r\n") && !is_decided(b"SSH-2.0-x"));
        assert!(is_decided(b"\x15\x03\x01\x00\x02\x02\x46") && !is_decided(b"\x15\x03\x01"));
        assert!(is_decided(&[0; 16]) && !is_decided(&[0; 15]));
        assert!(is_decided(&[b'a'; MAX_BANNER]));
        assert!(!is_decided(b"\r\n"));
    }

    #[test]
    fn a_banner_is_one_printable_line() {
        assert_eq!(printable(b"hi \x1b[31m\xc3\xa9\r\n"), "hi .[31m..");
    }
}
