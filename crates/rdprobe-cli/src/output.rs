//! stdout, locked once: what it is, how wide, and what goes out of it.

use std::borrow::Cow;
use std::io::{self, IsTerminal, StdoutLock, Write};

use anstream::AutoStream;
use rdprobe_report::Report;

use crate::args::{Color, Format, OutputArguments};
use crate::redact::redact;

/// What the human format has to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Columns.
    pub(crate) width: usize,
    /// Whether the locale has more than ASCII.
    pub(crate) unicode: bool,
    /// Whether colours are wanted.
    pub(crate) color: bool,
}

/// The one writer to stdout. Only the report goes there.
pub(crate) struct Output {
    chosen: Option<Format>,
    terminal: bool,
    pub(crate) screen: Screen,
    /// Everything, not only what fits on a screen.
    pub(crate) full: bool,
    /// Only what a pipeline decides by.
    pub(crate) brief: bool,
    /// Without what names anybody.
    pub(crate) redact: bool,
    stdout: StdoutLock<'static>,
    choice: anstream::ColorChoice,
}

/// Wider lines are hard to read.
const WIDEST: usize = 100;
const NARROWEST: usize = 40;

impl Output {
    pub(crate) fn new(arguments: OutputArguments) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let choice = match arguments.color {
            Color::Auto => AutoStream::choice(&stdout),
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        let color = choice != anstream::ColorChoice::Never;
        Self {
            chosen: arguments.format,
            terminal,
            screen: Screen {
                width: width(terminal),
                unicode: unicode(|name| std::env::var(name).ok()),
                color,
            },
            full: arguments.full,
            brief: arguments.brief,
            redact: arguments.redact,
            stdout: stdout.lock(),
            choice,
        }
    }

    /// The format of reports: for people on a terminal, for programs on a pipe.
    pub(crate) fn format(&self) -> Format {
        let default = if self.terminal { Format::Human } else { Format::Json };
        self.chosen.unwrap_or(default)
    }

    /// The format of what is there to be read, `explain … | less` too.
    pub(crate) fn prose_format(&self) -> Format {
        match self.chosen {
            Some(format @ (Format::Json | Format::Ndjson)) => format,
            _ => Format::Human,
        }
    }

    /// The report as it may be shown.
    pub(crate) fn shown<'a>(&self, report: &'a Report) -> io::Result<Cow<'a, Report>> {
        match self.redact {
            true => redact(report).map(Cow::Owned).map_err(io::Error::other),
            false => Ok(Cow::Borrowed(report)),
        }
    }

    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        // What bears no colour needs no look at each byte for it: JSON.
        if text.contains('\x1b') {
            AutoStream::new(&mut self.stdout, self.choice).write_all(text.as_bytes())?;
        } else {
            self.stdout.write_all(text.as_bytes())?;
        }
        self.stdout.flush()
    }
}

/// The terminal's width, or 80 where there is none.
fn width(terminal: bool) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || {
        let (width, _) = terminal_size::terminal_size().filter(|_| terminal)?;
        Some(usize::from(width.0))
    };
    columns.or_else(measured).unwrap_or(80).clamp(NARROWEST, WIDEST)
}

/// Whether the locale's encoding is UTF-8, as the C library decides it (POSIX 8.2).
fn unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    if cfg!(windows) {
        return true;
    }
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let with = |set: &'static [(&str, &str)]| {
            unicode(|name| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[("LANG", "de_DE.UTF-8")]));
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!with(&[]));
    }
}
