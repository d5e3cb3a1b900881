//! One scope more can be asked for later, and the earlier ones stay.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, advice, demand};
use crate::document::Document;
use crate::front::Purpose;
use crate::needs::{Context, OneByOne, Ordinary, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenAnswer;

const WORKS: Demand = demand("A client may ask for one scope more later.", &[advice(Document::OpenAi, "scopes")]);
const KEEPS: Demand = demand(
    "A grant for one scope more keeps the earlier ones, or its answer states what is left.",
    &[advice(Document::OpenAi, "scopes")],
);

/// Gets a token for one scope, then asks for one more, with consent.
pub struct Incremental;

impl Check for Incremental {
    type Needs = OneByOne;
    const CARD: Card = Card {
        id: "scope/incremental",
        demands: &[WORKS, KEEPS],
        impact: Impact::Low,
        reach: Reach::OwnMaterial,
        page: include_str!("incremental.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let too_few = || Shortfall::NotApplicable("fewer than two scopes are known, so there is none to add".into());
        let one = ordinary.one_scope().ok_or_else(too_few)?;
        let asking = |scope: &ScopeSet| {
            ordinary.altered(format!("scope={scope}"), |r| {
                r.set("scope", scope.to_string());
            })
        };
        let wider = asking(&wider(ordinary, &one));
        // The ordinary flow has asked for one alone already, if it asks for no more.
        let is_first = ordinary.scope.access().len() == 1;
        Ok(if is_first { vec![wider] } else { vec![asking(&one), wider] })
    }

    async fn run(OneByOne(mut requests): OneByOne, cx: &Context) -> Outcome {
        let Some(mut wider) = requests.pop() else { return Ok(Verdict::inconclusive("nothing was asked").into()) };
        for first in requests {
            let what = first.what.clone();
            let failed = |what: &str, how: String| Unsettled::Control(format!("the request with {what} brought {how}"));
            let answer = cx.audit.visit(&cx.wire, first, Purpose::Ordinary).await;
            let code = match answer.map_err(|error| Unsettled::Control(error.to_string()))? {
                AuthorizationAnswer::Code(code) => code,
                other => return Err(failed(&what, other.describe())),
            };
            if let (other @ (TokenAnswer::Refused(_) | TokenAnswer::Odd { .. }), _) = code.redeem(&cx.wire).await? {
                return Err(failed(&what, other.describe()));
            }
        }
        // Where pages are filled in by a program, the person is asked again: that is what step-up looks like.
        if cx.audit.front.agent().sees_pages() {
            wider.set("prompt", "consent");
        }
        let wanted = wider.scope();
        let allowed = wanted.access().beyond(&cx.audit.ordinary().scope).is_empty();
        let answer = cx.audit.visit(&cx.wire, wider, Purpose::Ordinary).await;
        let code = match answer.map_err(|error| Unsettled::Control(error.to_string()))? {
            AuthorizationAnswer::Code(code) => code,
            other => return Ok(judge_front(&other, &wanted, allowed).into()),
        };
        Ok(judge(&code.redeem(&cx.wire).await?.0, &wanted).into())
    }
}

/// The scopes so far and one more.
fn wider(ordinary: &Ordinary, first: &ScopeSet) -> ScopeSet {
    let known = ordinary.scope.access();
    let all = ordinary.known_scopes.access();
    let further = known.iter().chain(all.iter()).find(|scope| !first.contains(scope)).map(str::to_owned);
    further.map_or_else(|| first.clone(), |scope| first.with(&scope))
}

/// `allowed`: the client was seen to get all of these scopes at once.
fn judge_front(answer: &AuthorizationAnswer, wanted: &ScopeSet, allowed: bool) -> Verdict {
    match answer {
        AuthorizationAnswer::Error(e)
            if allowed && ["invalid_scope", "invalid_request"].contains(&e.error.as_str()) =>
        {
            Verdict::fail(WORKS, format!("asking for \"{wanted}\" later was answered with the error {}", e.error))
        }
        other => Verdict::inconclusive(format!("asking for \"{wanted}\" later was answered with {}", other.describe())),
    }
}

fn judge(answer: &TokenAnswer, wanted: &ScopeSet) -> Verdict {
    let TokenAnswer::Granted(tokens) = answer else {
        return Verdict::inconclusive(format!("the code for \"{wanted}\" brought {}", answer.describe()));
    };
    let given = tokens.effective_scope(wanted);
    let lost = wanted.of_resource().beyond(&given);
    match (lost.is_empty(), tokens.stated_scope()) {
        (true, _) => Verdict::pass(format!("one scope more was asked for later, and \"{given}\" was granted")),
        (false, Some(stated)) if lost.beyond(&stated) == lost => {
            Verdict::pass(format!("\"{wanted}\" was asked for; the answer states that it is \"{stated}\""))
        }
        (false, _) => Verdict::fail(KEEPS, format!("\"{wanted}\" was asked for; \"{lost}\" is missing without a word")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::oauth::token::tests::{granted, refused};
    use serde_json::json;

    // {"alg":"none"} . {"scope":"a b c"}
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImEgYiBjIn0.x";

    #[test]
    fn what_is_lost_must_be_said() {
        let verdict = |members, wanted| judge(&granted(members), &ScopeSet::parse(wanted));
        assert!(matches!(verdict(json!({"access_token": JWT}), "a b"), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": JWT}), "a d"), Verdict::Fail(KEEPS, _)));
        assert!(matches!(verdict(json!({"access_token": JWT, "scope": "a b c"}), "a d"), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": "x", "scope": "b"}), "a b openid"), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(400, "invalid_scope"), &ScopeSet::parse("a")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn an_error_about_the_scope_fails() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")), &ScopeSet::parse("a"), true);
        assert!(matches!(error("invalid_scope"), Verdict::Fail(WORKS, _)));
        assert!(matches!(error("access_denied"), Verdict::Inconclusive(_)));
        assert!(matches!(
            judge_front(&page(200, PageKind::Consent), &ScopeSet::parse("a"), true),
            Verdict::Inconclusive(_)
        ));
    }

    #[test]
    fn one_more_is_asked_for() {
        let scopes = |scope| -> Vec<String> {
            let requests = Incremental::requests(&ordinary(scope, "a b c offline_access")).unwrap();
            requests.iter().map(|r| r.scope().to_string()).collect()
        };
        assert_eq!(scopes("a b offline_access"), ["a offline_access", "a offline_access b"]);
        assert_eq!(scopes("a"), ["a b"]);
    }
}
