//! The agent `paste`: prints the address to visit and takes back what the person pastes, for machines without a browser.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, Lines};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use url::{Url, form_urlencoded};

use super::browser::{Say, abandoned, address, learn, strayed};
use super::listener::{Clocks, Listener};
use super::{Agent, Landing, Purpose, SignInError, Visiting};
use crate::oauth::answer::Returned;
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Wire;

/// What to type where pasting does not work.
const HINT: &str = "run it in a terminal and paste the address that the browser ends at; where nobody can, sign in with \
                    --username and OAUDIT_PASSWORD, or with a session of `oaudit login`";

/// How often a person may paste something that does not fit.
const TRIES: usize = 3;

type Input = Box<dyn AsyncBufRead + Send + Unpin>;

/// Asks a person at the terminal. The listener listens as well, if there is one: a forwarded port may deliver.
pub struct PasteAgent {
    listener: Option<Arc<Listener>>,
    input: Mutex<Lines<Input>>,
    say: Say,
    logins: AtomicUsize,
    /// How often an address was printed for the person to open.
    asked: AtomicUsize,
}

impl fmt::Debug for PasteAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasteAgent").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// What a line was.
#[derive(Debug)]
enum Pasted {
    /// An answer; it may belong to another request.
    Answer(Returned),
    /// The person just pressed Enter.
    Nothing,
    /// Neither an address nor a code.
    Other,
}

impl PasteAgent {
    /// Reads lines from `input`, in production standard input.
    pub fn new(
        listener: Option<impl Into<Arc<Listener>>>,
        input: impl AsyncBufRead + Send + Unpin + 'static,
        say: Say,
    ) -> Self {
        let input: Input = Box::new(input);
        Self {
            listener: listener.map(Into::into),
            input: Mutex::new(input.lines()),
            say,
            logins: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        }
    }

    async fn go(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Landing, SignInError> {
        let url = address(request)?;
        let asking = self.ask(wire, request, &url, purpose);
        let Some(listener) = &self.listener else {
            return self.counted(wire, limited(Clocks::default().sign_in, asking).await?);
        };
        let waiting = listener.wait_for(request.state(), url.as_str());
        let asking = async {
            // A window that comes through a forwarded port goes on by itself; the person is asked if it does not.
            let clocks = listener.clocks();
            if listener.was_asked() && timeout(clocks.pick_up, waiting.handed()).await.is_ok() {
                sleep(clocks.silence).await;
            }
            asking.await
        };
        let landing = tokio::select! {
            biased;
            returned = waiting.returned() => Landing::Returned(returned),
            why = strayed(listener, &waiting, &self.say) => Landing::NeverCameBack(why),
            pasted = limited(listener.clocks().sign_in, asking) => pasted?,
        };
        self.counted(wire, landing)
    }

    fn counted(&self, wire: &Wire, landing: Landing) -> Result<Landing, SignInError> {
        if let Landing::Returned(returned) = &landing {
            learn(wire, returned);
            if returned.get("error").is_none() {
                self.logins.store(1, Ordering::Relaxed);
            }
        }
        Ok(landing)
    }

    async fn ask(
        &self,
        wire: &Wire,
        request: &AuthorizationRequest,
        url: &Url,
        purpose: Purpose,
    ) -> Result<Landing, SignInError> {
        let error_page = match purpose {
            Purpose::Odd => " If the browser shows an error page, just press Enter.",
            Purpose::SignIn | Purpose::Ordinary => "",
        };
        self.asked.fetch_add(1, Ordering::Relaxed);
        // Lines of their own: the address is to be copied.
        (self.say)("Open this address in a browser:");
        (self.say)(url.as_str());
        (self.say)(&format!(
            "The browser ends at an address that begins with {}; it need not load. Paste that whole address here.{error_page}",
            request.redirect_uri()
        ));
        let mut input = self.input.lock().await;
        let mut tries = 0;
        while tries < TRIES {
            let line = input
                .next_line()
                .await
                .map_err(|e| SignInError::Unusable(format!("what was pasted could not be read: {e}"), HINT))?;
            let Some(line) = line else {
                return Err(SignInError::Unusable("the input ended before an address was pasted".into(), HINT));
            };
            match read(&line, request.redirect_uri()) {
                Pasted::Answer(returned) => {
                    learn(wire, &returned);
                    match returned.get("state") {
                        Some(state) if !request.state().is_empty() && state != request.state() => (self.say)(
                            "That address belongs to another request: its state is not the one that was sent. Open the \
                             address above and paste where it leads.",
                        ),
                        _ => return Ok(Landing::Returned(returned)),
                    }
                }
                Pasted::Nothing if purpose == Purpose::Odd => {
                    return Ok(Landing::NeverCameBack(
                        "the person saw a page of the server, which cannot be seen from here".into(),
                    ));
                }
                Pasted::Nothing => continue,
                Pasted::Other => (self.say)(
                    "That is neither an address with an answer in it nor a code. Paste the whole address that the browser \
                     ended at.",
                ),
            }
            tries += 1;
        }
        let why = format!("{TRIES} times something was pasted that does not answer the request");
        Err(SignInError::Unusable(why, HINT))
    }
}

impl Agent for PasteAgent {
    fn name(&self) -> &'static str {
        "paste"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(self.go(wire, request, purpose))
    }

    fn logins(&self) -> usize {
        self.logins.load(Ordering::Relaxed)
    }

    fn sees_pages(&self) -> bool {
        false
    }

    fn asks(&self) -> super::Asks {
        super::Asks::EveryTime
    }

    fn prompts(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// A person has this long, also if something is pasted again and again.
async fn limited(
    time: Duration,
    asking: impl Future<Output = Result<Landing, SignInError>>,
) -> Result<Landing, SignInError> {
    timeout(time, asking).await.unwrap_or_else(|_| Err(abandoned(time)))
}

/// Reads a line: a whole address, the query or fragment of one, or a bare code.
fn read(line: &str, redirect_uri: &str) -> Pasted {
    let line = line.trim().trim_matches(['"', '\'', '<', '>', '`']);
    if line.is_empty() {
        return Pasted::Nothing;
    }
    // Some address bars leave the scheme out.
    if line.starts_with("127.0.0.1:") || line.starts_with("localhost:") {
        return answer(format!("http://{line}"));
    }
    if line.contains(['?', '#']) && Url::parse(line).is_ok() {
        return answer(line.to_owned());
    }
    if line.starts_with('#') {
        return answer(format!("{redirect_uri}{line}"));
    }
    let query = line.strip_prefix('?').unwrap_or(line);
    if let Pasted::Answer(returned) = answer(format!("{}{query}", joined(redirect_uri))) {
        return Pasted::Answer(returned);
    }
    match looks_like_a_code(line) {
        // Copied from an address, so it is still encoded as it stood there.
        true => {
            let code: Vec<(String, String)> =
                form_urlencoded::parse(format!("code={}", line.replace('+', "%2B")).as_bytes()).into_owned().collect();
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(code).finish();
            answer(format!("{}{query}", joined(redirect_uri)))
        }
        false => Pasted::Other,
    }
}

fn joined(redirect_uri: &str) -> String {
    format!("{redirect_uri}{}", if redirect_uri.contains('?') { '&' } else { '?' })
}

fn answer(url: String) -> Pasted {
    let returned = Returned::read(&url, None);
    match ["code", "error", "access_token", "id_token", "response", "state"].iter().any(|n| returned.get(n).is_some()) {
        true => Pasted::Answer(returned),
        false => Pasted::Other,
    }
}

/// Visible characters of an address, with a digit or a capital among them: what a person types in passing has none.
fn looks_like_a_code(line: &str) -> bool {
    line.len() >= 8
        && line.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/=%:|!*".contains(c))
        && line.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        && !line.contains("://")
}

#[cfg(test)]
mod tests;
