//! A refresh token that was replaced buys nothing more.

use std::time::{Duration, Instant};

use crate::check::{
    Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, demand, must, should,
};
use crate::document::Document;
use crate::needs::{Context, Refreshable};
use crate::oauth::token::{TokenAnswer, TokenSet};

const REFUSED: Demand = demand(
    "A refresh token that was replaced is refused with invalid_grant, at the latest after half a minute of grace.",
    &[must(Document::OAuth21, "4.3.1"), must(Document::Rfc9700, "4.14.2")],
);
const AT_ONCE: Demand = demand(
    "A refresh token is refused from the moment it was replaced, without a time of grace.",
    &[should(Document::OAuth21, "4.3.1"), should(Document::Rfc9700, "4.14.2")],
);

/// Seconds after the first replay at which the old token is tried again as long as it is taken: times of grace of ten
/// and of thirty seconds are in wide use.
const GRACE: [u64; 4] = [2, 6, 12, 31];

/// Refreshes, replays the old token, and, if that was taken, replays it again after its successor was used.
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
        let began = Instant::now();
        // Some servers keep the old token good until its successor is used, others for a time.
        let used = new.refresh(&cx.wire).await?;
        let successor_worked = matches!(used, Some(TokenAnswer::Granted(_)));
        let Some(mut later) = tokens.refresh(&cx.wire).await? else { return Err(lost()) };
        for seconds in GRACE {
            if !matches!(later, TokenAnswer::Granted(_)) {
                break;
            }
            tokio::time::sleep(Duration::from_secs(seconds).saturating_sub(began.elapsed())).await;
            let Some(answer) = tokens.refresh(&cx.wire).await? else { return Err(lost()) };
            later = answer;
        }
        let seconds = began.elapsed().as_secs_f64();
        let mut ruling = Ruling::from(judge(&replayed, Some((&later, successor_worked, seconds))));
        if matches!(ruling.verdict, Verdict::Fail(AT_ONCE, _)) {
            let seen = Verdict::pass("the replaced token was refused");
            ruling.findings.push(Finding::new("the time of grace, at most", seen).measured(seconds, "s"));
        }
        Ok(ruling)
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

/// `later` is the answer to the last replay, whether the successor worked when it was used before that, and the seconds
/// since the first replay.
fn judge(replayed: &TokenAnswer, later: Option<(&TokenAnswer, bool, f64)>) -> Verdict {
    let is_refusal = |answer: &TokenAnswer| matches!(answer, TokenAnswer::Refused(e) if e.error == "invalid_grant");
    match (replayed, later) {
        (replayed, _) if is_refusal(replayed) => {
            Verdict::pass("the replaced refresh token was refused with invalid_grant at once")
        }
        (TokenAnswer::Granted(_), Some((TokenAnswer::Granted(_), _, seconds))) => Verdict::fail(
            REFUSED,
            format!("the replaced refresh token still bought tokens {seconds:.0} s after it was replayed first"),
        ),
        (TokenAnswer::Granted(_), Some((later, true, seconds))) if is_refusal(later) => {
            let until = match seconds < 1.5 {
                true => "after its successor had been used".to_owned(),
                false => format!("{seconds:.0} s later"),
            };
            Verdict::fail(
                AT_ONCE,
                format!("the replaced refresh token bought tokens once more, and was refused only {until}"),
            )
        }
        (TokenAnswer::Granted(_), later) => Verdict::inconclusive(format!(
            "the replaced refresh token bought tokens once more, then {}; its successor {}",
            later.map_or_else(|| "nothing".into(), |(answer, ..)| answer.describe()),
            if later.is_some_and(|(_, worked, _)| worked) {
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
        assert!(matches!(judge(&token(), Some((&token(), true, 31.0))), Verdict::Fail(REFUSED, _)));
        let ended = |seconds| match judge(&token(), Some((&dead, true, seconds))) {
            Verdict::Fail(AT_ONCE, why) => why,
            other => panic!("{other:?}"),
        };
        assert!(ended(0.2).contains("its successor") && ended(12.3).contains("12 s later"));
        assert!(matches!(judge(&token(), Some((&dead, false, 0.2))), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&token(), Some((&read(500, "text/html", ""), true, 0.2))), Verdict::Inconclusive(_)));
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
