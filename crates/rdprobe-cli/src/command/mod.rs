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

use clap::CommandFactory as _;

use crate::Failure;
use crate::args::Arguments;
use crate::output::Output;

/// The completion script of a shell.
pub(crate) fn completions(shell: clap_complete::Shell, output: &mut Output) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "rdprobe", &mut script);
    output.write(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
