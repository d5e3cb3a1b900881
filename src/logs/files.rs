//! Which files there are under a path, and how each is opened: gzip and UTF-16 read as text, binary files left alone.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::read::MultiGzDecoder;

use super::{Scan, Unread};

/// Bytes at the beginning of a file that tell what it is.
const HEAD: u64 = 8 * 1024;

/// A file to be read.
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// The user named it, and did not merely name a folder that it is in: it is read whatever is in it.
    named: bool,
}

/// Why a file is not read.
pub(super) enum Skip {
    NoLog(&'static str),
    Unreadable(io::Error),
}

/// A file as text.
pub(super) struct Opened {
    pub(super) reader: Box<dyn Read>,
    pub(super) form: Vec<&'static str>,
    pub(super) changed: Option<SystemTime>,
}

/// Every file under the paths, each once, in the order of their names. `-` is standard input.
pub(super) fn under(paths: &[PathBuf], scan: &mut Scan) -> Vec<Listed> {
    let mut walk = Walk { seen: HashSet::new(), listed: Vec::new(), scan };
    for path in paths {
        walk.enter(path, true);
    }
    walk.listed
}

struct Walk<'a> {
    /// By their real paths: links are followed, as `current.log` wants to be, but nothing is read twice, and a folder
    /// that leads into itself comes to an end.
    seen: HashSet<PathBuf>,
    listed: Vec<Listed>,
    scan: &'a mut Scan,
}

impl Walk<'_> {
    fn enter(&mut self, path: &Path, named: bool) {
        if path == Path::new("-") {
            self.listed.push(Listed { path: path.to_owned(), named });
            return;
        }
        let unread = |why: String| Unread { path: path.display().to_string(), why };
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(_) if !named && path.is_symlink() => {
                return self.scan.skipped.push(unread("a link that leads nowhere".into()));
            }
            Err(error) => return self.scan.unreadable.push(unread(error.to_string())),
        };
        if !self.seen.insert(real) {
            return;
        }
        let kind = match fs::metadata(path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) => return self.scan.unreadable.push(unread(error.to_string())),
        };
        if kind.is_dir() {
            match fs::read_dir(path).and_then(|entries| entries.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>())
            {
                Ok(mut entries) => {
                    entries.sort();
                    entries.iter().for_each(|entry| self.enter(entry, false));
                }
                Err(error) => self.scan.unreadable.push(unread(error.to_string())),
            }
        } else if kind.is_file() || named {
            self.listed.push(Listed { path: path.to_owned(), named });
        } else {
            // Opening a pipe would wait for whoever writes to it.
            self.scan.skipped.push(unread("a pipe, socket or device".into()));
        }
    }
}

/// Opens a file as text.
pub(super) fn open(file: &Listed) -> Result<Opened, Skip> {
    let mut form = Vec::new();
    let (reader, changed): (Box<dyn Read>, _) = if file.path == Path::new("-") {
        (Box::new(io::stdin()), None)
    } else {
        let opened = File::open(&file.path).map_err(Skip::Unreadable)?;
        let changed = opened.metadata().and_then(|m| m.modified()).ok();
        (Box::new(opened), changed)
    };
    let (mut head, mut reader) = peek(reader).map_err(Skip::Unreadable)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        form.push("gzip");
        (head, reader) =
            peek(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, reader)))).map_err(Skip::Unreadable)?;
    }
    match head.get(..2) {
        Some([0xff, 0xfe]) => {
            form.push("utf-16");
            reader = Box::new(Utf16::new(reader, u16::from_le_bytes));
        }
        Some([0xfe, 0xff]) => {
            form.push("utf-16");
            reader = Box::new(Utf16::new(reader, u16::from_be_bytes));
        }
        _ if !file.named && head.contains(&0) => return Err(Skip::NoLog("a binary file")),
        _ => {}
    }
    Ok(Opened { reader, form, changed })
}

/// The beginning of a stream, and the whole of it.
fn peek(mut reader: Box<dyn Read>) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::new();
    (&mut reader).take(HEAD).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

/// UTF-16 as far as tokens need it: ASCII stays, everything else becomes a byte that is part of no token.
struct Utf16 {
    inner: Box<dyn Read>,
    unit: fn([u8; 2]) -> u16,
    raw: Vec<u8>,
    /// Half of a unit that the last read left over.
    odd: usize,
}

impl Utf16 {
    fn new(inner: Box<dyn Read>, unit: fn([u8; 2]) -> u16) -> Self {
        Self { inner, unit, raw: vec![0; 1 << 16], odd: 0 }
    }
}

impl Read for Utf16 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let wanted = self.raw.len().min(out.len() * 2).max(2);
            let read = self.inner.read(&mut self.raw[self.odd..wanted])?;
            let have = self.odd + read;
            let whole = have / 2;
            for (to, pair) in out.iter_mut().zip(self.raw[..have].chunks_exact(2)) {
                *to = u8::try_from((self.unit)([pair[0], pair[1]])).ok().filter(u8::is_ascii).unwrap_or(0xff);
            }
            self.odd = have % 2;
            if self.odd == 1 {
                self.raw[0] = self.raw[have - 1];
            }
            if whole > 0 || read == 0 {
                return Ok(whole);
            }
        }
    }
}
