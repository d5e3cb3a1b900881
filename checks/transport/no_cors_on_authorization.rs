//! The authorization endpoint is for browsers that go there, not for scripts that call it.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Anonymous, Context};
use crate::wire::{Reply, Request};

const CLOSED: Demand = demand(
    "The authorization endpoint does not let scripts of other origins read its answers.",
    &[must(Document::OAuth21, "3.1"), must(Document::Rfc9700, "2.6")],
);

/// Makes the ordinary request as a script of another origin would.
pub struct NoCorsOnAuthorization;

impl Check for NoCorsOnAuthorization {
    type Needs = Anonymous;
    const CARD: Card = Card {
        id: "transport/no-cors-on-authorization",
        demands: &[CLOSED],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("no_cors_on_authorization.md"),
    };

    async fn run(anonymous: Anonymous, cx: &Context) -> Outcome {
        let url = anonymous.server.ordinary.request().url();
        let request = Request::get(url).header("Origin", "https://oaudit.test").header("Sec-Fetch-Mode", "cors");
        let reply = cx.wire.send(request).await?;
        Ok(Ruling::from(judge(&reply)).shown_by([reply.id]))
    }
}

fn judge(reply: &Reply) -> Verdict {
    match reply.header("access-control-allow-origin") {
        Some(origin) => Verdict::fail(CLOSED, format!("the answer says Access-Control-Allow-Origin: {origin}")),
        None if reply.status >= 500 || reply.status == 429 => {
            Verdict::inconclusive(format!("the authorization endpoint answered {}", reply.status))
        }
        None => Verdict::pass(format!("the answer ({}) has no Access-Control-Allow-Origin", reply.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn any_permission_is_one_too_many() {
        for origin in ["*", "https://oaudit.test", "null", "https://app.example"] {
            let answer = reply(302, &[("access-control-allow-origin", origin)], "");
            assert!(matches!(judge(&answer), Verdict::Fail(..)), "{origin}");
        }
        assert!(matches!(judge(&reply(200, &[], "")), Verdict::Pass(_)));
        assert!(matches!(judge(&reply(500, &[], "")), Verdict::Inconclusive(_)));
    }
}
