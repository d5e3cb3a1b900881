//! Finds the secrets of a message, so that they are hidden in its record and wherever they stand afterwards.

use std::cell::Cell;

use http::HeaderMap;
use scraper::{Html, Selector};
use serde_json::Value;
use url::form_urlencoded;

use super::Vault;
use super::message::Request;

/// The longest `Set-Cookie` that is looked at: 4096 bytes of name and value (RFC 6265bis section 5.7) and its attributes.
/// What is longer no browser keeps, nor do we, and none of it is written down.
const LONGEST_COOKIE: usize = 8 * 1024;

/// Cookies of one answer that are learned: no site sets as many at once.
const MOST_COOKIES: usize = 40;

/// The headers that are learned of.
pub(super) const LEARNED_HEADERS: [&str; 4] = ["set-cookie", "location", "refresh", "link"];

/// The parameters and members whose values are secrets, and what their labels say.
pub(super) const SECRET_NAMES: [(&str, &str); 16] = [
    ("code", "code"),
    ("access_token", "access_token"),
    ("refresh_token", "refresh_token"),
    ("id_token", "id_token"),
    ("id_token_hint", "id_token"),
    ("token", "token"),
    ("client_secret", "client_secret"),
    ("client_assertion", "client_assertion"),
    ("assertion", "assertion"),
    ("code_verifier", "code_verifier"),
    ("registration_access_token", "registration_access_token"),
    ("device_code", "device_code"),
    ("user_code", "user_code"),
    ("auth_req_id", "auth_req_id"),
    ("password", "password"),
    ("otp", "otp"),
];

fn kind_of(name: &str) -> Option<&'static str> {
    SECRET_NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
}

/// Values that are learned of one message, and their bytes: so many tokens stand in no answer of a server that means it,
/// and each costs time and memory for the rest of the run.
const MOST_VALUES: usize = 512;
const MOST_BYTES: usize = 512 * 1024;

/// The secrets of one message are learned, until there are too many of them.
pub(super) struct Learning<'v> {
    vault: &'v Vault,
    /// A target wrote the message: it may send as many as it likes, and as often.
    of_target: bool,
    values: Cell<usize>,
    bytes: Cell<usize>,
}

impl<'v> Learning<'v> {
    pub(super) fn of(vault: &'v Vault, of_target: bool) -> Self {
        Self { vault, of_target, values: Cell::new(0), bytes: Cell::new(0) }
    }

    fn learn(&self, kind: &str, value: &str) {
        if self.is_full() {
            return;
        }
        if self.vault.is_news(kind, value) {
            self.values.set(self.values.get() + 1);
            self.bytes.set(self.bytes.get() + value.len());
        }
    }

    /// There are more than it is worth to look at.
    fn give_up(&self) {
        self.values.set(MOST_VALUES);
    }

    /// Something may not have been learned, so the message must not be written down.
    pub(super) fn is_full(&self) -> bool {
        self.values.get() >= MOST_VALUES || self.bytes.get() >= MOST_BYTES || (self.of_target && self.vault.is_full())
    }
}

pub(super) fn learn_request(learning: &Learning<'_>, request: &Request) {
    learn_text(learning, &request.url);
    for (name, value) in &request.headers {
        let Ok(value) = std::str::from_utf8(value) else { continue };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                if let Some((scheme, credentials)) = value.split_once(' ') {
                    let kind = if scheme.eq_ignore_ascii_case("basic") { "basic credentials" } else { "access_token" };
                    learning.learn(kind, credentials.trim());
                }
            }
            "cookie" => {
                value.split(';').filter_map(|c| c.split_once('=')).for_each(|(_, v)| learning.learn("cookie", v))
            }
            _ => {}
        }
    }
    let Some(body) = &request.body else { return };
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        return learn_json(learning, &json, 0);
    }
    for (name, value) in form_urlencoded::parse(body) {
        if let Some(kind) = kind_of(&name) {
            learning.learn(kind, &value);
        }
    }
}

pub(super) fn learn_headers(learning: &Learning<'_>, headers: &HeaderMap) {
    if headers.get_all("set-cookie").iter().count() > MOST_COOKIES {
        learning.give_up();
    }
    for value in headers.get_all("set-cookie") {
        let text = String::from_utf8_lossy(value.as_bytes());
        if value.len() > LONGEST_COOKIE {
            continue;
        }
        if let Some((_, value)) = text.split(';').next().and_then(|pair| pair.split_once('=')) {
            learning.learn("cookie", value.trim().trim_matches('"'));
        }
    }
    for name in &LEARNED_HEADERS[1..] {
        for value in headers.get_all(*name) {
            learn_text(learning, &String::from_utf8_lossy(value.as_bytes()));
        }
    }
}

pub(super) fn learn_body(learning: &Learning<'_>, headers: &HeaderMap, body: &[u8]) {
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        return learn_json(learning, &json, 0);
    }
    let text = String::from_utf8_lossy(body);
    learn_text(learning, &text);
    learn_broken_json(learning, &text);
    if kind.contains("html") && text.contains("<input") {
        let inputs = Selector::parse("input[name][value]").expect("a constant selector");
        for input in Html::parse_document(&text).select(&inputs) {
            if let (Some(name), Some(value)) = (input.value().attr("name"), input.value().attr("value"))
                && let Some(kind) = kind_of(name)
            {
                learning.learn(kind, value);
            }
        }
    }
}

fn learn_json(learning: &Learning<'_>, value: &Value, depth: usize) {
    match value {
        _ if depth > 16 || learning.is_full() => {}
        Value::Object(members) => {
            for (name, value) in members {
                match (kind_of(name), value) {
                    (Some(kind), Value::String(secret)) => learning.learn(kind, secret),
                    _ => learn_json(learning, value, depth + 1),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| learn_json(learning, item, depth + 1)),
        Value::String(text) => learn_text(learning, text),
        _ => {}
    }
}

/// Learns members of what was meant to be JSON, but was cut off or is written wrongly.
fn learn_broken_json(learning: &Learning<'_>, text: &str) {
    for (name, kind) in SECRET_NAMES {
        for (at, quoted) in text.match_indices(&format!("\"{name}\"")) {
            let rest = text[at + quoted.len()..].trim_start();
            let Some(value) = rest.strip_prefix(':').and_then(|r| r.trim_start().strip_prefix('"')) else { continue };
            learning.learn(kind, value.split(['"', '\\']).next().unwrap_or_default());
        }
    }
}

/// Learns `code=…` and its like wherever they stand in a text: URLs, meta refresh, scripts.
pub(super) fn learn_text(learning: &Learning<'_>, text: &str) {
    for (at, _) in text.match_indices('=') {
        let before = &text[..at];
        let name = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        let (lead, name) = before.split_at(name);
        let Some(kind) = kind_of(name) else { continue };
        // Only parameters: `?code=`, `&code=`, `&amp;code=`, `#access_token=`; not attributes of markup.
        if !lead.ends_with(['?', '&', '#', ';']) {
            continue;
        }
        if learning.is_full() {
            return;
        }
        let value = &text[at + 1..];
        let end = value.find(['&', '#', '"', '\'', '<', '>', ' ', '\n', '\r', ';', '\\']).unwrap_or(value.len());
        let raw = &value[..end];
        if raw.is_empty() {
            continue;
        }
        let pair = format!("v={raw}");
        if let Some((_, decoded)) = form_urlencoded::parse(pair.as_bytes()).next() {
            learning.learn(kind, &decoded);
        }
        learning.learn(kind, raw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_learned_wherever_they_stand() {
        let vault = Vault::default();
        learn_text(
            &Learning::of(&vault, true),
            "<meta http-equiv=refresh content=\"0;url=http://127.0.0.1/cb?state=s&amp;code=SECRET%2B1#x\">",
        );
        assert_eq!(vault.redact("SECRET%2B1 and SECRET+1"), "{code 1} and {code 1}");
        learn_text(&Learning::of(&vault, true), "http://127.0.0.1/cb#access_token=TOKEN123456&x=1");
        assert_eq!(vault.redact("TOKEN123456"), "{access_token 1}");
    }

    #[test]
    fn any_character_may_stand_before_an_equals_sign() {
        let vault = Vault::default();
        learn_text(&Learning::of(&vault, true), "\u{fffd}=1 é=2 漢=3 = &code=SECRET12345 \u{e9}code=x &\u{e9}=");
        assert_eq!(vault.redact("SECRET12345"), "{code 1}");
    }

    #[test]
    fn a_flood_of_tokens_is_not_kept() {
        let vault = Vault::default();
        for body in [
            "?code=".repeat(170_000),
            (0..70_000).map(|n| format!("?code=A{n}B1&")).collect(),
            format!("[{}{{}}]", (0..50_000).map(|n| format!("{{\"code\":\"C{n}D1\"}},")).collect::<String>()),
        ] {
            let learning = Learning::of(&vault, true);
            learn_body(&learning, &HeaderMap::new(), body.as_bytes());
            assert!(learning.is_full(), "{}", &body[..40]);
        }
        // Words and short values are no secrets, however many there are.
        for body in [format!("[{}{{}}]", "{\"code\":\"EUR\"},".repeat(5000)), "\"code\":\"".repeat(120_000)] {
            let learning = Learning::of(&vault, true);
            learn_body(&learning, &HeaderMap::new(), body.as_bytes());
            assert!(!learning.is_full());
        }
        assert!(vault.secrets().len() <= 4 * MOST_VALUES);
    }
}
