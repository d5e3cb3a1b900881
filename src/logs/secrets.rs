//! The secrets of a run in a file of their own, so that the logs can be searched for them later and elsewhere.
//!
//! Made only on demand, and readable by its owner alone.

use std::io;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::oauth::secret::Secret;
use crate::private_file::PrivateFile;
use crate::wire::KnownSecret;

/// What the file says it is.
const FORMAT: &str = "oaudit secrets of a run";

/// A file that is open to take the secrets of a run.
#[derive(Debug)]
pub struct SecretsFile {
    path: PathBuf,
    file: PrivateFile,
}

/// Why a file of secrets could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum SecretsFileError {
    /// It could not be made, and so nothing was written.
    #[error("{path} cannot be made: {source}", path = .0.display(), source = .1)]
    Make(PathBuf, #[source] io::Error),
    /// It was made, and could not be written.
    #[error("the secrets of the run could not be written to {path}: {source}", path = .0.display(), source = .1)]
    Write(PathBuf, #[source] io::Error),
    /// It could not be read.
    #[error("{path} cannot be read: {source}", path = .0.display(), source = .1)]
    Read(PathBuf, #[source] io::Error),
    /// It is something else.
    #[error("{path} is not what `audit --vault-out` writes", path = .0.display())]
    NotSecrets(PathBuf),
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: String,
    version: u32,
    secrets: Vec<One>,
}

#[derive(Serialize, Deserialize)]
struct One {
    kind: String,
    label: String,
    value: String,
    #[serde(default)]
    sent_in_url: bool,
}

impl SecretsFile {
    /// Makes the file, empty, for its owner alone. One that is there already stays until there is something to write.
    ///
    /// # Errors
    /// It cannot be made, or its name leads elsewhere.
    pub fn make(path: &Path) -> Result<Self, SecretsFileError> {
        let file = PrivateFile::make(path).map_err(|error| SecretsFileError::Make(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes what is known of a run, in place of what was written before.
    ///
    /// # Errors
    /// The disk is full, or gone.
    pub fn write(&mut self, known: &Wanted) -> Result<(), SecretsFileError> {
        let secrets = known.secrets.iter().map(|secret| One {
            kind: secret.kind.clone(),
            label: secret.label.clone(),
            value: secret.value.expose().to_owned(),
            sent_in_url: known.sent_in_urls.contains(&secret.label),
        });
        let written = Written { format: FORMAT.into(), version: 1, secrets: secrets.collect() };
        let text = serde_json::to_string(&written).map(Zeroizing::new).map_err(io::Error::from);
        text.and_then(|text| self.file.write(text.as_bytes()))
            .map_err(|error| SecretsFileError::Write(self.path.clone(), error))
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Wanted, SecretsFileError> {
        let text = std::fs::read(path).map_err(|error| SecretsFileError::Read(path.to_owned(), error))?;
        let text = Zeroizing::new(text);
        let written: Option<Written> = serde_json::from_slice(&text).ok();
        let Some(written) = written.filter(|w| w.format == FORMAT && w.version == 1) else {
            return Err(SecretsFileError::NotSecrets(path.to_owned()));
        };
        let mut known = Wanted::default();
        for one in written.secrets {
            if one.sent_in_url {
                known.sent_in_urls.insert(one.label.clone());
            }
            known.secrets.push(KnownSecret { kind: one.kind, label: one.label, value: Secret::new(one.value) });
        }
        Ok(known)
    }
}
