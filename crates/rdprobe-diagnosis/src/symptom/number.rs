//! Numbers in a text, as people write codes: hex, decimal, with and without an extended one.

/// A number and what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) value: u32,
    /// Written so that it is a code and nothing else.
    pub(super) sure: bool,
    /// The extended code that goes with it.
    pub(super) extended: Option<u32>,
    /// The three words before it, the nearest first.
    pub(super) lead: Vec<String>,
}

/// Words after which a bare decimal number is a code.
const LEADS: &[&str] = &[
    "error",
    "err",
    "code",
    "event",
    "eventid",
    "id",
    "reason",
    "disconnected",
    "exit",
    "status",
    "failure",
    "extended",
    "substatus",
    "errinfo",
    "ntstatus",
    "http",
    "guacamole",
    "alert",
    "kerberos",
    "exitcode",
];

struct Token<'a> {
    text: &'a str,
    /// A slash stands before it.
    after_slash: bool,
}

/// Every number that may be a code.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let tokens = tokens(text);
    let short = tokens.len() <= 3;
    let mut found: Vec<Number> = Vec::new();
    let mut extends: Option<usize> = None;
    for (position, token) in tokens.iter().enumerate() {
        let lead: Vec<String> =
            tokens[..position].iter().rev().take(3).map(|token| token.text.to_lowercase()).collect();
        let Some((value, hex)) = parse(token.text) else { continue };
        let is_extended = token.after_slash && position > 0 && parse(tokens[position - 1].text).is_some()
            || lead.iter().any(|word| word == "extended") && !found.is_empty();
        if is_extended && let Some(first) = extends {
            found[first].extended = Some(value);
            continue;
        }
        let led = lead.iter().take(2).any(|word| LEADS.contains(&word.as_str()) || provider(word));
        if hex || short || led {
            extends = Some(found.len());
            found.push(Number { value, sure: hex, extended: None, lead });
        }
    }
    found
}

/// Sources of Windows events, before whose numbers people write no "event".
pub(super) fn provider(word: &str) -> bool {
    matches!(
        word,
        "termdd" | "schannel" | "tls" | "ntlm" | "kdc" | "security" | "rdp_tcp" | "tcpip" | "lsasrv"
    )
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut after_slash = false;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric() || c == '_') {
        after_slash |= rest[..start].trim().ends_with('/');
        let tail = &rest[start..];
        let end = tail.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(tail.len());
        tokens.push(Token { text: &tail[..end], after_slash });
        rest = &tail[end..];
        after_slash = false;
    }
    tokens
}

/// The value, and whether it is written in hex.
fn parse(token: &str) -> Option<(u32, bool)> {
    if let Some(digits) = token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok().map(|value| (value, true));
    }
    if token.bytes().all(|byte| byte.is_ascii_digit()) {
        return token.parse().ok().map(|value| (value, false));
    }
    // c000006d, 8009030C: NTSTATUS and HRESULT without their 0x.
    let looks_like_status = token.len() == 8 && matches!(token.as_bytes(), [b'c' | b'C' | b'8', b'0', ..]);
    if looks_like_status {
        return u32::from_str_radix(token, 16).ok().map(|value| (value, true));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, Option<u32>)> {
        numbers(text).into_iter().map(|number| (number.value, number.extended)).collect()
    }

    #[test]
    fn codes_are_read_as_people_write_them() {
        assert_eq!(read("0x904/0x7"), [(0x904, Some(7))]);
        assert_eq!(read("0x904 0x7"), [(0x904, None), (7, None)]);
        assert_eq!(read("2308"), [(2308, None)]);
        assert_eq!(read("Error code: 0x904, Extended error code: 0x7"), [(0x904, Some(7))]);
        assert_eq!(read("Error code: 0x904\nExtended error code: 0x7"), [(0x904, Some(7))]);
        assert_eq!(read("RDP disconnected! 2825 The remote computer requires"), [(2825, None)]);
        assert_eq!(read("c000006d"), [(0xC000_006D, None)]);
        assert_eq!(read("TermDD 56"), [(56, None)]);
    }

    #[test]
    fn numbers_that_are_no_codes_are_left() {
        assert!(read("Your session was disconnected, trying to reconnect, attempt 1 of 20").is_empty());
        assert!(read("Port 3389 is not in the listening state on Windows Server 2012").is_empty());
        assert!(read("").is_empty());
        assert!(read("0x99999999999 is too long").is_empty());
    }
}
