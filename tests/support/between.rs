//! Stands between the auditor and the lab, and does to single answers what networks, gateways and enemies do.

#![allow(dead_code, clippy::allow_attributes, reason = "every test binary uses a part of it")]

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oaudit::lab::{Lab, LabOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request that came by.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The path, without the query.
    pub(crate) path: String,
    /// A bearer token came with it.
    pub(crate) bearer: bool,
    /// How many came to this path before.
    pub(crate) before: usize,
    /// How many came in all before.
    pub(crate) of_all: usize,
}

pub(crate) type Doing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is done with it.
pub(crate) enum Act {
    /// The lab answers.
    Pass,
    /// The lab answers, some time later.
    Late(Duration),
    /// The lab answers, and no more than this many bytes of it arrive.
    Cut(usize),
    /// These bytes are answered.
    Say(Vec<u8>),
    /// The lab answers, and this is made of its JSON.
    Alter(fn(&mut Value)),
    /// The lab answers, and these lines stand in its head as well.
    Add(String),
    /// The connection is in these hands.
    Do(fn(TcpStream) -> Doing),
}

pub(crate) type Heard = Arc<Mutex<Vec<Vec<u8>>>>;

/// The lab behind it.
pub(crate) struct Between {
    /// What both call themselves.
    pub(crate) origin: String,
    /// The lab.
    pub(crate) lab: Lab,
    /// The requests that came, as they were sent.
    pub(crate) heard: Heard,
    task: tokio::task::JoinHandle<()>,
}

impl Between {
    /// Starts a lab and stands in front of it.
    pub(crate) async fn start(options: LabOptions, act: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let lab = Lab::start(LabOptions { origin: Some(origin.clone()), ..options }).await.expect("the lab starts");
        let (port, act) = (lab.port(), Arc::new(act));
        let counts: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let heard = Heard::default();
        let hears = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (act, counts, heard) = (Arc::clone(&act), Arc::clone(&counts), Arc::clone(&hears));
                tokio::spawn(async move {
                    let _ = serve(stream, port, &*act, &counts, &heard).await;
                });
            }
        });
        Self { origin, lab, heard, task }
    }

    pub(crate) fn mcp(&self) -> String {
        format!("{}/mcp", self.origin)
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request a connection: the answer says so.
async fn serve(
    mut stream: TcpStream,
    port: u16,
    act: &(impl Fn(&Asked) -> Act + Send + Sync),
    counts: &Mutex<HashMap<String, usize>>,
    heard: &Mutex<Vec<Vec<u8>>>,
) -> std::io::Result<()> {
    let Some(request) = whole(&mut stream).await? else { return Ok(()) };
    heard.lock().expect("no panic while it is held").push(request.clone());
    let head = String::from_utf8_lossy(&request[..request.len().min(4096)]).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let bearer = head.to_ascii_lowercase().contains("\nauthorization: bearer ");
    let asked = {
        let mut counts = counts.lock().expect("no panic while it is held");
        let of_all = counts.values().sum();
        let count = counts.entry(path.clone()).or_default();
        *count += 1;
        Asked { path, bearer, before: *count - 1, of_all }
    };
    match act(&asked) {
        Act::Pass => stream.write_all(&of_lab(port, &request).await?).await?,
        Act::Late(by) => {
            tokio::time::sleep(by).await;
            stream.write_all(&of_lab(port, &request).await?).await?;
        }
        Act::Cut(after) => {
            let answer = of_lab(port, &request).await?;
            stream.write_all(&answer[..after.min(answer.len())]).await?;
        }
        Act::Say(bytes) => stream.write_all(&bytes).await?,
        Act::Alter(change) => stream.write_all(&altered(&of_lab(port, &request).await?, change)).await?,
        Act::Add(lines) => {
            let answer = of_lab(port, &request).await?;
            let at = answer.windows(2).position(|w| w == b"\r\n").map_or(0, |at| at + 2);
            stream.write_all(&[&answer[..at], lines.as_bytes(), &answer[at..]].concat()).await?;
        }
        Act::Do(does) => {
            does(stream).await;
            return Ok(());
        }
    }
    stream.shutdown().await
}

/// The whole of a request, as the auditor sends them: with a `Content-Length`, or without a body.
async fn whole(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut seen = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let head = seen.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if seen.len() >= head + length.unwrap_or(0) {
                return Ok(Some(seen));
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Ok(None),
            n => seen.extend_from_slice(&buffer[..n]),
        }
    }
}

/// The lab's answer. It is told that nothing follows, so that the end of the answer is the end of the stream.
async fn of_lab(port: u16, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut lab = TcpStream::connect(("127.0.0.1", port)).await?;
    let line = request.windows(2).position(|w| w == b"\r\n").map_or(0, |at| at + 2);
    lab.write_all(&[&request[..line], b"connection: close\r\n", &request[line..]].concat()).await?;
    let mut answer = Vec::new();
    lab.read_to_end(&mut answer).await?;
    Ok(answer)
}

fn altered(answer: &[u8], change: fn(&mut Value)) -> Vec<u8> {
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let Ok(mut json) = serde_json::from_slice(&answer[head..]) else { return answer.to_vec() };
    change(&mut json);
    let body = json.to_string();
    let head = String::from_utf8_lossy(&answer[..head]);
    let lines = head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Closed with a zero linger: the other side sees a reset.
pub(crate) fn reset(stream: TcpStream) -> Doing {
    Box::pin(async move {
        let _ = stream.set_zero_linger();
        drop(stream);
    })
}
