//! Revocation (RFC 7009) and introspection (RFC 7662).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{Refusal, json_no_store, with};
use super::client::{self, AuthMethod, Client};
use super::faults::Flaw;
use super::form::{self, Params};
use super::quirks::Twist;
use super::server::Server;
use super::store::Store;

pub(super) async fn revoke(State(server): State<Arc<Server>>, request: Request) -> Response {
    match authenticated(&server, request).await {
        Err(refusal) => refusal.into_response(),
        Ok((client, token)) => match revoke_token(&server, &mut server.store(), &client, &token) {
            Ok(()) => with(StatusCode::OK.into_response(), header::CACHE_CONTROL, "no-store"),
            Err(refusal) => refusal.into_response(),
        },
    }
}

/// Introspection is for confidential clients: a `client_id` alone proves nothing (RFC 7662 section 2.1).
pub(super) async fn introspect(State(server): State<Arc<Server>>, request: Request) -> Response {
    match authenticated(&server, request).await {
        Err(refusal) => refusal.into_response(),
        Ok((client, _)) if client.method == AuthMethod::None => Refusal::invalid_client().into_response(),
        Ok((client, token)) => {
            let answer = describe(&server, &server.store(), &client, &token);
            // Why a token is not active is nobody's business (RFC 7662 section 2.2).
            let answer = answer.unwrap_or_else(|| json!({ "active": false }));
            json_no_store(StatusCode::OK, &answer)
        }
    }
}

/// The client of a request and the token it is about. The hint is not looked at: both kinds are searched anyway.
async fn authenticated(server: &Server, request: Request) -> Result<(Client, String), Refusal> {
    let (parts, body) = request.into_parts();
    let params: Params = form::read(&parts.headers, body).await?;
    let client = client::authenticate(&server.store(), &parts.headers, &params)?;
    match params.get("token") {
        Some(token) => Ok((client, token.to_owned())),
        None => Err(Refusal::invalid_request("token is missing")),
    }
}

fn may_know(asking: &Client, owner: &str) -> bool {
    asking.id == owner || asking.id == client::RESOURCE
}

fn revoke_token(server: &Server, store: &mut Store, client: &Client, token: &str) -> Result<(), Refusal> {
    let foreign = || Refusal::invalid_grant("the token was issued to another client");
    if let Some(refresh) = store.refresh.get(token) {
        let grant = refresh.grant;
        if store.grants[grant].client != client.id {
            return Err(foreign());
        }
        if server.flawed(Flaw::RevocationSparesRefreshTokens) {
            for access in store.access.values_mut().filter(|a| a.grant == grant) {
                access.revoked = true;
            }
        } else if server.flawed(Flaw::RevocationDoesNotCascade) || server.twisted(Twist::IrrevocableAccess) {
            store.refresh.retain(|_, refresh| refresh.grant != grant);
        } else {
            store.revoke_grant(server, grant);
        }
        return Ok(());
    }
    let Some(access) = server.access_handle(token).and_then(|handle| store.access.get_mut(&handle)) else {
        return match server.flawed(Flaw::UnknownTokenNotRevoked) {
            true => Err(Refusal::invalid_request("the token is not known")),
            false => Ok(()),
        };
    };
    if store.grants[access.grant].client != client.id {
        return Err(foreign());
    }
    if server.twisted(Twist::IrrevocableAccess) {
        return Err(Refusal::new("unsupported_token_type", "access tokens end with their time"));
    }
    if !server.flawed(Flaw::RevocationSparesAccessTokens) {
        access.revoked = true;
    }
    Ok(())
}

/// What a token says, if it is good: to the client that has it, and to the protected resource.
fn describe(server: &Server, store: &Store, client: &Client, token: &str) -> Option<Value> {
    if let Some(refresh) = store.refresh.get(token) {
        let grant = &store.grants[refresh.grant];
        let live = !grant.revoked && refresh.replaced.is_none() && server.now() < refresh.expires;
        return (live && may_know(client, &grant.client)).then(|| {
            json!({
                "active": true,
                "scope": refresh.scope.join(" "),
                "client_id": grant.client,
                "username": grant.user,
                "exp": refresh.expires.as_secs(),
                "sub": grant.user,
                "aud": refresh.audience,
                "iss": server.issuer(),
            })
        });
    }
    let handle = server.access_handle(token)?;
    let access = store.live_access(server, &handle)?;
    let grant = &store.grants[access.grant];
    may_know(client, &grant.client).then(|| {
        json!({
            "active": true,
            "scope": access.scope.join(" "),
            "client_id": grant.client,
            "username": grant.user,
            "token_type": "Bearer",
            "exp": access.expires,
            "iat": access.issued,
            "sub": grant.user,
            "aud": access.audience,
            "iss": server.issuer(),
        })
    })
}
