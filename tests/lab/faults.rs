//! Faults on the wire: each does what it says, and the ordinary flow goes on beside it.

use oaudit::lab::FAULTS;

use crate::visitor::{parameters, visit};

#[tokio::test]
async fn the_ordinary_flow_works_under_every_fault_but_those_against_it() {
    for name in FAULTS.iter().map(|f| f.name) {
        let mut visitor = visit(&[name], &[]).await;
        let asked: &[(&str, &str)] = if name == "openid-required" { &[("scope", "openid notes:read")] } else { &[] };
        let code = visitor.code(asked).await;
        let granted = visitor.redeem(&code).await;
        if name == "code-flow-broken" {
            assert_eq!(granted.status, 400);
            continue;
        }
        assert_eq!(granted.status, 200, "{name}");
        let granted = granted.json();
        let status = visitor.works(granted["access_token"].as_str().unwrap()).await;
        let expected = if name == "valid-token-refused" { 401 } else { 200 };
        assert_eq!(status, expected, "{name}");
        let refresh = granted["refresh_token"].as_str();
        assert_eq!(refresh.is_none(), name == "no-refresh-token", "{name}");
        if let Some(refresh) = refresh {
            let refreshed = visitor.refresh(refresh, &[]).await;
            assert_eq!(refreshed.status, 200, "{name}");
            let token = refreshed.json()["access_token"].as_str().unwrap().to_owned();
            let dead = ["valid-token-refused", "refresh-yields-dead-token"].contains(&name);
            let expected = if dead { 401 } else { 200 };
            assert_eq!(visitor.works(&token).await, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn the_resource_without_credentials() {
    for (fault, status, challenged) in
        [("challenge-403", 403, true), ("open-resource", 200, false), ("no-challenge", 401, false)]
    {
        let mut visitor = visit(&[fault], &[]).await;
        let answer = visitor.mcp("", "tools/call").await;
        assert_eq!(answer.status, status, "{fault}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), challenged, "{fault}");
        assert_eq!(visitor.works("foo").await, 401, "{fault}");
    }
    let mut visitor = visit(&["challenge-without-metadata"], &[]).await;
    let answer = visitor.mcp("", "tools/call").await;
    assert!(answer.header("www-authenticate").starts_with("Bearer realm="));
    assert!(!answer.header("www-authenticate").contains("resource_metadata"));
    let mut visitor = visit(&["bad-token-500"], &[]).await;
    assert_eq!(visitor.works("foo").await, 500);
    assert_eq!(visitor.mcp("Basic YTpi", "tools/call").await.status, 401);
}

#[tokio::test]
async fn the_answers_of_the_authorization_endpoint() {
    let long = "s".repeat(512);
    let change = [("state", long.as_str())];
    let mut visitor = visit(&["state-truncated"], &[]).await;
    assert_eq!(parameters(&visitor.authorize(&change).await)["state"].len(), 128);
    let mut visitor = visit(&["state-mangled"], &[]).await;
    let callback = visitor.authorize(&[("state", "a+b%41&c")]).await;
    assert_eq!(parameters(&callback)["state"], "a bA&c");
    for (fault, missing) in [("state-lost-on-error", "state"), ("iss-missing-on-error", "iss")] {
        let mut visitor = visit(&[fault], &[]).await;
        assert!(parameters(&visitor.authorize(&[]).await).contains_key(missing));
        let refused = visitor.ask(&[("scope", "x")]).await;
        assert!(!parameters(refused.header("location")).contains_key(missing));
    }
    let mut visitor = visit(&["token-beside-code"], &[]).await;
    let sent = parameters(&visitor.authorize(&[]).await);
    assert!(sent.contains_key("code"));
    assert_eq!(visitor.works(&sent["access_token"]).await, 200);
    let mut visitor = visit(&["implicit-alive"], &[]).await;
    for kind in ["token", "id_token token"] {
        let changes = [("response_type", kind), ("code_challenge", "")];
        let callback = visitor.authorize(&changes).await;
        assert!(callback.contains("#access_token="), "{callback}");
    }
    let both = visitor.ask(&[("response_type", "code token")]).await;
    assert!(both.header("location").contains("unsupported_response_type"));
    let mut visitor = visit(&["redirect-any-host"], &[]).await;
    let evil = "http://evil.test/callback";
    assert!(visitor.authorize(&[("redirect_uri", evil)]).await.starts_with(evil));
    let mut visitor = visit(&["scope-request-ignored"], &[]).await;
    let code = visitor.code(&[("scope", "notes:read")]).await;
    assert_eq!(visitor.redeem(&code).await.json().get("scope"), None);
    let mut visitor = visit(&["unknown-scope-granted"], &[]).await;
    let code = visitor.code(&[("scope", "notes:read made:up")]).await;
    assert_eq!(visitor.redeem(&code).await.json()["scope"], "notes:read made:up");
}

#[tokio::test]
async fn codes_and_verifiers() {
    let redeem = |code: String, verifier: &'static str| {
        [
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", "lab-public".to_owned()),
            ("code", code),
            ("code_verifier", verifier.to_owned()),
        ]
    };
    let other = "another-verifier-0123456789-0123456789-0123";
    for (fault, without, wrong) in [("verifier-optional", 200, 400), ("verifier-ignored", 400, 200)] {
        let mut visitor = visit(&[fault], &[]).await;
        for (verifier, status) in [("", without), (other, wrong)] {
            let fields = redeem(visitor.code(&[]).await, verifier);
            let fields = fields.each_ref().map(|(n, v)| (*n, v.as_str()));
            assert_eq!(visitor.token(&fields).await.status, status, "{fault} {verifier}");
        }
    }
    let mut visitor = visit(&["pkce-optional"], &[]).await;
    let changes = [("code_challenge", ""), ("code_challenge_method", "")];
    for (verifier, status) in [("", 200), (other, 400)] {
        let fields = redeem(visitor.code(&changes).await, verifier);
        let fields = fields.each_ref().map(|(n, v)| (*n, v.as_str()));
        assert_eq!(visitor.token(&fields).await.status, status);
    }
    let mut visitor = visit(&["plain-accepted"], &[]).await;
    let changes = [("code_challenge", other), ("code_challenge_method", "plain")];
    let fields = redeem(visitor.code(&changes).await, other);
    let fields = fields.each_ref().map(|(n, v)| (*n, v.as_str()));
    assert_eq!(visitor.token(&fields).await.status, 200);

    for (fault, again) in [("code-reusable", 200), ("replay-keeps-tokens", 400)] {
        let mut visitor = visit(&[fault], &[]).await;
        let (code, access, _) = visitor.tokens(&[]).await;
        assert_eq!(visitor.redeem(&code).await.status, again, "{fault}");
        assert_eq!(visitor.works(&access).await, 200, "{fault}");
    }
}

#[tokio::test]
async fn the_token_endpoint() {
    let password = |name: &'static str| {
        [("grant_type", "password"), ("client_id", "lab-public"), ("username", "alice"), ("password", name)]
    };
    let mut visitor = visit(&["password-grant-alive"], &[]).await;
    let junk = visitor.token(&password("junk")).await;
    assert_eq!((junk.status, junk.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(visitor.token(&password("wonderland")).await.status, 200);
    let mut visitor = visit(&["wrong-error-codes"], &[]).await;
    let answer = visitor.token(&password("junk")).await;
    assert_eq!(answer.json()["error"], "invalid_request");
    let mut visitor = visit(&["token-500-on-garbage"], &[]).await;
    let url = visitor.url("/token");
    let json = [("content-type", "application/json")];
    assert_eq!(visitor.send("POST", &url, &json, b"{}".to_vec()).await.status, 500);
    let mut visitor = visit(&["expires-in-string"], &[]).await;
    let code = visitor.code(&[]).await;
    assert_eq!(visitor.redeem(&code).await.json()["expires_in"], "600");
    let mut visitor = visit(&["token-cacheable"], &[]).await;
    let code = visitor.code(&[]).await;
    assert_eq!(visitor.redeem(&code).await.header("cache-control"), "");
}

#[tokio::test]
async fn refreshing() {
    let mut visitor = visit(&["no-rotation"], &[]).await;
    let (_, _, refresh) = visitor.tokens(&[]).await;
    for _ in 0..2 {
        let answer = visitor.refresh(&refresh, &[]).await;
        assert_eq!((answer.status, answer.json().get("refresh_token")), (200, None));
    }
    for (fault, replay, successor) in [("old-refresh-token-alive", 200, 200), ("family-survives-reuse", 400, 200)] {
        let mut visitor = visit(&[fault], &[]).await;
        let (_, _, old) = visitor.tokens(&[]).await;
        let next = visitor.refresh(&old, &[]).await.json();
        let next = next["refresh_token"].as_str().unwrap();
        assert_eq!(visitor.refresh(&old, &[]).await.status, replay, "{fault}");
        assert_eq!(visitor.refresh(next, &[]).await.status, successor, "{fault}");
    }
    let mut visitor = visit(&["refresh-widens-scope"], &[]).await;
    let (_, _, refresh) = visitor.tokens(&[("scope", "notes:read")]).await;
    let wider = visitor.refresh(&refresh, &[("scope", "notes:read notes:write")]).await;
    assert_eq!(wider.json()["scope"], "notes:read notes:write");
    let mut visitor = visit(&["refresh-ignores-narrower-scope"], &[]).await;
    let (_, _, refresh) = visitor.tokens(&[]).await;
    let narrow = visitor.refresh(&refresh, &[("scope", "notes:read")]).await;
    assert_eq!((narrow.status, narrow.json().get("scope")), (200, None));
}

#[tokio::test]
async fn revoking() {
    let mut visitor = visit(&["revocation-spares-access-tokens"], &[]).await;
    let (_, access, refresh) = visitor.tokens(&[]).await;
    assert_eq!(visitor.revoke(&access, "lab-public").await.status, 200);
    assert_eq!(visitor.works(&access).await, 200);
    visitor.revoke(&refresh, "lab-public").await;
    assert_eq!(visitor.works(&access).await, 401, "that still cascades");
    let mut visitor = visit(&["revocation-spares-refresh-tokens"], &[]).await;
    let (_, access, refresh) = visitor.tokens(&[]).await;
    assert_eq!(visitor.revoke(&refresh, "lab-public").await.status, 200);
    assert_eq!(visitor.works(&access).await, 401);
    assert_eq!(visitor.refresh(&refresh, &[]).await.status, 200);
}

#[tokio::test]
async fn the_documents() {
    let server = "/.well-known/oauth-authorization-server";
    let resource = "/.well-known/oauth-protected-resource/mcp";
    for (fault, path, pointer, value) in [
        ("no-authorization-servers", resource, "/authorization_servers", "null"),
        ("missing-response-types", server, "/response_types_supported", "null"),
        ("member-of-wrong-type", server, "/scopes_supported", "\"notes:read notes:write\""),
        ("http-endpoint", server, "/userinfo_endpoint", "\"http://lab.invalid/userinfo\""),
        ("s256-unadvertised", server, "/code_challenge_methods_supported", "null"),
        ("plain-advertised", server, "/code_challenge_methods_supported", "[\"S256\",\"plain\"]"),
        ("implicit-advertised", server, "/response_types_supported", "[\"code\",\"token\"]"),
        ("refresh-unadvertised", server, "/grant_types_supported", "[\"authorization_code\"]"),
        ("revocation-unadvertised", server, "/revocation_endpoint", "null"),
        ("jwks-empty", "/jwks", "/keys", "[]"),
    ] {
        let mut visitor = visit(&[fault], &[]).await;
        let url = visitor.url(path);
        let document = visitor.get(&url).await.json();
        let found = document.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(found.to_string(), value, "{fault}");
    }
    for (fault, path, media_type) in
        [("no-metadata-type", resource, "text/plain"), ("server-metadata-type", server, "text/html")]
    {
        let mut visitor = visit(&[fault], &[]).await;
        let url = visitor.url(path);
        assert_eq!(visitor.get(&url).await.header("content-type"), media_type);
    }
    let mut visitor = visit(&["jwks-private-key"], &[]).await;
    let url = visitor.url("/jwks");
    assert!(visitor.get(&url).await.json()["keys"][0]["d"].is_string());
    let mut visitor = visit(&["resource-mismatch"], &[]).await;
    let url = visitor.url(resource);
    let named = visitor.get(&url).await.json()["resource"].as_str().unwrap().to_owned();
    assert_eq!(named, format!("{}/", visitor.lab.mcp()));
    let (_, access, _) = visitor.tokens(&[("resource", &named)]).await;
    assert_eq!(visitor.works(&access).await, 200);
    let mut visitor = visit(&["issuer-mismatch"], &[]).await;
    let issuer = format!("{}/", visitor.lab.issuer());
    let url = visitor.url(server);
    assert_eq!(visitor.get(&url).await.json()["issuer"], issuer.as_str());
    assert_eq!(parameters(&visitor.authorize(&[]).await)["iss"], issuer);
}
