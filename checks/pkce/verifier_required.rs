//! A code that was asked for with a challenge is not redeemed without a verifier.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Ordinary, Shortfall};
use crate::oauth::refusal::{token_line, token_refused};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::{Code, TokenAnswer};

const MISSING_REFUSED: Demand = demand(
    "A token request without code_verifier is refused if the authorization request had a code_challenge.",
    &[must(Document::OAuth21, "4.1.3")],
);

/// Redeems one fresh code without a verifier and one with an empty verifier.
pub struct VerifierRequired;

impl Check for VerifierRequired {
    type Needs = [Code; 2];
    const CARD: Card = Card {
        id: "pkce/verifier-required",
        demands: &[MISSING_REFUSED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("verifier_required.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.request(), ordinary.request()])
    }

    async fn run([older, newer]: [Code; 2], cx: &Context) -> Outcome {
        // The younger one first: some servers end a pending code at the next authorization.
        let missing = newer.redeem_with(&cx.wire, |form| {
            form.remove("code_verifier");
        });
        let missing = missing.await.map(|(answer, _)| answer);
        let empty = older.redeem_with(&cx.wire, |form| {
            form.set("code_verifier", "");
        });
        let empty = empty.await.map(|(answer, _)| answer);
        let ended = cx.audit.front.has_one_code();
        let lines = vec![
            token_line("no code_verifier", missing, |answer| judge(answer, "a token request without code_verifier")),
            token_line("an empty code_verifier", empty, |answer| match answer {
                TokenAnswer::Refused(_) if ended => Verdict::inconclusive(
                    "it was refused, but this server ends pending codes at the next authorization, and this one was",
                ),
                answer => judge(answer, "an empty code_verifier"),
            }),
        ];
        Ok(cx.fold(lines, "without a verifier the code bought nothing"))
    }
}

fn judge(answer: &TokenAnswer, sent: &str) -> Verdict {
    token_refused(answer, &["invalid_grant", "invalid_request"], MISSING_REFUSED, sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::token::tests::{granted, refused};

    #[test]
    fn two_refusals_are_due() {
        assert!(matches!(judge(&refused(400, "invalid_grant"), "it"), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(400, "invalid_request"), "it"), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(400, "unauthorized_client"), "it"), Verdict::Inconclusive(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&token, "it"), Verdict::Fail(MISSING_REFUSED, _)));
    }

    #[test]
    fn each_variant_has_a_code_of_its_own() {
        let requests = VerifierRequired::requests(&ordinary("a", "a")).unwrap();
        assert_ne!(requests[0].verifier.expose(), requests[1].verifier.expose());
    }
}
