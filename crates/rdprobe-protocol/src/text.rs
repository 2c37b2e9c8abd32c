//! Text that a peer sent, made fit to be shown.

/// The text with control characters as `\0A`, so that a terminal may show it.
pub(crate) fn escape_controls(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaping_controls(&mut escaped, character);
    }
    escaped
}

/// Pushes one character, a control character as `\0A`.
pub(crate) fn push_escaping_controls(escaped: &mut String, character: char) {
    if character.is_control() {
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            escaped.push_str(&format!("\\{byte:02X}"));
        }
    } else {
        escaped.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(escape_controls("a\x1b[31m\u{9b}é"), r"a\1B[31m\C2\9Bé");
    }
}
