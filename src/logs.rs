//! Looks for secrets in log files: the exact ones of a run, and values that have the shape of a token. Says where they
//! stand and of what kind they are, never what they are.
//!
//! One pass over each file, whatever its size and the length of its lines, in a window of about a mebibyte.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use serde::Serialize;

use crate::wire::KnownSecret;

mod files;
mod searcher;
mod secrets;
mod shape;
mod window;

pub use secrets::{SecretsFile, SecretsFileError};

use files::{Opened, Skip};
use searcher::Searcher;

/// Findings of one file that are kept one by one; the rest is counted.
const KEPT: usize = 200;

/// What to look for beside the shapes of tokens.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The secrets of a run.
    pub secrets: Vec<KnownSecret>,
    /// Labels of those that the audit itself put into addresses, to see what the server makes of them: an access log
    /// that holds them is no fault of the server.
    pub sent_in_urls: HashSet<String>,
}

/// A secret, or what looks like one, at its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// What it is: `access_token`, `jwt`, `bearer token`.
    pub kind: String,
    /// How the report of the run calls it, if it is one of that run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The audit itself put it into an address.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sent_in_url: bool,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileLine {
    /// The file.
    pub path: String,
    /// How it is written, where that is not plain text: `gzip`, `utf-16`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<&'static str>,
    /// Bytes of text in it.
    pub bytes: u64,
    /// Secrets in it.
    pub found: u64,
    /// Whether it was written to since a given time.
    #[serde(skip)]
    pub changed: Option<std::time::SystemTime>,
    /// Whether the name of this program stands in it, as it does where requests are logged with their `User-Agent`.
    #[serde(skip)]
    pub names_us: bool,
}

/// A file that was not read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The file.
    pub path: String,
    /// Why.
    pub why: String,
}

/// Everything that a scan found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// The secrets, by file and line.
    pub findings: Vec<Finding>,
    /// How many more there are in files that are full of them.
    pub more: u64,
    /// The files that were read.
    pub files: Vec<FileLine>,
    /// What is no log: binary files, devices.
    pub skipped: Vec<Unread>,
    /// What could not be read.
    pub unreadable: Vec<Unread>,
}

impl Scan {
    /// Whether anything was found that counts: not what the audit itself put into addresses.
    pub fn found(&self) -> bool {
        self.more > 0 || self.findings.iter().any(|f| !f.sent_in_url)
    }

    /// Bytes of text that were read.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }
}

/// Reads every file under these paths.
pub fn scan(paths: &[PathBuf], wanted: &Wanted) -> Scan {
    let searcher = Searcher::new(wanted);
    let mut scan = Scan::default();
    for path in files::under(paths, &mut scan) {
        scan_file(&path, &searcher, &mut scan);
    }
    scan
}

fn scan_file(file: &files::Listed, searcher: &Searcher, scan: &mut Scan) {
    let path = file.path.display().to_string();
    let Opened { reader, form, changed } = match files::open(file) {
        Ok(opened) => opened,
        Err(Skip::NoLog(why)) => return scan.skipped.push(Unread { path, why: why.into() }),
        Err(Skip::Unreadable(error)) => return scan.unreadable.push(Unread { path, why: error.to_string() }),
    };
    let mut seen = BTreeSet::new();
    let mut line = FileLine { path: path.clone(), form, bytes: 0, found: 0, changed, names_us: false };
    let mut more = 0;
    let mut last = None;
    let read = window::scan(reader, searcher, |hit| {
        if hit.what == searcher::What::OurName {
            line.names_us = true;
            return;
        }
        let (kind, label, sent_in_url) = searcher.describe(hit.what);
        // The same secret twice in one line is one line to look at.
        let key = (hit.line, hit.what);
        if last.replace(key) == Some(key) {
            return;
        }
        line.found += 1;
        if seen.len() < KEPT {
            let (kind, label) = (kind.to_owned(), label.map(str::to_owned));
            seen.insert(Finding { path: path.clone(), line: hit.line, kind, label, sent_in_url });
        } else if !sent_in_url {
            more += 1;
        }
    });
    let (bytes, error) = read;
    line.bytes = bytes;
    if let Some(error) = error {
        scan.unreadable.push(Unread { path, why: format!("it could be read only in part: {error}") });
    }
    scan.findings.extend(seen);
    scan.more += more;
    scan.files.push(line);
}

#[cfg(test)]
mod tests;
