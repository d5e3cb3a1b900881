//! The door against servers that behave in every way.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Serves every connection with `answer`, which reads the request itself.
async fn server<F, Fut>(answer: F) -> String
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    url
}

/// A server that reads the head of a request and writes these bytes.
async fn saying(bytes: &'static [u8]) -> String {
    server(move |mut stream| async move {
        let _ = stream.read(&mut [0; 8192]).await;
        let _ = stream.write_all(bytes).await;
    })
    .await
}

fn wire() -> Wire {
    let limits = Limits { time: Duration::from_millis(400), body: 64 * 1024, ..Limits::default() };
    Wire::open(WireOptions { limits, guard: Guard::default().naming("http://127.0.0.1/"), ..WireOptions::default() })
        .unwrap()
}

async fn kind(url: &str) -> TroubleKind {
    wire().send(Request::get(url)).await.unwrap_err().kind
}

#[tokio::test]
async fn every_kind_of_trouble_is_told_apart() {
    assert_eq!(kind("not a url").await, TroubleKind::NotAUrl);
    assert_eq!(kind("ftp://127.0.0.1/").await, TroubleKind::NotAUrl);
    assert_eq!(kind("http://169.254.169.254/").await, TroubleKind::Guarded);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(kind(&format!("http://{free}/")).await, TroubleKind::Refused);
    assert_eq!(kind(&saying(b"220 smtp ready\r\n").await).await, TroubleKind::Garbled);
    assert_eq!(
        kind(&saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await.replace("http:", "https:")).await,
        TroubleKind::Tls
    );
    let silent = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 64]).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    assert_eq!(kind(&silent).await, TroubleKind::TimedOut);
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let url = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 8192]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        while stream.write_all(b"400\r\n").await.is_ok()
            && stream.write_all(&[b'x'; 0x400]).await.is_ok()
            && stream.write_all(b"\r\n").await.is_ok()
        {}
    })
    .await;
    let reply = wire().send(Request::get(url)).await.unwrap();
    assert!(reply.truncated);
    assert_eq!(reply.body.len(), 64 * 1024);
}

#[tokio::test]
async fn an_open_event_stream_ends_with_its_first_message() {
    let url = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 8192]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\"}\n\n")
            .await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let reply = wire().send(Request::get(url)).await.unwrap();
    assert_eq!(reply.json().unwrap()["jsonrpc"], "2.0");
}

#[tokio::test]
async fn redirects_are_not_followed_and_a_location_needs_a_3xx() {
    let url = saying(b"HTTP/1.1 302 Found\r\nLocation: /there?x=1\r\nContent-Length: 0\r\n\r\n").await;
    let reply = wire().send(Request::get(url.clone())).await.unwrap();
    assert!(reply.is_redirect());
    assert_eq!(reply.location().unwrap(), format!("{url}there?x=1"));
    let url = saying(b"HTTP/1.1 400 Bad Request\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n").await;
    assert!(!wire().send(Request::get(url)).await.unwrap().is_redirect());
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_a_long_one_is_trouble() {
    let turn = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let url = server(move |mut stream| {
        let turn = turn.clone();
        async move {
            let _ = stream.read(&mut [0; 8192]).await;
            let answer: &[u8] = match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                _ => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            };
            let _ = stream.write_all(answer).await;
        }
    })
    .await;
    let wire = wire();
    assert_eq!(wire.send(Request::get(url)).await.unwrap().status, 200);
    assert_eq!(wire.ledger().all().len(), 2);
    let url = saying(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1000000000\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(wire.send(Request::get(url)).await.unwrap_err().kind, TroubleKind::RateLimited);
}

/// A server whose first answer is this, and whose later ones are sound; and how often it was asked.
async fn stumbling(first: &'static [u8]) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let turn = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let asked = turn.clone();
    let url = server(move |mut stream| {
        let turn = turn.clone();
        async move {
            let _ = stream.read(&mut [0; 8192]).await;
            let sound: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let is_first = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            let _ = stream.write_all(if is_first { first } else { sound }).await;
        }
    })
    .await;
    (url, asked)
}

#[tokio::test]
async fn what_may_pass_is_tried_once_more_where_that_changes_nothing() {
    let asked = |count: &std::sync::atomic::AtomicUsize| count.load(std::sync::atomic::Ordering::SeqCst);
    let gateway = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for first in [&b""[..], gateway, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"] {
        let (url, count) = stumbling(first).await;
        let wire = wire();
        assert_eq!(wire.send(Request::get(url)).await.unwrap().status, 200);
        assert_eq!((asked(&count), wire.ledger().all().len()), (2, 2), "both are recorded");
    }
    // A code is redeemed once, and a second authorization request brings a second code.
    let (url, count) = stumbling(gateway).await;
    assert_eq!(wire().send(Request::form(url, &[("code", "abc")])).await.unwrap().status, 502);
    let (url, count_of_pages) = stumbling(gateway).await;
    assert_eq!(wire().send(Request::get(url).page()).await.unwrap().status, 502);
    assert_eq!((asked(&count), asked(&count_of_pages)), (1, 1));
}

#[tokio::test]
async fn several_requests_are_released_at_one_instant() {
    // The server answers nobody before it has the whole of all three, and counts how many heads came first.
    let whole = std::sync::Arc::new(tokio::sync::Barrier::new(3));
    let url = server(move |mut stream| {
        let whole = whole.clone();
        async move {
            let mut seen = Vec::new();
            let mut buffer = [0; 1024];
            while !seen.ends_with(b"code=abcdef") {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(n) => seen.extend_from_slice(&buffer[..n]),
                }
            }
            whole.wait().await;
            let head = String::from_utf8_lossy(&seen).to_ascii_lowercase();
            let answer: &[u8] = if head.contains("content-length: 11") {
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            } else {
                b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n"
            };
            let _ = stream.write_all(answer).await;
        }
    })
    .await;
    let request = Request::form(url, &[("code", "abcdef")]);
    let replies = wire().send_together(vec![request.clone(), request.clone(), request]).await;
    assert_eq!(replies.iter().map(|r| r.as_ref().map(|r| r.status)).collect::<Vec<_>>(), [Ok(200), Ok(200), Ok(200)]);
}

#[tokio::test]
async fn what_is_recorded_holds_no_secret() {
    let url = saying(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: sid=S3CR3T-COOKIE; Path=/\r\nContent-Length: 75\r\n\r\n\
          {\"access_token\":\"S3CR3T-ACCESS\",\"x\":\"S3CR3T-CODE\",\"refresh_token\":\"S3CR3T-R\"}",
    )
    .await;
    let wire = wire();
    let request =
        Request::form(format!("{url}?client_secret=S3CR3T-QUERY"), &[("code", "S3CR3T-CODE"), ("password", "hunter")])
            .bearer("S3CR3T-BEARER")
            .header("Cookie", "sid=S3CR3T-COOKIE");
    wire.send(request).await.unwrap();
    let shown = serde_json::to_string(&wire.ledger().all()).unwrap();
    assert!(!shown.contains("S3CR3T") && !shown.contains("hunter"), "{shown}");
    assert_eq!(shown.matches("{cookie 1}").count(), 3, "{shown}");
}

#[test]
fn a_request_can_be_malformed() {
    let request =
        Request::form("http://127.0.0.1/", &[("a", "1"), ("a", "2")]).header("X-Odd", b"\xff").header("X-Odd", "2");
    assert_eq!(request.body.as_deref().map(Vec::as_slice), Some(&b"a=1&a=2"[..]));
    assert_eq!(request.header_map(&[]).get_all("x-odd").iter().count(), 2);
}

#[tokio::test]
async fn what_a_port_says_to_plain_http_is_told_apart() {
    use super::plain::Plain;
    let ask = |url: String| async move { wire().ask_plainly(&url, "https://127.0.0.1:1/").await };
    let redirect = saying(b"HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n").await;
    let Ok(Plain::Answered(reply)) = ask(redirect).await else { panic!("no answer") };
    assert_eq!((reply.status, reply.location().as_deref()), (301, Some("https://127.0.0.1/")));
    let alert = ask(saying(b"\x15\x03\x01\x00\x02\x02\x46").await).await;
    assert!(matches!(alert, Ok(Plain::SpeaksTls(_))));
    assert!(matches!(ask(saying(b"").await).await, Ok(Plain::Cut(_))));
    assert_eq!(ask(saying(b"220 smtp ready\r\n").await).await.unwrap_err().kind, TroubleKind::Garbled);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(ask(format!("http://{free}/")).await, Ok(Plain::NobodyListens(_))));
    assert_eq!(ask("http://169.254.169.254/".into()).await.unwrap_err().kind, TroubleKind::Guarded);
}

#[tokio::test]
async fn nothing_of_the_users_own_goes_out_in_the_clear() {
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let url = server(move |mut stream| {
        let tell = tell.clone();
        async move {
            let mut heard = vec![0; 8192];
            let n = stream.read(&mut heard).await.unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&heard[..n]).into_owned()).await;
        }
    })
    .await;
    let options = WireOptions {
        headers: vec![("Authorization".into(), "Bearer of-the-user".into())],
        guard: Guard::default().naming("http://127.0.0.1/"),
        ..WireOptions::default()
    };
    let _ = Wire::open(options).unwrap().ask_plainly(&format!("{url}token?x=1"), "https://127.0.0.1:1/").await;
    let heard = told.recv().await.unwrap();
    assert!(heard.starts_with("GET /token?x=1 HTTP/1.1\r\nhost: 127.0.0.1:"), "{heard}");
    assert!(!heard.contains("of-the-user"));
}

#[tokio::test]
async fn an_old_hello_is_recorded_with_its_answer() {
    use super::tls::{Offered, OldVersion};
    let https = saying(b"\x15\x03\x01\x00\x02\x02\x46").await.replace("http:", "https:");
    let wire = wire();
    let (id, offered) = wire.offer(&https, OldVersion::Tls10).await.unwrap();
    assert_eq!(offered, Offered::Alert("protocol_version (70)".into()));
    let recorded = &wire.ledger().all()[id.0 as usize - 1];
    assert_eq!(recorded.summary(), format!("TLS {https} -> the alert protocol_version (70)"));
    assert_eq!(recorded.request.body.as_deref(), Some("ClientHello: TLS 1.0 at most"));
    assert_eq!(wire.sent(), 1);
    // A server that is no TLS server shakes hands with nobody.
    let trouble = wire.shake_hands(&saying(b"HTTP/1.1 400 x\r\n\r\n").await.replace("http:", "https:")).await;
    assert_eq!(trouble.unwrap_err().kind, TroubleKind::Tls);
    let silent = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 64]).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let trouble = wire.offer(&silent.replace("http:", "https:"), OldVersion::Tls11).await;
    assert_eq!(trouble.unwrap_err().kind, TroubleKind::TimedOut);
}

#[tokio::test]
async fn a_connection_that_rested_is_not_used_again() {
    // It answers the first request of each connection, and hangs up on the second as if it had just gone idle too long.
    let url = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 8192]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let _ = stream.read(&mut [0; 8192]).await;
    })
    .await;
    let wire = wire();
    assert_eq!(wire.send(Request::get(url.clone()).page()).await.unwrap().status, 200);
    tokio::time::sleep(options::IDLE + Duration::from_millis(100)).await;
    assert_eq!(wire.send(Request::get(url).page()).await.unwrap().status, 200);
}
