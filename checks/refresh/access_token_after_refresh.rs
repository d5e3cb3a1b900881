//! Whether the access token before a refresh outlives it.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, advice, demand};
use crate::document::Document;
use crate::needs::{Context, Refreshable, Resource};
use crate::oauth::token::TokenAnswer;
use crate::resource::Life;

const ENDS: Demand = demand(
    "The access token before a refresh is refused once there is a new one.",
    &[advice(Document::OpenAi, "refresh tokens")],
);

/// Shows an access token good, refreshes, and presents it again.
pub struct AccessTokenAfterRefresh;

impl Check for AccessTokenAfterRefresh {
    type Needs = (Refreshable, Resource);
    const CARD: Card = Card {
        id: "refresh/access-token-after-refresh",
        demands: &[ENDS],
        impact: Impact::Low,
        reach: Reach::OwnMaterial,
        page: include_str!("access_token_after_refresh.md"),
    };

    async fn run((tokens, resource): (Refreshable, Resource), cx: &Context) -> Outcome {
        let token = tokens.access_token.expose();
        resource.control(&cx.wire, token, "the refresh").await?;
        match tokens.refresh(&cx.wire).await? {
            Some(TokenAnswer::Granted(_)) => {}
            Some(other) => return Err(Unsettled::Control(format!("the refresh brought {}", other.describe()))),
            None => return Err(Unsettled::Control("the grant came without a refresh token".into())),
        }
        let life = resource.outlived(&cx.wire, token, &[0, 1]).await?;
        let expires_in = tokens.members.get("expires_in").and_then(|s| s.as_u64());
        Ok(judge(&life, expires_in).into())
    }
}

fn judge(life: &Life, expires_in: Option<u64>) -> Verdict {
    match life {
        Life::Ended(_) if expires_in.is_some_and(|s| s <= 5) => {
            Verdict::inconclusive("the access token lives so short that it may have expired by itself")
        }
        Life::Ended(_) => Verdict::pass("after the refresh the old access token was refused"),
        Life::GoesOn(_) => {
            let left = expires_in.map(|s| format!(", until {s} s after it was issued")).unwrap_or_default();
            Verdict::fail(ENDS, format!("after the refresh the old access token still works{left}"))
        }
        Life::Unclear(why) => Verdict::inconclusive(format!("after the refresh {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_reported() {
        assert!(matches!(judge(&Life::Ended(0.1), Some(900)), Verdict::Pass(_)));
        assert!(matches!(judge(&Life::GoesOn(1.0), Some(900)), Verdict::Fail(ENDS, why) if why.contains("900 s")));
        assert!(matches!(judge(&Life::Ended(0.1), Some(5)), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&Life::Unclear("502".into()), None), Verdict::Inconclusive(_)));
    }
}
