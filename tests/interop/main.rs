//! Audits real servers written by others; here, that each comes up as it is described.

mod servers;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use servers::{Server, Target};

/// The status line and headers, in lower case, and the body, of a plain GET.
fn get(url: &str) -> std::io::Result<(String, String)> {
    let (host, path) =
        url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an http URL with a path");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // HTTP/1.0, so that the body ends with the connection.
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a blank line");
    Ok((head.to_ascii_lowercase(), body.to_owned()))
}

/// The JSON object that answers 200 at a well-known path of the server's origin.
fn metadata(server: &Server, path: &str) -> Value {
    let origin = server.issuer.trim_end_matches('/');
    let (head, body) = get(&format!("{origin}/.well-known/{path}")).expect("an answer");
    assert_eq!(head.split(' ').nth(1), Some("200"), "{path}: {head}");
    serde_json::from_str(&body).expect("a JSON document")
}

/// The headers of the 401 that a request without a token must get.
fn challenge(url: &str) -> String {
    let (head, _) = get(url).expect("an answer");
    assert_eq!(head.split(' ').nth(1), Some("401"), "{url}: {head}");
    head
}

#[test]
fn oidc_provider_strict_comes_up() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderStrict) else {
        return;
    };
    let document = metadata(&server, "oauth-authorization-server");
    assert_eq!(document["issuer"], server.issuer);
    assert_eq!(document["response_types_supported"], serde_json::json!(["code"]));
    for path in ["api/me", "api/write"] {
        let url = format!("{}/{path}", server.issuer);
        let about = metadata(&server, &format!("oauth-protected-resource/{path}"));
        assert_eq!(about["resource"], url);
        let points_to = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/{path}\"", server.issuer);
        assert!(challenge(&url).contains(&points_to));
    }
    assert_eq!(server.fact("/clients/public/client_id"), "interop-public");
}

#[test]
fn oidc_provider_lax_comes_up() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderLax) else {
        return;
    };
    let document = metadata(&server, "openid-configuration");
    assert_eq!(document["issuer"], server.issuer);
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256", "plain"]));
    assert!(!challenge(&server.resource).contains("www-authenticate"));
}

#[test]
fn fastmcp_comes_up() {
    let Some(server) = Server::start_or_skip(Target::FastMcp) else {
        return;
    };
    let document = metadata(&server, "oauth-authorization-server");
    assert_eq!(document["issuer"], server.issuer);
    let about = metadata(&server, "oauth-protected-resource/mcp");
    assert_eq!(about["resource"], server.resource);
    assert!(challenge(&server.resource).contains("www-authenticate: bearer"));
}
