//! Files that hold secrets or what is near them: a session, the secrets of a run, the pages of a login. Readable by their
//! owner alone before the first byte is in them, and never somebody else's file.
//!
//! What is written goes into a new file beside the one that is named, and takes its name when it is complete. So whoever
//! has opened a former file of that name reads nothing new, a link leads nowhere, and half a file is never seen.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rand::RngExt as _;

/// A file that is to be written.
#[derive(Debug)]
pub(crate) struct PrivateFile {
    path: PathBuf,
    /// The new file, until it has its name.
    made: Option<(PathBuf, File)>,
}

impl PrivateFile {
    /// Makes a new, empty file beside the one that is named: what cannot be kept must not be made.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        if let Ok(there) = fs::symlink_metadata(path)
            && !there.is_file()
        {
            let what = if there.is_symlink() { "it is a symbolic link" } else { "it is no ordinary file" };
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{what}; name a file of its own")));
        }
        Ok(Self { path: path.to_owned(), made: Some(create_beside(path)?) })
    }

    /// Writes it, in place of what was there.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (made, mut file) = match self.made.take() {
            Some(made) => made,
            None => create_beside(&self.path)?,
        };
        let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&made, &self.path));
        if written.is_err() {
            // The error is what counts.
            let _ = fs::remove_file(&made);
        }
        written
    }
}

impl Drop for PrivateFile {
    /// What was not written was not needed.
    fn drop(&mut self) {
        if let Some((made, _)) = self.made.take() {
            let _ = fs::remove_file(made);
        }
    }
}

fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this names no file"));
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{:016x}", rand::rng().random::<u64>()));
    let made = path.with_file_name(beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&made)?;
    Ok((made, file))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_owner_reads_it_whatever_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let mut opened_before = File::open(&path).unwrap();
        let mut file = PrivateFile::make(&path).unwrap();
        for made in names(folder.path()).iter().filter(|name| name.starts_with('.')) {
            let mode = fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "before anything is in it");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "old", "until there is something new");
        for text in ["a secret", "another"] {
            file.write(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(io::read_to_string(&mut opened_before).unwrap(), "old", "whoever had it open reads nothing new");
        assert_eq!(names(folder.path()), ["session.json"]);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("secrets"), folder.path().join("elsewhere"));
        symlink(&elsewhere, &path).unwrap();
        assert!(PrivateFile::make(&path).unwrap_err().to_string().contains("symbolic link"));
        fs::remove_file(&path).unwrap();
        let mut file = PrivateFile::make(&path).unwrap();
        // Somebody is quick, and puts a link there meanwhile.
        symlink(&elsewhere, &path).unwrap();
        file.write(b"a secret").unwrap();
        assert!(!elsewhere.exists() && fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn nothing_stays_of_what_was_not_written() {
        let folder = tempfile::tempdir().unwrap();
        drop(PrivateFile::make(&folder.path().join("session.json")).unwrap());
        assert!(names(folder.path()).is_empty());
        assert!(
            PrivateFile::make(folder.path()).is_err() && PrivateFile::make(Path::new("/no/such/folder/x")).is_err()
        );
    }
}
