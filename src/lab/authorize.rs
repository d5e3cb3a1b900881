//! The authorization endpoint: a request is judged completely before anybody is asked to sign in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::client::{AuthMethod, Client};
use super::faults::Flaw;
use super::form::{self, Params};
use super::openid::OPENID;
use super::redirect_uri;
use super::server::{Resource, SCOPES, Server};
use super::{answer, pages, signin};

/// The parameters that somebody has given a meaning at an authorization endpoint.
const KNOWN: [&str; 22] = [
    "acr_values",
    "authorization_details",
    "claims",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "dpop_jkt",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];

/// How the code is bound to the client instance that asked for it (RFC 7636).
#[derive(Clone, Debug)]
pub(super) enum Challenge {
    S256(String),
    /// Only under a fault.
    Plain(String),
}

/// An authorization request that may go ahead.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationRequest {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    /// What was asked for, or the default.
    pub(super) scope: Vec<String>,
    /// The resource identifier as the client wrote it, and what it stands for.
    pub(super) audience: String,
    pub(super) resource: Resource,
    pub(super) challenge: Option<Challenge>,
    /// A token in the fragment was asked for; only under a fault.
    pub(super) implicit: bool,
    pub(super) prompt: Vec<String>,
    pub(super) max_age: Option<u64>,
    /// To be repeated in an ID token.
    pub(super) nonce: Option<String>,
}

/// An error that is reported to the client.
struct Objection(&'static str, &'static str);

pub(super) async fn by_get(State(server): State<Arc<Server>>, request: Request) -> Response {
    let raw = request.uri().query().unwrap_or_default().as_bytes();
    match Params::parse(raw) {
        Ok(params) => answer(&server, request.headers(), &params, StatusCode::FOUND),
        Err(why) => pages::error(&format!("The request is malformed: {why}.")),
    }
}

pub(super) async fn by_post(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match form::read(&parts.headers, body).await {
        Ok(params) => answer(&server, &parts.headers, &params, StatusCode::SEE_OTHER),
        Err(refusal) => pages::error(&format!("The request is malformed: {}.", refusal.about)),
    }
}

fn answer(server: &Server, headers: &HeaderMap, params: &Params, status: StatusCode) -> Response {
    if params.has_duplicates() {
        return pages::error("A parameter of the request is repeated.");
    }
    let client = {
        let store = server.store();
        params.get("client_id").and_then(|id| store.clients.get(id).cloned())
    };
    let Some(client) = client else {
        if let (Some(uri), true) = (params.get("redirect_uri"), server.flawed(Flaw::UnknownClientRedirected)) {
            let about = "the client is not known";
            let back = error_location(server, uri, params.get("state"), "unauthorized_client", about);
            return answer::redirect(status, &back);
        }
        return pages::error("The application that sent you here is not known.");
    };
    let Some(redirect_uri) = redirect_target(server, &client, params) else {
        return pages::error("The return address of the request is not registered.");
    };
    let state = params.get("state").map(str::to_owned);
    if server.flawed(Flaw::Authorize500) && params.get("code_challenge_method") == Some("plain") {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    match judge(server, &client, redirect_uri.clone(), params) {
        Ok(request) => signin::begin(server, headers, request, status),
        Err(Objection(error, about)) => {
            let back = error_location(server, &redirect_uri, state.as_deref(), error, about);
            answer::redirect(status, &back)
        }
    }
}

/// Where answers go: the URI asked for, if it matches, or the only one there is.
fn redirect_target(server: &Server, client: &Client, params: &Params) -> Option<String> {
    let registered = &client.redirect_uris;
    match params.get("redirect_uri") {
        Some(asked) if server.flawed(Flaw::ChatgptRedirectUnusable) && redirect_uri::host(asked) == "chatgpt.com" => {
            None
        }
        Some(asked) => {
            registered.iter().any(|known| redirect_uri::matches(known, asked, server.flaws)).then(|| asked.to_owned())
        }
        None if registered.len() == 1 => Some(registered[0].clone()),
        None => None,
    }
}

fn judge(
    server: &Server,
    client: &Client,
    redirect_uri: String,
    params: &Params,
) -> Result<AuthorizationRequest, Objection> {
    if server.flawed(Flaw::UnknownParameterRefused) && params.names().any(|name| !KNOWN.contains(&name)) {
        return Err(Objection("invalid_request", "a parameter is not known"));
    }
    if params.get("request").is_some() {
        return Err(Objection("request_not_supported", "request objects are not supported"));
    }
    // Never fetched: an address that a stranger chose would be called from inside.
    if params.get("request_uri").is_some() {
        return Err(Objection("request_uri_not_supported", "request_uri is not supported"));
    }
    let implicit = match params.get("response_type") {
        None => return Err(Objection("invalid_request", "response_type is missing")),
        Some("code") => false,
        Some("token" | "id_token token" | "token id_token") if server.flawed(Flaw::ImplicitAlive) => true,
        Some(_) => {
            return Err(Objection("unsupported_response_type", "the only response type is code"));
        }
    };
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Objection("invalid_request", "the only response mode is query"));
    }
    let challenge = if implicit { None } else { challenge(server, client, params)? };
    let scope = scope(server, client, params)?;
    let (audience, resource) = audience(server, params)?;
    let prompt = words(params.get("prompt").unwrap_or_default());
    if prompt.len() > 1 && prompt.iter().any(|p| p == "none") {
        return Err(Objection("invalid_request", "prompt=none stands alone"));
    }
    let max_age = match params.get("max_age").map(str::parse) {
        None => None,
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return Err(Objection("invalid_request", "max_age is not a number")),
    };
    Ok(AuthorizationRequest {
        client: client.id.clone(),
        redirect_uri,
        state: params.get("state").map(str::to_owned),
        scope,
        audience,
        resource,
        challenge,
        implicit,
        prompt,
        max_age,
        nonce: params.get("nonce").map(str::to_owned),
    })
}

fn challenge(server: &Server, client: &Client, params: &Params) -> Result<Option<Challenge>, Objection> {
    let Some(value) = params.get("code_challenge") else {
        let confidential = client.method != AuthMethod::None && server.flawed(Flaw::PkceForPublicAlone);
        if confidential || server.flawed(Flaw::PkceOptional) {
            return Ok(None);
        }
        return Err(Objection("invalid_request", "code_challenge is missing"));
    };
    match params.get("code_challenge_method") {
        // 43 characters are the 256 bits of a SHA-256 value.
        Some("S256") if value.len() == 43 && value.bytes().all(is_base64url) => {
            Ok(Some(Challenge::S256(value.to_owned())))
        }
        Some("S256") => Err(Objection("invalid_request", "code_challenge is malformed")),
        Some("plain") if server.flawed(Flaw::PlainAccepted) => Ok(Some(Challenge::Plain(value.to_owned()))),
        // Without a method the challenge would be plain (RFC 7636 section 4.3).
        _ => Err(Objection("invalid_request", "the only code_challenge_method is S256, and it must be named")),
    }
}

fn is_base64url(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

fn scope(server: &Server, client: &Client, params: &Params) -> Result<Vec<String>, Objection> {
    let asked = match params.get("scope") {
        None => vec![SCOPES[0].to_owned()],
        Some(text) => words(text),
    };
    let allowed = |scope: &String| {
        let known = SCOPES.contains(&scope.as_str());
        let registered = client.scope.as_ref().is_none_or(|s| s.contains(scope));
        let identity = scope == OPENID;
        (known && registered) || identity || (!known && server.flawed(Flaw::UnknownScopeGranted))
    };
    if server.flawed(Flaw::OpenidRequired) && !asked.iter().any(|scope| scope == OPENID) {
        return Err(Objection("invalid_scope", "openid must be asked for"));
    }
    if asked.is_empty() || !asked.iter().all(|s| is_scope(s) && allowed(s)) {
        return Err(Objection("invalid_scope", "a scope is not known, or not for this client"));
    }
    Ok(asked)
}

/// The characters of RFC 6749 section 3.3.
fn is_scope(scope: &str) -> bool {
    scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// The words of a space-separated list, each once.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        if !words.iter().any(|w| w == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// RFC 8707: one resource of ours, or the MCP endpoint where none is named.
fn audience(server: &Server, params: &Params) -> Result<(String, Resource), Objection> {
    let mut asked = params.all("resource");
    let Some(identifier) = asked.next() else {
        let nobody = server.flawed(Flaw::MissingAudienceAccepted);
        let audience = if nobody { server.base.clone() } else { server.identifier(Resource::Mcp) };
        return Ok((audience, Resource::Mcp));
    };
    if server.flawed(Flaw::ResourceRefused) {
        return Err(Objection("invalid_target", "resources cannot be asked for"));
    }
    if asked.next().is_some() {
        return Err(Objection("invalid_target", "a token is for one resource; ask for each in a request of its own"));
    }
    match server.resource_named(identifier) {
        Some(resource) => Ok((identifier.to_owned(), resource)),
        None if server.flawed(Flaw::UnknownResourceMinted) || server.flawed(Flaw::ForeignAudienceAccepted) => {
            Ok((identifier.to_owned(), Resource::Mcp))
        }
        None => Err(Objection("invalid_target", "the resource is not known")),
    }
}

/// The redirect that hands over a code, or under a fault a token.
pub(super) fn success_location(server: &Server, request: &AuthorizationRequest, user: &str) -> String {
    let mut store = server.store();
    let state = returned_state(server, request.state.as_deref());
    let iss = returned_iss(server, false);
    let token = if request.implicit || server.flawed(Flaw::TokenBesideCode) {
        let grant = store.open_grant(server, &request.client, user);
        let token = store.issue_access(server, grant, &request.scope, &request.audience, false);
        vec![
            ("access_token", token),
            ("token_type", "Bearer".to_owned()),
            ("expires_in", super::store::ACCESS_LIFETIME.to_string()),
        ]
    } else {
        Vec::new()
    };
    if request.implicit {
        let fragment = encode(token.into_iter().chain(state).chain(iss));
        return format!("{}#{fragment}", request.redirect_uri);
    }
    let code = store.issue_code(server, request, user);
    let again = state.clone().filter(|_| server.flawed(Flaw::StateTwice));
    let pairs = [("code", code)].into_iter().chain(state).chain(again).chain(iss);
    let location = with_query(&request.redirect_uri, &encode(pairs));
    if token.is_empty() { location } else { format!("{location}#{}", encode(token.into_iter())) }
}

/// The redirect that reports an error.
pub(super) fn error_location(
    server: &Server,
    redirect_uri: &str,
    state: Option<&str>,
    error: &str,
    about: &str,
) -> String {
    let state = if server.flawed(Flaw::StateLostOnError) { None } else { returned_state(server, state) };
    let pairs = [("error", error.to_owned()), ("error_description", about.to_owned())];
    let rest = state.into_iter().chain(returned_iss(server, true));
    with_query(redirect_uri, &encode(pairs.into_iter().chain(rest)))
}

fn returned_state(server: &Server, state: Option<&str>) -> Option<(&'static str, String)> {
    let state = state?;
    let state = if server.flawed(Flaw::StateTruncated) {
        state.chars().take(128).collect()
    } else if server.flawed(Flaw::StateMangled) {
        form_urlencoded::parse(format!("x={}", state.replace('&', "%26")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    } else {
        state.to_owned()
    };
    Some(("state", state))
}

fn returned_iss(server: &Server, error: bool) -> Option<(&'static str, String)> {
    let left_out = server.flawed(Flaw::IssMissing) || (error && server.flawed(Flaw::IssMissingOnError));
    let iss = if server.flawed(Flaw::IssWrong) { "https://other-issuer.invalid".to_owned() } else { server.issuer() };
    (!left_out).then_some(("iss", iss))
}

fn encode(pairs: impl Iterator<Item = (&'static str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The registered string stays as it is; a query it already has is kept (RFC 6749 section 3.1.2).
fn with_query(uri: &str, query: &str) -> String {
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{query}")
}
