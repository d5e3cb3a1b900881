//! Only access tokens are access tokens.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Resource, judge_refusal};
use crate::oauth::token::{Code, TokenAnswer};
use crate::resource::Credentials;

const ACCESS_TOKENS_ALONE: Demand = demand(
    "A refresh token, an ID token or an authorization code in place of an access token is refused.",
    &[must(Document::Rfc8725, "3.12"), must(Document::Rfc9068, "4"), must(Document::OAuth21, "5.2")],
);

/// Presents a code, and then the other tokens that it bought.
pub struct WrongKindRefused;

impl Check for WrongKindRefused {
    type Needs = (Code, Resource);
    const CARD: Card = Card {
        id: "resource/wrong-kind-refused",
        demands: &[ACCESS_TOKENS_ALONE],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("wrong_kind_refused.md"),
    };

    async fn run((code, resource): (Code, Resource), cx: &Context) -> Outcome {
        let as_bearer = async |what: &str, token: &str| {
            let answer = resource.call(&cx.wire, Credentials::Bearer(token)).await;
            let shown = answer.as_ref().ok().map(|reply| reply.id);
            let verdict = judge_refusal(answer.map(|reply| resource.read(&reply)), ACCESS_TOKENS_ALONE);
            Finding::new(what, verdict).shown_by(shown)
        };
        let mut lines = Vec::new();
        if let Some(value) = code.returned.get("code").map(str::to_owned) {
            lines.push(as_bearer("an authorization code", &value).await);
        }
        let TokenAnswer::Granted(tokens) = code.redeem(&cx.wire).await?.0 else {
            return Err(Unsettled::Control("a fresh code bought no tokens".into()));
        };
        resource.control(&cx.wire, tokens.access_token.expose(), "the other tokens were presented").await?;
        match &tokens.refresh_token {
            Some(token) => lines.push(as_bearer("a refresh token", token.expose()).await),
            None => lines.push(none("a refresh token")),
        }
        match tokens.members.get("id_token").and_then(|t| t.as_str()) {
            Some(token) => lines.push(as_bearer("an ID token", token).await),
            None => lines.push(none("an ID token")),
        }
        Ok(cx.fold(lines, "what is no access token was answered 401"))
    }
}

fn none(what: &str) -> Finding {
    Finding::new(what, Verdict::not_applicable("the server issues none to this client"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Level, fold};
    use crate::resource::Reached;
    use crate::wire::message::tests::reply;

    #[test]
    fn what_was_not_issued_is_not_counted() {
        let line = |status| {
            Finding::new(
                "a refresh token",
                judge_refusal(Ok(Reached::read(&reply(status, &[], ""))), ACCESS_TOKENS_ALONE),
            )
        };
        let ruling = |lines| fold(lines, |_| Level::Must, "refused").verdict;
        assert!(matches!(ruling(vec![line(401), none("an ID token")]), Verdict::Pass(_)));
        assert!(matches!(ruling(vec![line(200), none("an ID token")]), Verdict::Fail(ACCESS_TOKENS_ALONE, _)));
        assert!(matches!(ruling(vec![line(403), none("an ID token")]), Verdict::Inconclusive(_)));
    }
}
