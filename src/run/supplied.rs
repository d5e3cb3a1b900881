//! A run in which nobody signs in: tokens are supplied, and what they allow is run. The rest is *not run*, and says how.

use std::sync::Arc;

use super::{Held, Progress, Run, flow, ordinary};
use crate::audit::{Audit, Transcript};
use crate::check::{AnyCheck, Verdict};
use crate::discovery::Discovery;
use crate::front::Front;
use crate::front::supplied::{SuppliedTokens, TokenAgent};
use crate::needs::{Ordinary, Stage, SuppliedRefresh};
use crate::oauth::answer::Returned;
use crate::oauth::client::{Client, ClientAuth, Origin};
use crate::oauth::secret::Secret;
use crate::oauth::token::{Grant, TokenSet};
use crate::report::Stopped;
use crate::wire::{ExchangeId, Reply, Wire};

/// What an access token and a resource that takes it are enough for.
const BY_ACCESS_TOKEN: [&str; 13] = [
    "access_token/at-jwt-profile",
    "access_token/audience-is-the-resource",
    "access_token/jwt-verifies",
    "access_token/no-personal-data",
    "resource/accepts-valid-token",
    "resource/alg-none-refused",
    "resource/bad-token-401-not-500",
    "resource/bad-token-says-invalid-token",
    "resource/embedded-key-refused",
    "resource/foreign-issuer-refused",
    "resource/key-confusion-refused",
    "resource/query-token-ignored",
    "resource/tampered-token-refused",
];

/// What a refresh token is enough for, in the order in which one grant lasts longest.
const BY_REFRESH_TOKEN: [&str; 8] = [
    "refresh/access-token-after-refresh",
    "refresh/old-token-refused",
    "refresh/race",
    "refresh/reuse-revokes-family",
    "refresh/rotated",
    "refresh/scope-narrows",
    "refresh/scope-not-widened",
    "refresh/works",
];

/// What looks at connections alone, and needs no flow that works.
const OF_CONNECTIONS: [&str; 3] = ["transport/certificate-valid", "transport/https-only", "transport/tls-1.2-or-newer"];

/// Why a check is left out, or `None` if what was supplied is enough for it. Pure.
pub(crate) fn left_out(check: &dyn AnyCheck, access: bool, refresh: bool, client: bool) -> Option<Verdict> {
    let id = check.card().id;
    let not_run = |why: &str, how: &str| Some(Verdict::NotRun { why: why.into(), how: how.into() });
    if check.stage() == Stage::Documents || OF_CONNECTIONS.contains(&id) {
        return None;
    }
    if BY_ACCESS_TOKEN.contains(&id) {
        let got = access || (refresh && client);
        return if got { None } else { not_run("no access token was supplied", "OAUDIT_ACCESS_TOKEN") };
    }
    match (BY_REFRESH_TOKEN.contains(&id), refresh, client) {
        (true, true, true) => None,
        (true, false, _) => not_run("no refresh token was supplied", "OAUDIT_REFRESH_TOKEN and --client-id ID"),
        (true, true, false) => not_run(
            "a refresh token is good for its own client alone",
            "--client-id ID of the client that it was issued to",
        ),
        (false, ..) => not_run(
            "nobody signs in: tokens were supplied",
            "an agent that signs in: --agent browser, form, paste, command or session",
        ),
    }
}

impl Run {
    /// The whole of such a run after discovery.
    pub(super) async fn with_tokens(&mut self, wire: &Wire, discovery: Discovery, held: &mut Held) -> Option<Stopped> {
        let SuppliedTokens { access, refresh } = self.options.sign_in.tokens.clone().unwrap_or_default();
        for (kind, token) in [("access_token", &access), ("refresh_token", &refresh)] {
            if let Some(token) = token {
                wire.vault().learn(kind, token.expose());
            }
        }
        let configured = self.options.client.as_ref();
        if let Some(secret) = configured.and_then(|c| c.secret.as_ref()) {
            wire.vault().learn("client_secret", secret.expose());
        }
        let redirect_uri = self.options.redirect_uri.clone().unwrap_or_default();
        let client = Arc::new(configured.map_or_else(nobody, |c| c.client(&redirect_uri)));
        let (has_access, has_refresh, has_client) = (access.is_some(), refresh.is_some(), configured.is_some());
        let enough = has_access || (has_refresh && has_client);
        if !enough {
            return Some(stopped(
                "the refresh token that was supplied can be used by its own client alone, and none is configured",
            ));
        }
        self.plan.leave_out(|check| left_out(check, has_access, has_refresh, has_client));
        let mut audit = self.audit_of_documents(discovery);
        audit.token_endpoint = audit.discovery.server.endpoint("token_endpoint").unwrap_or_default().to_owned();
        audit.front = Front::new(Arc::new(TokenAgent));
        audit.introspection = self.introspection(wire, &audit.discovery, &client);
        let (scope, known_scopes) = ordinary::scopes(&audit.discovery, self.options.scope.as_ref());
        let resource = ordinary::resource_indicator(&audit.discovery);
        let endpoint = audit.discovery.server.endpoint("authorization_endpoint").unwrap_or_default().to_owned();
        audit.ordinary =
            Ordinary { endpoint, client: Arc::clone(&client), scope, known_scopes, resource, further: Vec::new() };
        audit.client = Arc::clone(&client);
        let grant = Arc::new(Grant {
            token_endpoint: audit.token_endpoint.clone(),
            client,
            redirect_uri: None,
            requested_scope: audit.ordinary.scope.clone(),
            resource: audit.ordinary.resource.clone(),
            latest: refresh.clone().into(),
        });
        audit.supplied_refresh = refresh.map(|_| SuppliedRefresh::new(Arc::clone(&grant)));
        let signing = &wire.stamped("supplied tokens");
        let tokens = match access {
            Some(access) => of_access(access, &grant),
            None => match &audit.supplied_refresh {
                Some(supplied) => match supplied.next(signing).await {
                    Ok(tokens) => tokens,
                    Err(shortfall) => return Some(stopped(Verdict::from(shortfall).why())),
                },
                None => return Some(stopped("no token was supplied")),
            },
        };
        let transcript = match transcript(signing, &audit, tokens).await {
            Ok(transcript) => transcript,
            Err(why) => return Some(stopped(&why)),
        };
        let _ = audit.baseline.set(Ok(Arc::new(transcript)));
        let _ = audit.side_by_side.set(None);
        let audit = Arc::new(audit);
        held.audit = Some(Arc::clone(&audit));
        self.tell(Progress::Says("nobody signs in: what the supplied tokens allow is run"));
        // One after the other: all of it shares one grant.
        for stage in Stage::ALL {
            self.stage(wire, &audit, stage, matches!(stage, Stage::Documents | Stage::Anonymous)).await;
        }
        None
    }
}

/// The ordinary flow as far as it can be told from a token that somebody else got.
async fn transcript(wire: &Wire, audit: &Audit, tokens: TokenSet) -> Result<Transcript, String> {
    let ordinary = audit.ordinary.clone();
    let scope = ordinary.scope.clone();
    let reached = flow::reach(wire, audit, &tokens).await;
    if let Some(Ok((_, reached))) = &reached
        && matches!(reached.status, 401 | 403)
    {
        return Err(format!(
            "the resource answers {} to the access token: it has expired, was revoked, or is for another resource",
            reached.status
        ));
    }
    // In place of the token endpoint's answer, which nobody saw, stands that of the resource to the token.
    let shown = reached.as_ref().and_then(|r| r.as_ref().ok()).map_or(ExchangeId(0), |(_, reached)| reached.exchange);
    let unseen = Reply {
        id: shown,
        url: audit.token_endpoint.clone(),
        status: 0,
        headers: http::HeaderMap::new(),
        body: Default::default(),
        truncated: false,
    };
    let exchanges = wire.ledger().of(wire.stamp());
    let returned = Returned::read("", None);
    Ok(Transcript::new(ordinary, String::new(), None, scope, returned, unseen, tokens, reached, exchanges))
}

fn of_access(access: Secret, grant: &Arc<Grant>) -> TokenSet {
    let refresh_token = grant.latest.get();
    let members = serde_json::json!({ "token_type": "Bearer" });
    TokenSet { access_token: access, refresh_token, members, exchange: ExchangeId(0), grant: Arc::clone(grant) }
}

/// A client of which nothing is known. It asks for nothing.
fn nobody() -> Client {
    Client {
        id: String::new(),
        secret: None,
        auth: ClientAuth::None,
        signer: None,
        redirect_uri: String::new(),
        https_redirect_uri: None,
        origin: Origin::Configured,
    }
}

fn stopped(error: &str) -> Stopped {
    let hint =
        "OAUDIT_ACCESS_TOKEN takes a fresh access token for the resource; OAUDIT_REFRESH_TOKEN needs --client-id";
    Stopped { error: error.into(), hint: hint.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::ALL;

    fn run(access: bool, refresh: bool, client: bool) -> Vec<&'static str> {
        let left = |c: &&dyn AnyCheck| left_out(*c, access, refresh, client).is_none() && c.stage() != Stage::Documents;
        ALL.iter().copied().filter(left).map(|c| c.card().id).collect()
    }

    #[test]
    fn every_check_that_is_named_here_exists() {
        let named = BY_ACCESS_TOKEN.iter().chain(&BY_REFRESH_TOKEN).chain(&OF_CONNECTIONS);
        let unknown: Vec<_> = named.filter(|id| !ALL.iter().any(|c| c.card().id == **id)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn what_was_supplied_decides() {
        assert_eq!(run(true, false, false).len(), BY_ACCESS_TOKEN.len() + OF_CONNECTIONS.len());
        assert_eq!(run(true, true, false).len(), BY_ACCESS_TOKEN.len() + OF_CONNECTIONS.len());
        let all = BY_ACCESS_TOKEN.len() + BY_REFRESH_TOKEN.len() + OF_CONNECTIONS.len();
        assert_eq!(run(false, true, true).len(), all);
    }
}
