//! Plain http, asked over a connection of our own: what HTTP libraries, proxies and HSTS would turn into something else.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{ExchangeId, Reply, Request, Trouble, TroubleKind, Wiped, Wire, capture, message};

/// Bytes of a body that are waited for.
const ENOUGH: usize = 64 * 1024;
/// How long a body may keep us waiting once the head is there.
const LINGER: Duration = Duration::from_secs(2);

/// What a port says to plain http.
#[derive(Debug, Clone)]
pub enum Plain {
    /// It answers in HTTP.
    Answered(Reply),
    /// Nobody listens there.
    NobodyListens(ExchangeId),
    /// No connection is let through, though the https port takes one at the same moment.
    Filtered(ExchangeId),
    /// It takes the connection and closes it without an answer.
    Cut(ExchangeId),
    /// It answers with a TLS alert.
    SpeaksTls(ExchangeId),
}

/// Status, headers, body, and whether there was more of it.
type Answer = (u16, HeaderMap, Wiped, bool);

impl Wire {
    /// Asks for a page over plain http, with nothing of the user's own in the request.
    pub async fn ask_plainly(&self, url: &str, https: &str) -> Result<Plain, Trouble> {
        let address = message::address(url)?;
        let request = Request::get(url).header("Connection", "close");
        let _slot = self.inner.slots.acquire().await.expect("the semaphore is never closed");
        self.begin(1).await?;
        let began = Instant::now();
        let enter = |answer: Result<&Answer, &Trouble>| capture::record(self, &request, answer, began.elapsed());
        let stream = match self.connect(&address).await {
            Ok(stream) => stream,
            Err(trouble) => {
                let id = enter(Err(&trouble));
                return match trouble.kind {
                    TroubleKind::Refused => Ok(Plain::NobodyListens(id)),
                    TroubleKind::TimedOut if self.connect(&message::address(https)?).await.is_ok() => {
                        Ok(Plain::Filtered(id))
                    }
                    _ => Err(trouble),
                };
            }
        };
        let heard = tokio::time::timeout(self.limits().time, self.talk(stream, &address, &request)).await;
        let bytes = heard.unwrap_or_else(|_| {
            let why = format!("{url} gave no answer within {} s", self.limits().time.as_secs_f32());
            Err(Trouble::new(TroubleKind::TimedOut, why))
        });
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(trouble) => {
                enter(Err(&trouble));
                return Err(trouble);
            }
        };
        let trouble = |kind, what: &str| Trouble::new(kind, format!("{url} {what}"));
        match (bytes.as_slice(), read(&bytes)) {
            (_, Some(answer)) => {
                let id = enter(Ok(&answer));
                let (status, headers, body, truncated) = answer;
                Ok(Plain::Answered(Reply { id, url: url.to_owned(), status, headers, body, truncated }))
            }
            ([], None) => {
                Ok(Plain::Cut(enter(Err(&trouble(TroubleKind::Refused, "closed the connection without an answer")))))
            }
            ([21, 3, ..], None) => {
                Ok(Plain::SpeaksTls(enter(Err(&trouble(TroubleKind::Garbled, "answered with a TLS alert")))))
            }
            _ => {
                let trouble = trouble(TroubleKind::Garbled, "did not answer in HTTP");
                enter(Err(&trouble));
                Err(trouble)
            }
        }
    }

    async fn talk(&self, mut stream: TcpStream, url: &url::Url, request: &Request) -> Result<Vec<u8>, Trouble> {
        let mut path = url.path().to_owned();
        if let Some(query) = url.query() {
            path = format!("{path}?{query}");
        }
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
        // Headers that the user added may be credentials: they stay out of what everybody can read.
        for (name, value) in &request.header_map(&[]) {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        // A port that closes at the first byte is heard out all the same.
        let _ = stream.write_all(&head).await;
        let mut heard = Vec::new();
        loop {
            let mut part = [0; 4096];
            let reading = stream.read(&mut part);
            let read = match read(&heard) {
                None => reading.await,
                Some(_) => tokio::time::timeout(LINGER, reading).await.unwrap_or(Ok(0)),
            };
            match read {
                Ok(n) if n > 0 && heard.len() < ENOUGH => heard.extend_from_slice(&part[..n]),
                _ => return Ok(heard),
            }
        }
    }
}

/// An answer in HTTP/1, as far as it has come; `None` before the head is whole.
fn read(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim())) {
            headers.append(name, value);
        }
    }
    Some((status, headers, bytes[end + 4..].to_vec().into(), bytes.len() >= ENOUGH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_its_head_is_whole() {
        assert!(read(b"HTTP/1.1 301 Moved\r\nLocation: https://a.example/\r\n").is_none());
        let (status, headers, body, _) =
            read(b"HTTP/1.0 301 Moved\r\nLocation: https://a.example/\r\n\r\nabc").unwrap();
        assert_eq!((status, body.as_slice()), (301, &b"abc"[..]));
        assert_eq!(headers["location"], "https://a.example/");
        assert!(read(b"220 smtp ready\r\n\r\n").is_none());
    }
}
