//! Text for a screen: wrapped, coloured, and free of what a hostile peer might have put into it.

use anstyle::Style;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::style::{BOLD, CYAN, DIM};
use crate::output::Screen;

/// A page that grows line by line.
pub(crate) struct Page {
    pub(crate) screen: Screen,
    text: String,
}

impl Page {
    pub(crate) fn new(screen: Screen) -> Self {
        Self { screen, text: String::new() }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A blank line and a title.
    pub(crate) fn heading(&mut self, title: &str) {
        self.blank();
        if title.len() + 2 > self.screen.width {
            return self.paragraph(2, title);
        }
        let title = self.paint(BOLD, title);
        self.line(&format!("  {title}"));
    }

    /// One line as it is; the caller answers for its width.
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Wrapped text, every line with this indent.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), indent, text);
    }

    /// Wrapped text, the first line after `first`, the others with an indent.
    pub(crate) fn hanging(&mut self, first: &str, indent: usize, text: &str) {
        let text = whole_commands(&self.clean(text), self.screen.width.saturating_sub(indent));
        let indent = " ".repeat(indent);
        let options = Options::new(self.screen.width)
            .initial_indent(first)
            .subsequent_indent(&indent)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        let lines: Vec<String> =
            textwrap::wrap(&text, options).iter().map(|line| line.trim_end().replace(JOINT, " ")).collect();
        let lines = self.commands(&lines.join("\n"));
        self.line(&lines);
    }

    /// Wrapped text after a bullet.
    pub(crate) fn bullet(&mut self, indent: usize, text: &str) {
        let bullet = self.paint(DIM, self.sign("•", "*"));
        self.hanging(&format!("{}{bullet} ", " ".repeat(indent)), indent + 2, text);
    }

    /// What stands between backticks, coloured.
    fn commands(&self, text: &str) -> String {
        if !self.screen.color {
            return text.into();
        }
        let mut painted = String::with_capacity(text.len());
        for (number, part) in text.split('`').enumerate() {
            if number % 2 == 1 {
                painted.push_str(&format!("{CYAN}`{part}`{CYAN:#}"));
            } else {
                painted.push_str(part);
            }
        }
        painted
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.screen.color { format!("{style}{text}{style:#}") } else { text.into() }
    }

    /// Text from a peer cannot move the cursor or turn the writing round; other than ASCII only where the locale
    /// has it.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\n' | '\t' => clean.push(' '),
                // Control characters, and Unicode's marks and overrides of direction and its invisible ones.
                _ if c.is_control() || is_invisible(c) => clean.push('?'),
                _ if c.is_ascii() || self.screen.unicode => clean.push(c),
                '…' => clean.push_str("..."),
                '–' | '—' => clean.push('-'),
                '’' | '‘' => clean.push('\''),
                '“' | '”' => clean.push('"'),
                _ => clean.push('?'),
            }
        }
        clean
    }

    /// A sign, or its stand-in where there is only ASCII.
    pub(crate) fn sign(&self, sign: &'static str, ascii: &'static str) -> &'static str {
        if self.screen.unicode { sign } else { ascii }
    }
}

/// Stands for a space at which no line ends.
const JOINT: char = '\u{a0}';

/// A command between backticks is kept on one line where it fits on one, so that it can be copied.
fn whole_commands(text: &str, room: usize) -> String {
    let mut whole = String::with_capacity(text.len());
    for (number, part) in text.split('`').enumerate() {
        if number > 0 {
            whole.push('`');
        }
        // The backticks and a full stop belong to it.
        if number % 2 == 1 && part.chars().count() + 3 <= room {
            whole.extend(part.chars().map(|c| if c == ' ' { JOINT } else { c }));
        } else {
            whole.push_str(part);
        }
    }
    whole
}

/// Marks and overrides of direction, and what has no width.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize, unicode: bool) -> Page {
        Page::new(Screen { width, unicode, color: false })
    }

    #[test]
    fn long_words_are_broken_before_a_line_grows_too_wide() {
        let mut page = page(40, true);
        page.paragraph(4, &format!("a {} b", "x".repeat(90)));
        assert!(page.finish().lines().all(|line| line.chars().count() <= 40));
    }

    #[test]
    fn a_command_that_fits_on_a_line_is_not_torn() {
        let mut page = page(40, true);
        page.paragraph(2, "Restart the service with `systemctl restart xrdp`, then look.");
        assert!(page.finish().contains("\n  `systemctl restart xrdp`, then look.\n"));
    }

    #[test]
    fn a_hostile_banner_cannot_steer_the_terminal() {
        let clean = page(80, true).clean("SSH\u{1b}[2J\u{202e}gnp\r\u{7}");
        assert_eq!(clean, "SSH?[2J?gnp??");
        assert_eq!(page(80, false).clean("naïve… ’tis"), "na?ve... 'tis");
    }
}
