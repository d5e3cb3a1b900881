//! A refresh token is good for its own client alone.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, advice, demand, must};
use crate::document::Document;
use crate::needs::{Context, OtherClient, Refreshable};
use crate::oauth::refusal::token_refused;
use crate::oauth::token::TokenAnswer;

const BOUND: Demand = demand(
    "A refresh token is refused with invalid_grant to a client that it was not issued to.",
    &[must(Document::OAuth21, "4.3"), must(Document::OAuth21, "4.3.1")],
);
const UNHARMED: Demand = demand(
    "A refresh token still works for its own client after another one tried it.",
    &[advice(Document::OAuth21, "4.3.1")],
);

/// Sends the newest refresh token of one client as another, then as its own.
pub struct BoundToClient;

impl Check for BoundToClient {
    type Needs = (Refreshable, OtherClient);
    const CARD: Card = Card {
        id: "refresh/bound-to-client",
        demands: &[BOUND, UNHARMED],
        impact: Impact::Critical,
        reach: Reach::Grant,
        page: include_str!("bound_to_client.md"),
    };

    async fn run((tokens, other): (Refreshable, OtherClient), cx: &Context) -> Outcome {
        let lost = || Unsettled::Control("the grant came without a refresh token".into());
        // The control: refreshing works, and what is sent next was never used.
        let mut newest = match tokens.refresh(&cx.wire).await?.ok_or_else(lost)? {
            TokenAnswer::Granted(new) => new,
            answer => return Err(Unsettled::Control(format!("an ordinary refresh brought {}", answer.describe()))),
        };
        newest.refresh_token = newest.refresh_token.take().or_else(|| tokens.refresh_token.clone());
        let by_other = newest.refresh_by(&cx.wire, &other.client).await?.ok_or_else(lost)?;
        let by_owner = newest.refresh(&cx.wire).await?.ok_or_else(lost)?;
        Ok(judge(&by_other, &by_owner).into())
    }
}

fn judge(by_other: &TokenAnswer, by_owner: &TokenAnswer) -> Verdict {
    let verdict = token_refused(by_other, &["invalid_grant"], BOUND, "the refresh token of another client");
    let Verdict::Pass(why) = verdict else { return verdict };
    match by_owner {
        TokenAnswer::Granted(_) => Verdict::pass(format!("{why}, and still works for its own")),
        TokenAnswer::Refused(e) if e.error == "invalid_grant" => {
            Verdict::fail(UNHARMED, format!("{why}, and then to its own client as well"))
        }
        odd => Verdict::inconclusive(format!("{why}, and then its own client got {}", odd.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn the_other_client_is_refused_and_the_owner_is_not() {
        let token = || granted(serde_json::json!({"access_token": "x"}));
        let dead = || refused(400, "invalid_grant");
        assert!(matches!(judge(&dead(), &token()), Verdict::Pass(_)));
        assert!(matches!(judge(&token(), &dead()), Verdict::Fail(BOUND, _)));
        assert!(matches!(judge(&dead(), &dead()), Verdict::Fail(UNHARMED, _)));
        assert!(matches!(judge(&refused(401, "unauthorized_client"), &token()), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&dead(), &read(500, "text/html", "")), Verdict::Inconclusive(_)));
    }
}
