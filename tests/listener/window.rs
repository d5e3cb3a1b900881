//! An audit by `--agent browser`, and the person's window, played by plain requests: it asks where to go, signs in at the
//! lab, and comes back.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use oaudit::lab::{Lab, LabOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

/// The longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Says of the page of an answer that it was taken, that one was taken before, and that it was not.
pub(crate) const TAKEN: &str = "The answer arrived";
pub(crate) const AGAIN: &str = "had arrived already";
pub(crate) const NOT_OURS: &str = "belongs to no request that is waiting";

/// Checks that hold at the lab, from stages that make many visits.
pub(crate) const CHECKS: [&str; 4] =
    ["authorization/state-returned", "pkce/required", "code/single-use", "redirect_uri/path-exact"];

/// What came back to a request.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Sends bytes and reads until the other side has no more to say, or breaks off; a reset is an answer as well.
pub(crate) async fn send(port: u16, bytes: &[u8]) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let (mut hears, mut says) = stream.split();
        let mut answer = Vec::new();
        // Both at once: whoever is refused early need not be listened to until the end.
        let _ = tokio::join!(says.write_all(bytes), hears.read_to_end(&mut answer));
        Some(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = timeout(LIMIT, exchange).await.expect("an answer, or an end").unwrap_or_default();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request with these lines in its head, and a body.
pub(crate) async fn ask(port: u16, line: &str, lines: &[&str], body: &str) -> Answer {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\n{lines}Connection: close\r\nContent-Length: {length}\r\n\r\n");
    send(port, format!("{head}{body}").as_bytes()).await
}

/// An audit that waits for its window.
pub(crate) struct Audit {
    pub(crate) port: u16,
    pub(crate) lab: Lab,
    child: Child,
    folder: TempDir,
    said: JoinHandle<String>,
    cookies: BTreeMap<String, String>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    code: Option<i32>,
    pub(crate) report: Value,
    said: String,
}

impl Ended {
    /// Every check was judged, and holds.
    pub(crate) fn assert_unharmed(&self) {
        assert!(!self.said.contains("panicked"), "{}", self.said);
        let checks = self.report["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        for id in CHECKS {
            let check = checks.iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("{id} is missing: {self:?}"));
            assert_eq!(check["result"], "pass", "{id}: {}\n{}", check["message"], self.said);
        }
        assert_eq!((self.code, &self.report["stopped"]), (Some(0), &Value::Null), "{}", self.said);
    }

    pub(crate) fn remarks(&self) -> String {
        self.report["remarks"].to_string()
    }
}

impl Audit {
    /// Starts the lab and the binary, and reads where the cockpit is.
    pub(crate) async fn start() -> Self {
        let lab = Lab::start(LabOptions::default()).await.expect("the lab starts");
        let folder = tempfile::tempdir().expect("a folder");
        let mut audit = Command::new(env!("CARGO_BIN_EXE_oaudit"));
        audit.args(["audit", &lab.mcp(), "--agent", "browser", "--no-open", "--yes", "-o"]);
        audit.arg(format!("json={}", report(folder.path())));
        CHECKS.iter().for_each(|id| _ = audit.args(["--select", id]));
        audit.env("XDG_STATE_HOME", folder.path());
        audit.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = audit.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let mut said = String::new();
        let port = loop {
            let line = timeout(LIMIT, lines.next_line()).await.expect("in time").expect("stderr is text");
            let line = line.unwrap_or_else(|| panic!("the audit ended without a cockpit:\n{said}"));
            if let Some((_, address)) = line.rsplit_once("on this page: ") {
                break Url::parse(address).expect("an address").port().expect("a port");
            }
            said.push_str(&format!("{line}\n"));
        };
        let said = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                said.push_str(&format!("{line}\n"));
            }
            said
        });
        Self { port, lab, child, folder, said, cookies: BTreeMap::new() }
    }

    pub(crate) fn host(&self) -> String {
        format!("Host: 127.0.0.1:{}", self.port)
    }

    /// Asks as our own pages do.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.port, &format!("GET {path}"), &[&self.host()], "").await
    }

    /// What the script of our pages asks: where to go next, from this address. Nothing, if nobody listens any more.
    pub(crate) async fn next(&self, href: &str) -> Option<Value> {
        let body = json!({ "href": href, "page": "a window" }).to_string();
        let lines = [&*self.host(), "Content-Type: application/json", "Sec-Fetch-Site: same-origin"];
        let answer = ask(self.port, "POST /next", &lines, &body).await;
        serde_json::from_str(&answer.body).ok()
    }

    /// The next hop, or nothing at the end.
    pub(crate) async fn hop(&self, mut href: String) -> Option<String> {
        loop {
            let reply = self.next(&href).await?;
            if let Some(next) = reply["next"].as_str() {
                return Some(next.to_owned());
            }
            if reply["end"] == true {
                return None;
            }
            href.clear();
        }
    }

    /// Makes a hop at the lab, as alice. Tells where it leads back to, or nothing if it ends on a page there.
    pub(crate) async fn land(&mut self, hop: &str) -> Option<String> {
        let mut answer = self.at_the_lab("GET", hop, "").await;
        for _ in 0..10 {
            let location = answer.header("location").next().map(str::to_owned);
            if let Some(location) = location {
                let to = Url::parse(hop).expect("an address").join(&location).expect("a location");
                if to.port() == Some(self.port) {
                    return Some(to.into());
                }
                answer = self.at_the_lab("GET", to.as_str(), "").await;
                continue;
            }
            let field = |name: &str| {
                let (_, rest) = answer.body.split_once(&format!("name=\"{name}\" value=\""))?;
                rest.split('"').next().map(str::to_owned)
            };
            let (Some(transaction), Some(csrf)) = (field("transaction"), field("csrf")) else { return None };
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("transaction", &transaction).append_pair("csrf", &csrf);
            let to = match answer.body.contains("name=\"password\"") {
                true => {
                    form.append_pair("username", "alice").append_pair("password", "wonderland");
                    "/login"
                }
                false => {
                    form.append_pair("decision", "allow");
                    "/consent"
                }
            };
            let to = format!("{}{to}", self.lab.issuer());
            answer = self.at_the_lab("POST", &to, &form.finish()).await;
        }
        panic!("the lab leads nowhere: {answer:?}")
    }

    async fn at_the_lab(&mut self, method: &str, url: &str, body: &str) -> Answer {
        let url = Url::parse(url).expect("an address");
        let port = url.port().expect("a port");
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (host, cookies) = (format!("Host: 127.0.0.1:{port}"), format!("Cookie: {}", pairs.join("; ")));
        let lines = [&*host, &*cookies, "Content-Type: application/x-www-form-urlencoded"];
        let answer = ask(port, &format!("{method} {}", path(url.as_str())), &lines, body).await;
        for cookie in answer.header("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// The first hop, taken, and where it leads back to: the person is signed in, and only the answer is missing.
    pub(crate) async fn signed_in(&mut self) -> (String, String) {
        let hop = self.hop(String::new()).await.expect("a first hop");
        let back = self.land(&hop).await.expect("an answer");
        (hop, back)
    }

    /// Plays the window to the end, from this address. `back` brings each answer.
    pub(crate) async fn finish(mut self, from: &str, back: impl AsyncFn(&Self, &str)) -> Ended {
        let mut from = from.to_owned();
        while let Some(hop) = self.hop(from).await {
            from = String::new();
            if let Some(address) = self.land(&hop).await {
                back(&self, path(&address)).await;
                from = address;
            }
        }
        let status = timeout(LIMIT, self.child.wait()).await.expect("the audit ends").expect("a status");
        let text = std::fs::read_to_string(report(self.folder.path())).unwrap_or_default();
        Ended {
            code: status.code(),
            report: serde_json::from_str(&text).unwrap_or_default(),
            said: self.said.await.expect("stderr was read"),
        }
    }

    /// The ordinary end: the answer that is due counts, and so does every later one.
    pub(crate) async fn finish_from(self, back: &str) -> Ended {
        comes_back(&self, path(back)).await;
        self.finish(back, comes_back).await
    }

    /// What the process held at its peak, in MiB, and how many files it has open. Linux alone tells.
    pub(crate) fn holds(&self) -> Option<(u64, usize)> {
        let of = format!("/proc/{}", self.child.id()?);
        let status = std::fs::read_to_string(format!("{of}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let peak: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        Some((peak >> 10, std::fs::read_dir(format!("{of}/fd")).ok()?.count()))
    }
}

/// Brings an answer, which is the first to its request.
pub(crate) async fn comes_back(audit: &Audit, path: &str) {
    let answer = audit.get(path).await;
    assert!(answer.body.contains(TAKEN), "{answer:?}");
}

/// Path and query of an address, as they stand there.
pub(crate) fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

fn report(folder: &Path) -> String {
    folder.join("report.json").display().to_string()
}
