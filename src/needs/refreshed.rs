//! One ordinary refresh, made once for all checks that only look at what it brought.

use std::sync::Arc;

use super::{Context, Needs, Refreshable, Shortfall, Stage};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::{TokenAnswer, TokenSet};
use crate::resource::Reached;
use crate::wire::{ExchangeId, Trouble};

/// The first refresh of a grant that nothing else touches.
#[derive(Debug)]
pub struct Refreshed {
    /// The grant as it was.
    pub before: TokenSet,
    /// What the refresh was answered with.
    pub answer: TokenAnswer,
    /// How the resource answered the new access token, right after; `None` if there is none, or no resource to show it to.
    pub reached: Option<Result<Reached, Trouble>>,
}

impl Refreshed {
    /// The refresh, then the new access token at the resource.
    pub fn exchanges(&self) -> Vec<ExchangeId> {
        let reached = self.reached.as_ref().and_then(|reached| reached.as_ref().ok());
        [self.answer.exchange()].into_iter().chain(reached.map(|reached| reached.exchange)).collect()
    }
}

impl Needs for Arc<Refreshed> {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        cx.audit.refreshed.get_or_init(|| refresh(cx, requests)).await.clone()
    }
}

async fn refresh(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Arc<Refreshed>, Shortfall> {
    let cx = Context { wire: cx.wire.stamped("first refresh"), ..cx.clone() };
    let Refreshable(before) = Refreshable::supply(&cx, requests).await?;
    let Some(answer) = before.refresh(&cx.wire).await? else {
        return Err(Shortfall::Inconclusive("the grant came without a refresh token".into()));
    };
    let flow = cx.audit.baseline().and_then(|flow| flow.as_ref().ok());
    let reached = match (&answer, flow.and_then(|flow| flow.resource().ok())) {
        (TokenAnswer::Granted(new), Some(resource)) => {
            Some(resource.call_with(&cx.wire, new.access_token.expose()).await)
        }
        _ => None,
    };
    Ok(Arc::new(Refreshed { before, answer, reached }))
}
