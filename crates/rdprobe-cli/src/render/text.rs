//! Text for a screen: wrapped, coloured, and free of what a hostile peer might have put into it.

use anstyle::{AnsiColor, Style};
use rdprobe_report::{Severity, Status};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::output::Screen;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// A page that grows line by line.
pub(crate) struct Page {
    pub(crate) screen: Screen,
    text: String,
}

impl Page {
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            text: String::new(),
        }
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
        let text = self.clean(text);
        let indent = " ".repeat(indent);
        let options = Options::new(self.screen.width)
            .initial_indent(first)
            .subsequent_indent(&indent)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        let lines: Vec<String> = textwrap::wrap(&text, options)
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect();
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
        if self.screen.color {
            format!("{style}{text}{style:#}")
        } else {
            text.into()
        }
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

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

pub(crate) fn status_style(status: Status) -> Style {
    match status {
        Status::Healthy => GREEN,
        Status::Degraded => YELLOW,
        Status::Broken => RED,
        Status::Inconclusive => AnsiColor::Magenta.on_default().bold(),
    }
}

pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => CYAN,
    }
}

pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// A duration in at most seven characters: `0.42 ms`, `84.1 ms`, `843 ms`, `4.0 s`.
pub(crate) fn time(millis: f64) -> String {
    match millis {
        0.0 => "0 ms".into(),
        _ if millis < 9.95 => format!("{millis:.2} ms"),
        _ if millis < 99.95 => format!("{millis:.1} ms"),
        _ if millis < 999.5 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize, unicode: bool) -> Page {
        Page::new(Screen {
            width,
            unicode,
            color: false,
        })
    }

    #[test]
    fn long_words_are_broken_before_a_line_grows_too_wide() {
        let mut page = page(40, true);
        page.paragraph(4, &format!("a {} b", "x".repeat(90)));
        assert!(page.finish().lines().all(|line| line.chars().count() <= 40));
    }

    #[test]
    fn a_hostile_banner_cannot_steer_the_terminal() {
        let clean = page(80, true).clean("SSH\u{1b}[2J\u{202e}gnp\r\u{7}");
        assert_eq!(clean, "SSH?[2J?gnp??");
        assert_eq!(page(80, false).clean("naïve… ’tis"), "na?ve... 'tis");
    }

    #[test]
    fn durations_are_short() {
        let times: Vec<_> = [0.4, 9.96, 84.12, 99.97, 843.0, 999.7, 20_000.0].map(time).into();
        assert_eq!(
            times,
            [
                "0.40 ms", "10.0 ms", "84.1 ms", "100 ms", "843 ms", "1.0 s", "20.0 s"
            ]
        );
    }
}
