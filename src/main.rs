//! The `gotrail` command: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    gotrail::cli::main()
}
