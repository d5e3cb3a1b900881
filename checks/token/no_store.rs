//! Token answers are kept out of caches.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context, WholeLedger};
use crate::wire::Exchange;

const NO_STORE: Demand =
    demand("An answer with tokens carries Cache-Control: no-store.", &[must(Document::OAuth21, "3.2.3")]);

/// Reads the headers of every answer of the run with tokens in it: to codes, to refreshes.
pub struct NoStore;

impl Check for NoStore {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "token/no-store",
        demands: &[NO_STORE],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("no_store.md"),
    };

    async fn run((WholeLedger(exchanges), _): Self::Needs, cx: &Context) -> Outcome {
        let mut lines: Vec<Finding> = Vec::new();
        for exchange in exchanges.iter() {
            let Some(what) = kind(exchange, &cx.audit.token_endpoint) else { continue };
            let verdict = judge(exchange);
            // One line a kind, the first that fails if any does.
            match lines.iter_mut().find(|line| line.what == what) {
                Some(line) if !matches!(line.verdict, Verdict::Fail(..)) && !matches!(verdict, Verdict::Pass(_)) => {
                    *line = Finding::new(what, verdict).shown_by([exchange.id]);
                }
                Some(_) => {}
                None => lines.push(Finding::new(what, verdict).shown_by([exchange.id])),
            }
        }
        Ok(cx.fold(lines, "answers with tokens carry Cache-Control: no-store"))
    }
}

/// What an answer carries that is to be kept out of caches, if anything.
fn kind(exchange: &Exchange, token: &str) -> Option<&'static str> {
    let response = exchange.response.as_ref().filter(|r| (200..300).contains(&r.status))?;
    let sent = exchange.request.body.as_deref().unwrap_or_default();
    let has = |name: &str| response.body.contains(&format!("\"{name}\""));
    // What is not in the record may be tokens.
    (exchange.request.url == token && (has("access_token") || !exchange.is_answered()))
        .then(|| if sent.contains("grant_type=refresh_token") { "a refresh" } else { "a code exchange" })
}

fn judge(exchange: &Exchange) -> Verdict {
    let headers = exchange.response.iter().flat_map(|r| &r.headers);
    let values: Vec<&str> = headers.filter(|(name, _)| name == "cache-control").map(|(_, v)| v.as_str()).collect();
    let directives = values.iter().flat_map(|value| value.split(','));
    if directives.map(str::trim).any(|d| d.eq_ignore_ascii_case("no-store")) {
        return Verdict::pass("the answer carries Cache-Control: no-store");
    }
    if !exchange.is_answered() {
        return Verdict::inconclusive("the answer has more headers than a record can hold");
    }
    match values.is_empty() {
        true => Verdict::fail(NO_STORE, "the answer has no Cache-Control header"),
        false => Verdict::fail(NO_STORE, format!("Cache-Control of the answer is \"{}\"", values.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ExchangeId;
    use crate::wire::ledger::{RecordedRequest, RecordedResponse};

    fn exchange(check: &str, sent: &str, header: (&str, &str), came: &str) -> Exchange {
        let pair = |(n, v): (&str, &str)| vec![(n.to_owned(), v.to_owned())];
        Exchange {
            id: ExchangeId(1),
            check: check.into(),
            request: RecordedRequest {
                method: "POST".into(),
                url: "https://as.example/it".into(),
                headers: vec![],
                body: Some(sent.into()),
            },
            response: Some(RecordedResponse { status: 200, headers: pair(header), body: came.into() }),
            trouble: None,
            at_ms: 0,
            elapsed_ms: 1,
            curl: String::new(),
        }
    }

    fn verdict(header: (&str, &str)) -> Verdict {
        judge(&exchange("sign-in", "", header, "{}"))
    }

    #[test]
    fn the_directive_stands_among_others() {
        for value in ["no-store", "No-Store", "no-cache, no-store, must-revalidate", "private,no-store"] {
            assert!(matches!(verdict(("cache-control", value)), Verdict::Pass(_)), "{value}");
        }
    }

    #[test]
    fn private_and_no_cache_are_not_enough() {
        for value in ["private", "no-cache", "max-age=0", "x-no-store"] {
            assert!(matches!(verdict(("cache-control", value)), Verdict::Fail(..)), "{value}");
        }
        assert!(matches!(verdict(("pragma", "no-cache")), Verdict::Fail(..)));
    }

    #[test]
    fn codes_and_refreshes_count() {
        let it = "https://as.example/it";
        let what = |check, sent, came| kind(&exchange(check, sent, ("a", "b"), came), it);
        let token = r#"{"access_token":"{access_token 1}"}"#;
        assert_eq!(what("sign-in", "grant_type=authorization_code&code=x", token), Some("a code exchange"));
        assert_eq!(what("sign-in", "grant_type=refresh_token", token), Some("a refresh"));
        assert_eq!(what("sign-in", "", "<h1>Hello</h1>"), None);
        assert_eq!(what("registration", "{}", r#"{"client_id":"a","client_secret":"{s}"}"#), None);
        assert_eq!(what("refresh/works", "grant_type=refresh_token", token), Some("a refresh"), "whoever asked");
    }
}
