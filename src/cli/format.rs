//! The formats of a report: their names on the command line, and who renders each.

use std::path::PathBuf;

use crate::report::terminal::Look;
use crate::report::{Report, github, har, html, json, junit, markdown, sarif, terminal};

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

    /// The report in this format. `anchor` is the file that code scanning shows findings at.
    pub(super) fn render(self, report: &Report, look: &Look, anchor: &str) -> String {
        match self {
            Self::Terminal => terminal::render(report, look),
            Self::Json => json::render(report),
            Self::Sarif => sarif::render(report, anchor),
            Self::Junit => junit::render(report),
            Self::Markdown => markdown::render(report),
            Self::Html => html::render(report),
            Self::Github => github::render(report),
            Self::Har => har::render(report),
        }
    }
}
