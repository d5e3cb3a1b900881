//! The HTTP face of the cockpit: its page, its one stream of events, and what it tells back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Shared;
use super::pages::{dressed, escape, filled, is_type, plain, read};
use crate::oauth::pkce::random_text;

const PAGE: &str = include_str!("../cockpit.html");

/// Bytes of what the page tells.
const LARGEST: usize = 4096;

/// A sign of life for a stream on which nothing happens: only what is written shows that nobody reads it any more.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// The cockpit's own addresses hold a random word: other pages of the browser can neither read nor guess it, so none can
/// take the stream over or press a button.
pub(super) async fn answer(shared: &Arc<Shared>, rest: &str, request: Request) -> Response {
    match rest.strip_prefix(shared.word.as_str()) {
        Some("/events") if request.method() == Method::GET => events(shared),
        Some("/report") if request.method() == Method::GET => report(shared),
        Some("/tell") if request.method() == Method::POST => tell(shared, request).await,
        _ => plain(StatusCode::NOT_FOUND, "This address is not served here."),
    }
}

/// The page. Without a script it is a link to the second window.
pub(super) fn page(shared: &Shared) -> Response {
    let nonce = random_text(16);
    let html = filled(PAGE, |name| match name {
        "nonce" => nonce.clone(),
        "word" => escape(&shared.word),
        other => unreachable!("the page asks for {other}"),
    });
    // The report that the page opens at the end is under the same policy, and its bars have their widths from attributes.
    super::pages::html(StatusCode::OK, &nonce, "style-src-attr 'unsafe-inline'; ", html)
}

/// The whole report, for the page to keep: when somebody reads it, nobody listens any more.
fn report(shared: &Shared) -> Response {
    let html = shared.with(|s| s.board.html.clone());
    if html.is_empty() {
        return plain(StatusCode::NOT_FOUND, "There is no report so far.");
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'";
    dressed(StatusCode::OK, "text/html; charset=utf-8", policy, html)
}

async fn tell(shared: &Shared, request: Request) -> Response {
    if !is_type(&request, "application/json") {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON is expected here.");
    }
    let body = match read(request, LARGEST).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let Ok(told) = serde_json::from_slice::<Value>(&body) else {
        return plain(StatusCode::BAD_REQUEST, "This is not JSON.");
    };
    shared.change(|s| s.board.hear_page(&told));
    dressed(StatusCode::OK, "application/json", "default-src 'none'", "{}".into())
}

/// One stream that is open. A browser has six connections to us in all, so older cockpits give theirs back.
struct Watching {
    shared: Arc<Shared>,
    changes: watch::Receiver<()>,
    number: u64,
    seen: u64,
    view: Value,
    over: bool,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.shared.change(|s| s.board.leave());
    }
}

fn events(shared: &Arc<Shared>) -> Response {
    let number = shared.change(|s| s.board.enter());
    let changes = shared.changes.subscribe();
    let watching = Watching { shared: Arc::clone(shared), changes, number, seen: 0, view: Value::Null, over: false };
    let stream = stream::unfold(watching, |mut watching| async move {
        let text = watching.next().await?;
        Some((Ok::<_, Infallible>(text), watching))
    });
    let mut response = dressed(StatusCode::OK, "text/event-stream", "default-src 'none'", String::new());
    *response.body_mut() = Body::from_stream(stream);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    response
}

impl Watching {
    /// What is new, or nothing if the stream is over.
    async fn next(&mut self) -> Option<String> {
        let due = Instant::now() + SIGN_OF_LIFE;
        while !self.over {
            self.changes.borrow_and_update();
            let (newest, view, (lines, seen), over) = self.shared.with(|s| {
                let board = &s.board;
                let over = s.ended || board.is_over();
                (board.is_newest(self.number), board.view(), board.lines_after(self.seen), over)
            });
            self.over = over || !newest;
            if !newest {
                return Some(event("replaced", &json!({})));
            }
            let mut text = String::new();
            if !lines.is_empty() {
                self.seen = seen;
                text.push_str(&event("verdicts", &json!(lines)));
            }
            if view != self.view {
                text.push_str(&event("view", &view));
                self.view = view;
            }
            if !text.is_empty() || self.over {
                return Some(text);
            }
            if timeout_at(due, self.changes.changed()).await.is_err() {
                return Some(":\n\n".into());
            }
        }
        None
    }
}

/// JSON has no line breaks of its own, so one line carries it.
fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
