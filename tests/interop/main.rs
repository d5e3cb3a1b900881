//! Audits real servers written by others: that each comes up as it is described, and that every verdict is the one that
//! is known to be true of it.

#[path = "../support/installed.rs"]
mod installed;
#[path = "../support/mod.rs"]
mod support;

mod expected;
#[path = "../browser/machine.rs"]
mod machine;
mod servers;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use oaudit::front::choose::AgentName;
use oaudit::front::webdriver::installed;
use oaudit::oauth::secret::Secret;
use oaudit::registration::Configured;
use oaudit::run::Options;
use serde_json::Value;

use expected::{Row, assert_as_expected, assert_as_expected_or_limited};
use servers::{Limits, Provider, Server, Target};
use support::{as_somebody, audit_of, line};

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

/// The id and, if it has one, the secret of a client that the server knows beforehand.
fn configured(server: &Server, name: &str) -> Configured {
    let id = server.fact(&format!("/clients/{name}/client_id"));
    let secret = server.facts.pointer(&format!("/clients/{name}/client_secret")).and_then(Value::as_str);
    Configured { id, secret: secret.map(Secret::new), auth: None }
}

/// Signs in as alice and audits as this client.
fn as_client(server: &Server, name: &str, other: Option<&str>) -> Options {
    Options {
        client: Some(configured(server, name)),
        other_client: other.map(|other| configured(server, other)),
        redirect_uri: Some(server.fact("/redirect_uri")),
        ..as_somebody()
    }
}

#[tokio::test]
async fn oidc_provider_strict_breaks_no_must() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderStrict) else {
        return;
    };
    let report = audit_of(&server.resource, as_somebody()).await;
    assert_as_expected(&report, expected::OIDC_PROVIDER_STRICT);
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
    for (client, other) in [("public", "public-b"), ("confidential", "public")] {
        let report = audit_of(&server.resource, as_client(&server, client, Some(other))).await;
        assert_as_expected(&report, &[expected::OIDC_PROVIDER_STRICT, &[expected::CONFIGURED]].concat());
    }
}

#[tokio::test]
async fn oidc_provider_lax_is_told_apart() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderLax) else {
        return;
    };
    let report = audit_of(&server.resource, as_client(&server, "public", Some("public-b"))).await;
    let further = [expected::HYBRID_CLIENT, expected::CONFIGURED];
    assert_as_expected(&report, &[expected::OIDC_PROVIDER_LAX, &further].concat());
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
    assert_as_expected(&report, expected::OIDC_PROVIDER_LAX);
    assert_eq!(report.left_behind.len(), 4, "this version offers no deletion: {:?}", report.left_behind);
}

#[tokio::test]
async fn fastmcp_as_it_is() {
    let Some(server) = Server::start_or_skip(Target::FastMcp) else {
        return;
    };
    // It asks nobody anything, so nobody is needed.
    let report = audit_of(&server.resource, Options::default()).await;
    assert_as_expected(&report, expected::FASTMCP);
    assert_eq!(report.summary.logins, 0);
}

#[tokio::test]
async fn the_mcp_sdk_with_a_careful_provider() {
    let target = Target::McpSdk { provider: Provider::Own, limits: Limits::Off };
    let Some(server) = Server::start_or_skip(target) else {
        return;
    };
    let report = audit_of(&server.resource, as_somebody()).await;
    assert_as_expected(&report, expected::MCP_SDK_OWN);
    assert_eq!(report.summary.logins, 1);
}

#[tokio::test]
async fn the_mcp_sdk_with_the_provider_of_its_examples() {
    let target = Target::McpSdk { provider: Provider::Demo, limits: Limits::Off };
    let Some(server) = Server::start_or_skip(target) else {
        return;
    };
    let report = audit_of(&server.resource, Options::default()).await;
    assert_as_expected(&report, expected::MCP_SDK_DEMO);
    assert_eq!(report.summary.logins, 0);
}

#[tokio::test]
async fn better_auth_whose_issuer_has_a_path() {
    let Some(server) = Server::start_or_skip(Target::BetterAuth) else {
        return;
    };
    assert!(server.issuer.ends_with("/api/auth"), "{}", server.issuer);
    let report = audit_of(&server.resource, as_somebody()).await;
    assert_as_expected(&report, expected::BETTER_AUTH);
    assert_eq!(report.summary.logins, 1);
}

/// The SDK allows 50 token requests in 15 minutes, and then names a time that nobody waits for by default.
#[tokio::test]
async fn a_rate_limit_leaves_open_and_never_misleads() {
    let both: [(Provider, &[&[Row]]); 2] =
        [(Provider::Own, expected::MCP_SDK_OWN), (Provider::Demo, expected::MCP_SDK_DEMO)];
    for (provider, tables) in both {
        let Some(server) = Server::start_or_skip(Target::McpSdk { provider, limits: Limits::Default }) else {
            return;
        };
        assert_as_expected_or_limited(&audit_of(&server.resource, as_somebody()).await, tables);
        // The second time hardly a token request is left.
        let report = audit_of(&server.resource, as_somebody()).await;
        assert_as_expected_or_limited(&report, tables);
        let limited = report.checks.iter().filter(|c| c.message.contains("Retry-After")).count();
        assert!(limited > 10 && !report.summary.complete, "{limited} checks speak of the limit");
    }
}

/// A person with a browser, and a browser that is driven, find what the form agent finds, with one sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_through_the_cockpit() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderStrict) else {
        return;
    };
    let Some(audited) = machine::audited_at_or_skip(&server.resource, None, serde_json::json!({})).await else {
        return;
    };
    expected::assert_alike(&audited.report, expected::OIDC_PROVIDER_STRICT, expected::BY_PERSON);
    assert_eq!(
        (&audited.seen["passwords"], &audited.seen["errors"]),
        (&1.into(), &serde_json::json!([])),
        "{audited:?}"
    );
    audited.tell("oidc-provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_through_webdriver() {
    if installed().is_none() {
        let required = std::env::var("OAUDIT_INTEROP").is_ok_and(|it| it == "required");
        assert!(!required, "OAUDIT_INTEROP=required, and neither chromedriver nor geckodriver is on PATH");
        return;
    }
    let Some(server) = Server::start_or_skip(Target::OidcProviderStrict) else {
        return;
    };
    let mut options = as_somebody();
    options.sign_in.agent = AgentName::Webdriver;
    let report = audit_of(&server.resource, options).await;
    assert!(report.stopped.is_none(), "{}", support::trouble(&report));
    expected::assert_alike(&serde_json::json!(report), expected::OIDC_PROVIDER_STRICT, &[]);
    assert_eq!(report.summary.logins, 1);
}

#[test]
fn every_format_comes_from_one_run() {
    let Some(server) = Server::start_or_skip(Target::OidcProviderLax) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let formats = ["json", "sarif", "junit", "markdown", "html", "har", "github"];
    let path = |format: &str| folder.path().join(format);
    let mut audit = std::process::Command::new(env!("CARGO_BIN_EXE_oaudit"));
    audit.args(["audit", &server.resource, "--agent", "form", "--username", "alice", "--yes", "--no-journal"]);
    audit.env("OAUDIT_PASSWORD", "wonderland").env_remove("GITHUB_STEP_SUMMARY").stdin(std::process::Stdio::null());
    for format in formats {
        audit.arg("-o").arg(format!("{format}={}", path(format).display()));
    }
    let output = audit.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |format: &str| std::fs::read_to_string(path(format)).unwrap();
    let json = |format: &str| -> Value { serde_json::from_str(&text(format)).unwrap() };
    let report = json("json");
    let checks = report["checks"].as_array().unwrap().iter();
    let failed: Vec<&str> = checks.filter(|c| c["result"] == "fail").map(|c| c["id"].as_str().unwrap()).collect();
    assert!(!failed.is_empty());
    let terminal = String::from_utf8_lossy(&output.stdout).into_owned();
    let of_sarif = json("sarif")["runs"][0]["results"].to_string();
    // The page escapes more than it must.
    let (junit, markdown, html) = (text("junit"), text("markdown"), text("html").replace("&#x2f;", "/"));
    for id in failed {
        for (format, said) in [("terminal", &terminal), ("sarif", &of_sarif), ("html", &html), ("markdown", &markdown)]
        {
            assert!(said.contains(id), "{format} says nothing of {id}");
        }
        let (_, property) = id.split_once('/').unwrap();
        assert!(junit.contains(property), "junit says nothing of {id}");
    }
    let exchanges = report["exchanges"].as_array().unwrap().len();
    assert_eq!(json("har")["log"]["entries"].as_array().unwrap().len(), exchanges);
    assert!(text("github").contains("::error"));
}
