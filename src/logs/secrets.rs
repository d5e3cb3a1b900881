//! The secrets of a run in a file of their own, so that the logs can be searched for them later and elsewhere.
//!
//! The one file of this program that holds secrets: made only on demand, readable by its owner alone, and so before the
//! first byte is in it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::oauth::secret::Secret;
use crate::wire::KnownSecret;

/// What the file says it is.
const FORMAT: &str = "oaudit secrets of a run";

/// A file that is open to take the secrets of a run.
#[derive(Debug)]
pub struct SecretsFile {
    path: PathBuf,
    file: File,
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
    /// Makes the file, empty, for its owner alone. One that is there already is emptied.
    ///
    /// # Errors
    /// It cannot be made, or not be kept from others.
    pub fn make(path: &Path) -> Result<Self, SecretsFileError> {
        let made = open(path).and_then(|file| close_to_others(&file).map(|()| file));
        let file = made.map_err(|error| SecretsFileError::Make(path.to_owned(), error))?;
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
        let text = serde_json::to_string(&written).map_err(io::Error::from);
        text.and_then(|text| {
            io::Seek::rewind(&mut self.file)?;
            self.file.set_len(0)?;
            self.file.write_all(text.as_bytes())?;
            self.file.sync_all()
        })
        .map_err(|error| SecretsFileError::Write(self.path.clone(), error))
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Wanted, SecretsFileError> {
        let text = std::fs::read(path).map_err(|error| SecretsFileError::Read(path.to_owned(), error))?;
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

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// A file that was there before keeps its mode when it is opened.
#[cfg(unix)]
fn close_to_others(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

/// Elsewhere the folder decides who may read.
#[cfg(not(unix))]
fn close_to_others(_: &File) -> io::Result<()> {
    Ok(())
}
