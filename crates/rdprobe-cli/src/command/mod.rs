//! The commands, one file each.

pub(crate) mod codes;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod probe;
pub(crate) mod replay;
pub(crate) mod rounds;
pub(crate) mod schema;

use std::path::Path;

use clap::CommandFactory as _;
use clap::builder::PossibleValuesParser;
use rdprobe_diagnosis::registry;
use rdprobe_report::{Expectation, HelloProfile};

use crate::Failure;
use crate::args::Arguments;
use crate::output::Output;

/// The completion script of a shell. It knows what the parser reads as text: clients, codes and demands.
pub(crate) fn completions(shell: clap_complete::Shell, output: &mut Output) -> Result<u8, Failure> {
    let clients = || HelloProfile::clients().map(|client| client.id.as_str());
    let codes = || registry::REGISTRY.iter().map(|row| row.code);
    let ignorable = || codes().filter(|code| rdprobe_diagnosis::may_be_ignored(code));
    let mut command = Arguments::command()
        .mut_arg("client", |argument| argument.value_parser(PossibleValuesParser::new(clients())))
        .mut_arg("ignore", |argument| argument.value_parser(PossibleValuesParser::new(ignorable())))
        .mut_arg("expect", |argument| argument.value_parser(PossibleValuesParser::new(Expectation::FORMS)))
        .mut_subcommand("explain", |explain| {
            explain.mut_arg("words", |argument| argument.value_parser(PossibleValuesParser::new(codes())))
        });
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "rdprobe", &mut script);
    output.write(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// The manual pages.
pub(crate) fn man(out: &Path) -> Result<u8, Failure> {
    std::fs::create_dir_all(out)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), out))
        .map_err(|error| format!("cannot write the manual pages to {}: {error}", out.display()))?;
    Ok(0)
}
