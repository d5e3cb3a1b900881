//! `oaudit.toml`: what a user would otherwise type each time.
//!
//! [`keys`] lists every key once; the reader, the schema, what is printed and what is written are made of that list.
//! Which flag a key stands for is the command line's affair. A secret never stands in the file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use http::Method;

use crate::front::steps::PlainPage;
use crate::resource::Call;
use crate::settings::{Route, Thresholds};
use crate::toml_file::{Mistake, Problem};
use crate::waiver::Waiver;
use crate::waiver::baseline::day;

pub mod draft;
pub mod keys;
mod read;
pub mod schema;

/// Where the configuration is looked for if nobody says where.
pub const FILE: &str = "oaudit.toml";

/// What to do about a mistake of which nothing better is known.
const HELP: &str = "docs/configuration.md describes every key; `oaudit schema config` prints the schema";

/// A file that was read.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Its name, as it was given.
    pub file: PathBuf,
    /// What was read.
    text: String,
    values: Values,
}

/// The values of a table, those of its tables under dotted names: `client.id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Entry>);

/// A value, and the line that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// From 1.
    pub line: usize,
    /// Its bytes in the file.
    pub at: Range<usize>,
}

/// What stands under a key. Paths are complete: what is relative in the file is relative to the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// A whole number.
    Count(u64),
    /// True or false.
    Flag(bool),
    /// Several tables.
    Tables(Vec<Values>),
    /// Steps on a login page, as JSON has them.
    Steps(Vec<serde_json::Value>),
}

/// Why there is no configuration.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConfigError {
    /// Not there, or not readable.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No text.
    #[error("{} is no UTF-8 text", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// A mistake in it.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Unreadable { .. } => "check the path of --config and OAUDIT_CONFIG",
            Self::NoText { .. } => "save it as UTF-8, which TOML is written in",
            Self::Problem(problem) => problem.hint(),
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, and for anything in it that is not as `docs/configuration.md` describes it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => ConfigError::NoText { path: path.to_owned() },
            _ => ConfigError::Unreadable { path: path.to_owned(), why: error.to_string() },
        })?;
        Ok(Self::parse(path, &text)?)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// For anything in it that is not as `docs/configuration.md` describes it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Problem> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let values =
            read::values(text, folder).map_err(|mistake| mistake.in_file(&path.display().to_string(), text, HELP))?;
        Ok(Self { file: path.to_owned(), text: text.to_owned(), values })
    }

    /// What stands under a dotted name.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.values.0.get(path)
    }

    /// Text under a dotted name.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.values.text(path)
    }

    /// Whether a table has anything in it.
    pub fn has(&self, table: &str) -> bool {
        self.values.0.keys().any(|path| path.split_once('.').is_some_and(|(of, _)| of == table))
    }

    /// Texts under a dotted name; none if it is left out.
    pub fn texts(&self, path: &str) -> Vec<String> {
        match self.get(path).map(|entry| &entry.value) {
            Some(Value::Texts(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    /// A number under a dotted name.
    pub fn count(&self, path: &str) -> Option<u64> {
        match self.get(path)?.value {
            Value::Count(count) => Some(count),
            _ => None,
        }
    }

    /// `[limits]`, as far as checks judge by them.
    pub fn thresholds(&self) -> Thresholds {
        let default = Thresholds::default();
        let limit = |name: &str, default: u64| self.count(&format!("limits.{name}")).unwrap_or(default);
        Thresholds {
            access_token_seconds: limit("access_token_seconds", default.access_token_seconds),
            refresh_token_days: limit("refresh_token_days", default.refresh_token_days),
            code_seconds: limit("code_seconds", default.code_seconds),
            leeway_seconds: limit("leeway_seconds", default.leeway_seconds),
            scopes: self.count("limits.scopes").and_then(|n| usize::try_from(n).ok()).unwrap_or(default.scopes),
        }
    }

    /// The pages under a dotted name: `login.page`.
    pub fn pages(&self, path: &str) -> Vec<PlainPage> {
        let Some(Value::Tables(pages)) = self.get(path).map(|entry| &entry.value) else { return Vec::new() };
        let steps = |page: &Values, name: &str| match page.get(name) {
            // The reader took them.
            Some(Value::Steps(steps)) => {
                steps.iter().filter_map(|step| serde_json::from_value(step.clone()).ok()).collect()
            }
            _ => Vec::new(),
        };
        let read = |page: &Values| PlainPage {
            matches: page.text("match").unwrap_or_default().to_owned(),
            steps: steps(page, "steps"),
            approve: steps(page, "approve"),
            deny: steps(page, "deny"),
        };
        pages.iter().map(read).collect()
    }

    /// How `[resource]` is called; `None` for a GET without anything.
    pub fn call(&self) -> Option<Call> {
        let text = |name: &str| self.text(&format!("resource.{name}"));
        let method = Method::from_bytes(text("method").unwrap_or("GET").as_bytes()).unwrap_or(Method::GET);
        let media_type = text("content_type").unwrap_or("application/json").to_owned();
        let body = text("body").map(|body| (body.to_owned(), media_type));
        (method != Method::GET || body.is_some()).then_some(Call { method, body })
    }

    /// `[[resource.route]]`.
    pub fn routes(&self) -> Vec<Route> {
        let Some(Value::Tables(routes)) = self.get("resource.route").map(|entry| &entry.value) else {
            return Vec::new();
        };
        let owned = |route: &Values, name: &str| route.text(name).map(str::to_owned);
        let read = |route: &Values| Route {
            method: owned(route, "method").unwrap_or_else(|| "GET".into()),
            path: owned(route, "path").unwrap_or_default(),
            scope: owned(route, "scope").unwrap_or_default(),
            body: owned(route, "body"),
            content_type: owned(route, "content_type"),
        };
        routes.iter().map(read).collect()
    }

    /// `[[waive]]`.
    ///
    /// # Errors
    /// For the first that `complaint` has something to say of: what is wrong with the name of its check, and what to do.
    pub fn waivers(&self, complaint: impl Fn(&str) -> Option<(String, String)>) -> Result<Vec<Waiver>, Problem> {
        let Some(Value::Tables(tables)) = self.get("waive").map(|entry| &entry.value) else { return Ok(Vec::new()) };
        let waiver = |table: &Values| {
            let owned = |name: &str| table.text(name).map(str::to_owned);
            let check = owned("check").unwrap_or_default();
            let entry = table.0.get("check");
            if let (Some(entry), Some((what, hint))) = (entry, complaint(&check)) {
                let mistake = Mistake::new(what, entry.at.clone()).hint(hint);
                return Err(mistake.in_file(&self.file.display().to_string(), &self.text, HELP));
            }
            Ok(Waiver {
                check,
                reason: owned("reason").unwrap_or_default(),
                until: table.text("until").and_then(|until| day(until).ok()),
                target: owned("target"),
                owner: owned("owner"),
                place: format!("{}:{}", self.file.display(), entry.map_or(0, |entry| entry.line)),
            })
        };
        tables.iter().map(waiver).collect()
    }
}

impl Values {
    fn enter(&mut self, name: &str, entry: Entry) {
        self.0.insert(name.to_owned(), entry);
    }

    fn nest(&mut self, name: &str, inner: Self) {
        self.0.extend(inner.0.into_iter().map(|(path, entry)| (format!("{name}.{path}"), entry)));
    }

    /// Text under a name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.0.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What stands under a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|entry| &entry.value)
    }
}

#[cfg(test)]
mod tests;
