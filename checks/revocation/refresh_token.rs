//! A revoked refresh token buys nothing more.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, Refreshable, Revocation};
use crate::oauth::refusal::token_refused;
use crate::oauth::revocation::Revoked;
use crate::oauth::token::TokenAnswer;

const ENDS: Demand = demand(
    "A revoked refresh token is refused with invalid_grant.",
    &[must(Document::Rfc7009, "2"), must(Document::OpenAi, "approval checklist")],
);
const SERVED: Demand = demand(
    "A client may revoke its own refresh tokens, a public one by its client_id.",
    &[must(Document::Rfc7009, "2"), must(Document::OpenAi, "approval checklist")],
);

/// Shows that refreshing works, revokes the newest refresh token, and tries it.
pub struct RefreshToken;

impl Check for RefreshToken {
    type Needs = (Refreshable, Revocation);
    const CARD: Card = Card {
        id: "revocation/refresh-token",
        demands: &[ENDS, SERVED],
        impact: Impact::Critical,
        reach: Reach::Grant,
        page: include_str!("refresh_token.md"),
    };

    async fn run((tokens, revocation): (Refreshable, Revocation), cx: &Context) -> Outcome {
        let mut newest = match tokens.refresh(&cx.wire).await? {
            Some(TokenAnswer::Granted(new)) => new,
            Some(other) => return Err(Unsettled::Control(format!("an ordinary refresh brought {}", other.describe()))),
            None => return Err(lost()),
        };
        // An answer without refresh_token says that the old one stays in use.
        newest.refresh_token = newest.refresh_token.take().or_else(|| tokens.refresh_token.clone());
        let Some(token) = &newest.refresh_token else { return Err(lost()) };
        let revoked = revocation.revoked(&cx.wire, &newest.grant.client, token.expose(), "refresh_token").await?;
        if let Some(verdict) = unserved(&revoked) {
            return Ok(verdict.into());
        }
        match newest.refresh(&cx.wire).await? {
            Some(answer) => Ok(judge(&answer).into()),
            None => Err(lost()),
        }
    }
}

fn lost() -> Unsettled {
    Unsettled::Control("the grant came without a refresh token".into())
}

/// The verdict where nothing was revoked.
fn unserved(revoked: &Revoked) -> Option<Verdict> {
    match revoked {
        Revoked::Done => None,
        Revoked::Unsupported => Some(Verdict::fail(
            SERVED,
            "the server says that refresh tokens cannot be revoked (unsupported_token_type)",
        )),
        Revoked::Denied(said) => Some(Verdict::fail(
            SERVED,
            format!("the client asked to revoke its own refresh token and was answered {said}"),
        )),
        Revoked::Unclear(why) => Some(Verdict::inconclusive(why)),
    }
}

fn judge(answer: &TokenAnswer) -> Verdict {
    token_refused(answer, &["invalid_grant"], ENDS, "a revoked refresh token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn the_effect_decides_not_the_200() {
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(judge(&token), Verdict::Fail(ENDS, _)));
        assert!(matches!(judge(&refused(401, "invalid_client")), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&read(500, "text/html", "")), Verdict::Inconclusive(_)));
    }

    #[test]
    fn refresh_tokens_must_be_revocable() {
        assert_eq!(unserved(&Revoked::Done), None);
        assert!(matches!(unserved(&Revoked::Unsupported), Some(Verdict::Fail(SERVED, _))));
        assert!(matches!(unserved(&Revoked::Denied("401".into())), Some(Verdict::Fail(SERVED, _))));
        assert!(matches!(unserved(&Revoked::Unclear("503".into())), Some(Verdict::Inconclusive(_))));
    }
}
