//! `--baseline` and `--write-baseline`: what was known before, read before anything is sent, and written at the end.

use std::path::{Path, PathBuf};

use clap::Args;
use time::OffsetDateTime;

use super::output::{self, Streams};
use super::{Complaint, Exit};
use crate::discovery::Target;
use crate::report::Report;
use crate::waiver::baseline::{Baseline, Unusable};

/// What is said of baselines.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct BaselineArgs {
    /// Only what is new since this file was written fails the run; what it knows is shown as waived, with its age.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write what fails now to a file for --baseline. What is in the file already keeps the day on which it was first seen.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

/// Baselines that were read for a run.
#[derive(Debug, Default)]
pub(super) struct Known {
    target: String,
    /// That of `--baseline`.
    pub(super) given: Option<(String, Baseline)>,
    /// Where to write, and what is there.
    written: Option<(PathBuf, Option<Baseline>)>,
}

/// By what name baselines know a target: that of its resource, as reports do.
pub(super) fn name(target: &Target) -> String {
    target.resource.as_ref().or(target.typed.as_ref()).or(target.issuer.as_ref()).cloned().unwrap_or_default()
}

impl BaselineArgs {
    /// For a report that is there already.
    pub(super) fn to_write(path: Option<PathBuf>) -> Self {
        Self { baseline: None, write_baseline: path }
    }

    /// Reads what is there, before anything is sent.
    pub(super) fn load(&self, target: String) -> Result<Known, Complaint> {
        let read =
            |flag: &str, path: &Path| Baseline::load(path, &target).map_err(|error| complaint(flag, path, &error));
        let given = match &self.baseline {
            Some(path) => Some((path.display().to_string(), read("--baseline", path)?)),
            None => None,
        };
        let written = match &self.write_baseline {
            // What is no baseline is not overwritten.
            Some(path) if path.exists() => Some((path.clone(), Some(read("--write-baseline", path)?))),
            Some(path) => Some((path.clone(), None)),
            None => None,
        };
        Ok(Known { target, given, written })
    }
}

/// One clear error that names the flag.
fn complaint(flag: &str, path: &Path, error: &Unusable) -> Complaint {
    Complaint::usage(format!("{flag} {}: {error}", path.display()), error.hint())
}

impl Known {
    /// Writes the new baseline, if one is wanted.
    pub(super) fn write(&self, report: &Report, streams: Streams) -> Result<(), Complaint> {
        let Some((path, there)) = &self.written else { return Ok(()) };
        let shown = path.display();
        if report.stopped.is_some() {
            output::prose(&format!("{shown} was not written: an audit that stopped does not know what fails"));
            return Ok(());
        }
        let earlier: Vec<&Baseline> = there.iter().chain(self.given.iter().map(|(_, baseline)| baseline)).collect();
        let baseline = Baseline::of(report, &self.target, OffsetDateTime::now_utc().date(), &earlier);
        std::fs::write(path, baseline.text()).map_err(|error| {
            Complaint::ours(
                format!("the baseline could not be written to {shown}: {error}"),
                "check the path of --write-baseline",
            )
        })?;
        if !streams.quiet {
            let count = baseline.entries.len();
            let entries = if count == 1 { "entry" } else { "entries" };
            output::prose(&format!("{shown} is written, {count} {entries}; --baseline {shown} goes by it"));
        }
        Ok(())
    }

    /// The same for an exit code: that of the run, unless it could not be written.
    pub(super) fn write_or_complain(&self, report: &Report, streams: Streams, machine: bool, exit: Exit) -> Exit {
        self.write(report, streams).map_or_else(|complaint| streams.complain(&complaint, machine), |()| exit)
    }
}
