//! A baseline: what failed when it was written, so that only what is new fails.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;
use time::macros::format_description;

use super::marks::{Mark, gravity, marks};
use super::{WaivedBy, WaiverLine, has_failed, same_target};
use crate::report::{CheckLine, Report, ResultKind, VerdictKind};

/// The version that is written.
pub const VERSION: u64 = 1;

/// Variants that are named in a message.
const NAMED: usize = 3;

/// What was known on a day. `schemas/baseline.json` describes the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// 1.
    pub schema_version: u64,
    /// The day of its writing.
    #[serde(with = "day")]
    pub created: Date,
    /// What was audited.
    pub target: String,
    /// What failed, in the order of the report.
    pub entries: Vec<Entry>,
}

/// One failure that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The id of the check.
    pub check: String,
    /// Which variant of it, where it tries several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// `fail`, `warn` or `note`.
    pub result: ResultKind,
    /// The day on which a baseline had it first.
    #[serde(with = "day")]
    pub first_seen: Date,
    /// By what it is known again.
    pub fingerprint: String,
}

/// Why a file is no baseline to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not there, or not readable.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Not JSON, or JSON of something else.
    #[error("this is no baseline of oaudit: {0}")]
    NoBaseline(String),
    /// Written by a later version.
    #[error("it has version {0} of the format, and this oaudit knows version {VERSION} alone")]
    Later(u64),
    /// What failed there says nothing here.
    #[error("it is the baseline of {of}, and this is an audit of {audited}")]
    OtherTarget {
        /// Its target.
        of: String,
        /// The target of this run.
        audited: String,
    },
}

impl Unusable {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "check the path; `oaudit audit … --write-baseline FILE` writes one",
            Self::NoBaseline(_) => {
                "name a file that `oaudit audit … --write-baseline FILE` wrote, or one that is not there yet to write"
            }
            Self::Later(_) => "use the version of oaudit that wrote it, or a newer one",
            Self::OtherTarget { .. } => "every target has a baseline of its own: name another file",
        }
    }
}

impl Baseline {
    /// Reads a file, for an audit of this target.
    ///
    /// # Errors
    /// If there is none of this target in it.
    pub fn load(path: &Path, audited: &str) -> Result<Self, Unusable> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => Unusable::NoBaseline("it is not text".into()),
            _ => Unusable::Unreadable(error.to_string()),
        })?;
        let baseline = Self::read(&text)?;
        match same_target(&baseline.target, audited) {
            true => Ok(baseline),
            false => Err(Unusable::OtherTarget { of: baseline.target, audited: audited.to_owned() }),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it is no baseline, or one of a later version.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        let value: Value = serde_json::from_str(text).map_err(|error| Unusable::NoBaseline(error.to_string()))?;
        let members = value.as_object().is_some_and(|members| members.contains_key("entries"));
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(later) if later > VERSION => return Err(Unusable::Later(later)),
            Some(VERSION) if members => {}
            Some(VERSION) => return Err(Unusable::NoBaseline("it has no entries".into())),
            _ => return Err(Unusable::NoBaseline("it has no schema_version".into())),
        }
        let baseline: Self = serde_json::from_value(value).map_err(|error| Unusable::NoBaseline(error.to_string()))?;
        match baseline.entries.iter().find(|entry| gravity(Some(entry.result)) == 0) {
            Some(entry) => Err(Unusable::NoBaseline(format!("an entry of {} has not failed", entry.check))),
            None => Ok(baseline),
        }
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a baseline holds nothing that JSON cannot say");
        text.push('\n');
        text
    }

    /// What fails in a report and is not waived by the configuration. What an earlier baseline had keeps its day, and stays
    /// where it could not be told this time.
    pub fn of(report: &Report, target: &str, today: Date, earlier: &[&Self]) -> Self {
        let known = |fingerprint: &str| {
            let entries = earlier.iter().flat_map(|baseline| &baseline.entries);
            entries.filter(|entry| entry.fingerprint == fingerprint).map(|entry| entry.first_seen).min()
        };
        let mut entries: Vec<Entry> = Vec::new();
        for line in &report.checks {
            let by_baseline = line.waiver.as_ref().is_some_and(|waiver| waiver.by == WaivedBy::Baseline);
            if !(has_failed(line) || by_baseline) {
                continue;
            }
            for mark in marks(line) {
                let Some(result) = mark.result else { continue };
                let first_seen = known(&mark.fingerprint).unwrap_or(today);
                let Mark { what, fingerprint, .. } = mark;
                entries.push(Entry { check: line.id.to_owned(), what, result, first_seen, fingerprint });
            }
        }
        for entry in earlier.iter().flat_map(|baseline| &baseline.entries) {
            let there = entries.iter().any(|e| e.fingerprint == entry.fingerprint);
            if !there && fate(entry, &report.checks) == Fate::Untold {
                entries.push(entry.clone());
            }
        }
        Self { schema_version: VERSION, created: today, target: target.to_owned(), entries }
    }

    /// Marks what is known among these lines, and says what is fixed.
    pub(super) fn meets(&self, lines: &mut [CheckLine], file: &str, today: Date) -> Vec<String> {
        let fixed: Vec<String> = self
            .entries
            .iter()
            .filter(|entry| fate(entry, lines) == Fate::Fixed)
            .map(|entry| match &entry.what {
                Some(what) => format!("{} ({what})", entry.check),
                None => entry.check.clone(),
            })
            .collect();
        for line in lines.iter_mut().filter(|line| has_failed(line)) {
            self.meet(line, file, today);
        }
        const SHOWN: usize = 10;
        let more = match fixed.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = fixed.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let hint = format!("--write-baseline {file} takes what is fixed out of it, so that it fails if it comes back");
        (!fixed.is_empty()).then(|| format!("fixed since the baseline: {shown}{more}; {hint}")).into_iter().collect()
    }

    /// Waives a line if everything that failed in it is known, and was as bad as now.
    fn meet(&self, line: &mut CheckLine, file: &str, today: Date) {
        let failed: Vec<Mark> = marks(line).into_iter().filter(|mark| mark.result.is_some()).collect();
        let entry = |mark: &Mark| {
            self.entries
                .iter()
                .find(|e| e.fingerprint == mark.fingerprint && gravity(Some(e.result)) >= gravity(mark.result))
        };
        let known: Vec<&Entry> = failed.iter().filter_map(entry).collect();
        let Some(first_seen) = known.iter().map(|entry| entry.first_seen).min() else { return };
        if known.len() < failed.len() {
            let new: Vec<&str> =
                failed.iter().filter(|m| entry(m).is_none()).map(|m| m.what.as_deref().unwrap_or(line.title)).collect();
            let more = match new.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named = new.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            line.message = format!("new since the baseline: {named}{more}; {}", line.message);
            return;
        }
        let age = (today - first_seen).whole_days().max(0);
        let days = if age == 1 { "day" } else { "days" };
        line.message = format!("known for {age} {days}, since {first_seen} ({file}): {}", line.message);
        line.result = ResultKind::Waived;
        line.waiver = Some(WaiverLine {
            by: WaivedBy::Baseline,
            reason: format!("in the baseline {file} since {first_seen}, {age} {days}"),
            until: None,
            owner: None,
            first_seen: Some(first_seen.to_string()),
            age_days: Some(age),
        });
    }
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It still fails.
    Fails,
    /// It was seen to hold, or is no longer offered.
    Fixed,
    /// It was not looked at, or not found out.
    Untold,
}

fn fate(entry: &Entry, lines: &[CheckLine]) -> Fate {
    let Some(line) = lines.iter().find(|line| line.id == entry.check) else { return Fate::Untold };
    let of = |verdict: VerdictKind| match verdict {
        VerdictKind::Pass | VerdictKind::NotApplicable => Fate::Fixed,
        VerdictKind::Fail => Fate::Fails,
        VerdictKind::Inconclusive | VerdictKind::NotRun => Fate::Untold,
    };
    let whole = of(line.verdict);
    if whole == Fate::Fixed {
        return whole;
    }
    match marks(line).into_iter().find(|mark| mark.fingerprint == entry.fingerprint) {
        Some(mark) => of(mark.verdict),
        // The check fails in another way now; a variant that is not tried any more was not seen to hold.
        None if whole == Fate::Fails && entry.what.is_none() => Fate::Fixed,
        None => Fate::Untold,
    }
}

/// A day, `2026-11-26`.
///
/// # Errors
/// If it is none.
pub fn day(text: &str) -> Result<Date, time::error::Parse> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
}

mod day {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::Date;

    pub(super) fn serialize<S: Serializer>(date: &Date, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(date)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        let text = String::deserialize(from)?;
        super::day(&text).map_err(|_| serde::de::Error::custom(format!("{text} is no day such as 2026-11-26")))
    }
}

#[cfg(test)]
mod tests;
