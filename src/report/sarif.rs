//! SARIF 2.1.0, for code scanning: a result for every finding, each with a place in a file, because code-scanning sites
//! refuse a whole upload for one result without.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::plain::{escaped, plain};
use super::{CheckLine, Report, ResultKind};
use crate::check::{Impact, Level};

/// The place that findings are shown at: a server has no lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchor {
    /// A file, relative to the root of the repository.
    pub file: String,
    /// A line of it, from 1.
    pub line: usize,
    /// Whether there is such a file; if not, that is said.
    pub is_there: bool,
}

impl From<&str> for Anchor {
    fn from(file: &str) -> Self {
        Self { file: file.into(), line: 1, is_there: true }
    }
}

/// The report as SARIF.
pub fn render(report: &Report, anchor: impl Into<Anchor>) -> String {
    let anchor = &anchor.into();
    let results: Vec<Value> =
        report.checks.iter().enumerate().filter_map(|(at, check)| result(check, at, report, anchor)).collect();
    let nowhere = (!anchor.is_there && !results.is_empty()).then(|| {
        let file = &anchor.file;
        notification(
            "note",
            &format!(
                "Findings are shown at {file}, and there is none: a server is no file, and code \
            scanning demands one. Name another by --sarif-anchor, or put the target into {file}."
            ),
            None,
        )
    });
    let stopped = report.stopped.iter().map(|s| notification("error", &format!("{} {}", s.error, s.hint), None));
    let undecided = report.checks.iter().filter(|c| c.result == ResultKind::Inconclusive);
    let undecided = undecided.map(|c| notification("warning", &c.message, Some(c.id)));
    let remarks = report.remarks.iter().map(|remark| notification("note", remark, None));
    let notifications: Vec<Value> = stopped.chain(undecided).chain(remarks).chain(nowhere).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                // Every rule in every run, so that a finding that is gone closes its alert.
                "rules": report.checks.iter().map(rule).collect::<Vec<_>>(),
            }},
            "automationDetails": { "id": format!("oaudit/{}/", plain(&report.name())) },
            "invocations": [{
                "executionSuccessful": report.stopped.is_none(),
                "exitCode": report.summary.exit_code,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    });
    escaped(format!("{log:#}\n"))
}

fn rule(check: &CheckLine) -> Value {
    let requirements: Vec<String> =
        check.requirements.iter().map(|r| format!("- {} section {}: {}", r.title, r.section, r.url)).collect();
    let help = format!("{}\n\n`oaudit explain {}`\n\n{}", check.remediation, check.id, requirements.join("\n"));
    json!({
        "id": check.id,
        "name": check.id.replace('/', "."),
        "shortDescription": { "text": check.title },
        "fullDescription": { "text": check.title },
        "help": { "text": help, "markdown": help },
        "helpUri": check.requirements.first().map_or("https://oauth.net/2.1/", |r| r.url.as_str()),
        "defaultConfiguration": { "level": level(check.level) },
        "properties": {
            "tags": ["security", "oauth", check.topic],
            "precision": "high",
            "security-severity": severity(check.impact),
        },
    })
}

fn result(check: &CheckLine, at: usize, report: &Report, anchor: &Anchor) -> Option<Value> {
    let failed = [ResultKind::Fail, ResultKind::Warn, ResultKind::Note, ResultKind::Waived];
    if !failed.contains(&check.result) {
        return None;
    }
    let seen = plain(&check.message);
    let mut message = format!("{}: {}.", check.title, seen.trim_end_matches('.'));
    if let Some(broken) = &check.broken {
        message.push_str(&format!(" Demand: {} ({})", broken.says, broken.citation));
    }
    message.push_str(&format!(" Fix: {}", check.remediation));
    let mut result = json!({
        "ruleId": check.id,
        "ruleIndex": at,
        "level": level(check.level),
        "message": { "text": message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": anchor.file, "uriBaseId": "%SRCROOT%" },
                "region": { "startLine": anchor.line },
            },
            "logicalLocations": [{
                "fullyQualifiedName": plain(&endpoint(check, report)), "kind": "resource",
            }],
        }],
        // Neither lines nor times nor words of the message: the same defect stays the same alert.
        "partialFingerprints": { "oaudit/v1": fingerprint(check, report) },
    });
    if check.result == ResultKind::Waived {
        let reason = check.waiver.as_ref().map_or(check.message.as_str(), |waiver| waiver.reason.as_str());
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": plain(reason) }]);
    }
    Some(result)
}

/// The address that the last piece of evidence is about, without its query; else what was audited.
fn endpoint(check: &CheckLine, report: &Report) -> String {
    let last = check.evidence.last().and_then(|id| report.exchanges.iter().find(|e| e.id == *id));
    let address = last.map(|e| e.request.url.split(['?', '#']).next().unwrap_or_default().to_owned());
    address.unwrap_or_else(|| report.name())
}

fn fingerprint(check: &CheckLine, report: &Report) -> String {
    let target = report.name();
    let broken = check.broken.as_ref().map_or("", |b| b.says);
    let digest = Sha256::digest(format!("{}\n{target}\n{broken}", check.id));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn notification(level: &str, text: &str, rule: Option<&str>) -> Value {
    let mut notification = json!({ "level": level, "message": { "text": plain(text) } });
    if let Some(id) = rule {
        notification["associatedRule"] = json!({ "id": id });
    }
    notification
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::Advice => "note",
    }
}

/// The score by which code-scanning sites sort: above 9 critical, from 7 high, from 4 medium.
fn severity(impact: Impact) -> &'static str {
    match impact {
        Impact::Critical => "9.5",
        Impact::High => "8.0",
        Impact::Medium => "5.5",
        Impact::Low => "3.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::mixed;

    fn log(report: &Report) -> Value {
        serde_json::from_str(&render(report, "oaudit.toml")).unwrap()
    }

    #[test]
    fn every_result_has_a_place_and_a_rule() {
        let report = mixed();
        let log = log(&report);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), report.checks.len());
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 4, "fail, warn, note, waived");
        for result in results {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[at]["id"], result["ruleId"]);
            assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "oaudit.toml");
            assert_eq!(result["partialFingerprints"]["oaudit/v1"].as_str().unwrap().len(), 32);
        }
        assert_eq!(results.iter().filter(|r| r.get("suppressions").is_some()).count(), 1);
        let told = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(told.len(), 2, "what is undecided, and a remark");
    }

    #[test]
    fn the_place_is_the_line_and_a_place_that_is_none_is_said() {
        let anchor = Anchor { file: "deploy/oaudit.toml".into(), line: 7, is_there: false };
        let log: Value = serde_json::from_str(&render(&mixed(), anchor)).unwrap();
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], 7);
        let told = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        let said = told.last().unwrap()["message"]["text"].as_str().unwrap();
        assert!(said.contains("deploy/oaudit.toml, and there is none"), "{said}");
    }

    #[test]
    fn the_same_defect_keeps_its_fingerprint() {
        let (first, mut later) = (mixed(), mixed());
        later.started_at = "2027-01-01T00:00:00Z".into();
        later.checks.iter_mut().for_each(|c| c.message.push_str(" after 3 ms"));
        let prints = |report: &Report| -> Vec<Value> {
            let log = log(report);
            log["runs"][0]["results"].as_array().unwrap().iter().map(|r| r["partialFingerprints"].clone()).collect()
        };
        assert_eq!(prints(&first), prints(&later));
    }
}
