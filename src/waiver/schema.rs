//! The JSON Schema of a baseline, for editors and for whoever writes one by program.

use serde_json::{Value, json};

use super::baseline::VERSION;

/// The schema. `schemas/baseline.json` is this, printed.
pub fn schema() -> Value {
    let day = |says: &str| json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": says });
    let text = |says: &str| json!({ "type": "string", "description": says });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A baseline of oaudit",
        "description": "What failed on a day, so that only what is new fails.",
        "type": "object",
        "required": ["schema_version", "created", "target", "entries"],
        "properties": {
            "schema_version": { "const": VERSION },
            "created": day("The day of its writing."),
            "target": text("What was audited."),
            "entries": {
                "type": "array",
                "description": "What failed, in the order of the report.",
                "items": {
                    "type": "object",
                    "required": ["check", "result", "first_seen", "fingerprint"],
                    "properties": {
                        "check": text("The id of the check."),
                        "what": text("Which variant of it, where it tries several."),
                        "result": { "enum": ["fail", "warn", "note"], "description": "How grave it was." },
                        "first_seen": day("The day on which a baseline had it first."),
                        "fingerprint": text("By what it is known again; of no time, line or number."),
                    },
                },
            },
        },
    })
}

/// The schema as text.
pub fn text() -> String {
    format!("{:#}\n", schema())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::report::tests::mixed;
    use crate::waiver::baseline::Baseline;

    #[test]
    fn the_published_schema_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/baseline.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        let stands = std::fs::read_to_string(path).unwrap_or_default();
        assert!(stands == text(), "schemas/baseline.json is out of date: run `UPDATE=1 cargo test --lib schema`");
    }

    #[test]
    fn what_is_written_is_as_the_schema_says() {
        let baseline = Baseline::of(&mixed(), "https://api.example/mcp", date!(2026 - 11 - 26), &[]);
        assert!(!baseline.entries.is_empty());
        let written: Value = serde_json::from_str(&baseline.text()).unwrap();
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}
