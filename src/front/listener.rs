//! The loopback listener: receives what servers send to the redirect URI, and tells the browser's window where to go
//! next.
//!
//! It owns the state and the clocks; pages only ask. One visit waits at a time, and a callback belongs to it only if it
//! brings the visit's `state` back.

mod cockpit;
mod door;
mod pages;
#[cfg(test)]
pub(crate) mod tests;
mod visit;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::cockpit::{Board, Told};
use crate::oauth::answer::Returned;
use crate::oauth::pkce::random_text;
use visit::{State, Visit};

/// How long is waited for what.
#[derive(Debug, Clone)]
pub struct Clocks {
    /// For a person to sign in.
    pub sign_in: Duration,
    /// For an ordinary later visit, before the person is told that the server asks again.
    pub silence: Duration,
    /// What comes back later than this was answered by a person, and not by the session alone.
    pub answer: Duration,
    /// For the person to answer then; and for somebody to open the address of a hop that no window fetches.
    pub renewal: Duration,
    /// For an odd request, which may end on a page that cannot be seen.
    pub odd: Duration,
    /// For a waiting page to fetch the next hop, before a new window is opened.
    pub pick_up: Duration,
    /// For a window to follow its handle.
    pub rescue: Duration,
    /// For a person to click, before the system opens a tab.
    pub click: Duration,
    /// For a hop whose window never left our page, before it is made once more.
    pub stay: Duration,
    /// For the true answer, after one came that is not counted.
    pub stray: Duration,
    /// For the callback page to report its fragment, after its query arrived.
    pub settle: Duration,
    /// For which a page's question is held open.
    pub poll: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            sign_in: Duration::from_secs(600),
            silence: Duration::from_secs(5),
            answer: Duration::from_millis(1500),
            renewal: Duration::from_secs(300),
            odd: Duration::from_secs(8),
            pick_up: Duration::from_secs(2),
            rescue: Duration::from_secs(3),
            click: Duration::from_secs(30),
            stay: Duration::from_secs(20),
            stray: Duration::from_secs(5),
            settle: Duration::from_secs(1),
            poll: Duration::from_secs(10),
        }
    }
}

/// What arrived and was not counted, or should not have arrived at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Which kind.
    pub kind: AnomalyKind,
    /// What was seen, without any value of a parameter but `error`.
    pub what: String,
}

/// The kinds of anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnomalyKind {
    /// An answer without the `state` that was sent.
    NoState,
    /// An answer with a `state` that was never sent.
    UnknownState,
    /// An answer to a visit that was given up.
    Late,
    /// A second answer to one visit, with another code.
    SecondAnswer,
    /// A body came along with an answer in the query: a form was redirected here by 307 or 308, with what the person
    /// typed into it (RFC 9700 section 4.12). It was dropped unread.
    BodyBesideAnswer,
    /// A posted form had a password field beside the answer. Nothing but the answer's parameters was kept.
    PasswordInForm,
    /// A request for another host than ours (DNS rebinding). It was refused.
    ForeignHost,
}

/// What is said of a form that came along with an answer, by whoever saw it.
pub(super) const HANDED_ON: &str = "a form was posted to the redirect URI together with an answer in the query, as a \
     redirect by 307 or 308 after the login does; what was typed into it was dropped unread";

/// Listens on 127.0.0.1 until it is stopped or dropped.
#[derive(Debug)]
pub struct Listener {
    shared: Arc<Shared>,
    server: Mutex<Option<JoinHandle<()>>>,
    stopping: watch::Sender<bool>,
}

impl Listener {
    /// Listens on this port, or on a free one. Needs a runtime around it.
    pub fn bind(port: Option<u16>) -> io::Result<Self> {
        Self::bind_with(port, Clocks::default())
    }

    /// The same with other clocks.
    pub fn bind_with(port: Option<u16>, clocks: Clocks) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))?;
        let shared = Arc::new(Shared {
            port: socket.local_addr()?.port(),
            word: random_text(32),
            clocks,
            state: Mutex::default(),
            changes: watch::Sender::new(()),
        });
        let listener = Self { shared, server: Mutex::default(), stopping: watch::Sender::new(false) };
        *listener.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener.serve(socket)?);
        Ok(listener)
    }

    /// Answers what arrives at a socket until all is stopped.
    pub(super) fn serve(&self, socket: TcpListener) -> io::Result<JoinHandle<()>> {
        socket.set_nonblocking(true)?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        Ok(tokio::spawn(door::serve(socket, Arc::clone(&self.shared), self.stopping.subscribe())))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// The clocks in force.
    pub fn clocks(&self) -> &Clocks {
        &self.shared.clocks
    }

    /// `http://127.0.0.1:PORT/callback`.
    pub fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port())
    }

    /// The cockpit.
    pub fn start_page(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port())
    }

    /// The page that leads a window to the visit that waits.
    pub fn window_page(&self) -> String {
        format!("http://127.0.0.1:{}/window", self.port())
    }

    /// Writes on the board of the cockpit, or reads it.
    pub(super) fn board<T>(&self, act: impl FnOnce(&mut Board) -> T) -> T {
        self.shared.change(|state| act(&mut state.board))
    }

    /// Reads the board, and wakes nobody.
    pub(super) fn see<T>(&self, see: impl FnOnce(&Board) -> T) -> T {
        self.shared.with(|state| see(&state.board))
    }

    /// Waits until what the cockpit told is no longer this; hands back what it is then.
    pub(super) async fn told_other(&self, than: Told) -> Told {
        let mut changes = self.shared.changes.subscribe();
        loop {
            let told = self.shared.with(|state| state.board.told);
            if told != than {
                return told;
            }
            // The sender lives as long as we do.
            _ = changes.changed().await;
        }
    }

    /// What arrived and was not counted, in the order of arrival.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        self.shared.with(|state| state.anomalies.clone())
    }

    /// Tells the pages that this is step `n` of `m`.
    pub fn progress(&self, n: usize, m: usize) {
        self.shared.change(|state| state.board.progress = (n, m));
    }

    /// Whether a page of ours ever asked where to go.
    pub fn was_asked(&self) -> bool {
        self.shared.with(|state| state.asked)
    }

    /// Begins a visit: `url` is the next hop, and the answer is the one that brings `state`. Ends with the value that
    /// is returned; an answer after that is late. A visit that still waits is given up.
    pub fn wait_for(&self, state: &str, url: &str) -> Waiting {
        let number = self.shared.change(|shared| shared.begin(state, url));
        Waiting { shared: Arc::clone(&self.shared), number }
    }

    /// Takes the hop as a page does.
    #[cfg(test)]
    pub(crate) fn take_hop(&self) {
        self.shared.change(|state| state.hand_out("a test"));
    }

    /// The page that took the hop asks again.
    #[cfg(test)]
    pub(crate) fn ask_again(&self) {
        self.shared.change(|state| state.is_asked_again("a test"));
    }

    /// Tells the pages that it is over, answers what is still asked, and stops listening.
    pub async fn stop(&self) {
        self.shared.change(|state| state.ended = true);
        self.stopping.send_replace(true);
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut server) = server {
            // A connection that a browser keeps open must not hold the program.
            if timeout(Duration::from_millis(500), &mut server).await.is_err() {
                server.abort();
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() {
            server.abort();
        }
    }
}

/// A visit that waits for its answer. Dropping it ends the visit.
#[derive(Debug)]
pub struct Waiting {
    shared: Arc<Shared>,
    number: usize,
}

impl Waiting {
    /// Waits for the answer: query and fragment, or the query alone if the page does not report its fragment soon.
    pub async fn returned(&self) -> Returned {
        let mut changes = self.shared.changes.subscribe();
        let mut settled_by = None;
        loop {
            let arrived = self.look(|visit| visit.arrived.clone().map(|returned| (returned, visit.settled))).flatten();
            match arrived {
                Some((returned, true)) => return returned,
                Some((returned, false)) => {
                    let by = *settled_by.get_or_insert_with(|| Instant::now() + self.shared.clocks.settle);
                    if timeout_at(by, changes.changed()).await.is_err() {
                        return returned;
                    }
                }
                None => _ = changes.changed().await,
            }
        }
    }

    /// Waits until a page takes the hop.
    pub async fn handed(&self) {
        self.until(|visit| visit.taken.is_some().then_some(())).await;
    }

    /// Whether a page, or the system, took the hop.
    pub fn is_handed(&self) -> bool {
        self.look(|visit| visit.taken.is_some()).unwrap_or_default()
    }

    /// Whether the page that took the hop asked again.
    pub fn has_stayed(&self) -> bool {
        self.look(|visit| visit.stayed).unwrap_or_default()
    }

    /// Lets the hop be handed out once more, to the window that asks next.
    pub fn hand_again(&self) {
        self.shared.change(|state| {
            if state.visit.as_ref().is_some_and(|v| v.number == self.number) {
                state.hand_again();
            }
        });
    }

    /// Waits until the page that took the hop asks again.
    pub async fn stayed(&self) {
        self.until(|visit| visit.stayed.then_some(())).await;
    }

    /// Waits for an answer that could not be counted as the one to this visit, and tells what was wrong with it.
    pub async fn strayed(&self) -> String {
        self.until(|visit| visit.stray.clone()).await
    }

    async fn until<T>(&self, seen: impl Fn(&Visit) -> Option<T>) -> T {
        let mut changes = self.shared.changes.subscribe();
        loop {
            if let Some(found) = self.look(&seen).flatten() {
                return found;
            }
            // The sender lives as long as this visit.
            _ = changes.changed().await;
        }
    }

    fn look<T>(&self, see: impl FnOnce(&Visit) -> T) -> Option<T> {
        self.shared.with(|state| state.visit.as_ref().filter(|v| v.number == self.number).map(see))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.change(|state| {
            if state.visit.as_ref().is_some_and(|v| v.number == self.number) {
                state.give_up();
            }
        });
    }
}

/// What the listener, its pages and the visit share.
#[derive(Debug)]
struct Shared {
    port: u16,
    /// What the cockpit's own addresses begin with.
    word: String,
    clocks: Clocks,
    state: Mutex<State>,
    changes: watch::Sender<()>,
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Acts, and wakes all who wait for a change.
    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let result = self.with(act);
        self.changes.send_replace(());
        result
    }
}
