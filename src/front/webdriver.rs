//! The agent for logins that need scripts: a real browser, through W3C WebDriver.

use std::ffi::OsString;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex as Lock, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::cookies::SavedSession;
use super::means::Means;
use super::steps::Mind;
use super::{Agent, Denial, Denying, Landing, Purpose, SignInError, Visiting};
use crate::oauth::request::AuthorizationRequest;
use crate::report::Report;
use crate::wire::{Trouble, Wire};
use driver::{Driver, Ways};
use gate::Gate;
use sink::Sink;
use tour::Tour;

mod driver;
mod gate;
mod hand;
mod keep;
mod look;
mod sink;
mod tour;
mod trail;

pub use driver::installed;

/// Hosts that our requests name as redirect URIs, and that are nobody's or somebody else's.
const FOREIGN: [&str; 3] = ["*.test", "*.invalid", "chatgpt.com"];

/// Remarks of a run: a server could give cause for many.
const MOST_REMARKS: usize = 24;

/// How long the end of the audit waits for the browser.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the browser is come by.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A driver that runs already; else one is looked for and started.
    pub url: Option<String>,
    /// Show the browser.
    pub headed: bool,
    /// Do not verify certificates.
    pub insecure: bool,
    /// Read the cookies after the sign-in.
    pub keeps: bool,
}

/// Signs in with a browser. One session for the whole run: later visits are answered by it.
#[derive(Debug)]
pub struct WebdriverAgent {
    means: Means,
    settings: Settings,
    browser: Mutex<Option<Browser>>,
    logins: AtomicUsize,
    /// The cookies that the sign-in left.
    session: Lock<Option<SavedSession>>,
    remarks: Lock<Vec<String>>,
}

/// A browser under way, and where it is sent in place of redirect URIs.
#[derive(Debug)]
struct Browser {
    driver: Driver,
    caught: Vec<String>,
    // Both outlive the browser.
    gate: Option<Gate>,
    _sink: Sink,
}

impl WebdriverAgent {
    /// An agent with these means. The browser is opened at the first visit.
    pub fn new(means: Means, settings: Settings) -> Self {
        Self {
            means,
            settings,
            browser: Mutex::new(None),
            logins: AtomicUsize::new(0),
            session: Lock::default(),
            remarks: Lock::default(),
        }
    }

    async fn browser(&self, wire: &Wire, request: &AuthorizationRequest) -> Result<Browser, SignInError> {
        let caught = caught(request);
        let sink = Sink::open().await.map_err(SignInError::NoBrowser)?;
        // A browser elsewhere does not find a port of this machine, and a proxy of the environment is one that the user trusts.
        let guards = self.settings.url.is_none() && !wire.has_proxy_of_environment(&request.endpoint);
        let gate = match guards {
            true => Some(Gate::open(wire, &caught, sink.address()).await.map_err(SignInError::NoBrowser)?),
            false => None,
        };
        let key = pinned(wire, &request.endpoint).await;
        let way_out = gate.as_ref().map(Gate::address);
        let ways = Ways { hosts: &caught, sink: &sink.address(), key, gate: way_out };
        let url = self.settings.url.as_deref().and_then(|url| url::Url::parse(url).ok());
        if let Some(password) = url.as_ref().and_then(url::Url::password) {
            wire.vault().learn("password", password);
        }
        let opened = Driver::open(&self.settings, &ways, &withheld(wire)).await;
        let driver = opened.map_err(|why| SignInError::NoBrowser(wire.vault().redact(&why).into_owned()))?;
        Ok(Browser { driver, caught, gate, _sink: sink })
    }

    /// Does something with the browser, which is opened at the first time; `None` where it would carry a code to
    /// somebody else.
    async fn touring<T>(
        &self,
        wire: &Wire,
        request: &AuthorizationRequest,
        purpose: Purpose,
        mind: Mind,
        work: impl AsyncFnOnce(&mut Tour<'_>) -> Result<T, SignInError>,
    ) -> Result<Result<T, String>, SignInError> {
        self.means.hide_from(wire);
        let place = super::walk::place(&request.endpoint);
        self.means.diagnosis.begin(&format!("webdriver agent: {} to {place}", request.what));
        if let Err(trouble) = wire.may_lead_to(&request.endpoint).await {
            let trouble = Trouble { why: self.means.hide(wire, &trouble.why), ..trouble };
            return Err(SignInError::from(trouble).explained(&self.means.diagnosis));
        }
        let mut browser = self.browser.lock().await;
        let browser = match &mut *browser {
            Some(browser) => browser,
            none => none.insert(self.browser(wire, request).await?),
        };
        // Where a code would leave this machine the browser must not go.
        if let Some(host) = caught(request).into_iter().find(|host| !covers(&browser.caught, host)) {
            return Ok(Err(format!(
                "the browser was opened before {host} was known as a redirect URI, and would go there"
            )));
        }
        if trail::is_private(request.redirect_uri()) && !browser.driver.tells {
            return match purpose {
                Purpose::Odd => Ok(Err(unseen(request.redirect_uri()))),
                Purpose::SignIn | Purpose::Ordinary => {
                    Err(SignInError::Unusable(unseen(request.redirect_uri()), UNSEEN))
                }
            };
        }
        let mut tour =
            Tour::new(&browser.driver, wire, &self.means, request, purpose, mind).map_err(SignInError::NoBrowser)?;
        tour.gate = browser.gate.as_ref();
        let ended = work(&mut tour).await;
        self.logins.fetch_add(usize::from(tour.password_sent && ended.is_ok()), Ordering::Relaxed);
        self.remark(std::mem::take(&mut tour.remarks));
        match ended {
            Ok(ended) => Ok(Ok(ended)),
            Err(error) => {
                tour.show().await;
                Err(error.explained(&self.means.diagnosis))
            }
        }
    }

    async fn walk(
        &self,
        wire: &Wire,
        request: &AuthorizationRequest,
        purpose: Purpose,
        mind: Mind,
    ) -> Result<(Landing, bool), SignInError> {
        let walking = async |tour: &mut Tour<'_>| {
            let ended = tour.walk().await;
            Ok((tour.unless_barred(ended).await?, tour.denied))
        };
        let ended = self.touring(wire, request, purpose, mind, walking).await?;
        let (landing, denied) = ended.unwrap_or_else(|why| (Landing::NeverCameBack(why), false));
        self.means.diagnosis.note(&landing.outline());
        if purpose == Purpose::SignIn && self.settings.keeps {
            self.keep(request).await;
        }
        Ok((landing, denied))
    }

    fn remark(&self, remarks: Vec<String>) {
        let mut known = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        for remark in remarks {
            if known.len() < MOST_REMARKS && !known.contains(&remark) {
                known.push(remark);
            }
        }
    }

    /// Keeps the cookies that the sign-in left.
    async fn keep(&self, request: &AuthorizationRequest) {
        let browser = self.browser.lock().await;
        let Some(Ok(session)) = browser.as_ref().map(|browser| browser.driver.session()) else { return };
        let kept = match keep::all(session).await {
            Ok(all) => Ok(all),
            Err(_) => keep::of_the_page(session, &request.endpoint).await,
        };
        match kept {
            Ok(kept) => *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept),
            Err(why) => self.means.diagnosis.note(&format!("the cookies could not be read: {why}")),
        }
    }

    async fn first_page(&self, wire: &Wire, request: &AuthorizationRequest) -> Result<Landing, SignInError> {
        let looking = async |tour: &mut Tour<'_>| {
            let landing = tour.first_page().await;
            tour.unless_barred(Ok(landing)).await
        };
        let ended = self.touring(wire, request, Purpose::Ordinary, Mind::Approve, looking).await?;
        Ok(ended.unwrap_or_else(Landing::NeverCameBack))
    }
}

/// What to type where the answer would not be seen.
pub(super) const UNSEEN: &str = "use --agent form, which sees every redirect";

/// What is said before anything is sent to a server whose answer would not be seen.
fn unseen(redirect_uri: &str) -> String {
    format!(
        "{redirect_uri} leads to a program beside the browser, and this driver does not tell when its browser is sent there \
         (chromedriver does)"
    )
}

/// Why the browser that would be driven cannot be used with a redirect URI, as far as that is known before it is opened.
pub(super) fn cannot_see(settings: &Settings, redirect_uri: &str) -> Option<String> {
    (trail::is_private(redirect_uri) && driver::is_taciturn(settings)).then(|| unseen(redirect_uri))
}

/// The key of a server whose certificate is good by an authority that the user named (`--ca`), of which the browser knows
/// nothing.
async fn pinned(wire: &Wire, endpoint: &str) -> Option<String> {
    if !wire.has_named_authorities() || !endpoint.starts_with("https:") || wire.is_proxied(endpoint) {
        return None;
    }
    let shaken = wire.shake_hands(endpoint).await.ok()?;
    shaken.chain.first().filter(|_| shaken.problems.is_empty()).map(|own| own.key.clone())
}

/// The hosts to catch: those of the redirect URIs in play, unless the authorization server is there itself. A port of
/// this machine is caught alone.
fn caught(request: &AuthorizationRequest) -> Vec<String> {
    let client = &request.client;
    let home = url::Url::parse(&request.endpoint).ok();
    let home = home.as_ref().and_then(url::Url::host_str);
    let uris = [request.redirect_uri(), &client.redirect_uri].into_iter().chain(client.https_redirect_uri.as_deref());
    let mut hosts: Vec<String> = Vec::new();
    for uri in uris {
        let Ok(url) = url::Url::parse(uri) else { continue };
        let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else { continue };
        let host = match url.port_or_known_default() {
            Some(port) if crate::wire::guard::is_loopback_url(uri) => format!("{host}:{port}"),
            _ if Some(host) == home => continue,
            _ => host.to_owned(),
        };
        if !covers(&hosts, &host) {
            hosts.push(host);
        }
    }
    let further = FOREIGN.iter().filter(|host| Some(**host) != home).map(|host| (*host).to_owned());
    hosts.extend(further.filter(|host| !home.is_some_and(|home| covers(std::slice::from_ref(host), home))));
    hosts
}

fn covers(caught: &[String], host: &str) -> bool {
    caught.iter().any(|known| known == host || known.strip_prefix('*').is_some_and(|tail| host.ends_with(tail)))
}

impl Agent for WebdriverAgent {
    fn name(&self) -> &'static str {
        "webdriver"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(async move { Ok(self.walk(wire, request, purpose, Mind::Approve).await?.0) })
    }

    fn look<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        Some(Box::pin(self.first_page(wire, request)))
    }

    fn deny<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Denying<'a>> {
        Some(Box::pin(async move {
            let (landing, denied) = self.walk(wire, request, Purpose::Ordinary, Mind::Deny).await?;
            Ok(Denial::of(landing, denied))
        }))
    }

    fn logins(&self) -> usize {
        self.logins.load(Ordering::Relaxed)
    }

    /// Closes the browser now: what is left to the end of the program may come too late.
    fn end<'a>(&'a self, _: &'a Report) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            // A visit that was cut short gives it back in a moment.
            if let Ok(mut browser) = timeout(PATIENCE, self.browser.lock()).await {
                let browser = browser.take();
                let _ = tokio::task::spawn_blocking(move || drop(browser)).await;
            }
        })
    }

    fn session(&self) -> Option<SavedSession> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keeps_session(&self) -> bool {
        true
    }

    fn remarks(&self) -> Vec<String> {
        let own = self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        own.into_iter().chain(self.means.diagnosis.remarks()).collect()
    }

    /// It sees pages, but neither their headers nor what led to them.
    fn sees_pages(&self) -> bool {
        false
    }
}

/// The variables that a driver and its browser have no use for: those of oaudit, and whatever holds a secret of the run.
/// The proxies are theirs as well.
fn withheld(wire: &Wire) -> Vec<OsString> {
    let is_secret = |value: &str| {
        let shown = wire.vault().redact(value);
        shown != value && shown.starts_with('{') && shown.find('}') == Some(shown.len() - 1)
    };
    let ours = |name: &str, value: &str| {
        name.starts_with("OAUDIT_") || (!name.to_ascii_lowercase().ends_with("_proxy") && is_secret(value))
    };
    let variables = std::env::vars_os().filter(|(name, value)| ours(&name.to_string_lossy(), &value.to_string_lossy()));
    variables.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::oauth::client::Client;
    use crate::oauth::pkce::Verifier;
    use crate::oauth::request::tests::client;

    #[test]
    fn redirect_uris_are_caught_and_the_server_is_not() {
        let request = |endpoint: &str, asked: &str, https: Option<&str>| AuthorizationRequest {
            what: "x".into(),
            client: Arc::new(Client {
                redirect_uri: "http://127.0.0.1:8765/callback".into(),
                https_redirect_uri: https.map(str::to_owned),
                ..client()
            }),
            endpoint: endpoint.into(),
            parameters: vec![("redirect_uri".into(), asked.into())],
            verifier: Verifier::random(),
        };
        let ours = "http://127.0.0.1:8765/callback";
        let all = caught(&request("http://127.0.0.1:9999/authorize", ours, Some("https://app.example/cb")));
        assert_eq!(all, ["127.0.0.1:8765", "app.example", "*.test", "*.invalid", "chatgpt.com"]);
        let all = caught(&request("https://as.test/authorize", "https://as.test/cb", None));
        assert_eq!(all, ["127.0.0.1:8765", "*.invalid", "chatgpt.com"]);
        assert!(covers(&["*.test".into()], "evil.test") && !covers(&["*.test".into()], "test.example"));
    }
}
