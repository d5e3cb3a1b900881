//! The agent `browser`: a person signs in with the system's browser, and one window of it makes all later visits.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::cockpit::{Ask, Phase};
use super::listener::{AnomalyKind, Listener, Waiting};
use super::{Agent, Landing, Purpose, SignInError, Visiting};
use crate::oauth::answer::Returned;
use crate::oauth::request::AuthorizationRequest;
use crate::report::Report;
use crate::run::Progress;
use crate::wire::Wire;
use hop::Hop;
use probe::Signs;

mod hop;
mod probe;

/// How long the cockpit may take to fetch the report at the end.
const FETCHING: Duration = Duration::from_secs(3);

/// How often it is looked for the cockpit, and how often in a row it is missed before it is opened anew.
const LOOK: Duration = Duration::from_secs(1);
const MISSES: u32 = 3;

/// Tells the person something.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Opens an address in a browser. May block.
pub type Opener = Arc<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

/// Drives a window of the person's browser through the listener's pages.
pub struct BrowserAgent {
    listener: Arc<Listener>,
    opener: Option<Opener>,
    say: Say,
    /// The first visit was made.
    begun: AtomicBool,
    /// The window was last seen leaving for the server.
    stuck: AtomicBool,
    /// How often the person was asked, and may be.
    asked: AtomicUsize,
    most: AtomicUsize,
    /// How often in a row the session did not answer by itself.
    asked_again: AtomicUsize,
    /// Windows look closed that are open: the server cuts them off.
    cut: AtomicBool,
    /// When the cockpit was opened last.
    cockpit_opened: Mutex<Option<Instant>>,
    logins: AtomicUsize,
    signs: OnceLock<Signs>,
    /// Visits: made, and planned.
    visits: Mutex<(usize, usize)>,
    remarks: Mutex<Vec<String>>,
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
        Self {
            listener: listener.into(),
            opener,
            say,
            begun: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
            asked_again: AtomicUsize::new(0),
            cut: AtomicBool::new(false),
            cockpit_opened: Mutex::default(),
            logins: AtomicUsize::new(0),
            signs: OnceLock::new(),
            visits: Mutex::default(),
            remarks: Mutex::default(),
        }
    }

    async fn go(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Landing, SignInError> {
        let url = address(request)?;
        if self.listener.board(|b| b.told.stop) {
            return Err(hop::stopped());
        }
        let waiting = self.listener.wait_for(request.state(), url.as_str());
        self.listener.board(|b| b.visiting(&url.origin().ascii_serialization(), wire.stamp()));
        let asks =
            request.get("prompt").is_some_and(|p| p != "none" && !p.is_empty()) || request.get("max_age") == Some("0");
        let asked_before = self.asked_again.load(Ordering::Relaxed);
        let clocks = self.listener.clocks();
        let patience = if purpose == Purpose::SignIn { clocks.sign_in } else { clocks.renewal };
        self.listener.board(|b| b.waits_until(Some(Instant::now() + patience)));
        let hop = Hop {
            agent: self,
            waiting: &waiting,
            url: url.as_str(),
            purpose,
            asks,
            closed_once: AtomicBool::new(false),
            has_asked: AtomicBool::new(false),
            left: OnceLock::new(),
        };
        let silent = async {
            // The look at the login page takes nobody's time: it is over before anybody has typed a password.
            let looking = async {
                if purpose == Purpose::SignIn {
                    self.take_signs(probe::look(wire, request).await, request.redirect_uri());
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                landing = hop.run() => landing,
                () = self.reopening() => unreachable!("it never ends"),
                error = hop.clock() => Err(error),
                () = looking => unreachable!("it never ends"),
            }
        };
        let landing = tokio::select! {
            biased;
            returned = waiting.returned() => {
                hop.has_returned();
                Landing::Returned(returned)
            }
            why = strayed(&self.listener, &waiting, &self.say) => Landing::NeverCameBack(why),
            given_up = silent => {
                self.rest();
                given_up?
            }
        };
        self.rest();
        if let Landing::Returned(returned) = &landing {
            learn(wire, returned);
            self.stuck.store(false, Ordering::Relaxed);
            if self.asked_again.load(Ordering::Relaxed) == asked_before {
                self.asked_again.store(0, Ordering::Relaxed);
            }
            if returned.get("error").is_none() {
                self.logins.store(1, Ordering::Relaxed);
            }
        }
        Ok(landing)
    }

    /// Opens the cockpit anew where something is asked of the person and nobody has it open; once, until somebody does.
    async fn reopening(&self) {
        let mut missed = 0;
        loop {
            sleep(LOOK).await;
            let (phase, watched) = self.listener.see(|b| (b.shown().0, b.is_watched()));
            let asks = matches!(phase, Phase::NeedsPerson | Phase::RescueClick | Phase::RescueOs);
            if watched || !asks {
                missed = 0;
                continue;
            }
            // A page that is loaded anew, or was just opened, is there in a moment.
            if self.opened_lately() {
                continue;
            }
            missed += 1;
            if missed == MISSES {
                self.open_cockpit("The cockpit is closed, and your server asks something. Go on at this page");
            }
        }
    }

    fn opened_lately(&self) -> bool {
        let at = *self.cockpit_opened.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| at.elapsed() < self.listener.clocks().silence)
    }

    /// Between two visits nothing is asked.
    fn rest(&self) {
        let text = "Nothing is to be done. Keep both windows open.";
        self.listener.board(|b| {
            b.waits_until(None);
            b.show(Phase::Idle, Ask::nothing(text));
        });
    }

    fn take_signs(&self, signs: Signs, redirect_uri: &str) {
        let _ = self.signs.set(signs);
        if signs.holds_back {
            let back =
                Url::parse(redirect_uri).map_or_else(|_| redirect_uri.into(), |u| u.origin().ascii_serialization());
            self.remark(format!(
                "The login page's form-action does not allow {back}. Chromium blocks the redirect after the button without \
                 a message; your server has already issued the code. Add the redirect URI's origin to form-action, or \
                 leave form-action out."
            ));
        }
    }

    fn signs(&self) -> Signs {
        self.signs.get().copied().unwrap_or_default()
    }

    /// Tells the person, and the reader of the report.
    fn remark(&self, text: String) {
        self.listener.board(|b| b.note(&text));
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        if !remarks.contains(&text) {
            remarks.push(text);
        }
    }

    /// Visits that are to come, at most.
    fn left(&self) -> usize {
        let (made, planned) = *self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        planned.saturating_sub(made)
    }

    /// Always tells the address: the system's opener may do nothing and report success.
    fn open_cockpit(&self, what: &str) {
        let page = self.listener.start_page();
        *self.cockpit_opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        (self.say)(&format!("{what}: {page}"));
        self.open_tab(&page);
    }

    fn open_tab(&self, page: &str) {
        if let Some(opener) = &self.opener {
            let (opener, say, page) = (Arc::clone(opener), Arc::clone(&self.say), page.to_owned());
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

    fn prompts(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn may_ask(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    fn progress(&self, n: usize, m: usize) {
        *self.visits.lock().unwrap_or_else(PoisonError::into_inner) = (n, m);
        self.listener.progress(n, m);
    }

    fn hear(&self, progress: Progress<'_>) {
        self.listener.board(|b| b.hear(progress));
    }

    fn remarks(&self) -> Vec<String> {
        let own = self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let grave = [AnomalyKind::BodyBesideAnswer, AnomalyKind::PasswordInForm, AnomalyKind::SecondAnswer];
        let seen = self.listener.anomalies().into_iter().filter(|a| grave.contains(&a.kind)).map(|a| a.what);
        own.into_iter().chain(seen).collect()
    }

    fn end<'a>(&'a self, report: &'a Report) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            let watched = self.listener.board(|b| {
                b.end(report);
                b.is_watched()
            });
            if watched {
                // The page fetches the report while somebody answers.
                let fetched = async {
                    let mut told = self.listener.see(|b| b.told);
                    while !told.read {
                        told = self.listener.told_other(told).await;
                    }
                };
                let _ = timeout(FETCHING, fetched).await;
            }
            self.listener.stop().await;
        })
    }
}

/// The address of a request as a browser writes it. Nothing but http(s) is ever handed to one: the endpoint is the
/// target's word.
pub(super) fn address(request: &AuthorizationRequest) -> Result<Url, SignInError> {
    match Url::parse(&request.url()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(SignInError::Unusable(
            format!("the authorization endpoint {:?} is no http or https address", request.endpoint),
            "correct authorization_endpoint in the server's metadata",
        )),
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
mod hop_tests;
#[cfg(test)]
pub(crate) mod tests;
