//! The JSON report, version 1: the members of [`Report`], as they are; and the way back.

use serde_json::Value;

use super::Report;
use super::plain::escaped;

/// The version that is written.
pub const VERSION: u64 = 1;

/// The report as one JSON document.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report holds nothing that JSON cannot say");
    text.push('\n');
    escaped(text)
}

/// Why a text is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or JSON of something else.
    #[error("this is no report of oaudit: {0}")]
    NoReport(String),
    /// Written by a later version.
    #[error("this report has version {0} of the format, and this oaudit knows version {VERSION} alone")]
    Later(u64),
}

impl Unreadable {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoReport(_) => "give a file that `oaudit audit … -o json=FILE` wrote",
            Self::Later(_) => "use the version of oaudit that wrote it, or a newer one",
        }
    }
}

/// Reads a report back.
pub fn read(text: &str) -> Result<Report, Unreadable> {
    let value: Value = serde_json::from_str(text).map_err(|e| Unreadable::NoReport(e.to_string()))?;
    match value.get("schema_version").and_then(Value::as_u64) {
        Some(VERSION) => serde_json::from_value(value).map_err(|e| Unreadable::NoReport(e.to_string())),
        Some(later) if later > VERSION => Err(Unreadable::Later(later)),
        _ => Err(Unreadable::NoReport("it has no schema_version".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::mixed;

    #[test]
    fn what_was_written_is_read_back() {
        let report = mixed();
        let text = render(&report);
        assert_eq!(render(&read(&text).unwrap()), text);
    }

    #[test]
    fn what_is_no_report_is_told_apart_from_a_later_one() {
        for text in ["", "{", "[]", "{}", "null", r#"{"schema_version":1}"#, r#"{"schema_version":"1"}"#] {
            assert!(matches!(read(text), Err(Unreadable::NoReport(_))), "{text}");
        }
        assert_eq!(read(r#"{"schema_version":2}"#).unwrap_err(), Unreadable::Later(2));
    }
}
