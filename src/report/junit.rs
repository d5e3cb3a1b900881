//! JUnit XML, for CI servers: a suite a topic, a case a check.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::plain::plain;
use super::{CheckLine, Report, ResultKind};

/// The report as JUnit XML. A failed must is a failure, what stayed inconclusive an error, what did not apply or was not
/// run, and what is waived, is skipped; warnings and notes pass and say so in their output. Remarks on the run are the
/// output of the first suite.
pub fn render(report: &Report) -> String {
    let mut suites = Suites::new(format!("oaudit {}", plain(&report.name())));
    suites.set_time(Duration::from_millis(report.duration_ms));
    let mut topics: Vec<&str> = report.checks.iter().map(|c| c.topic).collect();
    topics.dedup();
    for topic in topics {
        let mut suite = TestSuite::new(topic);
        let checks = || report.checks.iter().filter(|c| c.topic == topic);
        suite.set_time(Duration::from_millis(checks().map(|c| c.duration_ms).sum()));
        suite.add_test_cases(checks().map(case));
        suites.add_test_suite(suite);
    }
    if let Some(stopped) = &report.stopped {
        let mut suite = TestSuite::new("audit");
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(plain(&stopped.error).into_owned()).set_description(plain(&stopped.hint).into_owned());
        suite.add_test_case(TestCase::new("the audit came to its end", status));
        suites.add_test_suite(suite);
    }
    if !report.remarks.is_empty() {
        // The root of a file holds suites alone, so the first says what is to be known of all.
        if suites.test_suites.is_empty() {
            suites.add_test_suite(TestSuite::new("audit"));
        }
        let remarks: String = report.remarks.iter().map(|remark| format!("remark: {}\n", plain(remark))).collect();
        suites.test_suites.first_mut().into_iter().for_each(|suite| _ = suite.set_system_out(remarks.clone()));
    }
    without_skipped(suites.to_string().expect("what is written into memory is UTF-8"))
}

/// The schema by which Jenkins reads such a file knows no count of the skipped at its root.
fn without_skipped(mut text: String) -> String {
    let root = text.find("<testsuites").and_then(|at| Some(at..at + text.get(at..)?.find('>')?));
    if let Some(root) = root
        && let Some(begins) = text[root.clone()].find(" skipped=\"").map(|at| root.start + at)
        && let Some(ends) = text[begins..root.end].match_indices('"').nth(1).map(|(at, _)| begins + at + 1)
    {
        text.replace_range(begins..ends, "");
    }
    text
}

fn case(check: &CheckLine) -> TestCase {
    let message = plain(&check.message).into_owned();
    let status = match check.result {
        ResultKind::Pass => TestCaseStatus::success(),
        ResultKind::Warn | ResultKind::Note => TestCaseStatus::success(),
        ResultKind::Fail => told(NonSuccessKind::Failure, &message, check),
        ResultKind::Inconclusive => told(NonSuccessKind::Error, &message, check),
        ResultKind::NotApplicable | ResultKind::NotRun | ResultKind::Waived => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(message.clone());
            status
        }
    };
    let mut case = TestCase::new(check.id, status);
    case.set_classname(format!("oaudit.{}", check.topic)).set_time(Duration::from_millis(check.duration_ms));
    let word = match check.result {
        ResultKind::Warn => "warning: ",
        ResultKind::Note => "note: ",
        _ => "",
    };
    if !word.is_empty() {
        case.set_system_out(format!("{word}{message}\nfix: {}", check.remediation));
    }
    case
}

fn told(kind: NonSuccessKind, message: &str, check: &CheckLine) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let mut text = format!("{}\n{message}\n", check.title);
    for finding in check.findings.iter().filter(|f| f.level.is_some()) {
        text.push_str(&format!("- {}: {}\n", plain(&finding.what), plain(&finding.message)));
    }
    if let Some(broken) = &check.broken {
        text.push_str(&format!("demand: {} ({})\n{}\n", broken.says, broken.citation, broken.url));
    }
    text.push_str(&format!("fix: {}\nmore: oaudit explain {}", check.remediation, check.id));
    status.set_message(message.to_owned()).set_type(check.id).set_description(text);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{mixed, nasty};

    #[test]
    fn each_result_has_its_kind() {
        let xml = render(&mixed());
        assert!(xml.contains("<testsuite name=\"pkce\""), "{xml}");
        for (kind, n) in [("<failure ", 1), ("<error ", 1), ("<skipped ", 3)] {
            assert_eq!(xml.matches(kind).count(), n, "{kind}\n{xml}");
        }
        assert!(xml.contains("warning: "), "{xml}");
    }

    #[test]
    fn nothing_of_a_target_breaks_out() {
        let xml = render(&nasty());
        assert!(!xml.contains("<script>") && !xml.contains('\u{1b}') && !xml.contains("]]>"), "{xml}");
        assert!(!xml.chars().any(|c| c.is_control() && c != '\n'), "{xml:?}");
    }
}
