//! Login and consent as a browser meets them, and as another site would abuse them.

use oaudit::lab::LabOptions;

use crate::visitor::{parameters, read_page, visit, visit_with};

#[tokio::test]
async fn pages_are_framed_by_nobody_and_cached_nowhere() {
    let mut visitor = visit(&[], &[]).await;
    let page = visitor.ask(&[("state", "<b>"), ("scope", "notes:read")]).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let cookie = page.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    assert!(!page.body.contains("<b>"));
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again() {
    let mut visitor = visit(&[], &[]).await;
    let page = visitor.ask(&[]).await;
    let page = read_page(&page.body);
    let mut fields = page.pairs();
    fields.extend([("username", "alice"), ("password", "looking-glass")]);
    let login = visitor.url("/login");
    let answer = visitor.submit(&login, &fields).await;
    assert_eq!(answer.status, 401);
    assert_eq!(read_page(&answer.body).action, "/login");
    assert_eq!(visitor.lab.logins(), 0);
}

#[tokio::test]
async fn consent_is_remembered_for_its_scopes_and_asked_for_more() {
    let mut visitor = visit(&[], &[]).await;
    visitor.code(&[("scope", "notes:read")]).await;
    let silent = visitor.ask(&[("scope", "notes:read")]).await;
    assert!(parameters(silent.header("location")).contains_key("code"));
    let none = visitor.ask(&[("prompt", "none")]).await;
    assert_eq!(parameters(none.header("location"))["error"], "consent_required");
    for (changes, action) in [
        (vec![("scope", "notes:write")], "/consent"),
        (vec![("client_id", "lab-public-b"), ("scope", "notes:read")], "/consent"),
        (vec![("prompt", "consent"), ("scope", "notes:read")], "/consent"),
        (vec![("prompt", "login"), ("scope", "notes:read")], "/login"),
        (vec![("max_age", "0"), ("scope", "notes:read")], "/login"),
    ] {
        let page = visitor.ask(&changes).await;
        assert_eq!(read_page(&page.body).action, action, "{changes:?}");
    }
    assert_eq!(visitor.lab.logins(), 1);
}

#[tokio::test]
async fn deny_stands_first_and_is_reported() {
    let mut visitor = visit(&[], &[]).await;
    visitor.code(&[("scope", "notes:read")]).await;
    let page = visitor.ask(&[]).await;
    assert!(page.body.find("value=\"deny\"") < page.body.find("value=\"allow\""));
    assert!(page.body.contains("lab-public") && page.body.contains("127.0.0.1"));
    let form = read_page(&page.body);
    let mut fields = form.pairs();
    fields.push(("decision", "deny"));
    let consent = visitor.url("/consent");
    let answer = visitor.submit(&consent, &fields).await;
    assert_eq!(answer.status, 303);
    let sent = parameters(answer.header("location"));
    assert_eq!(sent["error"], "access_denied");
    assert_eq!(sent["state"], "the-state");
}

#[tokio::test]
async fn a_form_of_another_browser_is_worth_nothing() {
    let mut visitor = visit(&[], &[]).await;
    visitor.code(&[("scope", "notes:read")]).await;
    let victim = visitor.cookies.clone();
    visitor.cookies.clear();
    visitor.code(&[("scope", "notes:read")]).await;
    let page = visitor.ask(&[]).await;
    visitor.cookies = victim;
    let form = read_page(&page.body);
    let mut fields = form.pairs();
    fields.push(("decision", "allow"));
    let consent = visitor.url("/consent");
    let answer = visitor.submit(&consent, &fields).await;
    assert_eq!((answer.status, answer.header("location")), (400, ""));
}

#[tokio::test]
async fn auto_consent_needs_no_page() {
    let mut visitor = visit_with(LabOptions { auto_consent: true, ..LabOptions::default() }).await;
    let answer = visitor.ask(&[]).await;
    let code = parameters(answer.header("location")).remove("code").unwrap();
    assert_eq!(visitor.redeem(&code).await.status, 200);
    assert_eq!(visitor.lab.logins(), 0);
}
