//! A signed-in session as a file: the cookies, in the form in which Playwright keeps its `storageState`, so that either
//! program can use what the other saved.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::oauth::secret::Secret;
use crate::private_file::PrivateFile;

/// The cookies of a session.
#[derive(Debug, Clone, Default)]
pub struct SavedSession {
    /// Every cookie.
    pub cookies: Vec<SavedCookie>,
}

/// One cookie.
#[derive(Clone)]
pub struct SavedCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
    /// The host; with a dot before it, every host below as well.
    pub domain: String,
    /// The path.
    pub path: String,
    /// When it ends, in seconds since 1970; `None` lives as long as the session.
    pub expires: Option<u64>,
    /// Hidden from scripts.
    pub http_only: bool,
    /// For encrypted connections alone.
    pub secure: bool,
    /// `Strict`, `Lax` or `None`.
    pub same_site: Option<String>,
}

impl std::fmt::Debug for SavedCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SavedCookie").field("name", &self.name).field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// Why a session could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    /// It could not be made, and so nothing was written.
    #[error("{path} cannot be made: {source}", path = .0.display(), source = .1)]
    Make(PathBuf, #[source] io::Error),
    /// It was made, and could not be written.
    #[error("the session could not be written to {path}: {source}", path = .0.display(), source = .1)]
    Write(PathBuf, #[source] io::Error),
    /// It could not be read.
    #[error("{path} cannot be read: {source}", path = .0.display(), source = .1)]
    Read(PathBuf, #[source] io::Error),
    /// It is something else.
    #[error("{path} holds no saved session: {why}", path = .0.display(), why = .1)]
    NotASession(PathBuf, String),
}

/// A cookie as the file and programs that sign in spell it. All but name, value and place may be left out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    name: String,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    /// In place of domain and path, as Playwright's `addCookies` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default = "root")]
    path: String,
    /// Seconds since 1970; -1 for as long as the session.
    #[serde(default = "never")]
    expires: f64,
    #[serde(default)]
    http_only: bool,
    #[serde(default)]
    secure: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_site: Option<String>,
}

fn root() -> String {
    "/".into()
}

fn never() -> f64 {
    -1.0
}

impl SavedCookie {
    /// Reads one; an error says which and what is wrong, and never shows a value.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let named = value.get("name").and_then(Value::as_str).unwrap_or("(unnamed)");
        let written: Written =
            serde_json::from_value(value.clone()).map_err(|_| format!("the cookie {named} lacks name or value"))?;
        let url = written.url.as_deref().and_then(|u| url::Url::parse(u).ok());
        let domain = written.domain.or_else(|| url.as_ref().and_then(|u| u.host_str()).map(str::to_owned));
        let Some(domain) = domain.filter(|d| !d.is_empty()) else {
            return Err(format!("the cookie {} names neither domain nor url", written.name));
        };
        Ok(Self {
            name: written.name,
            value: Secret::new(written.value),
            domain,
            path: written.path,
            // A float in the file; whole seconds are enough.
            expires: (written.expires >= 0.0).then_some(written.expires as u64),
            http_only: written.http_only,
            secure: written.secure,
            same_site: written.same_site,
        })
    }

    fn written(&self) -> Written {
        Written {
            name: self.name.clone(),
            value: self.value.expose().to_owned(),
            domain: Some(self.domain.clone()),
            url: None,
            path: self.path.clone(),
            expires: self.expires.map_or(-1.0, |seconds| seconds as f64),
            http_only: self.http_only,
            secure: self.secure,
            same_site: self.same_site.clone().or_else(|| Some("Lax".into())),
        }
    }

    /// Whether it is over.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.expires.is_some_and(|at| at <= now.as_secs())
    }
}

impl SavedSession {
    /// Reads a list of cookies, or an object that has one.
    ///
    /// # Errors
    /// In words, without any value.
    pub fn of(json: &Value) -> Result<Self, String> {
        let list = json.get("cookies").unwrap_or(json).as_array().ok_or("it has no list of cookies")?;
        let cookies = list.iter().map(SavedCookie::read).collect::<Result<Vec<_>, _>>()?;
        match cookies.is_empty() {
            true => Err("its list of cookies is empty".into()),
            false => Ok(Self { cookies }),
        }
    }

    /// Reads a file that `oaudit login --save` wrote, or a Playwright `storageState`.
    ///
    /// # Errors
    /// It cannot be read, is something else, or everything in it is over.
    pub fn load(path: &Path) -> Result<Self, SessionFileError> {
        let text = Zeroizing::new(std::fs::read(path).map_err(|e| SessionFileError::Read(path.to_owned(), e))?);
        let not = |why: String| SessionFileError::NotASession(path.to_owned(), why);
        let json: Value = serde_json::from_slice(&text).map_err(|_| not("it is not JSON".into()))?;
        let session = Self::of(&json).map_err(not)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match session.cookies.iter().all(|cookie| cookie.is_over(now)) {
            true => Err(not("every cookie in it has expired; sign in anew with `oaudit login --save`".into())),
            false => Ok(session),
        }
    }
}

/// A file that is open to take a session: made before anybody signs in, for its owner alone.
#[derive(Debug)]
pub struct SessionFile {
    path: PathBuf,
    file: PrivateFile,
}

impl SessionFile {
    /// Makes the file, empty. One that is there already keeps what it holds until it is written.
    ///
    /// # Errors
    /// It cannot be made, or its name leads elsewhere.
    pub fn make(path: &Path) -> Result<Self, SessionFileError> {
        let file = PrivateFile::make(path).map_err(|error| SessionFileError::Make(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes the session in place of what was there.
    ///
    /// # Errors
    /// The disk is full, or gone.
    pub fn write(&mut self, session: &SavedSession) -> Result<(), SessionFileError> {
        let cookies: Vec<Written> = session.cookies.iter().map(SavedCookie::written).collect();
        let state = serde_json::json!({ "cookies": cookies, "origins": [] });
        let text = serde_json::to_string_pretty(&state).map_err(io::Error::from);
        text.map(|text| Zeroizing::new(format!("{text}\n")))
            .and_then(|text| self.file.write(text.as_bytes()))
            .map_err(|error| SessionFileError::Write(self.path.clone(), error))
    }
}

#[cfg(test)]
mod tests;
