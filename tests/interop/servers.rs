//! Installs, starts and ends the real servers, written by others, that the interop tests audit.

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

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

/// Why a server could not be had on this machine.
#[derive(Debug)]
pub(crate) struct NotRun(String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
        match Self::start(target) {
            Ok(server) => Some(server),
            Err(reason) if std::env::var("OAUDIT_INTEROP").is_ok_and(|it| it == "required") => {
                panic!("OAUDIT_INTEROP=required, but {target:?} was not run: {reason}")
            }
            Err(reason) => {
                // The handle itself, since the test runner hides what a passing test prints.
                let _ = writeln!(std::io::stderr(), "NOT RUN: {target:?}: {reason}");
                None
            }
        }
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
        let node = node().ok_or_else(|| NotRun("it needs node 20 or newer".to_owned()))?;
        let home = package.installed(&node, |folder| {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
            run(npm.current_dir(folder))
        })?;
        let mut command = Command::new(node);
        command.arg("server.mjs").current_dir(home).env("PORT", "0");
        Ok(command)
    }

    fn fastmcp() -> Result<Command, NotRun> {
        let python =
            python().ok_or_else(|| NotRun("it needs Python 3.12 or newer, with its venv and ensurepip".to_owned()))?;
        let home = FASTMCP.installed(&python, |folder| {
            run(Command::new(&python).args(["-m", "venv", "venv"]).current_dir(folder))?;
            // As a module: the scripts of a venv know only the folder they were made in.
            let mut pip = Command::new(folder.join("venv/bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
            pip.args(["--disable-pip-version-check", "--requirement", "requirements.txt"]);
            run(pip.current_dir(folder))
        })?;
        let mut command = Command::new(home.join("venv/bin/python"));
        command.arg("server.py").current_dir(home).env("PORT", "0");
        Ok(command)
    }
}

/// What one installation consists of, carried in the test binary.
struct Package {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// Held while one test installs, so that the others find the result.
    installing: Mutex<()>,
}

/// The named files of one folder beside this file.
macro_rules! package {
    ($name:literal: $($file:literal),+) => {
        Package {
            name: $name,
            files: &[$(($file, include_str!(concat!($name, "/", $file)))),+],
            installing: Mutex::new(()),
        }
    };
}

static OIDC_PROVIDER: Package = package!(
    "oidc-provider": "package.json", "package-lock.json",
    "server.mjs", "strict.mjs", "lax.mjs", "pages.mjs", "facts.mjs"
);

static MCP_SDK: Package = package!("mcp-sdk": "package.json", "package-lock.json", "server.mjs", "own.mjs", "demo.mjs");

static BETTER_AUTH: Package =
    package!("better-auth": "package.json", "package-lock.json", "server.mjs", "api.mjs", "pages.mjs");

static FASTMCP: Package = package!("fastmcp": "requirements.txt", "server.py");

impl Package {
    /// The folder that holds this package and all that `program` needs to run it; `install` fills
    /// it if it is not there yet.
    ///
    /// A folder under its final name is complete: it was made under another name and then renamed,
    /// which also settles a race with another process.
    fn installed(&self, program: &Path, install: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, NotRun> {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = DefaultHasher::new();
        (self.files, program).hash(&mut key);
        let home = home();
        let folder = home.join(format!("{}-{:016x}", self.name, key.finish()));
        if folder.exists() {
            return Ok(folder);
        }
        let build = || -> Result<(), String> {
            fs::create_dir_all(&home).map_err(|error| error.to_string())?;
            let draft =
                tempfile::Builder::new().prefix(self.name).tempdir_in(&home).map_err(|error| error.to_string())?;
            for (name, text) in self.files {
                fs::write(draft.path().join(name), text).map_err(|error| error.to_string())?;
            }
            install(draft.path())?;
            match fs::rename(draft.path(), &folder) {
                // Another process was faster; its folder is as good.
                Err(_) if folder.exists() => Ok(()),
                renamed => renamed.map_err(|error| error.to_string()),
            }
        };
        match build() {
            Ok(()) => Ok(folder),
            Err(reason) => Err(NotRun(format!("installing {} failed: {reason}", self.name))),
        }
    }
}

/// Where installations are kept: `OAUDIT_INTEROP_HOME`, else `interop` in the target folder.
fn home() -> PathBuf {
    match std::env::var_os("OAUDIT_INTEROP_HOME") {
        Some(home) => std::path::absolute(home).expect("OAUDIT_INTEROP_HOME is not empty"),
        // cargo hands over `target/tmp`, wherever the target folder is.
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop"),
    }
}

/// Node, if it is new enough. Whether npm is with it shows when it is needed.
fn node() -> Option<PathBuf> {
    let probe = "if (parseInt(process.versions.node) < 20) process.exit(1); console.log(process.execPath)";
    output(Command::new("node").args(["-e", probe])).map(PathBuf::from)
}

/// The first Python that is new enough and can make a virtual environment.
fn python() -> Option<PathBuf> {
    let named = ["python3.14", "python3.13", "python3.12", "python3"].map(PathBuf::from);
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".pyenv")))
        .and_then(|root| fs::read_dir(root.join("versions")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/python3")));
    // Its own path, since a name may stand for a wrapper that chooses by folder.
    let probe = "import sys, venv, ensurepip; assert sys.version_info >= (3, 12); print(sys.executable)";
    named
        .into_iter()
        .chain(pyenv)
        .find_map(|python| output(Command::new(python).args(["-c", probe])))
        .map(PathBuf::from)
}

/// What a command that succeeds says on stdout.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

/// Runs a step of an installation; a failure is told in the step's own last words.
fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<_> = said.lines().rev().take(LOG_LINES).collect();
    let last: Vec<_> = last.into_iter().rev().collect();
    Err(format!("{program}, {}:\n{}", output.status, last.join("\n")))
}
