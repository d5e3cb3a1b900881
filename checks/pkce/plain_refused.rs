//! The challenge method `plain` buys no token.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand, must, should};
use crate::document::Document;
use crate::needs::{Asked, Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::refusal::{Refusal, front_refusal, token_line};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;
use crate::wire::Wire;

const AS_ADVERTISED: Demand = demand(
    "The challenge method plain buys no token from a server that does not advertise it.",
    &[must(Document::OAuth21, "4.1.2.1"), must(Document::OpenAi, "approval checklist")],
);
const S256_ONLY: Demand = demand(
    "S256 is the only challenge method that buys a token.",
    &[must(Document::OpenAi, "approval checklist"), advice(Document::OAuth21, "4.1.1")],
);
const AT_ONCE: Demand = demand(
    "A challenge method that is not supported is refused with invalid_request at the authorization endpoint already.",
    &[should(Document::OAuth21, "4.1.2.1")],
);

/// Asks with the verifier itself as a plain challenge, and redeems what comes.
pub struct PlainRefused;

impl Check for PlainRefused {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "pkce/plain-refused",
        demands: &[AS_ADVERTISED, S256_ONLY, AT_ONCE],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("plain_refused.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.altered("code_challenge_method=plain", |r| {
            let challenge = r.verifier.expose().to_owned();
            r.set("code_challenge", challenge).set("code_challenge_method", "plain");
        })])
    }

    async fn run(FrontChannel(asked): FrontChannel, cx: &Context) -> Outcome {
        let metadata = &cx.audit.discovery.server.metadata;
        let advertised = metadata.lists("code_challenge_methods_supported", "plain");
        let mut lines = Vec::new();
        for asked in asked {
            lines.push(line(asked, &cx.wire, advertised).await);
        }
        Ok(cx.fold(lines, "the challenge method plain was refused"))
    }
}

async fn line(asked: Asked, wire: &Wire, advertised: bool) -> Finding {
    match asked.answer {
        Ok(AuthorizationAnswer::Code(code)) => {
            let shown = code.returned.exchange;
            let answered = code.redeem(wire).await.map(|(answer, _)| answer);
            token_line(&asked.what, answered, |answer| judge_code(answer, advertised)).shown_by(shown)
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

fn judge_code(answer: &TokenAnswer, advertised: bool) -> Verdict {
    match answer {
        TokenAnswer::Granted(_) if advertised => {
            Verdict::fail(S256_ONLY, "plain is advertised, and a code with a plain challenge bought a token")
        }
        TokenAnswer::Granted(_) => {
            Verdict::fail(AS_ADVERTISED, "plain is not advertised, yet a code with a plain challenge bought a token")
        }
        TokenAnswer::Refused(e) if ["invalid_grant", "invalid_request"].contains(&e.error.as_str()) => Verdict::fail(
            AT_ONCE,
            format!("it brought a code, which was refused with {} at the token endpoint only", e.describe()),
        ),
        other => Verdict::inconclusive(format!(
            "it brought a code, and redeeming that was answered with {}",
            other.describe()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::tests::arrived;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn what_is_advertised_changes_the_sentence() {
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge_code(&token, false), Verdict::Fail(AS_ADVERTISED, _)));
        assert!(matches!(judge_code(&token, true), Verdict::Fail(S256_ONLY, _)));
        assert!(matches!(judge_code(&refused(400, "invalid_grant"), false), Verdict::Fail(AT_ONCE, _)));
        assert!(matches!(judge_code(&read(502, "text/html", ""), false), Verdict::Inconclusive(_)));
    }

    #[test]
    fn only_the_refusal_due_passes() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")));
        assert!(matches!(error("invalid_request"), Verdict::Pass(_)));
        assert!(matches!(error("server_error"), Verdict::Inconclusive(_)));
    }

    #[test]
    fn the_challenge_is_the_verifier() {
        let request = &PlainRefused::requests(&ordinary("a", "a")).unwrap()[0];
        assert_eq!(request.get("code_challenge"), Some(request.verifier.expose()));
    }
}
