//! Signing in and consenting: from a judged authorization request to the redirect that answers it.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::answer::{redirect, with};
use super::authorize::{AuthorizationRequest, error_location, success_location};
use super::client::same_secret;
use super::faults::Flaw;
use super::form::{self, Params};
use super::pages::{self, Fields};
use super::quirks::Twist;
use super::scripted;
use super::server::Server;
use super::store::{Session, Store, Transaction, USERS, random};

const BROWSER: &str = "lab_browser";
const SESSION: &str = "lab_session";
/// So many authorizations does a session answer under the quirk that ends it.
const SESSION_ANSWERS: u32 = 8;
/// So many wrong passwords make the login another page under the quirk.
const WARY_AFTER: usize = 3;

/// Answers a sound authorization request: at once, or with the page it takes.
pub(super) fn begin(
    server: &Server,
    headers: &HeaderMap,
    request: AuthorizationRequest,
    status: StatusCode,
) -> Response {
    if server.auto_consent {
        return redirect(status, &success_location(server, &request, USERS[0].0));
    }
    let mut store = server.store();
    let prompt = |word: &str| request.prompt.iter().any(|p| p == word);
    let asks_consent = prompt("consent") || server.twisted(Twist::ConsentEveryTime);
    let user = session_user(server, &mut store, headers, &request);
    let consented = user.as_ref().is_some_and(|user| !asks_consent && has_consent(&store, &request, user));
    if prompt("none") && !consented {
        let (error, about) = match user {
            None => ("login_required", "nobody is signed in"),
            Some(_) => ("consent_required", "the user has not agreed to this yet"),
        };
        let state = request.state.as_deref();
        let back = error_location(server, &request.redirect_uri, state, error, about);
        return redirect(status, &back);
    }
    if let (Some(user), true) = (&user, consented) {
        drop(store);
        let nth = server.silent.fetch_add(1, Ordering::Relaxed) + 1;
        if server.twisted(Twist::Stumbles) && nth.is_multiple_of(12) {
            return pages::try_again();
        }
        return redirect(status, &success_location(server, &request, user));
    }
    let (browser, fresh) = match cookie(headers, BROWSER) {
        Some(browser) => (browser.to_owned(), false),
        None => (store.secret(), true),
    };
    let id = random();
    let transaction = Transaction {
        request,
        browser: browser.clone(),
        csrf: random(),
        user: user.clone(),
        typed: None,
        proven: None,
    };
    let response = match user {
        Some(user) => consent_response(&store, &id, &transaction, &user),
        None => login_page(server, &id, &transaction, false),
    };
    store.transactions.insert(id, transaction);
    if fresh { set_cookie(server, response, BROWSER, &browser) } else { response }
}

/// Who is signed in, as far as this request may rely on it.
fn session_user(
    server: &Server,
    store: &mut Store,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
) -> Option<String> {
    let step_up = !server.flawed(Flaw::SessionAnswersStepUp);
    if server.twisted(Twist::SessionForgotten) || (step_up && request.prompt.iter().any(|p| p == "login")) {
        return None;
    }
    let session = store.sessions.get_mut(cookie(headers, SESSION)?)?;
    session.answered += 1;
    if server.twisted(Twist::SessionEnds) && session.answered > SESSION_ANSWERS {
        return None;
    }
    let age = server.now().saturating_sub(session.since);
    // An age of zero seconds asks for a login now, however lately there was one.
    let too_old = request.max_age.is_some_and(|limit| limit == 0 || age.as_secs() > limit);
    (!too_old || !step_up).then(|| session.user.clone())
}

/// Consent is remembered for a user, a client and the scopes agreed to; fewer need no new question.
fn has_consent(store: &Store, request: &AuthorizationRequest, user: &str) -> bool {
    store
        .consents
        .get(&(user.to_owned(), request.client.clone()))
        .is_some_and(|agreed| request.scope.iter().all(|scope| agreed.contains(scope)))
}

fn first_fields(server: &Server) -> Fields {
    if server.twisted(Twist::TwoStepLogin) { Fields::Username } else { Fields::Both }
}

fn login_page(server: &Server, id: &str, transaction: &Transaction, failed: bool) -> Response {
    if is_wary(server) {
        return pages::wary_login(id, transaction, failed);
    }
    if server.twisted(Twist::ScriptedLogin) {
        return scripted::login(id, transaction, failed);
    }
    pages::login(id, transaction, first_fields(server), failed)
}

/// Whether the login has become another one.
fn is_wary(server: &Server) -> bool {
    server.twisted(Twist::WaryLogin) && server.wrong.load(Ordering::Relaxed) >= WARY_AFTER
}

pub(super) async fn login(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let params = match form::read(&parts.headers, body).await {
        Ok(params) => params,
        Err(refusal) => return pages::error(&refusal.about),
    };
    let mut store = server.store();
    let Some((id, transaction)) = posted(&mut store, &parts.headers, &params) else {
        return stale();
    };
    if let Some(name) = transaction.proven.clone() {
        let right = store.takes_code(params.get("code").unwrap_or_default(), server.now());
        let Some((id, transaction)) = posted(&mut store, &parts.headers, &params) else { return stale() };
        if !right {
            return pages::one_time_code(&id, transaction, true);
        }
        transaction.proven = None;
        return signed_in(&server, store, &id, &name);
    }
    let two_steps = server.twisted(Twist::TwoStepLogin);
    if two_steps && params.get("password").is_none() && params.get("username").is_some() {
        transaction.typed = params.get("username").map(str::to_owned);
        return pages::login(&id, transaction, Fields::Password, false);
    }
    let wary = is_wary(&server);
    let (name_field, password_field) = if wary { pages::WARY_FIELDS } else { ("username", "password") };
    let name = match &transaction.typed {
        Some(name) if two_steps => name.clone(),
        _ => params.get(name_field).unwrap_or_default().to_owned(),
    };
    let password = params.get(password_field).unwrap_or_default();
    let person = !wary || params.get("challenge").is_some_and(|answer| answer.trim() == pages::WARY_ANSWER);
    let right = person && USERS.iter().any(|(user, known)| *user == name && same_secret(known, password));
    if !right {
        server.wrong.fetch_add(1, Ordering::Relaxed);
        transaction.typed = None;
        return login_page(&server, &id, transaction, true);
    }
    server.wrong.store(0, Ordering::Relaxed);
    if server.twisted(Twist::AsksForCode) {
        transaction.proven = Some(name);
        return pages::one_time_code(&id, transaction, false);
    }
    signed_in(&server, store, &id, &name)
}

/// Begins a session, and goes on with the request.
fn signed_in(server: &Server, mut store: MutexGuard<'_, Store>, id: &str, name: &str) -> Response {
    let Some(transaction) = store.transactions.get_mut(id) else { return stale() };
    server.logins.fetch_add(1, Ordering::Relaxed);
    transaction.user = Some(name.to_owned());
    transaction.csrf = random();
    let request = transaction.request.clone();
    let asks_again = request.prompt.iter().any(|p| p == "consent");
    let hands_on = server.twisted(Twist::Login307) && !asks_again;
    if hands_on {
        agree(&mut store, &request, name);
    }
    let consented = !asks_again && has_consent(&store, &request, name);
    // A new value at each login: one planted before it is worth nothing after it.
    let session = store.secret();
    store.sessions.insert(session.clone(), Session { user: name.to_owned(), since: server.now(), answered: 0 });
    let location = if consented {
        store.transactions.remove(id);
        drop(store);
        success_location(server, &request, name)
    } else {
        format!("/consent?transaction={id}")
    };
    let status = if hands_on { StatusCode::TEMPORARY_REDIRECT } else { StatusCode::SEE_OTHER };
    set_cookie(server, redirect(status, &location), SESSION, &session)
}

/// Remembers what was agreed to.
fn agree(store: &mut Store, request: &AuthorizationRequest, user: &str) {
    let key = (user.to_owned(), request.client.clone());
    let agreed: &mut BTreeSet<String> = store.consents.entry(key).or_default();
    agreed.extend(request.scope.iter().cloned());
}

pub(super) async fn consent_page(State(server): State<Arc<Server>>, request: Request) -> Response {
    let store = server.store();
    let raw = request.uri().query().unwrap_or_default();
    let id = Params::parse(raw.as_bytes())
        .ok()
        .and_then(|params| params.get("transaction").map(str::to_owned))
        .unwrap_or_default();
    let headers = request.headers();
    match store.transactions.get(&id) {
        Some(transaction) if is_same_person(&store, headers, transaction) => {
            let user = transaction.user.clone().unwrap_or_default();
            consent_response(&store, &id, transaction, &user)
        }
        _ => stale(),
    }
}

pub(super) async fn consent(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let params = match form::read(&parts.headers, body).await {
        Ok(params) => params,
        Err(refusal) => return pages::error(&refusal.about),
    };
    let (request, user, allowed) = {
        let mut store = server.store();
        let Some((id, _)) = posted(&mut store, &parts.headers, &params) else {
            return stale();
        };
        if !is_same_person(&store, &parts.headers, &store.transactions[&id]) {
            return stale();
        }
        let allowed = match params.get("decision") {
            Some("allow") => true,
            Some("deny") => false,
            _ => return pages::error("The form says neither yes nor no."),
        };
        let Some(Transaction { request, user: Some(user), .. }) = store.transactions.remove(&id) else {
            return stale();
        };
        if allowed {
            agree(&mut store, &request, &user);
        }
        (request, user, allowed)
    };
    let location = if allowed {
        success_location(&server, &request, &user)
    } else {
        let state = request.state.as_deref();
        let about = "the user said no";
        let error = if server.flawed(Flaw::DenialMisnamed) { "server_error" } else { "access_denied" };
        error_location(&server, &request.redirect_uri, state, error, about)
    };
    if server.twisted(Twist::MetaRefresh) {
        pages::meta_refresh(&location)
    } else if server.twisted(Twist::SelfSubmitting) {
        pages::self_submitting(&location)
    } else {
        redirect(StatusCode::SEE_OTHER, &location)
    }
}

fn consent_response(store: &Store, id: &str, transaction: &Transaction, user: &str) -> Response {
    match store.clients.get(&transaction.request.client) {
        Some(client) => pages::consent(id, transaction, &client.name, user),
        None => pages::error("The application that sent you here was removed."),
    }
}

/// The transaction that a form belongs to: begun in this browser, and the form came from its own page.
fn posted<'a>(store: &'a mut Store, headers: &HeaderMap, params: &Params) -> Option<(String, &'a mut Transaction)> {
    let id = params.get("transaction")?;
    let transaction = store.transactions.get_mut(id)?;
    let browser = cookie(headers, BROWSER)?;
    (same_secret(&transaction.browser, browser) && same_secret(&transaction.csrf, params.get("csrf")?))
        .then(|| (id.to_owned(), transaction))
}

/// Whether the browser that began the transaction still has the session of who signed in.
fn is_same_person(store: &Store, headers: &HeaderMap, transaction: &Transaction) -> bool {
    let user = cookie(headers, SESSION).and_then(|id| store.sessions.get(id)).map(|session| &session.user);
    let browser = cookie(headers, BROWSER);
    transaction.user.is_some()
        && transaction.user.as_ref() == user
        && browser.is_some_and(|b| same_secret(&transaction.browser, b))
}

fn stale() -> Response {
    pages::error("This page is out of date. Go back to the application and start again.")
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, v)| *n == name && !v.is_empty())
        .map(|(_, value)| value)
}

/// `Secure` over TLS alone: not every client takes such a cookie from plain http on loopback.
fn set_cookie(server: &Server, response: Response, name: &str, value: &str) -> Response {
    let secure = if server.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}");
    with(response, header::SET_COOKIE, &cookie)
}
