//! Green must be earned: no active check passes against a server that cannot be judged.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use oaudit::check::Reach;
use oaudit::checks::ALL;
use oaudit::needs::Stage;
use oaudit::report::{Report, VerdictKind};
use support::{as_alice, audit_of, trouble};

/// A server whose documents are those of a real one, and whose every other answer is `answer`.
struct Pretender {
    url: String,
}

type Answer = fn() -> Response;

#[derive(Clone)]
struct Facts {
    origin: String,
    answer: Answer,
    /// Registration works, so that the audit gets to the endpoints.
    registers: bool,
    down: Arc<AtomicBool>,
}

async fn serve(answer: Answer, registers: bool) -> (Pretender, Arc<AtomicBool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let down = Arc::new(AtomicBool::new(false));
    let facts = Facts { origin: origin.clone(), answer, registers, down: Arc::clone(&down) };
    let router = Router::new().fallback(reply).with_state(facts);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (Pretender { url: format!("{origin}/mcp") }, down)
}

async fn reply(State(facts): State<Facts>, request: Request) -> Response {
    let origin = &facts.origin;
    let json = |value: serde_json::Value| axum::Json(value).into_response();
    if facts.down.load(Ordering::SeqCst) {
        return (axum::http::StatusCode::BAD_GATEWAY, "down").into_response();
    }
    match request.uri().path() {
        "/.well-known/oauth-protected-resource/mcp" => json(serde_json::json!({
            "resource": format!("{origin}/mcp"), "authorization_servers": [origin], "scopes_supported": ["a", "b"],
        })),
        "/.well-known/oauth-authorization-server" => json(serde_json::json!({
            "issuer": origin,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "registration_endpoint": format!("{origin}/register"),
            "revocation_endpoint": format!("{origin}/revoke"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["none"],
        })),
        "/mcp" => (axum::http::StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer realm=\"x\"")]).into_response(),
        "/register" if facts.registers => (
            axum::http::StatusCode::CREATED,
            axum::Json(serde_json::json!({ "client_id": "c", "token_endpoint_auth_method": "none" })),
        )
            .into_response(),
        _ => (facts.answer)(),
    }
}

/// The checks that do more than look at documents.
fn active(report: &Report) -> Vec<&'static str> {
    let looks = |id: &str| ALL.iter().any(|c| c.card().id == id && c.stage() == Stage::Documents);
    report.checks.iter().filter(|c| !looks(c.id) && c.verdict == VerdictKind::Pass).map(|c| c.id).collect()
}

async fn never_green(answer: Answer) -> Report {
    let (server, _) = serve(answer, true).await;
    let report = audit_of(&server.url, as_alice()).await;
    let green = active(&report);
    assert!(green.is_empty(), "green by accident: {green:?}\n{}", trouble(&report));
    assert_ne!(report.summary.exit_code, 0);
    report
}

#[tokio::test]
async fn a_server_that_answers_500_html_to_everything() {
    never_green(|| {
        (axum::http::StatusCode::INTERNAL_SERVER_ERROR, axum::response::Html("<h1>Oops</h1>")).into_response()
    })
    .await;
}

#[tokio::test]
async fn a_server_that_refuses_everything_correctly() {
    let report = never_green(|| {
        (axum::http::StatusCode::BAD_REQUEST, axum::Json(serde_json::json!({ "error": "invalid_grant" })))
            .into_response()
    })
    .await;
    assert!(report.checks.iter().any(|c| c.verdict == VerdictKind::Inconclusive));
}

#[tokio::test]
async fn a_server_that_answers_429_for_ever() {
    never_green(|| (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "900")], "slow down").into_response())
        .await;
}

#[tokio::test]
async fn a_server_that_always_shows_a_login_page() {
    let report = never_green(|| {
        axum::response::Html(
            "<title>Log in</title><form method=post><input name=username><input name=password type=password><button>Log in</button></form>",
        )
        .into_response()
    })
    .await;
    assert_eq!(report.summary.exit_code, 4, "the sign-in failed");
    assert!(report.stopped.unwrap().error.contains("login page came back"));
}

#[tokio::test]
async fn a_server_that_answers_an_empty_200_to_everything() {
    never_green(|| ().into_response()).await;
}

#[tokio::test]
async fn a_server_that_is_down() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let report = audit_of(&url, as_alice()).await;
    assert_eq!(report.summary.exit_code, 4);
    assert!(report.checks.iter().all(|c| c.verdict != VerdictKind::Pass), "{}", trouble(&report));
}

#[tokio::test]
async fn a_server_that_refuses_to_register_is_not_judged_by_it() {
    let (server, _) = serve(|| axum::http::StatusCode::FORBIDDEN.into_response(), false).await;
    let report = audit_of(&server.url, as_alice()).await;
    assert_eq!(report.summary.exit_code, 4);
    let stopped = report.stopped.clone().unwrap();
    assert!(stopped.error.contains("refused to register") && stopped.hint.contains("--client-id"), "{stopped:?}");
    assert!(active(&report).is_empty());
    // What was found so far is reported.
    assert!(report.checks.iter().any(|c| c.topic == "server_metadata" && c.verdict == VerdictKind::Pass));
}

/// A check that spoils something says so, or the reach would not hold it back.
#[tokio::test]
async fn nothing_beyond_the_reach_is_sent() {
    let lab = support::lab(&[], &[]).await;
    let mut options = as_alice();
    options.selection.reach = Reach::OwnMaterial;
    let report = audit_of(&lab.mcp(), options).await;
    // What waits has a flag of its own; the logs of the server were not named; neither is held back by the reach.
    let waits = |id: &str| ALL.iter().any(|c| c.card().id == id && c.stage() == Stage::Waiting);
    let not_run = report.checks.iter().filter(|c| c.verdict == VerdictKind::NotRun);
    let held_back: Vec<_> = not_run.filter(|c| c.id != "hygiene/no-token-in-logs" && !waits(c.id)).collect();
    assert!(held_back.iter().any(|c| c.id == "code/single-use"));
    assert!(held_back.iter().all(|c| c.how_to_run.as_deref() == Some("--reach grant")));
    assert!(report.exchanges.iter().all(|e| held_back.iter().all(|c| c.id != e.check)));
}
