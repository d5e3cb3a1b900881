//! Whom a check talks to: the token endpoint without a user, the protected resource, the revocation and introspection
//! endpoints, a second client.

use std::ops::Deref;
use std::sync::Arc;

use super::{Baseline, Beside, Context, Needs, Shortfall, Stage};
use crate::audit::Audit;
use crate::discovery::{Metadata, ServerFacts};
use crate::front::Purpose;
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::client::Client;
use crate::oauth::introspection::Introspection;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::revocation::Revoked;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::{Grant, Latest, TokenAnswer, TokenSet};
use crate::registration::Registered;
use crate::wire::{Reply, Trouble, Wire};

/// Requests without a user, by the real client.
#[derive(Debug, Clone)]
pub struct Anonymous {
    /// The authorization server.
    pub server: Arc<Audit>,
    /// The client.
    pub client: Arc<Client>,
}

impl Anonymous {
    /// The token endpoint.
    pub fn token_endpoint(&self) -> &str {
        &self.server.token_endpoint
    }

    /// The facts of the authorization server.
    pub fn facts(&self) -> &ServerFacts {
        &self.server.discovery.server
    }

    /// A grant that was never given, to ask the token endpoint with.
    pub fn no_grant(&self) -> Arc<Grant> {
        Arc::new(Grant {
            token_endpoint: self.token_endpoint().to_owned(),
            client: Arc::clone(&self.client),
            redirect_uri: None,
            requested_scope: ScopeSet::default(),
            resource: None,
            latest: Latest::default(),
        })
    }
}

impl Needs for Anonymous {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Ok(Self { server: Arc::clone(&cx.audit), client: Arc::clone(&cx.audit.client) })
    }
}

/// The protected resource, with a request that was seen to answer 401 without a token and 2xx with the baseline's.
#[derive(Debug, Clone)]
pub struct Resource(pub Arc<crate::resource::Resource>);

impl Deref for Resource {
    type Target = crate::resource::Resource;
    fn deref(&self) -> &crate::resource::Resource {
        &self.0
    }
}

impl Needs for Resource {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?.resource().cloned().map(Self)
    }
}

/// The protected resource as anybody may call it, before anyone signed in.
#[derive(Debug, Clone)]
pub struct OpenResource {
    /// How it is called.
    pub resource: crate::resource::Resource,
    /// The audit, for what discovery saw.
    pub audit: Arc<Audit>,
}

impl Needs for OpenResource {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let resource = cx.audit.open_resource().ok_or_else(no_resource)?;
        Ok(Self { resource, audit: Arc::clone(&cx.audit) })
    }
}

/// What to say where no resource is known.
pub fn no_resource() -> Shortfall {
    Shortfall::NotRun(
        "no protected resource is known, only an issuer".into(),
        "--resource URL of an API route or MCP endpoint".into(),
    )
}

/// The revocation endpoint (RFC 7009).
#[derive(Debug, Clone)]
pub struct Revocation {
    endpoint: String,
}

impl Revocation {
    /// Revokes a token as `client` and gives the answer as it is.
    pub async fn revoke(&self, wire: &Wire, client: &Client, token: &str, hint: &str) -> Result<Reply, Trouble> {
        let pairs = vec![("token".to_owned(), token.to_owned()), ("token_type_hint".to_owned(), hint.to_owned())];
        wire.send(client.form(&self.endpoint, pairs)).await
    }

    /// Revokes a token as `client` and reads the answer.
    pub async fn revoked(&self, wire: &Wire, client: &Client, token: &str, hint: &str) -> Result<Revoked, Trouble> {
        Ok(Revoked::read(&self.revoke(wire, client, token, hint).await?))
    }
}

impl Needs for Revocation {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let metadata: &Metadata = &cx.audit.discovery.server.metadata;
        match metadata.text("revocation_endpoint") {
            Some(endpoint) => Ok(Self { endpoint: endpoint.to_owned() }),
            None => Err(Shortfall::NotApplicable(
                "the server announces no revocation_endpoint, see server_metadata/revocation-advertised".into(),
            )),
        }
    }
}

/// How the client that we audit as was registered. Nothing is sent.
#[derive(Debug, Clone)]
pub struct Registration(pub Arc<Registered>);

impl Needs for Registration {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match &cx.audit.registered {
            Some(registered) => Ok(Self(Arc::clone(registered))),
            None if cx.audit.discovery.server.endpoint("registration_endpoint").is_none() => {
                Err(Shortfall::NotApplicable("the server offers no dynamic client registration".into()))
            }
            None => Err(Shortfall::NotRun(
                "a client is configured, so none was registered".into(),
                "the audit without --client-id".into(),
            )),
        }
    }
}

/// A second client, for what must be bound to the first. It was seen to get a token of its own, so that a refusal of
/// what belongs to the first is no refusal of the client.
#[derive(Debug, Clone)]
pub struct OtherClient {
    /// The client.
    pub client: Arc<Client>,
    /// What its own ordinary flow brought. Read only: all checks share it.
    pub tokens: Arc<TokenSet>,
}

impl Needs for OtherClient {
    const STAGE: Stage = Stage::OwnMaterial;
    const BESIDE: Beside = Beside { other: true, ..Beside::NONE };
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let Some(client) = cx.audit.other_client.clone() else {
            return Err(Shortfall::NotRun("there is no second client".into(), "--client-b-id ID".into()));
        };
        Baseline::supply(cx, Vec::new()).await?;
        let control = cx.audit.other_flow.get_or_init(|| own_flow(cx, &client)).await;
        Ok(Self { client, tokens: control.clone()? })
    }
}

async fn own_flow(cx: &Context, client: &Arc<Client>) -> Result<Arc<TokenSet>, Shortfall> {
    let wire = cx.wire.stamped("second client");
    let failed =
        |what: String| Shortfall::Inconclusive(format!("the second client's own ordinary flow brought {what}"));
    let request = cx.audit.ordinary().of(client).request();
    let code = match cx.audit.visit(&wire, request, Purpose::Ordinary).await? {
        AuthorizationAnswer::Code(code) => code,
        other => return Err(failed(other.describe())),
    };
    match code.redeem(&wire).await?.0 {
        TokenAnswer::Granted(tokens) => Ok(Arc::new(*tokens)),
        other => Err(failed(other.describe())),
    }
}

/// The authorization server speaks OpenID Connect, whose request parameters mean nothing elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct OpenId(());

impl Needs for OpenId {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let metadata = &cx.audit.discovery.server.metadata;
        // `subject_types_supported` is required of OpenID providers, and of nobody else.
        match metadata.lists("scopes_supported", "openid") || metadata.member("subject_types_supported").is_some() {
            true => Ok(Self(())),
            false => Err(Shortfall::NotApplicable("the server does not say that it speaks OpenID Connect".into())),
        }
    }
}

impl Needs for Introspection {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        if cx.audit.discovery.server.endpoint("introspection_endpoint").is_none() {
            return Err(Shortfall::NotApplicable("the server announces no introspection_endpoint".into()));
        }
        cx.audit.introspection.clone().ok_or_else(|| {
            Shortfall::NotRun(
                "nobody is known who may ask the introspection endpoint".into(),
                "[introspection] in oaudit.toml".into(),
            )
        })
    }
}
