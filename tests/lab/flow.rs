//! The sound lab from registration to deletion, and what its authorization and registration endpoints refuse.

use oaudit::lab::LabOptions;
use serde_json::json;

use crate::visitor::{JSON, VERIFIER, parameters, visit, visit_with};

/// From registration to deletion, with every kind of token.
async fn complete_flow(opaque: bool) {
    let mut visitor = visit_with(LabOptions { opaque, ..LabOptions::default() }).await;
    let wish = json!({
        "client_name": "<b>Tests</b>",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none",
        "scope": "notes:read notes:write made:up",
        "client_id": "admin",
    });
    let url = visitor.url("/register");
    let registered = visitor.send("POST", &url, &[JSON], wish.to_string().into_bytes()).await;
    assert_eq!(registered.status, 201);
    assert_eq!(registered.header("cache-control"), "no-store");
    let client = registered.json();
    let id = client["client_id"].as_str().unwrap();
    assert!(id.starts_with("client-"));
    assert_eq!(client["scope"], "notes:read notes:write");
    assert_eq!(client.get("client_secret"), None);
    assert_eq!(visitor.lab.registered_clients(), [id]);

    let api = visitor.lab.api();
    let callback = visitor.authorize(&[("client_id", id), ("resource", &api)]).await;
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
    let read = visitor.send("GET", &api, &[("authorization", &bearer)], Vec::new()).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.json()["notes"][0], "The first note of alice");
    let written = visitor.send("POST", &api, &[("authorization", &bearer), JSON], br#"{"text":"x"}"#.to_vec()).await;
    assert_eq!(written.status, 201);
    assert_eq!(visitor.works(access).await, 401, "the token is for the API");

    let old = first["refresh_token"].as_str().unwrap();
    let refresh = |token: &str| {
        let pairs = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", token)];
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
    let dead = visitor.send("GET", &api, &[("authorization", &bearer)], Vec::new()).await;
    assert_eq!(dead.status, 401);
    assert!(dead.header("www-authenticate").contains("error=\"invalid_token\""));

    let secrets = visitor.lab.issued_secrets();
    let rat = client["registration_access_token"].as_str().unwrap();
    for secret in
        [rat, access, &answer["code"], VERIFIER, "wonderland"].into_iter().chain(tokens.iter().map(String::as_str))
    {
        assert!(secrets.iter().any(|s| s == secret), "{secret}");
    }
    assert!(visitor.cookies.values().all(|c| secrets.contains(c)));

    let place = client["registration_client_uri"].as_str().unwrap();
    let deletion = format!("Bearer {rat}");
    let gone = visitor.send("DELETE", place, &[("authorization", &deletion)], Vec::new()).await;
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
        (("request_uri", "http://127.0.0.1/x"), "request_uri_not_supported"),
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
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{change:?}");
    }
    let twice = visitor.ask(&[("scope", "notes:read"), ("scope", "notes:read")]).await;
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
async fn registrations_are_checked_and_apart_from_each_other() {
    let mut visitor = visit(&[], &[]).await;
    let url = visitor.url("/register");
    for (wish, error) in [
        ("[]", "invalid_client_metadata"),
        ("{", "invalid_client_metadata"),
        ("{}", "invalid_redirect_uri"),
        (r#"{"redirect_uris":[]}"#, "invalid_redirect_uri"),
        (r#"{"redirect_uris":["http://a.test/"]}"#, "invalid_redirect_uri"),
        (r#"{"redirect_uris":["https://a.test/"],"grant_types":["implicit"]}"#, "invalid_client_metadata"),
        (r#"{"redirect_uris":["https://a.test/"],"response_types":["token"]}"#, "invalid_client_metadata"),
        (r#"{"redirect_uris":["https://a.test/"],"logo_uri":"javascript:x"}"#, "invalid_client_metadata"),
    ] {
        let answer = visitor.send("POST", &url, &[JSON], wish.as_bytes().to_vec()).await;
        assert_eq!(answer.error(), (400, error.to_owned()), "{wish}");
    }
    let mut clients = Vec::new();
    for _ in 0..2 {
        let wish = br#"{"redirect_uris":["https://a.test/cb"]}"#.to_vec();
        clients.push(visitor.send("POST", &url, &[JSON], wish).await.json());
    }
    assert_eq!(clients[0]["client_secret_expires_at"], 0);
    assert!(clients[0]["client_secret"].is_string());
    let place = clients[0]["registration_client_uri"].as_str().unwrap();
    let foreign = format!("Bearer {}", clients[1]["registration_access_token"].as_str().unwrap());
    for method in ["GET", "PUT", "DELETE"] {
        let headers = [("authorization", foreign.as_str()), JSON];
        let answer = visitor.send(method, place, &headers, b"{}".to_vec()).await;
        assert_eq!(answer.status, 401, "{method}");
    }
    let own = format!("Bearer {}", clients[0]["registration_access_token"].as_str().unwrap());
    let update = json!({ "client_id": clients[0]["client_id"], "redirect_uris": ["https://b.test/cb"] });
    let headers = [("authorization", own.as_str()), JSON];
    let answer = visitor.send("PUT", place, &headers, update.to_string().into_bytes()).await;
    assert_eq!(answer.json()["redirect_uris"], json!(["https://b.test/cb"]));
    assert_eq!(visitor.lab.registered_clients().len(), 2);
}
