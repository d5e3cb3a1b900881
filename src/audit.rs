//! What the audit knows while it runs: the documents, the clients, the way to sign in, and the one ordinary flow.

use std::sync::{Arc, OnceLock};

use crate::check::Demand;
use crate::discovery::Discovery;
use crate::front::{Front, Purpose, SignInError};
use crate::needs::{
    ConfidentialClient, Ordinary, Refreshed, SecondUser, Shortfall, SuppliedRefresh, Waits, no_resource,
};
use crate::oauth::answer::{AuthorizationAnswer, Returned};
use crate::oauth::client::Client;
use crate::oauth::introspection::{Introspected, Introspection};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenSet;
use crate::profile::Profile;
use crate::registration::{Registered, Wanted};
use crate::resource::{Reached, Resource};
use crate::settings::Settings;
use crate::wire::{Exchange, ExchangeId, Reply, Wire};

/// The facts that all checks share.
#[derive(Debug)]
pub struct Audit {
    /// The documents in force.
    pub profile: Profile,
    /// What discovery found.
    pub discovery: Discovery,
    /// The token endpoint.
    pub token_endpoint: String,
    /// The client that we audit as.
    pub client: Arc<Client>,
    /// A second client.
    pub other_client: Option<Arc<Client>>,
    /// How the first client was registered, if it was.
    pub registered: Option<Arc<Registered>>,
    /// The way to sign in.
    pub front: Front,
    /// The ordinary authorization request before anybody signed in.
    pub ordinary: Ordinary,
    /// What the user set about judging.
    pub settings: Settings,
    /// The introspection endpoint, where somebody is known who may ask it.
    pub introspection: Option<Introspection>,
    /// The refresh token that the user supplied in place of signing in.
    pub(crate) supplied_refresh: Option<SuppliedRefresh>,
    /// Whether two grants of one user and client live side by side; `None` if it could not be seen.
    pub(crate) side_by_side: OnceLock<Option<bool>>,
    /// The second user, if one is configured.
    pub(crate) second_user: Option<SecondUser>,
    /// The confidential client that was configured.
    pub(crate) confidential: Option<Arc<Client>>,
    /// What clients of this run are registered with.
    pub(crate) wanted: Option<Wanted>,
    /// The confidential client and its own ordinary flow, made once for all checks that need it.
    pub(crate) confidential_flow: tokio::sync::OnceCell<Result<ConfidentialClient, Shortfall>>,
    /// The second client's own ordinary flow, made once for all checks that need it as a control.
    pub(crate) other_flow: tokio::sync::OnceCell<Result<Arc<TokenSet>, Shortfall>>,
    /// The first refresh, made once for all checks that only look at it.
    pub(crate) refreshed: tokio::sync::OnceCell<Result<Arc<Refreshed>, Shortfall>>,
    /// What the introspection endpoint says about the baseline's access token, asked once for all rules that read it.
    pub(crate) introspected: tokio::sync::OnceCell<Introspected>,
    /// What was sent and came back, as it stood when the first check asked for all of it.
    pub(crate) ledger: OnceLock<Arc<[Exchange]>>,
    pub(crate) baseline: OnceLock<Result<Arc<Transcript>, FlowFailure>>,
    /// How long checks wait, for whoever watches.
    pub(crate) waits: Waits,
}

/// The one ordinary flow, as it went.
#[derive(Debug)]
pub struct Transcript {
    /// The ordinary request as it worked in the end.
    pub ordinary: Ordinary,
    /// The state that was sent.
    pub state: String,
    /// The nonce that was sent, if `openid` was asked for.
    pub nonce: Option<String>,
    /// The scopes that were asked for.
    pub requested_scope: ScopeSet,
    /// What came back to the redirect URI.
    pub returned: Returned,
    /// The answer of the token endpoint, with its headers.
    pub token_reply: Reply,
    /// The tokens. Nobody revokes or refreshes these but the audit itself.
    pub tokens: TokenSet,
    /// How the resource answered the access token; `None` if no resource is known; or why it could not be asked.
    pub reached: Option<Result<(Resource, Reached), String>>,
    /// Every exchange of it.
    pub exchanges: Vec<ExchangeId>,
    resource: Option<Arc<Resource>>,
}

impl Transcript {
    #[expect(clippy::too_many_arguments, reason = "a record of everything that the flow left, built in one place")]
    pub(crate) fn new(
        ordinary: Ordinary,
        state: String,
        nonce: Option<String>,
        requested_scope: ScopeSet,
        returned: Returned,
        token_reply: Reply,
        tokens: TokenSet,
        reached: Option<Result<(Resource, Reached), String>>,
        exchanges: Vec<ExchangeId>,
    ) -> Self {
        let resource = match &reached {
            Some(Ok((resource, reached))) if reached.is_accepted() => {
                Some(Arc::new(Resource { good: Some(reached.body), ..resource.clone() }))
            }
            _ => None,
        };
        Self { ordinary, state, nonce, requested_scope, returned, token_reply, tokens, reached, exchanges, resource }
    }

    /// The resource, if the baseline's token was seen to open it.
    pub fn resource(&self) -> Result<&Arc<Resource>, Shortfall> {
        match (&self.resource, &self.reached) {
            (Some(resource), _) => Ok(resource),
            (None, None) => Err(no_resource()),
            (None, Some(Err(why))) => Err(Shortfall::Inconclusive(format!("the resource could not be asked: {why}"))),
            (None, Some(Ok((_, reached)))) => Err(Shortfall::Inconclusive(format!(
                "the resource answers {} to a valid token, see resource/accepts-valid-token",
                reached.status
            ))),
        }
    }
}

/// Why the ordinary flow did not work.
#[derive(Debug, Clone)]
pub struct FlowFailure {
    /// What happened.
    pub why: String,
    /// What was broken, if it was the server; `None` if it could not be found out (time-outs, rate limits).
    pub broken: Option<Demand>,
    /// The exchanges that show it.
    pub evidence: Vec<ExchangeId>,
}

impl Audit {
    /// How the ordinary flow ended, once it has.
    pub fn baseline(&self) -> Option<&Result<Arc<Transcript>, FlowFailure>> {
        self.baseline.get()
    }

    /// Whether this server ends the older grants of a user and client at each new authorization.
    pub fn grants_end_each_other(&self) -> bool {
        self.side_by_side.get() == Some(&Some(false))
    }

    /// The ordinary request: as it worked if it did.
    pub fn ordinary(&self) -> &Ordinary {
        match self.baseline.get() {
            Some(Ok(transcript)) => &transcript.ordinary,
            _ => &self.ordinary,
        }
    }

    /// Visits with the session.
    pub async fn visit(
        &self,
        wire: &Wire,
        request: AuthorizationRequest,
        purpose: Purpose,
    ) -> Result<AuthorizationAnswer, SignInError> {
        self.front.visit(wire, request, purpose, &self.token_endpoint).await
    }

    /// The resource as discovery called it.
    pub fn open_resource(&self) -> Option<Resource> {
        let facts = self.discovery.resource.as_ref()?;
        Some(Resource {
            url: facts.url.clone(),
            operation: facts.operation,
            version: self.profile.mcp,
            configured: facts.call.clone(),
            good: None,
        })
    }
}
