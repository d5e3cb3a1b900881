//! A code is redeemed only with the verifier of its own challenge.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::Context;
use crate::oauth::pkce::Verifier;
use crate::oauth::refusal::verifier_refused;
use crate::oauth::token::{Code, TokenAnswer};

const UNRELATED_REFUSED: Demand = demand(
    "A code_verifier that does not belong to the code_challenge is refused with invalid_grant.",
    &[must(Document::Rfc7636, "4.6"), must(Document::OAuth21, "4.1.3")],
);

/// Redeems a fresh code with a verifier that was made up.
pub struct VerifierEnforced;

impl Check for VerifierEnforced {
    type Needs = Code;
    const CARD: Card = Card {
        id: "pkce/verifier-enforced",
        demands: &[UNRELATED_REFUSED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("verifier_enforced.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        let redeemed = code.redeem_with(&cx.wire, |form| {
            form.set("code_verifier", Verifier::random().expose());
        });
        let (answer, _) = redeemed.await?;
        Ok(judge(&answer).into())
    }
}

fn judge(answer: &TokenAnswer) -> Verdict {
    verifier_refused(answer, UNRELATED_REFUSED, "an unrelated code_verifier")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn the_refusal_due_passes_and_a_token_fails() {
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(403, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(
            judge(&granted(serde_json::json!({"access_token": "x"}))),
            Verdict::Fail(UNRELATED_REFUSED, _)
        ));
    }

    #[test]
    fn what_is_no_such_refusal_decides_nothing() {
        for answer in [refused(400, "invalid_request"), refused(401, "invalid_client"), read(500, "text/html", "")] {
            assert!(matches!(judge(&answer), Verdict::Inconclusive(_)), "{}", answer.describe());
        }
    }
}
