//! The access token of the ordinary flow as material for forgeries: known to open the resource just before, and the
//! judgement of how the resource answers what was never issued.

use std::time::Duration;

use super::{Baseline, Context, Needs, Resource, Shortfall, Stage};
use crate::check::{Demand, Finding, Verdict};
use crate::oauth::forge::{Forged, Parts};
use crate::oauth::jwt::{Jwt, TokenKind};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;
use crate::resource::{Credentials, Reached};
use crate::wire::{Reply, Trouble};

/// So many younger tokens are tried where that of the ordinary flow has died.
const YOUNGER: usize = 4;

/// A real access token, shown good a moment ago, and the resource that takes it.
#[derive(Debug, Clone)]
pub struct RealToken {
    token: Secret,
    /// The resource.
    pub resource: Resource,
}

impl RealToken {
    /// The token.
    pub fn expose(&self) -> &str {
        self.token.expose()
    }

    /// Presents a forged token. It may hold claims of the real one, and is as secret.
    pub async fn present(&self, cx: &Context, forged: &Forged, broken: Demand) -> Finding {
        cx.wire.vault().learn("forged token", &forged.token);
        let answer = self.steady(cx, Credentials::Bearer(&forged.token)).await;
        let shown = answer.as_ref().ok().map(|reply| reply.id);
        Finding::new(&forged.what, judge_refusal(answer.map(|reply| self.resource.read(&reply)), broken))
            .shown_by(shown)
    }

    /// Presents forged tokens one after the other.
    pub async fn present_all(&self, cx: &Context, forged: &[Forged], broken: Demand) -> Vec<Finding> {
        let mut lines = Vec::with_capacity(forged.len());
        for one in forged {
            lines.push(self.present(cx, one, broken).await);
        }
        lines
    }

    /// Calls the resource; what a proxy says of a server that is busy is asked again.
    pub async fn steady(&self, cx: &Context, credentials: Credentials<'_>) -> Result<Reply, Trouble> {
        let reply = self.resource.call(&cx.wire, credentials).await?;
        if !matches!(reply.status, 502..=504) {
            return Ok(reply);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.resource.call(&cx.wire, credentials).await
    }
}

impl Needs for RealToken {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let baseline = Baseline::supply(cx, Vec::new()).await?;
        let resource = Resource::supply(cx, Vec::new()).await?;
        // A server that refuses a token which has died meanwhile would refuse every forgery of it as well. It may have
        // died of a later authorization or of a refresh; then a younger one of the sign-in lives.
        let younger = cx.wire.issued().all().into_iter().rev().map(|(_, token)| Secret::new(token)).take(YOUNGER);
        let mut ended = None;
        for token in [baseline.tokens.access_token.clone()].into_iter().chain(younger) {
            match resource.control(&cx.wire, token.expose(), "anything was forged").await {
                Ok(()) => return Ok(Self { token, resource }),
                Err(why) => ended = ended.or(Some(why)),
            }
        }
        Err(Shortfall::Inconclusive(ended.map_or_else(String::new, |why| why.to_string())))
    }
}

/// The same where the token is a signed JWT.
#[derive(Debug, Clone)]
pub struct SignedToken {
    /// The token.
    pub real: RealToken,
    /// Its parts.
    pub parts: Parts,
    /// Its header and claims.
    pub jwt: Jwt,
}

impl Needs for SignedToken {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let baseline = Baseline::supply(cx, Vec::new()).await?;
        let kind = TokenKind::of(baseline.tokens.access_token.expose());
        if kind != TokenKind::Jws {
            return Err(not_signed(kind));
        }
        let real = RealToken::supply(cx, Vec::new()).await?;
        match (Parts::of(real.expose()), Jwt::read(real.expose())) {
            (Some(parts), Some(jwt)) => Ok(Self { real, parts, jwt }),
            _ => Err(not_signed(TokenKind::of(real.expose()))),
        }
    }
}

/// What to say of what is asked of JWTs alone.
pub fn not_signed(kind: TokenKind) -> Shortfall {
    Shortfall::NotApplicable(format!(
        "access tokens of this server are {}: nothing in them can be read",
        kind.describe_all()
    ))
}

/// How the resource answered a token that was never issued: 401 is the refusal, and nothing else is.
pub fn judge_refusal(answer: Result<Reached, Trouble>, broken: Demand) -> Verdict {
    let answer = answer.map(|reached| (reached.status, reached));
    match answer {
        Ok((401, _)) => Verdict::pass("it was answered 401"),
        Ok((status @ 200..300, reached)) if reached.is_accepted() => {
            Verdict::fail(broken, format!("it was answered {status}, like the real token"))
        }
        Ok((200..300, reached)) => Verdict::inconclusive(format!("it was answered {}", reached.describe())),
        Ok((403, _)) => Verdict::inconclusive("it was answered 403: the token may have been taken, and found too weak"),
        Ok((status @ 500.., _)) => {
            Verdict::inconclusive(format!("it was answered {status}, see resource/bad-token-401-not-500"))
        }
        Ok((status, _)) => Verdict::inconclusive(format!("it was answered {status}, which is no refusal of a token")),
        Err(trouble) => Verdict::inconclusive(trouble.to_string()),
    }
}

/// Every access token that was issued in this run, at its end, in the order of their answers.
pub struct IssuedTokens(pub Vec<(crate::wire::ExchangeId, String)>);

impl std::fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedTokens").field("count", &self.0.len()).finish()
    }
}

impl Needs for IssuedTokens {
    const STAGE: Stage = Stage::Ledger;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        Ok(Self(cx.wire.issued().all()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{demand, must};
    use crate::document::Document;
    use crate::wire::TroubleKind;
    use crate::wire::message::tests::reply;

    #[test]
    fn what_no_good_token_gets_was_opened_by_none() {
        let page = Reached { astray: true, ..Reached::read(&reply(200, &[("content-type", "text/html")], "<p>")) };
        let Verdict::Inconclusive(why) = judge_refusal(Ok(page), D) else { panic!("not undecided") };
        assert_eq!(why, "it was answered 200 with an HTML page, which is not what a good token gets");
    }

    const D: Demand = demand("It is refused.", &[must(Document::Rfc9068, "4")]);

    #[test]
    fn only_401_is_the_refusal() {
        let judge_refusal = |answer: Result<u16, Trouble>, broken| {
            judge_refusal(answer.map(|status| Reached::read(&reply(status, &[], ""))), broken)
        };
        assert!(matches!(judge_refusal(Ok(401), D), Verdict::Pass(_)));
        for status in [200, 202, 204] {
            assert!(matches!(judge_refusal(Ok(status), D), Verdict::Fail(D, _)), "{status}");
        }
        for status in [302, 400, 403, 404, 429, 500, 503] {
            assert!(matches!(judge_refusal(Ok(status), D), Verdict::Inconclusive(_)), "{status}");
        }
        let trouble = Trouble { kind: TroubleKind::TimedOut, why: "no answer".into() };
        assert!(matches!(judge_refusal(Err(trouble), D), Verdict::Inconclusive(_)));
    }
}
