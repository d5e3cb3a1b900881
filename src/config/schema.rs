//! The JSON Schema of `oaudit.toml`, made of the list of keys that the reader goes by, so that the two cannot part.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, Key, Kind};
use crate::front::steps::{LONGEST_SLEEP, PlainStep};

/// The schema. `schemas/config.json` is this, printed.
pub fn schema() -> Value {
    let mut schema = table(KEYS);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("The configuration of oaudit");
    schema
}

/// The schema as text.
pub fn text() -> String {
    format!("{:#}\n", schema())
}

fn table(keys: &[Key]) -> Value {
    let members: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), member(key))).collect();
    let needed: Vec<&str> = keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    json!({ "type": "object", "properties": members, "required": needed, "additionalProperties": false })
}

/// A step of a login page. That it does one thing is for the reader to say.
fn step() -> Value {
    let kind = |name: &str| match name {
        "auto" | "optional" => json!({ "type": "boolean" }),
        "sleep" => json!({ "type": "number", "minimum": 0, "maximum": LONGEST_SLEEP }),
        _ => json!({ "type": "string" }),
    };
    let members: Map<String, Value> = PlainStep::KEYS.iter().map(|name| ((*name).to_owned(), kind(name))).collect();
    json!({ "type": "object", "properties": members, "additionalProperties": false })
}

fn member(key: &Key) -> Value {
    let line = || json!({ "type": "string", "pattern": r"^[^\n]*\S[^\n]*$" });
    let mut member = match key.kind {
        Kind::Text | Kind::Path | Kind::Uri | Kind::Program => line(),
        Kind::Body => json!({ "type": "string" }),
        Kind::Address => json!({ "type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://[^/?#@]+([/?#].*)?$" }),
        Kind::Proxy => json!({ "type": "string", "pattern": "^[a-zA-Z0-9]+://[^@]+$" }),
        Kind::Variable => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
        Kind::Paths | Kind::Texts | Kind::Resolved => json!({ "type": "array", "items": line() }),
        Kind::Count(least, u64::MAX) => json!({ "type": "integer", "minimum": least }),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Day => json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Table(keys) => table(keys),
        Kind::Tables(keys) => json!({ "type": "array", "items": table(keys) }),
        Kind::Steps => json!({ "type": "array", "items": step() }),
    };
    member["description"] = json!(key.says);
    member
}
