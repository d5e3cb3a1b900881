//! The command line: what can be typed, and which part of the program answers.

use std::io::IsTerminal;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::document::McpVersion;
use crate::profile::{Profile, ProfileName};

mod anchor;
mod audit;
mod baseline;
mod catalogue;
mod cleanup;
mod client;
mod completions;
mod coverage;
mod demo;
mod discover;
mod effective;
mod format;
mod init;
mod journals;
mod lab;
mod layers;
mod login;
mod logs;
mod man;
mod output;
mod plan;
mod report;
mod rules;
mod schema;
mod scopes;
mod second_user;
mod shown;
mod sign_in;
mod signals;
mod token;
mod wire;

use output::Streams;

/// What to type first.
const EXAMPLES: &str = "  \
  oaudit demo                            audit the embedded lab, no set-up
  oaudit audit https://example.com/mcp   audit a server, sign in by the browser
  OAUDIT_PASSWORD=… oaudit audit https://example.com/mcp --username alice --yes
                                         the same where nobody can be asked: CI
";

/// Audits an OAuth 2.1 authorization server and the API or MCP server behind it.
#[derive(Debug, Parser)]
#[command(
    name = "oaudit",
    version,
    about = "Audits an OAuth 2.1 authorization server and the API or MCP server behind it, by behaviour.",
    after_help = format!(
        "Examples:\n{EXAMPLES}\n\
         Exit codes: 0 nothing failed · 1 something failed · 2 usage · 3 incomplete\n            \
         4 could not start · 5 a bug of oaudit"
    ),
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Audit a server.
    Audit(Box<audit::AuditArgs>),
    /// Audit the embedded lab, no set-up.
    Demo(demo::DemoArgs),
    /// Show what a client would find: documents, endpoints, the first broken step and whose it is. Sends GETs alone.
    Discover(discover::DiscoverArgs),
    /// Tell what an audit would do: checks, sign-ins, requests, what is spoiled and left. Sends GETs alone.
    Plan(Box<plan::PlanArgs>),
    /// Sign in once and keep the session in a file, for `audit --session FILE`.
    Login(Box<login::LoginArgs>),
    /// Look at one access token: signature, expiry, issuer, audience, scopes, revocation.
    Token(token::TokenArgs),
    /// Delete at the server what a run left there: one that was killed, or whose server did not answer.
    Cleanup(Box<cleanup::CleanupArgs>),
    /// List the checks.
    Checks(catalogue::ChecksArgs),
    /// Show a check's page: what is sent, how it is judged, why, how to fix it.
    Explain(catalogue::ExplainArgs),
    /// Judge the design of scopes: those that a server advertises, those in a file, or those given here.
    Scopes(scopes::ScopesArgs),
    /// Look for tokens in log files, and for the exact secrets of a run.
    Logs(logs::LogsArgs),
    /// Render a saved JSON report in any other format.
    Report(report::ReportArgs),
    /// Tell what changed between two JSON reports; exit code 1 if anything got worse.
    Diff(report::DiffArgs),
    /// Write a commented oaudit.toml from what discovery finds.
    Init(init::InitArgs),
    /// Print the JSON Schema of a file that oaudit reads or writes.
    Schema(schema::SchemaArgs),
    /// Serve the embedded authorization server, MCP endpoint and API.
    Lab(lab::LabArgs),
    /// Print a script that completes the command line of a shell.
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write one for each command.
    Man(man::ManArgs),
}

/// How a command ended, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Nothing to complain about.
    pub const OK: Self = Self(0);
    /// Something was found, or failed.
    pub const FAILED: Self = Self(1);
    /// Usage or configuration.
    pub const USAGE: Self = Self(2);
    /// The audit could not start.
    pub const NOT_STARTED: Self = Self(4);
    /// Our own failure.
    pub const OURS: Self = Self(5);
}

/// What went wrong before there was a report.
#[derive(Debug)]
pub(crate) struct Complaint {
    error: String,
    hint: String,
    exit: Exit,
}

impl Complaint {
    fn usage(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into(), exit: Exit::USAGE }
    }

    fn not_started(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into(), exit: Exit::NOT_STARTED }
    }

    fn ours(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into(), exit: Exit::OURS }
    }
}

/// What is said to somebody who types the name alone.
fn first_words() -> String {
    format!(
        "oaudit audits an OAuth 2.1 authorization server and the API or MCP server behind it.\n\n{EXAMPLES}\n\
         `oaudit --help` lists the commands, `oaudit audit --help` the flags.\n"
    )
}

/// Parses the command line and runs what it says.
pub async fn run() -> Exit {
    let (cli, given) = match layers::read() {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    match cli.command {
        Command::Audit(args) => args.run(&given).await,
        Command::Demo(args) => args.run(&given).await,
        Command::Discover(args) => args.run().await,
        Command::Plan(args) => args.run(&given).await,
        Command::Login(args) => args.run(&given).await,
        Command::Token(args) => args.run(&given).await,
        Command::Cleanup(args) => args.run().await,
        Command::Checks(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Scopes(args) => args.run(&given).await,
        Command::Logs(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Diff(args) => args.run(),
        Command::Init(args) => args.run().await,
        Command::Schema(args) => args.run(),
        Command::Lab(args) => args.run().await,
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    }
}

/// Whether a command line can be read; nothing is done. The commands of the documentation are held against it.
///
/// # Errors
/// What is wrong with it.
pub fn understood(words: &[String]) -> Result<(), String> {
    match Cli::command().try_get_matches_from(words) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
struct Common {
    /// When to use colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", global = true)]
    color: ColorWhen,
    /// Say nothing but the report.
    #[arg(short, long)]
    quiet: bool,
    /// Say more on stderr.
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

impl Common {
    fn streams(&self) -> Streams {
        Streams { quiet: self.quiet, verbose: self.verbose, color: self.colored(std::io::stdout().is_terminal()) }
    }

    fn colored(&self, terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        match self.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto if set("NO_COLOR") => false,
            ColorWhen::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| v != "0" && !v.is_empty()) => true,
            ColorWhen::Auto => terminal && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
        }
    }
}

/// By which documents.
#[derive(Debug, Clone, Args)]
struct ProfileArgs {
    /// The documents in force: chatgpt, mcp, oauth2.1 or oidc.
    #[arg(long, value_name = "NAME", default_value = "chatgpt", value_parser = profile_name)]
    profile: ProfileName,
    /// The revision of MCP: 2025-06-18, 2025-11-25 or 2026-07-28.
    #[arg(long, value_name = "V", default_value = "2025-11-25", value_parser = mcp_version)]
    mcp_version: McpVersion,
}

impl ProfileArgs {
    fn profile(&self) -> Profile {
        Profile { name: self.profile, mcp: self.mcp_version }
    }
}

fn profile_name(text: &str) -> Result<ProfileName, String> {
    let all = ProfileName::ALL;
    all.into_iter().find(|p| p.as_str() == text).ok_or_else(|| one_of(&all.map(ProfileName::as_str)))
}

fn mcp_version(text: &str) -> Result<McpVersion, String> {
    let all = McpVersion::ALL;
    all.into_iter().find(|v| v.as_str() == text).ok_or_else(|| one_of(&all.map(McpVersion::as_str)))
}

fn one_of(names: &[&str]) -> String {
    format!("it is one of {}", names.join(", "))
}

/// What is said of a panic: nothing. A check that breaks is reported as undecided; its stack trace would help nobody who
/// reads stderr, and its message may quote what it broke on, which may be a secret.
pub fn hush_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// What is said when the program itself broke.
pub fn broke() -> Exit {
    output::prose("oaudit broke: this is a bug, please report it with the command line that led to it");
    Exit::OURS
}
