//! `--print-config`: every value that is in force, as a configuration, with where it comes from.

use std::path::Path;

use clap::CommandFactory;

use super::layers::{FLAGS, Given, Origin};
use super::{Cli, shown};
use crate::config::Value;
use crate::config::draft::quoted;
use crate::config::keys::{KEYS, Key, Kind};
use crate::front::command::Program;
use crate::report::plain::plain;
use crate::settings::Thresholds;

/// The text for a command.
pub(super) fn text(command: &str, given: &Given) -> String {
    let printer = Printer { given, command: Cli::command().find_subcommand(command).cloned().unwrap_or_default() };
    let mut lines = vec![match &given.file {
        Some(file) => format!("# What is in force. The file is {}.", plain(&file.file.display().to_string())),
        None => "# What is in force. There is no configuration file.".into(),
    }];
    printer.table("", KEYS, &mut lines);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

struct Printer<'g> {
    given: &'g Given,
    command: clap::Command,
}

impl Printer<'_> {
    fn table(&self, of: &str, keys: &[Key], lines: &mut Vec<String>) {
        let is_table = |key: &&Key| matches!(key.kind, Kind::Table(_) | Kind::Tables(_));
        for key in keys.iter().filter(|key| !is_table(key)) {
            lines.push(self.line(&format!("{of}{}", key.name), key));
        }
        for key in keys.iter().filter(is_table) {
            let path = format!("{of}{}", key.name);
            match key.kind {
                Kind::Table(inner) => {
                    let mut within = Vec::new();
                    self.table(&format!("{path}."), inner, &mut within);
                    // A table of which nothing is set may need a key, and so may one of which nothing but a default is.
                    let lacks = |key: &Key| key.needed && within.iter().any(|l| *l == unset(key.name));
                    let set = within.iter().any(|line| !line.starts_with('#')) && !inner.iter().any(lacks);
                    if !set {
                        within
                            .iter_mut()
                            .filter(|l| !l.is_empty() && !l.starts_with('#'))
                            .for_each(|l| l.insert_str(0, "# "));
                    }
                    lines.extend([String::new(), format!("{}[{path}]", if set { "" } else { "# " })]);
                    lines.append(&mut within);
                }
                Kind::Tables(inner) => self.tables(&path, inner, lines),
                _ => {}
            }
        }
    }

    fn tables(&self, path: &str, keys: &[Key], lines: &mut Vec<String>) {
        let file = self.given.file.as_ref();
        let Some((config, entry)) = file.and_then(|file| Some((file, file.get(path)?))) else { return };
        let Value::Tables(tables) = &entry.value else { return };
        for table in tables {
            let from = format!("{}:{}", config.file.display(), entry.line);
            lines.extend([String::new(), format!("[[{path}]]  # {}", plain(&from))]);
            let written = |key: &Key| Some(format!("{} = {}", key.name, literal(table.get(key.name)?)));
            lines.extend(keys.iter().filter_map(written));
        }
    }

    fn line(&self, path: &str, key: &Key) -> String {
        let name = key.name;
        let arguments = FLAGS.iter().filter(|(of, _)| *of == path).map(|(_, argument)| *argument);
        let argument = arguments.into_iter().find_map(|argument| {
            let (values, origin) = self.given.argument(path, argument)?;
            let value = typed(values, key.kind)?;
            Some((value, self.origin(&origin, argument, path)))
        });
        let found = argument.or_else(|| self.in_file(path)).or_else(|| Some((default(path)?, "default".into())));
        let Some((value, mut origin)) = found else { return unset(name) };
        if let Value::Text(text) = &value
            && may_be_a_secret(name, key.kind, text)
        {
            return format!("# {name} is not shown: this is no name of a variable or file  # {}", plain(&origin));
        }
        let mut written = literal(&value);
        if let (Kind::Program, Value::Text(line)) = (key.kind, &value)
            && let Some((program, arguments)) = Program::parse(line).and_then(Program::parted)
            && arguments > 0
        {
            written = literal(&Value::Text(program));
            origin = format!("{origin}; its arguments are not shown");
        }
        if let (Kind::Variable, Value::Text(variable)) = (key.kind, &value) {
            let set = std::env::var_os(variable).is_some_and(|secret| !secret.is_empty());
            origin = format!("{origin}; the secret is {}", if set { "set" } else { "not set" });
        }
        if let (Kind::Proxy | Kind::Address, Value::Text(url)) = (key.kind, &value)
            && let Some(bare) = without_password(url)
        {
            written = literal(&Value::Text(bare));
            origin = format!("{origin}; a password for it is set");
        }
        format!("{name} = {written}  # {}", plain(&origin))
    }

    fn origin(&self, origin: &Origin, argument: &str, path: &str) -> String {
        let argument = self.command.get_arguments().find(|a| a.get_id() == argument);
        match origin {
            Origin::Flag => match argument.and_then(clap::Arg::get_long) {
                Some(long) => format!("flag --{long}"),
                None => "argument".into(),
            },
            Origin::Environment => {
                let variable = argument.and_then(clap::Arg::get_env).unwrap_or_default();
                format!("environment {}", variable.to_string_lossy())
            }
            Origin::File(_) => self.in_file(path).map_or_else(String::new, |(_, place)| place),
            Origin::Default => "default".into(),
        }
    }

    fn in_file(&self, path: &str) -> Option<(Value, String)> {
        let file = self.given.file.as_ref()?;
        let entry = file.get(path)?;
        Some((entry.value.clone(), format!("{}:{}", file.file.display(), entry.line)))
    }
}

/// Whether the secret itself may stand where its name or place is due.
fn may_be_a_secret(name: &str, kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Variable => !shown::is_name(text),
        Kind::Path => ["password_file", "key_file"].contains(&name) && !shown::is_path(Path::new(text)),
        _ => false,
    }
}

fn unset(name: &str) -> String {
    format!("# {name} is not set")
}

/// What an argument says, as the key has it.
fn typed(values: Vec<String>, kind: Kind) -> Option<Value> {
    let first = values.first().cloned();
    match kind {
        Kind::Texts | Kind::Paths | Kind::Resolved => Some(Value::Texts(values)),
        Kind::Count(..) => first?.parse().ok().map(Value::Count),
        Kind::Flag => first?.parse().ok().map(Value::Flag),
        _ => first.map(Value::Text),
    }
}

/// The defaults of what no flag sets.
fn default(path: &str) -> Option<Value> {
    let Thresholds { access_token_seconds, refresh_token_days, code_seconds, leeway_seconds, scopes } =
        Thresholds::default();
    Some(Value::Count(match path {
        "limits.access_token_seconds" => access_token_seconds,
        "limits.refresh_token_days" => refresh_token_days,
        "limits.code_seconds" => code_seconds,
        "limits.leeway_seconds" => leeway_seconds,
        "limits.scopes" => scopes as u64,
        _ => return None,
    }))
}

/// The value as TOML has it: what JSON says of texts, numbers and lists of them is TOML too.
fn literal(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")),
        Value::Count(count) => count.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Steps(steps) => format!("[{}]", steps.iter().map(inline).collect::<Vec<_>>().join(", ")),
        // Written as tables of their own.
        Value::Tables(_) => String::new(),
    }
}

/// A step as an inline table. Its members are texts, numbers and flags.
fn inline(step: &serde_json::Value) -> String {
    let member = |(name, value): (&String, &serde_json::Value)| match value.as_str() {
        Some(text) => format!("{name} = {}", quoted(text)),
        None => format!("{name} = {value}"),
    };
    let members: Vec<String> = step.as_object().into_iter().flatten().map(member).collect();
    format!("{{ {} }}", members.join(", "))
}

/// A URL without what should not be shown; `None` if there is nothing of it.
fn without_password(text: &str) -> Option<String> {
    let mut url = url::Url::parse(text).ok()?;
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.into())
}
