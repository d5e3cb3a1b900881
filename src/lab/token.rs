//! The token endpoint: codes and refresh tokens in, access tokens out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::answer::{Refusal, json as json_answer, json_no_store, typed, with};
use super::authorize::{Challenge, words};
use super::binding;
use super::client::{self, Client};
use super::faults::Flaw;
use super::form::{self, Params};
use super::openid::{self, OPENID};
use super::quirks::Twist;
use super::server::{Resource, SCOPES, Server};
use super::store::{CodeState, Store, USERS};

/// How long a replaced refresh token stays good under the quirk that lets it.
const GRACE: Duration = Duration::from_secs(2);
/// How long an answer to somebody who guesses is held back.
const PENALTY: Duration = Duration::from_millis(500);

pub(super) async fn token(State(server): State<Arc<Server>>, request: Request) -> Response {
    let number = server.token_requests.fetch_add(1, Ordering::Relaxed) + 1;
    if server.twisted(Twist::RateLimited) && number.is_multiple_of(7) {
        let body = json!({ "error": "temporarily_unavailable" });
        let response = json_no_store(StatusCode::TOO_MANY_REQUESTS, &body);
        return with(response, header::RETRY_AFTER, "1");
    }
    let (parts, body) = request.into_parts();
    let params = match form::read(&parts.headers, body).await {
        Ok(params) => params,
        Err(_) if server.flawed(Flaw::Token500OnGarbage) => {
            let body = "internal server error".to_owned();
            return typed(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", body);
        }
        Err(_) if server.flawed(Flaw::HtmlOnGarbage) => {
            let body = "<!doctype html><title>Bad Request</title><h1>Bad Request</h1>".to_owned();
            return typed(StatusCode::BAD_REQUEST, "text/html", body);
        }
        Err(refusal) => return refusal.into_response(),
    };
    // Only under a fault: what was looked up too early.
    let seen_fresh = binding::look_up_early(&server, &params).await;
    let (answer, hold_back) = {
        let mut store = server.store();
        if let Some(verifier) = params.get("code_verifier") {
            store.secrets.insert(verifier.to_owned());
        }
        let answer = match params.get("grant_type") {
            None => Err(Refusal::invalid_request("grant_type is missing")),
            Some(kind) => binding::sender(&server, &store, &parts.headers, &params)
                .and_then(|client| grant(&server, &mut store, &client, kind, &params, seen_fresh)),
        };
        let guessed = match &answer {
            Ok(_) => Some(false),
            Err(refusal) => ["invalid_client", "invalid_grant"].contains(&refusal.error).then_some(true),
        };
        let hold_back = guessed.is_some_and(|failed| client::note_attempt(&mut store, &parts.headers, &params, failed));
        (answer, hold_back)
    };
    if hold_back {
        tokio::time::sleep(PENALTY).await;
    }
    match answer {
        Ok(body) if server.flawed(Flaw::TokenCacheable) => json_answer(StatusCode::OK, &body),
        Ok(body) => json_no_store(StatusCode::OK, &body),
        Err(mut refusal) => {
            if refusal.error == "invalid_grant" && server.twisted(Twist::InvalidGrant401) {
                refusal.status = StatusCode::UNAUTHORIZED;
            }
            let plain = |code: &&str| code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if let Some(code) = params.get("code").filter(plain)
                && refusal.error == "invalid_grant"
                && server.flawed(Flaw::TokenErrorEchoes)
            {
                refusal.about = format!("{}: {code}", refusal.about);
            }
            refusal.into_response()
        }
    }
}

fn grant(
    server: &Server,
    store: &mut Store,
    client: &Client,
    kind: &str,
    params: &Params,
    seen_fresh: bool,
) -> Result<Value, Refusal> {
    match kind {
        "authorization_code" => redeem(server, store, client, params, seen_fresh),
        "refresh_token" if client.refreshes => refresh(server, store, client, params, seen_fresh),
        "refresh_token" => Err(Refusal::new("unauthorized_client", "the client did not register for refresh tokens")),
        "password" if server.flawed(Flaw::PasswordGrantAlive) => password(server, store, client, params),
        _ if server.flawed(Flaw::WrongErrorCodes) => Err(Refusal::invalid_request("what grant is that?")),
        _ => Err(Refusal::new("unsupported_grant_type", "the grants are authorization_code and refresh_token")),
    }
}

/// OAuth 2.1 section 4.1.3. A wrong verifier or redirect URI burns a fresh code, so that it cannot be tried on; an
/// attempt by another client does not, for that one cannot know it by right.
fn redeem(
    server: &Server,
    store: &mut Store,
    client: &Client,
    params: &Params,
    seen_fresh: bool,
) -> Result<Value, Refusal> {
    let presented = params.get("code").ok_or_else(|| Refusal::invalid_request("code is missing"))?;
    let pending = binding::pending_code(server, store, params);
    let presented = pending.as_deref().unwrap_or(presented);
    if server.flawed(Flaw::CodeFlowBroken) {
        return Err(Refusal::invalid_grant("the code is not valid"));
    }
    let now = server.now();
    let code = store
        .codes
        .get_mut(presented)
        .filter(|code| code.request.client == client.id || server.flawed(Flaw::CodeAnyClient))
        .ok_or_else(|| Refusal::invalid_grant("the code is not valid"))?;
    let request = code.request.clone();
    let grant = code.grant;
    let verifier = params.get("code_verifier");
    let excused = verifier.is_none() && server.flawed(Flaw::VerifierOptional);
    if request.challenge.is_some() && verifier.is_none() && !excused && code.state != CodeState::Spent {
        return Err(Refusal::invalid_request("code_verifier is missing"));
    }
    let proven = excused || proves(server, request.challenge.as_ref(), verifier);
    // It may be left out (OAuth 2.1 section 10.2), but what is sent must be what was used.
    let same_uri = params.get("redirect_uri").is_none_or(|uri| uri == request.redirect_uri)
        || server.flawed(Flaw::CodeAnyRedirectUri);
    let again = code.state == CodeState::Spent && !seen_fresh;
    if again && !server.flawed(Flaw::CodeReusable) {
        // Only whoever can prove to be the client gets the tokens revoked (OAuth 2.1 section 7.5.2).
        if proven && same_uri && !server.flawed(Flaw::ReplayKeepsTokens) {
            store.revoke_grant(server, grant);
        }
        return Err(Refusal::invalid_grant("the code was redeemed before"));
    }
    let expired = code.expires <= now && !server.flawed(Flaw::CodeNeverExpires);
    if code.state == CodeState::Burnt || expired {
        return Err(Refusal::invalid_grant("the code is not valid any more"));
    }
    if !proven || !same_uri {
        if !again {
            code.state = CodeState::Burnt;
        }
        return Err(Refusal::invalid_grant("code_verifier or redirect_uri do not belong to the code"));
    }
    same_resource(server, params, &request.audience, request.resource)?;
    code.state = CodeState::Spent;
    if store.grants[grant].revoked {
        return Err(Refusal::invalid_grant("the authorization was withdrawn"));
    }
    let ignored = server.flawed(Flaw::ScopeRequestIgnored);
    let lost = server.flawed(Flaw::IncrementalScopeLost) && request.prompt.iter().any(|p| p == "consent");
    let scope = match request.scope.last() {
        _ if ignored => SCOPES.map(str::to_owned).to_vec(),
        Some(last) if lost => vec![last.clone()],
        _ => request.scope.clone(),
    };
    let stated = match scope.first() {
        _ if ignored || lost => None,
        Some(first) if server.flawed(Flaw::ScopeUnderstated) => Some(vec![first.clone()]),
        _ => Some(scope.clone()),
    };
    let access = store.issue_access(server, grant, &scope, &request.audience, false);
    let renewable = client.refreshes && !server.flawed(Flaw::NoRefreshToken);
    // What later refreshes are measured by is what was asked for, even where a fault gave more.
    let refresh = renewable.then(|| {
        let audience = &request.audience;
        store.issue_refresh(server, grant, &request.scope, audience, request.resource)
    });
    let id_token = request.scope.iter().any(|s| s == OPENID).then(|| {
        let nonce = request.nonce.as_deref();
        openid::id_token(server, &client.id, &store.grants[grant].user, nonce, &access)
    });
    let mut answer = body(server, access, refresh, stated.as_ref());
    if let Some(id_token) = id_token {
        store.secrets.insert(id_token.clone());
        answer["id_token"] = json!(id_token);
    }
    Ok(answer)
}

/// Whether a verifier belongs to a challenge (RFC 7636 section 4.6). Without a challenge none may be sent, or a
/// stripped challenge would go unnoticed (RFC 9700 section 4.8.2).
fn proves(server: &Server, challenge: Option<&Challenge>, verifier: Option<&str>) -> bool {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return true,
        (Some(challenge), Some(verifier)) => (challenge, verifier),
        _ => return false,
    };
    let legal = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let fits = match challenge {
        Challenge::S256(expected) if server.flawed(Flaw::ChallengeAsVerifier) && verifier == expected => true,
        Challenge::S256(expected) => client::same_secret(&s256(verifier), expected),
        Challenge::Plain(expected) => client::same_secret(verifier, expected),
    };
    legal && (fits || server.flawed(Flaw::VerifierIgnored))
}

pub(super) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

/// A `resource` of a token request must be the one that was granted (RFC 8707 section 2.2).
fn same_resource(server: &Server, params: &Params, audience: &str, granted: Resource) -> Result<(), Refusal> {
    let same = |asked: &str| server.resource_named(asked) == Some(granted) || asked == audience;
    if params.all("resource").all(same) {
        Ok(())
    } else {
        Err(Refusal::new("invalid_target", "the grant is for another resource"))
    }
}

/// OAuth 2.1 section 4.3, with rotation for every client.
fn refresh(
    server: &Server,
    store: &mut Store,
    client: &Client,
    params: &Params,
    seen_fresh: bool,
) -> Result<Value, Refusal> {
    let presented = params.get("refresh_token").ok_or_else(|| Refusal::invalid_request("refresh_token is missing"))?;
    let refused = || Refusal::invalid_grant("the refresh token is not valid");
    let now = server.now();
    let known = store.refresh.get(presented).cloned().ok_or_else(refused)?;
    let grant = &store.grants[known.grant];
    let stranger = grant.client != client.id && !server.flawed(Flaw::RefreshAnyClient);
    if stranger || grant.revoked || known.expires <= now {
        return Err(refused());
    }
    let in_grace = |replaced: Duration| server.twisted(Twist::RefreshGrace) && !known.graced && now <= replaced + GRACE;
    let reused = known.replaced.is_some();
    if let Some(replaced) = known.replaced
        && !in_grace(replaced)
        && !seen_fresh
        && !server.flawed(Flaw::OldRefreshTokenAlive)
    {
        // Either the thief or the owner holds the newest token; nobody can say who.
        if !server.flawed(Flaw::FamilySurvivesReuse) {
            store.revoke_grant(server, known.grant);
        }
        return Err(refused());
    }
    let (scope, stated) = refreshed_scope(server, params, &known.scope)?;
    same_resource(server, params, &known.audience, known.resource)?;
    if ![Flaw::OldAccessTokenAlive, Flaw::RefreshRepeatsToken].into_iter().any(|flaw| server.flawed(flaw))
        && !server.twisted(Twist::KeepsAccessTokens)
    {
        // The client has a new one, so whoever still shows the old one need not be the client.
        for access in store.access.values_mut().filter(|access| access.grant == known.grant) {
            access.revoked = true;
        }
    }
    let access = store.issue_access(server, known.grant, &scope, &known.audience, true);
    let successor = (!server.flawed(Flaw::NoRotation)).then(|| {
        if let Some(old) = store.refresh.get_mut(presented) {
            old.replaced = Some(now);
            old.graced = reused;
        }
        let (scope, audience) = (&known.scope, &known.audience);
        store.issue_refresh(server, known.grant, scope, audience, known.resource)
    });
    Ok(body(server, access, successor, stated.then_some(&scope)))
}

/// The scope of a refreshed access token, and whether the answer states it. The refresh token keeps the original
/// one, so that a later request without `scope` has all of it again (RFC 6749 section 6).
fn refreshed_scope(server: &Server, params: &Params, original: &[String]) -> Result<(Vec<String>, bool), Refusal> {
    let Some(asked) = params.get("scope").map(words).filter(|s| !s.is_empty()) else {
        return Ok((original.to_vec(), true));
    };
    let within = asked.iter().all(|scope| original.contains(scope));
    if within && server.flawed(Flaw::RefreshIgnoresNarrowerScope) {
        return Ok((original.to_vec(), false));
    }
    let known = asked.iter().all(|scope| SCOPES.contains(&scope.as_str()));
    if within || (known && server.flawed(Flaw::RefreshWidensScope)) {
        return Ok((asked, true));
    }
    Err(Refusal::new("invalid_scope", "a refresh cannot ask for more than was granted"))
}

/// The grant that OAuth 2.1 dropped; only under a fault.
fn password(server: &Server, store: &mut Store, client: &Client, params: &Params) -> Result<Value, Refusal> {
    let given = (params.get("username").unwrap_or_default(), params.get("password").unwrap_or_default());
    if !USERS.contains(&given) {
        return Err(Refusal::invalid_grant("the user name or password is wrong"));
    }
    let grant = store.open_grant(server, &client.id, given.0);
    let scope = vec![SCOPES[0].to_owned()];
    let audience = server.identifier(Resource::Mcp);
    let access = store.issue_access(server, grant, &scope, &audience, false);
    Ok(body(server, access, None, Some(&scope)))
}

fn body(server: &Server, access: String, refresh: Option<String>, scope: Option<&Vec<String>>) -> Value {
    let mut body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": server.access_seconds,
    });
    if server.flawed(Flaw::ExpiresInString) {
        body["expires_in"] = json!(server.access_seconds.to_string());
    }
    if let Some(refresh) = refresh {
        body["refresh_token"] = json!(refresh);
    }
    if let Some(scope) = scope {
        body["scope"] = json!(scope.join(" "));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s256_agrees_with_rfc_7636_appendix_b() {
        assert_eq!(s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
