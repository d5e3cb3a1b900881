//! A token answer has the form that clients read.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::discovery::kind;
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenSet;
use crate::wire::Reply;

const IS_JSON: Demand =
    demand("A token answer has status 200 and is application/json.", &[must(Document::OAuth21, "3.2.3")]);
const NAMES_TYPE: Demand = demand("A token answer names the token_type.", &[must(Document::OAuth21, "3.2.3")]);
const LIFETIME: Demand =
    demand("The expires_in of a token answer is a positive JSON number.", &[must(Document::OAuth21, "3.2.3")]);
const STATES_SCOPE: Demand = demand(
    "A token answer states the scope, as one string, where it differs from what was asked for.",
    &[must(Document::OAuth21, "3.2.3")],
);

/// Reads the token answer of the ordinary flow.
pub struct ResponseFormat;

impl Check for ResponseFormat {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "token/response-format",
        demands: &[IS_JSON, NAMES_TYPE, LIFETIME, STATES_SCOPE],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("response_format.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let lines = judge(&baseline.token_reply, &baseline.tokens, &baseline.requested_scope);
        let ruling = cx.fold(lines, "status, media type and members are as clients read them");
        Ok(ruling.shown_by([baseline.token_reply.id]))
    }
}

fn judge(reply: &Reply, tokens: &TokenSet, requested: &ScopeSet) -> Vec<Finding> {
    let member = |name: &str| tokens.members.get(name).filter(|v| !v.is_null());
    let form = match (reply.status, reply.media_type().as_str()) {
        (200, "application/json") => Verdict::pass("200 and application/json"),
        (200, other) => Verdict::fail(IS_JSON, format!("the media type is \"{other}\"")),
        (status, _) => Verdict::fail(IS_JSON, format!("the status is {status}")),
    };
    let named = match member("token_type") {
        Some(Value::String(name)) if !name.is_empty() => Verdict::pass(format!("token_type is {name}")),
        Some(other) => Verdict::fail(NAMES_TYPE, format!("token_type is {}", kind(other))),
        None => Verdict::fail(NAMES_TYPE, "token_type is missing"),
    };
    let lifetime = match member("expires_in") {
        Some(Value::Number(n)) if n.as_f64().is_some_and(|n| n > 0.0) => Verdict::pass(format!("expires_in is {n}")),
        Some(Value::Number(n)) => Verdict::fail(LIFETIME, format!("expires_in is {n}")),
        Some(other) => Verdict::fail(LIFETIME, format!("expires_in is {}", kind(other))),
        None => Verdict::not_applicable("expires_in is not stated"),
    };
    let scope = match member("scope") {
        Some(Value::String(scope)) => Verdict::pass(format!("scope is \"{scope}\"")),
        Some(other) => Verdict::fail(STATES_SCOPE, format!("scope is {}", kind(other))),
        None => unstated(&tokens.effective_scope(requested), requested),
    };
    let lines = [("status and media type", form), ("token_type", named), ("expires_in", lifetime), ("scope", scope)];
    lines.into_iter().map(|(what, verdict)| Finding::new(what, verdict)).collect()
}

/// Nothing stated means: as asked for. What was given beyond that or left out shows in the claims of a JWT only.
fn unstated(given: &ScopeSet, requested: &ScopeSet) -> Verdict {
    if requested.is_empty() || given.of_resource().same_access(&requested.of_resource()) {
        return Verdict::pass("scope is not stated, which means as asked for");
    }
    Verdict::fail(
        STATES_SCOPE,
        format!("scope is not stated, but the token has \"{given}\" and \"{requested}\" was asked for"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::tokens;
    use crate::wire::message::tests::reply;
    use serde_json::json;

    fn broken(media_type: &str, members: Value) -> Vec<Demand> {
        let reply = reply(200, &[("content-type", media_type)], "");
        let lines = judge(&reply, &tokens(members), &ScopeSet::parse("a b"));
        lines.into_iter().filter_map(|f| if let Verdict::Fail(d, _) = f.verdict { Some(d) } else { None }).collect()
    }

    #[test]
    fn a_proper_answer_has_nothing_wrong() {
        let members = json!({"access_token": "x", "token_type": "bearer", "expires_in": 900.0, "scope": "a"});
        assert_eq!(broken("application/json;charset=UTF-8", members), []);
        assert_eq!(broken("application/json", json!({"access_token": "x", "token_type": "DPoP"})), []);
    }

    #[test]
    fn each_member_is_judged_by_its_own_sentence() {
        let members = json!({"access_token": "x", "expires_in": "900", "scope": ["a"]});
        assert_eq!(broken("text/plain", members), [IS_JSON, NAMES_TYPE, LIFETIME, STATES_SCOPE]);
        assert_eq!(
            broken("application/json", json!({"access_token": "x", "token_type": "b", "expires_in": -1})),
            [LIFETIME]
        );
    }

    #[test]
    fn a_scope_that_differs_must_be_stated() {
        // {"alg":"none"} . {"scope":"a b c"}
        let jwt = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImEgYiBjIn0.x";
        assert_eq!(broken("application/json", json!({"access_token": jwt, "token_type": "Bearer"})), [STATES_SCOPE]);
        let silent = |asked: &str| unstated(&ScopeSet::parse("a"), &ScopeSet::parse(asked));
        assert!(matches!(silent("openid profile email a"), Verdict::Pass(_)), "claims of a person are no access");
        assert!(matches!(silent("a b"), Verdict::Fail(STATES_SCOPE, _)));
    }
}
