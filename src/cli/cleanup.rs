//! `oaudit cleanup`: deletes at the server what a run left there.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::journals::JournalFolder;
use super::layers::ConfigArgs;
use super::wire::WireArgs;
use super::{Common, Complaint, Exit, output};
use crate::cleanup::{Attempt, clean};
use crate::report::plain::plain;
use crate::wire::Wire;
use crate::wire::journal::{Found, find};

/// What can be said to `cleanup`.
#[derive(Debug, Args)]
pub(super) struct CleanupArgs {
    /// The JSON report of the run; without it, every run that is over. - is standard input.
    #[arg(value_name = "REPORT.json")]
    report: Option<PathBuf>,
    /// Send nothing: delete the journals, and leave what is at the server.
    #[arg(long)]
    forget: bool,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
    #[command(flatten)]
    journals: JournalFolder,
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

/// What became of the runs.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    runs: Vec<OfRun>,
    /// What is no matter of a run.
    remarks: Vec<String>,
    exit_code: u8,
}

#[derive(Debug, Default, Serialize)]
struct OfRun {
    run: String,
    started_at: String,
    targets: Vec<String>,
    deleted: Vec<String>,
    left: Vec<String>,
}

impl CleanupArgs {
    pub(super) async fn run(self) -> Exit {
        let streams = self.common.streams();
        let machine = self.format == "json";
        let outcome = match self.outcome().await {
            Ok(outcome) => outcome,
            Err(complaint) => return streams.complain(&complaint, machine),
        };
        let text = if machine { json(&outcome) } else { lines(&outcome) };
        let exit = Exit(outcome.exit_code);
        output::report(&text).map_or_else(|complaint| streams.complain(&complaint, machine), |()| exit)
    }

    async fn outcome(&self) -> Result<Outcome, Complaint> {
        let mut outcome = Outcome::default();
        let run = match &self.report {
            Some(path) => {
                let report = super::report::load(path)?;
                if report.journal.is_none() {
                    outcome.without_journal(&report.left_behind);
                    return Ok(outcome);
                }
                report.journal
            }
            None => None,
        };
        let Some(folder) = self.journals.path() else {
            let hint = "--journal-dir DIR names the folder that the run kept its journal in";
            return Err(Complaint::usage("there is no home folder to look for journals in", hint));
        };
        let found = find(&folder, run.as_deref()).map_err(|error| {
            Complaint::usage(format!("{} cannot be read: {error}", folder.display()), "see --journal-dir")
        })?;
        if found.is_empty() {
            outcome.remarks.push(match &run {
                Some(run) => format!(
                    "nothing to do: there is no journal {run} in {}; it was cleaned up already, or the run was made on \
                     another machine or with another --journal-dir",
                    folder.display()
                ),
                None => format!("nothing to do: no run left anything behind (no journals in {})", folder.display()),
            });
        }
        for one in found {
            self.one(one, &mut outcome).await?;
        }
        Ok(outcome)
    }

    async fn one(&self, found: Found, outcome: &mut Outcome) -> Result<(), Complaint> {
        let (journal, entries) = match found {
            Found::Left(journal, entries) => (journal, entries),
            Found::InUse(path) => {
                outcome.remarks.push(format!("left alone: the run of {} goes on", path.display()));
                return Ok(());
            }
            Found::Unreadable(path, why) => {
                outcome.remarks.push(format!("{} cannot be used: {why}; delete it if it is of no use", path.display()));
                outcome.exit_code = Exit::FAILED.0;
                return Ok(());
            }
        };
        let header = journal.header().clone();
        let path = journal.path().display().to_string();
        let gone = |error: std::io::Error| {
            Complaint::ours(format!("{path} could not be deleted: {error}"), "delete it: it holds tokens")
        };
        let mut of_run =
            OfRun { run: header.run, started_at: header.started_at, targets: header.named, ..OfRun::default() };
        if self.forget {
            let stays = entries.len();
            journal.remove().map_err(gone)?;
            of_run.left.push(format!("{stays} things at the server, forgotten"));
            outcome.runs.push(of_run);
            return Ok(());
        }
        let mut options = self.wire.options()?;
        for url in &of_run.targets {
            options.guard = options.guard.naming(url);
        }
        let wire = Wire::open(options)
            .map_err(|trouble| Complaint::usage(trouble.to_string(), "see --ca, --client-cert and --proxy"))?;
        wire.holdings().resume(journal, entries);
        let cleaned = clean(&wire, None, Attempt::Further).await;
        let stays = wire.holdings().close().is_some();
        if let Some(why) = wire.holdings().failed() {
            return Err(Complaint::ours(why, "delete the journal by hand: it holds tokens"));
        }
        let hide = |lines: Vec<String>| lines.iter().map(|line| wire.vault().redact(line).into_owned()).collect();
        (of_run.deleted, of_run.left) = (hide(cleaned.done), hide(cleaned.left));
        if !of_run.left.is_empty() {
            outcome.exit_code = Exit::FAILED.0;
        }
        if stays {
            let hint = "`oaudit cleanup` tries again, `oaudit cleanup --forget` gives it up";
            outcome.remarks.retain(|remark| remark != hint);
            outcome.remarks.push(hint.to_owned());
        }
        outcome.runs.push(of_run);
        Ok(())
    }
}

impl Outcome {
    /// A report without a journal: all was cleaned, or it says itself what stays.
    fn without_journal(&mut self, left_behind: &[String]) {
        if left_behind.is_empty() {
            self.remarks.push("nothing to do: by the report, the run left nothing behind".into());
            return;
        }
        self.exit_code = Exit::FAILED.0;
        self.remarks
            .push("nothing more can be tried: the run kept no journal of these, or no attempt would help".into());
        self.remarks.extend(left_behind.iter().map(|what| format!("left: {what}")));
    }
}

fn lines(outcome: &Outcome) -> String {
    let mut lines = Vec::new();
    for run in &outcome.runs {
        lines.push(format!("the run of {} against {}", run.started_at, run.targets.join(", ")));
        lines.extend(run.deleted.iter().map(|what| format!("  {what}")));
        lines.extend(run.left.iter().map(|what| format!("  left: {what}")));
        if run.deleted.is_empty() && run.left.is_empty() {
            lines.push("  nothing was left at the server".into());
        }
    }
    lines.extend(outcome.remarks.iter().cloned());
    lines.iter().map(|line| format!("{}\n", plain(line))).collect()
}

fn json(outcome: &Outcome) -> String {
    format!("{}\n", serde_json::to_string_pretty(outcome).unwrap_or_default())
}
