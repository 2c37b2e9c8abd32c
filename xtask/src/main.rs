//! The project's own tasks, run as `cargo xtask TASK`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task's output is for the terminal")]

use std::process::ExitCode;

use clap::Parser;

mod apt;
mod capture;
mod circles;
mod compare;
mod cross;
mod deb;
mod dist;
mod docs;
mod interop;
mod layering;
mod measure;
mod sys;
mod wan_cost;

/// The exit code of a task that could not ask anything.
const SKIPPED: u8 = 77;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Probe real servers and compare every report with what the matrix expects of it
    Interop(interop::Options),
    /// Run the probe and other tools on the same servers, and print what each costs
    Compare(compare::Options),
    /// Print what the probe costs on hosts that are 50 ms away, beside what it may cost
    WanCost(wan_cost::Options),
    /// Run real clients against a listener that takes their ClientHello, and print the profile of each
    CaptureHello(capture::Options),
    /// Generate the files that are derived from tables in the code
    Docs(docs::Options),
    /// Make all that a release offers: archives, the Debian package, licences, what is inside, checksums
    Dist(dist::Options),
    /// Make the Debian package, with cargo-deb
    Deb,
    /// Check and build the product for Windows and for musl, from here
    Cross(cross::Options),
    /// Check which crates the pure ones depend on
    Layering,
    /// Run a program and write down what it cost
    #[command(hide = true)]
    Measure(measure::Options),
    /// Carry packets between two TUN devices, each after the same delay
    #[command(hide = true)]
    InteropDistance(interop::distance::Options),
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
        Task::Compare(options) => compare::run(&options),
        Task::WanCost(options) => wan_cost::run(&options),
        Task::Measure(options) => measure::run_here(&options),
        Task::CaptureHello(options) => capture::run(&options),
        Task::Docs(options) => docs::run(&options),
        Task::Dist(options) => dist::run(&options),
        Task::Deb => deb::run(),
        Task::Cross(options) => cross::run(&options),
        Task::Layering => layering::run().and_then(|pure| Ok(circles::run()? && pure)),
        Task::InteropDistance(options) => interop::distance::run(&options),
        Task::InteropReaper => interop::reaper::run(),
        Task::InteropUdpPeer(options) => interop::udp_peer::run(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.is::<cross::Skipped>() => {
            eprintln!("{error}");
            ExitCode::from(SKIPPED)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
