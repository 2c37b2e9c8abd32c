//! The commands beside probing.

use std::path::PathBuf;

use clap::Subcommand;
use rdprobe_report::Timestamp;

use super::source::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what a code, a sentence or a line of a log means
    ///
    /// And what it is not, what is behind it, and the command that narrows it down.
    Explain {
        /// A code (0x904/0x7, 2308, C000006D, ERRCONNECT_TLS_CONNECT_FAILED, event 36870, tls-key-unusable) or words
        #[arg(value_name = "WORDS", required = true)]
        words: Vec<String>,
        /// Judge its causes against this report of a host: JSON, - for stdin
        #[arg(long, value_name = "FILE", value_parser = super::source::file)]
        report: Option<Source>,
        /// The client that shows it, in words
        #[arg(long, value_name = "CLIENT")]
        client: Option<String>,
        #[command(flatten)]
        told: super::told::ToldArguments,
    },
    /// Probe a host, and ask what separates the causes best
    ///
    /// Three questions at the most, each answered with one key; then it says which cause is left.
    Doctor {
        #[command(flatten)]
        probe: Box<super::probe::ProbeArguments>,
    },
    /// List every code
    Codes,
    /// Judge recorded reports again, without the host
    Replay {
        /// A JSON report, an array of them, or one a line; - for stdin
        #[arg(value_name = "FILE", value_parser = super::source::file)]
        file: Source,
        /// Judge as at this instant instead of the recorded one: 2026-11-21T09:30:00Z
        #[arg(long, value_name = "RFC3339")]
        now: Option<Timestamp>,
    },
    /// Say what changed between two reports of one host
    ///
    /// At two times, or seen from two places. It exits 0 where they are equal, and 1 where they differ.
    Diff {
        /// The earlier report, or a list of them; - for stdin
        #[arg(value_name = "OLD", value_parser = super::source::file)]
        old: Source,
        /// The later one
        #[arg(value_name = "NEW", value_parser = super::source::file)]
        new: Source,
    },
    /// Print the JSON Schema of the report
    Schema,
    /// Probe hosts that fail in telling ways, on this computer
    ///
    /// It starts them itself, and ends them.
    #[cfg(feature = "demo")]
    Demo,
    /// Answer Prometheus' scrapes: probe whichever host a request names
    ///
    /// A multi-target exporter: /probe?target=HOST&module=NAME probes, / shows the last probes with their reports.
    /// It listens on this computer alone unless --allow says what may be probed.
    #[cfg(feature = "serve")]
    Serve(Box<super::serve::ServeArguments>),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    ///
    /// rdprobe.1 and one for each command.
    Man {
        /// Directory of the pages
        #[arg(value_name = "DIR")]
        out: PathBuf,
    },
    /// Write the generated pages of the documentation
    #[command(hide = true)]
    Docs {
        /// Directory of the pages
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Write nothing; fail where a page is out of date
        #[arg(long)]
        check: bool,
    },
}

impl Command {
    /// Whether it runs until it is told to end.
    pub(crate) fn is_service(&self) -> bool {
        #[cfg(feature = "serve")]
        return matches!(self, Self::Serve(_));
        #[cfg(not(feature = "serve"))]
        false
    }

    /// Whether what it prints are reports.
    pub(super) fn prints_reports(&self) -> bool {
        matches!(self, Self::Doctor { .. } | Self::Replay { .. })
    }
}
