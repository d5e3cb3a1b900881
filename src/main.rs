//! Parses the command line, runs what it says, exits by the contract.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // A check that breaks is reported as undecided; its stack trace would help nobody who reads stderr.
    std::panic::set_hook(Box::new(|_| {}));
    let exit = tokio::spawn(oaudit::cli::run()).await.unwrap_or_else(|_| oaudit::cli::broke());
    ExitCode::from(exit.0)
}
