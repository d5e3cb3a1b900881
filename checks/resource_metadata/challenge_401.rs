//! Who brings no token is turned away, with the status that makes clients sign in.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, advice, demand, must};
use crate::discovery::ResourceFacts;
use crate::document::Document;
use crate::needs::{AboutResource, Context};

const PROTECTED: Demand = demand(
    "A request without credentials is not served.",
    &[
        must(Document::OAuth21, "5.2"),
        must(Document::Mcp, "token-handling"),
        must(Document::OpenAi, "token verification"),
    ],
);
const STATUS: Demand = demand(
    "A request without credentials is answered 401.",
    &[
        must(Document::Mcp, "error-handling"),
        must(Document::OpenAi, "401 challenge"),
        advice(Document::Rfc9110, "15.5.2"),
    ],
);

/// A request without a token is answered 401.
pub struct Challenge401;

impl Check for Challenge401 {
    type Needs = AboutResource;
    const CARD: Card = Card {
        id: "resource_metadata/challenge-401",
        demands: &[PROTECTED, STATUS],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("challenge_401.md"),
    };

    async fn run(resource: AboutResource, _: &Context) -> Outcome {
        Ok(crate::check::Ruling::from(judge(&resource)).shown_by([resource.exchange]))
    }
}

fn judge(resource: &ResourceFacts) -> Verdict {
    let what = resource.operation.as_str();
    match resource.status {
        401 if resource.mixed_auth => Verdict::pass(
            "initialize is open to everybody, tools/call without a token is answered 401 (mixed authentication)",
        ),
        401 => Verdict::pass(format!("{what} without a token is answered 401")),
        200..=299 => {
            Verdict::fail(PROTECTED, format!("{what} without a token is answered {}: it is served", resource.status))
        }
        // The request did not fit, so nobody looked for credentials yet; or nobody was there to look.
        400 | 405 | 406 | 415 | 429 | 502..=504 => Verdict::inconclusive(format!(
            "{what} without a token is answered {}, before credentials count",
            resource.status
        )),
        status => Verdict::fail(STATUS, format!("{what} without a token is answered {status}; 401 is due")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::resource_facts;

    fn verdict(status: u16) -> Verdict {
        let mut facts = resource_facts(serde_json::json!({}), "Bearer");
        facts.status = status;
        judge(&facts)
    }

    #[test]
    fn only_401_holds() {
        assert!(matches!(verdict(401), Verdict::Pass(_)));
        assert!(matches!(verdict(200), Verdict::Fail(PROTECTED, _)));
        for status in [302, 403, 404, 500] {
            assert!(matches!(verdict(status), Verdict::Fail(STATUS, _)), "{status}");
        }
        assert!(matches!(verdict(503), Verdict::Inconclusive(_)));
    }
}
