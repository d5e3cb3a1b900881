//! Finds and starts a WebDriver, opens a session in it, and ends both.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::{Capabilities, WebDriver};

use super::{Settings, trail};

/// The longest that a driver may take to say its port.
const START: Duration = Duration::from_secs(20);
/// The longest that one command may take.
const COMMAND: Duration = Duration::from_secs(60);
/// The longest that a browser may take to close.
const ENDING: Duration = Duration::from_secs(10);
/// The longest that a page may take to load.
const LOADING: Duration = Duration::from_secs(30);

/// Which browser a driver drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Chromium,
    Firefox,
}

/// Where a browser is led otherwise than by itself.
pub(super) struct Ways<'a> {
    /// These hosts lead to the sink.
    pub(super) hosts: &'a [String],
    /// Where that is.
    pub(super) sink: &'a str,
    /// The key of a server that is trusted although the browser does not know why.
    pub(super) key: Option<String>,
    /// The proxy that Chromium goes through, if it is ours.
    pub(super) gate: Option<String>,
}

/// A session under way, and the driver if it is ours.
pub(super) struct Driver {
    session: Option<WebDriver>,
    child: Option<Started>,
    /// Whether it tells where its browser was sent beside the address bar.
    pub(super) tells: bool,
}

/// A driver that we started. It ends with us, by its own handle.
struct Started {
    child: Child,
    address: String,
}

impl Drop for Started {
    fn drop(&mut self) {
        // One that is killed leaves its browser behind, also a browser that it was just about to open. Chromedriver closes
        // them all when it is asked to; geckodriver has no such address. Where it has ended, the port may be another's.
        let runs = matches!(self.child.try_wait(), Ok(None));
        let asked =
            runs && url::Url::parse(&self.address).is_ok_and(|address| send(&address, "GET", "/shutdown") == Some(200));
        if asked {
            let began = std::time::Instant::now();
            while began.elapsed() < ENDING && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The session first: a driver that is killed leaves its browser behind.
        if let Some(session) = self.session.take()
            && end(session.server_url(), &session.session_id().to_string())
        {
            let _ = session.leak();
        }
        drop(self.child.take());
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("ours", &self.child.is_some()).finish_non_exhaustive()
    }
}

/// Whether it is certain beforehand that the driver tells nothing but what its browser shows: Firefox's.
pub(super) fn is_taciturn(settings: &Settings) -> bool {
    settings.url.is_none() && installed().is_some_and(|program| is_firefox(&program))
}

fn is_firefox(program: &Path) -> bool {
    program.file_stem().is_some_and(|name| name == "geckodriver")
}

/// A driver that is installed here, if there is one.
pub fn installed() -> Option<PathBuf> {
    ["chromedriver", "geckodriver"].into_iter().find_map(on_path)
}

/// Whether a browser could be shown here.
fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(&name)).find(|path| path.is_file())
}

impl Driver {
    /// Opens a browser. A driver that is started does not get the variables that are `withheld`.
    pub(super) async fn open(settings: &Settings, ways: &Ways<'_>, withheld: &[OsString]) -> Result<Self, String> {
        let (child, address, kinds) = match &settings.url {
            // What answers there is not known before it is asked.
            Some(url) => (None, url.clone(), vec![Kind::Chromium, Kind::Firefox]),
            None => {
                if settings.headed && !has_display() {
                    return Err(
                        "--headed shows a browser, and there is no display here (neither DISPLAY nor WAYLAND_DISPLAY \
                                is set); leave it out, or put xvfb-run -a before oaudit"
                            .into(),
                    );
                }
                let program = installed().ok_or(
                    "neither chromedriver nor geckodriver was found on PATH; install one (chromium-driver on Debian), \
                     or name a running one with --webdriver-url URL",
                )?;
                let kind = if is_firefox(&program) { Kind::Firefox } else { Kind::Chromium };
                let started = start(&program, withheld).await?;
                let address = started.address.clone();
                (Some(started), address, vec![kind])
            }
        };
        let mut why = String::new();
        for kind in kinds {
            let capabilities = capabilities(kind, settings, ways);
            match WebDriver::builder(&address, capabilities).client(client()?).request_timeout(COMMAND).await {
                Ok(session) => {
                    let tells = kind == Kind::Chromium && trail::hops(&session, None).await.is_ok();
                    let driver = Self { session: Some(session), child, tells };
                    let limited = driver.session()?.set_page_load_timeout(LOADING).await;
                    return limited.map(|()| driver).map_err(|e| told(&e));
                }
                Err(error) => why = told(&error),
            }
        }
        Err(format!("the driver at {address} opened no browser: {why}"))
    }

    /// The session.
    pub(super) fn session(&self) -> Result<&WebDriver, String> {
        self.session.as_ref().ok_or_else(|| "the browser was closed".to_owned())
    }
}

/// Ends a session without the runtime, which may be at its own end: one request over a connection of its own.
fn end(driver: &url::Url, session: &str) -> bool {
    let path = driver.path().trim_end_matches('/');
    send(driver, "DELETE", &format!("{path}/session/{session}")).is_some()
}

/// Sends one request, and reads the status of the answer.
fn send(driver: &url::Url, method: &str, path: &str) -> Option<u16> {
    use std::io::{Read, Write};
    let sent = || -> std::io::Result<String> {
        let (host, port) = (driver.host_str().unwrap_or_default(), driver.port_or_known_default().unwrap_or(80));
        let mut stream = std::net::TcpStream::connect((host, port))?;
        stream.set_read_timeout(Some(ENDING))?;
        stream.set_write_timeout(Some(ENDING))?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n")?;
        let mut line = [0; 12];
        stream.read_exact(&mut line)?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    };
    if driver.scheme() != "http" {
        return None;
    }
    sent().ok()?.split(' ').nth(1)?.parse().ok()
}

/// What a driver says, without its stack.
pub(super) fn told(error: &thirtyfour::error::WebDriverError) -> String {
    let text = error.to_string();
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let mut line = lines.next().unwrap_or("no reason given").to_owned();
    // Some say there only of which kind it is, and what it was further down.
    if let (true, Some(more)) = (line.ends_with(':'), lines.skip_while(|l| *l != "Additional info:").nth(1)) {
        line = format!("{line} {more}");
    }
    line.chars().take(300).collect()
}

#[expect(
    clippy::disallowed_types,
    reason = "commands to the driver on this machine are no requests to the target; what the browser does is seen by it"
)]
fn client() -> Result<reqwest::Client, String> {
    // A proxy is for the target, never for the driver.
    reqwest::Client::builder().no_proxy().timeout(COMMAND).build().map_err(|e| e.to_string())
}

/// Starts a driver on a port that was free a moment ago. Whoever stops waiting for it ends it.
async fn start(program: &Path, withheld: &[OsString]) -> Result<Started, String> {
    let name = program.display();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|e| format!("no port is free for {name}: {e}"))?
        .port();
    let mut command = Command::new(program);
    command.arg(format!("--port={port}")).stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
    for name in withheld {
        command.env_remove(name);
    }
    // Ctrl-C is for us: we close the browser properly.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|e| format!("{name} could not be started: {e}"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut started = Started { child, address: format!("http://127.0.0.1:{port}") };
    // What it says is read to the end, lest it waits for a reader.
    let last = Arc::new(Mutex::new(String::new()));
    if let (Some(out), Some(err)) = (out, err) {
        let heard = Arc::clone(&last);
        std::thread::spawn(move || listen(err, |line| *heard.lock().unwrap_or_else(PoisonError::into_inner) = line));
        std::thread::spawn(move || listen(out, drop));
    }
    let began = std::time::Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if let Ok(Some(status)) = started.child.try_wait() {
            // The last words are still on their way.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let says = if last.is_empty() { String::new() } else { format!(", and said: {last}") };
            return Err(format!("{name} ended as soon as it was started ({status}){says}"));
        }
        if began.elapsed() > START {
            return Err(format!("{name} did not open its port within {} seconds", START.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(started)
}

/// Hears every line that says something.
fn listen(stream: impl std::io::Read, mut heard: impl FnMut(String)) {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.filter(|line| !line.trim().is_empty()).for_each(|line| heard(line.trim().chars().take(300).collect()));
}

fn capabilities(kind: Kind, settings: &Settings, ways: &Ways<'_>) -> Capabilities {
    let Ways { hosts, sink, key, gate } = ways;
    let value = match kind {
        Kind::Chromium => {
            let rules: Vec<String> = hosts.iter().map(|host| format!("MAP {host} {sink}")).collect();
            let mut arguments = vec![
                "--no-first-run".to_owned(),
                // Small in containers.
                "--disable-dev-shm-usage".to_owned(),
                format!("--host-resolver-rules={}", rules.join(",")),
            ];
            if !settings.headed {
                arguments.push("--headless=new".into());
            }
            if settings.url.as_deref().is_none_or(crate::wire::guard::is_loopback_url) && is_root() {
                // Chromium refuses to start as root with it.
                arguments.push("--no-sandbox".into());
            }
            if let Some(key) = key {
                // Certificates of this one key are taken, and no others.
                arguments.push(format!("--ignore-certificate-errors-spki-list={key}"));
            }
            let mut preferences = json!({
                // No question whether the password is to be kept.
                "credentials_enable_service": false,
                "profile.password_manager_enabled": false,
            });
            if let Some(gate) = gate {
                arguments.push(format!("--proxy-server=http://{gate}"));
                // Without it Chromium goes past a proxy to this machine and to link-local addresses.
                arguments.push("--proxy-bypass-list=<-loopback>".into());
                // WebRTC goes past it as well, by UDP.
                preferences["webrtc.ip_handling_policy"] = json!("disable_non_proxied_udp");
            }
            let (logs, of_which) = trail::wish();
            let options = json!({
                "args": arguments,
                "perfLoggingPrefs": of_which,
                "prefs": preferences,
            });
            json!({
                "browserName": "chrome",
                "acceptInsecureCerts": settings.insecure,
                "goog:chromeOptions": options,
                "goog:loggingPrefs": logs,
            })
        }
        Kind::Firefox => {
            let arguments: &[&str] = if settings.headed { &[] } else { &["-headless"] };
            let names = hosts.iter().filter(|host| !host.starts_with("*.") && !host.starts_with("127."));
            let names: Vec<&str> = names.map(String::as_str).collect();
            // These lead to this machine, where nothing answers for them.
            let prefs = json!({ "network.dns.localDomains": names.join(","), "signon.rememberSignons": false });
            let options = json!({ "args": arguments, "prefs": prefs });
            json!({ "browserName": "firefox", "acceptInsecureCerts": settings.insecure, "moz:firefoxOptions": options })
        }
    };
    let members = if let Value::Object(members) = value { members } else { serde_json::Map::new() };
    Capabilities::from(members)
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
