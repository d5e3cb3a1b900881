//! What the gate lets through, and what it refuses.

use super::super::super::small_server::{Small, page};
use super::*;
use crate::wire::{Guard, WireOptions};

/// A gate for a target with this address.
async fn gate(target: &str, caught: &[&str], sink: &str) -> Gate {
    let options = WireOptions { guard: Guard::default().naming(target), ..WireOptions::default() };
    let caught: Vec<String> = caught.iter().map(|host| (*host).to_owned()).collect();
    Gate::open(&Wire::open(options).unwrap(), &caught, sink.to_owned()).await.unwrap()
}

/// Sends this and reads to the end.
async fn said(gate: &Gate, text: &str) -> String {
    let mut stream = TcpStream::connect(gate.address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    timeout(Duration::from_secs(20), stream.read_to_end(&mut heard)).await.expect("it ends").unwrap();
    String::from_utf8(heard).unwrap()
}

async fn echo() -> Small {
    Small::serve(|seen| page(200, format!("{}?{}", seen.line(), seen.query))).await
}

#[tokio::test]
async fn what_the_guard_refuses_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gate = gate("https://api.example.com/", &["app.example"], "127.0.0.1:9").await;
    let hosts = ["127.0.0.1", "localhost", "a.localhost.", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"];
    for host in hosts.into_iter().chain(["192.0.2.2", "169.254.169.254", "[::ffff:10.0.0.1]", "[64:ff9b::a9fe:a9fe]"]) {
        for asked in [
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"),
            format!("GET http://{host}:{port}/authorize HTTP/1.1\r\nHost: api.example.com\r\n\r\n"),
        ] {
            let answer = said(&gate, &asked).await;
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{asked}{answer}");
            let refused = gate.refused(&format!("http://{host}:{port}/x")).expect("it is noted");
            assert!(refused.kind == TroubleKind::Guarded && refused.why.contains("not a public address"), "{refused}");
            assert_eq!(gate.refused(&format!("http://{host}:{port}/x")), None);
        }
    }
    assert!(timeout(Duration::from_millis(100), listener.accept()).await.is_err(), "it was connected to");
    said(&gate, "GET http://192.0.2.2/a HTTP/1.1\r\n\r\n").await;
    assert_eq!((gate.refused("http://192.0.2.3/"), gate.others().len(), gate.others().len()), (None, 1, 0));
}

#[tokio::test]
async fn a_request_is_sent_as_a_server_expects_it() {
    let small = echo().await;
    let gate = gate(&small.base, &[], "127.0.0.1:9").await;
    let head = "Host: x\r\nProxy-Connection: keep-alive\r\nConnection: keep-alive\r\nCookie: a=b\r\n";
    let answer = said(&gate, &format!("GET {}/a%20b?c=d HTTP/1.1\r\n{head}\r\n", small.base)).await;
    assert!(answer.ends_with("\r\n\r\nGET /a%20b?c=d"), "{answer}");
    assert_eq!(answer.to_ascii_lowercase().matches("connection: close").count(), 1, "{answer}");
    // Only what belongs to the one request is passed on.
    let more = "Content-Length: 3\r\n\r\nx=1GET http://192.0.2.2/ HTTP/1.1\r\n\r\n";
    let answer = said(&gate, &format!("POST {} HTTP/1.1\r\n{head}{more}", small.base)).await;
    assert!(answer.ends_with("POST / x=1?"), "{answer}");
    assert_eq!(small.seen()[0].cookie, "a=b");
    assert_eq!(small.lines(), ["GET /a%20b", "POST / x=1"]);
    let tunnel =
        format!("CONNECT {} HTTP/1.1\r\n\r\nGET /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &small.base[7..]);
    let answer = said(&gate, &tunnel).await;
    assert!(answer.starts_with("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("GET /t?"), "{answer}");
    assert!(gate.others().is_empty());
}

#[tokio::test]
async fn redirect_uris_end_at_the_sink_whatever_the_guard_says() {
    let sink = echo().await;
    let gate = gate("https://api.example.com/", &["127.0.0.1:8765", "app.example", "*.test"], &sink.base[7..]).await;
    for place in ["127.0.0.1:8765", "app.example", "evil.test:81"] {
        let answer = said(&gate, &format!("GET http://{place}/cb?code=1 HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert!(answer.ends_with("GET /cb?code=1"), "{place}: {answer}");
    }
    assert!(said(&gate, "GET http://127.0.0.1:8766/cb HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn a_name_is_taken_to_be_where_the_user_said() {
    let small = echo().await;
    let port: u16 = small.base.rsplit_once(':').unwrap().1.parse().unwrap();
    let resolve = vec![format!("api.example:{port}:127.0.0.1").parse().unwrap()];
    let options =
        WireOptions { guard: Guard::default().naming("https://api.example/"), resolve, ..WireOptions::default() };
    let gate = Gate::open(&Wire::open(options).unwrap(), &[], "127.0.0.1:9".into()).await.unwrap();
    let answer = said(&gate, &format!("GET http://api.example:{port}/r HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert!(answer.ends_with("GET /r?"), "{answer}");
}

#[tokio::test]
async fn what_is_no_request_to_a_proxy_goes_nowhere() {
    let small = echo().await;
    let gate = gate(&small.base, &[], "127.0.0.1:9").await;
    let host = &small.base[7..];
    for asked in [
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        format!("CONNECT x@{host} HTTP/1.1\r\n\r\n"),
        "CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET ftp://{host}/ HTTP/1.1\r\n\r\n"),
        format!("POST http://{host}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("GET http://{host}/ HTTP/1.1\r\nX: {}", "x".repeat(HEAD)),
    ] {
        let answer = said(&gate, &asked).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert!(small.lines().is_empty());
    // Where nothing listens there is no answer, and no page.
    assert_eq!(said(&gate, "GET http://127.0.0.1:1/ HTTP/1.1\r\n\r\n").await, "");
    assert!(said(&gate, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 502"));
}
