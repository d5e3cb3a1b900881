//! A code of a confidential client buys nothing without the client's secret.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::front::Purpose;
use crate::needs::{ConfidentialClient, Context, OneByOne, Ordinary, Shortfall, judge_unproven};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::client::ClientAuth;
use crate::oauth::refusal::token_line;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;

const REQUIRED: Demand = demand(
    "A client that has credentials gets tokens only if it shows them, and they are verified.",
    &[must(Document::OAuth21, "3.2.2")],
);
const CHALLENGED: Demand = demand(
    "A client that tried the Authorization header is answered 401 with a WWW-Authenticate header.",
    &[must(Document::OAuth21, "3.2.4")],
);

/// Sends a fresh code without the secret, with a wrong one and with an empty one, then with the right one.
pub struct SecretRequired;

impl Check for SecretRequired {
    type Needs = (OneByOne, ConfidentialClient);
    const CARD: Card = Card {
        id: "token/secret-required",
        demands: &[REQUIRED, CHALLENGED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("secret_required.md"),
    };

    // One visit is planned; it is made as the confidential client, which nobody knows before the run.
    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.request()])
    }

    async fn run((_, confidential): (OneByOne, ConfidentialClient), cx: &Context) -> Outcome {
        let request = cx.audit.ordinary().of(&confidential.client).request();
        let code = match cx.audit.visit(&cx.wire, request, Purpose::Ordinary).await.map_err(Shortfall::from) {
            Ok(AuthorizationAnswer::Code(code)) => code,
            Ok(other) => {
                return Err(Unsettled::Control(format!("a code was asked for, and came {}", other.describe())));
            }
            Err(shortfall) => return Ok(Verdict::from(shortfall).into()),
        };
        let (first, spent) = code.redeem_by(&cx.wire, Some(&confidential.without_secret())).await?;
        let bought = matches!(first, TokenAnswer::Granted(_));
        let mut answers = vec![("no secret", false, Ok(first))];
        let others =
            [("a wrong secret", confidential.with_wrong_secret()), ("an empty secret", confidential.with_secret(""))];
        for (what, sender) in others {
            if let Some(sender) = sender.filter(|_| !bought) {
                answers.push((what, true, spent.replay_by(&cx.wire, Some(&sender)).await));
            }
        }
        let still_good = !bought && matches!(spent.replay(&cx.wire).await, Ok(TokenAnswer::Granted(_)));
        let mut lines = Vec::new();
        for (what, later, answer) in answers {
            let basic =
                (later && confidential.client.auth == ClientAuth::Basic).then(|| challenge(cx, &answer)).flatten();
            lines.push(token_line(what, answer, |a| judge(a, what, later, still_good)));
            lines.extend(basic.map(|verdict| Finding::new(format!("{what}: the answer to HTTP Basic"), verdict)));
        }
        lines.push(after(still_good));
        Ok(cx.fold(lines, "the code of a confidential client buys nothing without its secret"))
    }
}

fn judge(answer: &TokenAnswer, what: &str, later: bool, still_good: bool) -> Verdict {
    match answer {
        // The attempt before had ended the code, and who sent it was not looked at any more.
        TokenAnswer::Refused(e) if later && !still_good && e.error == "invalid_grant" => {
            Verdict::not_applicable("the attempt before had ended the code")
        }
        answer => judge_unproven(answer, REQUIRED, &format!("the code with {what}"), still_good),
    }
}

/// What an answer to wrong Basic credentials must have; `None` if it was no refusal of the client.
fn challenge(cx: &Context, answer: &Result<TokenAnswer, crate::wire::Trouble>) -> Option<Verdict> {
    let Ok(TokenAnswer::Refused(error)) = answer else { return None };
    if error.error != "invalid_client" {
        return None;
    }
    let exchange = cx.wire.ledger().all().into_iter().find(|e| e.id == error.exchange)?;
    let headers = exchange.response.as_ref().map(|r| &r.headers)?;
    let challenged = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    Some(judge_challenge(error.status, challenged))
}

fn judge_challenge(status: u16, challenged: bool) -> Verdict {
    match (status, challenged) {
        (401, true) => Verdict::pass("answered 401 with a challenge"),
        (401, false) => Verdict::fail(CHALLENGED, "answered 401 without WWW-Authenticate"),
        (status, _) => Verdict::fail(CHALLENGED, format!("answered {status} in place of 401")),
    }
}

/// What became of the code for its owner: said, not judged.
fn after(still_good: bool) -> Finding {
    let said = match still_good {
        true => "it bought a token: attempts without the secret did not use it up",
        false => "it bought nothing any more: an attempt without the secret had used it up",
    };
    Finding::new("the code with the right secret afterwards", Verdict::not_applicable(said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, refused};

    #[test]
    fn a_code_that_is_over_tells_nothing_of_secrets() {
        let judged = |error: &str, later, still_good| judge(&refused(400, error), "no secret", later, still_good);
        assert!(matches!(judged("invalid_client", false, false), Verdict::Pass(_)));
        assert!(matches!(judged("invalid_grant", true, false), Verdict::NotApplicable(_)));
        assert!(matches!(judged("invalid_grant", false, false), Verdict::Inconclusive(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&token, "no secret", false, false), Verdict::Fail(REQUIRED, _)));
    }

    #[test]
    fn basic_is_answered_with_a_challenge() {
        assert!(matches!(judge_challenge(401, true), Verdict::Pass(_)));
        assert!(matches!(judge_challenge(401, false), Verdict::Fail(CHALLENGED, _)));
        assert!(matches!(judge_challenge(400, true), Verdict::Fail(CHALLENGED, _)));
    }
}
