//! The program `rdprobe`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rdprobe_cli::main()
}
