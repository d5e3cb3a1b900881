//! A code that the server never issued buys nothing, whatever else is right.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::Context;
use crate::oauth::pkce::random_text;
use crate::oauth::refusal::token_refused;
use crate::oauth::token::{Code, TokenAnswer};
use crate::wire::Trouble;

const ISSUED_ONLY: Demand = demand(
    "A code that was never issued is refused with invalid_grant, though everything else belongs to a pending one.",
    &[must(Document::OAuth21, "4.1.3")],
);

/// Sends a made-up code with the verifier and the client of a pending one, then the pending one.
pub struct NeverIssuedRefused;

impl Check for NeverIssuedRefused {
    type Needs = Code;
    const CARD: Card = Card {
        id: "code/never-issued-refused",
        demands: &[ISSUED_ONLY],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("never_issued_refused.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        let made_up = random_text(32);
        cx.wire.vault().declare_public(&made_up);
        let redeemed = code.redeem_with(&cx.wire, |form| {
            form.set("code", made_up);
        });
        let (answer, pending) = redeemed.await?;
        let verdict = judge(&answer);
        // A code that was redeemed under another name would only be replayed, which revokes its grant.
        let right = match &answer {
            TokenAnswer::Granted(_) => None,
            _ => Some(pending.replay(&cx.wire).await),
        };
        let mut ruling = Ruling::from(verdict);
        ruling.findings.extend(right.map(afterwards));
        Ok(ruling)
    }
}

fn judge(answer: &TokenAnswer) -> Verdict {
    token_refused(answer, &["invalid_grant"], ISSUED_ONLY, "a made-up code")
}

/// What became of the pending code: said, not judged.
fn afterwards(answer: Result<TokenAnswer, Trouble>) -> Finding {
    let what = "the pending code afterwards";
    match answer {
        Ok(TokenAnswer::Granted(tokens)) => {
            Finding::new(what, Verdict::pass("it bought a token")).shown_by([tokens.exchange])
        }
        Ok(other) => {
            let said = format!("it was answered with {}: the attempt had used it up", other.describe());
            Finding::new(what, Verdict::not_applicable(said)).shown_by([other.exchange()])
        }
        Err(trouble) => Finding::new(what, Verdict::not_applicable(trouble.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn only_the_refusal_due_passes() {
        let token = || granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(judge(&token()), Verdict::Fail(ISSUED_ONLY, _)));
        assert!(matches!(judge(&refused(400, "invalid_request")), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&read(500, "text/html", "")), Verdict::Inconclusive(_)));
        assert!(matches!(afterwards(Ok(token())).verdict, Verdict::Pass(_)));
        let burnt = afterwards(Ok(refused(400, "invalid_grant")));
        assert!(burnt.verdict.why().contains("used it up"));
    }
}
