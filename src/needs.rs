//! The kinds of supply that a check can ask for, as types, and how each is come by.
//!
//! Absence is settled here, once: what the server never offered is *not applicable*, what could not be had although it
//! was tried is *inconclusive*. No check contains a skip prologue.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use crate::audit::Audit;
use crate::check::{Card, Demand, Finding, Level, Ruling, Verdict, fold};
use crate::front::SignInError;
use crate::oauth::audience::Own;
use crate::oauth::client::Client;
use crate::oauth::described::Described;
use crate::oauth::jws::{Signature, verify};
use crate::oauth::jwt::Jwt;
use crate::oauth::pkce::{Verifier, random_text};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::wire::{Trouble, Wire};

mod addresses;
mod confidential;
mod denial;
mod documents;
mod forgery;
mod logs;
mod material;
mod other_user;
mod pages;
mod parties;
mod presented;
mod refreshed;
mod scoped;
mod scopes;
mod sessions;
mod supplied;
mod waits;

pub use addresses::Addresses;
pub use confidential::{ConfidentialClient, PerhapsConfidential, judge_unproven};
pub use denial::Refusing;
pub use documents::{AboutResource, Baseline, Documents, FlowAttempt, ResourceMetadata, WholeLedger};
pub use forgery::{IssuedTokens, RealToken, SignedToken, judge_refusal, not_signed};
pub use logs::Logs;
pub use material::{Asked, FrontChannel, OneByOne, Patience, Refreshable, ask};
pub use other_user::OtherUser;
pub(crate) use other_user::SecondUser;
pub use pages::Pages;
pub use parties::{Anonymous, OpenId, OpenResource, OtherClient, Registration, Resource, Revocation, no_resource};
pub use presented::presented;
pub use refreshed::Refreshed;
pub use scoped::{Held, Scoped};
pub use scopes::AdvertisedScopes;
pub use sessions::{McpSession, SessionsOfMcp};
pub use supplied::SuppliedRefresh;
pub(crate) use waits::Waits;

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

    /// What is known of a token, and the audiences by which the resource is known: its identifier, its URL, and what
    /// stands in a token that it takes. If that one cannot be read any more, no other audience tells anything.
    pub async fn audiences(&self, token: &str) -> Result<(Described, Own), Trouble> {
        let introspection = self.audit.introspection.as_ref();
        let mut described = Described::of(&self.wire, token, introspection).await?;
        let facts = self.audit.discovery.resource.as_ref();
        let names = facts.map(|facts| facts.url.clone()).into_iter().chain(self.audit.ordinary.resource.clone());
        let mut ordinary = Described::default();
        if let Some(Ok(flow)) = self.audit.baseline() {
            let token = flow.tokens.access_token.expose();
            ordinary = Described::of(&self.wire, token, introspection).await?;
            if ordinary.audience.is_none() && Jwt::read(token).is_none() {
                described.audience = None;
            }
        }
        Ok((described, Own::of(names.collect(), ordinary.audience.unwrap_or_default())))
    }

    /// What the published keys say of the signature of a token; or why they could not be had.
    pub fn signature(&self, token: &str) -> Result<Signature, String> {
        match &self.audit.discovery.server.jwks {
            None => Ok(match verify(token, &Value::Null) {
                Signature::NoKey(_) => Signature::NoKey("the metadata names no jwks_uri".into()),
                other => other,
            }),
            Some(Err(why)) => Err(format!("the keys could not be had: {why}")),
            Some(Ok(keys)) if keys.json.is_none() || keys.status != 200 => {
                Err(format!("{} answers {}, see server_metadata/jwks-reachable", keys.url, keys.why_not()))
            }
            Some(Ok(keys)) => Ok(verify(token, &keys.json.clone().unwrap_or_default())),
        }
    }

    /// Whether everybody who may know something of a token can be asked: there is no introspection endpoint that
    /// nobody is configured for.
    pub fn asks_everybody(&self) -> bool {
        let offered = self.audit.discovery.server.endpoint("introspection_endpoint").is_some();
        self.audit.introspection.is_some() || !offered
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
        Self::Inconclusive(match error {
            SignInError::Trouble(trouble) => format!("the authorization request came to nothing: {trouble}"),
            error @ (SignInError::BudgetSpent(_) | SignInError::Command { .. }) => error.to_string(),
            error @ SignInError::SessionEnded { .. } => {
                format!("{error}; sign in anew with `oaudit login --save FILE`")
            }
            error => format!("the session was lost and could not be renewed: {error}"),
        })
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
    /// Waits for something to expire: begun with the codes and tokens, judged before the ledger, beside all else.
    Waiting,
    /// Odd authorization requests.
    OddRequests,
    /// What may revoke a grant: one after the other, each on a grant of its own.
    Grants,
    /// What may end the session.
    Session,
    /// Reads the whole ledger.
    Ledger,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 9] = [
        Self::Documents,
        Self::Anonymous,
        Self::Baseline,
        Self::OwnMaterial,
        Self::Waiting,
        Self::OddRequests,
        Self::Grants,
        Self::Session,
        Self::Ledger,
    ];

    /// For a person who waits.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Anonymous => "anonymous requests",
            Self::Baseline => "the ordinary flow",
            Self::OwnMaterial => "codes and tokens",
            Self::Waiting => "what expires",
            Self::OddRequests => "odd authorization requests",
            Self::Grants => "what may revoke a grant",
            Self::Session => "what may end the session",
            Self::Ledger => "the ledger",
        }
    }
}

/// The clients beside the audited one that somebody has to agree to: once each, whatever number of checks need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    /// The second client.
    pub other: bool,
    /// The confidential one.
    pub confidential: bool,
}

impl Beside {
    /// None.
    pub const NONE: Self = Self { other: false, confidential: false };

    /// These and those.
    #[must_use]
    pub const fn and(self, those: Self) -> Self {
        Self { other: self.other || those.other, confidential: self.confidential || those.confidential }
    }

    /// How many of these are not among those.
    pub fn beyond(self, those: Self) -> usize {
        usize::from(self.other && !those.other) + usize::from(self.confidential && !those.confidential)
    }
}

/// A kind of supply. Tuples of them are needs as well; the first one takes the authorization requests.
pub trait Needs: Sized + Send + 'static {
    /// The earliest stage in which it can be had.
    const STAGE: Stage;
    /// Visits to the authorization endpoint that it takes for each request of the check.
    const VISITS: bool = false;
    /// The clients that it takes.
    const BESIDE: Beside = Beside::NONE;
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
        if self.scope.contains("openid") {
            // What binds an ID token to this request (OpenID Connect Core section 3.1.2.1).
            parameters.push(("nonce".into(), random_text(32)));
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

impl<A: Needs, B: Needs> Needs for (A, B) {
    const STAGE: Stage = later(A::STAGE, B::STAGE);
    const VISITS: bool = A::VISITS;
    const BESIDE: Beside = A::BESIDE.and(B::BESIDE);
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        // What costs nothing first: a missing companion must not cost a visit.
        let b = B::supply(cx, Vec::new()).await?;
        Ok((A::supply(cx, requests).await?, b))
    }
}

impl<A: Needs, B: Needs, C: Needs> Needs for (A, B, C) {
    const STAGE: Stage = later(A::STAGE, later(B::STAGE, C::STAGE));
    const VISITS: bool = A::VISITS;
    const BESIDE: Beside = A::BESIDE.and(B::BESIDE).and(C::BESIDE);
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
    use crate::oauth::answer::AuthorizationAnswer;
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

    /// What the rules say of a list of scopes.
    pub(crate) fn verdict_on_scopes(scopes: &[&str], rules: &[(crate::oauth::scope_design::Rule, Demand)]) -> Verdict {
        let scopes = AdvertisedScopes::listed(scopes.iter().map(|s| (*s).to_owned()));
        scopes.judge(&crate::settings::Settings::default(), rules, |d| d.by[0].level, "fine").verdict
    }

    /// An odd request and its answer.
    pub(crate) fn asked(redirect_uri: &str, state: &str, answer: AuthorizationAnswer) -> Asked {
        Asked {
            what: "odd".into(),
            redirect_uri: redirect_uri.into(),
            state: state.into(),
            answer: Ok(answer),
            as_stranger: true,
            code_ended: false,
        }
    }

    #[test]
    fn what_decides_about_refresh_tokens_is_kept() {
        let ordinary = ordinary("a b offline_access", "a b c offline_access");
        assert_eq!(ordinary.scope_for(&ScopeSet::parse("c")).to_string(), "c offline_access");
        assert_eq!(ordinary.one_scope().unwrap().to_string(), "a offline_access");
    }
}
