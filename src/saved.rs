//! The documents of discovery in a folder: `discover --save` writes them, `audit --offline` reads them back and asks
//! nobody. The names are those of the well-known paths, so that a checked-in `.well-known` folder is one as well.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::discovery::{Fetched, Found, IssuerSource, kind};
use crate::wire::Vault;

mod locate;

use locate::{locate, others};

/// The metadata of the resource (RFC 9728).
pub const RESOURCE: &str = "oauth-protected-resource";
/// The metadata of the authorization server (RFC 8414).
pub const SERVER: &str = "oauth-authorization-server";
/// The same by OpenID Connect Discovery.
pub const OPENID: &str = "openid-configuration";
/// The key set.
pub const JWKS: &str = "jwks";
/// What was asked for when the documents were saved: no document can say that of itself.
pub const DISCOVERED: &str = "discovered";

/// What is said of every check that documents are not enough for.
pub const NEEDS_A_SERVER: &str = "it needs a running server";

/// A document as it lies in the folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its path within the folder.
    pub file: String,
    /// Its JSON: an object.
    pub json: Value,
}

/// The documents of a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Saved {
    /// The folder.
    pub folder: PathBuf,
    /// The metadata of the resource.
    pub resource: Option<Document>,
    /// The metadata of the authorization server, by RFC 8414.
    pub server: Option<Document>,
    /// The metadata of the authorization server, by OpenID.
    pub openid: Option<Document>,
    /// The key set.
    pub jwks: Option<Document>,
    /// The URL of the resource that was asked for when they were saved.
    pub asked_resource: Option<String>,
    /// The issuer that a person named when they were saved.
    pub asked_issuer: Option<String>,
    /// JSON files that nobody looks at, and somebody may have meant.
    pub others: Vec<String>,
}

/// Why there are no documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// There is no such folder.
    #[error("{0} is no folder")]
    NoFolder(String),
    /// It cannot be read or written.
    #[error("{0}")]
    Unreadable(String),
    /// There is nothing in it.
    #[error("{folder} holds no document: {RESOURCE}.json, {SERVER}.json, {OPENID}.json or {JWKS}.json{}",
        .others.first().map(|other| format!("; {other} is none of them")).unwrap_or_default())]
    Nothing {
        /// The folder.
        folder: String,
        /// The files that may have been meant.
        others: Vec<String>,
    },
    /// A file is not JSON.
    #[error("{file}:{line}:{column}: {what}")]
    Broken {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// It is JSON, and no document.
    #[error("{file} is {kind}; a document is a JSON object")]
    NotAnObject {
        /// The file.
        file: String,
        /// What it is.
        kind: &'static str,
    },
    /// A tree holds several of a kind.
    #[error("{folder} holds several documents of the name {name}: {}", .files.join(", "))]
    Several {
        /// The folder.
        folder: String,
        /// The name.
        name: &'static str,
        /// The files.
        files: Vec<String>,
    },
}

impl SavedError {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoFolder(_) => "`oaudit discover URL --save DIR` makes one from a server that runs",
            Self::Unreadable(_) => "check who may read it",
            Self::Nothing { .. } => {
                "name the files like the well-known paths, or give the folder that holds .well-known; `oaudit discover \
                 URL --save DIR` writes them"
            }
            Self::Broken { .. } => "mend the JSON; nothing was judged",
            Self::NotAnObject { .. } => "save the document itself, as the server answers it",
            Self::Several { .. } => "TARGET and --issuer say by their paths which one is meant",
        }
    }
}

impl Saved {
    /// Reads a folder. Where a tree holds several documents of a kind, the paths of these URLs say which one is meant.
    ///
    /// # Errors
    /// No folder, no document in it, or one that is no JSON object.
    pub fn read(folder: &Path, resource: Option<&str>, issuer: Option<&str>) -> Result<Self, SavedError> {
        if !folder.is_dir() {
            return Err(SavedError::NoFolder(folder.display().to_string()));
        }
        let take = |name: &'static str, url: Option<&str>| {
            locate(folder, name, url)?.map(|file| document(folder, &file)).transpose()
        };
        let asked = take(DISCOVERED, None)?;
        let text = |member: &str| Some(asked.as_ref()?.json.get(member)?.as_str()?.to_owned());
        let (asked_resource, asked_issuer) = (text("resource"), text("issuer"));
        let mut saved = Self {
            folder: folder.to_owned(),
            resource: take(RESOURCE, resource.or(asked_resource.as_deref()))?,
            asked_resource,
            asked_issuer,
            ..Self::default()
        };
        let named = saved.issuer_of_resource().map(str::to_owned);
        let issuer = issuer.or(saved.asked_issuer.as_deref()).or(named.as_deref()).map(str::to_owned);
        saved.server = take(SERVER, issuer.as_deref())?;
        saved.openid = take(OPENID, issuer.as_deref())?;
        saved.jwks = match take(JWKS, None)? {
            Some(keys) => Some(keys),
            None => saved.keys_by_their_path()?,
        };
        let known: Vec<String> = saved.documents().map(|document| document.file.clone()).collect();
        let nothing = known.is_empty();
        let known: Vec<String> = known.into_iter().chain(asked.map(|asked| asked.file)).collect();
        saved.others = others(folder, &known);
        match nothing {
            true => Err(SavedError::Nothing { folder: folder.display().to_string(), others: saved.others }),
            false => Ok(saved),
        }
    }

    /// The documents that are there.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        [&self.resource, &self.server, &self.openid, &self.jwks].into_iter().flatten()
    }

    /// The metadata of the authorization server that a client reads: that of RFC 8414 first.
    pub fn metadata(&self) -> Option<&Document> {
        self.server.as_ref().or(self.openid.as_ref())
    }

    /// The first issuer that the resource lists.
    pub fn issuer_of_resource(&self) -> Option<&str> {
        self.resource.as_ref()?.json.get("authorization_servers")?.get(0)?.as_str()
    }

    /// A tree that mirrors a server has the keys where `jwks_uri` says.
    fn keys_by_their_path(&self) -> Result<Option<Document>, SavedError> {
        let address = self.metadata().and_then(|metadata| metadata.json.get("jwks_uri")?.as_str().map(str::to_owned));
        let path =
            address.and_then(|address| Some(url::Url::parse(&address).ok()?.path().trim_matches('/').to_owned()));
        let path = path.filter(|path| !path.is_empty());
        let file = path.into_iter().flat_map(|path| [format!("{path}.json"), path]);
        let file = file.map(PathBuf::from).find(|file| self.folder.join(file).is_file());
        file.map(|file| document(&self.folder, &file)).transpose()
    }
}

fn document(folder: &Path, file: &Path) -> Result<Document, SavedError> {
    let path = folder.join(file);
    let shown = path.display().to_string();
    let bytes =
        std::fs::read(&path).map_err(|error| SavedError::Unreadable(format!("{shown} cannot be read: {error}")))?;
    let json: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default().to_owned();
        // An empty file has its first mistake before its first line.
        SavedError::Broken { file: shown.clone(), line: error.line().max(1), column: error.column().max(1), what }
    })?;
    match json.is_object() {
        true => Ok(Document { file: file.display().to_string(), json }),
        false => Err(SavedError::NotAnObject { file: shown, kind: kind(&json) }),
    }
}

/// Writes what was found into a folder, without what the vault knows, and takes away what an earlier run has left there
/// under the same names.
///
/// # Errors
/// The folder cannot be written to.
pub fn write(folder: &Path, found: &Found, vault: &Vault) -> Result<Vec<String>, SavedError> {
    let failed = |path: &Path, error: std::io::Error| {
        SavedError::Unreadable(format!("{} cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let resource = found.resource.as_ref();
    let server = found.server.as_ref().ok();
    let tried = |openid: bool| {
        let answered = server?.tried.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        answered.filter(|fetched| fetched.is_document()).find(|fetched| fetched.url.contains(OPENID) == openid)
    };
    let json = |fetched: Option<&Fetched>| fetched.filter(|f| f.is_document()).and_then(|f| f.json.clone());
    let asked_issuer = server.filter(|server| server.source == IssuerSource::Named).map(|server| &server.issuer);
    let mut asked = serde_json::Map::new();
    asked.extend(resource.map(|resource| ("resource".to_owned(), json!(resource.url))));
    asked.extend(asked_issuer.map(|issuer| ("issuer".to_owned(), json!(issuer))));
    let files = [
        (RESOURCE, json(resource.and_then(|r| r.metadata.as_ref()).map(|(metadata, _)| &metadata.fetched))),
        (SERVER, json(tried(false))),
        (OPENID, json(tried(true))),
        (JWKS, json(server.and_then(|server| server.jwks.as_ref()?.as_ref().ok()))),
        (DISCOVERED, Some(Value::Object(asked))),
    ];
    let mut written = Vec::new();
    for (name, json) in files {
        let path = folder.join(format!("{name}.json"));
        match json {
            Some(json) => {
                std::fs::write(&path, &*vault.redact(&format!("{json:#}\n"))).map_err(|error| failed(&path, error))?;
                written.push(path.display().to_string());
            }
            None if path.is_file() => std::fs::remove_file(&path).map_err(|error| failed(&path, error))?,
            None => {}
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
