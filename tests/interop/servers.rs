//! Starts and ends the real servers, written by others, that the interop tests audit.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::installed::{NotRun, Package, or_skip, package};

/// How long a server may take from its start to its READY line.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How many of the last lines of a server's output a failure shows.
const LOG_LINES: usize = 40;

/// A server to audit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// oidc-provider 9, carefully configured, with an API behind it.
    OidcProviderStrict,
    /// oidc-provider 8 with everything allowed that the library allows.
    OidcProviderLax,
    /// An MCP server by FastMCP with the in-memory OAuth provider it ships.
    FastMcp,
    /// An MCP server behind the router of the MCP TypeScript SDK.
    McpSdk { provider: Provider, limits: Limits },
    /// better-auth, whose issuer has a path, with an API beside it.
    BetterAuth,
}

/// Who answers behind the router of the MCP TypeScript SDK.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Provider {
    /// A careful one of ours.
    Own,
    /// The one of the SDK's examples, which tutorials take over.
    Demo,
}

/// The rate limits of the MCP TypeScript SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limits {
    /// 20 registrations an hour, 100 authorization and 50 token requests in 15 minutes.
    Default,
    /// None.
    Off,
}

/// A running server; it ends when this is dropped or when the test process dies.
pub(crate) struct Server {
    /// The issuer identifier, as the server publishes it.
    pub(crate) issuer: String,
    /// The URL of the protected resource.
    pub(crate) resource: String,
    /// All of the READY line: scopes and, where there are any, the user and the clients.
    pub(crate) facts: Value,
    child: Child,
    /// The server reads its end: when we are gone, however that happened, so is the server.
    _alive: ChildStdin,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the child ended by itself and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the target, after installing it if this is the first time.
    ///
    /// # Errors
    ///
    /// `NotRun` where the machine lacks the runtime or the installation fails, as it does offline.
    ///
    /// # Panics
    ///
    /// When an installed server does not come up: that is a defect of its launcher.
    pub(crate) fn start(target: Target) -> Result<Self, NotRun> {
        let mut command = target.command()?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| NotRun(format!("{target:?} cannot be started: {error}")))?;
        let alive = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        // From here on a panic ends the child too.
        let mut server =
            Self { issuer: String::new(), resource: String::new(), facts: Value::Null, child, _alive: alive };

        let log = Log::default();
        let (announce, announced) = mpsc::channel();
        log.follow(stderr, |_| ());
        log.follow(stdout, move |line| {
            if let Some(facts) = line.strip_prefix("READY ") {
                // Nobody listens to a second READY line.
                let _ = announce.send(facts.to_owned());
            }
        });
        let ready = match announced.recv_timeout(START_LIMIT) {
            Ok(ready) => ready,
            Err(RecvTimeoutError::Timeout) => {
                panic!("{target:?} said no READY in {START_LIMIT:?}:\n{log}")
            }
            Err(RecvTimeoutError::Disconnected) => {
                // stderr may have its last words a moment after stdout is closed.
                let status = server.child.wait().expect("a child can be waited for");
                thread::sleep(Duration::from_millis(200));
                panic!("{target:?} ended at its start, {status}:\n{log}")
            }
        };
        server.facts = serde_json::from_str(&ready).expect("READY is followed by JSON");
        server.issuer = server.fact("/issuer");
        server.resource = server.fact("/resource");
        Ok(server)
    }

    /// Starts the target, or says on stderr why it cannot, which is reason enough to skip a test;
    /// with `OAUDIT_INTEROP=required` it is a failure.
    pub(crate) fn start_or_skip(target: Target) -> Option<Self> {
        or_skip(&format!("{target:?}"), Self::start(target))
    }

    /// A text of the READY line by its JSON pointer, such as `/clients/public/client_id`.
    pub(crate) fn fact(&self, pointer: &str) -> String {
        match self.facts.pointer(pointer).and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => panic!("READY has no text at {pointer}: {}", self.facts),
        }
    }
}

/// The last lines that a server wrote, for the message of a failure.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    /// Reads a stream to its end, so that the server never blocks on a full pipe.
    fn follow(&self, stream: impl Read + Send + 'static, mut each: impl FnMut(&str) + Send + 'static) {
        let log = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                each(&line);
                let mut lines = log.0.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == LOG_LINES {
                    lines.pop_front();
                }
                lines.push_back(line);
            }
        });
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Target {
    /// The command that runs the server itself, with nothing between it and us.
    fn command(self) -> Result<Command, NotRun> {
        match self {
            Self::OidcProviderStrict => Self::oidc_provider("strict"),
            Self::OidcProviderLax => Self::oidc_provider("lax"),
            Self::FastMcp => Self::fastmcp(),
            Self::McpSdk { provider, limits } => {
                let mut command = Self::of_node(&MCP_SDK)?;
                command.env("MODE", if matches!(provider, Provider::Own) { "own" } else { "demo" });
                command.env("LIMITS", if limits == Limits::Off { "off" } else { "default" });
                Ok(command)
            }
            Self::BetterAuth => Self::of_node(&BETTER_AUTH),
        }
    }

    fn oidc_provider(mode: &str) -> Result<Command, NotRun> {
        let mut command = Self::of_node(&OIDC_PROVIDER)?;
        command.env("MODE", mode);
        Ok(command)
    }

    fn of_node(package: &Package) -> Result<Command, NotRun> {
        let (home, node) = package.of_npm()?;
        let mut command = Command::new(node);
        command.arg("server.mjs").current_dir(home).env("PORT", "0");
        Ok(command)
    }

    fn fastmcp() -> Result<Command, NotRun> {
        let (home, python) = FASTMCP.of_python()?;
        let mut command = Command::new(python);
        command.arg("server.py").current_dir(home).env("PORT", "0");
        Ok(command)
    }
}

static OIDC_PROVIDER: Package = package!(
    "oidc-provider" in "oidc-provider": "package.json", "package-lock.json",
    "server.mjs", "strict.mjs", "lax.mjs", "pages.mjs", "facts.mjs"
);

static MCP_SDK: Package =
    package!("mcp-sdk" in "mcp-sdk": "package.json", "package-lock.json", "server.mjs", "own.mjs", "demo.mjs");

static BETTER_AUTH: Package = package!(
    "better-auth" in "better-auth": "package.json", "package-lock.json", "server.mjs", "api.mjs", "pages.mjs"
);

static FASTMCP: Package = package!("fastmcp" in "fastmcp": "requirements.txt", "server.py");
