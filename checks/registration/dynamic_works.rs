//! A client that registers learns what it is, and what was registered.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Registration};
use crate::registration::Registered;
use crate::wire::Reply;

const ANSWER: Demand =
    demand("A registration is answered 201, in JSON, with a client_id.", &[must(Document::Rfc7591, "3.2.1")]);
const ECHO: Demand = demand(
    "The answer says everything that was registered, also what the server chose itself.",
    &[must(Document::Rfc7591, "3.2.1")],
);
const EXPIRY: Demand =
    demand("A client_secret comes with client_secret_expires_at; 0 means never.", &[must(Document::Rfc7591, "3.2.1")]);
const NO_STORE: Demand = demand(
    "An answer with credentials in it carries Cache-Control: no-store.",
    &[must(Document::Rfc6749, "5.1"), must(Document::OAuth21, "3.2.3")],
);

/// Reads the registration that the audit made for itself.
pub struct DynamicWorks;

impl Check for DynamicWorks {
    type Needs = Registration;
    const CARD: Card = Card {
        id: "registration/dynamic-works",
        demands: &[ANSWER, ECHO, EXPIRY, NO_STORE],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("dynamic_works.md"),
    };

    async fn run(Registration(registered): Registration, cx: &Context) -> Outcome {
        let lines = judge(&registered);
        let mut ruling = cx.fold(lines, "201, in JSON, with client_id and what was registered");
        for (member, said) in replaced(&registered) {
            ruling = ruling.noting(member, Verdict::not_applicable(said));
        }
        Ok(ruling.shown_by([registered.reply.id]))
    }
}

fn judge(registered: &Registered) -> Vec<Finding> {
    let reply = &registered.reply;
    let json = reply.json().unwrap_or_default();
    let mut lines = vec![
        Finding::new("the status", judge_status(reply.status)),
        Finding::new("the media type", judge_type(&reply.media_type())),
        Finding::new("client_id", judge_id(&json)),
    ];
    // Members that every registration has: what is left out counts with its default (RFC 7591 section 2).
    for member in ["redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types"] {
        lines.push(Finding::new(member, judge_echo(&json, member)));
    }
    lines.push(Finding::new("client_secret_expires_at", judge_expiry(&json)));
    lines.push(Finding::new("Cache-Control", judge_cache(&json, reply)));
    lines
}

fn judge_status(status: u16) -> Verdict {
    match status {
        201 => Verdict::pass("201"),
        status => Verdict::fail(ANSWER, format!("the registration was answered {status}; 201 is due")),
    }
}

fn judge_type(media_type: &str) -> Verdict {
    match media_type {
        "application/json" => Verdict::pass("application/json"),
        other => Verdict::fail(ANSWER, format!("the answer is \"{other}\"; application/json is due")),
    }
}

fn judge_id(json: &Value) -> Verdict {
    match json.get("client_id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Verdict::pass("it is there"),
        _ => Verdict::fail(ANSWER, "the answer has no client_id that is text"),
    }
}

fn judge_echo(json: &Value, member: &str) -> Verdict {
    let plural = member != "token_endpoint_auth_method";
    match json.get(member) {
        None | Some(Value::Null) => Verdict::fail(ECHO, format!("the answer does not say {member}")),
        Some(Value::Array(_)) if plural => Verdict::pass("it is said"),
        Some(Value::String(_)) if !plural => Verdict::pass("it is said"),
        Some(_) => Verdict::fail(ECHO, format!("{member} is {}", if plural { "no array" } else { "no text" })),
    }
}

fn judge_expiry(json: &Value) -> Verdict {
    match (json.get("client_secret"), json.get("client_secret_expires_at")) {
        (None | Some(Value::Null), _) => Verdict::not_applicable("no client_secret was issued"),
        (Some(_), Some(Value::Number(_))) => Verdict::pass("it stands beside the client_secret"),
        (Some(_), None) => Verdict::fail(EXPIRY, "a client_secret came without client_secret_expires_at"),
        (Some(_), Some(_)) => Verdict::fail(EXPIRY, "client_secret_expires_at is no number"),
    }
}

fn judge_cache(json: &Value, reply: &Reply) -> Verdict {
    let credentials = ["client_secret", "registration_access_token"];
    let Some(held) = credentials.into_iter().find(|name| json.get(name).is_some_and(Value::is_string)) else {
        return Verdict::not_applicable("the answer holds no credentials");
    };
    let values = reply.header_all("cache-control");
    match values.iter().flat_map(|v| v.split(',')).any(|d| d.trim().eq_ignore_ascii_case("no-store")) {
        true => Verdict::pass("no-store"),
        false => Verdict::fail(NO_STORE, format!("the answer holds a {held} and may be stored by caches")),
    }
}

/// What the server registered otherwise than it was asked, as it may, or says nothing about.
fn replaced(registered: &Registered) -> Vec<(String, &'static str)> {
    let json = registered.reply.json().unwrap_or_default();
    let asked = registered.asked.as_object().into_iter().flatten();
    asked
        .filter_map(|(member, value)| match json.get(member) {
            Some(said) if said == value => None,
            Some(_) => Some((member.clone(), "the server registered something else than was asked for, as it may")),
            None if ["client_name", "scope"].contains(&member.as_str()) => {
                Some((member.clone(), "the server did not register it, or does not say so"))
            }
            None => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;
    use serde_json::json;

    fn of(status: u16, cache: &str, change: Value) -> Vec<(String, Verdict)> {
        let mut body = json!({
            "client_id": "c", "redirect_uris": ["http://127.0.0.1/cb"], "grant_types": ["authorization_code"],
            "response_types": ["code"], "token_endpoint_auth_method": "none",
        });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        let headers = [("content-type", "application/json; charset=utf-8"), ("cache-control", cache)];
        let registered = Registered { asked: json!({}), reply: reply(status, &headers, &body.to_string()) };
        let failed = |f: &Finding| matches!(f.verdict, Verdict::Fail(..));
        judge(&registered).into_iter().filter(failed).map(|f| (f.what, f.verdict)).collect()
    }

    fn names(lines: &[(String, Verdict)]) -> Vec<&str> {
        lines.iter().map(|(what, _)| what.as_str()).collect()
    }

    #[test]
    fn a_sound_answer() {
        assert!(of(201, "", json!({})).is_empty());
        assert!(of(201, "no-store", json!({"client_secret": "s", "client_secret_expires_at": 0})).is_empty());
    }

    #[test]
    fn each_part_fails_by_itself() {
        assert_eq!(names(&of(200, "", json!({}))), ["the status"]);
        assert_eq!(names(&of(201, "", json!({"redirect_uris": null}))), ["redirect_uris"]);
        assert_eq!(names(&of(201, "", json!({"grant_types": "authorization_code"}))), ["grant_types"]);
        let secret = json!({"client_secret": "s"});
        assert_eq!(names(&of(201, "private", secret)), ["client_secret_expires_at", "Cache-Control"]);
        assert_eq!(names(&of(201, "", json!({"registration_access_token": "t"}))), ["Cache-Control"]);
    }
}
