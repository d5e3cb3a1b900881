//! The agent `command`: a program of the user's signs in, for logins that nothing else can do (passkeys, corporate
//! single sign-on, a browser script of one's own).
//!
//! The program is started without a shell. It reads one JSON object from standard input and writes one to standard
//! output: the address that the browser came back to, or the cookies of a session, with which the form machinery goes
//! on. What it writes to standard error is shown only if it fails.

use std::pin::pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::browser::{address, learn};
use super::cookies::SavedSession;
use super::form::FormAgent;
use super::jar::Jar;
use super::session::{at_login, wants_login};
use super::{Agent, Denying, Landing, Purpose, SeenPage, SignInError, Visiting};
use crate::oauth::answer::Returned;
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Wire;

/// The most that is read of what the program writes.
const LONGEST: usize = 1 << 20;

/// The end of what it writes to standard error that is kept.
const LAST: usize = 64 << 10;

/// How long is read on when the program has ended.
const LINGER: Duration = Duration::from_millis(500);

/// What stands in the names of our variables that hold secrets.
const DELICATE: [&str; 3] = ["PASSWORD", "SECRET", "TOKEN"];

/// The program and how it is used.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name and arguments; no shell reads them.
    pub run: Vec<String>,
    /// How long it may take.
    pub limit: Duration,
    /// Told to it, if known. The password is not: the program knows where to find it.
    pub username: Option<String>,
}

impl Program {
    /// Seconds that a program may take unless it is told otherwise.
    pub const LIMIT: Duration = Duration::from_secs(120);

    /// Reads a command line: words as a shell would split them, and nothing else that a shell does.
    pub fn parse(line: &str) -> Option<Self> {
        let run = shlex::split(line).filter(|words| !words.is_empty())?;
        Some(Self { run, limit: Self::LIMIT, username: None })
    }

    /// What is run, and how many arguments it gets.
    pub fn parted(self) -> Option<(String, usize)> {
        let (name, arguments) = self.run.split_first()?;
        Some((shlex::try_quote(name).ok()?.into_owned(), arguments.len()))
    }

    fn name(&self) -> &str {
        self.run.first().map_or("", String::as_str)
    }
}

/// What the program answered.
#[derive(Debug)]
enum Answer {
    /// Where the browser came back to.
    CameBack(Returned),
    /// The cookies of a session.
    Session(SavedSession),
    /// It saw a page of the server, which is the end of some odd requests.
    SawPage(String),
}

/// Runs a program for every visit, or until it hands over a session.
#[derive(Debug)]
pub struct CommandAgent {
    program: Program,
    forms: FormAgent,
    /// Whether a session was handed over.
    has_session: AtomicBool,
    logins: AtomicUsize,
}

impl CommandAgent {
    /// An agent that runs this program.
    pub fn new(program: Program) -> Self {
        let forms = FormAgent::with_session(Jar::default());
        Self { program, forms, has_session: AtomicBool::new(false), logins: AtomicUsize::new(0) }
    }

    async fn go(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Landing, SignInError> {
        if self.has_session.load(Ordering::Relaxed) {
            match self.forms.visit(wire, request, purpose).await {
                Err(SignInError::NobodyThere) if purpose == Purpose::Odd || wants_login(request) => {
                    return at_login(&self.forms, wire, request).await;
                }
                // The session has ended: the program may make another.
                Err(SignInError::NobodyThere) => {}
                ended => return ended,
            }
        }
        match self.ask(wire, request, purpose).await? {
            Answer::CameBack(returned) => {
                learn(wire, &returned);
                let state = returned.get("state").unwrap_or_default();
                if !state.is_empty() && !request.state().is_empty() && state != request.state() {
                    return Err(
                        self.failed("answered with a callback_url of another request: its state is not the one sent")
                    );
                }
                if returned.get("error").is_none() {
                    self.logins.store(1, Ordering::Relaxed);
                }
                Ok(Landing::Returned(returned))
            }
            Answer::SawPage(what) => {
                let what = wire.vault().redact(&what).into_owned();
                if purpose == Purpose::SignIn {
                    return Err(self.failed(&format!("got no further than a page of the server: {what}")));
                }
                Ok(Landing::NeverCameBack(format!("the program that signs in saw a page of the server: {what}")))
            }
            Answer::Session(session) => {
                for cookie in &session.cookies {
                    wire.vault().learn("cookie", cookie.value.expose());
                }
                self.forms.take_session(Jar::from(&session)).await;
                self.has_session.store(true, Ordering::Relaxed);
                match self.forms.visit(wire, request, purpose).await {
                    Err(SignInError::NobodyThere) => {
                        Err(self.failed("handed over cookies, but the server shows its login page all the same"))
                    }
                    ended => {
                        self.logins.fetch_add(1, Ordering::Relaxed);
                        ended
                    }
                }
            }
        }
    }

    async fn ask(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Answer, SignInError> {
        let url = address(request)?;
        hide_what_it_inherits(wire);
        let mut asked = json!({
            "authorize_url": url.as_str(),
            "redirect_uri": request.redirect_uri(),
            "state": request.state(),
            "purpose": match purpose {
                Purpose::SignIn => "sign-in",
                Purpose::Ordinary => "ordinary",
                Purpose::Odd => "odd",
            },
        });
        if let Some(username) = &self.program.username {
            asked["username"] = json!(username);
        }
        let ran = timeout(self.program.limit, self.run(&asked)).await;
        let output = ran.map_err(|_| {
            self.failed(&format!("did not answer within {} s and was stopped", self.program.limit.as_secs()))
        })??;
        // Who is not listened to any more ends badly.
        if output.stdout.len() > LONGEST {
            return Err(self.failed("wrote more than 1 MiB"));
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or_default();
            let last: String = wire.vault().redact(last).chars().take(200).collect();
            let said = if last.is_empty() { String::new() } else { format!(" (\"{last}\")") };
            let how = output
                .status
                .code()
                .map_or("was ended by a signal".into(), |code| format!("ended with exit code {code}"));
            return Err(self.failed(&format!("{how}{said}")));
        }
        read(&output.stdout).map_err(|why| self.failed(&wire.vault().redact(&why)))
    }

    async fn run(&self, asked: &Value) -> Result<std::process::Output, SignInError> {
        let (program, arguments) = self.program.run.split_first().ok_or(SignInError::NobodyThere)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // One that takes too long must not live on.
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| self.failed(&format!("could not be started: {e}")))?;
        let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let line = format!("{asked}\n");
        // Written while the answer is read: a program that reads nothing is no error.
        let writing = async {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(line.as_bytes()).await;
            }
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ended = {
            let mut reading = pin!(async { tokio::join!(writing, head(out, &mut stdout), tail(err, &mut stderr)) });
            // Who has written too much, or closed what it writes to, has ended or is about to.
            let first = tokio::select! {
                _ = &mut reading => None,
                ended = child.wait() => Some(ended),
            };
            match first {
                None => child.wait().await,
                Some(ended) => {
                    // A browser that it leaves behind holds its output open.
                    let _ = timeout(LINGER, reading).await;
                    ended
                }
            }
        };
        let status = ended.map_err(|e| self.failed(&format!("could not be listened to: {e}")))?;
        Ok(std::process::Output { status, stdout, stderr })
    }

    fn failed(&self, why: &str) -> SignInError {
        SignInError::Command { program: self.program.name().to_owned(), why: why.to_owned() }
    }
}

/// Reads the beginning of what is written, and leaves the rest: whoever writes it is told that nobody listens.
async fn head(from: Option<impl AsyncRead + Unpin>, to: &mut Vec<u8>) {
    if let Some(from) = from {
        let _ = from.take(LONGEST as u64 + 1).read_to_end(to).await;
    }
}

/// Reads all, and keeps the end.
async fn tail(from: Option<impl AsyncRead + Unpin>, to: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut some = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut some).await {
        to.extend_from_slice(&some[..n]);
        if to.len() > 2 * LAST {
            to.drain(..to.len() - LAST);
        }
    }
}

/// Makes secret what the program finds in its environment: it may quote that, whether anybody else uses it or not.
fn hide_what_it_inherits(wire: &Wire) {
    let delicate = |name: &str| name.starts_with("OAUDIT_") && DELICATE.iter().any(|word| name.contains(word));
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    for (_, value) in variables.filter(|(name, _)| delicate(name)) {
        wire.vault().learn("secret", &value);
    }
}

/// Reads the answer: the whole output as JSON, or its last line, for programs that talk before they answer.
fn read(output: &[u8]) -> Result<Answer, String> {
    let text = String::from_utf8_lossy(output);
    let last = text.lines().map(str::trim).rfind(|l| !l.is_empty());
    let Some(last) = last else {
        return Err("wrote nothing to standard output; due is one JSON object with callback_url or cookies".into());
    };
    let json = serde_json::from_str::<Value>(&text).or_else(|_| serde_json::from_str(last));
    let Some(json) = json.ok().filter(|json: &Value| json.is_object() || json.is_array()) else {
        return Err("wrote something that is not JSON; due is one JSON object with callback_url or cookies".into());
    };
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    if let Some(why) = text("error") {
        return Err(format!("says that it could not sign in: {why}"));
    }
    if let Some(url) = text("callback_url") {
        return match url::Url::parse(url) {
            Ok(_) => Ok(Answer::CameBack(Returned::read(url, None))),
            Err(error) => Err(format!("answered with a callback_url that is no address: {error}")),
        };
    }
    if let Some(page) = text("page") {
        return Ok(Answer::SawPage(page.chars().take(200).collect()));
    }
    if json.is_array() || json.get("cookies").is_some() {
        let session =
            SavedSession::of(&json).map_err(|why| format!("answered with cookies that cannot be used: {why}"))?;
        return Ok(Answer::Session(session));
    }
    Err("answered with JSON that has neither callback_url nor cookies".into())
}

impl Agent for CommandAgent {
    fn name(&self) -> &'static str {
        "command"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(self.go(wire, request, purpose))
    }

    fn look<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        self.sees_pages().then(|| self.forms.look(wire, request)).flatten()
    }

    fn deny<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Denying<'a>> {
        self.sees_pages().then(|| self.forms.deny(wire, request)).flatten()
    }

    fn logins(&self) -> usize {
        self.logins.load(Ordering::Relaxed)
    }

    fn sees_pages(&self) -> bool {
        self.has_session.load(Ordering::Relaxed)
    }

    fn pages(&self) -> Vec<SeenPage> {
        self.forms.pages()
    }

    fn session(&self) -> Option<SavedSession> {
        self.sees_pages().then(|| self.forms.session()).flatten()
    }

    fn keeps_session(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(output: &str) -> String {
        read(output.as_bytes()).unwrap_err()
    }

    #[test]
    fn an_answer_is_a_callback_or_cookies() {
        let callback = "Launching…\n{\"callback_url\": \"http://127.0.0.1:1/callback?code=x&state=y\"}\n";
        let Ok(Answer::CameBack(returned)) = read(callback.as_bytes()) else { panic!("no callback") };
        assert_eq!(returned.get("code"), Some("x"));
        let cookies = r#"{"cookies": [{"name": "sid", "value": "x", "domain": "127.0.0.1"}]}"#;
        let Ok(Answer::Session(session)) = read(cookies.as_bytes()) else { panic!("no cookies") };
        assert_eq!(session.cookies[0].domain, "127.0.0.1");
        assert!(matches!(read(br#"{"page": "400 invalid redirect_uri"}"#), Ok(Answer::SawPage(_))));
    }

    #[test]
    fn what_is_no_answer_is_said_in_a_sentence() {
        assert!(refused("").starts_with("wrote nothing"));
        assert!(refused("done").starts_with("wrote something that is not JSON"));
        assert!(refused("{}").ends_with("neither callback_url nor cookies"));
        assert!(refused(r#"{"error": "captcha"}"#).ends_with("could not sign in: captcha"));
        assert!(refused(r#"{"callback_url": "nowhere"}"#).contains("no address"));
        assert!(refused(r#"{"cookies": []}"#).contains("is empty"));
    }

    async fn ran(script: &str) -> Result<std::process::Output, SignInError> {
        let run = ["sh", "-c", script].map(str::to_owned).to_vec();
        let agent = CommandAgent::new(Program { run, limit: Program::LIMIT, username: None });
        timeout(Duration::from_secs(20), agent.run(&json!({"x": "y".repeat(100_000)}))).await.expect("it ends")
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_is_not_listened_to_for_ever() {
        let output = ran("echo yes; echo no >&2; sleep 30 & exit 3").await.unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"yes\n"[..], &b"no\n"[..]));
        assert_eq!(output.status.code(), Some(3), "what it left behind holds its output");
        let output = ran("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy || exit; done 2>&1").await.unwrap();
        assert_eq!(output.stdout.len(), LONGEST + 1);
        let output = ran("yes | head -c 3000000 >&2; echo last >&2; cat").await.unwrap();
        assert!(output.stderr.len() <= 2 * LAST && output.stderr.ends_with(b"last\n"));
        assert!(output.stdout.len() > 100_000 && output.status.success());
    }

    #[test]
    fn no_shell_reads_the_command_line() {
        let program = Program::parse("node 'log in.mjs' $HOME; rm -rf x").unwrap();
        assert_eq!(program.run, ["node", "log in.mjs", "$HOME;", "rm", "-rf", "x"]);
        assert!(Program::parse("  ").is_none() && Program::parse("'open").is_none());
    }
}
