//! A replayed refresh token ends the tokens that came after it.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, demand, should};
use crate::document::Document;
use crate::needs::{Context, Refreshable};
use crate::oauth::token::{TokenAnswer, TokenSet};
use crate::wire::Wire;

const FAMILY_DIES: Demand = demand(
    "A replayed refresh token ends the newest refresh token of the same grant as well.",
    &[should(Document::OAuth21, "4.3.1"), should(Document::Rfc9700, "4.14.2")],
);

/// Refreshes twice, replays the token in between, and tries the newest one.
pub struct ReuseRevokesFamily;

impl Check for ReuseRevokesFamily {
    type Needs = Refreshable;
    const CARD: Card = Card {
        id: "refresh/reuse-revokes-family",
        demands: &[FAMILY_DIES],
        impact: Impact::High,
        reach: Reach::Grant,
        page: include_str!("reuse_revokes_family.md"),
    };

    async fn run(tokens: Refreshable, cx: &Context) -> Outcome {
        // Twice: a token that came from a refresh is thereby shown to work.
        let middle = refreshed(&tokens, &cx.wire).await?;
        let newest = refreshed(&middle, &cx.wire).await?;
        if newest.refresh_token.is_none() || newest.refresh_token == middle.refresh_token {
            return Ok(Verdict::not_applicable("the refresh token is not replaced, see refresh/rotated").into());
        }
        let Some(replayed) = middle.refresh(&cx.wire).await? else { return Err(lost()) };
        if let Some(verdict) = undecided(&replayed) {
            return Ok(verdict.into());
        }
        let Some(answer) = newest.refresh(&cx.wire).await? else { return Err(lost()) };
        let mut ruling = Ruling::from(judge(&answer));
        let flow = cx.audit.baseline().and_then(|b| b.as_ref().ok());
        if let Some(resource) = flow.and_then(|flow| flow.resource().ok())
            && let Ok(reached) = resource.call_with(&cx.wire, newest.access_token.expose()).await
        {
            let said = format!("the resource answered {} to it after the replay", reached.status);
            ruling
                .findings
                .push(Finding::new("the newest access token", Verdict::pass(said)).shown_by([reached.exchange]));
        }
        Ok(ruling)
    }
}

fn lost() -> Unsettled {
    Unsettled::Control("the refresh token was not replaced, and none is left to try".into())
}

async fn refreshed(tokens: &TokenSet, wire: &Wire) -> Result<TokenSet, Unsettled> {
    match tokens.refresh(wire).await? {
        Some(TokenAnswer::Granted(mut new)) => {
            // An answer without refresh_token says that the old one stays in use.
            new.refresh_token = new.refresh_token.take().or_else(|| tokens.refresh_token.clone());
            Ok(*new)
        }
        Some(other) => Err(Unsettled::Control(format!("an ordinary refresh brought {}", other.describe()))),
        None => Err(lost()),
    }
}

/// What keeps the replay from being one: it must have been refused as such.
fn undecided(replayed: &TokenAnswer) -> Option<Verdict> {
    match replayed {
        TokenAnswer::Refused(e) if e.error == "invalid_grant" => None,
        TokenAnswer::Granted(_) => {
            Some(Verdict::not_applicable("the replaced refresh token is not refused, see refresh/old-token-refused"))
        }
        other => Some(Verdict::inconclusive(format!("the replay was answered with {}", other.describe()))),
    }
}

fn judge(newest: &TokenAnswer) -> Verdict {
    match newest {
        TokenAnswer::Refused(e) if e.error == "invalid_grant" => {
            Verdict::pass("after the replay the newest refresh token was refused with invalid_grant as well")
        }
        TokenAnswer::Granted(_) => {
            Verdict::fail(FAMILY_DIES, "after the replay the newest refresh token still buys tokens")
        }
        other => {
            Verdict::inconclusive(format!("after the replay the newest refresh token brought {}", other.describe()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn the_newest_token_must_die() {
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(judge(&token), Verdict::Fail(FAMILY_DIES, _)));
        assert!(matches!(judge(&read(503, "text/html", "")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_replay_that_was_not_refused_is_none() {
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert_eq!(undecided(&refused(400, "invalid_grant")), None);
        assert!(matches!(undecided(&token), Some(Verdict::NotApplicable(_))));
        assert!(matches!(undecided(&refused(400, "invalid_request")), Some(Verdict::Inconclusive(_))));
    }
}
