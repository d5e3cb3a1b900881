//! No authorization request, however odd, breaks the authorization endpoint.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context, WholeLedger};
use crate::wire::Exchange;

const NO_5XX: Demand = demand(
    "An authorization request that cannot be served is answered with an error of OAuth or a page, not with a server error.",
    &[must(Document::OAuth21, "4.1.2.1")],
);

/// Reads the answers to every authorization request of the run.
pub struct NoServerErrors;

impl Check for NoServerErrors {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "authorization/no-server-errors",
        demands: &[NO_5XX],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("no_server_errors.md"),
    };

    async fn run((ledger, _): Self::Needs, cx: &Context) -> Outcome {
        let endpoint = &cx.audit.ordinary.endpoint;
        let lines: Vec<Finding> = ledger.0.iter().filter_map(|e| judge(e, endpoint)).collect();
        if lines.iter().all(|line| matches!(line.verdict, Verdict::Pass(_))) {
            return Ok(match lines.len() {
                0 => Verdict::inconclusive("no authorization request was seen; a browser keeps them to itself"),
                n => {
                    let why = format!("{n} authorization requests were answered, none with a server error");
                    // A step before may be lost as well, such as the login.
                    ledger.nothing_wrong(Exchange::is_of_a_page, why)
                }
            }
            .into());
        }
        let bad = lines.into_iter().filter(|line| !matches!(line.verdict, Verdict::Pass(_)));
        Ok(cx.fold(bad.collect(), ""))
    }
}

fn judge(exchange: &Exchange, endpoint: &str) -> Option<Finding> {
    let before = endpoint.split(['?', '#']).next().unwrap_or(endpoint);
    let asked = exchange.request.url.split(['?', '#']).next()?;
    let status = exchange.response.as_ref().filter(|_| asked == before)?.status;
    let verdict = match status {
        502..=504 => Verdict::inconclusive(format!("it was answered {status}, which a proxy says")),
        500.. => Verdict::fail(NO_5XX, format!("it was answered {status}")),
        _ => Verdict::pass(format!("it was answered {status}")),
    };
    Some(Finding::new(format!("a request of {}", exchange.check), verdict).shown_by([exchange.id]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::labels::tests::exchange;

    fn verdict(url: &str, status: u16) -> Option<Verdict> {
        judge(&exchange(("GET", url, None), (status, &[], "")), "https://as/a?tenant=1").map(|line| line.verdict)
    }

    #[test]
    fn server_errors_of_the_endpoint_count_and_nothing_else() {
        assert!(matches!(verdict("https://as/a?tenant=1&x=y", 500), Some(Verdict::Fail(..))));
        assert!(matches!(verdict("https://as/a?x=y", 501), Some(Verdict::Fail(..))));
        assert!(matches!(verdict("https://as/a?x=y", 503), Some(Verdict::Inconclusive(_))));
        assert!(matches!(verdict("https://as/a?x=y", 400), Some(Verdict::Pass(_))));
        assert_eq!(verdict("https://as/login?x=y", 500), None);
    }
}
