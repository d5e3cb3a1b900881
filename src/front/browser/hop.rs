//! One visit of the second window, from state to state: it is opened, it makes the hop, it asks the person, it is silent,
//! and it is rescued, by its handle first, by a click next, and by the operating system in the end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, sleep, timeout};

use super::{BrowserAgent, abandoned};
use crate::front::cockpit::{Act, Ask, Phase, Told};
use crate::front::listener::{Clocks, Waiting};
use crate::front::{Landing, Purpose, SignInError};

mod asking;
mod rescue;

use asking::{asks_each_time, blocked};

/// Where it goes from a state.
enum Next {
    To(Phase),
    Over(Landing),
}

type Step = Result<Next, SignInError>;

/// What happened while a person was waited for.
enum Event {
    Handed,
    Told(Told),
    Stayed,
}

/// A visit that waits for its answer. Only what keeps it from coming is looked after here; the answer ends it from
/// outside.
pub(super) struct Hop<'a> {
    pub(super) agent: &'a BrowserAgent,
    pub(super) waiting: &'a Waiting,
    pub(super) url: &'a str,
    pub(super) purpose: Purpose,
    /// The request itself makes the server ask: `prompt`, `max_age=0`.
    pub(super) asks: bool,
    /// The window was closed once in the middle of it.
    pub(super) closed_once: AtomicBool,
    /// The person was asked something in it.
    pub(super) has_asked: AtomicBool,
    /// When the window left for the server.
    pub(super) left: OnceLock<Instant>,
}

impl Hop<'_> {
    /// Goes from state to state, until there is nothing left to wait for.
    pub(super) async fn run(&self) -> Result<Landing, SignInError> {
        let mut phase = self.begin();
        loop {
            let step = match phase {
                Phase::Opening => self.opening().await,
                Phase::Hop => self.hop().await,
                Phase::SilentTimeout => self.silent().await,
                Phase::NeedsPerson => self.needs_person().await,
                Phase::RescueHandle => self.rescue_by_handle().await,
                Phase::RescueClick => self.rescue_by_click().await,
                Phase::RescueOs => self.rescue_by_system().await,
                Phase::Idle | Phase::Done => Ok(Next::To(Phase::Hop)),
            };
            phase = match step? {
                Next::To(phase) => phase,
                Next::Over(landing) => return Ok(landing),
            };
        }
    }

    fn begin(&self) -> Phase {
        let first = !self.agent.begun.swap(true, Ordering::Relaxed);
        if self.told().tabs {
            self.agent.open_tab(self.url);
            return Phase::Hop;
        }
        if first {
            self.agent.open_cockpit("Sign in with your browser: press the button on this page");
            return Phase::Opening;
        }
        // The window stands on a page of the server, where nothing of ours runs.
        if self.agent.stuck.load(Ordering::Relaxed) { Phase::RescueHandle } else { Phase::Hop }
    }

    async fn opening(&self) -> Step {
        let mut told = self.told();
        loop {
            let ask = match told.blocked {
                true => blocked(),
                false => Ask {
                    text:
                        "Press the button: it opens a second window. Log in and allow there. After that it should run \
                           by itself."
                            .into(),
                    buttons: vec![Act::Open.labelled("Open the sign-in window")],
                },
            };
            self.show(Phase::Opening, ask);
            match self.event(told).await {
                Event::Handed => return Ok(Next::To(Phase::Hop)),
                Event::Told(other) => told = self.heed(other)?,
                Event::Stayed => {}
            }
        }
    }

    async fn hop(&self) -> Step {
        self.show(Phase::Hop, Ask::nothing("Nothing is to be done: the second window goes on by itself."));
        if timeout(self.clocks().pick_up, self.waiting.handed()).await.is_err() {
            // The window ended on a page of the server, or it was closed.
            return Ok(Next::To(Phase::RescueHandle));
        }
        // From here on it may stand anywhere.
        self.agent.stuck.store(true, Ordering::Relaxed);
        let _ = self.left.set(Instant::now());
        if self.purpose == Purpose::SignIn || self.asks {
            return Ok(Next::To(Phase::NeedsPerson));
        }
        if self.purpose == Purpose::Odd {
            return Ok(self.odd().await);
        }
        // A login at each step is expected where the cookies are strict: the way out is offered before it is typed again.
        let expected = self.agent.signs().strict && !self.told().tabs;
        let clocks = self.clocks();
        let patience = match expected {
            // Nobody should answer any more: a page that waits for that is left at once.
            _ if self.agent.asked.load(Ordering::Relaxed) >= self.agent.most.load(Ordering::Relaxed) => clocks.answer,
            true => clocks.settle,
            false => clocks.silence,
        };
        tokio::select! {
            () = self.closes() => Ok(Next::To(Phase::NeedsPerson)),
            () = sleep(patience) => Ok(Next::To(Phase::SilentTimeout)),
        }
    }

    /// An odd request may well end on a page of the server. A window that closes under it says nothing of the server, and
    /// the request is made once more in another; if that closes as well, it is the server that cuts its windows off.
    async fn odd(&self) -> Next {
        let odd = self.clocks().odd;
        tokio::select! {
            () = self.closes(), if !self.agent.cut.load(Ordering::Relaxed) => {
                if !self.closed_once.swap(true, Ordering::Relaxed) {
                    self.waiting.hand_again();
                    return Next::To(Phase::RescueClick);
                }
                self.agent.cut.store(true, Ordering::Relaxed);
                sleep(odd).await;
            }
            () = sleep(odd) => {}
        }
        let where_to = match self.waiting.has_stayed() {
            true => "the server answered with nothing that a browser shows",
            false => "the browser stayed on a page of the server, which cannot be seen from here",
        };
        Next::Over(Landing::NeverCameBack(format!("no answer came within {} s: {where_to}", odd.as_secs())))
    }

    /// Waits until the window is closed that was open. A server that cuts its windows off looks the same, so where it is
    /// known to do so nothing is read from it.
    async fn closes(&self) {
        let mut told = self.told();
        if told.closed || self.agent.signs().cuts {
            std::future::pending::<()>().await;
        }
        while !told.closed {
            told = self.agent.listener.told_other(told).await;
        }
    }

    /// Counts what the person is asked, once a visit, however often; or says that it is enough.
    fn may_ask(&self) -> Result<(), SignInError> {
        let most = self.agent.most.load(Ordering::Relaxed);
        let is_first = !self.has_asked.swap(true, Ordering::Relaxed);
        match is_first && self.agent.asked.fetch_add(1, Ordering::Relaxed) >= most {
            true => Err(SignInError::BudgetSpent(most)),
            false => Ok(()),
        }
    }

    /// It came back. Whoever is quick answers before anything was said.
    pub(super) fn has_returned(&self) {
        let was_answered = self.left.get().is_some_and(|left| left.elapsed() >= self.clocks().answer);
        if was_answered && !self.has_asked.swap(true, Ordering::Relaxed) {
            self.agent.asked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A hop that should have been answered by the session was not.
    async fn silent(&self) -> Step {
        let agent = self.agent;
        if !self.waiting.has_stayed() {
            self.may_ask()?;
            let strict = agent.signs().strict && agent.asked_again.load(Ordering::Relaxed) == 0;
            let times = agent.asked_again.fetch_add(if strict { 2 } else { 1 }, Ordering::Relaxed) + 1;
            let times = if strict { 2 } else { times };
            (agent.say)(&format!(
                "The server asks again (login or consent): answer it in the window of the browser. The cockpit has more: {}",
                agent.listener.start_page()
            ));
            if times == 2 {
                agent.remark(asks_each_time(agent.signs().strict, None));
            }
        }
        Ok(Next::To(Phase::NeedsPerson))
    }

    /// Waits for the person, minutes and not seconds: a login may be open that must not be navigated away from.
    async fn needs_person(&self) -> Step {
        let first = self.purpose == Purpose::SignIn;
        let mut told = self.told();
        let mut stayed = self.waiting.has_stayed();
        if first || !stayed {
            self.may_ask()?;
        }
        let phase = if first { Phase::Hop } else { Phase::NeedsPerson };
        loop {
            self.show(phase, self.ask(told, stayed));
            if stayed && !first {
                match self.once_more().await {
                    Some(next) => return Ok(next),
                    None => stayed = false,
                }
                continue;
            }
            match self.event(told).await {
                Event::Handed => {}
                Event::Stayed => stayed = true,
                Event::Told(other) => {
                    let before = told;
                    told = self.heed(other)?;
                    if told.tabs && !before.tabs {
                        self.agent.open_tab(self.url);
                    } else if told.repeats > before.repeats {
                        return Ok(Next::To(Phase::RescueHandle));
                    }
                }
            }
        }
    }

    /// Our own page asks again: no login is open there, and the hop can be made a second time. `None` if it led away.
    async fn once_more(&self) -> Option<Next> {
        sleep(self.clocks().stay).await;
        self.waiting.hand_again();
        if timeout(self.clocks().pick_up, self.waiting.handed()).await.is_err() {
            return Some(Next::To(Phase::RescueHandle));
        }
        sleep(self.clocks().odd).await;
        let why = "the server answered twice with nothing that a browser shows";
        self.waiting.has_stayed().then(|| Next::Over(Landing::NeverCameBack(why.into())))
    }

    /// The next thing that changes anything. Where the hop is in a window's hands, that is no news.
    async fn event(&self, told: Told) -> Event {
        let already = self.waiting.is_handed();
        tokio::select! {
            biased;
            () = self.waiting.handed(), if !already => Event::Handed,
            other = self.agent.listener.told_other(told) => Event::Told(other),
            () = self.stayed_first(), if already => Event::Stayed,
        }
    }

    async fn stayed_first(&self) {
        if self.waiting.has_stayed() {
            std::future::pending::<()>().await;
        }
        self.waiting.stayed().await;
    }

    /// A person who has had enough is heard at once.
    fn heed(&self, told: Told) -> Result<Told, SignInError> {
        match told.stop {
            true => Err(stopped()),
            false => Ok(told),
        }
    }

    /// The clock of the whole visit. It ends with nobody having come.
    pub(super) async fn clock(&self) -> SignInError {
        let clocks = self.clocks();
        if self.purpose == Purpose::SignIn {
            let half = clocks.sign_in / 2;
            sleep(half).await;
            self.agent.remind(half);
            sleep(half).await;
            return abandoned(clocks.sign_in);
        }
        sleep(clocks.renewal).await;
        abandoned(clocks.renewal)
    }

    fn told(&self) -> Told {
        self.agent.listener.board(|b| b.told)
    }

    fn show(&self, phase: Phase, ask: Ask) {
        self.agent.listener.board(|b| b.show(phase, ask));
    }

    fn clocks(&self) -> &Clocks {
        self.agent.listener.clocks()
    }
}

/// The error of every visit after the person had enough.
pub(super) fn stopped() -> SignInError {
    SignInError::Unusable(
        "the person asked for no further steps of the browser".into(),
        "run again, or with --agent form, --agent webdriver or --max-prompts N",
    )
}
