//! The formats held against their schemas, or against what their readers demand: the fixed report, and a real run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::report::{Report, har, json, junit, sarif};
use serde_json::Value;

use crate::fixture::{large, mixed, stopped};
use crate::installed::{Package, or_skip, package};
use crate::xml::{self, Element};

/// The fixed reports, and that of a demo with a waiver.
fn reports() -> Vec<Report> {
    let folder = tempfile::tempdir().unwrap();
    let waiver = "[[waive]]\ncheck = \"refresh/rotated\"\nreason = \"known\"\n";
    std::fs::write(folder.path().join("oaudit.toml"), waiver).unwrap();
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(["demo", "--format", "json"]).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    let run = String::from_utf8(command.output().unwrap().stdout).unwrap();
    vec![mixed(), stopped(), large(30, 100), json::read(&run).unwrap()]
}

pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn file(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(path)).unwrap()).unwrap()
}

pub(crate) fn assert_valid(schema: &Value, instance: &Value) {
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(instance).map(|e| format!("{}: {e}", e.instance_path())).take(5).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = file("schemas/report.json");
    for report in reports() {
        assert_valid(&schema, &serde_json::from_str(&json::render(&report)).unwrap());
    }
}

/// The schema of a part, with those that it points to in their places.
fn part(name: &str) -> Value {
    fn resolved(value: Value) -> Value {
        match value {
            Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
                Some(to) => part(to.trim_end_matches('#')),
                None => members.into_iter().map(|(name, value)| (name, resolved(value))).collect(),
            },
            Value::Array(items) => items.into_iter().map(resolved).collect(),
            plain => plain,
        }
    }
    let mut schema = resolved(file(&format!("tests/schemas/har/{name}")));
    schema.as_object_mut().unwrap().remove("$id");
    schema
}

#[test]
fn har_is_as_its_schema_says() {
    let schema = part("har.json");
    for report in reports() {
        let archive: Value = serde_json::from_str(&har::render(&report)).unwrap();
        assert_valid(&schema, &archive);
        assert!(!archive["log"]["entries"].as_array().unwrap().is_empty());
    }
}

/// What an element may have, must have, and may hold; as the schema of the Jenkins xUnit plugin admits it.
fn rules(name: &str) -> (&'static [&'static str], &'static [&'static str], &'static [&'static str]) {
    match name {
        "testsuites" => (&["name", "time", "tests", "failures", "errors"], &[], &["testsuite"]),
        "testsuite" => (
            &["name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"],
            &["name", "tests", "failures", "errors"],
            &["testcase", "properties", "system-out", "system-err"],
        ),
        "testcase" => (
            &["name", "time", "classname", "group"],
            &["name"],
            &["skipped", "error", "failure", "system-out", "system-err"],
        ),
        "failure" | "error" | "skipped" => (&["type", "message"], &[], &[]),
        "system-out" | "system-err" => (&[], &[], &[]),
        other => panic!("no element is called {other}"),
    }
}

fn assert_admitted(element: &Element) {
    let (may, must, holds) = rules(&element.name);
    for name in element.attributes.keys() {
        assert!(may.contains(&name.as_str()), "{} has no {name}", element.name);
    }
    assert!(must.iter().all(|name| element.attributes.contains_key(*name)), "{element:?}");
    if let Some(time) = element.attributes.get("time") {
        let (whole, part) = time.split_once('.').unwrap_or((time, ""));
        assert!(whole.parse::<u32>().is_ok() && part.len() <= 3, "a time in seconds: {time}");
    }
    for child in &element.children {
        assert!(holds.contains(&child.name.as_str()), "{} in {}", child.name, element.name);
        assert_admitted(child);
    }
}

#[test]
fn junit_is_what_ci_servers_read() {
    for report in reports() {
        let root = xml::read(&junit::render(&report));
        assert_eq!(root.name, "testsuites");
        assert_admitted(&root);
        let mut all = BTreeMap::new();
        for suite in root.of("testsuite") {
            let cases = suite.of("testcase");
            let ended = |kind: &str| cases.iter().filter(|case| !case.of(kind).is_empty()).count();
            let counts = [
                ("tests", cases.len()),
                ("failures", ended("failure")),
                ("errors", ended("error")),
                ("skipped", ended("skipped")),
            ];
            for (name, count) in counts {
                assert_eq!(suite.number(name), count, "{name} of {:?}", suite.attributes);
                *all.entry(name).or_insert(0) += count;
            }
            assert!(
                cases.iter().all(|case| ["failure", "error", "skipped"]
                    .iter()
                    .map(|k| case.of(k).len())
                    .sum::<usize>()
                    <= 1)
            );
        }
        for name in ["tests", "failures", "errors"] {
            assert_eq!(root.number(name), all[name], "{name}");
        }
        let stopped = usize::from(report.stopped.is_some());
        let summary = &report.summary;
        assert_eq!(all["tests"], report.checks.len() + stopped);
        assert_eq!((all["failures"], all["errors"]), (summary.fail, summary.inconclusive + stopped));
        assert_eq!(all["skipped"], summary.waived + summary.not_run + summary.not_applicable);
    }
}

fn texts<'v>(value: &'v Value, path: &str) -> &'v str {
    let text = value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    assert!(!text.is_empty(), "{path} of {value}");
    text
}

fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_else(|| panic!("{path} of {value}"))
}

const LEVELS: [&str; 3] = ["error", "warning", "note"];

/// What the specification of SARIF asks of a rule, and what GitHub code scanning does beside.
fn assert_rule(rule: &Value) {
    for path in ["/id", "/name", "/help/text", "/help/markdown", "/helpUri"] {
        texts(rule, path);
    }
    for path in ["/shortDescription/text", "/fullDescription/text"] {
        assert!(texts(rule, path).len() <= 1024);
    }
    assert!(LEVELS.contains(&texts(rule, "/defaultConfiguration/level")));
    assert!(["very-high", "high", "medium", "low"].contains(&texts(rule, "/properties/precision")));
    let severity: f64 = texts(rule, "/properties/security-severity").parse().unwrap();
    assert!((0.0..=10.0).contains(&severity));
    let tags = list(rule, "/properties/tags");
    assert!((1..=10).contains(&tags.len()) && tags.iter().any(|tag| tag == "security"), "{tags:?}");
}

fn assert_result(result: &Value, rules: &[Value]) {
    let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[at]["id"], result["ruleId"]);
    assert!(LEVELS.contains(&texts(result, "/level")));
    texts(result, "/message/text");
    // One result without a place in a file, and the whole upload is refused.
    let place = "/locations/0/physicalLocation";
    let uri = texts(result, &format!("{place}/artifactLocation/uri"));
    assert!(!uri.starts_with('/') && !uri.contains("://"), "relative to the repository: {uri}");
    assert!(result.pointer(&format!("{place}/region/startLine")).and_then(Value::as_u64).unwrap() >= 1);
    texts(result, "/locations/0/logicalLocations/0/fullyQualifiedName");
    let print = texts(result, "/partialFingerprints/oaudit~1v1");
    assert!(print.len() == 32 && print.chars().all(|c| c.is_ascii_hexdigit()));
    for suppression in result.get("suppressions").and_then(Value::as_array).into_iter().flatten() {
        assert_eq!((texts(suppression, "/kind"), texts(suppression, "/status")), ("external", "accepted"));
        texts(suppression, "/justification");
    }
}

/// No member is null: a schema that admits a text alone refuses one.
fn assert_no_null(value: &Value) {
    match value {
        Value::Null => panic!("null"),
        Value::Array(items) => items.iter().for_each(assert_no_null),
        Value::Object(members) => members.values().for_each(assert_no_null),
        _ => {}
    }
}

#[test]
fn sarif_is_what_code_scanning_takes() {
    for report in reports() {
        let log: Value = serde_json::from_str(&sarif::render(&report, "oaudit.toml")).unwrap();
        assert_no_null(&log);
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(list(&log, "/runs").len(), 1, "one target, one run");
        let run = &log["runs"][0];
        assert_eq!(texts(run, "/tool/driver/name"), "oaudit");
        texts(run, "/tool/driver/semanticVersion");
        assert!(texts(run, "/automationDetails/id").ends_with('/'));
        let rules = list(run, "/tool/driver/rules");
        assert_eq!(rules.len(), report.checks.len(), "every check, so that an alert that is gone closes");
        rules.iter().for_each(assert_rule);
        let results = list(run, "/results");
        results.iter().for_each(|result| assert_result(result, rules));
        let summary = &report.summary;
        assert_eq!(results.len(), summary.fail + summary.warn + summary.note + summary.waived);
        assert_eq!(results.iter().filter(|result| result.get("suppressions").is_some()).count(), summary.waived);
        let told = list(run, "/invocations/0/toolExecutionNotifications");
        let stopped = usize::from(report.stopped.is_some());
        assert_eq!(told.len(), summary.inconclusive + stopped + report.remarks.len());
        told.iter().for_each(|told| {
            assert!(!texts(told, "/message/text").is_empty() && LEVELS.contains(&texts(told, "/level")))
        });
        assert_eq!(run["invocations"][0]["executionSuccessful"], report.stopped.is_none());
    }
}

/// The same defect stays the same alert, whenever it is seen and wherever a file has moved to.
#[test]
fn fingerprints_know_neither_time_nor_line() {
    let prints = |report: &Report, anchor: &str| -> Vec<Value> {
        let log: Value = serde_json::from_str(&sarif::render(report, anchor)).unwrap();
        list(&log, "/runs/0/results").iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    let first = mixed();
    let mut later = mixed();
    later.started_at = "2027-02-03T04:05:06Z".into();
    later.duration_ms += 5000;
    for line in &mut later.checks {
        line.message.push_str(" after 17 ms, line 40");
        line.duration_ms += 99;
        line.evidence.iter_mut().for_each(|id| id.0 = 3);
    }
    later.exchanges.iter_mut().for_each(|exchange| exchange.elapsed_ms += 40);
    let before = prints(&first, "oaudit.toml");
    assert_eq!(before, prints(&later, "deploy/oaudit.toml"));
    let mut different = before.clone();
    different.dedup();
    assert_eq!(different.len(), before.len(), "two defects are two alerts");
}

/// The crate that carries it, since its policies do not let this repository.
static SARIF: Package = package!("sarif-schema" in "../schemas/sarif": "Cargo.toml", "empty.rs");

#[test]
fn sarif_is_as_its_schema_says() {
    let Some(folder) = or_skip("the schema of SARIF", SARIF.of_cargo()) else { return };
    let text = std::fs::read_to_string(folder.join("vendor/serde-sarif/src/schema.json")).unwrap();
    // A slip of the schema: `]?` stands there for `)?`, which is no regular expression to everybody.
    let text = text.replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(schema["$id"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    for report in reports() {
        let log = serde_json::from_str(&sarif::render(&report, "oaudit.toml")).unwrap();
        assert_valid(&schema, &log);
        let mut wrong: Value = log;
        wrong["runs"][0]["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] = "fatal".into();
        assert!(!jsonschema::validator_for(&schema).unwrap().is_valid(&wrong), "the schema says something");
    }
}
