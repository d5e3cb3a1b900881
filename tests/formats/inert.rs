//! Whatever a target says, wherever it can say it: in no format does it command a terminal, a browser, a table or a CI
//! server. The fuzz target `formats` holds the same against words that nobody thought of.

#![allow(dead_code, clippy::allow_attributes, reason = "the fuzz target uses a part of it")]

use oaudit::report::terminal::{self, Look};
use oaudit::report::{Report, diff, github, har, html, json, junit, markdown, sarif};
use serde_json::{Value, json};

/// The report with these words in every place that a target fills.
pub(crate) fn said(report: &Report, words: &str) -> Report {
    let mut report = report.clone();
    let say = || words.to_owned();
    report.target.resource = Some(say());
    report.target.issuer = Some(say());
    for check in &mut report.checks {
        check.message = say();
        for finding in &mut check.findings {
            finding.what = say();
            finding.message = say();
        }
        if let Some(waiver) = &mut check.waiver {
            waiver.reason = say();
        }
    }
    for exchange in &mut report.exchanges {
        exchange.request.url = say();
        exchange.request.headers = vec![("authorization".into(), say()), (say(), say())];
        exchange.request.body = Some(say());
        if let Some(response) = &mut exchange.response {
            response.headers =
                ["location", "www-authenticate", "content-type"].map(|name| (name.into(), say())).to_vec();
            response.body = say();
        }
        exchange.trouble = Some(say());
        exchange.curl = say();
    }
    for line in &mut report.checklist {
        line.because = say();
    }
    for client in &mut report.clients {
        client.because = say();
        client.needs.iter_mut().for_each(|need| need.because = say());
    }
    report.left_behind = vec![say()];
    report.remarks = vec![say()];
    for document in
        [&mut report.discovery.resource_metadata, &mut report.discovery.server_metadata, &mut report.discovery.jwks]
    {
        *document = json!({ "issuer": words, words: [words] });
    }
    report.sign_in.client = Some(say());
    report.sign_in.scope = Some(say());
    report.sign_in.registration = Some(say());
    report.stopped = Some(oaudit::report::Stopped { error: say(), hint: say() });
    report
}

/// Holds every format against what it must not let through.
pub(crate) fn inert(report: &Report) {
    a_terminal_is_not_commanded(report);
    a_workflow_is_not_commanded(report);
    markdown_has_the_markup_that_we_put_there(report);
    html_has_the_markup_that_we_put_there(report);
    xml_is_well_formed(report);
    json_is_what_was_said(report);
}

/// What moves a cursor, sets a colour or a link, turns the direction of writing, or may stand in no XML.
fn commanding(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
            || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
    })
}

pub(crate) fn a_terminal_is_not_commanded(report: &Report) {
    for (evidence, quiet, width) in [(true, false, 100), (false, true, 40)] {
        let text = terminal::render(report, &Look { width, color: false, evidence, quiet, links: false });
        assert_eq!(commanding(&text), None, "the terminal");
    }
    let mut other = report.clone();
    other.checks.iter_mut().for_each(|check| check.result = oaudit::report::ResultKind::Fail);
    assert_eq!(commanding(&diff::render(&diff::changes(report, &other))), None, "the difference");
}

pub(crate) fn a_workflow_is_not_commanded(report: &Report) {
    let text = github::render(report);
    assert_eq!(commanding(&text), None, "workflow commands");
    let ours = ["::error title=", "::warning title=", "::notice title="];
    for line in text.lines() {
        let line = line.trim_start();
        assert!(!line.starts_with("##[") && !line.starts_with("##vso["), "a command of another CI server: {line}");
        // What stands in a command of ours is data: it ends with the line.
        assert!(!line.starts_with("::") || ours.iter().any(|begin| line.starts_with(begin)), "a command: {line}");
    }
    let annotations = text.lines().filter(|line| line.starts_with("::")).count();
    assert!(annotations <= 12, "{annotations} annotations");
}

pub(crate) fn markdown_has_the_markup_that_we_put_there(report: &Report) {
    let text = markdown::render(report);
    assert_eq!(commanding(&text), None, "Markdown");
    let ours = ["<details>", "<summary>", "</summary>", "</details>", "<br>"];
    for (at, _) in text.match_indices('<') {
        assert!(ours.iter().any(|tag| text[at..].starts_with(tag)), "markup: {:?}", text[at..].lines().next());
    }
    for (at, _) in text.match_indices("](") {
        assert!(text[at..].starts_with("](https://"), "a link: {:?}", text[at..].lines().next());
    }
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let pipes = line.matches('|').count();
        assert!((3..=4).contains(&pipes), "a cell more: {line}");
    }
    let plain = markdown::render(&said(report, "x"));
    // What is empty may be left out with all around it.
    assert!(text.lines().count() <= plain.lines().count(), "a line of the target's own");
}

pub(crate) fn html_has_the_markup_that_we_put_there(report: &Report) {
    let (text, plain) = (html::render(report), html::render(&said(report, "x")));
    let bad = text.chars().find(|c| commanding(&c.to_string()).is_some());
    assert_eq!(bad, None, "HTML");
    // A decisive part that is found in one and not in the other is a mark, one for a check, and that it is missing a
    // paragraph; which exchange shows it is said.
    let marks = text.matches("<mark>").count();
    assert!(marks <= report.checks.len(), "{marks} marks");
    let elements = |html: &str| {
        let ours = ["<p><strong>This one shows it:</strong></p>", "<p><mark>", "</mark></p>", "<mark>", "</mark>"];
        ours.iter().fold(html.to_owned(), |html, mark| html.replace(mark, "")).matches('<').count()
    };
    assert!(elements(&text) <= elements(&plain), "an element more");
    assert!(text.matches('"').count() <= plain.matches('"').count(), "an attribute more");
}

pub(crate) fn xml_is_well_formed(report: &Report) {
    let text = junit::render(report);
    assert_eq!(commanding(&text), None, "XML");
    let (seen, plain) = (text.matches('<').count(), junit::render(&said(report, "x")).matches('<').count());
    assert!(seen <= plain, "an element more");
    assert!(!text.contains("]]>"), "{text}");
}

/// JSON escapes what is below a space; what turns the direction of writing is escaped as well.
pub(crate) fn json_is_what_was_said(report: &Report) {
    let text = json::render(report);
    assert_eq!(commanding(&text), None, "JSON");
    let again = json::read(&text).expect("what was written is read back");
    assert_eq!(again.target.issuer, report.target.issuer, "what was said stays what it was");
    let archive = har::render(report);
    assert_eq!(commanding(&archive), None, "HAR");
    let read: Value = serde_json::from_str(&archive).expect("JSON");
    let said = read["log"]["entries"][0]["response"]["content"]["text"].as_str().unwrap_or_default();
    assert_eq!(Some(said), report.exchanges[0].response.as_ref().map(|r| r.body.as_str()));
    let scan = sarif::render(report, "oaudit.toml");
    assert_eq!(commanding(&scan), None, "SARIF");
    serde_json::from_str::<Value>(&scan).expect("JSON");
}
