//! Diagnostics of our own, on stderr.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;

use crate::args::{Color, OutputArguments};

/// Warnings always, and of a `service` what happens to it; what is being done with `-v`, everything with `-vv`.
pub(crate) fn start(arguments: OutputArguments, service: bool) {
    let level = match arguments.verbose {
        0 if service => LevelFilter::INFO,
        0 => LevelFilter::WARN,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let color = match arguments.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stderr().is_terminal()
                && anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
        }
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(color)
        .with_target(false)
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .with_writer(std::io::stderr)
        .init();
}
