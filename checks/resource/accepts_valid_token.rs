//! The resource accepts the access token of the ordinary flow.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context, no_resource};
use crate::resource::{Operation, Reached};

const ACCEPTED: Demand = demand(
    "A valid access token in the Authorization header is accepted.",
    &[must(Document::OAuth21, "5.1.1"), must(Document::Rfc6750, "2.1")],
);

/// Reads how the resource answered the access token of the ordinary flow.
pub struct AcceptsValidToken;

impl Check for AcceptsValidToken {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "resource/accepts-valid-token",
        demands: &[ACCEPTED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("accepts_valid_token.md"),
    };

    async fn run(baseline: Baseline, _: &Context) -> Outcome {
        Ok(match &baseline.reached {
            None => Verdict::from(no_resource()).into(),
            Some(Err(why)) => Verdict::inconclusive(format!("the resource could not be asked: {why}")).into(),
            Some(Ok((resource, reached))) => {
                Ruling::from(judge(reached, resource.operation)).shown_by([reached.exchange])
            }
        })
    }
}

fn judge(reached: &Reached, operation: Operation) -> Verdict {
    let call = operation.as_str();
    let error = reached.bearer().and_then(|challenge| challenge.parameter("error"));
    match (reached.status, error) {
        (status @ 200..300, _) => Verdict::pass(format!("{call} with the access token was answered {status}")),
        // The token was taken for good, but it is one for something else.
        (403, Some("insufficient_scope")) => Verdict::inconclusive(format!(
            "{call} wants another scope than the ordinary flow asked for (403 insufficient_scope): name it by --scope"
        )),
        (status @ (401 | 403), error) => {
            let error = error.map(|e| format!(" ({e})")).unwrap_or_default();
            Verdict::fail(ACCEPTED, format!("{call} with a fresh access token was answered {status}{error}"))
        }
        (status, _) => {
            let hint = match (status, operation) {
                (500.., _) => "a server error, which says nothing about the token",
                (_, Operation::Configured) => {
                    "see method, body and content_type in [resource]: it should do something that is allowed"
                }
                (_, Operation::Get) => "name a route that answers a GET with 2xx to those who may",
                _ => "perhaps it does not speak the MCP revision that was chosen, see --mcp-version",
            };
            Verdict::inconclusive(format!("{call} with a fresh access token was answered {status}: {hint}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    fn verdict(status: u16, challenge: &str) -> Verdict {
        let reached = Reached::read(&reply(status, &[("www-authenticate", challenge)], ""));
        judge(&reached, Operation::Initialize)
    }

    #[test]
    fn a_refusal_of_a_good_token_fails() {
        assert!(matches!(verdict(202, ""), Verdict::Pass(_)));
        let refused = verdict(401, "Bearer error=\"invalid_token\"");
        assert!(matches!(refused, Verdict::Fail(ACCEPTED, why) if why.contains("invalid_token")));
        assert!(matches!(verdict(403, ""), Verdict::Fail(..)));
    }

    #[test]
    fn what_has_other_reasons_decides_nothing() {
        assert!(matches!(verdict(403, "Bearer error=\"insufficient_scope\", scope=\"a\""), Verdict::Inconclusive(_)));
        for status in [307, 400, 404, 406, 500, 503] {
            assert!(matches!(verdict(status, ""), Verdict::Inconclusive(_)), "{status}");
        }
        assert!(verdict(400, "").why().contains("--mcp-version"));
    }
}
