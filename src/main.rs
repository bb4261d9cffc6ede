//! The program: calls the CLI, turns an error into words and an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    nopeek::cli::main()
}
