//! The command line: what can be typed, and what is said to somebody who typed something else.

mod command;
#[cfg(all(feature = "serve", feature = "logon"))]
mod credentials;
mod demand;
mod help;
#[cfg(feature = "logon")]
mod logon;
#[cfg(feature = "serve")]
mod module;
mod probe;
mod rdp_file;
#[cfg(feature = "serve")]
mod serve;
mod source;
mod told;
pub(crate) mod toml_value;
mod value;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, ValueEnum};
use rdprobe_report::Status;

pub(crate) use command::Command;
#[cfg(all(feature = "serve", feature = "logon"))]
pub(crate) use credentials::Credentials;
#[cfg(feature = "serve")]
pub(crate) use module::Module;
pub(crate) use probe::{Again, ProbeArguments};
#[cfg(feature = "serve")]
pub(crate) use serve::ServeArguments;
pub(crate) use source::{Note, Noted, Source, Targets};

/// Tell why Remote Desktop to a host fails, and prove it
#[derive(Debug, Parser)]
#[command(
    name = "rdprobe",
    version,
    long_version = help::long_version(),
    long_about = help::LONG_ABOUT,
    after_help = help::AFTER,
    after_long_help = help::AFTER_LONG,
    override_usage = "rdprobe [OPTIONS] HOST[:PORT]...\n       rdprobe COMMAND ...",
    max_term_width = 100,
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) probe: ProbeArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// How the result is shown; these go with every command.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// How to print [default: human on a terminal, else json]
    #[arg(long, short = 'o', global = true, value_name = "FORMAT", hide_possible_values = false)]
    pub(crate) format: Option<Format>,
    /// What makes the exit code other than 0; with `broken`, degraded exits 0; with `never`, everything does
    #[arg(long, global = true, value_name = "STATUS", default_value = "degraded", hide_default_value = true)]
    pub(crate) fail_on: FailOn,
    /// Colours: only on a terminal unless told otherwise; NO_COLOR counts too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub(crate) color: Color,
    /// Everything for people to read, not only what fits on a screen
    #[arg(long, global = true)]
    pub(crate) full: bool,
    /// In JSON, only what a pipeline decides by: verdict, findings without texts, phases
    #[arg(long, global = true, conflicts_with = "full")]
    pub(crate) brief: bool,
    /// Replace names, addresses, subjects and the account, each by the same word everywhere: to be shown in public
    #[arg(long, global = true)]
    pub(crate) redact: bool,
    /// Say on stderr what is being done; -vv says more
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// One renderer each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: verdict, phases, evidence, what to do
    Human,
    /// The whole report; an array where there are several targets
    Json,
    /// The whole report, one line for each target as it is done
    Ndjson,
    /// A Nagios plug-in's line with performance data
    Nagios,
    /// JUnit XML: a suite for each target, a case for each phase and demand
    Junit,
    /// Prometheus' text format, for node_exporter's textfile collector
    Prometheus,
    /// To be pasted into a ticket
    Markdown,
}

/// From which status on the exit code is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Broken,
    Degraded,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Format {
    /// Whether it shows reports and nothing else.
    fn is_of_runs(self) -> bool {
        !matches!(self, Self::Human | Self::Json | Self::Ndjson)
    }
}

impl FailOn {
    /// The exit code over all targets: the worst, 2 over 1 over 3 over 0.
    pub(crate) fn exit_code(self, states: impl IntoIterator<Item = Status>) -> Option<u8> {
        let counted = |status| match (self, status) {
            (Self::Never, _) | (Self::Broken, Status::Degraded) => Status::Healthy,
            _ => status,
        };
        Status::worst(states.into_iter().map(counted)).map(Status::exit_code)
    }
}

impl Arguments {
    /// Reads the command line. What clap cannot say itself is an error of clap's kind too.
    pub(crate) fn read<I, T>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let mut command = help::shorten(Self::command());
        let matches = command.try_get_matches_from_mut(arguments)?;
        let read = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        if let Some(name) = matches.subcommand_name()
            && let Some(flag) = probe::given(&matches)
        {
            let hint = format!("{flag} is about probing and means nothing to `rdprobe {name}`");
            return Err(command.error(clap::error::ErrorKind::ArgumentConflict, hint));
        }
        if read.probe.every.is_some() && read.output.format.is_some_and(Format::is_of_runs) {
            let hint = "--every writes a line each round: for people, or ndjson";
            return Err(command.error(clap::error::ErrorKind::ArgumentConflict, hint));
        }
        if let (Some(asked), Some(format)) = (&read.command, read.output.format)
            && format.is_of_runs()
            && !asked.prints_reports()
        {
            let hint =
                "nagios, junit, prometheus and markdown are for reports: leave --format away, or write json";
            return Err(command.error(clap::error::ErrorKind::ArgumentConflict, hint));
        }
        let probe = match &read.command {
            Some(Command::Doctor { probe }) => probe,
            _ => &read.probe,
        };
        if read.command.is_some() && probe.again().is_some() {
            let hint = "the doctor looks once: leave --wait and --every away";
            return Err(command.error(clap::error::ErrorKind::ArgumentConflict, hint));
        }
        probe.check().map_err(|(kind, hint)| command.error(kind, hint))?;
        if read.command.is_none() && read.probe.hosts.is_empty() && read.probe.file.is_empty() {
            return Err(command.error(clap::error::ErrorKind::MissingRequiredArgument, help::NO_HOST));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
