//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::answer::{Refusal, json as typed_json, json_no_store, with};
use super::authorize::words;
use super::client::{AuthMethod, Client, same_secret};
use super::faults::Flaw;
use super::form;
use super::openid::OPENID;
use super::quirks::Twist;
use super::redirect_uri;
use super::server::{SCOPES, Server};
use super::store::{Store, random};

/// What a client says about itself, checked.
struct Wish {
    redirect_uris: Vec<String>,
    method: AuthMethod,
    name: Option<String>,
    scope: Option<Vec<String>>,
    refreshes: bool,
    echo: Map<String, Value>,
}

pub(super) async fn register(State(server): State<Arc<Server>>, request: Request) -> Response {
    let wish = match wish(&server, request).await {
        Ok((wish, _)) => wish,
        Err(refusal) => return refusal.into_response(),
    };
    let mut store = server.store();
    let mut client = Client {
        // Chosen here: a client that picked its own could pose as a user (RFC 9700 section 4.15).
        id: format!("client-{}", random()),
        secret: None,
        method: AuthMethod::None,
        redirect_uris: Vec::new(),
        name: String::new(),
        scope: None,
        refreshes: true,
        metadata: Map::new(),
        registration_token: Some(store.secret()),
        issued_at: server.now().as_secs(),
        failures: 0,
    };
    apply(&mut store, &mut client, wish);
    let mut answer = description(&server, &client);
    if server.flawed(Flaw::RegistrationWithoutEcho)
        && let Some(members) = answer.as_object_mut()
    {
        members.shift_remove("redirect_uris");
    }
    store.clients.insert(client.id.clone(), client);
    let status = if server.flawed(Flaw::Registration200) { StatusCode::OK } else { StatusCode::CREATED };
    match server.flawed(Flaw::RegistrationCacheable) {
        true => typed_json(status, &answer),
        false => json_no_store(status, &answer),
    }
}

pub(super) async fn read(State(server): State<Arc<Server>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match managed(&server.store(), &id, &headers) {
        Some(client) => json_no_store(StatusCode::OK, &description(&server, &client)),
        None => unauthorized(),
    }
}

pub(super) async fn replace(State(server): State<Arc<Server>>, Path(id): Path<String>, request: Request) -> Response {
    // Before the body is looked at: a stranger learns nothing from its errors.
    let Some(mut client) = managed(&server.store(), &id, request.headers()) else {
        return unauthorized();
    };
    let (wish, sent) = match wish(&server, request).await {
        Ok(parts) => parts,
        Err(refusal) => return refusal.into_response(),
    };
    let forbidden =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    let foreign_secret = sent.get("client_secret").is_some_and(|s| s.as_str() != client.secret.as_deref());
    if sent.get("client_id").and_then(Value::as_str) != Some(&client.id)
        || foreign_secret
        || forbidden.iter().any(|member| sent.contains_key(*member))
    {
        return invalid_metadata("the update does not follow RFC 7592 section 2.2").into_response();
    }
    let mut store = server.store();
    if !store.clients.contains_key(&id) {
        // Deleted while the body was read.
        return unauthorized();
    }
    apply(&mut store, &mut client, wish);
    let answer = description(&server, &client);
    store.clients.insert(id, client);
    json_no_store(StatusCode::OK, &answer)
}

pub(super) async fn delete(State(server): State<Arc<Server>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let mut store = server.store();
    let Some(client) = managed(&store, &id, &headers) else {
        return unauthorized();
    };
    store.clients.remove(&client.id);
    for grant in store.grants.iter_mut().filter(|g| g.client == client.id) {
        grant.revoked = true;
    }
    let response = StatusCode::NO_CONTENT.into_response();
    with(response, header::CACHE_CONTROL, "no-store")
}

/// The client whose own registration access token the request carries.
fn managed(store: &Store, id: &str, headers: &HeaderMap) -> Option<Client> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let client = store.clients.get(id)?;
    let known = client.registration_token.as_deref()?;
    (scheme.eq_ignore_ascii_case("bearer") && same_secret(known, token.trim())).then(|| client.clone())
}

/// The same for a wrong token and for a client that is not there (RFC 7592 section 2.1).
fn unauthorized() -> Response {
    let body = json!({ "error": "invalid_token" });
    let response = json_no_store(StatusCode::UNAUTHORIZED, &body);
    with(response, header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
}

fn apply(store: &mut Store, client: &mut Client, wish: Wish) {
    client.secret = match wish.method {
        AuthMethod::None => None,
        _ => client.secret.take().or_else(|| Some(store.secret())),
    };
    client.method = wish.method;
    client.redirect_uris = wish.redirect_uris;
    client.name = wish.name.unwrap_or_else(|| client.id.clone());
    client.scope = wish.scope;
    client.refreshes = wish.refreshes;
    client.metadata = wish.echo;
}

/// The client information response (RFC 7591 section 3.2.1).
fn description(server: &Server, client: &Client) -> Value {
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": client.issued_at,
        "registration_client_uri": format!("{}/register/{}", server.base, client.id),
        "registration_access_token": client.registration_token,
    });
    if server.flawed(Flaw::TokenInClientUri) {
        let token = client.registration_token.as_deref().unwrap_or_default();
        let uri = format!("{}/register/{}?registration_access_token={token}", server.base, client.id);
        answer["registration_client_uri"] = json!(uri);
    }
    if let Some(secret) = &client.secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    for (member, value) in &client.metadata {
        answer[member] = value.clone();
    }
    answer
}

fn invalid_metadata(about: impl Into<String>) -> Refusal {
    Refusal::new("invalid_client_metadata", about)
}

/// Reads what a client wishes, and the object as it was sent. Members that are not known are ignored and not echoed.
async fn wish(server: &Server, request: Request) -> Result<(Wish, Map<String, Value>), Refusal> {
    let (parts, body) = request.into_parts();
    if form::media_type(&parts.headers) != "application/json" {
        return Err(invalid_metadata("the body must be application/json"));
    }
    let sent: Map<String, Value> = serde_json::from_slice(&form::bytes(body).await?)
        .map_err(|_| invalid_metadata("the body is not a JSON object"))?;
    let mut echo = Map::new();
    let redirect_uris = redirect_uris(server, &sent)?;
    echo.insert("redirect_uris".to_owned(), json!(redirect_uris));
    let grants = choice(
        &sent,
        "grant_types",
        &["authorization_code", "refresh_token"],
        &["authorization_code", "refresh_token"],
    )?;
    if !grants.iter().any(|grant| grant == "authorization_code") {
        return Err(invalid_metadata("grant_types lacks authorization_code"));
    }
    let responses = choice(&sent, "response_types", &["code"], &["code"])?;
    let method = match text(&sent, "token_endpoint_auth_method")? {
        None => AuthMethod::Basic,
        Some(name) => AuthMethod::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| invalid_metadata("token_endpoint_auth_method is not supported"))?,
    };
    let method = match method {
        AuthMethod::None if server.twisted(Twist::SecretUnasked) => AuthMethod::Basic,
        asked => asked,
    };
    let kind = text(&sent, "application_type")?.unwrap_or("web");
    if !["web", "native"].contains(&kind) {
        return Err(invalid_metadata("application_type is not supported"));
    }
    if server.twisted(Twist::RegistrationPicky) && kind != "native" {
        return Err(Refusal::new("invalid_redirect_uri", "only native clients can be registered"));
    }
    let scope = text(&sent, "scope")?.map(|asked| {
        let known = |scope: &String| SCOPES.contains(&scope.as_str()) || scope == OPENID;
        words(asked).into_iter().filter(known).collect::<Vec<_>>()
    });
    echo.insert("grant_types".to_owned(), json!(grants));
    echo.insert("response_types".to_owned(), json!(responses));
    echo.insert("token_endpoint_auth_method".to_owned(), json!(method.name()));
    echo.insert("application_type".to_owned(), json!(kind));
    if let Some(scope) = &scope {
        echo.insert("scope".to_owned(), json!(scope.join(" ")));
    }
    for member in ["client_name", "software_id", "software_version"] {
        if let Some(value) = text(&sent, member)? {
            echo.insert(member.to_owned(), json!(value));
        }
    }
    // Shown to nobody and fetched by nobody, but a script in one of them must not even be stored.
    for member in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        if let Some(value) = text(&sent, member)? {
            if !value.starts_with("https://") && !value.starts_with("http://") {
                return Err(invalid_metadata(format!("{member} is not a web address")));
            }
            echo.insert(member.to_owned(), json!(value));
        }
    }
    let wish = Wish {
        redirect_uris,
        method,
        name: text(&sent, "client_name")?.map(str::to_owned),
        scope,
        refreshes: grants.iter().any(|grant| grant == "refresh_token"),
        echo,
    };
    Ok((wish, sent))
}

fn redirect_uris(server: &Server, sent: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let refused = |about: String| Refusal::new("invalid_redirect_uri", about);
    let uris = list(sent, "redirect_uris")
        .map_err(|_| refused("redirect_uris is not a list of strings".to_owned()))?
        .filter(|uris| !uris.is_empty())
        .ok_or_else(|| refused("redirect_uris is missing or empty".to_owned()))?;
    for (place, uri) in uris.iter().enumerate() {
        let picky = server.twisted(Twist::RegistrationPicky) && uri.starts_with("https:");
        let chatgpt = server.flawed(Flaw::ChatgptRedirectRefused) && redirect_uri::host(uri) == "chatgpt.com";
        let private = server.twisted(Twist::PrivateScheme) && redirect_uri::is_private(uri);
        let objection = redirect_uri::objection(uri)
            .filter(|_| !private)
            .or_else(|| chatgpt.then_some("its host is not allowed"))
            .or_else(|| picky.then_some("native clients come back to loopback"));
        if let Some(why) = objection {
            return Err(refused(format!("redirect URI {}: {why}", place + 1)));
        }
    }
    Ok(uris)
}

/// A list whose entries are all among `known`; `default` where it is left out.
fn choice(sent: &Map<String, Value>, member: &str, known: &[&str], default: &[&str]) -> Result<Vec<String>, Refusal> {
    match list(sent, member)? {
        None => Ok(default.iter().map(|&d| d.to_owned()).collect()),
        Some(asked) if asked.iter().all(|a| known.contains(&a.as_str())) => Ok(asked),
        Some(_) => Err(invalid_metadata(format!("{member} has an entry that is not supported"))),
    }
}

fn list(sent: &Map<String, Value>, member: &str) -> Result<Option<Vec<String>>, Refusal> {
    sent.get(member)
        .map(|value| serde_json::from_value(value.clone()))
        .transpose()
        .map_err(|_| invalid_metadata(format!("{member} is not a list of strings")))
}

fn text<'a>(sent: &'a Map<String, Value>, member: &str) -> Result<Option<&'a str>, Refusal> {
    match sent.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid_metadata(format!("{member} is not a string"))),
    }
}
