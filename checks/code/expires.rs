//! A code that nobody redeems dies within minutes.

use std::time::{Duration, Instant};

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, must, should};
use crate::document::Document;
use crate::front::Purpose;
use crate::needs::{Context, Patience};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::refusal::token_refused;
use crate::oauth::token::{Code, TokenAnswer, TokenSet};

const EXPIRES: Demand = demand(
    "A code is refused with invalid_grant ten minutes after it was issued.",
    &[should(Document::OAuth21, "4.1.2"), must(Document::OpenAi, "approval checklist")],
);

/// Keeps a code until it must be dead, and redeems its twin at once.
pub struct Expires;

impl Check for Expires {
    type Needs = (Code, Patience);
    const CARD: Card = Card {
        id: "code/expires",
        demands: &[EXPIRES],
        impact: Impact::Medium,
        reach: Reach::OwnMaterial,
        page: include_str!("expires.md"),
    };

    async fn run((code, patience): (Code, Patience), cx: &Context) -> Outcome {
        let began = Instant::now();
        let limit = cx.audit.settings.thresholds.code_seconds;
        // Where the next authorization ends this one, a twin would end what is to be waited for.
        let twin = if cx.audit.grants_end_each_other() { None } else { Some(twin(cx).await?) };
        let wait = Duration::from_secs(limit + (limit / 120).max(1));
        if let Err(verdict) = patience.wait_since(cx, began, wait).await {
            return Ok(verdict.into());
        }
        let age = began.elapsed().as_secs();
        let (answer, _) = code.redeem(&cx.wire).await?;
        let alive = match &twin {
            Some(twin) if !matches!(answer, TokenAnswer::Granted(_)) => lives(twin, cx).await,
            _ => Some(true),
        };
        Ok(judge(&answer, alive, age).into())
    }
}

/// A second code of the same minute, redeemed at once.
async fn twin(cx: &Context) -> Result<TokenSet, Unsettled> {
    let request = cx.audit.ordinary().request();
    let control = |what: String| Unsettled::Control(format!("a second code, to be redeemed at once, brought {what}"));
    let code = match cx.audit.visit(&cx.wire, request, Purpose::Ordinary).await {
        Ok(AuthorizationAnswer::Code(code)) => code,
        Ok(other) => return Err(control(other.describe())),
        Err(error) => return Err(control(error.to_string())),
    };
    match code.redeem(&cx.wire).await?.0 {
        TokenAnswer::Granted(tokens) => Ok(*tokens),
        other => Err(control(other.describe())),
    }
}

/// Whether the grant of the twin outlived the wait: by its refresh token, else by its access token at the resource.
async fn lives(twin: &TokenSet, cx: &Context) -> Option<bool> {
    match twin.refresh(&cx.wire).await.ok()? {
        Some(TokenAnswer::Granted(_)) => return Some(true),
        Some(TokenAnswer::Refused(_)) => return Some(false),
        Some(TokenAnswer::Odd { .. }) => return None,
        None => {}
    }
    let resource = cx.audit.baseline()?.as_ref().ok()?.resource().ok()?;
    let reached = resource.call_with(&cx.wire, twin.access_token.expose()).await.ok()?;
    // Dead tells nothing: it may have expired by itself.
    reached.is_accepted().then_some(true)
}

fn judge(answer: &TokenAnswer, twin_lives: Option<bool>, age: u64) -> Verdict {
    let verdict = token_refused(answer, &["invalid_grant"], EXPIRES, &format!("a code {age} s old"));
    match (verdict, twin_lives) {
        (Verdict::Pass(why), Some(false)) => Verdict::inconclusive(format!(
            "{why}, but so was the refresh token of the same minute: the grants may have been ended by something else"
        )),
        (Verdict::Pass(why), None) => {
            Verdict::inconclusive(format!("{why}, but whether the grants of that minute still live could not be seen"))
        }
        (verdict, _) => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn a_dead_code_beside_a_living_twin_has_expired() {
        let dead = refused(400, "invalid_grant");
        assert!(matches!(judge(&dead, Some(true), 605), Verdict::Pass(why) if why.contains("605 s")));
        assert!(matches!(judge(&dead, Some(false), 605), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&dead, None, 605), Verdict::Inconclusive(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&token, Some(true), 605), Verdict::Fail(EXPIRES, _)));
        assert!(matches!(judge(&read(500, "text/html", ""), Some(true), 605), Verdict::Inconclusive(_)));
    }
}
