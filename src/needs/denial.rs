//! Somebody who says no to the ordinary request.

use super::{Baseline, Context, Needs, Shortfall, Stage};
use crate::front::Denied;
use crate::oauth::request::AuthorizationRequest;

/// How it went when consent was asked for and refused.
#[derive(Debug)]
pub struct Refusing {
    /// The `state` that was sent.
    pub state: String,
    /// What came of it.
    pub denied: Denied,
}

impl Needs for Refusing {
    // A server may take a no as the end of what was agreed to before.
    const STAGE: Stage = Stage::Grants;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        let audit = &cx.audit;
        let Some(request) = requests.into_iter().next() else {
            return Err(Shortfall::Inconclusive("no request was planned".into()));
        };
        let state = request.state().to_owned();
        match audit.front.deny(&cx.wire, request, &audit.token_endpoint).await {
            Some(denied) => Ok(Self { state, denied: denied? }),
            None => Err(Shortfall::NotRun(
                "the agent that signs in cannot press a button that says no".into(),
                "--agent form or --agent webdriver, with --username and OAUDIT_PASSWORD".into(),
            )),
        }
    }
}
