//! The log of the lab: a line for each request, with names and sizes in place of values.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;

use super::faults::Flaw;
use super::form::{self, Params};
use super::server::Server;

/// Parameters whose values may be known to whoever reads the log.
const PLAIN: [&str; 8] = [
    "grant_type",
    "response_type",
    "code_challenge_method",
    "scope",
    "resource",
    "token_type_hint",
    "error",
    "client_id",
];

/// A file that lines are added to.
pub(super) struct Log(Mutex<File>);

impl Log {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)))
    }

    /// Notes a request and gives it back as it was.
    pub(super) async fn note(&self, server: &Server, request: Request) -> Request {
        let (parts, body) = request.into_parts();
        let Ok(bytes) = form::bytes(body).await else {
            self.write(&format!("{} {} body too large", parts.method, parts.uri.path()));
            // What is too large for the log is too large for every endpoint.
            let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(io::Error::other("too large"))]);
            return Request::from_parts(parts, Body::from_stream(broken));
        };
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("-");
        let open = server.flawed(Flaw::LogsTokens);
        let line = if open {
            let authorization = parts.headers.get(header::AUTHORIZATION).map(|v| String::from_utf8_lossy(v.as_bytes()));
            let authorization = authorization.unwrap_or_default();
            let body = String::from_utf8_lossy(&bytes);
            format!("{} {} authorization=\"{authorization}\" body=\"{body}\" \"{agent}\"", parts.method, parts.uri)
        } else {
            let query = redacted(parts.uri.query().unwrap_or_default().as_bytes());
            let body = match form::media_type(&parts.headers).as_str() {
                "application/x-www-form-urlencoded" => redacted(&bytes),
                _ => format!("{} bytes", bytes.len()),
            };
            let scheme = parts.headers.get(header::AUTHORIZATION).map_or("none", |_| "[redacted]");
            format!("{} {}?{query} authorization={scheme} body=({body}) \"{agent}\"", parts.method, parts.uri.path())
        };
        self.write(&line);
        Request::from_parts(parts, Body::from(bytes))
    }

    fn write(&self, line: &str) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not stop the lab.
        let _ = writeln!(file, "{}", line.escape_debug());
    }
}

/// The parameters of a form, the values of those that could be secret taken out.
fn redacted(raw: &[u8]) -> String {
    let Ok(params) = Params::parse(raw) else { return "malformed".to_owned() };
    let shown = params.pairs().map(|(name, value)| match PLAIN.contains(&name) {
        true => format!("{name}={value}"),
        false => format!("{name}=[redacted]"),
    });
    shown.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_and_values_go() {
        let line = redacted(b"grant_type=authorization_code&code=abc&x=1&client_id=me");
        assert_eq!(line, "grant_type=authorization_code&code=[redacted]&x=[redacted]&client_id=me");
        assert_eq!(redacted(b"%zz"), "malformed");
    }
}
