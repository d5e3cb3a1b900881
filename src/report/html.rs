//! The HTML report: one file that holds everything it needs, for people who pass it on.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::plain::plain;
use super::{CheckLine, Report, ResultKind};
use crate::wire::Exchange;

const PAGE: &str = include_str!("page.html");

/// Exchanges that are shown with a check; more say nothing more.
const MOST: usize = 12;

/// The report as one HTML file without any outside part.
pub fn render(report: &Report) -> String {
    let mut environment = Environment::new();
    // By the ending .html everything that is put in is escaped.
    environment.add_template("page.html", PAGE).expect("the template is tested");
    environment.add_filter("plain", |text: String| plain(&text).into_owned());
    environment.add_filter("lines", |text: String| {
        // Bodies keep their line ends; nothing else of a control character is left.
        text.split('\n').map(|line| plain(line).into_owned()).collect::<Vec<_>>().join("\n")
    });
    let template = environment.get_template("page.html").expect("it was just added");
    let page = Page {
        report,
        name: report.name(),
        sentence: report.summary.sentence(report.duration_ms),
        topics: topics(report),
        checks: report.checks.iter().map(|line| shown(line, report)).collect(),
        points: report
            .checklist
            .iter()
            .map(|p| Point { section: p.section, item: p.item, kind: Kind::of(p.result), because: &p.because })
            .collect(),
        results: KINDS.map(Kind::of),
    };
    let html = template.render(Serde(&page)).expect("the template is tested with every result");
    // Once more over all of it: a header's name is a target's word too, and so may be what is added to the page later.
    html.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// What the template fills in.
#[derive(Serialize)]
struct Page<'a> {
    report: &'a Report,
    name: String,
    sentence: String,
    topics: Vec<Topic>,
    checks: Vec<Shown<'a>>,
    points: Vec<Point<'a>>,
    results: [Kind; 8],
}

const KINDS: [ResultKind; 8] = [
    ResultKind::Fail,
    ResultKind::Warn,
    ResultKind::Note,
    ResultKind::Inconclusive,
    ResultKind::Waived,
    ResultKind::NotRun,
    ResultKind::NotApplicable,
    ResultKind::Pass,
];

fn class(result: ResultKind) -> &'static str {
    match result {
        ResultKind::Pass => "pass",
        ResultKind::Fail => "fail",
        ResultKind::Warn => "warn",
        ResultKind::Note => "note",
        ResultKind::Inconclusive => "unsure",
        ResultKind::NotRun => "notrun",
        ResultKind::NotApplicable => "na",
        ResultKind::Waived => "waived",
    }
}

#[derive(Serialize)]
struct Kind {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
}

impl Kind {
    fn of(result: ResultKind) -> Self {
        Self { class: class(result), mark: result.mark(), word: result.word() }
    }
}

#[derive(Serialize)]
struct Point<'a> {
    section: &'a str,
    item: &'a str,
    kind: Kind,
    because: &'a str,
}

/// One bar of the picture: a topic and how many of its checks ended how.
#[derive(Serialize)]
struct Topic {
    name: &'static str,
    total: usize,
    parts: Vec<(&'static str, usize)>,
}

fn topics(report: &Report) -> Vec<Topic> {
    let mut topics: Vec<Topic> = Vec::new();
    for check in &report.checks {
        if topics.last().is_none_or(|topic| topic.name != check.topic) {
            let parts = KINDS.map(|kind| (class(kind), 0)).to_vec();
            topics.push(Topic { name: check.topic, total: 0, parts });
        }
        if let Some(topic) = topics.last_mut() {
            topic.total += 1;
            let part = topic.parts.iter_mut().find(|(name, _)| *name == class(check.result));
            part.into_iter().for_each(|(_, n)| *n += 1);
        }
    }
    topics.iter_mut().for_each(|topic| topic.parts.retain(|(_, n)| *n > 0));
    topics
}

/// A check with what belongs to it.
#[derive(Serialize)]
struct Shown<'a> {
    line: &'a CheckLine,
    kind: Kind,
    /// What fails is open from the start.
    open: bool,
    exchanges: Vec<&'a Exchange>,
    more: usize,
}

fn shown<'a>(line: &'a CheckLine, report: &'a Report) -> Shown<'a> {
    let open = matches!(line.result, ResultKind::Fail | ResultKind::Warn);
    let evidence: Vec<&Exchange> = report.exchanges.iter().filter(|e| line.evidence.contains(&e.id)).collect();
    let more = evidence.len().saturating_sub(MOST);
    // The last ones are nearest to the verdict.
    let exchanges = evidence[more..].to_vec();
    Shown { line, kind: Kind::of(line.result), open, exchanges, more }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{mixed, nasty};

    #[test]
    fn every_check_is_there_and_nothing_from_outside() {
        let report = mixed();
        let page = render(&report);
        for check in &report.checks {
            assert!(page.contains(&format!("id=\"{}\"", check.id.replace('/', "&#x2f;"))), "{}", check.id);
        }
        for outside in ["src=\"http", "<link", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("pkce") && page.contains("Approval checklist") && page.contains("POST"));
    }

    #[test]
    fn nothing_of_a_target_is_markup() {
        let page = render(&nasty());
        assert!(!page.contains("<script>alert") && !page.contains("javascript:1)\"") && !page.contains('\u{1b}'));
        assert_eq!(page.matches("<script").count(), 1, "our own");
        assert!(!page.contains('\u{202e}'));
    }
}
