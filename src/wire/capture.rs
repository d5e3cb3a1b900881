//! Turns an exchange into a record: every secret in it is learned first, then it is written down without them.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use url::form_urlencoded;

use super::learning::{LEARNED_HEADERS, Learning, learn_body, learn_headers, learn_request};
use super::ledger::{RecordedRequest, RecordedResponse};
use super::message::{Request, without_query};
use super::{ExchangeId, Trouble, Vault, Wiped, Wire};

/// Bytes of a body, or of one header, that are kept in the record.
const KEPT: usize = 8 * 1024;

/// Bytes of all headers of an answer that are kept: more than any proxy lets through by default.
const KEPT_HEADERS: usize = 16 * 1024;

/// The name under which it is told that there were more.
const MORE_HEADERS: &str = "…";

type Answer = (u16, HeaderMap, Wiped, bool);

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::learning::learn_text;
    use super::*;

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
