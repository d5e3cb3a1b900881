//! The way out of a browser that we drive: a proxy on this machine that asks the guard before it connects. No page, redirect or
//! script leads the browser where a request of our own would not be led. Hosts of redirect URIs end at the sink.

use std::future::pending;
use std::io::Result;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use url::Url;

use crate::wire::guard::is_loopback_host;
use crate::wire::{Trouble, TroubleKind, Wire};

/// Connections at once; a browser opens 32 to a proxy.
const MOST: usize = 128;
/// Bytes of the head of a request, and of an answer.
const HEAD: usize = 64 * 1024;
const ANSWER_HEAD: usize = 256 * 1024;
/// The longest that the head of a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Refusals that are kept until somebody asks for them.
const KEPT: usize = 64;

/// Where the browser was not let go (host and port), and why.
type Refusals = Arc<Mutex<Vec<(String, Trouble)>>>;

/// A proxy under way. It ends, with its connections, when it is dropped.
#[derive(Debug)]
pub(super) struct Gate {
    port: u16,
    refusals: Refusals,
    task: JoinHandle<()>,
}

struct Keeper {
    wire: Wire,
    /// These hosts lead to the sink.
    caught: Vec<String>,
    sink: String,
    refusals: Refusals,
}

impl Gate {
    /// Opens one on a free port.
    pub(super) async fn open(wire: &Wire, caught: &[String], sink: String) -> std::result::Result<Self, String> {
        let why = |e: std::io::Error| format!("no port could be opened for the guard of the browser: {e}");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(why)?;
        let port = listener.local_addr().map_err(why)?.port();
        let refusals = Refusals::default();
        let keeper = Keeper { wire: wire.clone(), caught: caught.to_vec(), sink, refusals: Arc::clone(&refusals) };
        let keeper = Arc::new(keeper);
        let task = tokio::spawn(async move {
            let mut under_way = JoinSet::new();
            while let Ok((client, peer)) = listener.accept().await {
                while under_way.try_join_next().is_some() {}
                if under_way.len() >= MOST {
                    under_way.join_next().await;
                }
                let keeper = Arc::clone(&keeper);
                if peer.ip().is_loopback() {
                    under_way.spawn(async move { keeper.serve(client).await });
                }
            }
        });
        Ok(Self { port, refusals, task })
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Why the browser was not let to a URL, if it was not.
    pub(super) fn refused(&self, url: &str) -> Option<Trouble> {
        let place = place(&Url::parse(url).ok()?);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let at = refusals.iter().position(|(refused, _)| *refused == place)?;
        Some(refusals.remove(at).1)
    }

    /// The refusals that were not asked for.
    pub(super) fn others(&self) -> Vec<Trouble> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.drain(..).map(|(_, trouble)| trouble).collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// What the browser wants.
struct Asked {
    url: Url,
    /// A connection to be used as it likes.
    tunnels: bool,
    /// What the server is sent in place of the head.
    head: Vec<u8>,
    /// The length of the body.
    body: u64,
}

impl Asked {
    fn read(head: &[u8]) -> Option<Self> {
        let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end).take_while(|line| !line.is_empty());
        let line = std::str::from_utf8(lines.next()?).ok()?;
        let mut words = line.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        if method == "CONNECT" {
            target.rsplit_once(':')?.1.parse::<u16>().ok()?;
            let url = Url::parse(&format!("https://{target}/")).ok()?;
            let plain = url.username().is_empty() && url.path() == "/" && url.query().is_none();
            return (plain && url.fragment().is_none()).then_some(Self {
                url,
                tunnels: true,
                head: Vec::new(),
                body: 0,
            });
        }
        let url = Url::parse(target).ok().filter(|url| url.scheme() == "http")?;
        let rest = target.get("http://".len()..)?;
        let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut head = format!("{method} {slash}{path} {version}\r\n").into_bytes();
        let mut body = 0;
        for line in lines {
            if is_named(line, &["transfer-encoding"]) {
                return None;
            }
            if is_named(line, &["content-length"]) {
                body = std::str::from_utf8(line).ok()?.split_once(':')?.1.trim().parse().ok()?;
            }
            carry(&mut head, line);
        }
        head.extend_from_slice(b"Connection: close\r\n\r\n");
        Some(Self { url, tunnels: false, head, body })
    }
}

/// Whether a line of a head has one of these names.
fn is_named(line: &[u8], names: &[&str]) -> bool {
    let name = line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii();
    names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Carries a line over, unless it speaks of the connection: each serves one request, whose address was judged.
fn carry(head: &mut Vec<u8>, line: &[u8]) {
    if !is_named(line, &["connection", "proxy-connection", "keep-alive", "proxy-authorization"]) {
        head.extend_from_slice(line);
        head.extend_from_slice(b"\r\n");
    }
}

/// Reads a head; what was read beyond it stays in `seen`. `None` where there is none.
async fn head_of(stream: &mut (impl AsyncRead + Unpin), seen: &mut Vec<u8>, most: usize) -> Result<Option<Vec<u8>>> {
    loop {
        let end = (0..seen.len()).find_map(|at| {
            let ends = |by: &[u8]| seen[at..].starts_with(by).then_some(at + by.len());
            ends(b"\n\r\n").or_else(|| ends(b"\n\n"))
        });
        if let Some(end) = end {
            let rest = seen.split_off(end);
            return Ok(Some(std::mem::replace(seen, rest)));
        }
        if seen.len() >= most || stream.read_buf(seen).await? == 0 {
            return Ok(None);
        }
    }
}

async fn answer(mut client: TcpStream, status: &str, says: &str) -> Result<()> {
    let length = says.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n");
    client.write_all(format!("{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n{says}").as_bytes()).await?;
    client.shutdown().await
}

impl Keeper {
    async fn serve(&self, mut client: TcpStream) -> Result<()> {
        let mut seen = Vec::new();
        let Ok(head) = timeout(PATIENCE, head_of(&mut client, &mut seen, HEAD)).await else { return Ok(()) };
        let Some(asked) = head?.as_deref().and_then(Asked::read) else {
            return answer(client, "400 Bad Request", "This is no request to a proxy.\n").await;
        };
        let mut server = match self.connect(&asked.url).await {
            Ok(server) => server,
            Err(trouble) if trouble.kind == TroubleKind::Guarded => {
                self.note(place(&asked.url), trouble);
                return answer(client, "403 Forbidden", "oaudit does not let its browser go there.\n").await;
            }
            Err(_) if asked.tunnels => return answer(client, "502 Bad Gateway", "Nothing answers there.\n").await,
            // Without an answer the browser shows what it shows where nothing listens, and no page.
            Err(_) => return Ok(()),
        };
        if asked.tunnels {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            server.write_all(&seen).await?;
            return copy_bidirectional(&mut client, &mut server).await.map(|_| ());
        }
        exchange(client, server, &asked, seen).await
    }

    /// A connection to an address that was judged.
    async fn connect(&self, url: &Url) -> std::result::Result<TcpStream, Trouble> {
        let host = url.host_str().unwrap_or_default();
        if super::covers(&self.caught, host) || super::covers(&self.caught, &place(url)) {
            let refused = |e: std::io::Error| Trouble::new(TroubleKind::Refused, e.to_string());
            return TcpStream::connect(&self.sink).await.map_err(refused);
        }
        match self.wire.connect(url).await {
            // Browsers know these names, whatever the resolver says.
            Err(trouble) if trouble.kind == TroubleKind::NoSuchHost && is_loopback_host(host) => {
                let port = url.port_or_known_default().unwrap_or_default();
                let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
                TcpStream::connect(&both.map(|ip| (ip, port).into())[..]).await.map_err(|_| trouble)
            }
            connected => connected,
        }
    }

    fn note(&self, place: String, trouble: Trouble) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.retain(|(known, _)| *known != place);
        // The last ones count: the page that the browser stands before is among them.
        if refusals.len() >= KEPT {
            refusals.remove(0);
        }
        refusals.push((place, trouble));
    }
}

/// One request and its answer. The browser is told that the connection ends with it, whatever the server says.
async fn exchange(mut client: TcpStream, mut server: TcpStream, asked: &Asked, mut seen: Vec<u8>) -> Result<()> {
    let (mut asks, mut hears) = client.split();
    let (mut from, mut to) = server.split();
    let up = async {
        seen.truncate(usize::try_from(asked.body).unwrap_or(usize::MAX));
        let left = asked.body - seen.len() as u64;
        let sending = async {
            to.write_all(&asked.head).await?;
            to.write_all(&seen).await?;
            copy(&mut (&mut asks).take(left), &mut to).await
        };
        if sending.await.is_err() {
            // It may have answered before it had heard everything.
            return pending().await;
        }
        // Nothing more belongs to this request; what counts is that the browser goes away.
        while asks.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {}
        Ok(())
    };
    let down = async {
        let mut heard = Vec::new();
        while let Some(head) = head_of(&mut from, &mut heard, ANSWER_HEAD).await? {
            let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end).take_while(|line| !line.is_empty());
            let status = lines.next().unwrap_or_default();
            // What comes before the answer is of no use here.
            if status.split(|b| *b == b' ').nth(1).is_some_and(|code| code.starts_with(b"1")) {
                continue;
            }
            let mut told = [status, b"\r\n"].concat();
            lines.for_each(|line| carry(&mut told, line));
            told.extend_from_slice(b"Connection: close\r\n\r\n");
            hears.write_all(&told).await?;
            break;
        }
        hears.write_all(&heard).await?;
        copy(&mut from, &mut hears).await?;
        hears.shutdown().await
    };
    tokio::select! {
        done = down => done,
        gone = up => gone,
    }
}

#[cfg(test)]
mod tests;
