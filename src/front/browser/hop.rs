//! One visit of the second window, from state to state: it is opened, it makes the hop, it asks the person, it is silent,
//! and it is rescued, by its handle first, by a click next, and by the operating system in the end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, sleep, timeout};

use super::{BrowserAgent, abandoned};
use crate::front::cockpit::{Act, Ask, Button, Phase, Told};
use crate::front::listener::{Clocks, Waiting};
use crate::front::{Landing, Purpose, SignInError};

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

    /// What the person is asked while the window may stand at a login.
    fn ask(&self, told: Told, stayed: bool) -> Ask {
        let repeat = Act::Repeat.labelled("Repeat this step");
        let show = Act::Show.labelled("Show the window");
        let signs = self.agent.signs();
        if told.blocked {
            return blocked();
        }
        if told.tabs {
            return Ask::nothing("Each step opens in a tab of its own. Answer there if your server asks.");
        }
        if stayed {
            let text = "The server has not answered with a page so far. This step will be repeated.";
            return Ask { text: text.into(), buttons: vec![repeat] };
        }
        if told.closed {
            let text = match signs.cuts {
                true => {
                    "Your server cut the link to its window (Cross-Origin-Opener-Policy). If the window is open, go on \
                     there. If you closed it, press Continue."
                }
                false => {
                    "The window is closed, or your server cut the link to it (COOP). If it is open, go on there. Else \
                     press Continue; it opens a new window."
                }
            };
            return Ask { text: text.into(), buttons: vec![Act::Open.labelled("Continue")] };
        }
        let mut ask = if self.purpose == Purpose::SignIn {
            let text = "Log in and allow in the new window. After that it should run by itself.";
            Ask { text: text.into(), buttons: vec![show, repeat] }
        } else if self.asks {
            let text = "This step makes your server ask for a login or consent. Please answer it in the audit window.";
            Ask { text: text.into(), buttons: vec![show, repeat] }
        } else if self.agent.asked_again.load(Ordering::Relaxed) >= 2 {
            let mut buttons: Vec<Button> = vec![show, repeat];
            if self.agent.opener.is_some() {
                buttons.push(Act::Tabs.labelled("Open each step in a tab of its own"));
            }
            buttons.push(Act::Stop.labelled("Ask me nothing more"));
            Ask { text: asks_each_time(signs.strict, Some(self.agent.left())), buttons }
        } else {
            let text = "Your server asks again (login or consent). Please answer it in the audit window. If the window \
                        shows something else, repeat this step.";
            Ask { text: text.into(), buttons: vec![show, repeat] }
        };
        if signs.holds_back {
            ask.text
                .push_str(" If a button there does nothing, press \"Repeat this step\": see the note on form-action.");
        }
        ask
    }

    /// The opener's handle: it works as long as nothing severed it.
    async fn rescue_by_handle(&self) -> Step {
        self.waiting.hand_again();
        let told = self.told();
        if !self.agent.listener.board(|b| b.is_watched()) || told.opened == 0 || told.closed {
            return Ok(Next::To(Phase::RescueClick));
        }
        self.show(Phase::RescueHandle, Ask::nothing("Leading the second window on."));
        self.agent.listener.board(|b| b.lead());
        let severed = async {
            let mut told = told;
            while !told.closed {
                told = self.agent.listener.told_other(told).await;
            }
        };
        tokio::select! {
            biased;
            () = self.waiting.handed() => Ok(Next::To(Phase::Hop)),
            () = severed => Ok(Next::To(Phase::RescueClick)),
            () = sleep(self.clocks().rescue) => Ok(Next::To(Phase::RescueClick)),
        }
    }

    /// A click opens a new window. Without a cockpit, one is opened first.
    async fn rescue_by_click(&self) -> Step {
        let watched = self.agent.listener.board(|b| b.is_watched());
        if !watched {
            self.agent.open_cockpit("The cockpit is closed. Press Continue on this page");
        }
        let mut told = self.told();
        let patience = sleep(self.clocks().click);
        tokio::pin!(patience);
        loop {
            let ask = match told.blocked {
                true => blocked(),
                false => Ask {
                    text: "The window is closed, your server cut the link to it (COOP), or it stands on another page. \
                           Press Continue; close the old window."
                        .into(),
                    buttons: vec![Act::Open.labelled("Continue")],
                },
            };
            self.show(Phase::RescueClick, ask);
            tokio::select! {
                biased;
                event = self.event(told) => match event {
                    Event::Handed => return Ok(Next::To(Phase::Hop)),
                    Event::Told(other) => told = self.heed(other)?,
                    Event::Stayed => {}
                },
                () = &mut patience, if self.agent.opener.is_some() => return Ok(Next::To(Phase::RescueOs)),
            }
        }
    }

    /// The operating system opens a tab. It is the last resort: what follows is patience.
    async fn rescue_by_system(&self) -> Step {
        self.agent.open_tab(&self.agent.listener.window_page());
        let mut told = self.told();
        loop {
            let ask = Ask {
                text: "A new tab was opened to go on in. If you do not see it, press Continue.".into(),
                buttons: vec![Act::Open.labelled("Continue")],
            };
            self.show(Phase::RescueOs, ask);
            match self.event(told).await {
                Event::Handed => return Ok(Next::To(Phase::Hop)),
                Event::Told(other) => told = self.heed(other)?,
                Event::Stayed => {}
            }
        }
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

fn blocked() -> Ask {
    Ask { text: "Your browser blocked the window. Press here.".into(), buttons: vec![Act::Open.labelled("Try again")] }
}

fn asks_each_time(strict: bool, left: Option<usize>) -> String {
    let times = left.map(|left| format!("; {left} more at most")).unwrap_or_default();
    let cookie = match strict {
        true => {
            "Its cookies are SameSite=Strict, which browsers do not send when another page leads to it. A tab that the \
             system opens for each step may help."
        }
        false => "Its session cookie may be SameSite=Strict.",
    };
    format!("Your server asks each time (login or consent){times}. {cookie}")
}
