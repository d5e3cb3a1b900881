//! What an agent saw and guessed on its way, kept in case that the sign-in fails. Nothing comes in unredacted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::private_file::PrivateFile;

/// Lines that are kept; a sign-in that takes more has gone round in circles.
const MOST_LINES: usize = 400;

/// Somebody who is told at once.
type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// The notes of one agent.
#[derive(Clone, Default)]
pub struct Diagnosis {
    lines: Arc<Mutex<Vec<String>>>,
    file: Option<PathBuf>,
    tell: Option<Listener>,
    /// Where it was written down, for the reader of the report.
    remark: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Diagnosis").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Diagnosis {
    /// Notes that go into a file if the sign-in fails, and to a listener as they are made.
    pub fn new(file: Option<PathBuf>, tell: Option<Listener>) -> Self {
        Self { file, tell, ..Self::default() }
    }

    /// Begins anew: what is told of a failure is the visit that failed.
    pub(super) fn begin(&self, what: &str) {
        self.lines.lock().expect("no panic while it is held").clear();
        self.note(what);
    }

    /// Keeps a line that was redacted.
    pub(super) fn note(&self, line: &str) {
        if let Some(tell) = &self.tell {
            tell(line);
        }
        let mut lines = self.lines.lock().expect("no panic while it is held");
        if lines.len() < MOST_LINES {
            lines.push(line.to_owned());
        }
    }

    /// Where further files of the diagnosis go: beside the file, if one is written.
    pub(super) fn beside(&self, extension: &str) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.with_extension(extension))
    }

    /// Writes down what led to a failure; the text tells where, or why it could not be written.
    pub(super) fn failed(&self, why: &str) -> Option<String> {
        self.note(&format!("failed: {why}"));
        let file = self.file.as_ref()?;
        let text = self.lines.lock().expect("no panic while it is held").join("\n") + "\n";
        Some(match write(file, text.as_bytes()) {
            Ok(()) => format!("see {}", file.display()),
            Err(error) => format!("{} could not be written: {error}", file.display()),
        })
    }
}

impl Diagnosis {
    /// Has the reader of the report told of it; the last one counts, as in the file.
    pub(super) fn remark(&self, text: &str) {
        *self.remark.lock().expect("no panic while it is held") = Some(text.to_owned());
    }

    /// What the reader of the report is told.
    pub(super) fn remarks(&self) -> Vec<String> {
        self.remark.lock().expect("no panic while it is held").clone().into_iter().collect()
    }
}

/// Writes a file that only its owner can read: pages of a login may hold what nobody else should see.
pub(super) fn write(file: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    PrivateFile::make(file)?.write(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_visit_that_failed_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("login.txt");
        let diagnosis = Diagnosis::new(Some(file.clone()), None);
        diagnosis.begin("visit 1");
        diagnosis.begin("visit 2");
        diagnosis.note("page: Sign in");
        assert!(diagnosis.failed("nothing to press").unwrap().ends_with("login.txt"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "visit 2\npage: Sign in\nfailed: nothing to press\n");
        assert_eq!(Diagnosis::default().failed("x"), None);
    }
}
