//! Audits real servers written by others: that each comes up as it is described, and that the verdicts which matter are
//! those that are known to be true of it.

#[path = "../support/mod.rs"]
mod support;

mod servers;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use oaudit::oauth::secret::Secret;
use oaudit::registration::Configured;
use oaudit::report::{Report, ResultKind, VerdictKind};
use oaudit::run::Options;
use serde_json::Value;

use servers::{Server, Target};
use support::{as_somebody, audit_of, line, trouble};

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

/// The ids of the checks with this result.
fn of(report: &Report, kind: ResultKind) -> BTreeSet<&'static str> {
    report.checks.iter().filter(|c| c.result == kind).map(|c| c.id).collect()
}

/// Every check is decided or says why it cannot be: nothing is inconclusive on a server that answers properly.
fn assert_decided(report: &Report) {
    assert_decided_but(report, &[]);
}

/// The same, but for what cannot be found out about this one.
fn assert_decided_but(report: &Report, unknown: &[&str]) {
    let mut undecided = of(report, ResultKind::Inconclusive);
    undecided.retain(|id| !unknown.contains(id));
    assert!(undecided.is_empty() && report.stopped.is_none(), "undecided: {undecided:?}\n{}", trouble(report));
}

#[tokio::test]
async fn oidc_provider_strict_breaks_no_must() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderStrict) else {
        return;
    };
    let report = audit_of(&server.resource, as_somebody()).await;
    assert_decided(&report);
    assert!(of(&report, ResultKind::Fail).is_empty(), "{}", trouble(&report));
    // JWT access tokens of this library cannot be taken back: they outlive a replayed code and the revocation of their
    // refresh token, while that one dies.
    let outlived = BTreeSet::from(["code/replay-revokes-tokens", "revocation/cascades"]);
    assert_eq!(of(&report, ResultKind::Warn), outlived, "{}", trouble(&report));
    let revocation = line(&report, "revocation/access-token");
    assert!(revocation.findings.iter().any(|f| f.what == "unsupported_token_type"), "{revocation:?}");
    assert_eq!(report.summary.logins, 1);
    assert!(report.left_behind.is_empty(), "{:?}", report.left_behind);
}

#[tokio::test]
async fn oidc_provider_strict_with_configured_clients() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderStrict) else {
        return;
    };
    let id = |name: &str| server.fact(&format!("/clients/{name}/client_id")).to_owned();
    let secret = server.fact("/clients/confidential/client_secret").to_owned();
    for (client, secret) in [(id("public"), None), (id("confidential"), Some(Secret::new(secret)))] {
        let options = Options {
            client: Some(Configured { id: client.clone(), secret, auth: None }),
            redirect_uri: Some(server.fact("/redirect_uri").to_owned()),
            ..as_somebody()
        };
        let report = audit_of(&server.resource, options).await;
        assert_decided(&report);
        assert!(of(&report, ResultKind::Fail).is_empty(), "{client}:\n{}", trouble(&report));
        assert_eq!(
            of(&report, ResultKind::Warn),
            BTreeSet::from(["code/replay-revokes-tokens", "revocation/cascades"]),
            "{}",
            trouble(&report)
        );
    }
}

#[tokio::test]
async fn oidc_provider_lax_is_told_apart() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderLax) else {
        return;
    };
    // Its registered client may use every response type; one that registers itself as we do may not.
    let options = Options {
        client: Some(Configured { id: server.fact("/clients/public/client_id").to_owned(), secret: None, auth: None }),
        redirect_uri: Some(server.fact("/redirect_uri").to_owned()),
        ..as_somebody()
    };
    let report = audit_of(&server.resource, options).await;
    assert_decided(&report);
    let failed = BTreeSet::from([
        "resource_metadata/published",
        "resource_metadata/challenge-header",
        "server_metadata/plain-not-advertised",
        "server_metadata/no-implicit-advertised",
        "transport/frame-protection",
        "authorization/implicit-refused",
        "redirect_uri/chatgpt-allowed",
        "pkce/required",
        "pkce/plain-refused",
        // A week, and in the address as well: so it is set up.
        "access_token/short-lived",
        "resource/query-token-ignored",
        "refresh/rotated",
        // The tokens in the fragments of the redirects that it should have refused.
        "hygiene/no-secret-in-url",
    ]);
    assert_eq!(of(&report, ResultKind::Fail), failed, "{}", trouble(&report));
    let weak = BTreeSet::from(["resource/bad-token-says-invalid-token"]);
    assert_eq!(of(&report, ResultKind::Warn), weak, "{}", trouble(&report));
    assert!(
        report.remarks.iter().any(|r| r.contains("nothing names the authorization server")),
        "{:?}",
        report.remarks
    );
}

#[tokio::test]
async fn oidc_provider_lax_without_a_configured_client() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderLax) else {
        return;
    };
    let report = audit_of(&server.resource, as_somebody()).await;
    assert_decided(&report);
    for id in ["pkce/required", "pkce/plain-refused", "server_metadata/no-implicit-advertised", "refresh/rotated"] {
        assert_eq!(line(&report, id).result, ResultKind::Fail, "{id}\n{}", trouble(&report));
    }
    assert_eq!(report.left_behind.len(), 3, "this version offers no deletion: {:?}", report.left_behind);
}

#[tokio::test]
async fn fastmcp_as_it_is() {
    let Some(server) = Server::start_or_skip(Target::FastMcp) else {
        return;
    };
    // It asks nobody anything, so nobody is needed.
    let report = audit_of(&server.resource, Options::default()).await;
    // Its tokens cannot be read, and it ignores the resource that is asked for.
    assert_decided_but(&report, &["resource/foreign-audience-refused", "resource/missing-audience-refused"]);
    assert_eq!(report.summary.logins, 0);
    // An unknown grant is invalid_request there, and invalid_grant comes with 401; the answer to a registration, with a
    // secret in it, says nothing to caches.
    let failed = BTreeSet::from(["token/error-codes", "registration/dynamic-works"]);
    assert_eq!(of(&report, ResultKind::Fail), failed, "{}", trouble(&report));
    let weak = BTreeSet::from([
        "server_metadata/iss-advertised",
        "pkce/required",
        "code/replay-revokes-tokens",
        "refresh/reuse-revokes-family",
    ]);
    assert_eq!(of(&report, ResultKind::Warn), weak, "{}", trouble(&report));
    for id in ["code/single-use", "refresh/rotated", "refresh/old-token-refused", "pkce/plain-refused"] {
        assert_eq!(line(&report, id).verdict, VerdictKind::Pass, "{id}\n{}", trouble(&report));
    }
    assert_eq!(line(&report, "authorization/iss-returned").verdict, VerdictKind::NotApplicable);
}
