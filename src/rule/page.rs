//! The page of a rule that has none of its own, made of what its file says; in the form of all pages.

use super::predicate::Predicate;
use super::subject::Subject;
use super::{Condition, Expectation};
use crate::check::Level;
use crate::document::McpVersion;

/// What the author of a rule says to its readers.
pub(super) struct Words<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) why: &'a str,
    pub(super) remediation: &'a str,
}

/// The page: `oaudit explain` prints it, and a report takes title and remedy from it.
pub(super) fn of(words: &Words<'_>, subject: Subject, when: &[Condition], expect: &[Expectation]) -> String {
    let Words { id, title, why, remediation } = words;
    let mut page = format!("# {id}: {title}\n\n## What is sent\n\nNothing. What is read: {}.\n", subject.describe());
    page.push_str("\n## How it is judged\n\n");
    for expectation in expect {
        let strongest = expectation.demand.by.iter().map(|r| r.level).max().unwrap_or(Level::Advice);
        let failure = match strongest {
            Level::Must => "fail",
            Level::Should => "warn",
            Level::Advice => "note",
        };
        page.push_str(&format!("- {failure} unless this holds: {}\n", expectation.demand.says));
    }
    for condition in when {
        page.push_str(&format!("- not applicable unless this holds: {}\n", says(condition)));
    }
    page.push_str("- not applicable: there is no such document.\n");
    page.push_str(&format!("\n## Why it matters\n\n{why}\n\n## How to fix\n\n{remediation}\n\n## References\n\n"));
    let mut cited = Vec::new();
    for requirement in expect.iter().flat_map(|e| e.demand.by) {
        let revision = requirement.revisions.map_or(McpVersion::V20251125, |(first, _)| first);
        let level = format!("{:?}", requirement.level).to_lowercase();
        let line = format!("- {level}: {}\n", requirement.document.cite(requirement.section, revision));
        if !cited.contains(&line) {
            page.push_str(&line);
            cited.push(line);
        }
    }
    page
}

/// What a condition demands, in one sentence.
pub(super) fn says(condition: &Condition) -> String {
    let each = if condition.at.walks() { "Each " } else { "" };
    let there = if condition.optional { ", where it is there," } else { "" };
    let demands: Vec<String> = condition.predicates.iter().map(Predicate::says).collect();
    format!("{each}`{}`{there} {}.", condition.at.name(), demands.join(" and "))
}
