//! By what a failure is known again: its check, and the variant of it, without what differs from run to run.

use sha2::{Digest, Sha256};

use crate::check::Level;
use crate::report::{CheckLine, ResultKind, VerdictKind};

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The variant; `None` for the check as a whole.
    pub(super) what: Option<String>,
    /// How it ended.
    pub(super) verdict: VerdictKind,
    /// The same through the profile, if it failed.
    pub(super) result: Option<ResultKind>,
    /// Stays the same as long as the failure does.
    pub(super) fingerprint: String,
}

/// The marks of a check: a failed check has one at least that failed.
pub(super) fn marks(line: &CheckLine) -> Vec<Mark> {
    let mut seen: Vec<String> = Vec::new();
    let mut marks: Vec<Mark> = Vec::new();
    for finding in &line.findings {
        let settled = settled(&finding.what);
        // Two variants that differ in a number alone are still two.
        let before = seen.iter().filter(|s| **s == settled).count();
        marks.push(Mark {
            what: Some(finding.what.clone()),
            verdict: finding.verdict,
            result: (finding.verdict == VerdictKind::Fail).then(|| result(finding.level.unwrap_or(Level::Advice))),
            fingerprint: fingerprint(&[line.id, "variant", &settled, &before.to_string()]),
        });
        seen.push(settled);
    }
    // What the variants do not account for is the check's own.
    let whole = (line.verdict == VerdictKind::Fail).then(|| result(line.level));
    if whole.is_none() || gravity(whole) > marks.iter().map(|mark| gravity(mark.result)).max().unwrap_or(0) {
        let broken = line.broken.as_ref().map_or("", |broken| broken.says);
        marks.push(Mark {
            what: None,
            verdict: line.verdict,
            result: whole,
            fingerprint: fingerprint(&[line.id, "check", broken]),
        });
    }
    marks
}

fn result(level: Level) -> ResultKind {
    match level {
        Level::Must => ResultKind::Fail,
        Level::Should => ResultKind::Warn,
        Level::Advice => ResultKind::Note,
    }
}

/// How much a failure weighs.
pub(super) fn gravity(result: Option<ResultKind>) -> u8 {
    match result {
        Some(ResultKind::Fail) => 3,
        Some(ResultKind::Warn) => 2,
        Some(ResultKind::Note) => 1,
        _ => 0,
    }
}

/// Ports, lines, times and counts differ from run to run: every number becomes one sign.
fn settled(what: &str) -> String {
    let mut settled = String::with_capacity(what.len());
    for c in what.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }) {
        if c != '#' || !settled.ends_with('#') {
            settled.push(c);
        }
    }
    settled
}

fn fingerprint(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FindingLine;
    use crate::report::tests::check;

    fn finding(what: &str, level: Option<Level>) -> FindingLine {
        let verdict = if level.is_some() { VerdictKind::Fail } else { VerdictKind::Pass };
        FindingLine { what: what.into(), verdict, level, message: "x".into(), measured: None, evidence: vec![] }
    }

    fn failed(findings: Vec<FindingLine>) -> CheckLine {
        CheckLine { findings, ..check("a/b", ResultKind::Fail, "x") }
    }

    #[test]
    fn numbers_and_messages_change_nothing() {
        let one = marks(&failed(vec![finding("GET http://127.0.0.1:4711/a", Some(Level::Must))]));
        let mut later = failed(vec![finding("GET http://127.0.0.1:815/a", Some(Level::Must))]);
        later.message = "after 3 s".into();
        assert_eq!(one[0].fingerprint, marks(&later)[0].fingerprint);
        assert_eq!((one.len(), one[0].fingerprint.len()), (1, 32));
        let other = marks(&failed(vec![finding("GET http://127.0.0.1:815/b", Some(Level::Must))]));
        assert_ne!(one[0].fingerprint, other[0].fingerprint);
    }

    #[test]
    fn variants_that_differ_in_a_number_are_two() {
        let two = marks(&failed(vec![finding("RS256", Some(Level::Must)), finding("RS512", Some(Level::Must))]));
        assert_ne!(two[0].fingerprint, two[1].fingerprint);
    }

    #[test]
    fn a_failure_beyond_its_variants_has_a_mark_of_its_own() {
        assert_eq!(marks(&failed(vec![])).len(), 1);
        let graver = marks(&failed(vec![finding("x", Some(Level::Should)), finding("y", None)]));
        assert_eq!(graver.iter().filter(|mark| mark.result.is_some()).count(), 2);
        assert_eq!(graver.last().and_then(|mark| mark.what.clone()), None);
    }
}
