//! A client that can show who it is, beside the public one that the audit is made as.

use std::sync::Arc;

use super::{Baseline, Beside, Context, Needs, Shortfall, Stage};
use crate::check::{Demand, Verdict};
use crate::front::Purpose;
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::client::{Client, ClientAuth};
use crate::oauth::pkce::random_text;
use crate::oauth::refusal::token_refused;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;
use crate::oauth::token::{TokenAnswer, TokenSet};
use crate::registration;

/// A confidential client: the one that the audit is made as, if it is one; else the one that was configured; else one
/// that is registered for this. Its right secret was seen to work, so that a refusal of a wrong one is for that.
#[derive(Debug, Clone)]
pub struct ConfidentialClient {
    /// The client.
    pub client: Arc<Client>,
    /// What its own ordinary flow brought.
    pub tokens: Arc<TokenSet>,
}

impl ConfidentialClient {
    /// A grant of it that is alive: that of its own flow, or a new one where each authorization ends the one before, or
    /// where other checks spoil the grants of this very client, since it is the one that the audit is made as.
    pub async fn live_tokens(&self, cx: &Context) -> Result<Arc<TokenSet>, Shortfall> {
        let is_audited = self.client.id == cx.audit.ordinary().client.id;
        match is_audited || cx.audit.grants_end_each_other() {
            true => own_flow(cx, &self.client).await.map(Arc::new),
            false => Ok(Arc::clone(&self.tokens)),
        }
    }

    /// The same client as somebody would be who knows its identifier alone.
    pub fn without_secret(&self) -> Client {
        Client { auth: ClientAuth::None, secret: None, signer: None, ..(*self.client).clone() }
    }

    /// The same client with a secret that is not its own; `None` where it has none to be wrong.
    pub fn with_secret(&self, secret: &str) -> Option<Client> {
        let by_secret = matches!(self.client.auth, ClientAuth::Basic | ClientAuth::Post);
        by_secret.then(|| Client { secret: Some(Secret::new(secret)), ..(*self.client).clone() })
    }

    /// The same client with a secret that is made up.
    pub fn with_wrong_secret(&self) -> Option<Client> {
        self.with_secret(&random_text(40))
    }
}

impl Needs for ConfidentialClient {
    const STAGE: Stage = Stage::OwnMaterial;
    const BESIDE: Beside = Beside { confidential: true, ..Beside::NONE };
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        cx.audit.confidential_flow.get_or_init(|| come_by(cx)).await.clone()
    }
}

/// A confidential client if there is one to be had; else why there is none.
#[derive(Debug, Clone)]
pub struct PerhapsConfidential(pub Result<ConfidentialClient, Shortfall>);

impl Needs for PerhapsConfidential {
    const STAGE: Stage = Stage::OwnMaterial;
    const BESIDE: Beside = Beside { confidential: true, ..Beside::NONE };
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Ok(Self(ConfidentialClient::supply(cx, Vec::new()).await))
    }
}

async fn come_by(cx: &Context) -> Result<ConfidentialClient, Shortfall> {
    let client = one(cx).await?;
    let tokens = Arc::new(own_flow(cx, &client).await?);
    Ok(ConfidentialClient { client, tokens })
}

async fn own_flow(cx: &Context, client: &Arc<Client>) -> Result<TokenSet, Shortfall> {
    let wire = cx.wire.stamped("confidential client");
    let failed =
        |what: String| Shortfall::Inconclusive(format!("the confidential client's own ordinary flow brought {what}"));
    let request = cx.audit.ordinary().of(client).request();
    let code = match cx.audit.visit(&wire, request, Purpose::Ordinary).await? {
        AuthorizationAnswer::Code(code) => code,
        other => return Err(failed(other.describe())),
    };
    match code.redeem(&wire).await?.0 {
        TokenAnswer::Granted(tokens) => Ok(*tokens),
        other => Err(failed(other.describe())),
    }
}

async fn one(cx: &Context) -> Result<Arc<Client>, Shortfall> {
    let audit = &cx.audit;
    let own = &audit.ordinary().client;
    if !own.is_public() {
        return Ok(Arc::clone(own));
    }
    if let Some(configured) = &audit.confidential {
        return Ok(Arc::clone(configured));
    }
    let none = |why: String| {
        Shortfall::NotRun(why, "--confidential-client-id ID, its secret in OAUDIT_CONFIDENTIAL_SECRET".into())
    };
    let metadata = &audit.discovery.server.metadata;
    let offered = metadata.text("registration_endpoint").is_some();
    let Some(wanted) = audit.wanted.as_ref().filter(|_| offered) else {
        return Err(none("no confidential client is configured, and none can be registered".into()));
    };
    let registered = registration::confidential(&cx.wire, metadata, wanted).await;
    let client = registered.map_err(|error| none(format!("no confidential client is to be had: {error}")))?;
    match client.is_public() {
        true => Err(none("a client that asked for a secret was registered without one".into())),
        false => Ok(Arc::new(client)),
    }
}

/// Judges the answer to a request of a confidential client that did not show its secret. `still_good` tells that the
/// same request with the right secret worked afterwards: then every named refusal was for the secret.
pub fn judge_unproven(answer: &TokenAnswer, broken: Demand, sent: &str, still_good: bool) -> Verdict {
    let of_the_client: &[&str] = match still_good {
        true => &["invalid_client", "unauthorized_client", "invalid_request", "invalid_grant"],
        false => &["invalid_client", "unauthorized_client"],
    };
    token_refused(answer, of_the_client, broken, sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{demand, must};
    use crate::document::Document;
    use crate::oauth::token::tests::{granted, read, refused};

    const BROKEN: Demand = demand("d", &[must(Document::OAuth21, "3.2.2")]);

    fn judged(answer: &TokenAnswer, still_good: bool) -> Verdict {
        judge_unproven(answer, BROKEN, "it", still_good)
    }

    #[test]
    fn a_refusal_of_the_grant_counts_only_if_the_grant_is_good() {
        assert!(matches!(judged(&refused(400, "invalid_grant"), true), Verdict::Pass(_)));
        assert!(matches!(judged(&refused(400, "invalid_grant"), false), Verdict::Inconclusive(_)));
        assert!(matches!(judged(&refused(401, "invalid_client"), false), Verdict::Pass(_)));
        assert!(matches!(judged(&read(503, "text/html", ""), true), Verdict::Inconclusive(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judged(&token, true), Verdict::Fail(BROKEN, _)));
    }
}
