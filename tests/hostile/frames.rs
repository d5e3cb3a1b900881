//! Servers that speak HTTP/2 and mean harm: the handshake is sound, the frames are not.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{Ended, MOST_MEMORY, audited_at};

/// The types of frames (RFC 9113 section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_HEADERS: u8 = 4;

/// `:status: 200`, and `:status: 103` as a literal, by HPACK (RFC 7541).
const OK: &[u8] = &[0x88];
const EARLY_HINTS: &[u8] = b"\x08\x03103";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header of 200 bytes that is in no table.
fn field() -> Vec<u8> {
    [b"\x00\x05x-pad\x7f\x49".as_slice(), &[b'v'; 200]].concat()
}

/// Another server of its kind: what it says first, and what it says from then on.
struct Speech {
    begin: Vec<u8>,
    again: Vec<u8>,
}

impl Speech {
    fn once(frames: &[Vec<u8>]) -> Self {
        Self::without_end(frames, Vec::new())
    }

    fn without_end(frames: &[Vec<u8>], again: Vec<u8>) -> Self {
        Self { begin: frames.concat(), again }
    }
}

async fn speaks(stream: TcpStream, acceptor: TlsAcceptor, speech: Arc<Speech>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    // Its own settings come at once, the rest when a request was heard.
    let _ = stream.write_all(&frame(SETTINGS, 0, 0, &[])).await;
    let mut heard = [0; 16 << 10];
    let _ = timeout(Duration::from_millis(300), async { while stream.read(&mut heard).await.is_ok_and(|n| n > 0) {} })
        .await;
    let mut written = stream.write_all(&speech.begin).await;
    while !speech.again.is_empty() && written.is_ok() {
        written = stream.write_all(&speech.again).await;
    }
    sleep(Duration::from_secs(30)).await;
}

async fn audited(speech: Speech) -> Ended {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("the key is that of the certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let speech = Arc::new(speech);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speaks(stream, acceptor.clone(), Arc::clone(&speech)));
        }
    });
    let ended = audited_at(&format!("https://localhost:{port}/mcp"), &["--insecure"]).await;
    task.abort();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_frames_end_in_time_with_a_code_and_a_message() {
    let answer = frame(HEADERS, END_HEADERS, 1, OK);
    for (name, speech) in [
        ("silence", Speech::once(&[])),
        ("an end at once", Speech::once(&[frame(GOAWAY, 0, 0, &[0; 8])])),
        ("a request that is reset", Speech::once(&[frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])])),
        ("a stream that nobody opened", Speech::once(&[frame(HEADERS, END_HEADERS, 99, OK)])),
        ("a promise that nobody asked for", Speech::once(&[frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82])])),
        ("headers that are no HPACK", Speech::once(&[frame(HEADERS, END_HEADERS, 1, &[0xff; 64])])),
        ("a frame that is announced as 16 MiB", Speech::once(&[b"\xff\xff\xff\x00\x00\x00\x00\x00\x01".to_vec()])),
        ("an answer that does not go on", Speech::once(&[answer.clone(), frame(DATA, 0, 1, b"{")])),
        ("data without end", Speech::without_end(&[answer], frame(DATA, 0, 1, &[b'x'; 16 << 10]))),
        ("settings without end", Speech::without_end(&[], frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1]).repeat(100))),
        ("pings without end", Speech::without_end(&[], frame(PING, 0, 0, &[7; 8]).repeat(100))),
        ("early hints without end", Speech::without_end(&[], frame(HEADERS, END_HEADERS, 1, EARLY_HINTS).repeat(100))),
        (
            "a header block without end",
            Speech::without_end(&[frame(HEADERS, 0, 1, OK)], frame(CONTINUATION, 0, 1, &field().repeat(70))),
        ),
    ] {
        let ended = audited(speech).await;
        let said = ended.said();
        assert_eq!(ended.code, Some(4), "{name}: {said}\n{}", ended.stderr);
        println!("{name}: {} MiB; {}", ended.peak >> 20, said.lines().next().unwrap_or_default());
        let words = ["gave no answer", "did not answer in HTTP", "cut the connection"];
        assert!(words.iter().any(|words| said.contains(words)), "{name}: {said}");
        assert!(ended.peak <= MOST_MEMORY && !ended.stderr.contains("panicked"), "{name}: {} B", ended.peak);
    }
}
