//! The report for a person at a terminal: what was found, what it rests on, and what to do first.

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};

use super::plain::plain;
use super::{CheckLine, Report, ResultKind, VerdictKind};
use crate::check::{Impact, Level};
use crate::saved::NEEDS_A_SERVER;

mod endings;
mod evidence;
mod failure;
mod page;

use page::{Ink, Page};

/// How the report is to look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether to colour.
    pub color: bool,
    /// Whether to show the exchanges.
    pub evidence: bool,
    /// Only what is not green.
    pub quiet: bool,
    /// Whether the terminal follows links (OSC 8).
    pub links: bool,
}

/// Where the words of a check stand: under its id.
const INDENT: usize = 15;

/// The columns that a table needs: the counts are in the sentence below as well, and what clients need in the lines below.
const TABLE: usize = 80;

/// Symbol, word and colour of a result.
fn words(result: ResultKind) -> (&'static str, &'static str, Ink) {
    let ink = match result {
        ResultKind::Pass => Ink::Good,
        ResultKind::Fail => Ink::Bad,
        ResultKind::Warn | ResultKind::Inconclusive => Ink::Doubtful,
        ResultKind::Note => Ink::Remark,
        ResultKind::NotRun | ResultKind::NotApplicable | ResultKind::Waived => Ink::Faint,
    };
    (result.mark(), result.word(), ink)
}

/// The report as text.
pub fn render(report: &Report, look: &Look) -> String {
    let mut page = Page::new(look);
    head(report, &mut page);
    let mut topic = "";
    // An audit that stopped before anything could be looked at has its error to show, and nothing else.
    let looked_at_nothing = report.checks.iter().all(|check| was_stopped(check, report));
    for check in &report.checks {
        if looked_at_nothing || needs_a_server(check) || (look.quiet && check.result == ResultKind::Pass) {
            continue;
        }
        if check.topic != topic {
            topic = check.topic;
            page.gap();
            page.line(0, Ink::Strong, topic);
        }
        line(check, report, &mut page);
    }
    tail(report, looked_at_nothing, &mut page);
    page.text
}

/// Whether a check has nothing to say but that the audit stopped before it.
fn was_stopped(check: &CheckLine, report: &Report) -> bool {
    let stopped = report.stopped.as_ref().map(|stopped| stopped.error.as_str());
    stopped.is_some() && check.message.strip_prefix("the audit stopped before: ") == stopped
}

/// Whether a check has nothing to say but that documents alone are not enough for it: that is said once, at the end.
fn needs_a_server(check: &CheckLine) -> bool {
    check.result == ResultKind::NotRun && check.message == NEEDS_A_SERVER
}

/// What is said of a check. What is said in full elsewhere on the page is not repeated line after line.
fn said<'a>(check: &'a CheckLine, report: &Report) -> &'a str {
    const FLOW: &str = "authorization/code-flow-works";
    if was_stopped(check, report) {
        return "the audit stopped before, see the error at the end";
    }
    match check.message.split_once(FLOW) {
        Some((lead, rest)) if rest.starts_with(": ") && report.checks.iter().any(|c| c.id == FLOW) => {
            &check.message[..lead.len() + FLOW.len()]
        }
        _ => &check.message,
    }
}

fn head(report: &Report, page: &mut Page<'_>) {
    let title = format!("{} {}", report.tool.name, report.tool.version);
    page.line(0, Ink::Strong, &title);
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            page.hanging(&format!("{name:<10} "), Ink::Plain, value);
        }
    };
    row("resource", report.target.resource.as_deref().unwrap_or_default());
    row("issuer", report.target.issuer.as_deref().unwrap_or_default());
    row("profile", &format!("{} (MCP {})", report.profile.name, report.profile.mcp_version));
    let sign_in = &report.sign_in;
    if let (Some(client), Some(registration)) = (&sign_in.client, &sign_in.registration) {
        row("client", &format!("{client} ({registration})"));
    }
    if let Some(agent) = &sign_in.agent {
        row("sign-in", &format!("{agent}, scope \"{}\"", sign_in.scope.as_deref().unwrap_or_default()));
    }
    for remark in &report.remarks {
        row("remark", remark);
    }
}

fn line(check: &CheckLine, report: &Report, page: &mut Page<'_>) {
    let (symbol, word, ink) = words(check.result);
    page.status(symbol, word, ink, check.id, check.title);
    if check.result != ResultKind::Pass {
        page.line(INDENT, Ink::Plain, said(check, report));
    }
    if let Some(how) = &check.how_to_run {
        page.hanging_at(INDENT, "to run it: ", how);
    }
    let told = |verdict: VerdictKind| match check.result {
        // A table that held is one line; its notes are worth a line each.
        ResultKind::Pass => matches!(verdict, VerdictKind::Fail | VerdictKind::NotApplicable),
        _ => verdict != VerdictKind::Pass,
    };
    let (shown, held): (Vec<_>, Vec<_>) = check.findings.iter().partition(|f| told(f.verdict));
    for finding in shown.iter().take(12) {
        let kind = match (finding.verdict, finding.level) {
            (VerdictKind::Fail, Some(Level::Must)) => "fail",
            (VerdictKind::Fail, Some(Level::Should)) => "warn",
            (VerdictKind::Fail, _) => "note",
            (VerdictKind::Inconclusive, _) => "unsure",
            (VerdictKind::NotApplicable | VerdictKind::NotRun, _) => "note",
            (VerdictKind::Pass, _) => "held",
        };
        let measured = finding.measured.as_ref().map(|m| format!(" [{} {}]", m.value, m.unit)).unwrap_or_default();
        page.hanging_at(INDENT + 2, &format!("{kind:<7}"), &format!("{}: {}{measured}", finding.what, finding.message));
    }
    if shown.len() > 12 {
        page.line(INDENT + 2, Ink::Faint, &format!("{} more", shown.len() - 12));
    }
    if !shown.is_empty() && !held.is_empty() {
        page.line(INDENT + 2, Ink::Faint, &format!("{} others held", held.len()));
    }
    failure::show(check, report, page);
    if page.look.evidence {
        let exchanges = report.exchanges.iter().filter(|e| check.evidence.contains(&e.id));
        exchanges.for_each(|exchange| evidence::show(exchange, page));
    }
}

fn tail(report: &Report, looked_at_nothing: bool, page: &mut Page<'_>) {
    page.gap();
    if !looked_at_nothing {
        if page.look.width >= TABLE {
            let table = topics(report, page.look);
            page.text.push_str(&table);
        }
        endings::checklist(report, page);
        endings::clients(report, page);
        page.gap();
    }
    page.line(0, Ink::Strong, &report.summary.sentence(report.duration_ms));
    let unasked = report.checks.iter().filter(|check| needs_a_server(check)).count();
    if unasked > 0 {
        let how = "to run them: oaudit audit TARGET, without --offline";
        page.line(0, Ink::Faint, &format!("{unasked} checks need a running server and are not shown; {how}"));
    }
    let mut first: Vec<&CheckLine> =
        report.checks.iter().filter(|c| matches!(c.result, ResultKind::Fail | ResultKind::Warn)).collect();
    first.sort_by_key(|c| std::cmp::Reverse((c.result == ResultKind::Fail, c.impact)));
    if !first.is_empty() {
        page.gap();
        page.line(0, Ink::Strong, "Fix first");
        for (at, check) in first.iter().take(10).enumerate() {
            let (_, word, _) = words(check.result);
            let lead = format!("{:>2}. ", at + 1);
            page.hanging(&lead, Ink::Plain, &format!("{word} {} ({} impact)", check.id, impact(check.impact)));
            page.line(4, Ink::Plain, &check.remediation);
            page.line(4, Ink::Faint, &format!("oaudit explain {}", check.id));
        }
        if first.len() > 10 {
            page.line(4, Ink::Faint, &format!("and {} more, above", first.len() - 10));
        }
    }
    if !report.left_behind.is_empty() {
        page.gap();
        page.line(0, Ink::Strong, "Left behind on the server");
        report.left_behind.iter().for_each(|what| page.hanging("  - ", Ink::Plain, what));
        if report.journal.is_some() {
            page.line(2, Ink::Faint, "oaudit cleanup tries again");
        }
    }
    if let Some(stopped) = &report.stopped {
        page.gap();
        page.hanging("error: ", Ink::Bad, &stopped.error);
        if !stopped.hint.is_empty() {
            page.hanging(" help: ", Ink::Plain, &stopped.hint);
        }
    }
    page.gap();
    let exit = report.summary.exit_code;
    page.line(0, Ink::Plain, &format!("exit code {exit}: {}", in_words(exit, report.stopped.is_some())));
}

fn impact(impact: Impact) -> &'static str {
    match impact {
        Impact::Low => "low",
        Impact::Medium => "medium",
        Impact::High => "high",
        Impact::Critical => "critical",
    }
}

fn in_words(exit: u8, cut_short: bool) -> &'static str {
    match exit {
        0 => "nothing that counts failed, and nothing in force stayed undecided",
        1 => "something failed",
        3 if cut_short => "nothing failed, but the run was cut short",
        3 => "nothing failed, but something stayed undecided; --allow-incomplete accepts that",
        4 => "the audit could not start, or not get past the sign-in",
        129 => "the terminal was closed; what there was is reported",
        130 => "interrupted",
        143 => "terminated by a signal; what there was is reported",
        5 => "oaudit itself failed",
        _ => "see the messages above",
    }
}

/// Results by topic.
fn topics(report: &Report, look: &Look) -> String {
    const COLUMNS: [(&str, &[ResultKind], Color); 5] = [
        ("pass", &[ResultKind::Pass], Color::Green),
        ("fail", &[ResultKind::Fail], Color::Red),
        ("warn", &[ResultKind::Warn, ResultKind::Note], Color::Yellow),
        ("unsure", &[ResultKind::Inconclusive], Color::Yellow),
        ("other", &[ResultKind::NotRun, ResultKind::NotApplicable, ResultKind::Waived], Color::Grey),
    ];
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(look.width).unwrap_or(100));
    if look.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(std::iter::once("topic").chain(COLUMNS.iter().map(|(name, ..)| *name)));
    let mut seen: Vec<&str> = Vec::new();
    for check in &report.checks {
        if seen.contains(&check.topic) {
            continue;
        }
        seen.push(check.topic);
        if report.checks.iter().filter(|c| c.topic == check.topic).all(needs_a_server) {
            continue;
        }
        let mut row = vec![Cell::new(check.topic)];
        for (_, kinds, color) in COLUMNS {
            let n = report.checks.iter().filter(|c| c.topic == check.topic && kinds.contains(&c.result)).count();
            let cell = Cell::new(if n == 0 { String::from(".") } else { n.to_string() });
            row.push(if n > 0 && look.color { cell.fg(color) } else { cell });
        }
        table.add_row(row);
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// One line of a target's words.
fn one_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
