//! Who asks for one scope gets one scope.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, Ordinary, Shortfall};
use crate::oauth::described::Described;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::{Code, TokenAnswer};

const NOT_IN_SILENCE: Demand = demand(
    "An access token with more scopes than were asked for comes with its scope stated.",
    &[must(Document::OAuth21, "1.4.1"), must(Document::OpenAi, "approval checklist")],
);
const NO_MORE: Demand =
    demand("An access token has no more scopes than were asked for.", &[should(Document::Rfc9700, "2.3")]);

/// Asks for one of several scopes and compares.
pub struct NarrowRequestHonoured;

impl Check for NarrowRequestHonoured {
    type Needs = Code;
    const CARD: Card = Card {
        id: "scope/narrow-request-honoured",
        demands: &[NOT_IN_SILENCE, NO_MORE],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("narrow_request_honoured.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let nothing_narrower =
            || Shortfall::NotApplicable("fewer than two scopes are known, so none is narrower".into());
        let scope = ordinary.one_scope().ok_or_else(nothing_narrower)?;
        Ok(vec![ordinary.altered(format!("scope={scope}"), |r| {
            r.set("scope", scope.to_string());
        })])
    }

    async fn run(code: Code, cx: &Context) -> Outcome {
        let asked = code.request.scope();
        let (answer, _) = code.redeem(&cx.wire).await?;
        let has = match &answer {
            TokenAnswer::Granted(tokens) => {
                let introspection = cx.audit.introspection.as_ref();
                Described::of(&cx.wire, tokens.access_token.expose(), introspection).await?.scope
            }
            TokenAnswer::Refused(_) | TokenAnswer::Odd { .. } => None,
        };
        Ok(judge(&answer, has.as_ref(), &asked).into())
    }
}

/// `has`: the scopes of the token by its own word, or else the server's.
fn judge(answer: &TokenAnswer, has: Option<&ScopeSet>, asked: &ScopeSet) -> Verdict {
    let TokenAnswer::Granted(tokens) = answer else {
        return Verdict::inconclusive(format!("the code for \"{asked}\" was answered with {}", answer.describe()));
    };
    let given = tokens.effective_of(has, asked);
    let excess = given.access().beyond(asked);
    let stated = tokens.stated_scope().unwrap_or_default();
    match (excess.is_empty(), excess.beyond(&stated).is_empty()) {
        (true, _) => Verdict::pass(format!("\"{asked}\" was asked for, and \"{given}\" was granted")),
        (false, true) => {
            Verdict::fail(NO_MORE, format!("\"{asked}\" was asked for; \"{excess}\" came as well, and is stated"))
        }
        (false, false) => Verdict::fail(
            NOT_IN_SILENCE,
            format!("\"{asked}\" was asked for; the token has \"{excess}\" as well, which is not stated"),
        ),
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
        let has = members["access_token"].as_str().and_then(|token| Described::by_claims(token).scope);
        judge(&granted(members), has.as_ref(), &ScopeSet::parse("a offline_access"))
    }

    #[test]
    fn introspection_and_another_spelling_are_understood() {
        let of = |has: &str, asked: &str| {
            judge(&granted(json!({"access_token": "x"})), Some(&ScopeSet::parse(has)), &ScopeSet::parse(asked))
        };
        assert!(matches!(of("a b", "a"), Verdict::Fail(NOT_IN_SILENCE, _)));
        assert!(matches!(of("a", "api://x/a"), Verdict::Pass(_)));
    }

    #[test]
    fn more_than_asked_for_is_graver_in_silence() {
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "openid a"})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": "x"})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "a b"})), Verdict::Fail(NO_MORE, _)));
        assert!(matches!(verdict(json!({"access_token": JWT})), Verdict::Fail(NOT_IN_SILENCE, _)));
        assert!(matches!(verdict(json!({"access_token": JWT, "scope": "a"})), Verdict::Fail(NOT_IN_SILENCE, _)));
        assert!(matches!(judge(&refused(400, "invalid_scope"), None, &ScopeSet::parse("a")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_part_takes_two() {
        assert!(matches!(
            NarrowRequestHonoured::requests(&ordinary("a", "a openid")),
            Err(Shortfall::NotApplicable(_))
        ));
        let scope =
            |scope, known| NarrowRequestHonoured::requests(&ordinary(scope, known)).unwrap()[0].scope().to_string();
        assert_eq!(scope("b offline_access", "a b offline_access"), "b offline_access");
        assert_eq!(scope("", "a b"), "a");
    }
}
