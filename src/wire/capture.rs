//! Turns an exchange into a record: first learns every secret in it, then writes it down without them.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::Duration;

use http::HeaderMap;
use scraper::{Html, Selector};
use serde_json::Value;
use url::form_urlencoded;

use super::ledger::{RecordedRequest, RecordedResponse};
use super::message::{Request, without_query};
use super::{ExchangeId, Trouble, Vault, Wiped, Wire};

/// Bytes of a body, or of one header, that are kept in the record.
const KEPT: usize = 8 * 1024;

/// Bytes of all headers of an answer that are kept: more than any proxy lets through by default.
const KEPT_HEADERS: usize = 16 * 1024;

/// The name under which it is told that there were more.
const MORE_HEADERS: &str = "…";

/// The longest `Set-Cookie` that is looked at: 4096 bytes of name and value (RFC 6265bis section 5.7) and its attributes.
/// What is longer no browser keeps, nor do we, and none of it is written down.
const LONGEST_COOKIE: usize = 8 * 1024;

/// Cookies of one answer that are learned: no site sets as many at once.
const MOST_COOKIES: usize = 40;

/// The headers that are learned of.
const LEARNED_HEADERS: [&str; 4] = ["set-cookie", "location", "refresh", "link"];

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

type Answer = (u16, HeaderMap, Wiped, bool);

/// Values that are learned of one message, and their bytes: so many tokens stand in no answer of a server that means it,
/// and each costs time and memory for the rest of the run.
const MOST_VALUES: usize = 512;
const MOST_BYTES: usize = 512 * 1024;

/// The secrets of one message are learned, until there are too many of them.
struct Learning<'v> {
    vault: &'v Vault,
    /// A target wrote the message: it may send as many as it likes, and as often.
    of_target: bool,
    values: Cell<usize>,
    bytes: Cell<usize>,
}

impl<'v> Learning<'v> {
    fn of(vault: &'v Vault, of_target: bool) -> Self {
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
    fn is_full(&self) -> bool {
        self.values.get() >= MOST_VALUES || self.bytes.get() >= MOST_BYTES || (self.of_target && self.vault.is_full())
    }
}

/// Learns, redacts, enters.
pub(super) fn record(
    wire: &Wire,
    request: &Request,
    answered: Result<&Answer, &Trouble>,
    elapsed: Duration,
) -> ExchangeId {
    let vault = wire.vault();
    let (of_request, of_answer) = (Learning::of(vault, false), Learning::of(vault, true));
    learn_request(&of_request, request);
    if let Ok((_, headers, body, _)) = answered {
        learn_headers(&of_answer, headers);
        learn_body(&of_answer, headers, body);
    }
    let hide = |text: &str| vault.redact(text).into_owned();
    let recorded = RecordedRequest {
        method: request.method.to_string(),
        url: hide(&if of_request.is_full() {
            without_query(&request.url)
        } else {
            Cow::Borrowed(request.url.as_str())
        }),
        headers: if of_request.is_full() { Vec::new() } else { texts(&request.header_map(&[]), &hide) },
        body: request.body.as_ref().map(|body| match of_request.is_full() {
            true => not_kept(body, TOO_MANY_TOKENS),
            false => kept(&without_short_passwords(vault, body), false, &hide),
        }),
    };
    let response = match answered {
        Ok((status, _, body, _)) if wire.ledger().is_full() => {
            Ok(RecordedResponse { status: *status, headers: Vec::new(), body: not_kept(body, RECORD_IS_FULL) })
        }
        Ok((status, headers, body, truncated)) => Ok(RecordedResponse {
            status: *status,
            headers: texts_of_answer(headers, &hide)
                .into_iter()
                .filter(|(name, _)| !(of_answer.is_full() && LEARNED_HEADERS.contains(&name.as_str())))
                .collect(),
            body: match of_answer.is_full() {
                true => not_kept(body, TOO_MANY_TOKENS),
                false => kept(body, *truncated, &hide),
            },
        }),
        Err(trouble) => Err(hide(&trouble.why)),
    };
    wire.ledger().enter(wire.stamp(), recorded, response, elapsed, wire.trace())
}

/// A form body with the passwords taken out that are too short to be found as words.
fn without_short_passwords<'a>(vault: &Vault, body: &'a [u8]) -> Cow<'a, [u8]> {
    let Ok(text) = std::str::from_utf8(body) else { return Cow::Borrowed(body) };
    if !form_urlencoded::parse(body).any(|(_, value)| vault.is_short_password(&value)) {
        return Cow::Borrowed(body);
    }
    let hidden = text.split('&').map(|pair| match form_urlencoded::parse(pair.as_bytes()).next() {
        Some((name, value)) if vault.is_short_password(&value) => format!("{name}={{password}}"),
        _ => pair.to_owned(),
    });
    Cow::Owned(hidden.collect::<Vec<_>>().join("&").into_bytes())
}

fn texts(headers: &HeaderMap, hide: &impl Fn(&str) -> String) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), kept(value.as_bytes(), false, hide))).collect()
}

/// The same of an answer, as far as there is room: a target sends as many as it likes.
fn texts_of_answer(headers: &HeaderMap, hide: &impl Fn(&str) -> String) -> Vec<(String, String)> {
    let (mut texts, mut room, mut more) = (Vec::new(), KEPT_HEADERS, (0, 0));
    for (name, value) in headers {
        let bytes = name.as_str().len() + value.len();
        match room.checked_sub(bytes) {
            Some(rest) => {
                room = rest;
                texts.push((name.as_str().to_owned(), kept(value.as_bytes(), false, hide)));
            }
            None => more = (more.0 + 1, more.1 + bytes),
        }
    }
    if more.0 > 0 {
        texts.push((MORE_HEADERS.into(), format!("[{} headers more, {} bytes, not kept]", more.0, more.1)));
    }
    texts
}

/// The text of a body for the record. What is secret is hidden before anything is cut, and as far beyond the cut again: no
/// half of a secret stays, though its lines be broken. One that is longer goes with the last word.
fn kept(body: &[u8], truncated: bool, hide: &impl Fn(&str) -> String) -> String {
    let text = String::from_utf8_lossy(body);
    if text.len() <= KEPT && !truncated {
        return hide(&text);
    }
    let cut = |text: &str, most: usize| -> String {
        let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let text = &text[..end];
        let word = text.rfind(|c: char| c.is_whitespace() || "\"'&<>,;".contains(c)).unwrap_or(0);
        text[..word].to_owned()
    };
    let ahead = if text.len() > 2 * KEPT || truncated { cut(&text, 2 * KEPT) } else { text.to_string() };
    let more = if truncated { " read, there was more" } else { "" };
    format!("{}… [{} bytes in all{more}]", cut(&hide(&ahead), KEPT), body.len())
}

/// How the record ends of a body that was not kept.
const TOO_MANY_TOKENS: &str = ", not kept: more tokens are in them than can be hidden]";
const RECORD_IS_FULL: &str = ", not kept: the record of this run is full]";

/// In place of a body.
fn not_kept(body: &[u8], why: &str) -> String {
    format!("… [{} bytes in all{why}", body.len())
}

/// Whether the body stands in the record to its end.
pub(super) fn is_whole(body: &str) -> bool {
    !body.rsplit_once("… [").is_some_and(|(_, end)| end.ends_with(']') && end.contains(" bytes in all"))
}

/// Whether something of an answer is not in its record.
pub(super) fn is_incomplete(response: &RecordedResponse) -> bool {
    let ends = |why: &&str| response.body.ends_with(*why);
    [TOO_MANY_TOKENS, RECORD_IS_FULL].iter().any(ends)
        || response.headers.last().is_some_and(|(name, _)| name == MORE_HEADERS)
}

fn learn_request(learning: &Learning<'_>, request: &Request) {
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

fn learn_headers(learning: &Learning<'_>, headers: &HeaderMap) {
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

fn learn_body(learning: &Learning<'_>, headers: &HeaderMap, body: &[u8]) {
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
fn learn_text(learning: &Learning<'_>, text: &str) {
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn no_body_of_a_target_breaks_the_record(body in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..3_usize) {
            let mut headers = HeaderMap::new();
            let kind = ["text/html", "application/json", "x/y"][kind];
            headers.insert("content-type", http::HeaderValue::from_static(kind));
            let vault = Vault::default();
            learn_body(&Learning::of(&vault, true), &headers, &body);
            learn_text(&Learning::of(&vault, true), &format!("{}=?code=", String::from_utf8_lossy(&body)));
            kept(&body, true, &|text: &str| vault.redact(text).into_owned());
        }

        #[test]
        fn no_text_of_a_target_breaks_the_record(text in "(\\PC|[=&?\"{}:]|code|token){0,60}") {
            let vault = Vault::default();
            learn_body(&Learning::of(&vault, true), &HeaderMap::new(), text.as_bytes());
            vault.redact(&text);
        }
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

    #[test]
    fn a_flood_of_headers_is_kept_as_far_as_there_is_room_and_told() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static("text/html"));
        let texts = texts_of_answer(&headers, &|text: &str| text.to_owned());
        let whole = RecordedResponse { status: 200, headers: texts, body: "x".into() };
        assert!(!is_incomplete(&whole) && is_whole(&whole.body));
        let cut = kept("{\"a\": 1}".repeat(2000).as_bytes(), false, &|text: &str| text.to_owned());
        assert!(!is_whole(&cut) && !is_whole(&not_kept(b"x", RECORD_IS_FULL)));
        let long = http::HeaderValue::from_str(&"v".repeat(4000)).unwrap();
        (0..80).for_each(|_| _ = headers.append("x-pad", long.clone()));
        let texts = texts_of_answer(&headers, &|text: &str| text.to_owned());
        assert_eq!(texts.len(), 6, "one, four of the pads, and what was left out");
        assert_eq!(texts[5].1, "[76 headers more, 304380 bytes, not kept]");
        for incomplete in [
            RecordedResponse { headers: texts, ..whole.clone() },
            RecordedResponse { body: not_kept(b"x", RECORD_IS_FULL), ..whole.clone() },
            RecordedResponse { body: not_kept(b"x", TOO_MANY_TOKENS), ..whole },
        ] {
            assert!(is_incomplete(&incomplete));
        }
    }

    #[test]
    fn short_passwords_are_hidden_where_a_form_sends_them() {
        let vault = Vault::default();
        vault.learn("password", "te+t");
        let shown = without_short_passwords(&vault, b"user=te&pw=te%2Bt&x=te+t1");
        assert_eq!(String::from_utf8_lossy(&shown), "user=te&pw={password}&x=te+t1");
    }

    #[test]
    fn a_cut_never_leaves_half_a_secret() {
        let vault = Vault::default();
        let secret = "S".repeat(400);
        vault.learn("token", &secret);
        let body = format!("{} {secret}", "x ".repeat(KEPT / 2 - 50));
        let hide = |text: &str| vault.redact(text).into_owned();
        assert!(!kept(body.as_bytes(), false, &hide).contains("SSSSSS"));
        let folded = format!("{}{}", "x ".repeat(KEPT / 2 - 50), format!("{}\r\n ", &secret[..20]).repeat(20));
        assert!(!kept(folded.as_bytes(), false, &hide).contains("SSSSSS"));
    }
}
