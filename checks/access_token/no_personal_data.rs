//! An access token tells nobody who the person is.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand};
use crate::document::Document;
use crate::needs::{Baseline, Context, not_signed};
use crate::oauth::jwt::{Jwt, TokenKind};

const NOTHING_PERSONAL: Demand = demand(
    "A JWT access token carries no e-mail address, telephone number, postal address or password.",
    &[advice(Document::Rfc9068, "6")],
);

/// Claims that speak of a person, by the names of OpenID Connect Core section 5.1, and what no token should ever hold.
const PERSONAL: [&str; 9] =
    ["email", "phone", "phone_number", "address", "birthdate", "password", "passwd", "pwd", "ssn"];

/// Reads the claims of the access token.
pub struct NoPersonalData;

impl Check for NoPersonalData {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/no-personal-data",
        demands: &[NOTHING_PERSONAL],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("no_personal_data.md"),
    };

    async fn run(baseline: Baseline, _: &Context) -> Outcome {
        let token = baseline.tokens.access_token.expose();
        let Some(jwt) = Jwt::read(token) else { return Ok(Verdict::from(not_signed(TokenKind::of(token))).into()) };
        Ok(Ruling::from(judge(&jwt.claims)).shown_by([baseline.tokens.exchange]))
    }
}

/// Names the claims, never their values.
fn judge(claims: &Value) -> Verdict {
    let mut found = Vec::new();
    look(claims, "", 0, &mut found);
    match found.is_empty() {
        true => Verdict::pass("no claim of the access token is known to speak of a person"),
        false => {
            Verdict::fail(NOTHING_PERSONAL, format!("personal data stand in the access token: {}", found.join(", ")))
        }
    }
}

fn look(value: &Value, path: &str, depth: usize, found: &mut Vec<String>) {
    match value {
        _ if depth > 8 => {}
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                // A namespace may stand before it: https://example.com/email.
                let last = name.rsplit(['/', ':', '.']).next().unwrap_or(name).to_ascii_lowercase();
                match PERSONAL.contains(&last.as_str()) && says_something(value) {
                    true => found.push(path),
                    false => look(value, &path, depth + 1, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look(item, path, depth + 1, found)),
        Value::String(text) if is_email(text) => found.push(format!("{path} (an e-mail address)")),
        _ => {}
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Number(_) => true,
        Value::Null | Value::Bool(_) => false,
    }
}

/// Whether a text is an address as people have them. A service account's identifier looks the same and is none.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let plain = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || "._%+-".contains(c));
    plain(local)
        && plain(host)
        && host.rsplit_once('.').is_some_and(|(name, top)| !name.is_empty() && top.len() >= 2)
        && !host.ends_with(".gserviceaccount.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn personal_claims_are_named_and_not_shown() {
        let fail = |claims: Value| match judge(&claims) {
            Verdict::Fail(NOTHING_PERSONAL, why) => why,
            other => panic!("{other:?}"),
        };
        assert!(fail(json!({"sub": "1", "email": "a@b.example"})).ends_with(": email"));
        assert!(fail(json!({"https://x.example/email": "a@b.example"})).ends_with("example/email"));
        assert!(fail(json!({"sub": "alice@b.example"})).ends_with("sub (an e-mail address)"));
        assert!(fail(json!({"user": {"address": {"street": "x"}}})).ends_with("user.address"));
        assert!(!fail(json!({"password": "hunter2"})).contains("hunter2"));
    }

    #[test]
    fn identifiers_are_none() {
        for claims in [
            json!({"sub": "alice", "aud": "https://user@api.example/x", "email_verified": true, "scope": "email phone"}),
            json!({"email": null, "phone_number": "", "address": {}}),
            json!({"sub": "svc@project.iam.gserviceaccount.com", "azp": "abc@clients"}),
        ] {
            assert!(matches!(judge(&claims), Verdict::Pass(_)), "{claims}");
        }
    }
}
