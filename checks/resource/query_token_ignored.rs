//! A token in the address is no credential.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, RealToken};
use crate::resource::{Credentials, Reached};
use crate::wire::Trouble;

const IGNORED: Demand =
    demand("An access token in the query of the address opens nothing.", &[must(Document::OAuth21, "5.1")]);

/// Sends the real token in the query and nowhere else.
pub struct QueryTokenIgnored;

impl Check for QueryTokenIgnored {
    type Needs = RealToken;
    const CARD: Card = Card {
        id: "resource/query-token-ignored",
        demands: &[IGNORED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("query_token_ignored.md"),
    };

    async fn run(real: RealToken, cx: &Context) -> Outcome {
        let answer = real.steady(cx, Credentials::Query(real.expose())).await;
        let shown = answer.as_ref().ok().map(|reply| reply.id);
        Ok(Ruling::from(judge(answer.map(|reply| real.resource.read(&reply)))).shown_by(shown))
    }
}

fn judge(answer: Result<Reached, Trouble>) -> Verdict {
    let reached = match answer {
        Ok(reached) => reached,
        Err(trouble) => return Verdict::inconclusive(trouble.to_string()),
    };
    let error = reached.bearer().and_then(|challenge| challenge.parameter("error"));
    match (reached.status, error) {
        (401, _) => Verdict::pass("the token in the query was answered 401, like none"),
        // RFC 6750 section 3.1: the name for a method that is not supported.
        (400, Some("invalid_request")) => Verdict::pass("the token in the query was refused with 400 invalid_request"),
        (status @ 200..300, _) if reached.is_accepted() => {
            Verdict::fail(IGNORED, format!("the token in the query was answered {status}, like one in the header"))
        }
        _ => {
            let answer = reached.describe();
            Verdict::inconclusive(format!("the token in the query was answered {answer}, which is neither yes nor no"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    fn verdict(status: u16, challenge: &str) -> Verdict {
        judge(Ok(Reached::read(&reply(status, &[("www-authenticate", challenge)], ""))))
    }

    #[test]
    fn only_a_refusal_is_one() {
        assert!(matches!(verdict(401, "Bearer"), Verdict::Pass(_)));
        assert!(matches!(verdict(400, "Bearer error=\"invalid_request\""), Verdict::Pass(_)));
        assert!(matches!(verdict(200, ""), Verdict::Fail(IGNORED, _)));
        for status in [400, 403, 404, 302, 500] {
            assert!(matches!(verdict(status, "Bearer"), Verdict::Inconclusive(_)), "{status}");
        }
    }
}
