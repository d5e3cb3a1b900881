//! Bad input gets one clear error that says what was seen, whose it is and what to type next; nothing hangs.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use oaudit::discovery::Target;
use oaudit::report::{Report, VerdictKind};
use support::{as_alice, audit_of, line, trouble};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server that answers 401 at /api, and `answer` for every other path.
async fn server(answer: impl Fn(&str) -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let answer = answer.clone();
        async move {
            match request.uri().path() {
                "/api" => (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer realm=\"x\"")]).into_response(),
                path => answer(path),
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("{origin}/api")
}

async fn report(url: &str) -> Report {
    let auditing = audit_of(url, as_alice());
    tokio::time::timeout(Duration::from_secs(60), auditing).await.expect("the audit ends by itself")
}

/// What stopped the audit.
async fn stopped(url: &str) -> (String, String) {
    let report = report(url).await;
    assert_eq!(report.summary.exit_code, 4, "{}", trouble(&report));
    let stopped = report.stopped.expect("the audit stopped");
    (stopped.error, stopped.hint)
}

#[tokio::test]
async fn catch_all_pages_are_no_metadata() {
    let url = server(|_| Html("<!doctype html><title>Shop</title>").into_response()).await;
    let report = report(&url).await;
    assert_eq!(report.summary.exit_code, 4);
    let stopped = report.stopped.clone().unwrap();
    assert!(stopped.error.contains("200, but an HTML page"), "{}", stopped.error);
    assert!(stopped.hint.contains("--issuer"), "{}", stopped.hint);
    // The resource is judged all the same.
    assert_eq!(line(&report, "resource_metadata/published").verdict, VerdictKind::Fail);
    assert_eq!(line(&report, "resource_metadata/challenge-401").verdict, VerdictKind::Pass);
    // Nobody named the origin of the resource as the authorization server; it was a guess.
    assert_eq!(line(&report, "server_metadata/published").verdict, VerdictKind::Inconclusive);
}

/// A place that could not be asked may have the document; one that answers has it or not.
#[tokio::test]
async fn an_outage_is_no_missing_document() {
    for (status, verdict) in
        [(StatusCode::NOT_FOUND, VerdictKind::Fail), (StatusCode::SERVICE_UNAVAILABLE, VerdictKind::Inconclusive)]
    {
        let url = server(move |_| status.into_response()).await;
        let origin = url.trim_end_matches("/api").to_owned();
        let target = Target { resource: Some(url), issuer: Some(origin), ..Target::default() };
        let auditing = oaudit::run::audit(&target, as_alice());
        let report = tokio::time::timeout(Duration::from_secs(60), auditing).await.expect("it ends by itself").unwrap();
        assert_eq!(line(&report, "server_metadata/published").verdict, verdict, "{status}");
        assert_eq!(line(&report, "resource_metadata/published").verdict, verdict, "{status}");
    }
}

#[tokio::test]
async fn an_array_and_text_are_no_metadata() {
    let url = server(|_| axum::Json(serde_json::json!(["issuer"])).into_response()).await;
    assert!(stopped(&url).await.0.contains("JSON that is an array"));
    let url = server(|_| "issuer: me".into_response()).await;
    assert!(stopped(&url).await.0.contains("not JSON"));
}

#[tokio::test]
async fn members_of_wrong_types_are_named() {
    let url = server(|path| match path {
        "/.well-known/oauth-authorization-server" => axum::Json(serde_json::json!({
            "issuer": ["x"], "authorization_endpoint": 7, "token_endpoint": null, "response_types_supported": "code",
        }))
        .into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
    .await;
    let report = report(&url).await;
    let stopped = report.stopped.clone().unwrap();
    assert!(stopped.error.contains("authorization_endpoint"), "{}", stopped.error);
    let members = line(&report, "server_metadata/required-members");
    assert_eq!(members.verdict, VerdictKind::Fail);
    let wrong: Vec<_> = members.findings.iter().filter(|f| f.verdict == VerdictKind::Fail).collect();
    assert!(wrong.len() >= 3, "{wrong:?}");
}

#[tokio::test]
async fn an_issuer_that_differs_is_a_finding_and_the_audit_goes_on() {
    let lab = support::lab(&["issuer-mismatch"], &[]).await;
    let report = audit_of(&lab.mcp(), as_alice()).await;
    assert!(report.stopped.is_none());
    assert_eq!(support::red(&report), ["server_metadata/issuer-matches"]);
}

#[tokio::test]
async fn a_consent_page_that_is_not_understood_is_described() {
    let url = server(|path| match path {
        "/.well-known/oauth-authorization-server" => axum::Json(serde_json::json!({
            "issuer": "http://127.0.0.1",
            "authorization_endpoint": "/authorize", "token_endpoint": "/token",
        }))
        .into_response(),
        _ => Html("<title>Consent</title><form><input name=puzzle></form>").into_response(),
    })
    .await;
    // Relative endpoints are no endpoints: what is wrong is said, nothing breaks.
    let (error, hint) = stopped(&url).await;
    assert!(!error.is_empty() && !hint.is_empty());
}

/// Serves raw bytes, again and again, to everybody.
async fn flood(head: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(head).await;
                let chunk = vec![b'x'; 64 * 1024];
                while stream.write_all(&chunk).await.is_ok() {}
            });
        }
    });
    url
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_cut() {
    let url = flood(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n").await;
    let (error, _) = stopped(&url).await;
    assert!(error.contains("no authorization server metadata") || error.contains("no resource metadata"), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_ends_times_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let mut options = as_alice();
    options.wire.limits.time = Duration::from_millis(300);
    let report = tokio::time::timeout(Duration::from_secs(30), audit_of(&url, options)).await.unwrap();
    assert_eq!(report.summary.exit_code, 4);
    assert!(report.stopped.unwrap().error.contains("no answer within"));
}

#[tokio::test]
async fn an_interrupted_audit_cleans_up_and_reports() {
    let lab = oaudit::lab::Lab::start(oaudit::lab::LabOptions {
        latency: Duration::from_millis(40),
        ..oaudit::lab::LabOptions::default()
    })
    .await
    .unwrap();
    let (stop, interrupt) = tokio::sync::watch::channel(None);
    let mut options = as_alice();
    options.interrupt = interrupt;
    // Interrupted as soon as somebody has signed in: by then clients are registered.
    options.progress = std::sync::Arc::new(move |progress| {
        if matches!(progress, oaudit::run::Progress::Begins("codes and tokens", _)) {
            let _ = stop.send(Some(oaudit::run::Interruption::Interrupted));
        }
    });
    let report = audit_of(&lab.mcp(), options).await;
    assert_eq!(report.summary.exit_code, 130);
    assert_eq!(lab.registered_clients().len(), 0, "{:?}", report.left_behind);
    assert!(report.checks.iter().any(|c| c.verdict == VerdictKind::Pass), "what was found so far is reported");
    assert!(report.checks.iter().any(|c| c.verdict == VerdictKind::Inconclusive));
}
