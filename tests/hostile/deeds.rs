//! What hostile servers do with a connection, byte for byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::between::Doing;

/// The longest that any of them goes on.
const ENOUGH: Duration = Duration::from_secs(120);

/// Writes `begin`, and then `again` until the other side has had enough.
async fn for_ever(mut stream: TcpStream, begin: &[u8], again: &[u8], pause: Duration) {
    let writing = async {
        let mut written = stream.write_all(begin).await;
        while written.is_ok() {
            tokio::time::sleep(pause).await;
            written = stream.write_all(again).await;
        }
    };
    let _ = tokio::time::timeout(ENOUGH, writing).await;
}

pub(crate) fn silent(stream: TcpStream) -> Doing {
    Box::pin(async move {
        tokio::time::sleep(ENOUGH).await;
        drop(stream);
    })
}

pub(crate) fn cut_at_once(stream: TcpStream) -> Doing {
    Box::pin(async move { drop(stream) })
}

pub(crate) fn endless_chunks(stream: TcpStream) -> Doing {
    let chunk = [b"8000\r\n".as_slice(), &[b'x'; 0x8000], b"\r\n"].concat();
    Box::pin(async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        for_ever(stream, head, &chunk, Duration::ZERO).await;
    })
}

pub(crate) fn trickled_body(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4096\r\n\r\n{";
        for_ever(stream, head, b" ", Duration::from_secs(1)).await;
    })
}

pub(crate) fn trickled_head(stream: TcpStream) -> Doing {
    Box::pin(async move { for_ever(stream, b"HTTP/1.1 200 OK\r\nx: ", b"a", Duration::from_secs(1)).await })
}

pub(crate) fn endless_head(stream: TcpStream) -> Doing {
    Box::pin(
        async move { for_ever(stream, b"HTTP/1.1 200 OK\r\n", b"x: aaaaaaaaaaaaaaaaaaaa\r\n", Duration::ZERO).await },
    )
}

pub(crate) fn endless_continue(stream: TcpStream) -> Doing {
    Box::pin(async move { for_ever(stream, b"", b"HTTP/1.1 100 Continue\r\n\r\n", Duration::ZERO).await })
}

pub(crate) fn endless_hints(stream: TcpStream) -> Doing {
    Box::pin(
        async move { for_ever(stream, b"", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", Duration::ZERO).await },
    )
}

pub(crate) fn endless_trailers(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
        for_ever(stream, head, b"x-trailer: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", Duration::ZERO).await;
    })
}

pub(crate) fn endless_chunk_extension(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2;x=";
        for_ever(stream, head, &[b'a'; 4096], Duration::ZERO).await;
    })
}

pub(crate) fn endless_events(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        for_ever(stream, head, b": still here\n\n", Duration::from_millis(50)).await;
    })
}

pub(crate) fn endless_event(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: ";
        for_ever(stream, head, &[b'a'; 8192], Duration::ZERO).await;
    })
}

pub(crate) fn endless_page(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<form method=post>";
        for_ever(stream, head, &b"<p>hello <b>there".repeat(500), Duration::ZERO).await;
    })
}

/// Lines for the head of an answer: 80 headers of so many bytes.
pub(crate) fn pads(bytes: usize) -> String {
    let pad = "v".repeat(bytes);
    (0..80).map(|n| format!("x-pad-{n}: {pad}\r\n")).collect()
}

/// 80 cookies of names that were never used before.
pub(crate) fn fresh_cookies() -> String {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let names = (0..80).map(|_| LAST.fetch_add(1, Ordering::Relaxed));
    names.map(|n| format!("set-cookie: c{n}=value-{n}-of-a-cookie; Path=/\r\n")).collect()
}
