//! What is known, what is new, what is fixed, and what stays in a baseline.

use time::macros::date;

use super::*;
use crate::check::Level;
use crate::report::FindingLine;
use crate::report::tests::{check, mixed};
use crate::waiver::{Accepted, Waiver};

const THEN: Date = date!(2026 - 10 - 01);
const TODAY: Date = date!(2026 - 11 - 26);

fn finding(what: &str, verdict: VerdictKind, level: Level) -> FindingLine {
    let level = (verdict == VerdictKind::Fail).then_some(level);
    FindingLine { what: what.into(), verdict, level, message: "x".into(), measured: None, evidence: vec![] }
}

fn of(checks: Vec<CheckLine>) -> Report {
    Report { checks, ..mixed() }
}

fn failed(findings: Vec<FindingLine>) -> CheckLine {
    CheckLine { findings, ..check("a/table", ResultKind::Fail, "x") }
}

fn known(report: &Report) -> Baseline {
    Baseline::of(report, "https://api.example/mcp", THEN, &[])
}

fn against(baseline: &Baseline, report: &Report) -> (Vec<CheckLine>, Vec<String>) {
    let accepted = Accepted { waivers: vec![], baseline: Some(("known.json".into(), baseline.clone())) };
    let mut lines = report.checks.clone();
    let remarks = accepted.apply(&mut lines, &["https://api.example/mcp"], TODAY);
    (lines, remarks)
}

#[test]
fn what_is_known_is_waived_with_its_age() {
    let report = of(vec![check("a/b", ResultKind::Fail, "x"), check("a/c", ResultKind::Warn, "x")]);
    let baseline = known(&report);
    assert_eq!(Baseline::read(&baseline.text()).unwrap(), baseline);
    let (lines, remarks) = against(&baseline, &report);
    assert!(remarks.is_empty() && lines.iter().all(|line| line.result == ResultKind::Waived), "{lines:?}");
    assert_eq!(lines[0].message, "known for 56 days, since 2026-10-01 (known.json): x was seen");
    assert_eq!(lines[0].waiver.as_ref().unwrap().age_days, Some(56));
}

#[test]
fn what_is_new_or_worse_fails() {
    use VerdictKind::{Fail, Pass};
    let one = failed(vec![finding("one", Fail, Level::Should), finding("two", Pass, Level::Must)]);
    let baseline = known(&of(vec![CheckLine { level: Level::Should, result: ResultKind::Warn, ..one }]));
    let two = failed(vec![finding("one", Fail, Level::Should), finding("two", Fail, Level::Must)]);
    let (lines, _) = against(&baseline, &of(vec![two, check("a/b", ResultKind::Fail, "x")]));
    assert!(lines.iter().all(|line| line.result == ResultKind::Fail), "{lines:?}");
    assert!(lines[0].message.starts_with("new since the baseline: two; "), "{}", lines[0].message);
    let worse = failed(vec![finding("one", Fail, Level::Must)]);
    assert_eq!(against(&baseline, &of(vec![worse])).0[0].result, ResultKind::Fail);
    let inconclusive = check("a/table", ResultKind::Inconclusive, "x");
    assert_eq!(against(&baseline, &of(vec![inconclusive])).0[0].result, ResultKind::Inconclusive);
}

#[test]
fn what_is_fixed_is_said_and_what_cannot_be_told_is_not() {
    use VerdictKind::{Fail, Inconclusive, Pass};
    let both = failed(vec![finding("one", Fail, Level::Must), finding("two", Fail, Level::Must)]);
    let baseline = known(&of(vec![both, check("a/b", ResultKind::Fail, "x"), check("a/c", ResultKind::Fail, "x")]));
    let partly = failed(vec![finding("one", Fail, Level::Must), finding("two", Pass, Level::Must)]);
    let now = of(vec![partly, check("a/b", ResultKind::Pass, "x"), check("a/c", ResultKind::Inconclusive, "x")]);
    let (lines, remarks) = against(&baseline, &now);
    assert_eq!(lines[0].result, ResultKind::Waived, "less than was known");
    assert!(remarks[0].starts_with("fixed since the baseline: a/table (two), a/b; --write-baseline"), "{remarks:?}");
    let unsure = failed(vec![finding("one", Fail, Level::Must), finding("two", Inconclusive, Level::Must)]);
    assert!(against(&baseline, &of(vec![unsure])).1.is_empty());
    // Written again: what is fixed goes, what could not be told stays, days stay.
    let again = Baseline::of(&now, &baseline.target, TODAY, &[&baseline]);
    let entries: Vec<_> = again.entries.iter().map(|e| (e.check.as_str(), e.what.as_deref(), e.first_seen)).collect();
    assert_eq!(entries, [("a/table", Some("one"), THEN), ("a/c", None, THEN)]);
    assert_eq!(again.created, TODAY);
}

#[test]
fn what_the_configuration_waives_is_in_no_baseline() {
    let mut report = of(vec![check("a/b", ResultKind::Fail, "x"), check("a/c", ResultKind::Fail, "x")]);
    let waiver = Waiver {
        check: "a/b".into(),
        reason: "why".into(),
        until: None,
        target: None,
        owner: None,
        place: "oaudit.toml:1".into(),
    };
    Accepted { waivers: vec![waiver], baseline: None }.apply(&mut report.checks, &[], TODAY);
    let checks: Vec<String> = known(&report).entries.into_iter().map(|entry| entry.check).collect();
    assert_eq!(checks, ["a/c"]);
}

#[test]
fn what_is_no_baseline_is_told() {
    let good = known(&of(vec![check("a/b", ResultKind::Fail, "x")])).text();
    let bad = [
        "".to_owned(),
        "[]".into(),
        "{}".into(),
        r#"{"schema_version":1}"#.into(),
        good.replace("2026-10-01", "yesterday"),
        good.replace("\"fail\"", "\"pass\""),
        good.replace("\"fail\"", "\"dreadful\""),
        crate::report::json::render(&mixed()),
    ];
    for text in bad {
        assert!(matches!(Baseline::read(&text), Err(Unusable::NoBaseline(_))), "{text}");
    }
    let later = good.replace("\"schema_version\": 1", "\"schema_version\": 2");
    assert_eq!(Baseline::read(&later).unwrap_err(), Unusable::Later(2));
}
