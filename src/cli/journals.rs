//! Where journals are, and what earlier runs left in them.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output;
use crate::wire::holdings::Holding;
use crate::wire::journal::{Found, find, folder_of_user};

/// Where the journals are.
#[derive(Debug, Clone, Args)]
pub(super) struct JournalFolder {
    /// The folder of the journals, by which `oaudit cleanup` finishes after a run that was killed; by default
    /// $XDG_STATE_HOME/oaudit or ~/.local/state/oaudit.
    #[arg(long, value_name = "DIR", env = "OAUDIT_JOURNAL_DIR")]
    journal_dir: Option<PathBuf>,
}

impl JournalFolder {
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.journal_dir.clone().filter(|path| !path.as_os_str().is_empty()).or_else(folder_of_user)
    }
}

/// Whether a run keeps a journal.
#[derive(Debug, Clone, Args)]
pub(super) struct JournalArgs {
    #[command(flatten)]
    folder: JournalFolder,
    /// Keep no journal: what a run that is killed leaves at the server is there for good. A journal holds live tokens,
    /// readable by its owner alone, until the run has cleaned up.
    #[arg(long, conflicts_with = "journal_dir")]
    no_journal: bool,
}

impl JournalArgs {
    /// The folder that takes the journal. What earlier runs left there is told to a person.
    pub(super) fn folder(&self, quiet: bool) -> Option<PathBuf> {
        if self.no_journal {
            return None;
        }
        let folder = self.folder.path();
        match &folder {
            _ if quiet => {}
            Some(folder) => left(folder).iter().for_each(|line| output::prose(line)),
            None => output::prose("there is no home folder for a journal; --journal-dir DIR names another place"),
        }
        folder
    }
}

/// What runs left that are over.
fn left(folder: &Path) -> Option<String> {
    let found = find(folder, None).ok()?;
    let (mut runs, mut clients, mut grants) = (0, 0, 0);
    for one in &found {
        let Found::Left(_, entries) = one else { continue };
        runs += 1;
        clients += entries.values().filter(|held| matches!(held, Holding::Client(_))).count();
        grants += entries.values().filter(|held| matches!(held, Holding::Grant(_))).count();
    }
    (runs > 0).then(|| {
        let run = if runs == 1 { "an earlier run".to_owned() } else { format!("{runs} earlier runs") };
        format!("{run} left {} behind; `oaudit cleanup` deletes what can be deleted", counted(clients, grants))
    })
}

/// `2 clients and 3 grants`.
fn counted(clients: usize, grants: usize) -> String {
    let number = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (clients, grants) {
        (0, 0) => "nothing".to_owned(),
        (clients, 0) => number(clients, "client"),
        (0, grants) => number(grants, "grant"),
        (clients, grants) => format!("{} and {}", number(clients, "client"), number(grants, "grant")),
    }
}
