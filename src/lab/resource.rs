//! The protected resources: how a bearer token is judged, and the API route for notes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{json_no_store, with};
use super::faults::Flaw;
use super::form::{self, Params};
use super::jwt;
use super::server::{Resource, SCOPES, Server};

/// Whoever calls a resource, once let in.
pub(super) struct Caller {
    pub(super) user: String,
    scope: Vec<String>,
}

/// Why a request is turned away.
enum Denial {
    /// No token to judge.
    NoToken,
    BadToken,
    /// A good token without this scope.
    Scope(&'static str),
}

/// What a request brought along.
enum Presented<'a> {
    Nothing,
    /// Another scheme, or Bearer without a token: nothing that could be called a token.
    Unusable,
    /// A Bearer credential that is not one token.
    Malformed,
    Token(&'a str),
}

fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Presented::Nothing;
    };
    if values.next().is_some() {
        return Presented::Malformed;
    }
    let bytes = value.as_bytes();
    let end = bytes.iter().position(|&b| b == b' ').unwrap_or(bytes.len());
    if !bytes[..end].eq_ignore_ascii_case(b"bearer") {
        return Presented::Unusable;
    }
    let token = bytes[end..].trim_ascii();
    if token.is_empty() {
        return Presented::Unusable;
    }
    // The b64token of RFC 6750 section 2.1.
    let legal = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b);
    match std::str::from_utf8(token) {
        Ok(text) if token.iter().all(legal) => Presented::Token(text),
        _ => Presented::Malformed,
    }
}

/// Whether a request brought any credentials at all.
pub(super) fn is_anonymous(headers: &HeaderMap) -> bool {
    matches!(presented(headers), Presented::Nothing)
}

/// Lets a request in, or gives the answer that turns it away. RFC 6750 section 3.1: no `error` where no token was
/// sent, `invalid_token` where one was.
pub(super) fn admit(
    server: &Server,
    headers: &HeaderMap,
    query: Option<&str>,
    resource: Resource,
    needed: &'static str,
) -> Result<Caller, Box<Response>> {
    let caller = match presented(headers) {
        Presented::Nothing if server.flawed(Flaw::QueryTokenAccepted) => {
            let params = Params::parse(query.unwrap_or_default().as_bytes()).ok();
            match params.as_ref().and_then(|params| params.get("access_token")) {
                Some(token) => judge(server, token, resource),
                None => return anonymous(server, query, resource),
            }
        }
        Presented::Nothing => return anonymous(server, query, resource),
        Presented::Unusable => return Err(Box::new(challenge(server, resource, Denial::NoToken))),
        Presented::Malformed => None,
        Presented::Token(token) => {
            let caller = judge(server, token, resource);
            if caller.is_none() && server.flawed(Flaw::BadToken500) && !is_readable(server, token) {
                let failed = StatusCode::INTERNAL_SERVER_ERROR.into_response();
                return Err(Box::new(failed));
            }
            caller
        }
    };
    let denial = match caller {
        Some(caller) if server.flawed(Flaw::ScopeNotEnforced) || caller.scope.iter().any(|scope| scope == needed) => {
            return Ok(caller);
        }
        Some(_) => Denial::Scope(needed),
        None => Denial::BadToken,
    };
    Err(Box::new(challenge(server, resource, denial)))
}

fn anonymous(server: &Server, query: Option<&str>, resource: Resource) -> Result<Caller, Box<Response>> {
    // A token in the query is no credential here, yet whoever sends one is not without.
    let in_query =
        Params::parse(query.unwrap_or_default().as_bytes()).is_ok_and(|params| params.get("access_token").is_some());
    if server.flawed(Flaw::OpenResource) && !in_query {
        return Ok(Caller { user: String::new(), scope: SCOPES.map(str::to_owned).to_vec() });
    }
    let mut response = challenge(server, resource, Denial::NoToken);
    if server.flawed(Flaw::NoChallenge) {
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
    }
    if server.flawed(Flaw::Challenge403) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    Err(Box::new(response))
}

/// RFC 9068 section 4: signature, type and issuer, then audience, expiry and revocation.
fn judge(server: &Server, token: &str, resource: Resource) -> Option<Caller> {
    if server.flawed(Flaw::ValidTokenRefused) {
        return None;
    }
    let now = server.now().as_secs();
    if server.flawed(Flaw::RefreshTokenOpens) {
        let store = server.store();
        if let Some(refresh) = store.refresh.get(token).filter(|refresh| refresh.resource == resource) {
            return Some(Caller { user: store.grants[refresh.grant].user.clone(), scope: refresh.scope.clone() });
        }
    }
    if !server.opaque {
        let claims = server.own_claims(token)?;
        let for_us = server.flawed(Flaw::WrongAudience)
            || claims["aud"].as_str().is_some_and(|aud| is_meant(server, aud, resource));
        let over = match claims["exp"].as_u64() {
            Some(exp) => exp <= now && !server.flawed(Flaw::ExpiredTokenAccepted),
            None => !server.flawed(Flaw::NoExp),
        };
        if !for_us || over {
            return None;
        }
    }
    let handle = server.access_handle(token)?;
    let store = server.store();
    let access = store.live_access(server, &handle)?;
    if !is_meant(server, &access.audience, resource) || access.dead {
        return None;
    }
    Some(Caller { user: store.grants[access.grant].user.clone(), scope: access.scope.clone() })
}

/// Whether a token with this audience is for a resource.
fn is_meant(server: &Server, audience: &str, resource: Resource) -> bool {
    let nobodys = audience == server.base && server.flawed(Flaw::MissingAudienceAccepted);
    server.resource_named(audience) == Some(resource) || nobodys || server.flawed(Flaw::ForeignAudienceAccepted)
}

fn is_readable(server: &Server, token: &str) -> bool {
    if server.opaque { server.store().access.contains_key(token) } else { jwt::is_well_formed(token) }
}

/// The answer to who may not pass: 401, or 403 where the token is good and its scope is not.
fn challenge(server: &Server, resource: Resource, denial: Denial) -> Response {
    let first = if server.flawed(Flaw::ChallengeWithoutMetadata) {
        "realm=\"lab\"".to_owned()
    } else {
        format!("resource_metadata=\"{}/.well-known/oauth-protected-resource{}\"", server.base, resource.path())
    };
    let (status, error, rest) = match denial {
        Denial::NoToken => {
            let openid = if server.flawed(Flaw::OpenidRequired) { "openid " } else { "" };
            let rest = format!("scope=\"{openid}{}\"", SCOPES.join(" "));
            (StatusCode::UNAUTHORIZED, "unauthorized", rest)
        }
        Denial::BadToken => {
            let rest = match server.flawed(Flaw::NoInvalidToken) {
                true => "error_description=\"The access token is not valid here\"",
                false => "error=\"invalid_token\", error_description=\"The access token is not valid here\"",
            };
            (StatusCode::UNAUTHORIZED, "invalid_token", rest.to_owned())
        }
        Denial::Scope(needed) => {
            let which = if server.flawed(Flaw::ScopeRefusedBare) { "" } else { needed };
            let rest = match which {
                "" => "error=\"insufficient_scope\"".to_owned(),
                which => format!("error=\"insufficient_scope\", scope=\"{which}\""),
            };
            let refused = server.flawed(Flaw::ScopeRefused401);
            let status = if refused { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
            (status, "insufficient_scope", rest)
        }
    };
    let mut body = json!({ "error": error });
    if error == "invalid_token" && server.flawed(Flaw::ErrorWithTrace) {
        let frame = "at verify (/srv/notes/node_modules/jsonwebtoken/verify.js:70:17)";
        body["stack"] = json!(format!("JsonWebTokenError: jwt malformed\n    {frame}"));
    }
    with(json_no_store(status, &body), header::WWW_AUTHENTICATE, &format!("Bearer {first}, {rest}"))
}

/// The notes of a user; everybody begins with one.
pub(super) fn notes_of(server: &Server, user: &str) -> Vec<String> {
    let store = server.store();
    let written = store.notes.get(user).into_iter().flatten().cloned();
    [format!("The first note of {user}")].into_iter().chain(written).collect()
}

pub(super) fn write_down(server: &Server, user: &str, note: &str) {
    server.store().notes.entry(user.to_owned()).or_default().push(note.to_owned());
}

pub(super) async fn read_notes(State(server): State<Arc<Server>>, request: Request) -> Response {
    let query = request.uri().query();
    match admit(&server, request.headers(), query, Resource::Notes, SCOPES[0]) {
        Err(response) => *response,
        Ok(caller) => {
            let notes = notes_of(&server, &caller.user);
            json_no_store(StatusCode::OK, &json!({ "notes": notes }))
        }
    }
}

pub(super) async fn write_note(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query();
    let caller = match admit(&server, &parts.headers, query, Resource::Notes, SCOPES[1]) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    if form::media_type(&parts.headers) != "application/json" {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let bytes = match form::bytes(body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal.into_response(),
    };
    let note = serde_json::from_slice::<Value>(&bytes).ok().and_then(|value| value["text"].as_str().map(str::to_owned));
    let Some(note) = note else {
        let body = json!({ "error": "the body must be an object with a string called text" });
        return json_no_store(StatusCode::BAD_REQUEST, &body);
    };
    let answer = json!({ "text": note });
    write_down(&server, &caller.user, &note);
    json_no_store(StatusCode::CREATED, &answer)
}
