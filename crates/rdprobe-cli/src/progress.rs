//! One line on stderr that says what is waited for, and erases itself. Only on a terminal, and only where it takes
//! long.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anstream::AutoStream;

/// Before this, nothing is said.
const PATIENCE: Duration = Duration::from_millis(700);
const INTERVAL: Duration = Duration::from_millis(200);

pub(crate) struct Progress {
    ticks: tokio::time::Interval,
    wanted: bool,
    shown: bool,
}

impl Progress {
    /// `quiet` where something else writes to stderr.
    pub(crate) fn new(quiet: bool) -> Self {
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + PATIENCE, INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        Self { ticks, wanted: !quiet && std::io::stderr().is_terminal(), shown: false }
    }

    /// Comes back when the line is due; never where none is wanted.
    pub(crate) async fn due(&mut self) {
        if self.wanted {
            self.ticks.tick().await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn show(&mut self, text: &str) {
        self.shown = true;
        // The line is a courtesy; a stderr that is gone is no reason to stop.
        let _ = write!(AutoStream::auto(std::io::stderr()), "\r\x1b[2K{text}");
        let _ = std::io::stderr().flush();
    }

    /// Must come before anything else is printed.
    pub(crate) fn erase(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
