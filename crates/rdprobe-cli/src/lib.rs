//! The command line of rdprobe: arguments → probe → renderer → exit code.
//!
//! A library for the sake of its benchmarks; the program is [`main`] and nothing else.

mod args;
mod command;
mod exposition;
mod interrupt;
mod logging;
mod metrics;
mod output;
mod progress;
mod redact;
mod render;
mod run;
#[cfg(feature = "serve")]
mod serve;

use std::io;
use std::process::ExitCode;

use args::{Arguments, Command};
use output::Output;

/// Why a command came to no exit code of its own.
enum Failure {
    /// Bad usage or a fault of our own, in words for the user.
    Fault(String),
    /// stdout cannot be written.
    Output(io::Error),
}

/// Bad usage, or a fault of our own.
const FAULT: u8 = 3;

/// Everything that the program does.
pub fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing can be said where stderr is gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { FAULT } else { 0 });
        }
    };
    logging::start(arguments.output, arguments.command.as_ref().is_some_and(Command::is_service));
    // Where it cannot be raised, fewer hosts are probed at once.
    let _ = rdprobe::raise_descriptor_limit();
    let mut output = Output::new(arguments.output);
    match dispatch(arguments, &mut output) {
        Ok(code) => ExitCode::from(code),
        // The reader has what it wanted: `rdprobe … | head`.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => fault(&format!("cannot write the report: {error}")),
        Err(Failure::Fault(text)) => fault(&text),
    }
}

/// The report as `--format human` shows it, in so many columns and without colour.
pub fn human(report: &rdprobe_report::Report, columns: usize) -> String {
    let screen = output::Screen { width: columns, unicode: true, color: false };
    render::human::report(report, render::human::Detail::Full, screen)
}

/// The page that `--format human` shows of one host, in so many columns and without colour.
pub fn page(report: &rdprobe_report::Report, columns: usize) -> String {
    let screen = output::Screen { width: columns, unicode: true, color: false };
    render::human::page(report, screen)
}

/// The report as `--format json` writes it.
pub fn json(report: &rdprobe_report::Report) -> String {
    render::json::pretty(report)
}

/// The report as `--redact` shows it.
///
/// # Errors
/// Where what is left cannot be read as a report.
pub fn redacted(report: &rdprobe_report::Report) -> Result<rdprobe_report::Report, String> {
    redact::redact(report)
}

fn dispatch(mut arguments: Arguments, output: &mut Output) -> Result<u8, Failure> {
    let fail_on = arguments.output.fail_on;
    arguments.probe.read_rdp_file()?;
    let Some(command) = arguments.command else {
        if let Some(again) = arguments.probe.again() {
            return command::rounds::run(again, &arguments.probe, arguments.output, output);
        }
        return command::probe::run(&arguments.probe, arguments.output, output);
    };
    match command {
        Command::Explain { words, report, client, told } => {
            let text = words.join(" ");
            let told = told.told(Some(&text), client.as_deref());
            command::explain::run(&told, report.as_ref(), arguments.output.full, output)
        }
        Command::Doctor { mut probe } => {
            probe.read_rdp_file()?;
            command::doctor::run(&probe, arguments.output, output)
        }
        Command::Codes => command::codes::run(output),
        Command::Replay { file, now } => command::replay::run(&file, now, fail_on, output),
        Command::Diff { old, new } => command::diff::run(&old, &new, output),
        Command::Schema => command::schema::run(output),
        #[cfg(feature = "demo")]
        Command::Demo => command::demo::run(output),
        #[cfg(feature = "serve")]
        Command::Serve(asked) => serve::run(&asked, output),
        Command::Completions { shell } => command::completions(shell, output),
        Command::Man { out } => command::man(&out),
        Command::Docs { out, check } => command::docs::run(&out, check),
    }
}

fn fault(text: &str) -> ExitCode {
    use std::io::Write as _;
    // Nothing can be said where stderr is gone.
    let _ = writeln!(anstream::stderr(), "error: {text}");
    ExitCode::from(FAULT)
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Fault(text)
    }
}
