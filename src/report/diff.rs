//! What changed between two reports: what is new, what is fixed, what still fails.

use std::fmt::Write as _;

use super::plain::plain;
use super::{CheckLine, Report, ResultKind, Word};

/// How a check changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It fails, and did not before, or more gravely than before.
    Worse,
    /// It failed, was waived or was undecided in both.
    Still,
    /// It fails, and is accepted, which it was not before.
    Waived,
    /// It failed before, and cannot be told now.
    Lost,
    /// It failed before and holds now, or fails less gravely.
    Better,
}

/// One check that is or was not green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its id.
    pub id: Word,
    /// Its result before; `None` if it was not in the report.
    pub was: Option<ResultKind>,
    /// Its result now.
    pub is: Option<ResultKind>,
    /// How it changed.
    pub change: Change,
    /// What is seen now, or was seen last.
    pub message: String,
}

/// Everything that is not green in both, in the order of the later report.
pub fn changes(old: &Report, new: &Report) -> Vec<Changed> {
    let of = |report: &'_ Report, id: &str| report.checks.iter().find(|c| c.id == id).cloned();
    let gone = old.checks.iter().filter(|c| of(new, c.id).is_none());
    let ids = new.checks.iter().chain(gone).map(|c| c.id);
    ids.filter_map(|id| changed(of(old, id), of(new, id))).collect()
}

fn changed(old: Option<CheckLine>, new: Option<CheckLine>) -> Option<Changed> {
    let (was, is) = (old.as_ref().map(|c| c.result), new.as_ref().map(|c| c.result));
    let (before, now) = (gravity(was), gravity(is));
    let undecided = |result: Option<ResultKind>| result == Some(ResultKind::Inconclusive);
    let waived = |result: Option<ResultKind>| result == Some(ResultKind::Waived);
    let change = match (before, now) {
        _ if waived(was) && waived(is) => Change::Still,
        _ if waived(is) => Change::Waived,
        // What was accepted and counts now is as new as what was not there.
        _ if waived(was) && now > 0 => Change::Worse,
        _ if waived(was) => {
            if is == Some(ResultKind::Pass) {
                Change::Better
            } else {
                Change::Lost
            }
        }
        (0, 0) if undecided(is) && undecided(was) => Change::Still,
        (0, 0) => return None,
        (_, 0) if is != Some(ResultKind::Pass) => Change::Lost,
        (before, now) if now > before => Change::Worse,
        (before, now) if now < before => Change::Better,
        _ => Change::Still,
    };
    let line = new.or(old)?;
    Some(Changed { id: line.id, was, is, change, message: line.message })
}

/// How much a result weighs: what did not fail weighs nothing.
fn gravity(result: Option<ResultKind>) -> u8 {
    match result {
        Some(ResultKind::Fail) => 3,
        Some(ResultKind::Warn) => 2,
        Some(ResultKind::Note) => 1,
        _ => 0,
    }
}

/// Whether anything got worse: what makes the exit code 1.
pub fn is_worse(changes: &[Changed]) -> bool {
    changes.iter().any(|c| c.change == Change::Worse)
}

/// The changes as text, the new ones first.
pub fn render(changes: &[Changed]) -> String {
    let mut text = String::new();
    for (change, title) in [
        (Change::Worse, "New or worse"),
        (Change::Waived, "Waived since"),
        (Change::Still, "Still failing, waived or undecided"),
        (Change::Lost, "Failed before, cannot be told now"),
        (Change::Better, "Fixed or better"),
    ] {
        let of_kind: Vec<&Changed> = changes.iter().filter(|c| c.change == change).collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{title} ({})", of_kind.len());
        for changed in of_kind {
            let word = |result: Option<ResultKind>| result.map_or("absent", ResultKind::word);
            let _ = writeln!(text, "  {}: {} -> {}", changed.id, word(changed.was), word(changed.is));
            if change != Change::Better {
                let _ = writeln!(text, "    {}", plain(&changed.message));
            }
        }
    }
    if text.is_empty() {
        text.push_str("nothing fails in either report\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{line, mixed};

    fn change(was: ResultKind, is: ResultKind) -> Option<Change> {
        changed(Some(line("a/b", was)), Some(line("a/b", is))).map(|c| c.change)
    }

    #[test]
    fn new_fixed_and_still_are_told_apart() {
        use ResultKind::{Fail, Inconclusive, NotRun, Pass, Waived, Warn};
        assert_eq!(change(Pass, Fail), Some(Change::Worse));
        assert_eq!(change(Warn, Fail), Some(Change::Worse));
        assert_eq!(change(Inconclusive, Warn), Some(Change::Worse));
        assert_eq!(change(Fail, Fail), Some(Change::Still));
        assert_eq!(change(Inconclusive, Inconclusive), Some(Change::Still));
        assert_eq!(change(Fail, Pass), Some(Change::Better));
        assert_eq!(change(Fail, Warn), Some(Change::Better));
        assert_eq!(change(Fail, Inconclusive), Some(Change::Lost));
        assert_eq!(change(Fail, NotRun), Some(Change::Lost));
        assert_eq!(change(Pass, Inconclusive), None);
        assert_eq!(change(Fail, Waived), Some(Change::Waived));
        assert_eq!(change(Pass, Waived), Some(Change::Waived));
        assert_eq!(change(Waived, Waived), Some(Change::Still));
        assert_eq!(change(Waived, Warn), Some(Change::Worse));
        assert_eq!(change(Waived, Pass), Some(Change::Better));
        assert_eq!(change(Waived, Inconclusive), Some(Change::Lost));
    }

    #[test]
    fn checks_that_came_or_went_are_seen() {
        assert_eq!(changed(None, Some(line("a/b", ResultKind::Fail))).unwrap().change, Change::Worse);
        assert_eq!(changed(Some(line("a/b", ResultKind::Fail)), None).unwrap().change, Change::Lost);
        let same = changes(&mixed(), &mixed());
        assert!(!is_worse(&same) && render(&same).starts_with("Still failing"), "{}", render(&same));
    }
}
