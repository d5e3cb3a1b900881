//! Tokens for given scopes, got once and kept for what is called with them later.

use super::Context;
use crate::check::Unsettled;
use crate::front::Purpose;
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::described::Described;
use crate::oauth::scope::ScopeSet;
use crate::oauth::secret::Secret;
use crate::oauth::token::{TokenAnswer, TokenSet};

/// A token for so many scopes.
#[derive(Debug)]
pub struct Held {
    /// The scopes that were asked for.
    pub asked: ScopeSet,
    /// The access token.
    pub token: Secret,
    /// The scopes that it has by its own word, or else the server's; `None` if nobody says.
    pub has: Option<ScopeSet>,
}

/// The tokens so far.
#[derive(Debug, Default)]
pub struct Scoped(Vec<Held>);

impl Scoped {
    /// A token for these scopes: the one of the ordinary flow, one that was got before, or a new one. Where grants end
    /// each other it is always a new one.
    pub async fn token(&mut self, cx: &Context, scope: &ScopeSet) -> Result<&Held, Unsettled> {
        if cx.audit.grants_end_each_other() {
            self.0.clear();
        } else if self.0.is_empty()
            && let Some(Ok(flow)) = cx.audit.baseline()
        {
            self.0.push(told(cx, &flow.tokens, flow.requested_scope.clone()).await?);
        }
        let at = match self.0.iter().position(|held| held.asked.same_access(scope)) {
            Some(at) => at,
            None => {
                let tokens = grant(cx, scope).await?;
                self.0.push(told(cx, &tokens, scope.clone()).await?);
                self.0.len() - 1
            }
        };
        self.0.get(at).ok_or_else(|| Unsettled::Control("a token was lost".into()))
    }
}

async fn told(cx: &Context, tokens: &TokenSet, asked: ScopeSet) -> Result<Held, Unsettled> {
    let described = Described::of(&cx.wire, tokens.access_token.expose(), cx.audit.introspection.as_ref()).await?;
    let has = described.scope.or_else(|| tokens.stated_scope());
    Ok(Held { asked, token: tokens.access_token.clone(), has })
}

async fn grant(cx: &Context, scope: &ScopeSet) -> Result<TokenSet, Unsettled> {
    let control =
        |what: String| Unsettled::Control(format!("a token for \"{scope}\" was asked for, and brought {what}"));
    let request = cx.audit.ordinary().altered(format!("scope={scope}"), |r| {
        match scope.is_empty() {
            true => r.remove("scope"),
            false => r.set("scope", scope.to_string()),
        };
    });
    let code = match cx.audit.visit(&cx.wire, request, Purpose::Ordinary).await {
        Ok(AuthorizationAnswer::Code(code)) => code,
        Ok(other) => return Err(control(other.describe())),
        Err(error) => return Err(control(error.to_string())),
    };
    match code.redeem(&cx.wire).await?.0 {
        TokenAnswer::Granted(tokens) => Ok(*tokens),
        other => Err(control(other.describe())),
    }
}
