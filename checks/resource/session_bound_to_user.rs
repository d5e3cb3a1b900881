//! A session of MCP is of no use to another user.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, demand, should};
use crate::document::Document;
use crate::needs::{Context, McpSession, OtherUser, SessionsOfMcp};
use crate::oauth::pkce::random_text;
use crate::resource::route::is_refused_in_band;
use crate::wire::Reply;

const BOUND: Demand = demand(
    "A session of MCP opens nothing to another user than the one who began it.",
    &[should(Document::McpSecurity, "session-hijacking")],
);

/// Sends the first user's session id with the second user's token.
pub struct SessionBoundToUser;

impl Check for SessionBoundToUser {
    // The last one costs nothing, the one before a login: the session is opened when both are there.
    type Needs = (McpSession, OtherUser, SessionsOfMcp);
    const CARD: Card = Card {
        id: "resource/session-bound-to-user",
        demands: &[BOUND],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("session_bound_to_user.md"),
    };

    async fn run((alice, bob, _): (McpSession, OtherUser, SessionsOfMcp), cx: &Context) -> Outcome {
        let (endpoint, wire) = (&alice.real.resource, &cx.wire);
        let (hers, his) = (alice.real.expose(), bob.tokens.access_token.expose());
        let control = |what: &str| Unsettled::Control(what.to_owned());
        if hers == his {
            return Err(control("the first user's tokens have all died"));
        }
        let own = endpoint.session(wire, his).await?.ok_or_else(|| control("the second user is given no session"))?;
        let works = |reply: &Reply| Answer::of(reply) == Answer::Works;
        if !works(&endpoint.within(wire, &own, his).await?) {
            return Err(control("the second user's own session does not work for the second user"));
        }
        if !works(&endpoint.within(wire, &alice.id, hers).await?) {
            return Err(control("the first user's session does not work for the first user"));
        }
        let made_up = Answer::of(&endpoint.within(wire, &random_text(32), his).await?);
        let crossed = endpoint.within(wire, &alice.id, his).await?;
        let still = works(&endpoint.within(wire, &alice.id, hers).await?);
        let verdict = judge(made_up, Answer::of(&crossed), still);
        // Both are ours; what a server thinks of the end is its own affair.
        let _ = endpoint.end(wire, &alice.id, hers).await;
        let _ = endpoint.end(wire, &own, his).await;
        Ok(Ruling::from(verdict).shown_by([crossed.id]))
    }
}

/// What the endpoint made of a session id and a token that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Works,
    /// 404 is what the transport asks for; a token that is good elsewhere is not refused by 400, 401 or 403 either.
    Refused(u16),
    Else(u16),
}

impl Answer {
    fn of(reply: &Reply) -> Self {
        match reply.status {
            200..300 if !is_refused_in_band(reply) => Self::Works,
            status @ (200..300 | 400 | 401 | 403 | 404) => Self::Refused(status),
            status => Self::Else(status),
        }
    }
}

fn judge(made_up: Answer, crossed: Answer, still: bool) -> Verdict {
    match (made_up, crossed) {
        (Answer::Works, Answer::Works) => Verdict::not_applicable(
            "a made-up session id works as well: the endpoint goes by the token alone, and a session id opens nothing",
        ),
        (Answer::Refused(_), Answer::Works) => Verdict::fail(
            BOUND,
            "the second user's token with the first user's session id was let into that session; a made-up id was refused",
        ),
        (_, Answer::Refused(_)) if !still => Verdict::inconclusive(
            "the second user was refused, and afterwards the session did not work for the first user either",
        ),
        (_, Answer::Refused(status)) => Verdict::pass(format!(
            "the second user's token with the first user's session id was answered {status}, and the first user's goes on"
        )),
        (_, Answer::Else(status)) => Verdict::inconclusive(format!(
            "the second user's token with the first user's session id was answered {status}, which is neither yes nor no"
        )),
        (Answer::Else(status), Answer::Works) => Verdict::inconclusive(format!(
            "the first user's session id works for the second user, and a made-up one was answered {status}: nothing tells \
             whether the endpoint looks at session ids at all"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn only_a_session_that_is_looked_at_can_be_stolen() {
        let (works, refused) = (Answer::Works, Answer::Refused(404));
        assert!(matches!(judge(refused, works, true), Verdict::Fail(BOUND, _)));
        assert!(matches!(judge(refused, refused, true), Verdict::Pass(_)));
        assert!(matches!(judge(works, works, true), Verdict::NotApplicable(_)));
        assert!(matches!(judge(refused, refused, false), Verdict::Inconclusive(_)));
        assert!(matches!(judge(refused, Answer::Else(500), true), Verdict::Inconclusive(_)));
        assert!(matches!(judge(Answer::Else(500), works, true), Verdict::Inconclusive(_)));
    }

    #[test]
    fn an_error_in_the_body_is_a_refusal_too() {
        let answer = |status, body| Answer::of(&reply(status, &[], body));
        let error = r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32001,"message":"no session"}}"#;
        assert_eq!(answer(200, error), Answer::Refused(200));
        assert_eq!(answer(200, r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}"#), Answer::Works);
        assert_eq!(
            (answer(404, ""), answer(503, ""), answer(302, "")),
            (Answer::Refused(404), Answer::Else(503), Answer::Else(302))
        );
    }
}
