//! Parses the command line, runs what it says, exits by the contract.

use std::process::ExitCode;

fn main() -> ExitCode {
    oaudit::cli::hush_panics();
    let Ok(runtime) = tokio::runtime::Runtime::new() else {
        return ExitCode::from(oaudit::cli::broke().0);
    };
    let exit = runtime.block_on(async { tokio::spawn(oaudit::cli::run()).await });
    // A read of standard input that nobody answers any more must not keep the program.
    runtime.shutdown_background();
    ExitCode::from(exit.unwrap_or_else(|_| oaudit::cli::broke()).0)
}
