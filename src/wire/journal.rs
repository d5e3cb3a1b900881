//! The journal of a run on the disk: what the server keeps because of it, so that `oaudit cleanup` can finish after a run
//! that was killed.
//!
//! One file a run, one line an event, appended before anybody acts on what the line tells. It holds live tokens and what
//! deletes clients: made for its owner alone before the first byte is in it, and taken away when everything was cleaned.
//! The run holds a lock on the file as long as it lives; the system lets go of it however the run ends, so whoever gets
//! the lock knows that the run is over. A process number, which may belong to somebody else by now, is not asked.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rand::RngExt as _;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::holdings::Holding;

/// What the file says it is.
const FORMAT: &str = "oaudit journal of a run";
/// How its name ends. What is being made is called otherwise, and is nobody's business.
const ENDING: &str = ".journal";

/// What stands in the first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u32,
    /// The name of the run.
    pub run: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// The addresses that the user named: where requests may go to.
    pub named: Vec<String>,
    /// Where tokens can be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
}

impl Header {
    /// That of a run that begins now.
    pub(super) fn now(named: Vec<String>) -> Self {
        let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self {
            format: FORMAT.into(),
            version: 1,
            run: format!("{:016x}", rand::rng().random::<u64>()),
            started_at: now.format(&Rfc3339).unwrap_or_default(),
            named,
            revocation_endpoint: None,
        }
    }
}

/// An event: something is held, or no longer.
#[derive(Serialize, Deserialize)]
struct Line<H> {
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<H>,
}

/// A journal that is open and locked.
#[derive(Debug)]
pub struct Journal {
    header: Header,
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Makes the file and the folder, for their owner alone. The file gets its name when it is locked: nobody takes it
    /// for one that a run left behind.
    pub(super) fn begin(folder: &Path, header: Header) -> io::Result<Self> {
        make_folder(folder)?;
        let making = folder.join(format!(".{}.new", header.run));
        let path = folder.join(format!("{}{ENDING}", header.run));
        let mut file = create(&making)?;
        let named = lock(&file).and_then(|()| {
            file.write_all(&line(&header)?)?;
            fs::rename(&making, &path)
        });
        if let Err(error) = named {
            // It is empty, or holds no secret.
            let _ = fs::remove_file(&making);
            return Err(error);
        }
        Ok(Self { header, path, file })
    }

    /// Adds an event.
    pub(super) fn append(&mut self, number: u32, held: Option<&Holding>) -> io::Result<()> {
        let line = line(&Line { number, held })?;
        self.file.write_all(&line)
    }

    /// Takes the file away.
    pub(crate) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// What it says of its run.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A journal that was found.
#[derive(Debug)]
pub enum Found {
    /// Its run is over; it is locked by us now.
    Left(Journal, BTreeMap<u32, Holding>),
    /// Its run goes on, or somebody cleans up after it.
    InUse(PathBuf),
    /// Nothing can be done with it, and why.
    Unreadable(PathBuf, String),
}

/// The journals in a folder, of one run or of all. A folder that is not there has none.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn find(folder: &Path, run: Option<&str>) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(of) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
        // A link leads to what somebody else wrote.
        if entry.file_type()?.is_file() && run.is_none_or(|run| run == of) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths.into_iter().filter_map(open).collect())
}

fn open(path: PathBuf) -> Option<Found> {
    let file = match OpenOptions::new().read(true).append(true).open(&path) {
        Ok(file) => file,
        // Its run took it away meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Found::Unreadable(path, error.to_string())),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Some(Found::InUse(path)),
        Err(TryLockError::Error(error)) => {
            let why = format!("whether its run goes on cannot be told, for want of a lock: {error}");
            return Some(Found::Unreadable(path, why));
        }
    }
    // Between the opening and the lock its run may have ended, all clean.
    if !path.exists() {
        return None;
    }
    let mut text = String::new();
    let whole = |text: &str| text.rfind('\n').map_or(0, |end| end as u64 + 1);
    // What the end of the run cut off must not be gone on with.
    if let Err(error) = (&file).read_to_string(&mut text).and_then(|_| file.set_len(whole(&text))) {
        return Some(Found::Unreadable(path, error.to_string()));
    }
    Some(match read(&text) {
        Ok((header, entries)) => Found::Left(Journal { header, path, file }, entries),
        Err(why) => Found::Unreadable(path, why),
    })
}

/// Reads a journal. A last line that the end of the run cut off tells of nothing that was acted on.
fn read(text: &str) -> Result<(Header, BTreeMap<u32, Holding>), String> {
    let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let header: Option<Header> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let header = header
        .filter(|h| h.format == FORMAT && h.version == 1)
        .ok_or("it is not what this version of oaudit writes as a journal")?;
    let mut entries = BTreeMap::new();
    for line in lines {
        let line: Line<Holding> = serde_json::from_str(line).map_err(|_| "a line of it cannot be read".to_owned())?;
        match line.held {
            Some(held) => entries.insert(line.number, held),
            None => entries.remove(&line.number),
        };
    }
    Ok((header, entries))
}

fn line(value: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(serde_json::to_vec(value)?);
    line.push(b'\n');
    Ok(line)
}

/// A file system without locks is no reason to have no journal: nobody takes what cannot be locked for left behind.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The folder of this user: `XDG_STATE_HOME/oaudit`, else `~/.local/state/oaudit`; `%LOCALAPPDATA%\oaudit` on Windows.
/// `None` where there is no home.
pub fn folder_of_user() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(|path| path.join("oaudit"));
    }
    let state = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("oaudit"))
}

/// A secret as it stands in the journal, and nowhere else.
pub(super) mod secret {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::oauth::secret::Secret;

    pub(in crate::wire) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

/// The same, where there may be none.
pub(super) mod some_secret {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::oauth::secret::Secret;

    pub(in crate::wire) fn serialize<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(to)
    }

    pub(in crate::wire) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
        Option::<String>::deserialize(from).map(|secret| secret.map(Secret::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::Secret;
    use crate::wire::holdings::HeldClient;

    fn client(id: &str) -> Holding {
        Holding::Client(HeldClient {
            id: id.into(),
            uri: Some(format!("https://as.example/register/{id}")),
            token: Some(Secret::new("a token")),
        })
    }

    fn begun(folder: &Path) -> Journal {
        Journal::begin(folder, Header::now(vec!["https://api.example/".into()])).unwrap()
    }

    #[test]
    fn a_journal_is_in_use_until_its_run_ends_however() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state/oaudit");
        assert!(find(&folder, None).unwrap().is_empty(), "no folder, no journals");
        let mut journal = begun(&folder);
        let run = journal.header().run.clone();
        journal.append(1, Some(&client("a"))).unwrap();
        journal.append(2, Some(&client("b"))).unwrap();
        journal.append(1, None).unwrap();
        assert!(matches!(find(&folder, None).unwrap().as_slice(), [Found::InUse(_)]));
        // The write of the last line was cut off.
        journal.file.write_all(b"{\"number\":3,\"held\":{\"cli").unwrap();
        drop(journal);
        assert!(find(&folder, Some("other")).unwrap().is_empty());
        let found = find(&folder, Some(&run)).unwrap();
        let [Found::Left(journal, entries)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(entries.iter().collect::<Vec<_>>(), [(&2, &client("b"))]);
        assert_eq!(journal.header().named, ["https://api.example/"]);
        assert!(!format!("{found:?}").contains("a token"));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it_and_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("oaudit");
        let journal = begun(&folder);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(journal.path())), (0o700, 0o600));
        let elsewhere = home.path().join("elsewhere");
        fs::copy(journal.path(), &elsewhere).unwrap();
        journal.remove().unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.join("x.journal")).unwrap();
        assert!(find(&folder, None).unwrap().is_empty());
        let header = Header::now(Vec::new());
        std::os::unix::fs::symlink(&elsewhere, folder.join(format!(".{}.new", header.run))).unwrap();
        assert_eq!(Journal::begin(&folder, header).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn what_is_no_journal_is_said_and_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        for (text, why) in [("", "not what"), ("{}\n", "not what")] {
            fs::write(folder.path().join("x.journal"), text).unwrap();
            let found = find(folder.path(), None).unwrap();
            let [Found::Unreadable(path, said)] = found.as_slice() else { panic!("{found:?}") };
            assert!(said.contains(why) && path.exists(), "{said}");
        }
    }
}
