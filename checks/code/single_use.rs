//! A code is redeemed once.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::Context;
use crate::oauth::refusal::{token_line, token_refused};
use crate::oauth::token::{Code, TokenAnswer};

const SECOND_USE_REFUSED: Demand =
    demand("A code that was redeemed before is refused with invalid_grant.", &[must(Document::OAuth21, "4.1.3")]);

/// Redeems a code, then sends the same request again, then once more without the verifier.
pub struct SingleUse;

impl Check for SingleUse {
    type Needs = Code;
    const CARD: Card = Card {
        id: "code/single-use",
        demands: &[SECOND_USE_REFUSED],
        impact: Impact::Critical,
        reach: Reach::Grant,
        page: include_str!("single_use.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        let (first, spent) = code.redeem(&cx.wire).await?;
        let TokenAnswer::Granted(_) = &first else {
            return Err(Unsettled::Control(format!("the first redemption brought {}", first.describe())));
        };
        let again = spent.replay(&cx.wire).await;
        let bare = spent.replay_with(&cx.wire, |form| {
            form.remove("code_verifier");
        });
        let bare = bare.await;
        let lines = vec![
            token_line("the same request again", again, |a| {
                judge(a, &["invalid_grant"], "a code that was redeemed before")
            }),
            token_line("once more without code_verifier", bare, |a| {
                // Whoever looks at the parameters first answers this.
                judge(a, &["invalid_grant", "invalid_request"], "a redeemed code without code_verifier")
            }),
        ];
        let mut ruling = cx.fold(lines, "the code bought tokens once");
        ruling.evidence.insert(0, first.exchange());
        Ok(ruling)
    }
}

fn judge(answer: &TokenAnswer, accepted: &[&str], sent: &str) -> Verdict {
    token_refused(answer, accepted, SECOND_USE_REFUSED, sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    fn verdict(answer: &TokenAnswer) -> Verdict {
        judge(answer, &["invalid_grant"], "it")
    }

    #[test]
    fn a_second_token_fails_and_the_refusal_due_passes() {
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(verdict(&token), Verdict::Fail(SECOND_USE_REFUSED, _)));
        assert!(matches!(verdict(&refused(400, "invalid_grant")), Verdict::Pass(_)));
    }

    #[test]
    fn another_error_may_have_another_reason() {
        assert!(matches!(verdict(&refused(400, "invalid_request")), Verdict::Inconclusive(_)));
        assert!(matches!(
            verdict(&read(500, "application/json", r#"{"error":"invalid_grant"}"#)),
            Verdict::Inconclusive(_)
        ));
    }
}
