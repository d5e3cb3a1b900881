//! A refresh for fewer scopes brings just those, and takes nothing from the grant.

use crate::check::{
    Card, Check, Demand, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, advice, demand, must, should,
};
use crate::document::Document;
use crate::needs::{Context, Ordinary, Refreshable, Shortfall};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenAnswer;

const NARROWS: Demand =
    demand("A refresh that asks for a part of the granted scopes gets that part.", &[should(Document::Rfc6749, "6")]);
const STATED: Demand = demand(
    "An access token with more scopes than were asked for comes with its scope stated.",
    &[must(Document::OAuth21, "1.4.1")],
);
const KEPT: Demand = demand(
    "After a narrower refresh, one without scope brings the original scopes again.",
    &[advice(Document::Rfc6749, "6")],
);

/// Gets a grant for several scopes, refreshes for one of them, then without naming any.
pub struct ScopeNarrows;

impl Check for ScopeNarrows {
    type Needs = Refreshable;
    const CARD: Card = Card {
        id: "refresh/scope-narrows",
        demands: &[NARROWS, STATED, KEPT],
        impact: Impact::Medium,
        reach: Reach::OwnMaterial,
        page: include_str!("scope_narrows.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        if ordinary.scope.access().len() > 1 {
            return Ok(vec![ordinary.request()]);
        }
        let known = ordinary.known_scopes.access();
        if known.len() < 2 {
            return Err(Shortfall::NotApplicable(
                "fewer than two scopes are known, so there is no part to ask for".into(),
            ));
        }
        let scope = ordinary.scope_for(&known.iter().take(2).collect()).to_string();
        Ok(vec![ordinary.altered(format!("scope={scope}"), |r| {
            r.set("scope", scope);
        })])
    }

    async fn run(tokens: Refreshable, cx: &Context) -> Outcome {
        let requested = &tokens.grant.requested_scope;
        let granted = tokens.effective_scope(requested);
        let original = granted.access();
        if original.len() < 2 {
            return Err(Unsettled::Control(format!("the grant came with \"{original}\" only, which has no parts")));
        }
        // A part of what was granted: what was requested besides may have been left out, and may not be asked for now.
        let asked: ScopeSet = original.iter().take(1).chain(granted.features().iter()).collect();
        let answer = tokens.refresh_with(&cx.wire, |form| {
            form.set("scope", asked.to_string());
        });
        let Some(answer) = answer.await? else {
            return Err(Unsettled::Control("the grant came without a refresh token".into()));
        };
        let mut ruling = Ruling::from(judge(&answer, &asked));
        if let TokenAnswer::Granted(mut narrow) = answer {
            narrow.refresh_token = narrow.refresh_token.take().or_else(|| tokens.refresh_token.clone());
            if let Some(later) = narrow.refresh(&cx.wire).await? {
                ruling = ruling.noting("a later refresh without scope", judge_later(&later, &original));
            }
        }
        Ok(ruling)
    }
}

fn judge(answer: &TokenAnswer, asked: &ScopeSet) -> Verdict {
    let TokenAnswer::Granted(tokens) = answer else {
        return Verdict::inconclusive(format!("asking for \"{asked}\" alone was answered with {}", answer.describe()));
    };
    let given = tokens.effective_scope(asked).access();
    if !asked.access().beyond(&given).is_empty() {
        return Verdict::fail(NARROWS, format!("\"{asked}\" was asked for, and the token has \"{given}\""));
    }
    let excess = given.beyond(asked);
    let stated = tokens.stated_scope().unwrap_or_default();
    match (excess.is_empty(), excess.beyond(&stated).is_empty()) {
        (true, _) => Verdict::pass(format!("asking for \"{asked}\" alone brought no more than that")),
        (false, true) => {
            Verdict::fail(NARROWS, format!("\"{asked}\" was asked for; \"{excess}\" came as well, and is stated"))
        }
        (false, false) => Verdict::fail(
            STATED,
            format!("\"{asked}\" was asked for; the token has \"{excess}\" as well, which is not stated"),
        ),
    }
}

fn judge_later(answer: &TokenAnswer, original: &ScopeSet) -> Verdict {
    match answer {
        TokenAnswer::Granted(tokens) => {
            let scope = tokens.effective_scope(original);
            match original.beyond(&scope).is_empty() {
                true => Verdict::pass("it brought the original scopes again"),
                false => Verdict::fail(KEPT, format!("it brought \"{scope}\", the grant was for \"{original}\"")),
            }
        }
        other => Verdict::inconclusive(format!("it brought {}", other.describe())),
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
        judge(&granted(members), &ScopeSet::parse("a offline_access"))
    }

    #[test]
    fn more_than_asked_for_is_graver_in_silence() {
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "a"})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": "x"})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "a b"})), Verdict::Fail(NARROWS, _)));
        assert!(matches!(verdict(json!({"access_token": JWT, "scope": "c b a"})), Verdict::Fail(NARROWS, _)));
        assert!(matches!(verdict(json!({"access_token": JWT, "scope": "a b"})), Verdict::Fail(STATED, _)));
        assert!(matches!(verdict(json!({"access_token": JWT})), Verdict::Fail(STATED, _)));
    }

    #[test]
    fn a_refusal_of_the_part_is_no_narrowing_and_neither_is_another_part() {
        let asked = ScopeSet::parse("a");
        assert!(matches!(judge(&refused(400, "invalid_scope"), &asked), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "b"})), Verdict::Fail(NARROWS, _)));
    }

    #[test]
    fn the_grant_keeps_its_scopes() {
        let later =
            |scope: &str| judge_later(&granted(json!({"access_token": "x", "scope": scope})), &ScopeSet::parse("a b"));
        assert!(matches!(later("b a"), Verdict::Pass(_)));
        assert!(matches!(later("a"), Verdict::Fail(KEPT, _)));
    }

    #[test]
    fn one_scope_has_no_parts() {
        assert!(matches!(ScopeNarrows::requests(&ordinary("a", "a")), Err(Shortfall::NotApplicable(_))));
        let scope = |scope, known| ScopeNarrows::requests(&ordinary(scope, known)).unwrap()[0].scope().to_string();
        assert_eq!(scope("a", "a b c"), "a b");
        assert_eq!(scope("a b c", "a b c"), "a b c");
    }
}
