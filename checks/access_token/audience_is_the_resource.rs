//! An access token says whom it is for.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Baseline, Context, Needs as _, no_resource};
use crate::oauth::claims::{Judged, audience_among};
use crate::oauth::introspection::{Introspected, Introspection};
use crate::oauth::jwt::{Jwt, TokenKind};

const NAMED: Demand = demand(
    "An access token names an audience.",
    &[should(Document::Rfc8707, "2"), should(Document::Rfc9068, "3"), must(Document::OpenAi, "approval checklist")],
);
const THE_RESOURCE: Demand = demand(
    "The audience of an access token is the resource that was asked for.",
    &[should(Document::Rfc8707, "2"), should(Document::Rfc9068, "3")],
);

/// Reads the audience of the access token: in the token, else by introspection.
pub struct AudienceIsTheResource;

impl Check for AudienceIsTheResource {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/audience-is-the-resource",
        demands: &[NAMED, THE_RESOURCE],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("audience_is_the_resource.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let Some(facts) = &cx.audit.discovery.resource else { return Ok(Verdict::from(no_resource()).into()) };
        let asked = baseline.ordinary.resource.as_deref();
        let published = facts.metadata.as_ref().and_then(|(m, _)| m.text("resource"));
        let expected: Vec<&str> = asked.into_iter().chain(published).chain([facts.url.as_str()]).collect();
        let token = baseline.tokens.access_token.expose();
        if let Some(jwt) = Jwt::read(token) {
            let verdict = judge(&jwt.claims, &expected, "the token");
            return Ok(Ruling::from(verdict).shown_by([baseline.tokens.exchange]));
        }
        let kind = TokenKind::of(token).describe();
        let introspection = match Introspection::supply(cx, Vec::new()).await {
            Ok(introspection) => introspection,
            Err(shortfall) => return Ok(unseen(kind, Verdict::from(shortfall)).into()),
        };
        let answer = introspection.ask(&cx.wire, token).await?;
        Ok(Ruling::from(judge_introspected(&answer, &expected)).shown_by([answer.exchange()]))
    }
}

/// Where nobody can look into the token, only what the resource does with foreign tokens can be judged.
fn unseen(kind: &str, why: Verdict) -> Verdict {
    let seen = |why: String| format!("the access token is {kind}, and {why}");
    match why {
        Verdict::NotApplicable(why) => Verdict::not_applicable(format!(
            "{}; resource/foreign-audience-refused judges what the resource makes of it",
            seen(why)
        )),
        Verdict::NotRun { why, how } => Verdict::NotRun { why: seen(why), how },
        other => other,
    }
}

fn judge(claims: &Value, expected: &[&str], who: &str) -> Verdict {
    match audience_among(claims, expected) {
        Judged::Holds(why) => Verdict::pass(format!("{who} says so: {why}")),
        Judged::Broken(why) => Verdict::fail(THE_RESOURCE, format!("{who} names another audience: {why}")),
        Judged::Unknown(why) => Verdict::fail(NAMED, format!("{who} names no audience: {why}")),
    }
}

fn judge_introspected(answer: &Introspected, expected: &[&str]) -> Verdict {
    match answer {
        // `aud` is optional there (RFC 7662 section 2.2): the resource server may know by other means.
        Introspected::Active(members, _) if answer.audience().is_none_or(|aud| aud.is_empty()) => {
            let stated: Vec<&str> =
                members.as_object().map(|m| m.keys().map(String::as_str).collect()).unwrap_or_default();
            Verdict::inconclusive(format!("introspection states {} and no aud", stated.join(", ")))
        }
        Introspected::Active(members, _) => judge(members, expected, "introspection"),
        Introspected::Inactive(..) => Verdict::inconclusive(
            "introspection calls the token inactive: the client of [introspection] may not ask about it, or it has ended",
        ),
        Introspected::Unclear(why, _) => Verdict::inconclusive(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ExchangeId;
    use serde_json::json;

    const EXPECTED: [&str; 2] = ["https://api.example/mcp", "https://api.example/mcp"];

    #[test]
    fn another_audience_is_weaker_than_none() {
        let verdict = |claims: Value| judge(&claims, &EXPECTED, "the token");
        assert!(matches!(verdict(json!({"aud": ["x", EXPECTED[0]]})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"aud": "https://api.example"})), Verdict::Fail(THE_RESOURCE, _)));
        assert!(matches!(verdict(json!({"aud": []})), Verdict::Fail(NAMED, _)));
        assert!(matches!(verdict(json!({})), Verdict::Fail(NAMED, _)));
    }

    #[test]
    fn introspection_may_be_silent() {
        let active = |members| judge_introspected(&Introspected::Active(members, ExchangeId(1)), &EXPECTED);
        assert!(matches!(active(json!({"active": true, "aud": EXPECTED[0]})), Verdict::Pass(_)));
        assert!(matches!(active(json!({"active": true, "aud": "other"})), Verdict::Fail(THE_RESOURCE, _)));
        assert!(
            matches!(active(json!({"active": true, "scope": "a"})), Verdict::Inconclusive(why) if why.contains("scope"))
        );
        let inactive = Introspected::Inactive(json!({"active": false}), ExchangeId(1));
        assert!(matches!(judge_introspected(&inactive, &EXPECTED), Verdict::Inconclusive(_)));
    }

    #[test]
    fn what_cannot_be_seen_says_what_to_do() {
        let none = unseen("opaque", Verdict::not_applicable("the server announces no introspection_endpoint"));
        assert!(matches!(none, Verdict::NotApplicable(why) if why.contains("foreign-audience-refused")));
        let open = Verdict::NotRun { why: "nobody may ask".into(), how: "[introspection]".into() };
        assert!(matches!(unseen("opaque", open), Verdict::NotRun { how, .. } if how == "[introspection]"));
    }
}
