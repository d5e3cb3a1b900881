//! The lab without faults, as a client and as an attacker see it.

use std::time::Duration;

use futures_util::future::join_all;
use oaudit::lab::LabOptions;
use serde_json::json;

use crate::visitor::{Answer, VERIFIER, Visitor, encode, parameters, visit, visit_with};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// From registration to deletion, with every kind of token.
async fn complete_flow(opaque: bool) {
    let mut visitor = visit_with(LabOptions {
        opaque,
        ..LabOptions::default()
    })
    .await;
    let wish = json!({
        "client_name": "<b>Tests</b>",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
        "scope": "notes:read notes:write made:up",
        "client_id": "admin",
    });
    let url = visitor.url("/register");
    let registered = visitor
        .send("POST", &url, &[JSON], wish.to_string().into_bytes())
        .await;
    assert_eq!(registered.status, 201);
    assert_eq!(registered.header("cache-control"), "no-store");
    let client = registered.json();
    let id = client["client_id"].as_str().unwrap();
    assert!(id.starts_with("client-"));
    assert_eq!(client["scope"], "notes:read notes:write");
    assert_eq!(client.get("client_secret"), None);
    assert_eq!(visitor.lab.registered_clients(), [id]);

    let api = visitor.lab.api();
    let callback = visitor
        .authorize(&[("client_id", id), ("resource", &api)])
        .await;
    let answer = parameters(&callback);
    assert_eq!(answer["state"], "the-state");
    assert_eq!(answer["iss"], visitor.lab.issuer());
    assert_eq!(visitor.lab.logins(), 1);

    let redemption = [
        ("grant_type", "authorization_code"),
        ("client_id", id),
        ("code", answer["code"].as_str()),
        ("code_verifier", VERIFIER),
        ("resource", &api),
    ];
    let granted = visitor.token(&redemption).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    assert_eq!(granted.header("cache-control"), "no-store");
    let first = granted.json();
    assert_eq!(first["token_type"], "Bearer");
    assert_eq!(first["expires_in"], 600);
    assert_eq!(first["scope"], "notes:read notes:write");
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(access.split('.').count(), if opaque { 1 } else { 3 });

    let bearer = format!("bearer {access}");
    let read = visitor
        .send("GET", &api, &[("authorization", &bearer)], Vec::new())
        .await;
    assert_eq!(read.status, 200);
    assert_eq!(read.json()["notes"][0], "The first note of alice");
    let written = visitor
        .send(
            "POST",
            &api,
            &[("authorization", &bearer), JSON],
            br#"{"text":"x"}"#.to_vec(),
        )
        .await;
    assert_eq!(written.status, 201);
    assert_eq!(visitor.works(access).await, 401, "the token is for the API");

    let old = first["refresh_token"].as_str().unwrap();
    let refresh = |token: &str| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", id),
            ("refresh_token", token),
        ];
        pairs.map(|(n, v)| (n.to_owned(), v.to_owned()))
    };
    let mut tokens = vec![old.to_owned()];
    for _ in 0..2 {
        let fields = refresh(tokens.last().unwrap());
        let fields = fields.each_ref().map(|(n, v)| (n.as_str(), v.as_str()));
        let next = visitor.token(&fields).await.json();
        tokens.push(next["refresh_token"].as_str().unwrap().to_owned());
    }
    let revoked = visitor.revoke(&tokens[2], id).await;
    assert_eq!((revoked.status, revoked.body.as_str()), (200, ""));
    let dead = visitor
        .send("GET", &api, &[("authorization", &bearer)], Vec::new())
        .await;
    assert_eq!(dead.status, 401);
    assert!(
        dead.header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );

    let secrets = visitor.lab.issued_secrets();
    let rat = client["registration_access_token"].as_str().unwrap();
    for secret in [rat, access, &answer["code"], VERIFIER, "wonderland"]
        .into_iter()
        .chain(tokens.iter().map(String::as_str))
    {
        assert!(secrets.iter().any(|s| s == secret), "{secret}");
    }
    assert!(visitor.cookies.values().all(|c| secrets.contains(c)));

    let place = client["registration_client_uri"].as_str().unwrap();
    let deletion = format!("Bearer {rat}");
    let gone = visitor
        .send("DELETE", place, &[("authorization", &deletion)], Vec::new())
        .await;
    assert_eq!(gone.status, 204);
    assert!(visitor.lab.registered_clients().is_empty());
    assert_eq!(visitor.ask(&[("client_id", id)]).await.status, 400);
}

#[tokio::test]
async fn a_complete_flow_with_signed_tokens() {
    complete_flow(false).await;
}

#[tokio::test]
async fn a_complete_flow_with_opaque_tokens() {
    complete_flow(true).await;
}

fn error_of(answer: &Answer) -> (u16, String) {
    (
        answer.status,
        answer.json()["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

#[tokio::test]
async fn odd_authorization_requests_are_refused_before_login() {
    let mut visitor = visit(&[], &[]).await;
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", "code token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("response_mode", "fragment"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "abc"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", "S512"), "invalid_request"),
        (("scope", "made:up"), "invalid_scope"),
        (("scope", "notes:read \"x"), "invalid_scope"),
        (("resource", "https://other.test/"), "invalid_target"),
        (
            ("request_uri", "http://127.0.0.1/x"),
            "request_uri_not_supported",
        ),
        (("prompt", "none"), "login_required"),
    ] {
        let answer = visitor.ask(&[change]).await;
        assert_eq!(answer.status, 302, "{change:?}");
        let sent = parameters(answer.header("location"));
        assert_eq!(sent["error"], error, "{change:?}");
        assert_eq!(sent["state"], "the-state");
        assert_eq!(sent["iss"], visitor.lab.issuer());
    }
    for change in [
        ("client_id", "nobody"),
        ("client_id", ""),
        ("redirect_uri", "http://127.0.0.1:1/other"),
        ("redirect_uri", "https://evil.test/callback"),
        ("redirect_uri", "http://localhost:4321/callback"),
    ] {
        let answer = visitor.ask(&[change]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, ""),
            "{change:?}"
        );
    }
    let twice = visitor
        .ask(&[("scope", "notes:read"), ("scope", "notes:read")])
        .await;
    assert_eq!((twice.status, twice.header("location")), (400, ""));
    assert_eq!(visitor.lab.logins(), 0);
}

#[tokio::test]
async fn state_survives_whatever_it_is() {
    let mut visitor = visit(&[], &[]).await;
    let long = "s".repeat(512);
    for state in ["+ % & = / ? # %41+%2B", long.as_str()] {
        let callback = visitor.authorize(&[("state", state)]).await;
        assert_eq!(parameters(&callback)["state"], state);
        let refused = visitor.ask(&[("state", state), ("scope", "x")]).await;
        assert_eq!(parameters(refused.header("location"))["state"], state);
    }
}

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
        assert_eq!(error_of(&answer), (400, "invalid_request".to_owned()));
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
        (
            vec![public, ("grant_type", "password")],
            400,
            "unsupported_grant_type",
        ),
        (
            vec![public, ("grant_type", "made-up")],
            400,
            "unsupported_grant_type",
        ),
        (
            vec![public, ("grant_type", "authorization_code"), ("code", "x")],
            400,
            "invalid_grant",
        ),
        (
            vec![
                public,
                ("grant_type", "refresh_token"),
                ("refresh_token", "x"),
            ],
            400,
            "invalid_grant",
        ),
        (
            vec![
                ("client_id", "nobody"),
                ("grant_type", "authorization_code"),
            ],
            401,
            "invalid_client",
        ),
        (
            vec![("grant_type", "authorization_code"), ("code", "x")],
            401,
            "invalid_client",
        ),
    ] {
        let answer = visitor.token(&fields).await;
        assert_eq!(error_of(&answer), (status, error.to_owned()), "{fields:?}");
    }
}

async fn tokens(visitor: &mut Visitor) -> (String, String, String) {
    let code = visitor.code(&[]).await;
    let answer = visitor.redeem(&code).await.json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (code, text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_code_is_good_once_and_a_replay_ends_its_tokens() {
    let mut visitor = visit(&[], &[]).await;
    let (code, access, refresh) = tokens(&mut visitor).await;
    let wrong = [
        ("grant_type", "authorization_code"),
        ("client_id", "lab-public"),
        ("code", &code),
        (
            "code_verifier",
            "another-verifier-0123456789-0123456789-0123",
        ),
    ];
    assert_eq!(error_of(&visitor.token(&wrong).await).1, "invalid_grant");
    assert_eq!(
        visitor.works(&access).await,
        200,
        "that was nobody who knew"
    );
    assert_eq!(error_of(&visitor.redeem(&code).await).1, "invalid_grant");
    assert_eq!(visitor.works(&access).await, 401);
    assert_eq!(
        error_of(&visitor.refresh(&refresh, &[]).await).1,
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_code_belongs_to_its_client_verifier_and_redirect_uri() {
    let mut visitor = visit(&[], &[]).await;
    let code = visitor.code(&[]).await;
    let attempt = |client: &'static str, verifier: &'static str, uri: &'static str| {
        let code = code.clone();
        move |fields: &mut Vec<(String, String)>| {
            for (n, v) in [
                ("grant_type", "authorization_code"),
                ("client_id", client),
                ("code", code.as_str()),
                ("code_verifier", verifier),
                ("redirect_uri", uri),
            ] {
                fields.push((n.to_owned(), v.to_owned()));
            }
        }
    };
    for (client, verifier, uri, error) in [
        ("lab-public-b", VERIFIER, "", "invalid_grant"),
        ("lab-public", "", "", "invalid_request"),
        (
            "lab-public",
            VERIFIER,
            "http://127.0.0.1:4322/callback",
            "invalid_grant",
        ),
        ("lab-public", VERIFIER, "", "invalid_grant"),
    ] {
        let mut fields = Vec::new();
        attempt(client, verifier, uri)(&mut fields);
        let fields: Vec<_> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let answer = visitor.token(&fields).await;
        assert_eq!(error_of(&answer).1, error, "{client} {uri}");
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
    let granted = answers
        .iter()
        .filter(|a| a.starts_with("HTTP/1.1 200"))
        .count();
    let refused = answers
        .iter()
        .filter(|a| a.contains("invalid_grant"))
        .count();
    assert_eq!((granted, refused), (1, 5));
}

#[tokio::test]
async fn codes_and_access_tokens_expire() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, _) = tokens(&mut visitor).await;
    let late = visitor.code(&[]).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    assert_eq!(error_of(&visitor.redeem(&late).await).1, "invalid_grant");
    assert_eq!(visitor.works(&access).await, 200);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(540)).await;
    tokio::time::resume();
    assert_eq!(visitor.works(&access).await, 401);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_scopes_narrow() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, first) = tokens(&mut visitor).await;
    let narrow = visitor
        .refresh(&first, &[("scope", "notes:read")])
        .await
        .json();
    assert_eq!(narrow["scope"], "notes:read");
    let second = narrow["refresh_token"].as_str().unwrap().to_owned();
    let wider = visitor
        .refresh(&second, &[("scope", "notes:read admin")])
        .await;
    assert_eq!(error_of(&wider), (400, "invalid_scope".to_owned()));
    let api = visitor.lab.api();
    let elsewhere = visitor.refresh(&second, &[("resource", &api)]).await;
    assert_eq!(error_of(&elsewhere), (400, "invalid_target".to_owned()));
    let again = visitor.refresh(&second, &[]).await.json();
    assert_eq!(again["scope"], "notes:read notes:write");
    let newest = again["access_token"].as_str().unwrap().to_owned();
    assert_eq!(visitor.works(&newest).await, 200);
    assert_eq!(
        error_of(&visitor.refresh(&first, &[]).await).1,
        "invalid_grant"
    );
    let third = again["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(
        error_of(&visitor.refresh(&third, &[]).await).1,
        "invalid_grant"
    );
    assert_eq!(visitor.works(&newest).await, 401);
    assert_eq!(visitor.works(&access).await, 401);
}

#[tokio::test]
async fn revocation_is_by_the_owner_and_at_once() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, refresh) = tokens(&mut visitor).await;
    assert_eq!(visitor.revoke(&access, "lab-public-b").await.status, 400);
    assert_eq!(visitor.works(&access).await, 200);
    assert_eq!(
        visitor.revoke("no such token", "lab-public").await.status,
        200
    );
    assert_eq!(visitor.revoke(&access, "lab-public").await.status, 200);
    assert_eq!(visitor.works(&access).await, 401);
    assert_eq!(visitor.refresh(&refresh, &[]).await.status, 200);
    let url = visitor.url("/introspect");
    let body = encode(&[("token", &access), ("client_id", "lab-public")]);
    let answer = visitor.send("POST", &url, &[FORM], body.into_bytes()).await;
    assert_eq!(error_of(&answer), (401, "invalid_client".to_owned()));
    let basic = "Basic bGFiLWNvbmZpZGVudGlhbDpsYWItY29uZmlkZW50aWFsLXNlY3JldC0wMTIzNDU2Nzg5";
    let body = encode(&[("token", &access)]);
    let headers = [FORM, ("authorization", basic)];
    let answer = visitor
        .send("POST", &url, &headers, body.into_bytes())
        .await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, r#"{"active":false}"#)
    );
}

#[tokio::test]
async fn the_resource_turns_away_what_is_no_good_token() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, refresh) = tokens(&mut visitor).await;
    let anonymous = visitor.mcp("", "tools/call").await;
    assert_eq!(anonymous.status, 401);
    let challenge = anonymous.header("www-authenticate");
    let metadata = visitor.url("/.well-known/oauth-protected-resource/mcp");
    assert!(challenge.starts_with(&format!("Bearer resource_metadata=\"{metadata}\"")));
    assert!(!challenge.contains("error"));
    let long = format!("Bearer {}", "A".repeat(16 * 1024));
    let dots = format!("Bearer {}", ".".repeat(10_000));
    let two = format!("Bearer {access}, Bearer {access}");
    for (authorization, says_why) in [
        ("Bearer", false),
        ("Basic YTpi", false),
        ("Bearer foo", true),
        ("Bearer a.b.c", true),
        (&format!("Bearer {refresh}"), true),
        (&two, true),
        (&long, true),
        (&dots, true),
        ("Bearer ü", true),
    ] {
        let answer = visitor.mcp(authorization, "tools/call").await;
        assert_eq!(answer.status, 401, "{authorization}");
        let said = answer.header("www-authenticate").contains("invalid_token");
        assert_eq!(said, says_why, "{authorization}");
    }
    let query = format!("{}?access_token={access}", visitor.lab.mcp());
    assert_eq!(
        visitor
            .send("POST", &query, &[JSON], b"{}".to_vec())
            .await
            .status,
        401
    );
    assert_eq!(visitor.works(&access).await, 200);
}

#[tokio::test]
async fn a_missing_scope_is_403_and_says_which() {
    let mut visitor = visit(&[], &[]).await;
    let api = visitor.lab.api();
    let code = visitor
        .code(&[("scope", "notes:read"), ("resource", &api)])
        .await;
    let granted = visitor.redeem(&code).await.json();
    let bearer = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), JSON];
    let answer = visitor
        .send("POST", &api, &headers, b"{\"text\":\"x\"}".to_vec())
        .await;
    assert_eq!(answer.status, 403);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\", scope=\"notes:write\""));
    assert!(challenge.contains("resource_metadata="));
}

#[tokio::test]
async fn registrations_are_checked_and_apart_from_each_other() {
    let mut visitor = visit(&[], &[]).await;
    let url = visitor.url("/register");
    for (wish, error) in [
        ("[]", "invalid_client_metadata"),
        ("{", "invalid_client_metadata"),
        ("{}", "invalid_redirect_uri"),
        (r#"{"redirect_uris":[]}"#, "invalid_redirect_uri"),
        (
            r#"{"redirect_uris":["http://a.test/"]}"#,
            "invalid_redirect_uri",
        ),
        (
            r#"{"redirect_uris":["https://a.test/"],"grant_types":["implicit"]}"#,
            "invalid_client_metadata",
        ),
        (
            r#"{"redirect_uris":["https://a.test/"],"response_types":["token"]}"#,
            "invalid_client_metadata",
        ),
        (
            r#"{"redirect_uris":["https://a.test/"],"logo_uri":"javascript:x"}"#,
            "invalid_client_metadata",
        ),
    ] {
        let answer = visitor
            .send("POST", &url, &[JSON], wish.as_bytes().to_vec())
            .await;
        assert_eq!(error_of(&answer), (400, error.to_owned()), "{wish}");
    }
    let mut clients = Vec::new();
    for _ in 0..2 {
        let wish = br#"{"redirect_uris":["https://a.test/cb"]}"#.to_vec();
        clients.push(visitor.send("POST", &url, &[JSON], wish).await.json());
    }
    assert_eq!(clients[0]["client_secret_expires_at"], 0);
    assert!(clients[0]["client_secret"].is_string());
    let place = clients[0]["registration_client_uri"].as_str().unwrap();
    let foreign = format!(
        "Bearer {}",
        clients[1]["registration_access_token"].as_str().unwrap()
    );
    for method in ["GET", "PUT", "DELETE"] {
        let headers = [("authorization", foreign.as_str()), JSON];
        let answer = visitor.send(method, place, &headers, b"{}".to_vec()).await;
        assert_eq!(answer.status, 401, "{method}");
    }
    let own = format!(
        "Bearer {}",
        clients[0]["registration_access_token"].as_str().unwrap()
    );
    let update =
        json!({ "client_id": clients[0]["client_id"], "redirect_uris": ["https://b.test/cb"] });
    let headers = [("authorization", own.as_str()), JSON];
    let answer = visitor
        .send("PUT", place, &headers, update.to_string().into_bytes())
        .await;
    assert_eq!(answer.json()["redirect_uris"], json!(["https://b.test/cb"]));
    assert_eq!(visitor.lab.registered_clients().len(), 2);
}
