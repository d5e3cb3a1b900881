//! What a code and a refresh token are bound to, where a fault unbinds them: the sender, the exact value, the moment.

use std::time::Duration;

use axum::http::HeaderMap;

use super::answer::Refusal;
use super::authorize::Challenge;
use super::client::{self, Client};
use super::faults::Flaw;
use super::form::Params;
use super::server::Server;
use super::store::{CodeState, Store};
use super::token::s256;

/// How long a decision lies between looking up and writing down.
const GAP: Duration = Duration::from_millis(150);

/// The client behind a token request.
pub(super) fn sender(server: &Server, store: &Store, headers: &HeaderMap, params: &Params) -> Result<Client, Refusal> {
    let nameless = params.get("client_id").is_none() && headers.get("authorization").is_none();
    if nameless
        && server.flawed(Flaw::CodeWithoutClient)
        && let Some(code) = params.get("code").and_then(|code| store.codes.get(code))
        && let Some(client) = store.clients.get(&code.request.client)
    {
        return Ok(client.clone());
    }
    let careless = match params.get("grant_type") {
        Some("authorization_code") => server.flawed(Flaw::SecretOptional),
        Some("refresh_token") => server.flawed(Flaw::RefreshSecretOptional),
        _ => false,
    };
    let shown = params.get("client_secret").is_some() || headers.get("authorization").is_some();
    if careless
        && !shown
        && let Some(client) = params.get("client_id").and_then(|id| store.clients.get(id))
    {
        return Ok(client.clone());
    }
    client::authenticate(store, headers, params)
}

/// The code that a made-up one is taken for: the fresh one with this verifier.
pub(super) fn pending_code(server: &Server, store: &Store, params: &Params) -> Option<String> {
    let presented = params.get("code")?;
    if !server.flawed(Flaw::MadeUpCodeAccepted) || store.codes.contains_key(presented) {
        return None;
    }
    let challenge = s256(params.get("code_verifier")?);
    let fits = |known: &Challenge| matches!(known, Challenge::S256(known) if *known == challenge);
    let fresh = store.codes.iter().filter(|(_, code)| code.state == CodeState::Fresh);
    fresh.filter(|(_, code)| code.request.challenge.as_ref().is_some_and(fits)).map(|(value, _)| value.clone()).next()
}

/// Under a fault: whether a code or a refresh token had not been used yet some time before the decision about it.
pub(super) async fn look_up_early(server: &Server, params: &Params) -> bool {
    let fresh = {
        let store = server.store();
        let code = params.get("code").and_then(|code| store.codes.get(code));
        let refresh = params.get("refresh_token").and_then(|token| store.refresh.get(token));
        let code = code.filter(|code| code.state == CodeState::Fresh && server.flawed(Flaw::CodeRace));
        let refresh = refresh.filter(|token| token.replaced.is_none() && server.flawed(Flaw::RefreshRace));
        code.is_some() || refresh.is_some()
    };
    if fresh {
        tokio::time::sleep(GAP).await;
    }
    fresh
}
