//! The kinds of supply that a check can ask for, as types, and how each is come by.
//!
//! Absence is settled here, once: what the server never offered is *not applicable*, what could not be had although it
//! was tried is *inconclusive*. No check contains a skip prologue.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use crate::audit::{Audit, FlowFailure, Transcript};
use crate::check::{Card, Demand, Finding, Level, Ruling, Verdict, fold};
use crate::discovery::{Discovery, Metadata, Place, ResourceFacts, ServerFacts};
use crate::front::{Purpose, SignInError, Stranger};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::client::Client;
use crate::oauth::pkce::{Verifier, random_text};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::revocation::Revoked;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::{Code, Grant, TokenAnswer, TokenSet};
use crate::wire::{Exchange, Reply, Trouble, Wire};

/// What a check knows beside its needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// The door, stamped with the check's id.
    pub wire: Wire,
    /// What the audit knows.
    pub audit: Arc<Audit>,
    /// The check's card.
    pub card: &'static Card,
}

impl Context {
    /// How binding a demand is under the profile in force.
    pub fn level(&self, demand: &Demand) -> Level {
        self.audit.profile.level(demand)
    }

    /// Whether anybody in force states a demand.
    pub fn binds(&self, demand: &Demand) -> bool {
        self.audit.profile.strongest(demand).is_some()
    }

    /// Folds the lines of a table; `pass` is the sentence if all hold.
    pub fn fold(&self, findings: Vec<Finding>, pass: impl Into<String>) -> Ruling {
        fold(findings, |d| self.level(d), pass)
    }
}

/// Why a need could not be met.
#[derive(Debug, Clone, PartialEq)]
pub enum Shortfall {
    /// The server never offered it.
    NotApplicable(String),
    /// It was tried and could not be had.
    Inconclusive(String),
    /// It was left out by choice or for want of configuration: why, and what to type.
    NotRun(String, String),
}

impl From<Shortfall> for Verdict {
    fn from(shortfall: Shortfall) -> Self {
        match shortfall {
            Shortfall::NotApplicable(why) => Self::NotApplicable(why),
            Shortfall::Inconclusive(why) => Self::Inconclusive(why),
            Shortfall::NotRun(why, how) => Self::NotRun { why, how },
        }
    }
}

impl From<Trouble> for Shortfall {
    fn from(trouble: Trouble) -> Self {
        Self::Inconclusive(trouble.to_string())
    }
}

impl From<SignInError> for Shortfall {
    fn from(error: SignInError) -> Self {
        Self::Inconclusive(format!("the session was lost and could not be renewed: {error}"))
    }
}

/// When a check runs. Within a stage everything runs side by side, except where a grant or the session may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Nothing is sent.
    Documents,
    /// Requests without a user, while the person is still signing in.
    Anonymous,
    /// Reads what the ordinary flow left.
    Baseline,
    /// Codes and token sets that spoil only their own.
    OwnMaterial,
    /// Odd authorization requests.
    OddRequests,
    /// What may revoke a grant: one after the other, each on a grant of its own.
    Grants,
    /// What may end the session.
    Session,
    /// Reads the whole ledger.
    Ledger,
}

/// A kind of supply. Tuples of them are needs as well; the first one takes the authorization requests.
pub trait Needs: Sized + Send + 'static {
    /// The earliest stage in which it can be had.
    const STAGE: Stage;
    /// Visits to the authorization endpoint that it takes for each request of the check.
    const VISITS: bool = false;
    /// Comes by it.
    fn supply(
        cx: &Context,
        requests: Vec<AuthorizationRequest>,
    ) -> impl Future<Output = Result<Self, Shortfall>> + Send;
}

/// The facts of the ordinary authorization request: from these a check builds its own, with one thing changed. Pure.
#[derive(Debug, Clone)]
pub struct Ordinary {
    /// The authorization endpoint.
    pub endpoint: String,
    /// The client that asks.
    pub client: Arc<Client>,
    /// The scopes that are asked for.
    pub scope: ScopeSet,
    /// Every scope that is known to exist: asked for, listed by the resource or by the server.
    pub known_scopes: ScopeSet,
    /// `resource`, if there is one (RFC 8707).
    pub resource: Option<String>,
    /// Further parameters that this server wants (`prompt=consent` for a refresh token).
    pub further: Vec<(String, String)>,
}

impl Ordinary {
    /// The ordinary request, with a state and a verifier of its own.
    pub fn request(&self) -> AuthorizationRequest {
        let verifier = Verifier::random();
        let mut parameters: Vec<(String, String)> = [
            ("response_type", "code"),
            ("client_id", self.client.id.as_str()),
            ("redirect_uri", self.client.redirect_uri.as_str()),
            ("state", &random_text(32)),
            ("code_challenge", &verifier.s256()),
            ("code_challenge_method", "S256"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .to_vec();
        if !self.scope.is_empty() {
            parameters.push(("scope".into(), self.scope.to_string()));
        }
        parameters.extend(self.resource.iter().map(|r| ("resource".to_owned(), r.clone())));
        parameters.extend(self.further.iter().cloned());
        AuthorizationRequest {
            what: "the ordinary request".into(),
            client: Arc::clone(&self.client),
            endpoint: self.endpoint.clone(),
            parameters,
            verifier,
        }
    }

    /// The ordinary request with one thing changed; `what` names it.
    pub fn altered(
        &self,
        what: impl Into<String>,
        alter: impl FnOnce(&mut AuthorizationRequest),
    ) -> AuthorizationRequest {
        let mut request = self.request();
        request.what = what.into();
        alter(&mut request);
        request
    }

    /// The scopes of a request for `access` alone: beside it stand the ordinary request's `openid` and `offline_access`,
    /// which decide whether there is a refresh token.
    pub fn scope_for(&self, access: &ScopeSet) -> ScopeSet {
        let features = self.scope.beyond(&self.scope.access());
        access.iter().chain(features.iter()).collect()
    }

    /// One scope alone, if there is another that it is narrower than. One that is asked for anyway comes first: the
    /// client is known to be allowed it.
    pub fn one_scope(&self) -> Option<ScopeSet> {
        let known = self.known_scopes.access();
        let one = self.scope.access().iter().chain(known.iter()).take(1).collect();
        (known.len() > 1).then(|| self.scope_for(&one))
    }

    /// The same for another client.
    #[must_use]
    pub fn of(&self, client: &Arc<Client>) -> Self {
        Self { client: Arc::clone(client), ..self.clone() }
    }
}

/// The documents of discovery. Nothing is sent.
#[derive(Debug, Clone)]
pub struct Documents(pub Arc<Audit>);

impl Deref for Documents {
    type Target = Discovery;
    fn deref(&self) -> &Discovery {
        &self.0.discovery
    }
}

impl Needs for Documents {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Ok(Self(Arc::clone(&cx.audit)))
    }
}

/// What discovery found out about the protected resource.
#[derive(Debug, Clone)]
pub struct AboutResource(pub Arc<Audit>);

impl Deref for AboutResource {
    type Target = ResourceFacts;
    fn deref(&self) -> &ResourceFacts {
        self.0.discovery.resource.as_ref().expect("supplied only where a resource is known")
    }
}

impl Needs for AboutResource {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.discovery.resource {
            Some(_) => Ok(Self(Arc::clone(&cx.audit))),
            None => Err(no_resource()),
        }
    }
}

/// The metadata of the protected resource.
#[derive(Debug, Clone)]
pub struct ResourceMetadata {
    /// The document.
    pub metadata: Metadata,
    /// How it was found.
    pub place: Place,
    /// The rest of what is known.
    pub facts: ResourceFacts,
}

impl Needs for ResourceMetadata {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let facts = AboutResource::supply(cx, Vec::new()).await?;
        match &facts.metadata {
            Some((metadata, place)) => Ok(Self { metadata: metadata.clone(), place: *place, facts: (*facts).clone() }),
            None => Err(Shortfall::NotApplicable(
                "the resource publishes no metadata, see resource_metadata/published".into(),
            )),
        }
    }
}

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
        })
    }
}

impl Needs for Anonymous {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Ok(Self { server: Arc::clone(&cx.audit), client: Arc::clone(&cx.audit.client) })
    }
}

/// How the one ordinary flow ended, well or badly: the need of the check that judges it.
#[derive(Debug, Clone)]
pub struct FlowAttempt(pub Result<Arc<Transcript>, FlowFailure>);

impl Needs for FlowAttempt {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.baseline() {
            Some(result) => Ok(Self(result.clone())),
            None => Err(Shortfall::Inconclusive("nobody signed in".into())),
        }
    }
}

/// The transcript of the one ordinary flow. Read only.
#[derive(Debug, Clone)]
pub struct Baseline(pub Arc<Transcript>);

impl Deref for Baseline {
    type Target = Transcript;
    fn deref(&self) -> &Transcript {
        &self.0
    }
}

impl Needs for Baseline {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.baseline() {
            Some(Ok(transcript)) => Ok(Self(Arc::clone(transcript))),
            Some(Err(failure)) => Err(Shortfall::Inconclusive(format!(
                "the ordinary flow did not work, see authorization/code-flow-works: {}",
                failure.why
            ))),
            None => Err(Shortfall::Inconclusive("nobody signed in".into())),
        }
    }
}

impl Needs for Code {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        let request = requests
            .into_iter()
            .next()
            .ok_or_else(|| Shortfall::Inconclusive("no authorization request was planned".into()))?;
        code(cx, request).await
    }
}

async fn code(cx: &Context, request: AuthorizationRequest) -> Result<Code, Shortfall> {
    let what = request.what.clone();
    match cx.audit.visit(&cx.wire, request, Purpose::Ordinary).await? {
        AuthorizationAnswer::Code(code) => Ok(*code),
        other => {
            Err(Shortfall::Inconclusive(format!("{what} should have brought a code, but brought {}", other.describe())))
        }
    }
}

/// Several fresh codes, one for each request.
impl<const N: usize> Needs for [Code; N] {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        let mut codes = Vec::with_capacity(N);
        for request in requests {
            codes.push(code(cx, request).await?);
        }
        codes.try_into().map_err(|codes: Vec<Code>| {
            Shortfall::Inconclusive(format!("{N} codes were needed and {} planned", codes.len()))
        })
    }
}

/// The answers to odd authorization requests: as a stranger first, with the session where a stranger is asked to log in.
#[derive(Debug)]
pub struct FrontChannel(pub Vec<Asked>);

/// One odd request and its answer.
#[derive(Debug)]
pub struct Asked {
    /// What was odd.
    pub what: String,
    /// The `redirect_uri` that was asked for.
    pub redirect_uri: String,
    /// The `state` that was sent.
    pub state: String,
    /// The answer; or why there is none.
    pub answer: Result<AuthorizationAnswer, Shortfall>,
    /// Whether a stranger got it: no session was involved.
    pub as_stranger: bool,
}

impl Asked {
    /// A line of a table: the verdict on the answer, or why there is none.
    pub fn line(&self, judge: impl FnOnce(&AuthorizationAnswer) -> Verdict) -> Finding {
        match &self.answer {
            Ok(answer) => Finding::new(&self.what, judge(answer)).shown_by(answer.exchange()),
            Err(shortfall) => Finding::new(&self.what, shortfall.clone().into()),
        }
    }
}

impl Needs for FrontChannel {
    const STAGE: Stage = Stage::OddRequests;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        let asking = requests.into_iter().map(|request| ask(cx, request));
        Ok(Self(futures_util::future::join_all(asking).await))
    }
}

async fn ask(cx: &Context, request: AuthorizationRequest) -> Asked {
    let what = request.what.clone();
    let (redirect_uri, state) = (request.redirect_uri().to_owned(), request.state().to_owned());
    let audit = &cx.audit;
    let stranger = audit.front.visit_as_stranger(&cx.wire, request, &audit.token_endpoint).await;
    let (answer, as_stranger) = match stranger {
        Ok(Stranger::Answered(answer)) => (Ok(answer), true),
        Ok(Stranger::Asked(request, _)) => {
            (audit.visit(&cx.wire, request, Purpose::Odd).await.map_err(Shortfall::from), false)
        }
        Err(trouble) => (Err(trouble.into()), true),
    };
    Asked { what, redirect_uri, state, answer, as_stranger }
}

/// A grant of the check's own, which it may destroy.
impl Needs for TokenSet {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let code = Code::supply(cx, requests).await?;
        match code.redeem(&cx.wire).await?.0 {
            TokenAnswer::Granted(tokens) => Ok(*tokens),
            other => {
                Err(Shortfall::Inconclusive(format!("a fresh code was redeemed and brought {}", other.describe())))
            }
        }
    }
}

/// A grant of the check's own that has a refresh token.
#[derive(Debug)]
pub struct Refreshable(pub TokenSet);

impl Deref for Refreshable {
    type Target = TokenSet;
    fn deref(&self) -> &TokenSet {
        &self.0
    }
}

impl Needs for Refreshable {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        if Baseline::supply(cx, Vec::new()).await?.tokens.refresh_token.is_none() {
            return Err(Shortfall::NotApplicable("the server issues no refresh token, see refresh/issued".into()));
        }
        let tokens = TokenSet::supply(cx, requests).await?;
        if tokens.refresh_token.is_none() {
            return Err(Shortfall::Inconclusive(
                "the ordinary flow brought a refresh token, but this grant came without one".into(),
            ));
        }
        Ok(Self(tokens))
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

/// A second client, for what must be bound to the first.
#[derive(Debug, Clone)]
pub struct OtherClient(pub Arc<Client>);

impl Needs for OtherClient {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match &cx.audit.other_client {
            Some(client) => Ok(Self(Arc::clone(client))),
            None => Err(Shortfall::NotRun("there is no second client".into(), "--client-b-id ID".into())),
        }
    }
}

/// Everything that was sent in this run, at its end.
#[derive(Debug, Clone)]
pub struct WholeLedger(pub Vec<Exchange>);

impl Needs for WholeLedger {
    const STAGE: Stage = Stage::Ledger;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Ok(Self(cx.wire.ledger().all()))
    }
}

impl<A: Needs, B: Needs> Needs for (A, B) {
    const STAGE: Stage = later(A::STAGE, B::STAGE);
    const VISITS: bool = A::VISITS;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        // What costs nothing first: a missing companion must not cost a visit.
        let b = B::supply(cx, Vec::new()).await?;
        Ok((A::supply(cx, requests).await?, b))
    }
}

impl<A: Needs, B: Needs, C: Needs> Needs for (A, B, C) {
    const STAGE: Stage = later(A::STAGE, later(B::STAGE, C::STAGE));
    const VISITS: bool = A::VISITS;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let c = C::supply(cx, Vec::new()).await?;
        let b = B::supply(cx, Vec::new()).await?;
        Ok((A::supply(cx, requests).await?, b, c))
    }
}

/// The later of two stages.
pub const fn later(a: Stage, b: Stage) -> Stage {
    if (a as u8) < (b as u8) { b } else { a }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oauth::request::tests::client;

    /// The ordinary request of a client with an https redirect URI beside the loopback one.
    pub(crate) fn ordinary(scope: &str, known: &str) -> Ordinary {
        let https = Some("https://abc.oaudit.test/cb".to_owned());
        Ordinary {
            endpoint: "https://as.example/authorize".into(),
            client: Arc::new(Client { https_redirect_uri: https, ..client() }),
            scope: ScopeSet::parse(scope),
            known_scopes: ScopeSet::parse(known),
            resource: None,
            further: Vec::new(),
        }
    }

    /// An odd request and its answer.
    pub(crate) fn asked(redirect_uri: &str, state: &str, answer: AuthorizationAnswer) -> Asked {
        Asked {
            what: "odd".into(),
            redirect_uri: redirect_uri.into(),
            state: state.into(),
            answer: Ok(answer),
            as_stranger: true,
        }
    }

    #[test]
    fn what_decides_about_refresh_tokens_is_kept() {
        let ordinary = ordinary("a b offline_access", "a b c offline_access");
        assert_eq!(ordinary.scope_for(&ScopeSet::parse("c")).to_string(), "c offline_access");
        assert_eq!(ordinary.one_scope().unwrap().to_string(), "a offline_access");
    }
}
