//! What all answers have in common, whatever made them: the headers that TLS brings, and what the faults do to headers.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

use super::faults::Flaw;
use super::quirks::Twist;
use super::server::Server;

/// Half a minute: browsers keep it for the host, and this host is everybody's.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=30");

/// What of a request decides about the headers of its answer.
pub(super) struct Asked {
    path: String,
    origin: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn read(request: &Request) -> Self {
        Self { path: request.uri().path().to_owned(), origin: request.headers().get(header::ORIGIN).cloned() }
    }
}

/// Adds, and under a fault takes away.
pub(super) fn finish(server: &Server, asked: &Asked, response: &mut Response) {
    let headers = response.headers_mut();
    if server.is_secure() && !server.flawed(Flaw::HstsMissing) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    let of_person = ["/authorize", "/login", "/consent"].contains(&asked.path.as_str());
    if server.twisted(Twist::Coop) && of_person {
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    }
    if server.twisted(Twist::StrictCookie) {
        rewrite(headers, header::SET_COOKIE, |cookie| cookie.replace("SameSite=Lax", "SameSite=Strict"));
    }
    if server.twisted(Twist::FormActionSelf) && of_person {
        rewrite(headers, header::CONTENT_SECURITY_POLICY, |policy| format!("{policy}; form-action 'self'"));
    }
    if server.flawed(Flaw::FramingAllowed) {
        headers.remove(header::X_FRAME_OPTIONS);
        headers.remove(header::CONTENT_SECURITY_POLICY);
    }
    if server.flawed(Flaw::FramingReportOnly) {
        headers.remove(header::X_FRAME_OPTIONS);
        if let Some(policy) = headers.remove(header::CONTENT_SECURITY_POLICY) {
            headers.insert(header::CONTENT_SECURITY_POLICY_REPORT_ONLY, policy);
        }
    }
    if server.flawed(Flaw::ReferrerUnsafe) && headers.contains_key(header::REFERRER_POLICY) {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("unsafe-url"));
    }
    if server.flawed(Flaw::CorsOnAuthorization) && asked.path == "/authorize" {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if server.flawed(Flaw::CorsReflected)
        && ["/token", "/mcp", "/api/notes"].contains(&asked.path.as_str())
        && let Some(origin) = &asked.origin
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// Rewrites every value of a header; one that cannot be written stays.
fn rewrite(headers: &mut HeaderMap, name: HeaderName, change: impl Fn(&str) -> String) {
    let values: Vec<HeaderValue> = headers
        .get_all(&name)
        .iter()
        .map(|value| value.to_str().ok().and_then(|text| change(text).parse().ok()).unwrap_or_else(|| value.clone()))
        .collect();
    headers.remove(&name);
    for value in values {
        headers.append(name.clone(), value);
    }
}
