//! Whether the host still answers what it answered before.
//!
//! A refusal means nothing from a host that is overloaded or bans us. What came to no clear answer is held; a hello
//! that was answered before says whether the host or the question is to blame.

use std::time::Duration;

/// Times that a host may fall silent and come back before it is left alone.
const MOST_RELAPSES: u32 = 3;
/// Before the control is asked again.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// Refusals in a row that ask for a control although each was clear.
const LONG_RUN: u32 = 8;

/// What is known of the host's patience with us.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    /// A control is due.
    raised: bool,
    /// Before it, so long a pause.
    pause: Option<Duration>,
    /// Controls in a row without an answer.
    failed: usize,
    relapses: u32,
    refusals: u32,
    /// From here on one connection at a time.
    slow: bool,
    /// A hello was refused by hanging up alone, between two that were answered.
    hangs_up: bool,
}

/// What follows from a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The host is as it was: what was held is the questions' own.
    Well,
    /// The host is back: what was held says nothing.
    Recovered,
    /// A control is to be asked again.
    Unwell,
    /// The host has turned us away.
    TurnedAway,
}

impl Suspicion {
    pub(super) fn is_raised(&self) -> bool {
        self.raised
    }

    pub(super) fn is_slow(&self) -> bool {
        self.slow
    }

    /// The host was seen to refuse by hanging up.
    pub(super) fn hangs_up(&self) -> bool {
        self.hangs_up
    }

    pub(super) fn learn_that_it_hangs_up(&mut self) {
        self.hangs_up = true;
    }

    /// A pause that is due before the next control.
    pub(super) fn take_pause(&mut self) -> Option<Duration> {
        self.pause.take()
    }

    /// Something came to no clear answer.
    pub(super) fn raise(&mut self) {
        self.raised = true;
    }

    pub(super) fn refused(&mut self) {
        self.refusals += 1;
        self.raised |= self.refusals >= LONG_RUN;
    }

    pub(super) fn answered(&mut self) {
        self.refusals = 0;
    }

    /// The control came to an end.
    pub(super) fn control(&mut self, answered: bool) -> Finding {
        self.refusals = 0;
        if answered {
            let recovered = self.failed > 0;
            self.raised = false;
            self.failed = 0;
            if !recovered {
                return Finding::Well;
            }
            self.slow = true;
            self.relapses += 1;
            return if self.relapses > MOST_RELAPSES { Finding::TurnedAway } else { Finding::Recovered };
        }
        match PAUSES.get(self.failed) {
            Some(pause) => {
                self.pause = Some(*pause);
                self.failed += 1;
                Finding::Unwell
            }
            None => Finding::TurnedAway,
        }
    }
}
