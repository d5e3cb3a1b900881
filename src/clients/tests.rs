//! Rows from literal facts.

use serde_json::json;

use super::*;
use crate::report::tests::line;
use crate::report::{FindingLine, VerdictKind};

fn good_server() -> Value {
    json!({
        "issuer": "https://as.example",
        "registration_endpoint": "https://as.example/register",
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": true,
    })
}

fn good_checks() -> Vec<CheckLine> {
    [
        "authorization/code-flow-works",
        "authorization/iss-returned",
        "redirect_uri/chatgpt-allowed",
        "redirect_uri/loopback-port-flexible",
        "resource_metadata/published",
    ]
    .map(|id| line(id, ResultKind::Pass))
    .into()
}

fn rows(server: &Value, checks: &[CheckLine]) -> Vec<ClientLine> {
    table(&Facts {
        resource: Some("https://api.example/mcp"),
        resource_metadata: &json!({"resource": "https://api.example/mcp"}),
        server_metadata: server,
        registration: Some("dynamic, none"),
        redirect_uri: Some("http://127.0.0.1:8765/callback"),
        checks,
    })
}

fn of<'a>(rows: &'a [ClientLine], client: &str) -> &'a ClientLine {
    rows.iter().find(|r| r.client == client).unwrap()
}

fn about(row: &ClientLine, about: About) -> (Answer, &str) {
    row.needs.iter().find(|n| n.about == about).map(|n| (n.answer, n.because.as_str())).unwrap()
}

/// The same server with one member changed; `null` takes it out.
fn but(member: &str, value: Value) -> Value {
    let mut server = good_server();
    match value {
        Value::Null => drop(server.as_object_mut().unwrap().remove(member)),
        value => server[member] = value,
    }
    server
}

#[test]
fn yes_takes_everything_that_is_known_to_be_needed() {
    let rows = rows(&good_server(), &good_checks());
    assert_eq!(of(&rows, "chatgpt").connects, Answer::Yes, "{:?}", of(&rows, "chatgpt"));
    assert_eq!(of(&rows, "claude-code").connects, Answer::Yes);
    assert_eq!(of(&rows, "codex").connects, Answer::Yes);
    let claude = of(&rows, "claude");
    assert_eq!(claude.connects, Answer::Unknown, "its redirect URI was never tried");
    assert!(claude.because.contains("claude.ai/api/mcp/auth_callback was not tried"), "{}", claude.because);
}

#[test]
fn a_redirect_uri_counts_once_it_was_tried() {
    let mut checks = good_checks();
    let mut tried = line("redirect_uri/known-clients-allowed", ResultKind::Note);
    for (what, verdict) in [
        ("claude: https://claude.ai/api/mcp/auth_callback", VerdictKind::Pass),
        ("vscode: https://vscode.dev/redirect", VerdictKind::Fail),
    ] {
        tried.findings.push(FindingLine {
            what: what.into(),
            verdict,
            level: None,
            message: String::new(),
            measured: None,
            evidence: vec![],
        });
    }
    checks.push(tried);
    let rows = rows(&good_server(), &checks);
    assert_eq!(of(&rows, "claude").connects, Answer::Yes);
    assert_eq!(of(&rows, "vscode").connects, Answer::No);
    assert_eq!(of(&rows, "cursor").connects, Answer::Unknown);
}

#[test]
fn nothing_seen_is_unknown_and_no_metadata_is_no_row() {
    let rows_without_checks = rows(&good_server(), &[]);
    assert!(rows_without_checks.iter().all(|r| r.connects == Answer::Unknown), "{rows_without_checks:?}");
    assert!(rows(&Value::Null, &good_checks()).is_empty());
}

#[test]
fn a_flow_that_fails_lets_nobody_connect() {
    let mut checks = good_checks();
    checks[0] = line("authorization/code-flow-works", ResultKind::Fail);
    assert!(rows(&good_server(), &checks).iter().all(|r| r.connects == Answer::No));
}

#[test]
fn chatgpt_and_claude_refuse_without_s256_of_the_others_it_is_not_known() {
    let rows = rows(&but("code_challenge_methods_supported", Value::Null), &good_checks());
    let chatgpt = of(&rows, "chatgpt");
    assert_eq!(chatgpt.connects, Answer::No);
    assert_eq!(chatgpt.because, "PKCE: code_challenge_methods_supported is missing");
    assert_eq!(of(&rows, "claude").connects, Answer::No);
    assert_eq!(of(&rows, "codex").connects, Answer::Unknown);
}

#[test]
fn the_redirect_uri_of_chatgpt_follows_iss() {
    let stable = rows(&good_server(), &good_checks());
    let (_, because) = about(of(&stable, "chatgpt"), About::RedirectUri);
    assert!(because.contains("connector_platform_oauth_redirect"), "{because}");
    let own = rows(&but("authorization_response_iss_parameter_supported", Value::Null), &good_checks());
    let (_, because) = about(of(&own, "chatgpt"), About::RedirectUri);
    assert!(because.contains("connector/oauth/{callback_id}"), "{because}");
    let mut checks = good_checks();
    checks[1] = line("authorization/iss-returned", ResultKind::Fail);
    assert_eq!(about(of(&rows(&good_server(), &checks), "chatgpt"), About::Iss).0, Answer::No);
}

#[test]
fn ways_to_register_and_to_authenticate() {
    let methods = "token_endpoint_auth_methods_supported";
    let secret = rows(&but(methods, json!(["client_secret_post"])), &good_checks());
    let chatgpt = of(&secret, "chatgpt");
    assert_eq!(about(chatgpt, About::Registration), (Answer::Yes, "by dynamic registration"));
    assert_eq!(about(chatgpt, About::TokenAuth).0, Answer::Yes);
    let mtls = rows(&but(methods, json!(["tls_client_auth"])), &good_checks());
    assert_eq!(about(of(&mtls, "chatgpt"), About::TokenAuth).0, Answer::No);
    let mut server = but("registration_endpoint", Value::Null);
    server["client_id_metadata_document_supported"] = json!(false);
    let none = rows(&server, &good_checks());
    for client in ["chatgpt", "claude", "claude-code", "vscode", "cursor", "codex"] {
        assert_eq!(about(of(&none, client), About::Registration).0, Answer::Unknown, "{client}");
    }
}

#[test]
fn claude_wants_the_url_that_was_entered() {
    let metadata = json!({"resource": "https://api.example"});
    let facts = Facts {
        resource: Some("https://api.example/mcp"),
        resource_metadata: &metadata,
        server_metadata: &good_server(),
        registration: None,
        redirect_uri: None,
        checks: &good_checks(),
    };
    assert_eq!(of(&table(&facts), "claude").connects, Answer::No);
    assert_eq!(about(of(&table(&facts), "chatgpt"), About::Resource).0, Answer::Yes, "it sends what the metadata says");
}

#[test]
fn every_fact_has_its_month() {
    for row in rows(&good_server(), &good_checks()) {
        assert!(row.as_of.len() == 7 && row.as_of.starts_with("20"), "{}: {}", row.client, row.as_of);
        assert!(row.needs.iter().all(|n| !n.because.is_empty()));
    }
}
