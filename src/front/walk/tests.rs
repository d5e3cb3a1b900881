//! Hops, pages and landings against a server of a few lines.

use super::super::html::Sheet;
use super::super::small_server::{Small, page, redirect, typed, with};
use super::*;

const HOME: &str = "http://127.0.0.1:8765/callback";

async fn lands(small: &Small) -> Landing {
    as_stranger(&small.wire, &small.request(), None).await.unwrap()
}

async fn returned(small: &Small) -> Returned {
    match lands(small).await {
        Landing::Returned(returned) => returned,
        other => panic!("{other:?}"),
    }
}

async fn ended(small: &Small) -> Page {
    match lands(small).await {
        Landing::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_stops_before_the_redirect_uri_and_keeps_the_address_as_sent() {
    // Nobody listens at the redirect URI: following it would be an error.
    let small = Small::serve(|seen| match seen.path.as_str() {
        "/authorize" => with(redirect(302, "step?x=1"), "set-cookie", "__Host-t=1; Secure; Path=/"),
        _ if seen.cookie == "__Host-t=1" => redirect(303, &format!("{HOME}?code=c%2f1&state=OURSTATE")),
        _ => page(400, "no cookie"),
    })
    .await;
    let returned = returned(&small).await;
    assert_eq!(returned.url, format!("{HOME}?code=c%2f1&state=OURSTATE"));
    assert_eq!(returned.exchange, small.wire.ledger().all().last().map(|e| e.id));
    assert_eq!(small.lines(), ["GET /authorize", "GET /step"]);
}

#[tokio::test]
async fn answers_that_go_elsewhere_are_landings_and_requests_that_are_passed_on_are_not() {
    for to in [
        "https://evil.example/?code=abc",
        "https://evil.example/?a=OURSTATE",
        "https://evil.example/#access_token=x",
        "com.example.app:/cb?error=x",
        "http://127.0.0.1:8765/other?error=invalid_request",
    ] {
        let small = Small::serve(move |_| redirect(302, to)).await;
        assert_eq!(returned(&small).await.url, to);
    }
    let other = Small::serve(|_| page(200, "<form><input type=password name=p></form>")).await;
    let base = other.base.clone();
    let small = Small::serve(move |seen| redirect(302, &format!("{base}/login?{}", seen.query))).await;
    assert_eq!(ended(&small).await.kind, PageKind::Login);
    assert_eq!(other.lines(), ["GET /login"]);
}

#[tokio::test]
async fn endless_redirects_and_endless_pages_end() {
    let small = Small::serve(|_| redirect(302, "/authorize?again")).await;
    assert!(matches!(lands(&small).await, Landing::NeverCameBack(why) if why.contains("more than 20 times")));
    assert_eq!(small.seen().len(), 21);
    let small = Small::serve(|_| page(200, "<meta http-equiv=refresh content='0;url=/authorize'>")).await;
    assert!(matches!(lands(&small).await, Landing::NeverCameBack(why) if why.contains("12 pages")));
    assert_eq!(small.seen().len(), 12);
}

#[tokio::test]
async fn a_location_beside_another_status_is_no_redirect() {
    for status in [200, 400] {
        let small = Small::serve(move |_| with(page(status, "<p>invalid_request: no"), "location", HOME)).await;
        let page = ended(&small).await;
        assert_eq!((page.status, page.kind), (status, PageKind::Error));
        assert_eq!(page.says, "invalid_request: no");
        assert!(page.exchange.is_some());
    }
}

#[tokio::test]
async fn pages_that_bring_the_answer_are_landings() {
    let answer = format!("{HOME}?code=c1&state=OURSTATE");
    let escaped = answer.replace('&', "&amp;");
    let pages = [
        page(200, format!("<meta http-equiv=refresh content='0;url={escaped}'>")),
        page(
            200,
            format!(
                "<form method=post action={HOME}><input type=hidden name=code value=c1><input type=hidden name=state value=OURSTATE></form><script>document.forms[0].submit()</script>"
            ),
        ),
        page(200, format!("<p>One moment</p><script>window.location.href='{answer}'</script>")),
        page(200, format!("<p>Done. <a href='{escaped}'>Return to the application</a>")),
        with(page(200, "Done"), "refresh", &format!("1;url={answer}")),
        typed(200, "application/json", format!(r#"{{"redirect":true,"url":"{answer}"}}"#)),
        // The refusal that takes the browser to the redirect URI is a redirect as well.
        page(400, format!("<title>Error</title><meta http-equiv=refresh content='3;url={escaped}'>")),
    ];
    for (at, answered) in pages.into_iter().enumerate() {
        let (parts, body) = answered.into_parts();
        let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        let small =
            Small::serve(move |_| axum::response::Response::from_parts(parts.clone(), body.clone().into())).await;
        let returned = returned(&small).await;
        assert_eq!((returned.url.as_str(), returned.get("code")), (answer.as_str(), Some("c1")), "page {at}");
        assert_eq!(small.seen().len(), 1);
    }
}

#[tokio::test]
async fn pages_that_wait_for_a_person_are_pages() {
    let table = [
        (
            page(
                200,
                format!(
                    "<form method=post><button>Allow</button></form><a href='{HOME}?error=access_denied&state=OURSTATE'>Cancel</a>"
                ),
            ),
            PageKind::Consent,
        ),
        (
            page(
                200,
                format!(
                    "<form><input type=password name=p></form><meta http-equiv=refresh content='900;url={HOME}?error=x'>"
                ),
            ),
            PageKind::Login,
        ),
        (page(403, "<h1>Forbidden</h1><meta http-equiv=refresh content='5;url=/login'>"), PageKind::Error),
        (
            typed(400, "application/json", r#"{"error":"invalid_request","error_description":"no redirect_uri"}"#),
            PageKind::Error,
        ),
        (
            typed(
                200,
                "application/json",
                r#"{"error":"invalid_request","redirect_uri":"http://127.0.0.1:8765/callback"}"#,
            ),
            PageKind::Error,
        ),
        (typed(200, "text/plain", "hello"), PageKind::Unknown),
    ];
    for (answered, kind) in table {
        let (parts, body) = answered.into_parts();
        let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        let shown = String::from_utf8_lossy(&body).into_owned();
        let small =
            Small::serve(move |_| axum::response::Response::from_parts(parts.clone(), body.clone().into())).await;
        assert_eq!(ended(&small).await.kind, kind, "{shown}");
    }
}

async fn posts(small: &Small, secret: bool) -> Stop {
    let request = small.request();
    let mut jar = Jar::default();
    let mut walker = Walker::new(&small.wire, &request, &mut jar, None);
    let sheet = Sheet::read(
        "<form method=post action=/post><input name=a value='1 2'></form>",
        &format!("{}/p?q=1#f", small.base),
    );
    let step = Step::send(&sheet.forms[0], None, vec![("a".into(), "1 2".into())]);
    walker.go(step.from(&format!("{}/p?q=1#f", small.base)).holding_secret(secret)).await.unwrap()
}

#[tokio::test]
async fn redirects_after_a_post_follow_the_rules_of_browsers() {
    for (status, second) in
        [(301, "GET /end"), (302, "GET /end"), (303, "GET /end"), (307, "POST /end a=1+2"), (308, "POST /end a=1+2")]
    {
        let small =
            Small::serve(move |seen| if seen.path == "/post" { redirect(status, "/end") } else { page(200, "end") })
                .await;
        assert!(matches!(posts(&small, true).await, Stop::At(_)));
        assert_eq!(small.lines(), ["POST /post a=1+2", second], "{status}");
        let first = &small.seen()[0];
        assert_eq!(
            (first.origin.as_str(), first.referer.as_str()),
            (small.base.as_str(), format!("{}/p?q=1", small.base).as_str())
        );
    }
}

#[tokio::test]
async fn a_password_is_not_carried_to_another_origin() {
    let other = Small::serve(|_| page(200, "thanks")).await;
    for status in [307, 308] {
        let to = format!("{}/take", other.base);
        let small = Small::serve(move |_| redirect(status, &to)).await;
        assert!(
            matches!(posts(&small, true).await, Stop::Landed(Landing::NeverCameBack(why)) if why.contains("password"))
        );
        assert_eq!(other.seen().len(), 0);
    }
    let to = format!("{}/take", other.base);
    let small = Small::serve(move |_| redirect(303, &to)).await;
    assert!(matches!(posts(&small, true).await, Stop::At(_)));
    assert_eq!(other.lines(), ["GET /take"]);
    assert_eq!(other.seen()[0].referer, format!("{}/", small.base));
}

#[tokio::test]
async fn a_login_that_is_left_to_another_server_comes_back_with_a_code_of_its_own() {
    let other = Small::serve(|seen| {
        let query = Returned::read(&format!("?{}", seen.query), None);
        redirect(302, &format!("{}?code=theirs&state=x", query.get("redirect_uri").unwrap()))
    })
    .await;
    // The authorization server takes the answer at a third origin.
    let third = Small::serve(|_| redirect(302, &format!("{HOME}?code=ours&state=OURSTATE"))).await;
    let to = format!("{}/authorize?response_type=code&client_id=as&redirect_uri={}/back", other.base, third.base);
    let small = Small::serve(move |_| redirect(302, &to)).await;
    assert_eq!(returned(&small).await.get("code"), Some("ours"));
    assert_eq!(third.lines(), ["GET /back"]);
}
