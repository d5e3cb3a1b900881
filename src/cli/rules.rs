//! `--checks`: rules of the user's own, beside the built-in checks.

use std::path::PathBuf;

use clap::Args;

use super::Complaint;
use crate::check::AnyCheck;
use crate::checks;
use crate::rule::load_all;

/// Rules beside the built-in checks.
pub(super) type Further = Vec<&'static dyn AnyCheck>;

/// Whose rules.
#[derive(Debug, Clone, Args)]
pub(super) struct RulesArgs {
    /// Add the look-only rules of this folder: every .toml file in it. Repeatable.
    #[arg(long = "checks", value_name = "DIR")]
    folders: Vec<PathBuf>,
}

impl RulesArgs {
    /// The user's rules; their examples have been run.
    pub(super) fn load(&self) -> Result<Further, Complaint> {
        if self.folders.is_empty() {
            return Ok(Vec::new());
        }
        load_all(&self.folders, checks::ALL).map_err(|error| Complaint::usage(error.to_string(), error.hint()))
    }

    /// Every check there is: the built-in ones, then the user's.
    pub(super) fn catalogue(&self) -> Result<Vec<&'static dyn AnyCheck>, Complaint> {
        Ok(checks::ALL.iter().copied().chain(self.load()?).collect())
    }
}
