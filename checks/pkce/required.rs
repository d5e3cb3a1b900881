//! An authorization request without a code challenge buys no token.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Asked, Context, FrontChannel, Ordinary, PerhapsConfidential, Shortfall, ask};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::refusal::{Refusal, front_refusal, token_line};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;
use crate::wire::Wire;

const OF_PUBLIC: Demand = demand(
    "A public client gets no token by an authorization request without code_challenge.",
    &[
        must(Document::OAuth21, "4.1.2.1"),
        must(Document::OAuth21, "7.5.1.1"),
        must(Document::Mcp, "authorization-code-protection"),
        must(Document::OpenAi, "approval checklist"),
    ],
);
const OF_CONFIDENTIAL: Demand = demand(
    "A confidential client gets no token by a request without code_challenge that has no OpenID nonce either.",
    &[must(Document::OAuth21, "7.5.1.1"), should(Document::Rfc9700, "2.1.1")],
);
const DESPITE_NONCE: Demand = demand(
    "A confidential client gets no token by a request without code_challenge, its OpenID nonce notwithstanding.",
    &[should(Document::Rfc9700, "2.1.1")],
);
const AT_ONCE: Demand = demand(
    "A request without code_challenge is refused with invalid_request at the authorization endpoint already.",
    &[should(Document::OAuth21, "4.1.2.1")],
);

/// Asks without a challenge and with an empty one, and redeems what comes without a verifier.
pub struct Required;

impl Check for Required {
    type Needs = (FrontChannel, PerhapsConfidential);
    const CARD: Card = Card {
        id: "pkce/required",
        demands: &[OF_PUBLIC, OF_CONFIDENTIAL, DESPITE_NONCE, AT_ONCE],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("required.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![
            ordinary.altered("no code_challenge", |r| {
                r.remove("code_challenge").remove("code_challenge_method");
            }),
            ordinary.altered("an empty code_challenge", |r| {
                r.set("code_challenge", "");
            }),
        ])
    }

    async fn run((FrontChannel(asked), other): (FrontChannel, PerhapsConfidential), cx: &Context) -> Outcome {
        let ordinary = cx.audit.ordinary();
        let of_confidential = if ordinary.scope.contains("openid") { DESPITE_NONCE } else { OF_CONFIDENTIAL };
        let public = ordinary.client.is_public();
        let broken = if public { OF_PUBLIC } else { of_confidential };
        let mut lines = Vec::new();
        for asked in asked {
            lines.push(line(asked, &cx.wire, broken).await);
        }
        // Some servers ask public clients alone for a challenge.
        match other.0 {
            Ok(confidential) if public => {
                let request =
                    ordinary.of(&confidential.client).altered("no code_challenge, by a confidential client", |r| {
                        r.remove("code_challenge").remove("code_challenge_method");
                    });
                lines.push(line(ask(cx, request).await, &cx.wire, of_confidential).await);
            }
            Ok(_) => {}
            Err(shortfall) => lines.push(Finding::new("a confidential client", without(shortfall))),
        }
        Ok(cx.fold(lines, "without a code_challenge there is no code"))
    }
}

/// What is said where there is no confidential client: the verdict is on the public one.
fn without(shortfall: Shortfall) -> Verdict {
    match shortfall {
        Shortfall::NotApplicable(why) | Shortfall::Inconclusive(why) => {
            Verdict::NotRun { why, how: "--confidential-client-id ID".into() }
        }
        Shortfall::NotRun(why, how) => Verdict::NotRun { why, how },
    }
}

async fn line(asked: Asked, wire: &Wire, broken: Demand) -> Finding {
    match asked.answer {
        Ok(AuthorizationAnswer::Code(code)) if asked.code_ended => Finding::new(
            asked.what,
            Verdict::inconclusive("it brought a code, and this server ends pending codes at the next authorization"),
        )
        .shown_by(code.returned.exchange),
        // A code is not yet a failure: some servers refuse at the token endpoint only.
        Ok(AuthorizationAnswer::Code(code)) => {
            let shown = code.returned.exchange;
            let answered = code.redeem_with(wire, |form| {
                form.remove("code_verifier");
            });
            let answered = answered.await.map(|(answer, _)| answer);
            token_line(&asked.what, answered, |answer| judge_code(answer, broken)).shown_by(shown)
        }
        _ => asked.line(judge_front),
    }
}

fn judge_front(answer: &AuthorizationAnswer) -> Verdict {
    match front_refusal(answer, &["invalid_request"]) {
        Refusal::Recognised(how) => Verdict::pass(how),
        Refusal::Granted => {
            Verdict::inconclusive(format!("it brought {}, which could not be redeemed", answer.describe()))
        }
        Refusal::Unclear(what) => Verdict::inconclusive(what),
    }
}

fn judge_code(answer: &TokenAnswer, broken: Demand) -> Verdict {
    match answer {
        TokenAnswer::Granted(_) => {
            Verdict::fail(broken, "it brought a code, and the code bought a token without a verifier")
        }
        TokenAnswer::Refused(e) if ["invalid_grant", "invalid_request"].contains(&e.error.as_str()) => Verdict::fail(
            AT_ONCE,
            format!("it brought a code, which was refused with {} at the token endpoint only", e.describe()),
        ),
        other => Verdict::inconclusive(format!(
            "it brought a code, and redeeming that without a verifier was answered with {}",
            other.describe()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn the_token_decides_not_the_code() {
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge_code(&token, OF_PUBLIC), Verdict::Fail(OF_PUBLIC, _)));
        assert!(matches!(judge_code(&refused(400, "invalid_grant"), OF_PUBLIC), Verdict::Fail(AT_ONCE, _)));
        assert!(matches!(judge_code(&refused(401, "invalid_client"), OF_PUBLIC), Verdict::Inconclusive(_)));
        assert!(matches!(judge_code(&read(500, "text/html", ""), OF_PUBLIC), Verdict::Inconclusive(_)));
    }

    #[test]
    fn only_the_refusal_due_passes() {
        let error = |e: &str| {
            let home = "http://127.0.0.1:8765/callback";
            judge_front(&arrived(home, &format!("{home}?error={e}")))
        };
        assert!(matches!(error("invalid_request"), Verdict::Pass(_)));
        assert!(matches!(error("invalid_scope"), Verdict::Inconclusive(_)));
        assert!(matches!(judge_front(&page(400, PageKind::Error)), Verdict::Pass(_)));
        assert!(matches!(judge_front(&page(200, PageKind::Login)), Verdict::Inconclusive(_)));
    }

    #[test]
    fn the_challenge_alone_is_missing() {
        let [none, empty] = &Required::requests(&ordinary("a", "a")).unwrap()[..] else { panic!("two requests") };
        assert!(none.get("code_challenge").is_none() && none.get("code_challenge_method").is_none());
        assert_eq!((empty.get("code_challenge"), empty.get("code_challenge_method")), (Some(""), Some("S256")));
    }
}
