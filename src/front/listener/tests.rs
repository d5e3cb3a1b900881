//! A browser is played by plain requests over the loopback.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Clocks that do not keep a test waiting, where the page's script is not played.
pub(crate) fn quick() -> Clocks {
    Clocks {
        settle: Duration::from_millis(30),
        poll: Duration::from_millis(150),
        pick_up: Duration::from_millis(50),
        rescue: Duration::from_millis(50),
        click: Duration::from_millis(50),
        stray: Duration::from_millis(50),
        ..Clocks::default()
    }
}

pub(crate) async fn send(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

pub(crate) async fn get(port: u16, path: &str) -> String {
    send(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")).await
}

async fn post(port: u16, path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    send(
        port,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ),
    )
    .await
}

/// What the page's script does: asks, with the page's address the first time.
pub(crate) async fn ask(port: u16, href: Option<&str>) -> Value {
    let answer = post(port, "/next", "application/json", &json!({ "href": href }).to_string()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_str(body).unwrap()
}

fn kinds(listener: &Listener) -> Vec<AnomalyKind> {
    listener.anomalies().iter().map(|a| a.kind).collect()
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_callback_is_delivered_without_a_script() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let waiting = listener.wait_for("s1", "https://as.example/authorize?state=s1");
    let start = get(port, "/window").await;
    assert!(start.contains("href=\"https://as.example/authorize?state=s1\""), "{start}");
    let page = get(port, "/callback?code=abc&state=s1").await;
    assert!(page.starts_with("HTTP/1.1 200"));
    let returned = waiting.returned().await;
    assert_eq!(returned.url, format!("{}?code=abc&state=s1", listener.redirect_uri()));
    assert_eq!(returned.get("code"), Some("abc"));
    assert!(listener.anomalies().is_empty());
}

#[tokio::test]
async fn every_answer_is_dressed_and_bare_of_cookies() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    for path in ["/", "/window", "/callback?code=a&state=b", "/favicon.ico"] {
        let head = get(port, path).await.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        for header in [
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "default-src 'none'; script-src 'nonce-",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(head.contains(header), "{path}: {header} is missing in {head}");
        }
        assert!(!head.contains("set-cookie") && !head.contains("cross-origin-opener-policy"), "{head}");
    }
    let nonce = |answer: String| answer.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let answer = get(port, "/").await;
    assert!(answer.contains(&format!("<script nonce=\"{}\">", nonce(answer.clone()))));
    assert_ne!(nonce(answer), nonce(get(port, "/").await));
}

#[tokio::test]
async fn one_page_makes_hop_after_hop() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let mut href = listener.start_page();
    for n in 1..=3 {
        listener.progress(n, 3);
        let (state, hop) = (format!("s{n}"), format!("http://as.example/authorize?n={n}"));
        let waiting = listener.wait_for(&state, &hop);
        let reply = ask(port, Some(&href)).await;
        assert_eq!(reply, json!({ "next": hop, "progress": format!("Step {n} of 3") }));
        let path = format!("/callback?code=code{n}&state={state}");
        assert!(get(port, &path).await.contains(&format!("Step {n} of 3")));
        href = format!("http://127.0.0.1:{port}{path}");
        // The script's report settles the answer: it may come with the question for the next hop.
        let (returned, _) =
            tokio::join!(waiting.returned(), async { if n == 3 { ask(port, Some(&href)).await } else { Value::Null } });
        assert_eq!(returned.get("code"), Some(format!("code{n}").as_str()));
    }
    assert_eq!(ask(port, None).await, json!({ "wait": true, "progress": "Step 3 of 3" }));
    let (last, ()) = tokio::join!(ask(port, None), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        listener.stop().await;
    });
    assert_eq!(last["end"], true);
    assert!(listener.anomalies().is_empty());
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn a_waiting_page_gets_a_hop_as_soon_as_there_is_one_and_only_once() {
    let listener = Listener::bind_with(None, Clocks { poll: Duration::from_secs(5), ..quick() }).unwrap();
    let port = listener.port();
    let (reply, _waiting) = tokio::join!(ask(port, None), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let waiting = listener.wait_for("s1", "http://as.example/a");
        waiting.handed().await;
        waiting
    });
    assert_eq!(reply["next"], "http://as.example/a");
    let again = tokio::time::timeout(Duration::from_millis(100), ask(port, None)).await;
    assert!(again.is_err(), "a hop that a page took is not given to another: {again:?}");
    // Whoever opens a window wants to get on: the one that took the hop may be gone.
    get(port, "/window").await;
    assert_eq!(ask(port, None).await["next"], "http://as.example/a");
}

#[tokio::test]
async fn a_fragment_is_reported_by_the_page() {
    let listener = Listener::bind_with(None, Clocks { settle: Duration::from_secs(20), ..quick() }).unwrap();
    let port = listener.port();
    let alone = listener.wait_for("s1", "http://as.example/");
    get(port, "/callback").await;
    let base = listener.redirect_uri();
    ask(port, Some(&format!("{base}#access_token=tok&state=s1"))).await;
    assert!(alone.returned().await.has_token());
    drop(alone);
    let beside = listener.wait_for("s2", "http://as.example/");
    get(port, "/callback?code=c&state=s2").await;
    ask(port, Some(&format!("{base}?code=c&state=s2#id_token=t"))).await;
    let returned = beside.returned().await;
    assert_eq!((returned.get("code"), returned.get("id_token")), (Some("c"), Some("t")));
    assert_eq!(returned.fragment.len(), 1);
    assert!(listener.anomalies().is_empty());
}

#[tokio::test]
async fn a_posted_answer_is_read_and_nothing_else_of_the_form() {
    let listener = Listener::bind_with(None, Clocks { settle: Duration::from_secs(20), ..quick() }).unwrap();
    let port = listener.port();
    let waiting = listener.wait_for("s1", "http://as.example/");
    let page = post(port, "/callback", FORM, "code=a%2Bb&state=s1&password=hunter2hunter2").await;
    assert!(page.contains("The answer arrived"), "{page}");
    ask(port, Some(&listener.redirect_uri())).await;
    let returned = waiting.returned().await;
    assert_eq!(returned.get("code"), Some("a+b"));
    assert!(!format!("{returned:?}{:?}", listener.anomalies()).contains("hunter2"));
    assert_eq!(kinds(&listener), [AnomalyKind::PasswordInForm]);
    let large = format!("code=c&state=s1&x={}", "x".repeat(1 << 20));
    assert!(post(port, "/callback", FORM, &large).await.starts_with("HTTP/1.1 413"));
    assert!(post(port, "/callback", "text/plain", "code=c").await.starts_with("HTTP/1.1 415"));
}

#[tokio::test]
async fn a_login_form_that_was_redirected_here_is_dropped_unread() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let waiting = listener.wait_for("s1", "http://as.example/");
    let page = post(port, "/callback?code=abc&state=s1", FORM, "username=alice&password=hunter2hunter2").await;
    assert!(page.starts_with("HTTP/1.1 200"));
    let returned = waiting.returned().await;
    assert_eq!(returned.query.len(), 2);
    assert!(!format!("{returned:?}{:?}{page}", listener.anomalies()).contains("hunter2"));
    assert_eq!(kinds(&listener), [AnomalyKind::BodyBesideAnswer]);
}

#[tokio::test]
async fn what_does_not_belong_to_the_visit_is_noted_and_not_counted() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    drop(listener.wait_for("gone", "http://as.example/"));
    let waiting = listener.wait_for("s1", "http://as.example/");
    get(port, "/callback?code=secret-code-1&state=guessed").await;
    get(port, "/callback?code=secret-code-2").await;
    get(port, "/callback?error=access_denied&state=gone").await;
    get(port, "/callback").await;
    get(port, "/favicon.ico").await;
    assert_eq!(kinds(&listener), [AnomalyKind::UnknownState, AnomalyKind::NoState, AnomalyKind::Late]);
    assert!(!format!("{:?}", listener.anomalies()).contains("secret-code"));
    let unseen = tokio::time::timeout(Duration::from_millis(50), waiting.strayed()).await;
    assert!(unseen.is_err(), "no window of the browser stands there");
    ask(port, Some(&format!("{}?code=secret-code-2", listener.redirect_uri()))).await;
    assert!(waiting.strayed().await.contains("without the state"));
    let nothing = tokio::time::timeout(Duration::from_millis(100), waiting.returned()).await;
    assert!(nothing.is_err());
    get(port, "/callback?code=true-code&state=s1").await;
    assert_eq!(waiting.returned().await.get("code"), Some("true-code"));
}

#[tokio::test]
async fn a_second_delivery_is_the_same_visit_unless_the_code_differs() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let waiting = listener.wait_for("s1", "http://as.example/");
    get(port, "/callback?code=a&state=s1").await;
    get(port, "/callback?code=a&state=s1").await;
    assert_eq!(waiting.returned().await.get("code"), Some("a"));
    drop(waiting);
    get(port, "/callback?code=a&state=s1").await;
    assert!(listener.anomalies().is_empty());
    get(port, "/callback?code=b&state=s1").await;
    assert_eq!(kinds(&listener), [AnomalyKind::SecondAnswer]);
}

#[tokio::test]
async fn odd_requests_have_odd_answers() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    // No state was sent, so none is awaited; and the path is not the registered one.
    let stateless = listener.wait_for("", "http://as.example/");
    get(port, "/callback/../other?code=a").await;
    assert_eq!(stateless.returned().await.place(), format!("http://127.0.0.1:{port}/callback/../other"));
    drop(stateless);
    // Nothing but the state came back.
    let bare = listener.wait_for("s2", "http://as.example/");
    get(port, "/callback?state=s2").await;
    assert_eq!(bare.returned().await.query.len(), 1);
    assert!(listener.anomalies().is_empty());
}

#[tokio::test]
async fn other_hosts_and_other_origins_are_refused() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let waiting = listener.wait_for("s1", "http://as.example/secret-hop");
    for host in [format!("Host: evil.example:{port}\r\n"), "Host: 127.0.0.1:1\r\n".into(), String::new()] {
        let path = "/callback?code=a&state=s1";
        let answer = send(port, &format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(kinds(&listener), [AnomalyKind::ForeignHost]);
    let simple = post(port, "/next", "text/plain", "{}").await;
    assert!(simple.starts_with("HTTP/1.1 415") && !simple.contains("secret-hop"));
    let preflight = format!("OPTIONS /next HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    let preflight = send(port, &preflight).await;
    assert!(preflight.starts_with("HTTP/1.1 405") && !preflight.to_lowercase().contains("access-control"));
    let local =
        format!("GET /callback?code=a&state=s1 HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    send(port, &local).await;
    assert_eq!(waiting.returned().await.place(), format!("http://localhost:{port}/callback"));
}

#[tokio::test]
async fn markup_in_an_answer_stays_inert() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let _waiting = listener.wait_for("s1", "http://as.example/\"><script>alert(1)</script>");
    let attack =
        "error=%3Cimg%20src=x%3E&error_description=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E%7B%7Bnonce%7D%7D";
    assert!(!get(port, "/window").await.contains("<script>alert"));
    let page = get(port, &format!("/callback?{attack}&state=s1")).await;
    assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{nonce}}"), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    let foreign = get(port, &format!("/callback?{attack}&state=other")).await;
    assert!(!foreign.contains("alert"), "a link from elsewhere does not speak on the page: {foreign}");
}

#[tokio::test]
async fn a_window_that_was_closed_while_it_waited_takes_no_hop() {
    let listener = Listener::bind_with(None, Clocks { poll: Duration::from_secs(20), ..quick() }).unwrap();
    let port = listener.port();
    let mut window = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let question = format!(
        "POST /next HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    window.write_all(question.as_bytes()).await.unwrap();
    while !listener.was_asked() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(window);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = listener.wait_for("s1", "http://as.example/a");
    let handed = tokio::time::timeout(Duration::from_millis(100), waiting.handed()).await;
    assert!(handed.is_err(), "nobody is there to take it");
    assert_eq!(ask(port, None).await["next"], "http://as.example/a");
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    for n in 0..1000 {
        drop(listener.wait_for(&format!("s{n}"), "http://as.example/"));
    }
    assert_eq!(listener.shared.with(|s| s.remembered()), visit::MOST_PAST);
    get(listener.port(), "/callback?code=a&state=s999").await;
    for n in 0..60 {
        get(listener.port(), &format!("/callback?code=a&state=guess&p{n}=")).await;
    }
    let waiting = listener.wait_for("s1", "http://as.example/");
    get(listener.port(), "/callback?code=a&state=s1").await;
    get(listener.port(), "/callback?code=b&state=s1").await;
    assert_eq!(waiting.returned().await.get("code"), Some("a"));
    let kinds = kinds(&listener);
    assert_eq!(kinds.len(), 22, "{kinds:?}");
    assert_eq!((kinds[0], kinds[21]), (AnomalyKind::Late, AnomalyKind::SecondAnswer), "guesses crowd nothing out");
}

#[tokio::test]
async fn a_strangers_form_is_no_remark_on_the_server() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let port = listener.port();
    let _waiting = listener.wait_for("s1", "http://as.example/");
    post(port, "/callback?code=a&state=guess", FORM, "password=hunter2hunter2").await;
    post(port, "/callback", FORM, "code=b&state=guess&password=hunter2hunter2").await;
    assert_eq!(kinds(&listener), [AnomalyKind::UnknownState]);
}

#[tokio::test(start_paused = true)]
async fn half_a_request_is_not_waited_for() {
    let listener = Listener::bind(None).unwrap();
    let host = format!("Host: 127.0.0.1:{}\r\n", listener.port());
    for half in [
        String::new(),
        format!("GET / HTTP/1.1\r\n{host}"),
        format!("POST /next HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"),
    ] {
        let began = Instant::now();
        let answer = send(listener.port(), &half).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{half}: {answer}");
        assert!((10..=21).contains(&began.elapsed().as_secs()), "{half}: {:?}", began.elapsed());
    }
}
