//! An access token opens nothing once it has expired.

use std::time::{Duration, Instant};

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Patience, Resource};
use crate::oauth::jwt::Jwt;
use crate::oauth::token::TokenSet;
use crate::resource::Reached;

const EXPIRES: Demand = demand(
    "An access token is refused once it has expired, and a leeway for clocks has passed as well.",
    &[
        must(Document::Mcp, "token-handling"),
        must(Document::OpenAi, "token verification"),
        must(Document::OAuth21, "5.2"),
    ],
);

/// Presents a token when it is new, just before it expires, and after.
pub struct ExpiredTokenRefused;

impl Check for ExpiredTokenRefused {
    type Needs = (TokenSet, Resource, Patience);
    const CARD: Card = Card {
        id: "resource/expired-token-refused",
        demands: &[EXPIRES],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("expired_token_refused.md"),
    };

    async fn run((tokens, resource, patience): (TokenSet, Resource, Patience), cx: &Context) -> Outcome {
        let began = Instant::now();
        let token = tokens.access_token.expose();
        let Some(lifetime) = lifetime(&tokens) else {
            return Ok(Verdict::inconclusive("nobody says how long the access token lives").into());
        };
        let leeway = cx.audit.settings.thresholds.leeway_seconds;
        if !cx.audit.settings.may_wait(Duration::from_secs(lifetime + leeway + 1)) {
            return Ok(too_long(lifetime + leeway + 1).into());
        }
        resource.control(&cx.wire, token, "it could expire").await?;
        // Its end must be seen to come with its time: an earlier one is somebody else's doing.
        let margin = (lifetime / 4).clamp(1, 3);
        let mut seen = Vec::new();
        for at in [lifetime.saturating_sub(margin), lifetime + 1, lifetime + leeway + 1] {
            if let Err(verdict) = patience.wait_since(cx, began, Duration::from_secs(at)).await {
                return Ok(verdict.into());
            }
            seen.push(resource.read(&resource.call_past_caches(&cx.wire, token).await?));
            if seen.len() > 1 && !seen.last().is_some_and(Reached::is_accepted) {
                break;
            }
        }
        Ok(judge(&seen, lifetime, leeway))
    }
}

/// Seconds that the token lives: by the answer or by its own claims, whichever says more. A resource goes by the token.
fn lifetime(tokens: &TokenSet) -> Option<u64> {
    let stated = tokens.members.get("expires_in").and_then(|s| s.as_u64());
    let claimed = Jwt::read(tokens.access_token.expose()).and_then(|jwt| {
        let issued = jwt.claims.get("iat")?.as_i64()?;
        u64::try_from(jwt.expires_at()? - issued).ok()
    });
    stated.max(claimed).filter(|seconds| *seconds > 0)
}

fn too_long(seconds: u64) -> Verdict {
    Verdict::NotRun { why: format!("it would have to wait {seconds} s"), how: format!("--max-wait {seconds}") }
}

/// `seen`: just before the end, just after it, and after the leeway where the second was no refusal.
fn judge(seen: &[Reached], lifetime: u64, leeway: u64) -> Ruling {
    let [before, after @ ..] = seen else { return Verdict::inconclusive("the token was not presented").into() };
    if !before.is_accepted() {
        return Verdict::inconclusive(format!(
            "the token was answered {} before its {lifetime} s were over, so something else may have ended it",
            before.status
        ))
        .into();
    }
    let refusal = |reached: &Reached| {
        let named = reached.bearer().and_then(|c| c.parameter("error")) == Some("invalid_token");
        let name = if named { " invalid_token" } else { "" };
        Verdict::pass(format!("the token was good until its {lifetime} s were over, then it was answered 401{name}"))
    };
    match after {
        [reached] if reached.is_unauthorized() => refusal(reached).into(),
        [first, last] if first.is_accepted() && last.is_unauthorized() => Ruling::from(refusal(last)).noting(
            "within the leeway",
            Verdict::pass(format!("it was still good 1 s late, and refused after {leeway} s more")),
        ),
        [first, last] if first.is_accepted() && last.is_accepted() => {
            let why = format!("the token was answered {} {} s after it had expired", last.status, leeway + 1);
            Verdict::fail(EXPIRES, why).into()
        }
        _ => {
            let status = after.last().map_or(0, |reached| reached.status);
            Verdict::inconclusive(format!("the expired token was answered {status}")).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::tokens;
    use crate::wire::message::tests::reply;
    use serde_json::json;

    fn ruling(statuses: &[u16]) -> Ruling {
        let seen: Vec<_> = statuses.iter().map(|s| Reached::read(&reply(*s, &[], ""))).collect();
        judge(&seen, 60, 300)
    }

    #[test]
    fn it_must_have_been_good_until_its_end() {
        assert!(matches!(ruling(&[200, 401]).verdict, Verdict::Pass(_)));
        assert!(matches!(ruling(&[200, 200, 200]).verdict, Verdict::Fail(EXPIRES, why) if why.contains("301 s")));
        let late = ruling(&[200, 200, 401]);
        assert!(matches!(late.verdict, Verdict::Pass(_)) && late.findings.len() == 1);
        assert!(matches!(ruling(&[401, 401]).verdict, Verdict::Inconclusive(_)));
        for odd in [&[200, 503][..], &[200, 403], &[200, 200, 500], &[200], &[]] {
            assert!(matches!(ruling(odd).verdict, Verdict::Inconclusive(_)), "{odd:?}");
        }
    }

    #[test]
    fn the_answer_or_the_token_says_how_long() {
        assert_eq!(lifetime(&tokens(json!({"access_token": "x", "expires_in": 60}))), Some(60));
        assert_eq!(lifetime(&tokens(json!({"access_token": "x"}))), None);
        // {"alg":"none"} . {"iat":10,"exp":40}
        let jwt = "eyJhbGciOiJub25lIn0.eyJpYXQiOjEwLCJleHAiOjQwfQ.x";
        assert_eq!(lifetime(&tokens(json!({ "access_token": jwt }))), Some(30));
        let both = |expires_in| lifetime(&tokens(json!({"access_token": jwt, "expires_in": expires_in})));
        assert_eq!((both(20), both(60)), (Some(30), Some(60)));
        assert_eq!(lifetime(&tokens(json!({"access_token": "x", "expires_in": 0}))), None);
    }
}
