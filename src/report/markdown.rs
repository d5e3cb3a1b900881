//! Markdown, for the summary page of a CI job and for issues: short, and below a mebibyte whatever the target sent.

use std::fmt::Write as _;

use super::plain::plain;
use super::{CheckLine, Report, ResultKind};

/// Job summaries may have one mebibyte.
const LARGEST: usize = 1_000_000;
/// Characters of what a target said.
const LONGEST: usize = 400;

/// What stands where something was cut.
const CUT: &str = "\n\nThe rest was cut: a job summary has room for one mebibyte.\n";
const CLOSED: &str = "\n</details>\n";

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    within(report, LARGEST)
}

/// The same in so many bytes at most.
pub fn within(report: &Report, room: usize) -> String {
    let mut text = whole(report);
    if text.len() > room {
        let keep = room.saturating_sub(CUT.len() + CLOSED.len());
        // A line that is cut in the middle may be no row of its table any more.
        let end = text.as_bytes()[..keep].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text.truncate(end);
        if text.contains("<details>") && !text.contains("</details>") {
            text.push_str(CLOSED);
        }
        text.push_str(CUT);
    }
    text
}

fn whole(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# oaudit: {}\n", escape(&report.name()));
    let _ = writeln!(text, "{}\n", report.summary.sentence(report.duration_ms));
    if let Some(stopped) = &report.stopped {
        let _ = writeln!(text, "> **The audit stopped:** {} {}\n", escape(&stopped.error), escape(&stopped.hint));
    }
    if !report.remarks.is_empty() {
        report.remarks.iter().for_each(|remark| _ = writeln!(text, "- {}", escape(remark)));
        text.push('\n');
    }
    let of = |kinds: &[ResultKind]| -> Vec<&CheckLine> {
        report.checks.iter().filter(|c| kinds.contains(&c.result)).collect()
    };
    let mut wrong = of(&[ResultKind::Fail, ResultKind::Warn, ResultKind::Note]);
    wrong.sort_by_key(|c| (weight(c.result), std::cmp::Reverse(c.impact)));
    table(&mut text, "What to fix", &wrong, true);
    table(&mut text, "Waived", &of(&[ResultKind::Waived]), false);
    table(&mut text, "Inconclusive", &of(&[ResultKind::Inconclusive]), false);
    if !report.checklist.is_empty() {
        let _ = writeln!(text, "## Approval checklist\n\n| | point | why |\n|---|---|---|");
        for line in &report.checklist {
            let (mark, word) = (line.result.mark(), line.result.word());
            let _ = writeln!(text, "| {mark} {word} | {} | {} |", line.item, escape(&line.because));
        }
        text.push('\n');
    }
    let rest = of(&[ResultKind::Pass, ResultKind::NotApplicable, ResultKind::NotRun]);
    if !rest.is_empty() {
        let _ = writeln!(text, "<details><summary>{} other checks</summary>\n\n| | check |\n|---|---|", rest.len());
        for check in rest {
            let (mark, word) = (check.result.mark(), check.result.word());
            let _ = writeln!(text, "| {mark} {word} | `{}` {} |", check.id, check.title);
        }
        text.push_str("\n</details>\n");
    }
    if !report.left_behind.is_empty() {
        let _ = writeln!(text, "\n## Left behind on the server\n");
        report.left_behind.iter().for_each(|what| {
            let _ = writeln!(text, "- {}", escape(what));
        });
    }
    text
}

fn weight(result: ResultKind) -> u8 {
    match result {
        ResultKind::Fail => 0,
        ResultKind::Warn => 1,
        _ => 2,
    }
}

fn table(text: &mut String, title: &str, checks: &[&CheckLine], fix: bool) {
    if checks.is_empty() {
        return;
    }
    let _ = writeln!(text, "## {title}\n\n| | check | seen |\n|---|---|---|");
    for check in checks {
        let (mark, word) = (check.result.mark(), check.result.word());
        let demand = check.broken.as_ref().map(|b| format!("<br>demand: {} ([{}]({}))", b.says, b.citation, b.url));
        let fix = if fix { format!("<br>fix: {}", check.remediation) } else { String::new() };
        let seen = escape(&check.message);
        let _ = writeln!(
            text,
            "| {mark} {word} | `{}`<br>{} | {seen}{}{fix} |",
            check.id,
            check.title,
            demand.unwrap_or_default()
        );
    }
    text.push('\n');
}

/// Words of a target as text: nothing in them is markup.
fn escape(text: &str) -> String {
    // Cut first: a target may say megabytes.
    let shown = text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end]);
    let text = plain(shown);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' | '@' | ':' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{mixed, nasty};

    #[test]
    fn what_is_wrong_comes_first() {
        let text = render(&mixed());
        let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word} in\n{text}"));
        assert!(at("## What to fix") < at("## Inconclusive") && at("## Inconclusive") < at("other checks"));
        assert!(text.contains("✗ FAIL") && text.contains("fix: "));
    }

    #[test]
    fn words_of_a_target_are_no_markup() {
        let text = render(&nasty());
        assert!(
            !text.contains("<script>") && !text.contains("](javascript:") && !text.contains("::set-output"),
            "{text}"
        );
        assert!(text.lines().filter(|l| l.starts_with("| ✗ FAIL | `")).count() == 1, "{text}");
    }

    #[test]
    fn it_has_room_in_a_job_summary() {
        let mut report = nasty();
        let line = report.checks[0].clone();
        report.checks.extend(std::iter::repeat_n(line, 3000));
        assert!(render(&report).len() < 1 << 20);
    }
}
