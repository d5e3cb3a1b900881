//! Which agent signs in: the one that was named, or the one that fits the machine and the server.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::browser::BrowserAgent;
use super::diagnosis::Diagnosis;
use super::form::{Credentials, FormAgent};
use super::listener::Listener;
use super::means::Means;
use super::paste::PasteAgent;
use super::steps::{Script, Totp};
use super::webdriver::WebdriverAgent;
use super::{Agent, Landing, SignInError, walk, webdriver};
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
}

impl Listening {
    /// The redirect URI to register.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

/// How the program speaks to a person.
type Say = Arc<dyn Fn(Progress<'_>) + Send + Sync>;

impl SignIn {
    /// Takes a port for the codes to come back to: a free one, or that of the configured redirect URI. A configured URI
    /// that is not on this machine is left to the form and webdriver agents, which stop before they follow a redirect
    /// there.
    ///
    /// # Errors
    /// If no port can be had at all.
    pub fn listen(&self, configured: Option<&str>) -> Result<Listening, SignInError> {
        let free = || {
            Listener::bind(None).map(Arc::new).map_err(|e| {
                SignInError::Unusable(format!("no port of 127.0.0.1 could be opened for the callback: {e}"))
            })
        };
        let Some(uri) = configured else {
            let listener = free()?;
            return Ok(Listening { redirect_uri: listener.redirect_uri(), listener: Ok(listener) });
        };
        let url =
            Url::parse(uri).map_err(|e| SignInError::Unusable(format!("--redirect-uri {uri} is not a URI: {e}")))?;
        // The listener is there for 127.0.0.1 (and for localhost, where that is the same).
        let ours = url.scheme() == "http" && ["127.0.0.1", "localhost"].contains(&url.host_str().unwrap_or_default());
        let listener = match url.port() {
            Some(port) if ours => {
                Listener::bind(Some(port)).map(Arc::new).map_err(|e| format!("port {port} could not be opened: {e}"))
            }
            _ => Err(format!("{uri} does not lead to a port of 127.0.0.1")),
        };
        Ok(Listening { redirect_uri: uri.to_owned(), listener })
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
        match self.agent {
            AgentName::Form => Ok(self.form(say)),
            AgentName::Webdriver => Ok(self.webdriver(say)),
            AgentName::Browser => self.browser(listening, say),
            AgentName::Paste => Ok(self.paste(listening, say)),
            AgentName::Auto if self.credentials.is_some() => Ok(match webdriver::installed() {
                // Asked only where there is a choice.
                Some(_) if self.needs_browser(wire, ordinary).await => self.webdriver(say),
                _ => self.form(say),
            }),
            // A server that asks nobody anything needs nobody.
            AgentName::Auto if asks_nothing(wire, ordinary).await => Ok(self.form(say)),
            AgentName::Auto if self.terminal && self.display && listening.listener.is_ok() => {
                self.browser(listening, say)
            }
            AgentName::Auto if self.terminal => Ok(self.paste(listening, say)),
            AgentName::Auto => Err(SignInError::NobodyThere),
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

    fn browser(&self, listening: Listening, say: &Say) -> Result<Arc<dyn Agent>, SignInError> {
        let listener = listening.listener.map_err(|why| {
            SignInError::Unusable(format!("the browser agent needs a redirect URI on this machine: {why}"))
        })?;
        Ok(Arc::new(BrowserAgent::new(listener, !self.no_open, prose(say))))
    }

    fn paste(&self, listening: Listening, say: &Say) -> Arc<dyn Agent> {
        let stdin = tokio::io::BufReader::new(tokio::io::stdin());
        Arc::new(PasteAgent::new(listening.listener.ok(), stdin, prose(say)))
    }
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
