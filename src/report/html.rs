//! The HTML report: one file that holds everything it needs, for people who pass it on.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::decisive::telling;
use super::plain::plain;
use super::{CheckLine, Report, ResultKind};
use crate::wire::Exchange;

mod marked;
mod pages;

use marked::Marked;

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
    exchanges: Vec<Marked<'a>>,
    /// Of how many these are the ones that are shown.
    of: usize,
    /// Its page, as HTML.
    page: Option<String>,
}

fn shown<'a>(line: &'a CheckLine, report: &'a Report) -> Shown<'a> {
    let open = matches!(line.result, ResultKind::Fail | ResultKind::Warn);
    let telling = line.broken.as_ref().and_then(|_| telling(line, report));
    let mut exchanges: Vec<_> = report.exchanges.iter().filter(|e| line.evidence.contains(&e.id)).collect();
    let of = exchanges.len();
    // The last ones are nearest to the verdict; the one that shows it stays wherever it is.
    while exchanges.len() > MOST {
        let first_stays = telling.as_ref().is_some_and(|(exchange, _)| exchange.id == exchanges[0].id);
        exchanges.remove(usize::from(first_stays));
    }
    let marked = |exchange: &'a Exchange| {
        let found = telling.as_ref().filter(|(best, _)| std::ptr::eq(*best, exchange)).map(|(_, found)| found);
        Marked::of(exchange, found)
    };
    let exchanges = exchanges.into_iter().map(marked).collect();
    Shown { line, kind: Kind::of(line.result), open, exchanges, of, page: pages::of(line) }
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
    fn what_is_sent_how_it_is_judged_and_why_are_there_and_closed() {
        let page = render(&mixed());
        for words in ["<h4>What is sent</h4>", "<h4>How it is judged</h4>", "<h4>Why it matters</h4>"] {
            assert!(page.contains(words), "{words}");
        }
        assert!(page.contains("Hash the received code_verifier with SHA-256"), "the page of pkce/verifier-enforced");
        assert!(page.contains("<details class=\"page\"><summary") && !page.contains("<details class=\"page\" open"));
    }

    #[test]
    fn the_exchange_that_shows_it_is_among_the_few_that_are_shown() {
        let mut report = mixed();
        let mut answered = report.exchanges[0].clone();
        report.exchanges.clear();
        for id in 1..=30 {
            answered.id = crate::wire::ExchangeId(id);
            answered.response.as_mut().unwrap().status = if id == 4 { 200 } else { 400 };
            report.exchanges.push(answered.clone());
        }
        let check = report.checks.iter_mut().find(|check| check.id == "pkce/required").unwrap();
        check.message = "it was answered 200".into();
        check.evidence = report.exchanges.iter().map(|e| e.id).collect();
        let check = report.checks.iter().find(|check| check.id == "pkce/required").unwrap();
        let shown = shown(check, &report);
        assert_eq!((shown.exchanges.len(), shown.of), (MOST, 30));
        let page = render(&report);
        assert_eq!(page.matches("<mark>200</mark>").count(), 1);
        assert!(page.contains("12 of 30 exchanges"));
    }

    #[test]
    fn nothing_of_a_target_is_markup() {
        let page = render(&nasty());
        assert!(!page.contains("<script>alert") && !page.contains("javascript:1)\"") && !page.contains('\u{1b}'));
        assert_eq!(page.matches("<script").count(), 1, "our own");
        assert!(!page.contains('\u{202e}'));
    }
}
