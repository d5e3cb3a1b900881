//! A refresh token buys an access token that works.

use std::sync::Arc;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Refreshed};
use crate::oauth::token::TokenAnswer;
use crate::resource::Reached;

const WORKS: Demand = demand(
    "A refresh token buys an access token that the resource accepts.",
    &[must(Document::OpenAi, "approval checklist"), must(Document::OAuth21, "4.3")],
);

/// Reads how the first refresh was answered, and the new access token at the resource.
pub struct Works;

impl Check for Works {
    type Needs = Arc<Refreshed>;
    const CARD: Card = Card {
        id: "refresh/works",
        demands: &[WORKS],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("works.md"),
    };

    async fn run(refreshed: Arc<Refreshed>, _: &Context) -> Outcome {
        let ruling = match (&refreshed.answer, &refreshed.reached) {
            (TokenAnswer::Granted(_), Some(reached)) => {
                judge_at_resource(reached.as_ref().map_err(Clone::clone)?).into()
            }
            (TokenAnswer::Granted(_), None) => Ruling::from(Verdict::pass(
                "the refresh token bought a new access token",
            ))
            .noting("the new access token", Verdict::not_applicable("no resource is known that it could be shown to")),
            (other, _) => judge_refusal(other).into(),
        };
        Ok(ruling.shown_by(refreshed.exchanges()))
    }
}

fn judge_refusal(answer: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Refused(e) if e.error != "temporarily_unavailable" => {
            Verdict::fail(WORKS, format!("the fresh refresh token was refused with {}", e.describe()))
        }
        TokenAnswer::Odd { status, why, .. } if *status < 500 => {
            Verdict::fail(WORKS, format!("the fresh refresh token was answered with {why}"))
        }
        other => Verdict::inconclusive(format!("the fresh refresh token was answered with {}", other.describe())),
    }
}

fn judge_at_resource(reached: &Reached) -> Verdict {
    match reached.status {
        _ if reached.is_accepted() => {
            Verdict::pass("the refresh token bought an access token that the resource accepts")
        }
        status @ (401 | 403) => Verdict::fail(WORKS, format!("the resource answered {status} to the new access token")),
        _ => Verdict::inconclusive(format!("the resource answered {} to the new access token", reached.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{read, refused};
    use crate::wire::message::tests::reply;

    #[test]
    fn a_refusal_fails_and_an_outage_decides_nothing() {
        assert!(matches!(judge_refusal(&refused(400, "invalid_grant")), Verdict::Fail(..)));
        assert!(matches!(judge_refusal(&read(200, "text/html", "")), Verdict::Fail(..)));
        assert!(matches!(judge_refusal(&refused(400, "temporarily_unavailable")), Verdict::Inconclusive(_)));
        assert!(matches!(judge_refusal(&read(503, "text/html", "")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn the_resource_has_the_last_word() {
        let at = |status| judge_at_resource(&Reached::read(&reply(status, &[], "")));
        assert!(matches!(at(204), Verdict::Pass(_)));
        assert!(matches!(at(401), Verdict::Fail(..)));
        assert!(matches!(at(500), Verdict::Inconclusive(_)));
    }
}
