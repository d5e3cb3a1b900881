//! When a code is replayed, the tokens that it bought die.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, should};
use crate::document::Document;
use crate::needs::{Context, no_resource};
use crate::oauth::token::{Code, TokenAnswer, TokenSet};
use crate::resource::Life;

const REPLAY_REVOKES: Demand =
    demand("A replayed code ends the tokens that were issued for it.", &[should(Document::OAuth21, "4.1.3")]);

/// Redeems a code, sends the same request again, and looks whether the tokens of the first answer still work.
pub struct ReplayRevokesTokens;

impl Check for ReplayRevokesTokens {
    type Needs = Code;
    const CARD: Card = Card {
        id: "code/replay-revokes-tokens",
        demands: &[REPLAY_REVOKES],
        impact: Impact::Medium,
        reach: Reach::Grant,
        page: include_str!("replay_revokes_tokens.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        let (first, spent) = code.redeem(&cx.wire).await?;
        let TokenAnswer::Granted(mut tokens) = first else {
            return Err(Unsettled::Control(format!("the first redemption brought {}", first.describe())));
        };
        let flow = cx.audit.baseline().and_then(|b| b.as_ref().ok());
        let resource = flow.and_then(|flow| flow.resource().ok());
        match resource {
            Some(resource) => resource.control(&cx.wire, tokens.access_token.expose(), "the replay").await?,
            // The refresh token alone can tell then, so that one is shown to be good.
            None => {
                if let Some(answer) = tokens.refresh(&cx.wire).await? {
                    tokens = successor(&tokens, answer)?;
                }
            }
        }
        let token = tokens.access_token.expose();
        if let Some(verdict) = undecided(&spent.replay(&cx.wire).await?) {
            return Ok(verdict.into());
        }
        let access = match resource {
            Some(resource) => Some(resource.outlived(&cx.wire, token, &[0, 1, 2]).await?),
            None => None,
        };
        let refresh = tokens.refresh(&cx.wire).await?;
        Ok(judge(access.as_ref(), refresh.as_ref(), lifetime(&tokens)).into())
    }
}

/// The token set that a refresh before the replay brought.
fn successor(old: &TokenSet, answer: TokenAnswer) -> Result<Box<TokenSet>, Unsettled> {
    match answer {
        TokenAnswer::Granted(mut new) => {
            // An answer without refresh_token says that the old one stays in use.
            new.refresh_token = new.refresh_token.take().or_else(|| old.refresh_token.clone());
            Ok(new)
        }
        other => Err(Unsettled::Control(format!(
            "the refresh token was not good even before the replay: it was answered with {}",
            other.describe()
        ))),
    }
}

/// What keeps the replay from being one: it must have been refused as such.
fn undecided(replay: &TokenAnswer) -> Option<Verdict> {
    match replay {
        TokenAnswer::Refused(e) if e.error == "invalid_grant" => None,
        TokenAnswer::Granted(_) => {
            Some(Verdict::not_applicable("the code could be redeemed twice, which is judged by code/single-use"))
        }
        other => Some(Verdict::inconclusive(format!(
            "the replay was answered with {}, and only one that is refused with invalid_grant shows what it revokes, \
             see code/single-use",
            other.describe()
        ))),
    }
}

fn lifetime(tokens: &TokenSet) -> Option<u64> {
    tokens.members.get("expires_in")?.as_u64()
}

fn judge(access: Option<&Life>, refresh: Option<&TokenAnswer>, lifetime: Option<u64>) -> Verdict {
    let refused = |answer: &TokenAnswer| matches!(answer, TokenAnswer::Refused(e) if e.error == "invalid_grant");
    if let Some(TokenAnswer::Granted(_)) = refresh {
        let access = match access {
            Some(Life::GoesOn(_)) => "; so does the access token",
            Some(Life::Ended(_)) => "; the access token was refused",
            Some(Life::Unclear(_)) | None => "",
        };
        return Verdict::fail(REPLAY_REVOKES, format!("the refresh token still works after the replay{access}"));
    }
    if let Some(odd) = refresh.filter(|answer| !refused(answer)) {
        return Verdict::inconclusive(format!(
            "the refresh token was answered with {} after the replay",
            odd.describe()
        ));
    }
    let refresh_died = if refresh.is_some() { "the refresh token was refused" } else { "there was no refresh token" };
    match access {
        Some(Life::GoesOn(_)) => {
            let left = lifetime.map(|s| format!(", for up to {s} s more")).unwrap_or_default();
            Verdict::fail(
                REPLAY_REVOKES,
                format!("the access token still works after the replay{left}; {refresh_died}"),
            )
        }
        Some(Life::Unclear(why)) => Verdict::inconclusive(format!("after the replay {why}; {refresh_died}")),
        Some(Life::Ended(_)) if lifetime.is_some_and(|s| s <= 15) => {
            Verdict::inconclusive("the access token lives so short that it may have expired by itself")
        }
        Some(Life::Ended(_)) => Verdict::pass(format!("after the replay the access token was refused; {refresh_died}")),
        None if refresh.is_some() => Verdict::pass(
            "after the replay the refresh token was refused; no resource is known to show the access token to",
        ),
        None => no_resource().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused, tokens};

    #[test]
    fn both_tokens_must_be_dead() {
        let dead = refused(400, "invalid_grant");
        assert!(matches!(judge(Some(&Life::Ended(0.1)), Some(&dead), None), Verdict::Pass(_)));
        assert!(matches!(judge(Some(&Life::Ended(0.1)), None, None), Verdict::Pass(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(Some(&Life::Ended(0.1)), Some(&token), None), Verdict::Fail(..)));
        let verdict = judge(Some(&Life::GoesOn(2.0)), Some(&dead), Some(3600));
        assert!(
            matches!(&verdict, Verdict::Fail(_, why) if why.contains("3600 s") && why.contains("refresh token was refused"))
        );
    }

    #[test]
    fn a_refresh_token_that_never_worked_did_not_die() {
        let old = || tokens(serde_json::json!({"access_token": "x", "refresh_token": "r"}));
        assert!(matches!(successor(&old(), refused(400, "invalid_grant")), Err(Unsettled::Control(_))));
        let kept = successor(&old(), granted(serde_json::json!({"access_token": "y"}))).unwrap();
        assert_eq!(kept.refresh_token, old().refresh_token);
    }

    #[test]
    fn what_could_not_be_seen_is_never_green() {
        assert!(matches!(judge(Some(&Life::Unclear("502".into())), None, None), Verdict::Inconclusive(_)));
        let odd = read(500, "text/html", "");
        assert!(matches!(judge(Some(&Life::Ended(0.1)), Some(&odd), None), Verdict::Inconclusive(_)));
        assert!(matches!(judge(Some(&Life::Ended(0.1)), None, Some(10)), Verdict::Inconclusive(_)));
        assert!(matches!(judge(None, None, None), Verdict::NotRun { .. }));
        assert!(matches!(undecided(&refused(400, "invalid_client")), Some(Verdict::Inconclusive(_))));
        assert_eq!(undecided(&refused(400, "invalid_grant")), None);
    }
}
