//! The sound token, revocation and introspection endpoints.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::join_all;

use crate::visitor::{FORM, JSON, VERIFIER, encode, visit};

#[tokio::test]
async fn malformed_token_requests_are_refused_as_such() {
    let mut visitor = visit(&[], &[]).await;
    let url = visitor.url("/token");
    let long = format!("grant_type={}", "x".repeat(64 * 1024));
    let text = ("content-type", "text/plain");
    for (header, body) in [
        (FORM, &b"grant_type=%"[..]),
        (FORM, b"grant_type=\xff"),
        (FORM, b"grant_type=%00"),
        (FORM, b"grant_type=a&grant_type=a"),
        (FORM, b""),
        (FORM, long.as_bytes()),
        (JSON, br#"{"grant_type":"authorization_code"}"#),
        (text, b"grant_type=authorization_code"),
    ] {
        let answer = visitor.send("POST", &url, &[header], body.to_vec()).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
    }
    let huge = vec![b'x'; 1024 * 1024 + 1];
    assert_eq!(visitor.send("POST", &url, &[FORM], huge).await.status, 413);
    assert_eq!(visitor.get(&url).await.status, 405);
}

#[tokio::test]
async fn token_errors_have_their_codes() {
    let mut visitor = visit(&[], &[]).await;
    let public = ("client_id", "lab-public");
    for (fields, status, error) in [
        (vec![public], 400, "invalid_request"),
        (vec![public, ("grant_type", "password")], 400, "unsupported_grant_type"),
        (vec![public, ("grant_type", "made-up")], 400, "unsupported_grant_type"),
        (vec![public, ("grant_type", "authorization_code"), ("code", "x")], 400, "invalid_grant"),
        (vec![public, ("grant_type", "refresh_token"), ("refresh_token", "x")], 400, "invalid_grant"),
        (vec![("client_id", "nobody"), ("grant_type", "authorization_code")], 401, "invalid_client"),
        (vec![("grant_type", "authorization_code"), ("code", "x")], 401, "invalid_client"),
    ] {
        let answer = visitor.token(&fields).await;
        assert_eq!(answer.error(), (status, error.to_owned()), "{fields:?}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_a_replay_ends_its_tokens() {
    let mut visitor = visit(&[], &[]).await;
    let (code, access, refresh) = visitor.tokens(&[]).await;
    let wrong = [
        ("grant_type", "authorization_code"),
        ("client_id", "lab-public"),
        ("code", &code),
        ("code_verifier", "another-verifier-0123456789-0123456789-0123"),
    ];
    assert_eq!(visitor.token(&wrong).await.error().1, "invalid_grant");
    assert_eq!(visitor.works(&access).await, 200, "that was nobody who knew");
    assert_eq!(visitor.redeem(&code).await.error().1, "invalid_grant");
    assert_eq!(visitor.works(&access).await, 401);
    assert_eq!(visitor.refresh(&refresh, &[]).await.error().1, "invalid_grant");
}

#[tokio::test]
async fn a_code_belongs_to_its_client_verifier_and_redirect_uri() {
    let mut visitor = visit(&[], &[]).await;
    let code = visitor.code(&[]).await;
    for (client, verifier, uri, error) in [
        ("lab-public-b", VERIFIER, "", "invalid_grant"),
        ("lab-public", "", "", "invalid_request"),
        ("lab-public", VERIFIER, "http://127.0.0.1:4322/callback", "invalid_grant"),
        ("lab-public", VERIFIER, "", "invalid_grant"),
    ] {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code.as_str()),
            ("code_verifier", verifier),
            ("redirect_uri", uri),
        ];
        let answer = visitor.token(&fields).await;
        assert_eq!(answer.error().1, error, "{client} {uri}");
    }
}

#[tokio::test]
async fn of_six_redemptions_at_once_one_succeeds() {
    let mut visitor = visit(&[], &[]).await;
    let code = visitor.code(&[]).await;
    let body = encode(&[
        ("grant_type", "authorization_code"),
        ("client_id", "lab-public"),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ]);
    let host = visitor.lab.issuer().replace("http://", "");
    let attempts = (0..6).map(|_| {
        let text = format!(
            "POST /token HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n{body}",
            FORM.1,
            body.len()
        );
        let host = host.clone();
        async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    });
    let answers = join_all(attempts).await;
    let granted = answers.iter().filter(|a| a.starts_with("HTTP/1.1 200")).count();
    let refused = answers.iter().filter(|a| a.contains("invalid_grant")).count();
    assert_eq!((granted, refused), (1, 5));
}

#[tokio::test]
async fn codes_and_access_tokens_expire() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, _) = visitor.tokens(&[]).await;
    let late = visitor.code(&[]).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert_eq!(visitor.redeem(&late).await.error().1, "invalid_grant");
    assert_eq!(visitor.works(&access).await, 200);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(540)).await;
    tokio::time::resume();
    assert_eq!(visitor.works(&access).await, 401);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_scopes_narrow() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, first) = visitor.tokens(&[]).await;
    let narrow = visitor.refresh(&first, &[("scope", "notes:read")]).await.json();
    assert_eq!(narrow["scope"], "notes:read");
    let second = narrow["refresh_token"].as_str().unwrap().to_owned();
    let wider = visitor.refresh(&second, &[("scope", "notes:read admin")]).await;
    assert_eq!(wider.error(), (400, "invalid_scope".to_owned()));
    let api = visitor.lab.api();
    let elsewhere = visitor.refresh(&second, &[("resource", &api)]).await;
    assert_eq!(elsewhere.error(), (400, "invalid_target".to_owned()));
    let again = visitor.refresh(&second, &[]).await.json();
    assert_eq!(again["scope"], "notes:read notes:write");
    let newest = again["access_token"].as_str().unwrap().to_owned();
    assert_eq!(visitor.works(&newest).await, 200);
    assert_eq!(visitor.refresh(&first, &[]).await.error().1, "invalid_grant");
    let third = again["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(visitor.refresh(&third, &[]).await.error().1, "invalid_grant");
    assert_eq!(visitor.works(&newest).await, 401);
    assert_eq!(visitor.works(&access).await, 401);
}

#[tokio::test]
async fn revocation_is_by_the_owner_and_at_once() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, refresh) = visitor.tokens(&[]).await;
    assert_eq!(visitor.revoke(&access, "lab-public-b").await.status, 400);
    assert_eq!(visitor.works(&access).await, 200);
    assert_eq!(visitor.revoke("no such token", "lab-public").await.status, 200);
    assert_eq!(visitor.revoke(&access, "lab-public").await.status, 200);
    assert_eq!(visitor.works(&access).await, 401);
    assert_eq!(visitor.refresh(&refresh, &[]).await.status, 200);
    let url = visitor.url("/introspect");
    let body = encode(&[("token", &access), ("client_id", "lab-public")]);
    let answer = visitor.send("POST", &url, &[FORM], body.into_bytes()).await;
    assert_eq!(answer.error(), (401, "invalid_client".to_owned()));
    let basic = "Basic bGFiLWNvbmZpZGVudGlhbDpsYWItY29uZmlkZW50aWFsLXNlY3JldC0wMTIzNDU2Nzg5";
    let body = encode(&[("token", &access)]);
    let headers = [FORM, ("authorization", basic)];
    let answer = visitor.send("POST", &url, &headers, body.into_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"active":false}"#));
}

#[tokio::test]
async fn guessing_is_slow() {
    let mut visitor = visit(&[], &[]).await;
    for _ in 0..20 {
        visitor.refresh("guess", &[]).await;
    }
    let before = Instant::now();
    assert_eq!(visitor.refresh("guess", &[]).await.status, 400);
    assert!(before.elapsed() >= Duration::from_millis(500));
    let (_, _, refresh) = visitor.tokens(&[]).await;
    assert_eq!(visitor.refresh(&refresh, &[]).await.status, 200, "nobody is locked out");
}

#[tokio::test]
async fn the_resource_may_ask_about_every_token() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, refresh) = visitor.tokens(&[]).await;
    let url = visitor.url("/introspect");
    let api = visitor.lab.mcp();
    for token in [&access, &refresh] {
        for (client, knows) in [("lab-resource", true), ("lab-confidential", false)] {
            let credentials = STANDARD.encode(format!("{client}:{client}-secret-0123456789"));
            let headers = [("authorization", format!("Basic {credentials}")), (FORM.0, FORM.1.to_owned())];
            let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let body = encode(&[("token", token)]).into_bytes();
            let answer = visitor.send("POST", &url, &headers, body).await.json();
            assert_eq!(answer["active"], knows, "{client}");
            assert_eq!(answer["aud"] == api.as_str(), knows, "{client}");
        }
    }
}

#[tokio::test]
async fn who_asks_for_openid_gets_an_id_token_and_no_more() {
    let mut visitor = visit(&[], &[]).await;
    let code = visitor.code(&[("scope", "openid notes:read"), ("nonce", "n-0S6_WzA2Mj")]).await;
    let granted = visitor.redeem(&code).await.json();
    let id_token = granted["id_token"].as_str().unwrap().to_owned();
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["nonce"], &claims["aud"]), (&"n-0S6_WzA2Mj".into(), &"lab-public".into()));
    assert_eq!(visitor.works(&id_token).await, 401, "it is no access token");
    assert_eq!(visitor.works(granted["access_token"].as_str().unwrap()).await, 200);
    let code = visitor.code(&[]).await;
    assert!(visitor.redeem(&code).await.json()["id_token"].is_null());
}
