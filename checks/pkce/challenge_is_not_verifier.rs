//! The challenge, which everybody may read, is no verifier.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::Context;
use crate::oauth::refusal::verifier_refused;
use crate::oauth::token::{Code, TokenAnswer};

const CHALLENGE_REFUSED: Demand = demand(
    "The code_challenge of an S256 request, sent as code_verifier, is refused with invalid_grant.",
    &[must(Document::Rfc7636, "4.6"), must(Document::OAuth21, "4.1.3")],
);

/// Redeems a fresh code with its challenge as verifier.
pub struct ChallengeIsNotVerifier;

impl Check for ChallengeIsNotVerifier {
    type Needs = Code;
    const CARD: Card = Card {
        id: "pkce/challenge-is-not-verifier",
        demands: &[CHALLENGE_REFUSED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("challenge_is_not_verifier.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        let challenge = code.verifier().s256();
        let redeemed = code.redeem_with(&cx.wire, |form| {
            form.set("code_verifier", challenge);
        });
        let (answer, _) = redeemed.await?;
        Ok(judge(&answer).into())
    }
}

fn judge(answer: &TokenAnswer) -> Verdict {
    verifier_refused(answer, CHALLENGE_REFUSED, "the code_challenge as code_verifier")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn only_the_refusal_due_passes() {
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&token), Verdict::Fail(CHALLENGE_REFUSED, _)));
        for answer in [refused(400, "invalid_request"), read(500, "text/html", "")] {
            assert!(matches!(judge(&answer), Verdict::Inconclusive(_)), "{}", answer.describe());
        }
    }
}
