//! A server of a few lines for the tests of walker and agent: answers by a closure and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::Request as Asked;
use axum::response::Response;

use crate::oauth::pkce::Verifier;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::request::tests::client;
use crate::wire::{Guard, Wire, WireOptions};

/// What the server was asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) cookie: String,
    pub(super) referer: String,
    pub(super) origin: String,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn line(&self) -> String {
        [self.method.as_str(), &self.path, &self.body].join(" ").trim().to_owned()
    }
}

/// A server under way, and a wire that may go there.
pub(super) struct Small {
    pub(super) base: String,
    pub(super) wire: Wire,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Small {
    pub(super) async fn serve(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::clone(&seen);
        let handler = move |asked: Asked| {
            let (answer, log) = (answer.clone(), Arc::clone(&log));
            async move {
                let (parts, body) = asked.into_parts();
                let header =
                    |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
                let seen = Seen {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    cookie: header("cookie"),
                    referer: header("referer"),
                    origin: header("origin"),
                    body: String::from_utf8(to_bytes(body, 1 << 16).await.unwrap().to_vec()).unwrap(),
                };
                log.lock().unwrap().push(seen.clone());
                answer(&seen)
            }
        };
        let app = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let wire = Wire::open(WireOptions { guard: Guard::default().naming(&base), ..WireOptions::default() }).unwrap();
        Self { base, wire, seen }
    }

    pub(super) fn request(&self) -> AuthorizationRequest {
        let pairs = [("response_type", "code"), ("client_id", "client-a"), ("state", "OURSTATE")];
        AuthorizationRequest {
            what: "ordinary".into(),
            client: Arc::new(client()),
            endpoint: format!("{}/authorize", self.base),
            parameters: pairs.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            verifier: Verifier::random(),
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }
}

pub(super) fn page(status: u16, html: impl Into<String>) -> Response {
    typed(status, "text/html; charset=utf-8", html)
}

pub(super) fn typed(status: u16, kind: &str, body: impl Into<String>) -> Response {
    Response::builder().status(status).header("content-type", kind).body(Body::from(body.into())).unwrap()
}

pub(super) fn redirect(status: u16, to: &str) -> Response {
    Response::builder().status(status).header("location", to).body(Body::empty()).unwrap()
}

pub(super) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    response.headers_mut().append(name, value.parse().unwrap());
    response
}
