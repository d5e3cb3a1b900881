//! The port that receives the answers of a browser, from outside: what scanners, pages of other sites and floods send to it
//! breaks nothing, is taken for nothing, and keeps no true answer out.

mod window;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use window::{AGAIN, Audit, NOT_OURS, TAKEN, ask, comes_back, path, send};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const JSON: &str = "Content-Type: application/json";

/// What the process may hold at its peak, in MiB, and have open: places, and what the audit itself needs.
const MOST: (u64, usize) = (100, 120);

/// What it held and has open, which is not more.
fn lean(audit: &Audit) -> String {
    let held = audit.holds();
    assert!(held.is_none_or(|(peak, files)| peak < MOST.0 && files < MOST.1), "{held:?}");
    held.map(|(peak, files)| format!("{peak} MiB at the peak, {files} files open")).unwrap_or_default()
}

/// The value of `state` in an address.
fn state(url: &str) -> String {
    let url = Url::parse(url).expect("an address");
    url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned()
}

/// The address under which the cockpit has what is its own.
async fn cockpit(audit: &Audit) -> String {
    let page = audit.get("/").await.body;
    let (_, rest) = page.split_once("'/cockpit/").expect("the cockpit names its address");
    format!("/cockpit/{}", rest.split('\'').next().unwrap_or_default())
}

/// A connection on which this was said.
async fn half(port: u16, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("somebody listens");
    // It may be shown the door at once.
    let _ = stream.write_all(said).await;
    stream
}

/// Whether it is closed, or will be before long.
async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    let mut bytes = Vec::new();
    timeout(within, stream.read_to_end(&mut bytes)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_breaks_nothing() {
    let mut audit = Audit::start().await;
    let port = audit.port;
    let mut silent = Vec::new();
    for _ in 0..20 {
        drop(TcpStream::connect(("127.0.0.1", port)).await.expect("somebody listens"));
        silent.push(half(port, b"").await);
    }
    let garbage: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    // A ClientHello as far as its random part, an HTTP/2 preface with an empty SETTINGS, and other trades of the port.
    let hello = [&[0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &garbage[..194]].concat();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let others: [&[u8]; 8] = [
        &garbage,
        &hello,
        preface,
        b"\0\0\0\0",
        b"SSH-2.0-scanner\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x05\x01\x00\r\n\r\n",
        b"GET /\r\n\r\n",
    ];
    for bytes in others {
        let answer = send(port, bytes).await;
        assert!([0, 400, 505].contains(&answer.status), "{bytes:?}: {answer:?}");
    }
    let host = audit.host();
    let line = format!("GET /callback?code={} HTTP/1.1\r\n{host}\r\n\r\n", "a".repeat(4 << 20));
    let head = format!("GET / HTTP/1.1\r\n{host}\r\n{}", "X-Filler: 0123456789abcdef\r\n".repeat(200_000));
    let one = format!("GET / HTTP/1.1\r\n{host}\r\nX-Filler: {}", "a".repeat(4 << 20));
    for (what, bytes) in [("a long line", line), ("many headers", head), ("a long header", one)] {
        let answer = send(port, bytes.as_bytes()).await;
        assert!([0, 400, 414, 431].contains(&answer.status), "{what}: {answer:?}");
    }
    let form = format!("state=a&code={}", "a".repeat(4 << 20));
    let answer = ask(port, "POST /callback", &[&host, FORM], &form).await;
    assert!([0, 413].contains(&answer.status), "{answer:?}");
    println!("a scanner: {}", lean(&audit));
    let (_, back) = audit.signed_in().await;
    audit.finish_from(&back).await.assert_unharmed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_refused_at_every_address() {
    let mut audit = Audit::start().await;
    let (hop, back) = audit.signed_in().await;
    let (port, host, own) = (audit.port, audit.host(), cockpit(&audit).await);
    // Whatever would be read of these would be taken for the answer: the state is the true one.
    let stolen = format!("code=stolen&state={}", state(&hop));
    let callback = format!("/callback?{stolen}");
    let (events, told, report) = (format!("{own}/events"), format!("{own}/tell"), format!("{own}/report"));
    let (root, next) = (format!("/?{stolen}"), format!("/next?{stolen}"));
    let paths = ["/", &root, "/window", &callback, "/next", &next, &events, &told, &report, "/favicon.ico"];
    for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW"] {
        for path in paths {
            let answer = ask(port, &format!("{method} {path}"), &[&host, FORM], &stolen).await;
            assert!([400, 404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
        }
    }
    let connect = ask(port, &format!("CONNECT 127.0.0.1:{port}"), &[&host], "").await;
    assert!([400, 404, 405].contains(&connect.status), "{connect:?}");
    for path in ["/", "/window", &events, &report] {
        let answer = ask(port, &format!("POST {path}"), &[&host, FORM], &stolen).await;
        assert!([404, 405].contains(&answer.status), "POST {path}: {answer:?}");
    }
    for path in ["/next", &next, &told, &format!("{told}?{stolen}")] {
        let answer = audit.get(path).await;
        assert!([404, 405].contains(&answer.status), "GET {path}: {answer:?}");
    }
    let ended = audit.finish_from(&back).await;
    ended.assert_unharmed();
    assert_eq!(ended.remarks(), "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_and_other_sites_are_shown_nothing() {
    let mut audit = Audit::start().await;
    let (hop, back) = audit.signed_in().await;
    let (port, host, own) = (audit.port, audit.host(), cockpit(&audit).await);
    let stolen = format!("/callback?code=stolen&state={}", state(&hop));
    let (events, told) = (format!("GET {own}/events"), format!("POST {own}/tell"));
    let stop = "{\"act\":\"stop\"}";
    let tells_nothing = |asked: &str, answer: &window::Answer| {
        let text = format!("{}{}", answer.head, answer.body);
        for secret in [&own[9..], &state(&hop), "event:", "<script", "authorize"] {
            assert!(!text.contains(secret), "{asked} shows {secret}: {answer:?}");
        }
    };
    let hosts = [
        vec![format!("Host: evil.example:{port}")],
        vec![format!("Host: 127.0.0.1.evil.example:{port}")],
        vec![format!("Host: evil.example@127.0.0.1:{port}")],
        vec!["Host: 127.0.0.1:1".into()],
        vec!["Host: 127.0.0.1".into()],
        vec!["Host:".into()],
        vec![host.clone(), format!("Host: evil.example:{port}")],
        vec![],
    ];
    let requests = ["GET /", "GET /window", &format!("GET {stolen}"), &events, "POST /next", &told];
    for lines in &hosts {
        for request in requests {
            let lines: Vec<&str> = lines.iter().map(String::as_str).chain([JSON]).collect();
            let answer = ask(port, request, &lines, stop).await;
            assert_eq!(answer.status, 400, "{request} with {lines:?}: {answer:?}");
            tells_nothing(request, &answer);
        }
    }
    // A request that names another host by its whole address means that one.
    let whole = format!("GET http://evil.example:{port}{stolen}");
    let answer = ask(port, &whole, &[&host], "").await;
    assert_eq!(answer.status, 400, "{answer:?}");
    // Pages of other sites, which would have to guess the word besides.
    let sites = [
        "Origin: http://evil.example".to_owned(),
        format!("Origin: http://127.0.0.1:{port}.evil.example"),
        format!("Origin: https://127.0.0.1:{port}"),
        "Origin: http://127.0.0.1:1".to_owned(),
        "Sec-Fetch-Site: cross-site".to_owned(),
        "Sec-Fetch-Site: same-site".to_owned(),
        format!("Sec-Fetch-Site: cross-site\r\nOrigin: http://127.0.0.1:{port}"),
    ];
    for site in &sites {
        for request in [&events, "GET /window", "POST /next", &told] {
            let answer = ask(port, request, &[&host, site, JSON], stop).await;
            assert_eq!(answer.status, 403, "{request} with {site}: {answer:?}");
            tells_nothing(request, &answer);
        }
    }
    // Without these headers it is the type of the body that keeps other sites out, and no permission is ever given.
    for request in ["POST /next", &told] {
        let answer = ask(port, request, &[&host, "Content-Type: text/plain", "Origin: null"], stop).await;
        assert_eq!(answer.status, 415, "{answer:?}");
        let preflight = request.replace("POST", "OPTIONS");
        let lines = [&*host, "Origin: http://evil.example", "Access-Control-Request-Method: POST"];
        let answer = ask(port, &preflight, &lines, "").await;
        assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{answer:?}");
    }
    let ended = audit.finish_from(&back).await;
    ended.assert_unharmed();
    assert_eq!(ended.remarks(), "[]");
}

/// Bytes of an answer on a connection that stays open.
async fn answer_on(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("it is read");
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 8192]);
    loop {
        let read = stream.read(&mut buffer).await.expect("it is answered");
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer);
        if read == 0 || text.contains("</html>") {
            return text.into_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_guesses_are_no_answer() {
    const GUESSES: usize = 10_000;
    const AT_ONCE: usize = 40;
    let mut audit = Audit::start().await;
    let (hop, back) = audit.signed_in().await;
    let (port, host, state) = (audit.port, audit.host(), state(&hop));
    let guess = move |n: usize| {
        // Close to the true one as well: cut, prolonged, in other letters, twice.
        let state = match n % 5 {
            0 => state[..state.len() - 1].to_owned(),
            1 => format!("{state}{n}"),
            2 => state.to_ascii_uppercase() + "%00",
            3 => format!("guess-{n}&state={state}"),
            _ => format!("guess-{n}"),
        };
        format!("GET /callback?code=guess-{n}&state={state} HTTP/1.1\r\n{host}\r\n")
    };
    let mut one = half(port, b"").await;
    for n in 0..GUESSES {
        let answer = answer_on(&mut one, &format!("{}\r\n", guess(n))).await;
        assert!(answer.contains(NOT_OURS), "{n}: {answer}");
    }
    let (guess, mut under_way) = (Arc::new(guess), JoinSet::new());
    for worker in 0..AT_ONCE {
        let guess = Arc::clone(&guess);
        under_way.spawn(async move {
            for n in (worker..GUESSES).step_by(AT_ONCE) {
                let answer = send(port, format!("{}Connection: close\r\n\r\n", guess(n)).as_bytes()).await;
                assert!(answer.body.contains(NOT_OURS), "{n}: {answer:?}");
            }
        });
    }
    while let Some(ended) = under_way.join_next().await {
        ended.expect("no guess is taken");
    }
    println!("guesses: {}", lean(&audit));
    let ended = audit.finish_from(&back).await;
    ended.assert_unharmed();
    assert_eq!(ended.remarks(), "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_requests_hold_no_place() {
    /// Far more than the listener has places; some systems give a process 256 files.
    const HALVES: usize = if cfg!(target_os = "macos") { 120 } else { 300 };
    let mut audit = Audit::start().await;
    let (_, back) = audit.signed_in().await;
    let (port, host) = (audit.port, audit.host());
    let halves = [
        String::new(),
        format!("GET / HTTP/1.1\r\n{host}\r\nX-Slow: {}", "a".repeat(100 << 10)),
        format!("POST /callback HTTP/1.1\r\n{host}\r\n{FORM}\r\nContent-Length: 99999\r\n\r\n{}", "a".repeat(90 << 10)),
        // It asks, and asks again, and reads nothing.
        format!("GET / HTTP/1.1\r\n{host}\r\n\r\n").repeat(1000),
    ];
    let mut opening = JoinSet::new();
    for n in 0..HALVES {
        let said = halves[n % halves.len()].clone();
        opening.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
            // What is not read cannot be written either.
            let _ = timeout(Duration::from_secs(2), stream.write_all(said.as_bytes())).await;
            Some(stream)
        });
    }
    let mut open: Vec<TcpStream> = opening.join_all().await.into_iter().flatten().collect();
    assert_eq!(open.len(), HALVES);
    // While they hang, the window comes back; and it goes on, while others come in their place.
    comes_back(&audit, path(&back)).await;
    println!("half requests: {}", lean(&audit));
    let coming = tokio::spawn(async move {
        let mut later = Vec::new();
        loop {
            for n in 0..10 {
                // At the end nobody listens any more.
                let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                let _ = stream.write_all(halves[n % 3].as_bytes()).await;
                later.push(stream);
            }
            later.drain(..later.len().saturating_sub(HALVES / 2));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let ended = audit.finish(&back, comes_back).await;
    coming.abort();
    ended.assert_unharmed();
    for stream in &mut open {
        assert!(is_closed(stream, Duration::from_secs(1)).await, "nothing outlives the audit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hop_has_one_answer() {
    let mut audit = Audit::start().await;
    let (_, back) = audit.signed_in().await;
    let earlier = std::sync::Mutex::new(Vec::<String>::new());
    let twice = async |audit: &Audit, path: &str| {
        let before: Vec<String> = earlier.lock().expect("nobody broke").clone();
        for (n, late) in before.iter().enumerate() {
            assert_ne!(late, path);
            let answer = audit.get(late).await.body;
            assert!(answer.contains(AGAIN) && !answer.contains(TAKEN), "an earlier answer: {answer}");
            if n == 0 {
                let answer = audit.get(&late.replace("code=", "code=x")).await.body;
                assert!(answer.contains(NOT_OURS), "an earlier state: {answer}");
            }
        }
        let mut answers = match before.len() % 2 {
            0 => vec![audit.get(path).await.body, audit.get(path).await.body],
            _ => at_one_instant(audit, path).await,
        };
        // Of two at one instant either may be the first.
        answers.sort_by_key(|answer| !answer.contains(TAKEN));
        assert!(answers[0].contains(TAKEN) && answers[1..].iter().all(|a| a.contains(AGAIN)), "{answers:?}");
        earlier.lock().expect("nobody broke").push(path.to_owned());
    };
    twice(&audit, path(&back)).await;
    let ended = audit.finish(&back, &twice).await;
    ended.assert_unharmed();
    assert!(earlier.lock().expect("nobody broke").len() > 3, "{earlier:?}");
    assert!(ended.remarks().contains("another code"), "{}", ended.remarks());
}

/// The same from four connections that are open already.
async fn at_one_instant(audit: &Audit, path: &str) -> Vec<String> {
    let request = format!("GET {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", audit.host());
    let (port, barrier, mut asking) = (audit.port, Arc::new(Barrier::new(4)), JoinSet::new());
    for _ in 0..4 {
        let (request, barrier) = (request.clone(), Arc::clone(&barrier));
        asking.spawn(async move {
            let mut stream = half(port, b"").await;
            barrier.wait().await;
            answer_on(&mut stream, &request).await
        });
    }
    asking.join_all().await
}
