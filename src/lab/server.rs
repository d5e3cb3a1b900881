//! What all endpoints of the lab share: its address, switches, signing key and state, and the routes to them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;

use super::answer::{typed, with};
use super::assertion::{Assertions, NoKey};
use super::faults::{Flaw, Flaws};
use super::jwt::Key;
use super::log::Log;
use super::quirks::{Twist, Twists};
use super::store::Store;
use super::{authorize, client, forgeable, headers, mcp, metadata, registration, resource, revocation, signin, token};

/// The scopes there are.
pub(super) const SCOPES: [&str; 2] = ["notes:read", "notes:write"];

/// The protected resources of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Mcp,
    Notes,
}

impl Resource {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Mcp => "/mcp",
            Self::Notes => "/api/notes",
        }
    }
}

/// The state behind every handler.
pub(super) struct Server {
    /// Scheme, host and port, without a slash at the end.
    pub(super) base: String,
    pub(super) flaws: Flaws,
    pub(super) twists: Twists,
    pub(super) opaque: bool,
    pub(super) auto_consent: bool,
    /// Seconds that an access token lives.
    pub(super) access_seconds: u64,
    pub(super) code_lifetime: Duration,
    pub(super) key: Key,
    latency: Duration,
    log: Option<Log>,
    store: Mutex<Store>,
    pub(super) requests: AtomicUsize,
    pub(super) logins: AtomicUsize,
    /// Wrong passwords since the last right one.
    pub(super) wrong: AtomicUsize,
    pub(super) token_requests: AtomicUsize,
    /// Authorizations that the session answered.
    pub(super) silent: AtomicUsize,
    started: tokio::time::Instant,
    epoch: Duration,
}

/// The switches of one lab, checked.
pub(super) struct Settings {
    pub(super) flaws: Flaws,
    pub(super) twists: Twists,
    pub(super) latency: Duration,
    pub(super) log: Option<Log>,
    pub(super) opaque: bool,
    pub(super) auto_consent: bool,
    pub(super) access_seconds: u64,
    pub(super) code_lifetime: Duration,
    pub(super) client_jwks: Option<serde_json::Value>,
}

impl Server {
    pub(super) fn new(base: String, mut settings: Settings) -> Result<Arc<Self>, NoKey> {
        if settings.flaws.has(Flaw::LongLivedToken) {
            settings.access_seconds = 2 * 24 * 3600;
        }
        settings.opaque |= settings.flaws.has(Flaw::PredictableToken);
        let mut store = Store::new();
        if settings.twists.has(Twist::MetadataDocuments) {
            let client = client::by_document();
            store.clients.insert(client.id.clone(), client);
        }
        if let Some(set) = &settings.client_jwks {
            store.assertions = Some(Assertions::of(base.clone(), set)?);
            let client = client::by_signature();
            store.clients.insert(client.id.clone(), client);
        }
        Ok(Arc::new(Self {
            base,
            flaws: settings.flaws,
            twists: settings.twists,
            opaque: settings.opaque,
            auto_consent: settings.auto_consent,
            access_seconds: settings.access_seconds,
            code_lifetime: settings.code_lifetime,
            key: Key::generate(),
            latency: settings.latency,
            log: settings.log,
            store: Mutex::new(store),
            requests: AtomicUsize::new(0),
            logins: AtomicUsize::new(0),
            wrong: AtomicUsize::new(0),
            token_requests: AtomicUsize::new(0),
            silent: AtomicUsize::new(0),
            started: tokio::time::Instant::now(),
            epoch: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }))
    }

    /// Whether it is served over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.base.starts_with("https:")
    }

    pub(super) fn flawed(&self, flaw: Flaw) -> bool {
        self.flaws.has(flaw)
    }

    pub(super) fn twisted(&self, twist: Twist) -> bool {
        self.twists.has(twist)
    }

    /// Whether `openid` may be asked for. The faults of OpenID Connect come with it.
    pub(super) fn speaks_openid(&self) -> bool {
        self.twisted(Twist::OpenId) || self.flawed(Flaw::SessionAnswersStepUp) || self.flawed(Flaw::OpenidRequired)
    }

    /// The state; held for the length of one decision, so that two requests at one instant cannot both win.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the Unix epoch by tokio's clock, which tests can pause and advance.
    pub(super) fn now(&self) -> Duration {
        self.epoch + self.started.elapsed()
    }

    /// The name the authorization server calls itself by.
    pub(super) fn issuer(&self) -> String {
        if self.flawed(Flaw::IssuerMismatch) { format!("{}/", self.base) } else { self.base.clone() }
    }

    /// The identifier that the metadata of a resource states.
    pub(super) fn identifier(&self, resource: Resource) -> String {
        let slash = if self.flawed(Flaw::ResourceMismatch) { "/" } else { "" };
        format!("{}{}{slash}", self.base, resource.path())
    }

    /// The resource that a `resource` parameter or an audience names.
    pub(super) fn resource_named(&self, identifier: &str) -> Option<Resource> {
        [Resource::Mcp, Resource::Notes]
            .into_iter()
            .find(|&r| identifier == self.identifier(r) || identifier.strip_prefix(&self.base) == Some(r.path()))
    }

    /// The claims of a signed token whose signature and issuer are the lab's.
    pub(super) fn own_claims(&self, token: &str) -> Option<Value> {
        if let Some(claims) = forgeable::claims(self, token) {
            return Some(claims);
        }
        let claims = self.key.verify(token)?;
        (claims["iss"] == self.issuer().as_str()).then_some(claims)
    }

    /// The name under which the store knows an access token: its `jti`, or the opaque token itself.
    pub(super) fn access_handle(&self, token: &str) -> Option<String> {
        if self.opaque {
            return Some(token.to_owned());
        }
        self.own_claims(token)?["jti"].as_str().map(str::to_owned)
    }
}

/// The routes of one origin.
pub(super) fn router(server: &Arc<Server>) -> Router {
    let mut routes = Router::new()
        .route("/.well-known/oauth-protected-resource/mcp", get(metadata::mcp_resource))
        .route("/.well-known/oauth-protected-resource/api/notes", get(metadata::notes_resource))
        .route("/.well-known/oauth-authorization-server", get(metadata::authorization_server))
        .route("/jwks", get(metadata::jwks))
        .route("/authorize", get(authorize::by_get).post(authorize::by_post))
        .route("/login", post(signin::login))
        .route("/consent", get(signin::consent_page).post(signin::consent))
        .route("/token", post(token::token))
        .route("/revoke", post(revocation::revoke))
        .route("/introspect", post(revocation::introspect))
        .route("/api/notes", get(resource::read_notes).post(resource::write_note))
        .route("/mcp", get(mcp::by_get).post(mcp::by_post).delete(mcp::by_delete));
    if !server.twisted(Twist::NoRegistration) {
        routes = routes.route("/register", post(registration::register)).route(
            "/register/{client}",
            get(registration::read).put(registration::replace).delete(registration::delete),
        );
    }
    routes.fallback(unknown_path).layer(from_fn_with_state(server.clone(), count_and_delay)).with_state(server.clone())
}

async fn unknown_path(State(server): State<Arc<Server>>) -> Response {
    if server.twisted(Twist::CatchAllHtml) {
        let body = "<!doctype html><title>Notes</title><p>Welcome to Notes.</p>";
        typed(StatusCode::OK, "text/html; charset=utf-8", body.to_owned())
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

async fn count_and_delay(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    server.requests.fetch_add(1, Ordering::Relaxed);
    let asked = headers::Asked::read(&request);
    let request = match &server.log {
        Some(log) => log.note(&server, request).await,
        None => request,
    };
    let mut response = next.run(request).await;
    headers::finish(&server, &asked, &mut response);
    if server.flawed(Flaw::VersionBanner) {
        response = with(response, header::SERVER, "nginx/1.18.0 (Ubuntu)");
    }
    if !server.latency.is_zero() {
        tokio::time::sleep(server.latency).await;
    }
    response
}
