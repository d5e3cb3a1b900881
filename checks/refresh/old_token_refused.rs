//! A refresh token that was replaced buys nothing more.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, Refreshable};
use crate::oauth::token::{TokenAnswer, TokenSet};

const REFUSED: Demand = demand(
    "A refresh token that was replaced is refused with invalid_grant, at the latest once its successor was used.",
    &[must(Document::OAuth21, "4.3.1"), must(Document::Rfc9700, "4.14.2")],
);
const AT_ONCE: Demand = demand(
    "A refresh token is refused from the moment it was replaced, without a time of grace.",
    &[should(Document::OAuth21, "4.3.1"), should(Document::Rfc9700, "4.14.2")],
);

/// Refreshes, replays the old token, and, if that was taken, replays it once more after its successor was used.
pub struct OldTokenRefused;

impl Check for OldTokenRefused {
    type Needs = Refreshable;
    const CARD: Card = Card {
        id: "refresh/old-token-refused",
        demands: &[REFUSED, AT_ONCE],
        impact: Impact::Critical,
        reach: Reach::Grant,
        page: include_str!("old_token_refused.md"),
    };

    async fn run(tokens: Refreshable, cx: &Context) -> Outcome {
        let new = match successor(&tokens, tokens.refresh(&cx.wire).await?) {
            Ok(new) => new,
            Err(early) => return early.map(Into::into),
        };
        let Some(replayed) = tokens.refresh(&cx.wire).await? else { return Err(lost()) };
        if !matches!(replayed, TokenAnswer::Granted(_)) {
            return Ok(judge(&replayed, None).into());
        }
        // Some servers keep the old token good until its successor is used.
        let used = new.refresh(&cx.wire).await?;
        let Some(later) = tokens.refresh(&cx.wire).await? else { return Err(lost()) };
        let successor_worked = matches!(used, Some(TokenAnswer::Granted(_)));
        Ok(judge(&replayed, Some((&later, successor_worked))).into())
    }
}

fn lost() -> Unsettled {
    Unsettled::Control("the grant came without a refresh token".into())
}

/// The token set that replaced the old one; without it there is nothing to judge.
fn successor(old: &TokenSet, answer: Option<TokenAnswer>) -> Result<Box<TokenSet>, Result<Verdict, Unsettled>> {
    match answer {
        Some(TokenAnswer::Granted(new)) if new.refresh_token.is_some() && new.refresh_token != old.refresh_token => {
            Ok(new)
        }
        Some(TokenAnswer::Granted(_)) => {
            Err(Ok(Verdict::not_applicable("the refresh token is not replaced at all, see refresh/rotated")))
        }
        Some(other) => Err(Err(Unsettled::Control(format!("the first refresh brought {}", other.describe())))),
        None => Err(Err(lost())),
    }
}

/// `later` is the answer to the second replay, and whether the successor worked when it was used before that.
fn judge(replayed: &TokenAnswer, later: Option<(&TokenAnswer, bool)>) -> Verdict {
    let is_refusal = |answer: &TokenAnswer| matches!(answer, TokenAnswer::Refused(e) if e.error == "invalid_grant");
    match (replayed, later) {
        (replayed, _) if is_refusal(replayed) => {
            Verdict::pass("the replaced refresh token was refused with invalid_grant at once")
        }
        (TokenAnswer::Granted(_), Some((TokenAnswer::Granted(_), _))) => {
            Verdict::fail(REFUSED, "the replaced refresh token bought tokens, even after its successor had been used")
        }
        (TokenAnswer::Granted(_), Some((later, true))) if is_refusal(later) => Verdict::fail(
            AT_ONCE,
            "the replaced refresh token bought tokens once more, and was refused only after its successor had been used",
        ),
        (TokenAnswer::Granted(_), later) => Verdict::inconclusive(format!(
            "the replaced refresh token bought tokens once more, then {}; its successor {}",
            later.map_or_else(|| "nothing".into(), |(answer, _)| answer.describe()),
            if later.is_some_and(|(_, worked)| worked) {
                "worked"
            } else {
                "did not work, so the grant may have ended"
            },
        )),
        (other, _) => {
            Verdict::inconclusive(format!("the replaced refresh token was answered with {}", other.describe()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused, tokens};
    use serde_json::json;

    #[test]
    fn grace_is_less_than_no_refusal_at_all() {
        let token = || granted(json!({"access_token": "x"}));
        let dead = refused(400, "invalid_grant");
        assert!(matches!(judge(&dead, None), Verdict::Pass(_)));
        assert!(matches!(judge(&token(), Some((&token(), true))), Verdict::Fail(REFUSED, _)));
        assert!(matches!(judge(&token(), Some((&dead, true))), Verdict::Fail(AT_ONCE, _)));
        assert!(matches!(judge(&token(), Some((&dead, false))), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&token(), Some((&read(500, "text/html", ""), true))), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&refused(401, "invalid_client"), None), Verdict::Inconclusive(_)));
    }

    #[test]
    fn without_a_successor_there_is_nothing_to_judge() {
        let old = tokens(json!({"access_token": "x", "refresh_token": "r"}));
        let same = granted(json!({"access_token": "y", "refresh_token": "r"}));
        assert!(matches!(successor(&old, Some(same)), Err(Ok(Verdict::NotApplicable(_)))));
        assert!(matches!(successor(&old, Some(refused(400, "x"))), Err(Err(Unsettled::Control(_)))));
        assert!(successor(&old, Some(granted(json!({"access_token": "y", "refresh_token": "s"})))).is_ok());
    }
}
