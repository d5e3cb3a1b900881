//! `oaudit completions`: what a shell needs to complete commands, flags, and the ids of checks.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::{Shell, generate};
use clap_complete_nushell::Nushell;

use super::output::Streams;
use super::{Cli, Exit, output};
use crate::checks::ALL;

/// What can be said to `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    oaudit completions bash > ~/.local/share/bash-completion/completions/oaudit\n  \
    oaudit completions zsh > ~/.zfunc/_oaudit            with ~/.zfunc in fpath\n  \
    oaudit completions fish > ~/.config/fish/completions/oaudit.fish")]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: ShellName,
}

/// The shells that scripts can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
    Nushell,
    Powershell,
}

impl CompletionsArgs {
    pub(super) fn run(self) -> Exit {
        let mut command = with_ids(Cli::command());
        let mut script = Vec::new();
        let mut of = |shell: Shell| generate(shell, &mut command, "oaudit", &mut script);
        match self.shell {
            ShellName::Bash => of(Shell::Bash),
            ShellName::Zsh => of(Shell::Zsh),
            ShellName::Fish => of(Shell::Fish),
            ShellName::Powershell => of(Shell::PowerShell),
            ShellName::Nushell => generate(Nushell, &mut command, "oaudit", &mut script),
        }
        let written = output::report(&String::from_utf8_lossy(&script));
        written.map_or_else(|complaint| Streams::plain().complain(&complaint, false), |()| Exit::OK)
    }
}

/// The command line, with the ids of the checks as the values of what takes one. Only for completion: what is typed may
/// be a glob, or the id of a rule of the user's own.
fn with_ids(command: Command) -> Command {
    let ids = || PossibleValuesParser::new(ALL.iter().map(|check| PossibleValue::new(check.card().id)));
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| {
            let arguments = match sub.get_name() {
                "explain" => &["id"][..],
                _ => &["select", "ignore"][..],
            };
            let takes = |sub: &Command, id: &str| sub.get_arguments().any(|argument| argument.get_id() == id);
            arguments.iter().fold(sub, |sub, id| match takes(&sub, id) {
                true => sub.mut_arg(id, |argument| argument.value_parser(ids())),
                false => sub,
            })
        })
    })
}
