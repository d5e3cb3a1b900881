//! Which part of an answer a failure is about, as far as its message says so. Nothing is underlined on a guess: the name
//! stands in the message, or in the demand, and in the answer; or the message says that it is missing, and it is.

use serde_json::Value;

use super::{CheckLine, Report, VerdictKind};
use crate::wire::Exchange;
use crate::wire::ledger::RecordedResponse;

/// The part that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decisive {
    /// A header, or a part of it.
    Header { name: String, part: Option<String> },
    /// These words of the body.
    Body(String),
    /// The status.
    Status,
    /// Something that is not there.
    Absent(String),
    /// The message names no part.
    Nothing,
}

impl Decisive {
    /// How much better an answer shows the failure than another.
    fn weight(&self) -> u8 {
        match self {
            Self::Absent(_) => 3,
            Self::Header { .. } | Self::Body(_) => 2,
            Self::Status => 1,
            Self::Nothing => 0,
        }
    }
}

/// Names without an underscore or hyphen that are names all the same.
const NAMES: [&str; 11] =
    ["iss", "state", "scope", "code", "error", "issuer", "aud", "exp", "nonce", "resource", "location"];

/// Names that messages write in words.
const IN_WORDS: [(&str, &str); 5] = [
    ("refresh token", "refresh_token"),
    ("access token", "access_token"),
    ("ID token", "id_token"),
    ("a token", "access_token"),
    ("a code", "code"),
];

/// What comes before a name that is missing, and after it.
const MISSING_BEFORE: [&str; 5] = ["no ", "without ", "without a ", "nor ", "neither a "];
const MISSING_AFTER: [&str; 5] = ["missing", "not sent", "not there", "absent", "not listed"];

/// The exchange that shows the failure best: of those that the first failed line rests on, the last one whose answer has
/// what the message speaks of; else the last one that brought tokens or an error; else the last.
pub(super) fn telling<'a>(check: &CheckLine, report: &'a Report) -> Option<(&'a Exchange, Decisive)> {
    let failed = |f: &&super::FindingLine| f.verdict == VerdictKind::Fail && !f.evidence.is_empty();
    let gravest = check.findings.iter().filter(failed).find(|f| check.message.contains(&f.message));
    let line = gravest.or_else(|| check.findings.iter().find(failed));
    let (ids, message) = line.map_or((&check.evidence, &check.message), |f| (&f.evidence, &f.message));
    let says = check.broken.as_ref().map_or("", |broken| broken.says);
    let of_line = report.exchanges.iter().filter(|e| ids.contains(&e.id));
    let rated = of_line.map(|exchange| {
        let found = exchange.response.as_ref().map_or(Decisive::Nothing, |r| decisive(message, says, r));
        (exchange, found)
    });
    rated.max_by_key(|(exchange, found)| (found.weight(), exchange.id))
}

/// The part of an answer that a message speaks of.
fn decisive(message: &str, says: &str, response: &RecordedResponse) -> Decisive {
    let named = names(message);
    let missing = named.iter().find(|(name, at, long)| {
        is_missing(message, *at, *long) && found(name, response).is_none() && is_looked_into(name, response)
    });
    if let Some((name, ..)) = missing {
        return Decisive::Absent(name.clone());
    }
    // An address that the answer leads to, then what is named, in the order of the message.
    let addresses = message.split_whitespace().map(|word| word.trim_end_matches([',', '.', ':', ')', ';']));
    for address in addresses.filter(|word| word.contains("://")) {
        let location = response.headers.iter().find(|(n, v)| n == "location" && v.contains(address));
        if location.is_some() {
            return Decisive::Header { name: "location".into(), part: Some(address.into()) };
        }
    }
    if message.split(|c: char| !c.is_ascii_digit()).any(|n| n == response.status.to_string()) {
        return Decisive::Status;
    }
    let of_demand = names(says);
    named.iter().chain(&of_demand).find_map(|(name, ..)| found(name, response)).unwrap_or(Decisive::Nothing)
}

/// The names in a text, each with its place and length, in order.
fn names(text: &str) -> Vec<(String, usize, usize)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut names = Vec::new();
    let mut at = 0;
    for word in text.split(|c: char| !is_part(c)) {
        let begins = at;
        // What parts the words is one character, of however many bytes.
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
        let word = word.trim_matches('-');
        let is_name = NAMES.contains(&word)
            || (word.contains('_') && !word.contains('-'))
            || (word.contains('-') && word.starts_with(|c: char| c.is_ascii_uppercase()));
        if is_name && word.len() > 2 {
            names.push((word.to_owned(), begins, word.len()));
        }
    }
    for (words, name) in IN_WORDS {
        names.extend(text.match_indices(words).map(|(at, found)| (name.to_owned(), at, found.len())));
    }
    names.sort_by_key(|(_, at, _)| *at);
    names
}

fn is_missing(message: &str, at: usize, long: usize) -> bool {
    let before = &message[..at];
    let after = message[at + long..].split([';', ':']).next().unwrap_or_default();
    MISSING_BEFORE.iter().any(|lead| before.ends_with(lead))
        || after.split(" but ").take(2).any(|clause| MISSING_AFTER.iter().any(|end| clause.contains(end)))
}

/// Whether it would be seen here if it were there: a header in any answer, a member in an object, a parameter in a redirect.
fn is_looked_into(name: &str, response: &RecordedResponse) -> bool {
    let is_header = name.contains('-');
    // What a resource says in JSON-RPC is nothing that a server of tokens says.
    let is_object = serde_json::from_str::<Value>(&response.body)
        .is_ok_and(|body| body.as_object().is_some_and(|members| !members.contains_key("jsonrpc")));
    is_header || is_object || (300..400).contains(&response.status)
}

/// Where a name stands in an answer: as a header, as a parameter of the redirect, as a member of the body.
fn found(name: &str, response: &RecordedResponse) -> Option<Decisive> {
    if let Some((header, _)) = response.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
        return Some(Decisive::Header { name: header.clone(), part: None });
    }
    for (header, value) in response.headers.iter().filter(|(n, _)| n == "location" || n == "www-authenticate") {
        let begins = ["?", "&", "#", " ", ","].iter().find_map(|lead| value.find(&format!("{lead}{name}=")));
        if let Some(begins) = begins {
            let part = &value[begins + 1..];
            let end = part.find(['&', '#', ',']).unwrap_or(part.len());
            return Some(Decisive::Header { name: header.clone(), part: Some(part[..end].into()) });
        }
    }
    let begins = response.body.find(&format!("\"{name}\""))?;
    let member = &response.body[begins..];
    let value = member[name.len() + 2..].trim_start().strip_prefix(':')?.trim_start();
    let value_at = member.len() - value.len();
    let end = match value.chars().next()? {
        // A label or a plain string: up to the quotation mark that ends it.
        '"' => value[1..].find('"').map_or(value.len(), |end| end + 2),
        '[' => value.find(']').map_or(value.len(), |end| end + 1),
        '{' => 1,
        _ => value.find([',', '}', '\n']).unwrap_or(value.len()),
    };
    Some(Decisive::Body(member[..value_at + end].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> RecordedResponse {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        RecordedResponse { status, headers, body: body.into() }
    }

    fn header(name: &str, part: &str) -> Decisive {
        Decisive::Header { name: name.into(), part: Some(part.into()) }
    }

    #[test]
    fn what_is_missing_is_named_only_if_it_is_missing() {
        let tokens = answer(200, &[], "{\"access_token\":\"{access_token 1}\"}");
        let brought_none = "the refresh brought no refresh token, so the old one stays in use";
        assert_eq!(decisive(brought_none, "", &tokens), Decisive::Absent("refresh_token".into()));
        let both = answer(200, &[], "{\"refresh_token\":\"{refresh_token 1}\"}");
        assert_eq!(decisive(brought_none, "", &both), Decisive::Body("\"refresh_token\":\"{refresh_token 1}\"".into()));
        let metadata = answer(200, &[], "{\"issuer\":\"x\"}");
        let message = "code_challenge_methods_supported is missing: clients take it that there is no PKCE";
        assert_eq!(decisive(message, "", &metadata), Decisive::Absent("code_challenge_methods_supported".into()));
        let redirect = answer(302, &[("location", "https://c.example/cb?code={code 1}&state=x")], "");
        assert_eq!(decisive("iss is advertised, but was not sent", "", &redirect), Decisive::Absent("iss".into()));
        let page = answer(200, &[], "<html>");
        let framed = "it has neither a frame-ancestors policy nor X-Frame-Options";
        assert_eq!(decisive(framed, "", &page), Decisive::Absent("X-Frame-Options".into()));
    }

    #[test]
    fn what_is_there_is_found_in_its_place() {
        let redirect = answer(302, &[("location", "http://127.0.0.1:1/callback/x?code={code 3}&state=s")], "");
        let sent = "a code was sent to http://127.0.0.1:1/callback/x";
        assert_eq!(decisive(sent, "", &redirect), header("location", "http://127.0.0.1:1/callback/x"));
        assert_eq!(decisive("it brought a code", "", &redirect), header("location", "code={code 3}"));
        assert_eq!(decisive("it was answered 500, due is 401", "", &answer(500, &[], "")), Decisive::Status);
        assert_eq!(decisive("it was answered 500", "", &answer(401, &[], "")), Decisive::Nothing);
        let life = answer(200, &[], "{ \"expires_in\": 172800,\n \"scope\": \"a\" }");
        assert_eq!(
            decisive("it lives long", "`expires_in` is short", &life),
            Decisive::Body("\"expires_in\": 172800".into())
        );
        let list = answer(200, &[], "{\"grant_types_supported\":[\"implicit\",\"password\"],\"x\":1}");
        let offered = decisive("grant_types_supported lists implicit", "", &list);
        assert_eq!(offered, Decisive::Body("\"grant_types_supported\":[\"implicit\",\"password\"]".into()));
        let cached = answer(200, &[("cache-control", "public")], "{}");
        let expected = Decisive::Header { name: "cache-control".into(), part: None };
        assert_eq!(decisive("Cache-Control is public", "", &cached), expected);
    }

    #[test]
    fn any_text_may_come() {
        for text in ["", "é漢 no ", "\u{fffd}_\u{fffd}", "\"a_b\"", "a_b: no a_b", "x_y"] {
            let _ = decisive(text, text, &answer(200, &[("location", text)], text));
            let _ = decisive("x_y is odd", "", &answer(200, &[], &format!("\"x_y\"{text}\"x_y\": \"{text}")));
        }
    }
}
