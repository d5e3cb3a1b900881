//! The shapes of the lab's answers: JSON, OAuth errors, pages and redirects.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An OAuth error answer on its way (RFC 6749 section 5.2).
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) about: String,
}

impl Refusal {
    pub(super) fn new(error: &'static str, about: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, about: about.into() }
    }

    pub(super) fn invalid_request(about: impl Into<String>) -> Self {
        Self::new("invalid_request", about)
    }

    pub(super) fn invalid_grant(about: impl Into<String>) -> Self {
        Self::new("invalid_grant", about)
    }

    pub(super) fn invalid_client() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            about: "client authentication failed".to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let response = json_no_store(self.status, &json!({ "error": self.error, "error_description": self.about }));
        // RFC 9110 section 15.5.2 wants a challenge with every 401; Basic is what the lab would take.
        if self.error == "invalid_client" {
            with(response, header::WWW_AUTHENTICATE, "Basic realm=\"lab\", charset=\"UTF-8\"")
        } else {
            response
        }
    }
}

/// A body of the given type.
pub(super) fn typed(status: StatusCode, media_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    with(response, header::CONTENT_TYPE, media_type)
}

/// The same response with one header more; a value that no header can hold is left out.
pub(super) fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    typed(status, "application/json", value.to_string())
}

pub(super) fn json_no_store(status: StatusCode, value: &Value) -> Response {
    with(json(status, value), header::CACHE_CONTROL, "no-store")
}

/// An HTML page. Nothing is loaded, nothing frames it, and the address in the bar is told to nobody. There is no
/// `form-action`, which in some browsers would also hold up the redirect to the client.
pub(super) fn page(status: StatusCode, body: String, script_nonce: Option<&str>) -> Response {
    let script = script_nonce.map_or_else(String::new, |n| format!("script-src 'nonce-{n}'; "));
    let policy = format!("default-src 'none'; {script}base-uri 'none'; frame-ancestors 'none'");
    guarded(with(typed(status, "text/html; charset=utf-8", body), header::CONTENT_SECURITY_POLICY, &policy))
}

/// A redirect; to be used with 303 after a POST, so that no credentials travel on.
pub(super) fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    guarded(with(response, header::LOCATION, location))
}

fn guarded(response: Response) -> Response {
    let response = with(response, header::X_FRAME_OPTIONS, "DENY");
    let response = with(response, header::CACHE_CONTROL, "no-store");
    let response = with(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    with(response, header::REFERRER_POLICY, "no-referrer")
}
