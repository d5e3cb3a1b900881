//! Workflow commands of GitHub Actions: annotations for the worst, so that no page of logs has to be opened.

use std::fmt::Write as _;

use super::plain::plain;
use super::{CheckLine, Report, ResultKind};

/// A step shows ten annotations of a kind.
const MOST: usize = 10;

/// The report as workflow commands. The summary of the step is Markdown's business.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for (kind, command) in [(ResultKind::Fail, "error"), (ResultKind::Warn, "warning"), (ResultKind::Note, "notice")] {
        let mut of_kind: Vec<&CheckLine> = report.checks.iter().filter(|c| c.result == kind).collect();
        of_kind.sort_by_key(|c| std::cmp::Reverse(c.impact));
        // The last place is for the sentence that there are more.
        let shown = if of_kind.len() > MOST { MOST - 1 } else { of_kind.len() };
        for check in &of_kind[..shown] {
            let message = format!("{}\n{}\nfix: {}", check.title, plain(&check.message), check.remediation);
            let _ = writeln!(text, "::{command} title={}::{}", property(check.id), data(&message));
        }
        if of_kind.len() > shown {
            let _ = writeln!(text, "::{command} title=oaudit::{} more, see the report", of_kind.len() - shown);
        }
    }
    // Accepted, and still to be seen; no annotation, of which there are ten alone.
    for check in report.checks.iter().filter(|c| c.result == ResultKind::Waived) {
        let _ = writeln!(text, "{} {}: {}", ResultKind::Waived.word(), check.id, plain(&check.message));
    }
    if let Some(stopped) = &report.stopped {
        let message = format!("{}\n{}", plain(&stopped.error), plain(&stopped.hint));
        let _ = writeln!(text, "::error title=oaudit stopped::{}", data(&message));
    }
    let _ = writeln!(text, "{}", report.summary.sentence(report.duration_ms));
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{line, mixed, nasty};

    #[test]
    fn ten_of_a_kind_and_how_many_more() {
        let mut report = mixed();
        report.checks = std::iter::repeat_with(|| line("a/b", ResultKind::Fail)).take(12).collect();
        let text = render(&report);
        assert_eq!(text.matches("::error ").count(), 10, "{text}");
        assert!(text.contains("::3 more"), "{text}");
    }

    #[test]
    fn a_target_gives_no_commands() {
        let text = render(&nasty());
        let commands = text.lines().filter(|l| l.starts_with("::"));
        assert!(
            commands.clone().all(|l| l.starts_with("::error title=") || l.starts_with("::notice title=")),
            "{text}"
        );
        assert!(!text.lines().any(|l| l.starts_with("::set-output")), "{text}");
    }
}
