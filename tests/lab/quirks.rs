//! Quirks on the wire: unusual, and as sound as without them.

use std::time::Duration;

use oaudit::lab::QUIRKS;

use crate::visitor::{CALLBACK, one_time_code, parameters, read_page, visit};

#[tokio::test]
async fn the_ordinary_flow_works_under_every_quirk() {
    // A page that a script builds takes a browser.
    for name in QUIRKS.iter().map(|q| q.name).filter(|name| *name != "scripted-login") {
        let mut visitor = visit(&[], &[name]).await;
        let callback = visitor.authorize(&[("state", "a&b \"c\"")]).await;
        let sent = parameters(&callback);
        assert_eq!(sent["state"], "a&b \"c\"", "{name}");
        assert_eq!(sent["iss"], visitor.lab.issuer(), "{name}");
        let granted = visitor.redeem(&sent["code"]).await.json();
        let access = granted["access_token"].as_str().unwrap();
        assert_eq!(visitor.works(access).await, 200, "{name}");
        let refresh = granted["refresh_token"].as_str().unwrap();
        assert_eq!(visitor.refresh(refresh, &[]).await.status, 200, "{name}");
        assert_eq!(visitor.works("foo").await, 401, "{name}");
    }
}

#[tokio::test]
async fn a_one_time_code_is_good_once() {
    let mut visitor = visit(&[], &["asks-for-code"]).await;
    let login = visitor.url("/login");
    let right = one_time_code();
    for (code, status) in [("000000x", 401), (right.as_str(), 303)] {
        let page = read_page(&visitor.ask(&[("prompt", "login")]).await.body);
        let fields = [page.pairs(), vec![("username", "alice"), ("password", "wonderland")]].concat();
        let page = read_page(&visitor.submit(&login, &fields).await.body);
        assert!(page.has("code"), "the password is right");
        let fields = [page.pairs(), vec![("code", code)]].concat();
        assert_eq!(visitor.submit(&login, &fields).await.status, status, "{code}");
    }
    let page = read_page(&visitor.ask(&[("prompt", "login")]).await.body);
    let fields = [page.pairs(), vec![("username", "alice"), ("password", "wonderland")]].concat();
    let page = read_page(&visitor.submit(&login, &fields).await.body);
    let again = [page.pairs(), vec![("code", right.as_str())]].concat();
    assert_eq!(visitor.submit(&login, &again).await.status, 401, "it was taken before");
}

#[tokio::test]
async fn a_login_that_becomes_wary() {
    let mut visitor = visit(&[], &["wary-login"]).await;
    let login = visitor.url("/login");
    let mut body = visitor.ask(&[]).await.body;
    let plain = [("username", "alice"), ("password", "wonderland"), ("challenge", "twelve")];
    let wary = [("identifier", "alice"), ("passphrase", "wonderland"), ("challenge", "twelve")];
    for (fields, status) in [
        (&[("username", "alice"), ("password", "looking-glass")][..], 401),
        (&[("username", "alice"), ("password", "")], 401),
        (&[("username", "nobody"), ("password", "wonderland")], 401),
        // Now it is another page.
        (&plain, 401),
        (&wary[..2], 401),
        (&wary, 303),
    ] {
        let form = read_page(&body);
        let answer = visitor.submit(&login, &[&form.pairs()[..], fields].concat()).await;
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.body);
        body = answer.body;
    }
    let body = visitor.ask(&[("prompt", "login")]).await.body;
    assert!(body.contains("name=\"username\""), "a right password makes it trust again: {body}");
}

#[tokio::test]
async fn a_login_that_is_handed_on() {
    let mut visitor = visit(&[], &["login-307"]).await;
    let login = visitor.url("/login");
    let page = read_page(&visitor.ask(&[]).await.body);
    let fields = |password| [page.pairs(), vec![("username", "alice"), ("password", password)]].concat();
    assert_eq!(visitor.submit(&login, &fields("looking-glass")).await.status, 401);
    let answer = visitor.submit(&login, &fields("wonderland")).await;
    assert_eq!(answer.status, 307, "a browser repeats the form at the client");
    assert!(answer.header("location").starts_with(&format!("{CALLBACK}?code=")), "{}", answer.header("location"));
    assert_eq!(visitor.ask(&[]).await.status, 302, "whoever is signed in posts nothing");
}

#[tokio::test]
async fn grants_that_end_each_other() {
    let mut visitor = visit(&[], &["single-grant"]).await;
    let (_, first, _) = visitor.tokens(&[]).await;
    let (_, second, _) = visitor.tokens(&[]).await;
    assert_eq!(visitor.works(&first).await, 401);
    assert_eq!(visitor.works(&second).await, 200);

    let mut visitor = visit(&[], &["shared-grant"]).await;
    let (_, first, _) = visitor.tokens(&[]).await;
    let (code, second, _) = visitor.tokens(&[]).await;
    assert_eq!(visitor.works(&first).await, 200);
    assert_eq!(visitor.redeem(&code).await.status, 400);
    assert_eq!(visitor.works(&first).await, 401);
    assert_eq!(visitor.works(&second).await, 401);
    let page = visitor.ask(&[]).await;
    assert_eq!(read_page(&page.body).action, "/consent");
}

#[tokio::test]
async fn the_sign_in() {
    let mut visitor = visit(&[], &["session-forgotten"]).await;
    visitor.code(&[]).await;
    visitor.code(&[]).await;
    assert_eq!(visitor.lab.logins(), 2);
    let mut visitor = visit(&[], &["two-step-login"]).await;
    let page = visitor.ask(&[]).await;
    assert!(!page.body.contains("password\""));
    for quirk in ["meta-refresh", "self-submitting"] {
        let mut visitor = visit(&[], &[quirk]).await;
        visitor.code(&[("scope", "notes:read")]).await;
        let page = visitor.ask(&[]).await;
        let form = read_page(&page.body);
        let mut fields = form.pairs();
        fields.push(("decision", "allow"));
        let consent = visitor.url("/consent");
        assert_eq!(visitor.submit(&consent, &fields).await.status, 200, "{quirk}");
    }
}

#[tokio::test]
async fn registration() {
    let wish =
        |uri: &str, kind: &str| format!(r#"{{"redirect_uris":["{uri}"],"application_type":"{kind}"}}"#).into_bytes();
    let json = [("content-type", "application/json")];
    let mut visitor = visit(&[], &["registration-picky"]).await;
    let url = visitor.url("/register");
    for (uri, kind, status) in [
        ("http://127.0.0.1/cb", "native", 201),
        ("http://127.0.0.1/cb", "web", 400),
        ("https://a.test/cb", "native", 400),
    ] {
        let answer = visitor.send("POST", &url, &json, wish(uri, kind)).await;
        assert_eq!(answer.status, status, "{uri} {kind}");
    }
    let mut visitor = visit(&[], &["no-registration"]).await;
    let url = visitor.url("/register");
    let answer = visitor.send("POST", &url, &json, wish("https://a.test/", "web")).await;
    assert_eq!(answer.status, 404);
    let url = visitor.url("/.well-known/oauth-authorization-server");
    assert_eq!(visitor.get(&url).await.json().get("registration_endpoint"), None);
}

#[tokio::test]
async fn the_token_endpoint() {
    let mut visitor = visit(&[], &["rate-limited"]).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let answer = visitor.refresh("x", &[]).await;
        statuses.push((answer.status, answer.header("retry-after").to_owned()));
    }
    assert!(statuses[..6].iter().all(|(status, _)| *status == 400));
    assert_eq!(statuses[6], (429, "1".to_owned()));
    let mut visitor = visit(&[], &["invalid-grant-401"]).await;
    let answer = visitor.refresh("x", &[]).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("invalid_grant")));

    for wait in [0, 3] {
        let mut visitor = visit(&[], &["refresh-grace"]).await;
        let (_, _, old) = visitor.tokens(&[]).await;
        let next = visitor.refresh(&old, &[]).await.json();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(wait)).await;
        tokio::time::resume();
        let expected = if wait == 0 { 200 } else { 400 };
        assert_eq!(visitor.refresh(&old, &[]).await.status, expected);
        let next = next["refresh_token"].as_str().unwrap();
        assert_eq!(visitor.refresh(next, &[]).await.status, expected);
        assert_eq!(visitor.refresh(&old, &[]).await.status, 400, "once more, not twice");
    }
}

#[tokio::test]
async fn the_mcp_endpoint_and_unknown_paths() {
    let mut visitor = visit(&[], &["mixed-auth"]).await;
    assert_eq!(visitor.mcp("", "initialize").await.status, 200);
    assert_eq!(visitor.mcp("", "tools/list").await.status, 200);
    assert_eq!(visitor.mcp("Bearer foo", "tools/list").await.status, 401);
    assert_eq!(visitor.mcp("", "tools/call").await.status, 401);
    let mut visitor = visit(&[], &["sse"]).await;
    let (_, access, _) = visitor.tokens(&[]).await;
    let answer = visitor.mcp(&format!("Bearer {access}"), "tools/list").await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert!(answer.body.starts_with("event: message\ndata: {"));
    let mut visitor = visit(&[], &["catch-all-html"]).await;
    let url = visitor.url("/.well-known/openid-configuration");
    let answer = visitor.get(&url).await;
    assert_eq!((answer.status, &answer.header("content-type")[..9]), (200, "text/html"));
}
