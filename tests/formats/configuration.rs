//! What editors check a configuration by takes what the reader takes: a file with every key, what `oaudit init` writes, and
//! every example of the documentation.

use oaudit::config::draft::Draft;
use serde_json::{Value, json};

use crate::schemas::{assert_valid, file, folder};

fn read(toml: &str) -> Value {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

/// What `oaudit init` writes, with every key that is a comment in force.
fn every_key() -> Value {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    read(&Draft::default().text().lines().map(line).collect::<String>())
}

/// The value with each of its leaves, and each of its tables, changed by itself: where, and the whole.
fn changed(whole: &Value, path: &str, change: &impl Fn(&mut Value)) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let inner: Vec<String> = match whole.pointer(path) {
        Some(Value::Object(members)) => members.keys().map(|name| format!("{path}/{name}")).collect(),
        Some(Value::Array(items)) if items.iter().any(Value::is_object) => vec![format!("{path}/0")],
        _ => Vec::new(),
    };
    inner.iter().for_each(|inner| all.extend(changed(whole, inner, change)));
    let mut other = whole.clone();
    change(other.pointer_mut(path).unwrap());
    if other != *whole {
        all.push((path.to_owned(), other));
    }
    all
}

#[test]
fn every_key_is_in_the_schema_and_no_other() {
    let schema = file("schemas/config.json");
    let whole = every_key();
    assert_valid(&schema, &whole);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let unknown = |value: &mut Value| {
        if let Some(members) = value.as_object_mut() {
            members.insert("unknown_key".into(), true.into());
        }
    };
    let wrong = |value: &mut Value| {
        if !value.is_object() {
            *value = json!({ "of": ["another", "kind"] });
        }
    };
    let with_unknown = changed(&whole, "", &unknown);
    let with_wrong = changed(&whole, "", &wrong);
    assert!(with_unknown.len() > 12 && with_wrong.len() > 60, "{} and {}", with_unknown.len(), with_wrong.len());
    for (path, instance) in with_unknown.into_iter().chain(with_wrong) {
        assert!(!validator.is_valid(&instance), "the schema takes what the reader does not, at {path}");
    }
}

#[test]
fn a_waiver_has_a_reason_and_a_day() {
    let schema = file("schemas/config.json");
    let waive = json!({ "check": "a/b", "reason": "known", "until": "2027-03-01", "owner": "us" });
    assert_valid(&schema, &json!({ "target": "https://api.example.com/mcp", "waive": [waive] }));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for bad in [r#"{"check":"a/b"}"#, r#"{"reason":"x"}"#, r#"{"check":"a/b","reason":"x","until":"March"}"#] {
        let waive: Value = serde_json::from_str(bad).unwrap();
        assert!(!validator.is_valid(&json!({ "waive": [waive] })), "{bad}");
    }
}

#[test]
fn every_example_of_the_documentation_is_as_its_schema_says() {
    let (config, rule) = (file("schemas/config.json"), file("schemas/rule.json"));
    let mut files: Vec<_> = std::fs::read_dir(folder().join("docs")).unwrap().map(|e| e.unwrap().path()).collect();
    files.push(folder().join("README.md"));
    let (mut configurations, mut rules) = (0, 0);
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(path).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let value = read(block.split("```").next().unwrap());
            match value.get("expect") {
                Some(_) => rules += 1,
                None => configurations += 1,
            }
            assert_valid(if value.get("expect").is_some() { &rule } else { &config }, &value);
        }
    }
    assert!(configurations >= 6 && rules >= 1, "{configurations} configurations, {rules} rules");
}
