//! The JSON Schema of the JSON report, version 1, for whoever reads reports by program.
//!
//! Members may be added within a version, so a reader has to take those that it does not know.

use serde_json::{Map, Value, json};

use crate::clients::Answer;

/// The schema. `schemas/report.json` is this, printed.
pub fn schema() -> Value {
    let mut schema = object(
        "A report of oaudit, version 1. It holds no secret: labels such as {code 2} stand in their places.",
        &[
            ("schema_version", json!({ "const": 1 })),
            (
                "tool",
                object("Who made the report.", &[("name", text("oaudit.")), ("version", text("Its version."))], &[]),
            ),
            ("started_at", text("RFC 3339, UTC.")),
            ("duration_ms", count("Milliseconds.")),
            ("target", target()),
            ("profile", profile()),
            ("summary", summary()),
            ("checks", list(check(), "Every selected check, in the order of the catalogue.")),
            ("exchanges", list(exchange(), "What was sent and came back.")),
            ("checklist", list(checklist(), "The approval checklist, where the profile has one.")),
            ("clients", list(client(), "What is known of well-known clients; advice.")),
            ("left_behind", list(text(""), "What could not be removed from the server.")),
            ("remarks", list(text(""), "What a reader must know about the run.")),
            ("discovery", discovery()),
            ("sign_in", sign_in()),
        ],
        &[
            (
                "stopped",
                object(
                    "What ended the audit early.",
                    &[("error", text("What happened.")), ("hint", text("What to type next."))],
                    &[],
                ),
            ),
            (
                "journal",
                text(
                    "The journal, on the machine of the run, by which `oaudit cleanup` tries again what was left behind.",
                ),
            ),
        ],
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A report of oaudit");
    schema
}

/// The schema as text.
pub fn text_of_it() -> String {
    format!("{:#}\n", schema())
}

const LEVELS: [&str; 3] = ["must", "should", "advice"];
const VERDICTS: [&str; 5] = ["pass", "fail", "not-applicable", "inconclusive", "not-run"];
const RESULTS: [&str; 8] = ["pass", "fail", "warn", "note", "not-applicable", "inconclusive", "not-run", "waived"];

fn target() -> Value {
    object(
        "What was audited.",
        &[("resource", maybe("The protected resource.")), ("issuer", maybe("The issuer identifier."))],
        &[],
    )
}

fn profile() -> Value {
    object(
        "The documents in force.",
        &[
            ("name", text("Its name.")),
            ("mcp_version", text("The revision of MCP.")),
            ("documents", list(text(""), "The documents, by their short names.")),
        ],
        &[],
    )
}

fn summary() -> Value {
    let counts = [
        ("pass", "Held."),
        ("fail", "Failed musts."),
        ("warn", "Failed shoulds."),
        ("note", "Failed advice."),
        ("inconclusive", "Could not be found out."),
        ("not_run", "Left out."),
        ("not_applicable", "Not offered by the server."),
        ("waived", "Failed, and accepted by the configuration or by a baseline."),
        ("logins", "How often somebody logged in."),
        ("authorizations", "Authorization requests made with the session."),
        ("requests", "Requests in all."),
    ];
    let mut members: Vec<(&str, Value)> = counts.map(|(name, says)| (name, count(says))).to_vec();
    members.push(("complete", json!({ "type": "boolean", "description": "Nothing in force is inconclusive." })));
    members.push(("exit_code", count("The exit code.")));
    object("The counts.", &members, &[])
}

fn check() -> Value {
    object(
        "A check with its verdict.",
        &[
            ("id", text("topic/property.")),
            ("title", text("The property that should hold.")),
            ("topic", text("The first part of the id.")),
            ("verdict", choice(&VERDICTS, "What was found out.")),
            ("result", choice(&RESULTS, "The same, seen through the profile.")),
            ("level", choice(&LEVELS, "Of what was broken, else the strongest in force.")),
            ("impact", choice(&["critical", "high", "medium", "low"], "How bad a failure is.")),
            ("message", text("What was seen, in one sentence.")),
            ("remediation", text("How to fix it.")),
            ("requirements", list(requirement(&[]), "Who demands it.")),
            ("evidence", list(count(""), "The ids of the exchanges that led to the verdict.")),
            ("duration_ms", count("Milliseconds.")),
        ],
        &[
            ("how_to_run", text("What to type to have it run; not run only.")),
            ("broken", requirement(&["says", "citation"])),
            ("waiver", waiver()),
            ("findings", list(finding(), "The lines of a check of many variants, in the order tried.")),
        ],
    )
}

/// A sentence of a document: `title` where it is cited, what it says where it was broken.
fn requirement(of_broken: &[&str]) -> Value {
    let further: &[&str] = if of_broken.is_empty() { &["title"] } else { of_broken };
    let mut members = vec![
        ("document", text("The short name of the document.")),
        ("section", text("The section.")),
        ("level", choice(&LEVELS, "How binding it is.")),
        ("url", text("Where it can be read.")),
    ];
    members.extend(further.iter().map(|name| (*name, text("In words."))));
    object("A requirement.", &members, &[])
}

fn waiver() -> Value {
    let days = json!({ "type": "integer", "minimum": 0, "description": "Days since then." });
    object(
        "Why a failure is accepted; waived only.",
        &[("by", choice(&["configuration", "baseline"], "By what.")), ("reason", text("The reason."))],
        &[
            ("until", text("The last day on which it is, 2027-03-01.")),
            ("owner", text("Who answers for it.")),
            ("first_seen", text("The day on which a baseline had it first.")),
            ("age_days", days),
        ],
    )
}

fn finding() -> Value {
    let number = json!({ "type": "number", "description": "The number." });
    object(
        "A variant that was tried.",
        &[
            ("what", text("The variant.")),
            ("verdict", choice(&VERDICTS, "What it gave.")),
            ("message", text("What was seen.")),
        ],
        &[
            ("level", choice(&LEVELS, "Of the demand that it broke.")),
            ("measured", object("What was measured.", &[("value", number), ("unit", text("s, bit, days."))], &[])),
            ("evidence", list(count(""), "The exchanges that show it.")),
        ],
    )
}

fn exchange() -> Value {
    let pair = json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "string" }], "minItems": 2, "maxItems": 2 });
    let headers = || list(pair.clone(), "Names in lower case, values; in the order of the wire.");
    object(
        "A request and what came back.",
        &[
            ("id", count("Its number, from 1.")),
            ("check", text("Who sent it: a check, or a part of the audit.")),
            (
                "request",
                object(
                    "The request.",
                    &[
                        ("method", text("TLS for a handshake alone.")),
                        ("url", text("The address.")),
                        ("headers", headers()),
                    ],
                    &[("body", text("The body, cut where it is long."))],
                ),
            ),
            ("at_ms", count("Milliseconds from the start of the run to the sending.")),
            ("elapsed_ms", count("Milliseconds to the end of the body.")),
            ("curl", text("The same request as a curl line.")),
        ],
        &[
            (
                "response",
                object(
                    "The answer.",
                    &[
                        ("status", count("0 for a handshake.")),
                        ("headers", headers()),
                        ("body", text("Cut where it is long.")),
                    ],
                    &[],
                ),
            ),
            ("trouble", text("Why nothing came back.")),
        ],
    )
}

fn checklist() -> Value {
    object(
        "A point of the approval checklist.",
        &[
            ("section", text("Its heading.")),
            ("item", text("The point.")),
            ("result", choice(&RESULTS, "The answer.")),
            ("because", text("What it rests on.")),
            ("checks", list(text(""), "The checks that decide it.")),
        ],
        &[],
    )
}

fn client() -> Value {
    let answers = [Answer::Yes, Answer::No, Answer::Unknown].map(Answer::as_str);
    object(
        "A client, and whether it will connect.",
        &[
            ("client", text("Its name.")),
            ("connects", choice(&answers, "Whether it will connect.")),
            ("because", text("Why.")),
            ("as_of", text("The month of what is known of it.")),
            (
                "needs",
                list(
                    object(
                        "One thing that it needs.",
                        &[
                            ("about", text("What it is about.")),
                            ("answer", choice(&answers, "Whether the server gives it.")),
                            ("because", text("What was seen.")),
                            ("grade", choice(&["primary", "quoted", "observed"], "How well the need is known.")),
                        ],
                        &[],
                    ),
                    "What the answer rests on.",
                ),
            ),
        ],
        &[],
    )
}

fn discovery() -> Value {
    let any = |says: &str| json!({ "description": format!("{says}; null where it was not found.") });
    object(
        "The documents as they were found.",
        &[
            ("resource_metadata", any("By RFC 9728")),
            ("server_metadata", any("By RFC 8414 or OpenID Connect")),
            ("jwks", any("The key set")),
        ],
        &[],
    )
}

fn sign_in() -> Value {
    object(
        "How the audit signed in.",
        &[
            ("agent", maybe("The agent.")),
            ("client", maybe("client_id.")),
            ("registration", maybe("How we came by the client, and how it authenticates.")),
            ("scope", maybe("The scopes that were asked for.")),
        ],
        &[],
    )
}

fn object(says: &str, always: &[(&str, Value)], sometimes: &[(&str, Value)]) -> Value {
    let members: Map<String, Value> =
        always.iter().chain(sometimes).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<&str> = always.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "description": says, "properties": members, "required": required })
}

fn list(items: Value, says: &str) -> Value {
    json!({ "type": "array", "items": items, "description": says })
}

fn text(says: &str) -> Value {
    described(json!({ "type": "string" }), says)
}

fn maybe(says: &str) -> Value {
    described(json!({ "type": ["string", "null"] }), says)
}

fn count(says: &str) -> Value {
    described(json!({ "type": "integer", "minimum": 0 }), says)
}

fn choice(words: &[&str], says: &str) -> Value {
    described(json!({ "enum": words }), says)
}

fn described(mut schema: Value, says: &str) -> Value {
    if !says.is_empty() {
        schema["description"] = json!(says);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/report.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, text_of_it()).unwrap();
        }
        let stands = std::fs::read_to_string(path).unwrap_or_default();
        assert!(stands == text_of_it(), "schemas/report.json is out of date: run `UPDATE=1 cargo test --lib schema`");
    }
}
