//! A code is good for the client that it was issued to, and for nobody else.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::front::Purpose;
use crate::needs::{Context, OtherClient};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::refusal::{token_line, token_refused};
use crate::oauth::token::{Code, TokenAnswer};
use crate::wire::Trouble;

const BOUND: Demand =
    demand("A code is redeemed only by the client that it was issued to.", &[must(Document::OAuth21, "4.1.3")]);

/// Sends a code as a second client, then as nobody, then as who it belongs to.
pub struct BoundToClient;

impl Check for BoundToClient {
    type Needs = (Code, OtherClient);
    const CARD: Card = Card {
        id: "code/bound-to-client",
        demands: &[BOUND],
        impact: Impact::Critical,
        reach: Reach::Grant,
        page: include_str!("bound_to_client.md"),
    };

    async fn run((code, other): (Code, OtherClient), cx: &Context) -> Outcome {
        let (as_other, spent) = code.redeem_by(&cx.wire, Some(&other.client)).await?;
        let mut nameless = spent.replay_by(&cx.wire, None).await;
        // Whether the code was still good when nobody sent it: if the other client's attempt ended it, a fresh one tells.
        let still_good = matches!(spent.replay(&cx.wire).await, Ok(TokenAnswer::Granted(_)));
        if !still_good && !matches!(nameless, Ok(TokenAnswer::Granted(_))) {
            nameless = as_nobody(cx).await?;
        }
        let lines = vec![
            token_line("the code sent by another client", Ok(as_other), |a| {
                token_refused(a, &["invalid_grant"], BOUND, "the code of another client")
            }),
            token_line("the code sent without client_id", nameless, judge_nameless),
            after(still_good),
        ];
        Ok(cx.fold(lines, "the code was refused to another client and to nobody"))
    }
}

/// Redeems a fresh code without saying who sends it.
async fn as_nobody(cx: &Context) -> Result<Result<TokenAnswer, Trouble>, Unsettled> {
    let request = cx.audit.ordinary().request();
    match cx.audit.visit(&cx.wire, request, Purpose::Ordinary).await {
        Ok(AuthorizationAnswer::Code(code)) => Ok(code.redeem_by(&cx.wire, None).await.map(|(answer, _)| answer)),
        Ok(other) => Err(Unsettled::Control(format!("a second code was asked for, and brought {}", other.describe()))),
        Err(error) => Err(Unsettled::Control(error.to_string())),
    }
}

fn judge_nameless(answer: &TokenAnswer) -> Verdict {
    let accepted = ["invalid_grant", "invalid_client", "invalid_request"];
    token_refused(answer, &accepted, BOUND, "a code without client_id")
}

/// What became of the code for its owner: said, not judged.
fn after(still_good: bool) -> Finding {
    let said = match still_good {
        true => "it bought a token: the attempts of others did not use it up",
        false => "it bought nothing any more: the attempt of another client had used it up",
    };
    Finding::new("the code sent by its own client afterwards", Verdict::not_applicable(said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn nobody_may_be_refused_as_a_client() {
        for error in ["invalid_grant", "invalid_client", "invalid_request"] {
            assert!(matches!(judge_nameless(&refused(401, error)), Verdict::Pass(_)), "{error}");
        }
        assert!(matches!(judge_nameless(&refused(400, "unsupported_grant_type")), Verdict::Inconclusive(_)));
        assert!(matches!(judge_nameless(&read(500, "text/html", "")), Verdict::Inconclusive(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge_nameless(&token), Verdict::Fail(BOUND, _)));
    }
}
