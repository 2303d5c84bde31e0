//! The command line, from arguments to an exit code.

use std::process::ExitCode;

use authsome::cli::{self, Cli};
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let environment = std::env::vars_os();
    cli::run(cli, environment)
}
