//! Reads the labels that stand in a record where secrets were: a label at a place is the secret at that place.

use std::collections::HashSet;

use super::Exchange;
use super::learning::SECRET_NAMES;

/// A label in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'a> {
    /// As it stands: `{access_token 1}`.
    pub text: &'a str,
    /// What it hides: `access_token`.
    pub kind: &'a str,
    /// Where it begins.
    pub at: usize,
}

/// Every label in a text, in order.
pub fn labels(text: &str) -> impl Iterator<Item = Label<'_>> {
    text.match_indices('{').filter_map(move |(at, _)| {
        let end = at + text[at..].find('}')?;
        let (kind, number) = text[at + 1..end].rsplit_once(' ')?;
        let known = SECRET_NAMES.iter().any(|(_, k)| *k == kind) || ["cookie", "basic credentials"].contains(&kind);
        let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        (known && numbered).then(|| Label { text: &text[at..=end], kind, at })
    })
}

/// The labels that are the value of a parameter in an address, wherever in a text the address stands: `?name={code 1}`.
pub fn in_parameters(text: &str) -> impl Iterator<Item = Label<'_>> {
    labels(text).filter(|label| {
        let Some(before) = text[..label.at].strip_suffix('=') else { return false };
        let name = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        name.len() < before.len() && name.ends_with(['?', '&', '#', ';'])
    })
}

/// The labels of what the audit itself put into the addresses that it asked, to see what the server makes of it. What a
/// server led it to is not among them.
pub fn sent_in_urls(exchanges: &[Exchange]) -> HashSet<String> {
    let mut led_to: HashSet<&str> = HashSet::new();
    let mut sent = HashSet::new();
    for exchange in exchanges {
        sent.extend(labels(&exchange.request.url).filter(|l| !led_to.contains(l.text)).map(|l| l.text.to_owned()));
        let Some(response) = &exchange.response else { continue };
        let asked: HashSet<&str> = labels(&exchange.request.url).map(|l| l.text).collect();
        let headers = response.headers.iter().filter(|(name, _)| names_an_address(name));
        let produced = headers.flat_map(|(_, value)| labels(value)).chain(in_parameters(&response.body));
        led_to.extend(produced.map(|l| l.text).filter(|l| !asked.contains(l)));
    }
    sent
}

/// Whether the value of a response header is an address that somebody goes to.
pub fn names_an_address(header: &str) -> bool {
    ["location", "content-location", "refresh", "link"].contains(&header)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::wire::ExchangeId;
    use crate::wire::ledger::{RecordedRequest, RecordedResponse};

    /// An exchange, as a literal.
    pub(crate) fn exchange(request: (&str, &str, Option<&str>), response: (u16, &[(&str, &str)], &str)) -> Exchange {
        let pairs = |h: &[(&str, &str)]| h.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Exchange {
            id: ExchangeId(1),
            check: "a/check".into(),
            request: RecordedRequest {
                method: request.0.into(),
                url: request.1.into(),
                headers: Vec::new(),
                body: request.2.map(str::to_owned),
            },
            response: Some(RecordedResponse {
                status: response.0,
                headers: pairs(response.1),
                body: response.2.into(),
            }),
            trouble: None,
            at_ms: 0,
            elapsed_ms: 1,
            curl: String::new(),
        }
    }

    #[test]
    fn labels_are_told_from_other_braces() {
        let text = r#"{"a": {code 12} {id} {access_token x} {note 1} {basic credentials 3}}"#;
        let found: Vec<_> = labels(text).map(|l| (l.kind, l.text)).collect();
        assert_eq!(found, [("code", "{code 12}"), ("basic credentials", "{basic credentials 3}")]);
        let text = "x={code 1} <a href='/cb?code={code 2}&amp;t={token 3}'> /p/{token 4}";
        assert_eq!(in_parameters(text).map(|l| l.text).collect::<Vec<_>>(), ["{code 2}", "{token 3}"]);
    }

    #[test]
    fn what_a_server_led_to_was_not_put_there_by_the_audit() {
        let led =
            exchange(("GET", "https://as/a", None), (302, &[("location", "/b?access_token={access_token 1}")], ""));
        let followed = exchange(("GET", "https://as/b?access_token={access_token 1}", None), (200, &[], ""));
        let probe = exchange(
            ("GET", "https://rs/x?access_token={access_token 2}", None),
            (302, &[("location", "/y?access_token={access_token 2}")], ""),
        );
        assert_eq!(sent_in_urls(&[led, followed, probe]), HashSet::from(["{access_token 2}".to_owned()]));
    }
}
