//! The endpoints that programs call answer errors as JSON, so that programs can read them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand, must};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Baseline, Context, WholeLedger};
use crate::wire::Exchange;

const AS_JSON: Demand = demand(
    "The token, revocation, introspection and registration endpoints answer errors as JSON with `error`.",
    &[must(Document::OAuth21, "3.2.4")],
);
const EVEN_IF_MALFORMED: Demand =
    demand("So do they where a request could not even be parsed.", &[advice(Document::OAuth21, "3.2.4")]);

/// Whose requests are malformed on purpose.
const MALFORMED: &str = "token/no-server-errors";

/// The endpoints, and the statuses for which their documents ask for that body. A 401 of the last two may be the
/// challenge of a bearer token, which needs none; 403, 405, 413 and 415 come from the layer before: a guard, or whoever
/// refuses the `Origin` that another check sends.
const ENDPOINTS: [(&str, &[u16]); 4] = [
    ("token_endpoint", &[400, 401]),
    ("revocation_endpoint", &[400, 401]),
    ("introspection_endpoint", &[400]),
    ("registration_endpoint", &[400]),
];

/// Reads the error answers of the OAuth endpoints.
pub struct JsonErrorsEverywhere;

impl Check for JsonErrorsEverywhere {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "hygiene/json-errors-everywhere",
        demands: &[AS_JSON, EVEN_IF_MALFORMED],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("json_errors_everywhere.md"),
    };

    async fn run((ledger, _): Self::Needs, cx: &Context) -> Outcome {
        let metadata = &cx.audit.discovery.server.metadata;
        let (mut count, mut seen, mut lines) = (0, BTreeSet::new(), Vec::new());
        for exchange in ledger.0.iter() {
            let Some((endpoint, verdict)) = judge(exchange, metadata) else { continue };
            count += 1;
            let (passed, failed) = (matches!(verdict, Verdict::Pass(_)), matches!(verdict, Verdict::Fail(..)));
            if !passed && seen.insert((endpoint, exchange.check == MALFORMED, failed)) {
                lines.push(Finding::new(exchange.summary(), verdict).shown_by([exchange.id]));
            }
        }
        match (count, lines.is_empty()) {
            (_, false) => Ok(cx.fold(lines, "")),
            (0, _) => Ok(Verdict::inconclusive("no error was answered in this run").into()),
            _ => {
                let why = format!("{count} error answers of the OAuth endpoints are JSON with error");
                Ok(ledger.nothing_wrong(|e| endpoint(e, metadata).is_some(), why).into())
            }
        }
    }
}

/// Which of the endpoints was asked, by the method that it is for.
fn endpoint(exchange: &Exchange, metadata: &Metadata) -> Option<&'static (&'static str, &'static [u16])> {
    let url = Some(exchange.request.url.as_str());
    ENDPOINTS.iter().find(|(name, _)| exchange.request.method == "POST" && metadata.text(name) == url)
}

fn judge(exchange: &Exchange, metadata: &Metadata) -> Option<(&'static str, Verdict)> {
    let response = exchange.response.as_ref()?;
    let (name, statuses) = endpoint(exchange, metadata)?;
    if !statuses.contains(&response.status) {
        return None;
    }
    let json: Option<Value> = serde_json::from_str(&response.body).ok();
    // What is longer than a record holds is not JSON in it. A page shows by its first character that it never was.
    let may_be_json = response.body.trim_start().starts_with('{') || !exchange.is_answered();
    if exchange.whole_body().is_none() && may_be_json {
        return Some((
            name,
            Verdict::inconclusive(format!("a {} of the {name} is longer than a record holds", response.status)),
        ));
    }
    let verdict = match json.as_ref().map(|json| json.get("error").is_some_and(Value::is_string)) {
        Some(true) => Verdict::pass("JSON with error"),
        other => {
            let demand = if exchange.check == MALFORMED { EVEN_IF_MALFORMED } else { AS_JSON };
            let what = if other.is_some() { "JSON without error" } else { "not JSON" };
            Verdict::fail(demand, format!("the {} of the {name} is {what}", response.status))
        }
    };
    Some((name, verdict))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use crate::wire::labels::tests::exchange;

    fn verdict(check: &str, url: &str, status: u16, body: &str) -> Option<Verdict> {
        let endpoints = serde_json::json!({"token_endpoint": "https://as/t", "registration_endpoint": "https://as/r"});
        let mut exchange = exchange(("POST", url, None), (status, &[], body));
        exchange.check = check.into();
        judge(&exchange, &server_facts(endpoints).metadata).map(|(_, verdict)| verdict)
    }

    #[test]
    fn errors_are_json_with_error() {
        let fine = verdict("a/b", "https://as/t", 400, r#"{"error":"invalid_grant"}"#);
        assert!(matches!(fine, Some(Verdict::Pass(_))));
        for body in ["", "Bad Request", "<html>", r#"{"message":"no"}"#, r#"{"error":{"code":1}}"#] {
            assert!(matches!(verdict("a/b", "https://as/t", 401, body), Some(Verdict::Fail(AS_JSON, _))), "{body}");
        }
        let malformed = verdict(MALFORMED, "https://as/t", 400, "Bad Request");
        assert!(matches!(malformed, Some(Verdict::Fail(EVEN_IF_MALFORMED, _))));
    }

    #[test]
    fn other_endpoints_and_statuses_of_other_layers_are_left_alone() {
        assert_eq!(verdict("a/b", "https://as/x", 400, ""), None);
        assert_eq!(verdict("a/b", "https://as/t", 415, ""), None);
        assert_eq!(verdict("a/b", "https://as/t", 500, ""), None);
        assert_eq!(
            verdict("a/b", "https://as/t", 400, "{\"error\": \"… [9000 bytes in all]"),
            Some(Verdict::inconclusive("a 400 of the token_endpoint is longer than a record holds")),
            "cut in the record"
        );
        let page = verdict("a/b", "https://as/t", 400, "<html>… [9000 bytes in all]");
        assert!(matches!(page, Some(Verdict::Fail(AS_JSON, _))), "no JSON, however it goes on");
        assert_eq!(verdict("a/b", "https://as/t", 403, "Invalid CORS request"), None);
        assert_eq!(verdict("a/b", "https://as/r", 401, ""), None);
    }
}
