//! How a person or a script signs in: one lane of visits, one login, and what each visit brought.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::check::AnyCheck;
use crate::needs::Ordinary;
use crate::oauth::answer::{AuthorizationAnswer, Page, PageKind, Returned};
use crate::oauth::request::AuthorizationRequest;
use crate::report::Report;
use crate::run::Progress;
use crate::wire::{Trouble, Wire};
use album::Album;

pub mod album;
pub mod browser;
pub mod choose;
pub mod cockpit;
pub mod command;
pub mod cookies;
pub mod countdown;
mod denial;
pub mod diagnosis;
mod error;
mod fill;
pub mod form;
#[cfg(fuzzing)]
pub mod fuzzing;
mod html;
mod jar;
pub mod listener;
pub mod means;
pub mod paste;
pub mod session;
#[cfg(test)]
mod small_server;
pub mod steps;
pub mod supplied;
pub mod surroundings;
pub mod twin;
pub mod walk;
pub mod webdriver;

pub use album::SeenPage;
pub use choose::SignIn;
use cookies::SavedSession;
pub use denial::{Denial, Denied, Denying};
pub use error::SignInError;

/// Why a visit is made. An agent that needs a person is patient with a sign-in and brief with the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first visit: a person or a script logs in.
    SignIn,
    /// An ordinary request later on: the session should answer it silently.
    Ordinary,
    /// A request that ought to be refused; it may end on a page of the server.
    Odd,
}

/// Where a visit ended.
#[derive(Debug)]
pub enum Landing {
    /// At a redirect URI, ours or another. Agents that see redirects stop before they follow one that leads there.
    Returned(Returned),
    /// On a page of the server.
    Page(Page),
    /// Nothing came back and the end could not be seen.
    NeverCameBack(String),
}

impl Landing {
    /// Where it ended, without what the address holds.
    fn outline(&self) -> String {
        match self {
            Self::Returned(returned) => format!("came back to {}", walk::place(&returned.url)),
            Self::Page(page) => format!("ended on a page of the server ({})", page.status),
            Self::NeverCameBack(why) => format!("never came back: {why}"),
        }
    }
}

/// How often an agent asks a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Never: a script or a saved session answers.
    Nobody,
    /// For the sign-in, and whenever the server shows a page again.
    WhenTheServerDoes,
    /// For every visit.
    EveryTime,
}

impl Asks {
    /// How often until there is anything to check: for the sign-in, and where each visit counts for the ordinary flow and
    /// the look whether grants live side by side as well.
    pub fn to_begin_with(self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::WhenTheServerDoes => 1,
            Self::EveryTime => 3,
        }
    }

    /// How often for a check, at a server that remembers the login and what was agreed to.
    pub fn of(self, check: &dyn AnyCheck, ordinary: &Ordinary) -> usize {
        match self {
            // It is not run: a person's browser shows the pages to the person alone.
            Self::WhenTheServerDoes | Self::EveryTime if check.by_pages() => 0,
            Self::Nobody => 0,
            Self::WhenTheServerDoes => check.asks_again(ordinary),
            Self::EveryTime => check.visits(ordinary),
        }
    }
}

/// A future that an agent returns.
pub type Visiting<'a> = Pin<Box<dyn Future<Output = Result<Landing, SignInError>> + Send + 'a>>;

/// Visits an authorization request and tells where it ended.
pub trait Agent: Send + Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;
    /// Makes one visit. Visits are made one after the other.
    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a>;
    /// How often somebody logged in.
    fn logins(&self) -> usize;
    /// Whether it sees pages, headers and statuses of the server.
    fn sees_pages(&self) -> bool;
    /// The pages that it saw, if it sees any.
    fn pages(&self) -> Vec<SeenPage> {
        Vec::new()
    }
    /// Visits with the session and stops at the first page that asks for anything: nothing is filled in, and the
    /// session stays as it was. `None` where the agent sees no pages.
    fn look<'a>(&'a self, _wire: &'a Wire, _request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        None
    }
    /// Visits, signs in where that is asked for, and says no where consent is asked for. `None` where the agent cannot.
    fn deny<'a>(&'a self, _wire: &'a Wire, _request: &'a AuthorizationRequest) -> Option<Denying<'a>> {
        None
    }
    /// Hears that this is visit `n` of `m` at most.
    fn progress(&self, _n: usize, _m: usize) {}
    /// The cookies of the session, if it has them.
    fn session(&self) -> Option<SavedSession> {
        None
    }
    /// Whether it will have them once it signed in.
    fn keeps_session(&self) -> bool {
        false
    }
    /// How often it asks a person.
    fn asks(&self) -> Asks {
        Asks::Nobody
    }
    /// How often it asked a person so far.
    fn prompts(&self) -> usize {
        0
    }
    /// Hears how often it may ask, in all: what would ask once more ends with [`SignInError::BudgetSpent`].
    fn may_ask(&self, _most: usize) {}
    /// Hears what is going on, for the person who watches.
    fn hear(&self, _progress: Progress<'_>) {}
    /// What a reader of the report should know of the sign-in.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
    /// Hears how it ended, and ends.
    fn end<'a>(&'a self, _report: &'a Report) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {})
    }
}

/// The one lane to the person's session.
pub struct Front {
    agent: Arc<dyn Agent>,
    lane: tokio::sync::Mutex<()>,
    authorizations: AtomicUsize,
    /// What strangers saw.
    album: Album,
    /// The planned number of visits, for "n of m".
    planned: AtomicUsize,
    /// Whether a stranger's ordinary request is let in, once that was tried.
    strangers: tokio::sync::OnceCell<bool>,
    /// Whether the server ends pending codes at the next authorization.
    one_code: AtomicBool,
    /// How often a person may be asked.
    most_prompts: Option<usize>,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("agent", &self.agent.name()).finish_non_exhaustive()
    }
}

impl Front {
    /// A lane for this agent.
    pub fn new(agent: Arc<dyn Agent>) -> Self {
        Self {
            agent,
            lane: tokio::sync::Mutex::new(()),
            authorizations: AtomicUsize::new(0),
            album: Album::default(),
            planned: AtomicUsize::new(0),
            strangers: tokio::sync::OnceCell::new(),
            one_code: AtomicBool::new(false),
            most_prompts: None,
        }
    }

    /// The same with a budget of what a person may be asked.
    #[must_use]
    pub fn asking_at_most(self, most_prompts: Option<usize>) -> Self {
        if let Some(most) = most_prompts {
            self.agent.may_ask(most);
        }
        Self { most_prompts, ..self }
    }

    /// Visits with the session, waiting for its turn, and reads the answer.
    pub async fn visit(
        &self,
        wire: &Wire,
        request: AuthorizationRequest,
        purpose: Purpose,
        token_endpoint: &str,
    ) -> Result<AuthorizationAnswer, SignInError> {
        let _turn = self.lane.lock().await;
        if let Some(most) = self.most_prompts
            && (self.agent.prompts() > most || (self.agent.asks() == Asks::EveryTime && self.agent.prompts() >= most))
        {
            return Err(SignInError::BudgetSpent(most));
        }
        self.count();
        let landing = self.agent.visit(wire, &request, purpose).await?;
        Ok(read(request, landing, token_endpoint))
    }

    /// Visits with the session, and reads what answers before anybody fills in anything: an answer, or the first page.
    /// `None` where the agent sees no pages.
    pub async fn look(
        &self,
        wire: &Wire,
        request: AuthorizationRequest,
        token_endpoint: &str,
    ) -> Option<Result<AuthorizationAnswer, SignInError>> {
        let _turn = self.lane.lock().await;
        let landing = self.agent.look(wire, &request)?.await;
        self.count();
        Some(landing.map(|landing| read(request, landing, token_endpoint)))
    }

    /// Visits with the session and says no to what is asked. `None` where the agent cannot press anything.
    pub async fn deny(
        &self,
        wire: &Wire,
        request: AuthorizationRequest,
        token_endpoint: &str,
    ) -> Option<Result<Denied, SignInError>> {
        let _turn = self.lane.lock().await;
        let denying = self.agent.deny(wire, &request)?;
        self.count();
        Some(denying.await.map(|denial| denial.read(request, token_endpoint)))
    }

    fn count(&self) {
        let made = self.authorizations.fetch_add(1, Ordering::Relaxed) + 1;
        self.agent.progress(made, self.planned().max(made));
    }

    /// Visits without any session, as a stranger: most odd requests are refused before anybody logs in, and those that
    /// are need no lane. Where an ordinary request ends on an error page as well, a stranger's error page is no refusal,
    /// see [`Front::meet_strangers`].
    pub async fn visit_as_stranger(
        &self,
        wire: &Wire,
        request: AuthorizationRequest,
        token_endpoint: &str,
    ) -> Result<Stranger, Trouble> {
        let landing = walk::as_stranger(wire, &request, Some(&self.album)).await?;
        let turned_away = self.strangers.get() == Some(&false);
        Ok(match landing {
            Landing::Page(page) if turned_away || page.kind != PageKind::Error => Stranger::Asked(request, page),
            landing => Stranger::Answered(read(request, landing, token_endpoint)),
        })
    }

    /// Tries the ordinary request as a stranger, once: the control for what is read from a stranger's error page. A
    /// server that wants a session first, or a guard before it that takes us for a robot, shows one to everything.
    pub async fn meet_strangers(&self, wire: &Wire, ordinary: AuthorizationRequest) {
        let trying = async {
            let landing = walk::as_stranger(wire, &ordinary, Some(&self.album)).await;
            match landing {
                Ok(Landing::Page(page)) => page.kind != PageKind::Error,
                Ok(Landing::Returned(returned)) => returned.get("error").is_none(),
                Ok(Landing::NeverCameBack(_)) | Err(_) => false,
            }
        };
        self.strangers.get_or_init(|| trying).await;
    }

    /// Tells that this server ends the codes that are pending when it gives out another.
    pub fn holds_one_code(&self) {
        self.one_code.store(true, Ordering::Relaxed);
    }

    /// Whether of several codes the youngest alone is good.
    pub fn has_one_code(&self) -> bool {
        self.one_code.load(Ordering::Relaxed)
    }

    /// The pages that were seen so far, by strangers and with the session.
    pub fn pages(&self) -> Vec<SeenPage> {
        self.agent.pages().into_iter().chain(self.album.pages()).collect()
    }

    /// The agent.
    pub fn agent(&self) -> &dyn Agent {
        &*self.agent
    }

    /// Visits made with the session.
    pub fn authorizations(&self) -> usize {
        self.authorizations.load(Ordering::Relaxed)
    }

    /// Tells how many visits are planned.
    pub fn plan(&self, visits: usize) {
        self.planned.store(visits, Ordering::Relaxed);
    }

    /// How many visits are planned.
    pub fn planned(&self) -> usize {
        self.planned.load(Ordering::Relaxed)
    }
}

/// The agent of an audit that never came to signing in.
#[derive(Debug)]
pub struct Nobody;

impl Agent for Nobody {
    fn name(&self) -> &'static str {
        "nobody"
    }
    fn visit<'a>(&'a self, _: &'a Wire, _: &'a AuthorizationRequest, _: Purpose) -> Visiting<'a> {
        Box::pin(async { Err(SignInError::NobodyThere) })
    }
    fn logins(&self) -> usize {
        0
    }
    fn sees_pages(&self) -> bool {
        false
    }
}

/// What a stranger's visit gave.
#[derive(Debug)]
pub enum Stranger {
    /// An answer: no session is needed.
    Answered(AuthorizationAnswer),
    /// A page that asks for a login or something else; the request is handed back.
    Asked(AuthorizationRequest, Page),
}

fn read(request: AuthorizationRequest, landing: Landing, token_endpoint: &str) -> AuthorizationAnswer {
    match landing {
        Landing::Returned(returned) => AuthorizationAnswer::arrived(request, returned, token_endpoint),
        Landing::Page(page) => AuthorizationAnswer::Page(page),
        Landing::NeverCameBack(why) => AuthorizationAnswer::NeverCameBack(why),
    }
}
