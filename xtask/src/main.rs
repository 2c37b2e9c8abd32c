//! The project's own tasks, run as `cargo xtask TASK`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task's output is for the terminal"
)]

use std::process::ExitCode;

use clap::Parser;

mod docs;
mod interop;
mod layering;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Probe real servers and compare every report with what the matrix expects of it
    Interop(interop::Options),
    /// Generate the files that are derived from tables in the code
    Docs(docs::Options),
    /// Check which crates the pure ones depend on
    Layering,
    /// Undo what an interop run recorded on this process's standard input, once that ends
    #[command(hide = true)]
    InteropReaper,
    /// Answer RDPEUDP SYNs: the peer of the interop matrix's UDP rows
    #[command(hide = true)]
    InteropUdpPeer(interop::udp_peer::Options),
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Interop(options) => interop::run(&options),
        Task::Docs(options) => docs::run(&options),
        Task::Layering => layering::run(),
        Task::InteropReaper => interop::reaper::run(),
        Task::InteropUdpPeer(options) => interop::udp_peer::run(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
