//! Which agent signs in: the one that was named, or the one that fits the machine and the server.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::browser::BrowserAgent;
use super::command::{CommandAgent, Program};
use super::cookies::SavedSession;
use super::countdown::Counting;
use super::diagnosis::Diagnosis;
use super::form::{Credentials, FormAgent};
use super::listener::{Clocks, Listener};
use super::means::Means;
use super::paste::PasteAgent;
use super::session::SessionAgent;
use super::steps::{Script, Totp};
use super::supplied::SuppliedTokens;
use super::surroundings::Surroundings;
use super::twin::Twin;
use super::webdriver::WebdriverAgent;
use super::{Agent, Asks, Landing, SignInError, walk, webdriver};
use crate::needs::Ordinary;
use crate::run::Progress;
use crate::wire::Wire;

/// An agent by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgentName {
    /// The one that fits.
    #[default]
    Auto,
    /// A person with the system's browser.
    Browser,
    /// A person with a browser elsewhere.
    Paste,
    /// Ourselves, with user name and password.
    Form,
    /// A browser that we drive, with user name and password.
    Webdriver,
    /// A program of the user's.
    Command,
    /// The cookies of an earlier sign-in.
    Session,
    /// Nobody: tokens are supplied.
    Token,
}

impl AgentName {
    /// Every agent.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::Browser,
        Self::Paste,
        Self::Form,
        Self::Webdriver,
        Self::Command,
        Self::Session,
        Self::Token,
    ];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Browser => "browser",
            Self::Paste => "paste",
            Self::Form => "form",
            Self::Webdriver => "webdriver",
            Self::Command => "command",
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// How to sign in.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// The agent.
    pub agent: AgentName,
    /// User name and password.
    pub credentials: Option<Credentials>,
    /// Whether a person sits at a terminal.
    pub terminal: bool,
    /// Whether a browser can be opened on this machine.
    pub display: bool,
    /// Print the address, open nothing.
    pub no_open: bool,
    /// The session of an earlier sign-in.
    pub session: Option<SavedSession>,
    /// The program that signs in.
    pub command: Option<Program>,
    /// The tokens that are there already.
    pub tokens: Option<SuppliedTokens>,
    /// The port that codes come back to; a free one without.
    pub callback_port: Option<u16>,
    /// What stands between this machine and the person's browser.
    pub surroundings: Surroundings,
    /// The generator of one-time codes.
    pub totp: Option<Arc<Totp>>,
    /// What was written down about pages of the login.
    pub script: Arc<Script>,
    /// The browser that is driven.
    pub webdriver: webdriver::Settings,
    /// Where it is written down what was seen and guessed, if the sign-in fails.
    pub diagnosis: Option<PathBuf>,
    /// Whether that is told as it happens.
    pub verbose: bool,
}

/// Where codes come back to.
pub struct Listening {
    redirect_uri: String,
    /// The listener behind it, or why the redirect URI does not lead to one.
    listener: Result<Arc<Listener>, String>,
    /// The other loopback address at the same port.
    twin: Option<Twin>,
}

impl Listening {
    /// The redirect URI to register.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Nobody listens: for agents that see a redirect and do not follow it.
    pub(crate) fn nowhere(redirect_uri: &str) -> Self {
        let why = "nobody listens at it for this user".to_owned();
        Self { redirect_uri: redirect_uri.to_owned(), listener: Err(why), twin: None }
    }
}

/// How the program speaks to a person.
pub(crate) type Say = Arc<dyn Fn(Progress<'_>) + Send + Sync>;

impl SignIn {
    /// Takes a port for the codes to come back to: a free one, or that of the configured redirect URI. A configured URI
    /// that is not on this machine is left to the form and webdriver agents, which stop before they follow a redirect
    /// there.
    ///
    /// # Errors
    /// If no port can be had at all.
    pub fn listen(&self, configured: Option<&str>) -> Result<Listening, SignInError> {
        let Some(uri) = configured else {
            let listener = Listener::bind(self.callback_port).map(Arc::new).map_err(|e| match self.callback_port {
                Some(port) => SignInError::Unusable(
                    format!("--callback-port {port} could not be opened on 127.0.0.1: {e}"),
                    "end what listens there, name another --callback-port, or leave it out for a free one",
                ),
                None => SignInError::Unusable(
                    format!("no port of 127.0.0.1 could be opened for the callback: {e}"),
                    "see what keeps programs from listening on 127.0.0.1; --callback-port N names a port",
                ),
            })?;
            return Ok(Listening { redirect_uri: listener.redirect_uri(), listener: Ok(listener), twin: None });
        };
        let url = Url::parse(uri).map_err(|e| {
            SignInError::Unusable(
                format!("--redirect-uri {uri} is not a URI: {e}"),
                "give the redirect URI that the client was registered with, such as http://127.0.0.1:8765/callback",
            )
        })?;
        if let (AgentName::Webdriver, Some(why)) = (self.agent, webdriver::cannot_see(&self.webdriver, uri)) {
            return Err(SignInError::Unusable(why, webdriver::UNSEEN));
        }
        let host = url.host_str().unwrap_or_default();
        let ours = url.scheme() == "http" && ["127.0.0.1", "localhost", "[::1]"].contains(&host);
        if let (true, Some(port), Some(other)) =
            (ours, url.port(), self.callback_port.filter(|p| Some(*p) != url.port()))
        {
            return Err(SignInError::Unusable(
                format!("--callback-port {other} and --redirect-uri {uri} (port {port}) contradict each other"),
                "leave one of them out",
            ));
        }
        let mut listener = match url.port() {
            Some(port) if ours => {
                Listener::bind(Some(port)).map(Arc::new).map_err(|e| format!("port {port} could not be opened: {e}"))
            }
            _ => Err(format!("{uri} does not lead to a port of this machine")),
        };
        let mut twin = None;
        if let (Ok(there), "localhost" | "[::1]") = (&listener, host) {
            match Twin::of(there) {
                Ok(both) => twin = Some(both),
                // A machine without IPv6 takes localhost for 127.0.0.1.
                Err(_) if host == "localhost" => {}
                Err(e) => listener = Err(format!("port {} of [::1] could not be opened: {e}", there.port())),
            }
        }
        Ok(Listening { redirect_uri: uri.to_owned(), listener, twin })
    }

    /// Whether nobody signs in, because tokens are supplied.
    pub fn is_supplied(&self) -> bool {
        self.agent == AgentName::Token
    }

    /// The agent.
    ///
    /// # Errors
    /// If the one that is named cannot work here, or nobody is there to ask.
    pub async fn agent(
        &self,
        wire: &Wire,
        listening: Listening,
        ordinary: &Ordinary,
        say: &Say,
    ) -> Result<Arc<dyn Agent>, SignInError> {
        // A program may quote the password in an error, although nobody told it.
        self.means(say).hide_from(wire);
        match self.agent {
            AgentName::Form => Ok(self.form(say)),
            AgentName::Webdriver => Ok(self.webdriver(say)),
            AgentName::Browser => self.browser(listening, say),
            AgentName::Paste => Ok(self.paste(listening, say)),
            AgentName::Command => self.command().ok_or_else(|| needs("--agent command", "--login-command PROGRAM")),
            AgentName::Session => self.session().ok_or_else(|| needs("--agent session", "--session FILE")),
            AgentName::Token => Err(needs("--agent token", "OAUDIT_ACCESS_TOKEN or OAUDIT_REFRESH_TOKEN")),
            AgentName::Auto => self.fitting(wire, listening, ordinary, say).await,
        }
    }

    /// What was given decides; then what the server asks; then what the machine has.
    async fn fitting(
        &self,
        wire: &Wire,
        listening: Listening,
        ordinary: &Ordinary,
        say: &Say,
    ) -> Result<Arc<dyn Agent>, SignInError> {
        if let Some(given) = self.session().or_else(|| self.command()) {
            return Ok(given);
        }
        if self.credentials.is_some() {
            return Ok(match webdriver::installed() {
                // Asked only where there is a choice.
                Some(_) if self.needs_browser(wire, ordinary).await => self.webdriver(say),
                _ => self.form(say),
            });
        }
        // A server that asks nobody anything needs nobody.
        if asks_nothing(wire, ordinary).await {
            return Ok(self.form(say));
        }
        match (self.terminal, self.display && listening.listener.is_ok()) {
            (true, true) => self.browser(listening, say),
            (true, false) => Ok(self.paste(listening, say)),
            (false, _) => Err(SignInError::NobodyThere),
        }
    }

    /// The agent that would sign in, and how often it asks a person, as far as that can be told without asking the
    /// server.
    pub fn expected(&self) -> (&'static str, Asks) {
        match self.agent {
            AgentName::Auto if self.session.is_some() => ("session", Asks::Nobody),
            AgentName::Auto if self.command.is_some() => ("command", Asks::Nobody),
            AgentName::Auto if self.credentials.is_some() => ("form", Asks::Nobody),
            AgentName::Auto if self.terminal && self.display => ("browser", Asks::WhenTheServerDoes),
            AgentName::Auto if self.terminal => ("paste", Asks::EveryTime),
            AgentName::Auto => ("nobody: no terminal and no credentials", Asks::Nobody),
            AgentName::Browser => ("browser", Asks::WhenTheServerDoes),
            AgentName::Paste => ("paste", Asks::EveryTime),
            other => (other.as_str(), Asks::Nobody),
        }
    }

    fn means(&self, say: &Say) -> Means {
        let tell = self.verbose.then(|| prose(say));
        Means {
            credentials: self.credentials.clone(),
            totp: self.totp.clone(),
            script: Arc::clone(&self.script),
            diagnosis: Diagnosis::new(self.diagnosis.clone(), tell),
        }
    }

    fn form(&self, say: &Say) -> Arc<dyn Agent> {
        Arc::new(FormAgent::with(self.means(say)))
    }

    fn webdriver(&self, say: &Say) -> Arc<dyn Agent> {
        Arc::new(WebdriverAgent::new(self.means(say), self.webdriver.clone()))
    }

    /// Whether the login cannot be made without scripts: the steps say so, or the first page has no form that could be
    /// filled in.
    async fn needs_browser(&self, wire: &Wire, ordinary: &Ordinary) -> bool {
        self.script.without_browser().is_err()
            || walk::lacks_form(&wire.stamped("sign-in"), &ordinary.request(), &self.script).await
    }

    fn session(&self) -> Option<Arc<dyn Agent>> {
        self.session.as_ref().map(|session| Arc::new(SessionAgent::new(session)) as Arc<dyn Agent>)
    }

    fn command(&self) -> Option<Arc<dyn Agent>> {
        let mut program = self.command.clone()?;
        program.username = program.username.or_else(|| self.credentials.as_ref().map(|c| c.username.clone()));
        Some(Arc::new(CommandAgent::new(program)))
    }

    fn browser(&self, listening: Listening, say: &Say) -> Result<Arc<dyn Agent>, SignInError> {
        let Listening { listener, twin, .. } = listening;
        let listener = listener.map_err(|why| {
            SignInError::Unusable(
                format!("the browser agent needs a redirect URI on this machine: {why}"),
                "register http://127.0.0.1/callback for the client and give it with --redirect-uri, or sign in with \
                 --agent form or --agent webdriver, which stop before they follow a redirect elsewhere",
            )
        })?;
        self.hint(listener.port(), say);
        let patience = listener.clocks().sign_in;
        let agent = Arc::new(BrowserAgent::new(listener, !self.no_open, prose(say)));
        Ok(Arc::new(Counting::new(agent, patience, prose(say), twin)))
    }

    fn paste(&self, listening: Listening, say: &Say) -> Arc<dyn Agent> {
        let Listening { listener, twin, .. } = listening;
        let listener = listener.ok();
        if let Some(listener) = &listener {
            self.hint(listener.port(), say);
        }
        let patience = listener.as_ref().map_or_else(|| Clocks::default().sign_in, |l| l.clocks().sign_in);
        let stdin = tokio::io::BufReader::new(tokio::io::stdin());
        let agent = Arc::new(PasteAgent::new(listener, stdin, prose(say)));
        Arc::new(Counting::new(agent, patience, prose(say), twin))
    }

    fn hint(&self, port: u16, say: &Say) {
        // Lines of their own: commands in them are to be copied.
        let hints = self.surroundings.hints(port);
        hints.iter().flat_map(|hint| hint.lines()).for_each(|line| say(Progress::Says(line)));
    }
}

fn needs(agent: &str, what: &str) -> SignInError {
    SignInError::Unusable(format!("{agent} needs {what}"), "give it, or leave --agent out")
}

fn prose(say: &Say) -> Arc<dyn Fn(&str) + Send + Sync> {
    let say = Arc::clone(say);
    Arc::new(move |text| say(Progress::Says(text)))
}

async fn asks_nothing(wire: &Wire, ordinary: &Ordinary) -> bool {
    let request = ordinary.request();
    let landing = walk::as_stranger(&wire.stamped("sign-in"), &request, None).await;
    matches!(landing, Ok(Landing::Returned(returned)) if request.is_answered_at(&returned.url) && returned.get("code").is_some())
}
