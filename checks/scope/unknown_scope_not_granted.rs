//! A scope that does not exist is not granted.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Asked, Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::jwt::Jwt;
use crate::oauth::pkce::random_text;
use crate::oauth::refusal::{Refusal, front_refusal, token_line};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenAnswer;
use crate::wire::Wire;

const LEFT_OUT_IS_SAID: Demand = demand(
    "A scope that is left out of the grant is left out of the scope that the answer states.",
    &[must(Document::OAuth21, "1.4.1"), must(Document::Rfc6749, "3.3")],
);
const NOT_GRANTED: Demand = demand(
    "A scope that does not exist is refused or left out, not granted as if it existed.",
    &[should(Document::OpenAi, "scopes")],
);

/// How every made-up scope begins.
const MADE_UP: &str = "oaudit:no-such-scope-";

/// Asks for a made-up scope beside the ordinary ones.
pub struct UnknownScopeNotGranted;

impl Check for UnknownScopeNotGranted {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "scope/unknown-scope-not-granted",
        demands: &[LEFT_OUT_IS_SAID, NOT_GRANTED],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("unknown_scope_not_granted.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let scope = ordinary.scope.with(&format!("{MADE_UP}{}", random_text(6)));
        Ok(vec![ordinary.altered("a scope that does not exist", |r| {
            r.set("scope", scope.to_string());
        })])
    }

    async fn run(FrontChannel(asked): FrontChannel, cx: &Context) -> Outcome {
        let mut lines = Vec::new();
        for asked in asked {
            lines.push(line(asked, &cx.wire).await);
        }
        Ok(cx.fold(lines, "the made-up scope was not granted"))
    }
}

async fn line(asked: Asked, wire: &Wire) -> Finding {
    match asked.answer {
        Ok(AuthorizationAnswer::Code(code)) => {
            let shown = code.returned.exchange;
            let requested = code.request.scope();
            let answered = code.redeem(wire).await.map(|(answer, _)| answer);
            token_line(&asked.what, answered, |answer| judge_tokens(answer, &requested)).shown_by(shown)
        }
        _ => asked.line(|answer| match front_refusal(answer, &["invalid_scope"]) {
            Refusal::Recognised(how) => Verdict::pass(how),
            Refusal::Granted => Verdict::inconclusive(format!("it brought {}", answer.describe())),
            Refusal::Unclear(what) => Verdict::inconclusive(what),
        }),
    }
}

fn judge_tokens(answer: &TokenAnswer, requested: &ScopeSet) -> Verdict {
    let tokens = match answer {
        TokenAnswer::Granted(tokens) => tokens,
        TokenAnswer::Refused(e) if e.error == "invalid_scope" => {
            return Verdict::pass(format!("it was refused with {} at the token endpoint", e.describe()));
        }
        other => {
            return Verdict::inconclusive(format!(
                "it brought a code, and redeeming that brought {}",
                other.describe()
            ));
        }
    };
    let has_made_up = |scope: &ScopeSet| scope.iter().any(|s| s.starts_with(MADE_UP));
    let claimed = Jwt::read(tokens.access_token.expose()).and_then(|jwt| jwt.scope()).map(|s| ScopeSet::parse(&s));
    match (&claimed, tokens.stated_scope()) {
        (Some(claimed), None) if !has_made_up(claimed) => Verdict::fail(
            LEFT_OUT_IS_SAID,
            format!(
                "the token has \"{claimed}\", but the answer states no scope, as if \"{requested}\" had been granted"
            ),
        ),
        (_, Some(stated)) if !has_made_up(&stated) && !claimed.as_ref().is_some_and(has_made_up) => {
            Verdict::pass(format!("it was left out, and the answer says so: \"{stated}\""))
        }
        (None, None) => {
            Verdict::fail(NOT_GRANTED, "the answer states no scope, which means that all was granted as asked for")
        }
        _ => Verdict::fail(NOT_GRANTED, "the made-up scope was granted as if it existed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::token::tests::{granted, refused};
    use serde_json::json;

    // {"alg":"none"} . {"scope":"a b c"}
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImEgYiBjIn0.x";

    fn verdict(members: serde_json::Value) -> Verdict {
        judge_tokens(&granted(members), &ScopeSet::parse("a oaudit:no-such-scope-1"))
    }

    #[test]
    fn left_out_and_said_so_is_fine() {
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "a"})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": JWT, "scope": "a"})), Verdict::Pass(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_scope"), &ScopeSet::default()), Verdict::Pass(_)));
    }

    #[test]
    fn silence_and_belief_are_two_failures() {
        assert!(matches!(verdict(json!({"access_token": JWT})), Verdict::Fail(LEFT_OUT_IS_SAID, _)));
        let stated = json!({"access_token": "x", "scope": "a oaudit:no-such-scope-1"});
        assert!(matches!(verdict(stated), Verdict::Fail(NOT_GRANTED, _)));
        assert!(matches!(verdict(json!({"access_token": "x"})), Verdict::Fail(NOT_GRANTED, _)));
    }

    #[test]
    fn another_error_decides_nothing() {
        assert!(matches!(judge_tokens(&refused(400, "invalid_grant"), &ScopeSet::default()), Verdict::Inconclusive(_)));
        let requests = UnknownScopeNotGranted::requests(&ordinary("a", "a")).unwrap();
        assert!(requests[0].scope().iter().any(|s| s.starts_with(MADE_UP)) && requests[0].scope().contains("a"));
    }
}
