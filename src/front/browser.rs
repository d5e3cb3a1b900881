//! The agent `browser`: a person signs in with the system's browser, and one window of it makes all later visits.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use url::Url;

use super::listener::{Listener, Waiting};
use super::{Agent, Landing, Purpose, SignInError, Visiting};
use crate::oauth::answer::Returned;
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Wire;

/// Tells the person something.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Opens an address in a browser. May block.
pub type Opener = Arc<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

/// Drives a window of the person's browser through the listener's pages.
pub struct BrowserAgent {
    listener: Arc<Listener>,
    opener: Option<Opener>,
    say: Say,
    opened: AtomicBool,
    logins: AtomicUsize,
}

impl fmt::Debug for BrowserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserAgent").field("port", &self.listener.port()).finish_non_exhaustive()
    }
}

impl BrowserAgent {
    /// Opens windows by the system, or only prints their address.
    pub fn new(listener: impl Into<Arc<Listener>>, open: bool, say: Say) -> Self {
        let system: Opener = Arc::new(webbrowser::open);
        Self::with_opener(listener, open.then_some(system), say)
    }

    /// Opens windows by a given opener, or only prints their address.
    pub fn with_opener(listener: impl Into<Arc<Listener>>, opener: Option<Opener>, say: Say) -> Self {
        Self { listener: listener.into(), opener, say, opened: AtomicBool::new(false), logins: AtomicUsize::new(0) }
    }

    async fn go(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Landing, SignInError> {
        let url = address(request)?;
        let waiting = self.listener.wait_for(request.state(), url.as_str());
        let landing = tokio::select! {
            biased;
            returned = waiting.returned() => Landing::Returned(returned),
            why = strayed(&self.listener, &waiting, &self.say) => Landing::NeverCameBack(why),
            given_up = self.patience(&waiting, purpose) => given_up?,
        };
        if let Landing::Returned(returned) = &landing {
            learn(wire, returned);
            if returned.get("error").is_none() {
                self.logins.store(1, Ordering::Relaxed);
            }
        }
        Ok(landing)
    }

    /// Brings the browser to the hop, and ends when there is nothing left to wait for.
    async fn patience(&self, waiting: &Waiting, purpose: Purpose) -> Result<Landing, SignInError> {
        let clocks = self.listener.clocks();
        let first = !self.opened.swap(true, Ordering::Relaxed);
        if first {
            self.open("Sign in in your browser, at this address");
        } else if timeout(clocks.pick_up, waiting.handed()).await.is_err() {
            // The window ended on a page of the server, where nothing of ours runs, or it was closed.
            self.open("No window of the browser is waiting for the next step. Open this address to continue");
        }
        if purpose == Purpose::SignIn {
            let half = clocks.sign_in / 2;
            sleep(half).await;
            self.remind(half);
            sleep(half).await;
            return Err(abandoned(clocks.sign_in));
        }
        if timeout(clocks.renewal, waiting.handed()).await.is_err() {
            return Err(abandoned(clocks.renewal));
        }
        if purpose == Purpose::Odd {
            sleep(clocks.odd).await;
            return Ok(Landing::NeverCameBack(format!(
                "no answer came within {} s: the browser stayed on a page of the server, which cannot be seen from here",
                clocks.odd.as_secs()
            )));
        }
        sleep(clocks.silence).await;
        (self.say)(&format!(
            "The server asks again (login or consent): answer it in the window of the browser. If there is no such \
             window, open {}",
            self.listener.start_page()
        ));
        sleep(clocks.renewal.saturating_sub(clocks.silence)).await;
        Err(abandoned(clocks.renewal))
    }

    /// Always tells the address: the system's opener may do nothing and report success.
    fn open(&self, what: &str) {
        let page = self.listener.start_page();
        (self.say)(&format!("{what}: {page}"));
        if let Some(opener) = &self.opener {
            let (opener, say) = (Arc::clone(opener), Arc::clone(&self.say));
            // A thread of its own: an opener may last as long as its browser, and must not hold the runtime's end.
            std::thread::spawn(move || {
                if let Err(error) = opener(&page) {
                    say(&format!("No browser could be opened ({error}). Open the address above yourself."));
                }
            });
        }
    }

    fn remind(&self, left: Duration) {
        let (port, page) = (self.listener.port(), self.listener.start_page());
        (self.say)(&format!(
            "Nobody has signed in yet; {} left. If the browser is on another machine, run there \
             `ssh -L {port}:127.0.0.1:{port} HOST` (HOST is this machine) and open {page}; or run again with --agent paste.",
            minutes(left)
        ));
    }
}

impl Agent for BrowserAgent {
    fn name(&self) -> &'static str {
        "browser"
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
        super::Asks::WhenTheServerDoes
    }

    fn progress(&self, n: usize, m: usize) {
        self.listener.progress(n, m);
    }
}

/// The address of a request as a browser writes it. Nothing but http(s) is ever handed to one: the endpoint is the
/// target's word.
pub(super) fn address(request: &AuthorizationRequest) -> Result<Url, SignInError> {
    match Url::parse(&request.url()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(SignInError::Unusable(format!(
            "the authorization endpoint {:?} is no http or https address",
            request.endpoint
        ))),
    }
}

/// Makes what came in the front channel secret, before anybody can write it down.
pub(super) fn learn(wire: &Wire, returned: &Returned) {
    for (name, value) in returned.query.iter().chain(&returned.fragment) {
        if matches!(name.as_str(), "code" | "access_token" | "id_token" | "refresh_token" | "response") {
            wire.vault().learn(name, value);
        }
    }
}

/// Ends some time after an answer that cannot be counted, so that a server that loses the state is not waited for in
/// vain, and a stranger's callback does not push the true answer aside.
pub(super) async fn strayed(listener: &Listener, waiting: &Waiting, say: &Say) -> String {
    let why = waiting.strayed().await;
    say(&format!("The browser came back with {why}. It is not counted; waiting a little for the true answer."));
    sleep(listener.clocks().stray).await;
    format!("the browser came back with {why}")
}

pub(super) fn abandoned(after: Duration) -> SignInError {
    SignInError::Abandoned(after.as_secs().div_ceil(60))
}

fn minutes(left: Duration) -> String {
    match left.as_secs().div_ceil(60) {
        1 => "1 minute is".into(),
        n => format!("{n} minutes are"),
    }
}

#[cfg(test)]
pub(crate) mod tests;
