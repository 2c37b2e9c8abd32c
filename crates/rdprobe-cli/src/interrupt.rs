//! The signals by which a run is asked to end: what is known so far is still printed.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC, ctrl_c};

/// Exit code of a run that was interrupted before anything was known: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;
/// The same with SIGTERM.
#[cfg(unix)]
const TERMINATED: u8 = 143;

/// SIGINT and SIGTERM, or Ctrl-C on Windows. Kept over the whole run, since a signal between two would be lost.
pub(crate) struct Interrupt {
    #[cfg(unix)]
    interrupt: Option<Signal>,
    #[cfg(unix)]
    terminate: Option<Signal>,
    #[cfg(windows)]
    interrupt: Option<CtrlC>,
}

impl Interrupt {
    /// Must be called within a runtime. From here on the signals no longer end the program by themselves.
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt()).ok(),
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).ok(),
            #[cfg(windows)]
            interrupt: ctrl_c().ok(),
        }
    }

    /// Waits for the next one. The exit code that stands for it where nothing is known yet.
    pub(crate) async fn next(&mut self) -> u8 {
        #[cfg(unix)]
        let (Some(interrupt), Some(terminate)) = (&mut self.interrupt, &mut self.terminate) else {
            return std::future::pending().await;
        };
        #[cfg(unix)]
        tokio::select! {
            Some(()) = interrupt.recv() => INTERRUPTED,
            Some(()) = terminate.recv() => TERMINATED,
            else => std::future::pending().await,
        }
        #[cfg(windows)]
        {
            let heard = match &mut self.interrupt {
                Some(interrupt) => interrupt.recv().await,
                None => None,
            };
            if heard.is_none() { std::future::pending().await } else { INTERRUPTED }
        }
    }
}
