//! A refresh brings no scope that was not granted.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Ordinary, Refreshable, Shortfall};
use crate::oauth::jwt::Jwt;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenAnswer;

const NOT_WIDENED: Demand = demand(
    "A refresh grants no scope beyond what the person granted.",
    &[must(Document::OAuth21, "4.3.1"), must(Document::OpenAi, "approval checklist")],
);
const STATED: Demand =
    demand("A refresh that grants another scope than was asked for states it.", &[must(Document::OAuth21, "1.4.1")]);

/// Gets a grant for one scope and refreshes with another one beside it.
pub struct ScopeNotWidened;

impl Check for ScopeNotWidened {
    type Needs = Refreshable;
    const CARD: Card = Card {
        id: "refresh/scope-not-widened",
        demands: &[NOT_WIDENED, STATED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("scope_not_widened.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        // With one scope or none the ordinary grant is narrow enough: what is asked for later is made up.
        Ok(vec![match ordinary.one_scope() {
            Some(scope) => ordinary.altered(format!("scope={scope}"), |r| {
                r.set("scope", scope.to_string());
            }),
            None => ordinary.request(),
        }])
    }

    async fn run(tokens: Refreshable, cx: &Context) -> Outcome {
        let requested = &tokens.grant.requested_scope;
        let granted = tokens.effective_scope(requested);
        let known = cx.audit.ordinary().known_scopes.access();
        let further = known.beyond(&granted).beyond(requested);
        let extra = further.iter().next().unwrap_or("oaudit:no-such-scope");
        // What was granted and one more: anything else that was left out could be what is refused.
        let asked = granted.with(extra);
        let answer = tokens.refresh_with(&cx.wire, |form| {
            form.set("scope", asked.to_string());
        });
        match answer.await? {
            Some(answer) => Ok(judge(&answer, &asked, &granted, extra).into()),
            None => Err(Unsettled::Control("the grant came without a refresh token".into())),
        }
    }
}

fn judge(answer: &TokenAnswer, asked: &ScopeSet, granted: &ScopeSet, extra: &str) -> Verdict {
    let tokens = match answer {
        TokenAnswer::Granted(tokens) => tokens,
        TokenAnswer::Refused(e) if e.error == "invalid_scope" => {
            return Verdict::pass(format!("asking for {extra} as well was refused with {}", e.describe()));
        }
        other => {
            return Verdict::inconclusive(format!("asking for {extra} as well was answered with {}", other.describe()));
        }
    };
    let says = Jwt::read(tokens.access_token.expose()).and_then(|jwt| jwt.scope()).is_some()
        || tokens.stated_scope().is_some();
    let scope = tokens.effective_scope(asked);
    // Not only what was asked for: a server may grant all that it has.
    let beyond = scope.access().beyond(granted);
    match (says, scope) {
        (true, scope) if !beyond.is_empty() => Verdict::fail(
            NOT_WIDENED,
            format!("the refresh granted \"{beyond}\", which was not granted before: \"{scope}\""),
        ),
        (true, scope) => Verdict::pass(format!("{extra} was asked for, and the refresh granted \"{scope}\"")),
        (false, _) => Verdict::fail(
            STATED,
            format!("the refresh was granted without a word on its scope, which means as asked for, with {extra}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::token::tests::{granted, refused};
    use serde_json::json;

    fn verdict(answer: &TokenAnswer) -> Verdict {
        judge(answer, &ScopeSet::parse("a b"), &ScopeSet::parse("a"), "b")
    }

    #[test]
    fn the_old_scope_and_a_refusal_pass() {
        assert!(matches!(verdict(&refused(400, "invalid_scope")), Verdict::Pass(_)));
        assert!(matches!(verdict(&granted(json!({"access_token": "x", "scope": "a"}))), Verdict::Pass(_)));
        assert!(matches!(verdict(&refused(400, "invalid_grant")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn the_wider_one_fails_and_so_does_silence() {
        let stated = granted(json!({"access_token": "x", "scope": "a b"}));
        assert!(matches!(verdict(&stated), Verdict::Fail(NOT_WIDENED, _)));
        let other = granted(json!({"access_token": "x", "scope": "a c"}));
        assert!(matches!(verdict(&other), Verdict::Fail(NOT_WIDENED, _)));
        // {"alg":"none"} . {"scope":"a b c"}
        let jwt = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImEgYiBjIn0.x";
        assert!(matches!(verdict(&granted(json!({"access_token": jwt, "scope": "a"}))), Verdict::Fail(NOT_WIDENED, _)));
        assert!(matches!(verdict(&granted(json!({"access_token": "x"}))), Verdict::Fail(STATED, _)));
    }

    #[test]
    fn the_grant_is_narrow_and_still_brings_a_refresh_token() {
        let scope =
            |known| ScopeNotWidened::requests(&ordinary("a b offline_access", known)).unwrap()[0].scope().to_string();
        assert_eq!(scope("a b offline_access"), "a offline_access");
        assert_eq!(scope("a"), "a b offline_access");
    }
}
