//! Workflow commands of GitHub Actions: annotations for the worst, so that no page of logs has to be opened.

use std::fmt::Write as _;

use super::plain::plain;
use super::{CheckLine, Report, ResultKind};

/// A step shows ten annotations of a level.
const MOST: usize = 10;

/// The report as workflow commands: the ten worst, and how many more there are. The summary of the step is Markdown's
/// business.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    let mut found: Vec<((u8, &str), &CheckLine)> =
        report.checks.iter().filter_map(|check| Some((command(check.result)?, check))).collect();
    found.sort_by_key(|(command, check)| (*command, std::cmp::Reverse(check.impact)));
    // The sentence that there are more is a notice too, and must be among the ten of those.
    let shown = match found.len() {
        more if more > MOST && found[0].0.1 == "notice" => MOST - 1,
        all => all.min(MOST),
    };
    for ((_, command), check) in &found[..shown] {
        let message = format!("{}\n{}\nfix: {}", check.title, plain(&check.message), check.remediation);
        let _ = writeln!(text, "::{command} title={}::{}", property(check.id), data(&message));
    }
    if found.len() > shown {
        let _ = writeln!(text, "::notice title=oaudit::{} more, see the report", found.len() - shown);
    }
    for remark in &report.remarks {
        let _ = writeln!(text, "remark: {}", plain(remark));
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

/// How a result is announced, the worst first.
fn command(result: ResultKind) -> Option<(u8, &'static str)> {
    match result {
        ResultKind::Fail => Some((0, "error")),
        ResultKind::Warn => Some((1, "warning")),
        ResultKind::Note => Some((2, "notice")),
        _ => None,
    }
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
        assert!(text.contains("::notice title=oaudit::2 more"), "{text}");
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
