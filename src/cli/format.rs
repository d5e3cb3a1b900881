//! The formats of a report: their names on the command line, and who renders each.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use super::{Complaint, output};
use crate::report::sarif::Anchor;
use crate::report::terminal::Look;
use crate::report::{Report, github, har, html, json, junit, markdown, sarif, terminal};

/// Where a GitHub runner wants the summary of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The bytes that a summary may have.
const ROOM: usize = 1 << 20;
/// Fewer would say nothing.
const LEAST: usize = 1000;

/// A format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Terminal,
    Json,
    Sarif,
    Junit,
    Markdown,
    Html,
    Github,
    Har,
}

impl Format {
    const ALL: [(&'static str, Self); 8] = [
        ("terminal", Self::Terminal),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("markdown", Self::Markdown),
        ("html", Self::Html),
        ("github", Self::Github),
        ("har", Self::Har),
    ];

    pub(super) fn of(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| format).ok_or_else(|| super::one_of(&Self::ALL.map(|(name, _)| name)))
    }

    /// A further report: `FORMAT=PATH`.
    pub(super) fn further(text: &str) -> Result<(Self, PathBuf), String> {
        let (name, path) = text.split_once('=').ok_or("it is FORMAT=PATH, such as json=report.json")?;
        if path.is_empty() {
            return Err("the path after = is missing".into());
        }
        Ok((Self::of(name)?, path.into()))
    }

    /// The summary of a GitHub step, where this format is among those that are wanted and the runner names a file for it.
    pub(super) fn summarize(formats: impl IntoIterator<Item = Self>, report: &Report) -> Result<(), Complaint> {
        let path = std::env::var_os(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from);
        let wanted = formats.into_iter().any(|format| format == Self::Github);
        let Some(path) = path.filter(|_| wanted) else { return Ok(()) };
        // Earlier commands of the step may have written there as well.
        let taken = std::fs::metadata(&path).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
        let room = ROOM.saturating_sub(taken);
        if room < LEAST {
            output::prose("the summary of this step is full, so the report is not in it");
            return Ok(());
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(markdown::within(report, room).as_bytes())).map_err(|error| {
            let shown = path.display();
            Complaint::ours(format!("the summary could not be written to {shown}: {error}"), format!("check {SUMMARY}"))
        })
    }

    /// The report in this format. `anchor` is the place that code scanning shows findings at.
    pub(super) fn render(self, report: &Report, look: &Look, anchor: &Anchor) -> String {
        match self {
            Self::Terminal => terminal::render(report, look),
            Self::Json => json::render(report),
            Self::Sarif => sarif::render(report, anchor.clone()),
            Self::Junit => junit::render(report),
            Self::Markdown => markdown::render(report),
            Self::Html => html::render(report),
            Self::Github => github::render(report),
            Self::Har => har::render(report),
        }
    }
}
