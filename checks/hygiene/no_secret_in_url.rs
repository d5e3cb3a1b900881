//! No address that the server makes carries a token, a client secret or a verifier.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context, WholeLedger};
use crate::oauth::answer::Returned;
use crate::wire::Exchange;
use crate::wire::labels::{Label, in_parameters, labels, names_an_address};

const NO_SECRET: Demand = demand(
    "No address that the server produces carries a token, a client secret or a code verifier.",
    &[
        must(Document::OAuth21, "7.1.3.7"),
        must(Document::Rfc9700, "4.3.2"),
        must(Document::OpenAi, "approval checklist"),
    ],
);

/// What must not stand in an address. Codes must, cookies and values of unknown purpose may.
const KINDS: [&str; 7] = [
    "access_token",
    "refresh_token",
    "client_secret",
    "code_verifier",
    "registration_access_token",
    "password",
    "basic credentials",
];

/// Reads every address in the answers of the run.
pub struct NoSecretInUrl;

impl Check for NoSecretInUrl {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "hygiene/no-secret-in-url",
        demands: &[NO_SECRET],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("no_secret_in_url.md"),
    };

    async fn run((ledger, Baseline(flow)): Self::Needs, cx: &Context) -> Outcome {
        let exchanges = &ledger.0;
        let produced = exchanges.iter().filter(|e| addresses(e).next().is_some()).count();
        let lines: Vec<Finding> = exchanges.iter().filter_map(line).chain(brought(&flow.returned)).collect();
        if !lines.is_empty() {
            return Ok(cx.fold(lines, ""));
        }
        Ok(match produced {
            0 => Verdict::inconclusive(
                "no address that the server produced was seen; a browser keeps its redirects to itself",
            ),
            n => {
                let why = format!("{n} answers led somewhere, and no address in any answer carries a secret");
                ledger.nothing_wrong(Exchange::is_of_a_page, why)
            }
        }
        .into())
    }
}

/// A browser keeps its redirects to itself: what it came back with is all that is seen of them.
fn brought(returned: &Returned) -> Option<Finding> {
    let name = ["access_token", "refresh_token"].into_iter().find(|name| returned.get(name).is_some())?;
    let why = format!("the address that the browser came back to carries {name}");
    returned.exchange.is_none().then(|| Finding::new("the ordinary flow", Verdict::fail(NO_SECRET, why)))
}

/// The headers of an answer that say where to go.
fn addresses(exchange: &Exchange) -> impl Iterator<Item = (&str, &str)> {
    let headers = exchange.response.iter().flat_map(|r| &r.headers);
    headers.filter(|(name, _)| names_an_address(name)).map(|(name, value)| (name.as_str(), value.as_str()))
}

fn line(exchange: &Exchange) -> Option<Finding> {
    let response = exchange.response.as_ref()?;
    // What the audit put into the address that it asked is not the server's doing when it comes back in the answer.
    let counts = |label: &Label<'_>| KINDS.contains(&label.kind) && !exchange.request.url.contains(label.text);
    let in_header = addresses(exchange).find_map(|(name, value)| Some((name, labels(value).find(counts)?)));
    let (place, label) = match in_header {
        Some((name, label)) => (format!("the {name} header"), label),
        None => ("an address in the body".to_owned(), in_parameters(&response.body).find(counts)?),
    };
    let what = exchange.summary();
    let why = format!("{place} carries {}", label.text);
    Some(Finding::new(what, Verdict::fail(NO_SECRET, why)).shown_by([exchange.id]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::labels::tests::exchange;

    const GET: (&str, &str, Option<&str>) = ("GET", "https://as/a", None);

    #[test]
    fn a_token_in_a_redirect_or_in_a_link_is_found() {
        for location in ["https://c/cb#access_token={access_token 1}", "/x/{refresh_token 2}", "/y?v={code_verifier 1}"]
        {
            assert!(line(&exchange(GET, (302, &[("location", location)], ""))).is_some(), "{location}");
        }
        let body = r#"{"registration_client_uri":"https://as/r/1?t={registration_access_token 1}"}"#;
        assert!(line(&exchange(GET, (201, &[], body))).is_some());
    }

    #[test]
    fn what_a_browser_brings_is_read_and_nothing_is_said_twice() {
        let mut returned = Returned::read("http://127.0.0.1:1/cb?code=c#access_token=t", None);
        assert!(brought(&returned).is_some());
        returned.exchange = Some(crate::wire::ExchangeId(1));
        assert!(brought(&returned).is_none(), "the ledger has it");
        assert!(brought(&Returned::read("http://127.0.0.1:1/cb?code=c&state=s", None)).is_none());
    }

    #[test]
    fn codes_and_what_the_audit_sent_and_what_is_no_address_are_not() {
        let fine = exchange(GET, (302, &[("location", "https://c/cb?code={code 1}&id={token 1}&s={cookie 2}")], ""));
        assert!(line(&fine).is_none());
        let probe = ("GET", "http://rs/x?access_token={access_token 1}", None);
        let upgraded = [("location", "https://rs/x?access_token={access_token 1}")];
        assert!(line(&exchange(probe, (308, &upgraded, "no /x?access_token={access_token 1}"))).is_none());
        assert!(line(&exchange(GET, (200, &[], r#"{"access_token":"{access_token 1}"}"#))).is_none());
    }
}
