//! The JSON Schema of rule files, made of the same lists that the loader reads, so that the two cannot part.

use serde_json::{Map, Value, json};

use super::load::{CONDITION, EXAMPLE, EXPECTATION, IMPACTS, LEVELS, OUTCOMES, REQUIREMENT, RULE};
use super::predicate::{Predicate, Type};
use super::subject::Subject;
use crate::document::{Document, McpVersion};

/// The schema. `schemas/rule.json` is this, printed.
pub fn schema() -> Value {
    let mut rule =
        table(&RULE, &["title", "document", "requires", "impact", "why", "remediation", "expect", "example"]);
    rule["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    rule["title"] = json!("A look-only rule of oaudit");
    rule
}

/// The schema as text.
pub fn text() -> String {
    format!("{:#}\n", schema())
}

/// A table that has no keys but these.
fn table(known: &[&str], needed: &[&str]) -> Value {
    let members: Map<String, Value> = known.iter().map(|key| ((*key).to_owned(), member(key))).collect();
    json!({ "type": "object", "properties": members, "required": needed, "additionalProperties": false })
}

/// What may stand under a key. A key means the same wherever it stands, but for the document of a requirement.
fn member(key: &str) -> Value {
    match key {
        "title" => text_saying("The property that should hold, so that both pass and FAIL read right beside it."),
        "document" => choice(&names(&Subject::ALL), "What is looked at."),
        "requires" => list(requirement(), "Who demands it, each at a level of its own."),
        "impact" => choice(&names(&IMPACTS), "How bad a failure is."),
        "why" => text_saying("Why it matters."),
        "remediation" => text_saying("How to fix it; the first paragraph in one sentence."),
        "when" => list(conditions(&CONDITION), "Unless all of these hold, the rule is not applicable."),
        "expect" => list(conditions(&[&CONDITION[..], &EXPECTATION].concat()), "What is expected of the document."),
        "example" => list(table(&EXAMPLE, &["verdict", "given"]), "Run on every load; at least a pass and a fail."),
        "section" => text_saying("The section, as the document numbers or names it."),
        "level" => choice(&names(&LEVELS), "How binding it is."),
        "since" => choice(&McpVersion::ALL.map(McpVersion::as_str), "The first revision of MCP that says so."),
        "until" => choice(&McpVersion::ALL.map(McpVersion::as_str), "The last revision of MCP that says so."),
        "at" => json!({
            "type": "string", "pattern": "^(/([^~]|~[01])*)?$",
            "description": "A JSON Pointer; * walks an array or an object.",
        }),
        "optional" => json!({ "type": "boolean", "description": "Nothing is asked where nothing is." }),
        "message" => text_saying("What it means if it does not hold; stands behind what was seen."),
        "verdict" => choice(&names(&OUTCOMES), "What the example comes out as."),
        "given" => json!({ "type": "string", "description": "The document, JSON." }),
        "issuer" => json!({ "type": "string", "description": "The issuer, for same-origin-as-issuer." }),
        predicate => asked(predicate),
    }
}

fn asked(predicate: &str) -> Value {
    match predicate {
        "type" => choice(&names(&Type::ALL), "It has this type."),
        "equals" => json!({ "description": "It is this value." }),
        "contains" => json!({ "description": "It lists this value: an item of an array, a word of a string." }),
        "one-of" => list(json!({}), "It is one of these values."),
        "contains-none-of" => list(json!({}), "It lists none of these values."),
        "only" => list(json!({}), "It lists nothing but these values."),
        "matches" => json!({ "type": "string", "maxLength": 1000, "description": "This regular expression finds it." }),
        "at-most" => json!({ "type": "number", "description": "The number, or how much is in it, is no larger." }),
        "at-least" => json!({ "type": "number", "description": "The number, or how much is in it, is no smaller." }),
        _ => {
            let says = match predicate {
                "exists" => "It is there.",
                "absent" => "It is not there.",
                "https" => "It is an https URL, or plain http on loopback.",
                "same-origin-as-issuer" => "It is a URL on the origin of the issuer.",
                _ => "No other place that * leads to has the same value.",
            };
            json!({ "const": true, "description": says })
        }
    }
}

fn requirement() -> Value {
    let mut table = table(&REQUIREMENT, &["document", "section", "level"]);
    let documents: Vec<&str> = Document::ALL.iter().map(|d| d.slug()).collect();
    table["properties"]["document"] = choice(&documents, "The document; house is whoever runs the audit.");
    table
}

fn conditions(keys: &[&str]) -> Value {
    let mut table = table(&[keys, &Predicate::NAMES].concat(), &["at"]);
    table["anyOf"] = Predicate::NAMES.iter().map(|name| json!({ "required": [name] })).collect();
    table
}

fn list(items: Value, says: &str) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items, "description": says })
}

fn choice(names: &[&str], says: &str) -> Value {
    json!({ "enum": names, "description": says })
}

fn text_saying(says: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": says })
}

fn names<T>(all: &[(&'static str, T)]) -> Vec<&'static str> {
    all.iter().map(|(name, _)| *name).collect()
}
