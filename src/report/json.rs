//! The JSON report, version 1: the members of [`Report`], as they are.

use super::Report;

/// The report as one JSON document.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report holds nothing that JSON cannot say");
    text.push('\n');
    text
}
