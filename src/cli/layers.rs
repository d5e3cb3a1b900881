//! What is in force: a flag before an environment variable before the configuration file before the default.
//!
//! The command line is read twice: once for where the file is, and once with what the file says as the defaults of the
//! flags. So a command sees the values that count, and need not know where they come from.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches};

use super::output::{Streams, prose};
use super::{Cli, Complaint, Exit, first_words, shown};
use crate::check::AnyCheck;
use crate::checks;
use crate::config::{Config, FILE, Value};
use crate::oauth::client::ClientAuth;
use crate::oauth::secret::Secret;
use crate::plan::nearest;
use crate::registration::Configured;
use crate::settings::Settings;
use crate::waiver::Waiver;

/// The flags that keys stand for, by the name of the argument. A command without that argument has no use for the key.
pub(super) const FLAGS: [(&str, &str); 45] = [
    ("target", "target"),
    ("target", "words"),
    ("issuer", "issuer"),
    ("profile", "profile"),
    ("mcp_version", "mcp_version"),
    ("owner_authorized", "yes"),
    ("scope", "scope"),
    ("client.id", "client_id"),
    ("client.auth", "client_auth"),
    ("client.secret_env", "client_secret_env"),
    ("client.key_file", "client_key"),
    ("client.key_id", "client_key_id"),
    ("client.metadata_url", "client_metadata_url"),
    ("client.redirect_uri", "redirect_uri"),
    ("client_b.id", "client_b_id"),
    ("client_b.secret_env", "client_b_secret_env"),
    ("client_confidential.id", "confidential_client_id"),
    ("client_confidential.auth", "confidential_auth"),
    ("client_confidential.secret_env", "confidential_secret_env"),
    ("introspection.id", "introspection_id"),
    ("introspection.secret_env", "introspection_secret_env"),
    ("login.agent", "agent"),
    ("login.username", "username"),
    ("login.password_env", "password_env"),
    ("login.command", "login_command"),
    ("login.timeout", "login_timeout"),
    ("login.session", "session"),
    ("login.webdriver_url", "webdriver_url"),
    ("resource.url", "resource"),
    ("limits.scopes", "limit"),
    ("limits.max_wait", "max_wait"),
    ("limits.max_time", "max_time"),
    ("limits.rate", "rate"),
    ("limits.max_requests", "max_requests"),
    ("checks.dirs", "folders"),
    ("checks.select", "select"),
    ("checks.ignore", "ignore"),
    ("wire.proxy", "proxy"),
    ("wire.ca", "ca"),
    ("wire.client_cert", "client_cert"),
    ("wire.insecure", "insecure"),
    ("wire.resolve", "resolve"),
    ("wire.timeout", "timeout"),
    ("wire.allow_host", "allow_host"),
    ("login.password_file", "password_file"),
];

/// The formats of stdout that a program reads.
const FOR_PROGRAMS: [&str; 6] = ["json", "sarif", "junit", "html", "github", "har"];

/// Which configuration.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfigArgs {
    /// The configuration; by default oaudit.toml in this folder, if it is there.
    #[arg(long, value_name = "FILE", env = "OAUDIT_CONFIG")]
    config: Option<PathBuf>,
}

/// What was given beside the flags: the file, and where each value comes from.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) file: Option<Config>,
    matches: ArgMatches,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Environment,
    /// The line.
    File(usize),
    Default,
}

/// Reads the command line, and the file that belongs to it.
///
/// # Errors
/// What ended the program; everything has been said.
pub(super) fn read() -> Result<(Cli, Given), Exit> {
    let command = Cli::command();
    let first = command.clone().try_get_matches().map_err(said)?;
    let mut file = None;
    let mut matches = first.clone();
    if let Some((name, given)) = first.subcommand()
        && given.try_contains_id("config").is_ok()
    {
        file = find(given).map_err(|complaint| {
            let format = given.try_get_raw("format").ok().flatten().and_then(|mut raw| raw.next());
            Streams::plain().complain(&complaint, format.is_some_and(is_for_machines))
        })?;
        if let Some(config) = &file {
            let layered = command.mut_subcommand(name, |sub| with_defaults(sub, config, given));
            matches = layered.try_get_matches().map_err(said)?;
        }
    }
    let cli = Cli::from_arg_matches(&matches).map_err(said)?;
    let matches = matches.subcommand().map(|(_, given)| given.clone()).unwrap_or_default();
    Ok((cli, Given { file, matches }))
}

fn is_for_machines(format: &OsStr) -> bool {
    FOR_PROGRAMS.iter().any(|written| format == *written)
}

/// The format of what could not be read as a command line.
fn typed_format() -> Option<OsString> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let joined = words.iter().find_map(|word| word.to_str()?.strip_prefix("--format=").map(OsString::from));
    joined.or_else(|| words.iter().position(|word| word == "--format").and_then(|at| words.get(at + 1).cloned()))
}

/// clap knows which stream: help and version are what was asked for, errors are prose, or one line for a machine.
fn said(error: clap::Error) -> Exit {
    let error = shown::complaint(error);
    if error.use_stderr() && typed_format().is_some_and(|format| is_for_machines(&format)) {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let tip = lines.find_map(|line| line.strip_prefix("tip: ")).unwrap_or("see `oaudit --help`");
        return Streams::plain().complain(&Complaint::usage(first.trim_start_matches("error: "), tip), true);
    }
    // Whoever types the name alone is new here: all commands at once would be too much.
    match error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && std::env::args_os().len() == 1 {
        true => first_words().lines().for_each(prose),
        false => drop(error.print()),
    }
    if error.use_stderr() { Exit::USAGE } else { Exit::OK }
}

fn find(given: &ArgMatches) -> Result<Option<Config>, Complaint> {
    let named = given.get_one::<PathBuf>("config").map(PathBuf::as_path);
    let path = match named {
        Some(path) => path,
        None if Path::new(FILE).is_file() => Path::new(FILE),
        None => return Ok(None),
    };
    Config::load(path).map(Some).map_err(|error| Complaint::usage(error.to_string(), error.hint()))
}

/// The command, with what the file says as defaults.
fn with_defaults(mut command: Command, config: &Config, given: &ArgMatches) -> Command {
    for (key, argument) in FLAGS {
        let known = command.get_arguments().any(|a| a.get_id() == argument);
        let Some(entry) = config.get(key).filter(|_| known) else { continue };
        // Whoever wrote the file spoke for the target in it, and for no other.
        if key == "owner_authorized" && elsewhere(config, given) {
            continue;
        }
        // A file is looked at when neither flag nor variable gave the password.
        if key == "login.password_file" {
            continue;
        }
        let values = match &entry.value {
            Value::Text(text) => vec![text.clone()],
            Value::Texts(texts) => texts.clone(),
            Value::Count(count) => vec![count.to_string()],
            Value::Flag(flag) => vec![flag.to_string()],
            Value::Tables(_) | Value::Steps(_) => continue,
        };
        command = command.mut_arg(argument, |a| a.default_values(values));
    }
    command
}

/// Whether the command line leads to another place than the file.
fn elsewhere(config: &Config, given: &ArgMatches) -> bool {
    [("target", "target"), ("issuer", "issuer"), ("resource.url", "resource")].iter().any(|(key, argument)| {
        let typed = given.try_get_one::<String>(argument).ok().flatten();
        typed.is_some_and(|typed| config.text(key) != Some(typed))
    })
}

impl Origin {
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

impl Given {
    /// The value of an argument as it was given, and where from. `None` if the command has no such argument or it has no
    /// value.
    pub(super) fn argument(&self, key: &str, argument: &str) -> Option<(Vec<String>, Origin)> {
        let raw = self.matches.try_get_raw(argument).ok().flatten()?;
        let values = raw.map(|value| value.to_string_lossy().into_owned()).collect();
        let origin = match self.matches.value_source(argument)? {
            ValueSource::CommandLine => Origin::Flag,
            ValueSource::EnvVariable => Origin::Environment,
            _ => self.line(key).map_or(Origin::Default, Origin::File),
        };
        Some((values, origin))
    }

    /// Whether an argument stands on the command line or in the environment, so that it counts before the file.
    pub(super) fn is_typed(&self, argument: &str) -> bool {
        let source = self.matches.try_contains_id(argument).is_ok().then(|| self.matches.value_source(argument));
        matches!(source, Some(Some(ValueSource::CommandLine | ValueSource::EnvVariable)))
    }

    /// The line of a key in the file.
    fn line(&self, key: &str) -> Option<usize> {
        self.file.as_ref()?.get(key).map(|entry| entry.line)
    }

    /// Text that stands in the file alone.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.file.as_ref()?.text(key)
    }

    /// How a client of the file authenticates.
    pub(super) fn auth(&self, key: &str) -> Option<ClientAuth> {
        let named = self.text(key)?;
        ClientAuth::ALL.into_iter().find(|auth| auth.as_str() == named)
    }

    /// What the file says of judging, on top of what the flags said.
    pub(super) fn judging(&self, settings: Settings) -> Settings {
        let Some(file) = &self.file else { return settings };
        Settings { thresholds: file.thresholds(), omnibus_scopes: file.texts("omnibus_scopes"), ..settings }
    }

    /// The same, and what the file says of its own target: routes, and who may ask about tokens.
    pub(super) fn of_target(&self, settings: Settings) -> Result<Settings, Complaint> {
        let Some(file) = &self.file else { return Ok(settings) };
        Ok(Settings { routes: file.routes(), introspection: self.introspection()?, ..self.judging(settings) })
    }

    fn introspection(&self) -> Result<Option<Configured>, Complaint> {
        let Some(id) = self.text("introspection.id") else { return Ok(None) };
        let auth = self.auth("introspection.auth");
        let name = self.text("introspection.secret_env").unwrap_or("OAUDIT_INTROSPECTION_SECRET");
        let secret = match auth {
            Some(ClientAuth::None) => None,
            _ => Some(variable(name).ok_or_else(|| missing(name, "secret_env in [introspection]"))?),
        };
        Ok(Some(Configured { id: id.to_owned(), secret, auth }))
    }

    /// What the file waives: the checks have to be there.
    pub(super) fn waivers(&self, further: &[&'static dyn AnyCheck]) -> Result<Vec<Waiver>, Complaint> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let all: Vec<&'static dyn AnyCheck> = checks::ALL.iter().chain(further).copied().collect();
        let unknown = |id: &str| {
            let known = all.iter().any(|check| check.card().id == id);
            let hint = match nearest(&all, id) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "`oaudit checks` lists the ids; those of your own rules need --checks or [checks] dirs".into(),
            };
            (!known).then(|| (format!("no check is named {id}"), hint))
        };
        file.waivers(unknown).map_err(|problem| Complaint::usage(problem.to_string(), problem.hint()))
    }

    /// The file, for a person who did not name it.
    pub(super) fn remark(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        let named = self.matches.value_source("config").is_some();
        (!named).then(|| format!("configured by {} in this folder", file.file.display()))
    }
}

/// A secret in the environment.
pub(super) fn variable(name: &str) -> Option<Secret> {
    std::env::var(name).ok().filter(|v| !v.is_empty()).map(Secret::new)
}

/// It is not there. `place` says where another name for it could stand.
pub(super) fn missing(name: &str, place: &str) -> Complaint {
    Complaint::usage(format!("{} is not set", shown::variable(name)), shown::unset(name, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::{Kind, find};

    #[test]
    fn every_flag_has_its_key_and_takes_its_words() {
        let command = Cli::command();
        for (key, argument) in FLAGS {
            let kind = find(key).unwrap_or_else(|| panic!("there is no key {key}")).kind;
            let known = |sub: &Command| {
                let takes = |id: &str| sub.get_arguments().any(|a| a.get_id() == id);
                takes("config") && takes(argument)
            };
            let by: Vec<&str> = command.get_subcommands().filter(|sub| known(sub)).map(Command::get_name).collect();
            assert!(!by.is_empty(), "no command takes {argument}");
            let Kind::Choice(words) = kind else { continue };
            for word in words {
                let parsed =
                    command.clone().mut_subcommand("audit", |sub| sub.mut_arg(argument, |a| a.default_value(*word)));
                assert!(parsed.try_get_matches_from(["oaudit", "audit"]).is_ok(), "{key} = {word}");
            }
        }
    }
}
