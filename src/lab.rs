//! The embedded lab: an authorization server, an API and an MCP endpoint in one origin on loopback, sound unless
//! told otherwise.
//!
//! It stands apart from the rest of this crate on purpose. The auditor is tested against it, and a mistake that both
//! shared would hide itself. What the lab promises is what the catalogue of checks asks for; each [`Fault`] breaks one
//! of these promises and no other, and each [`Quirk`] keeps them all in an unusual way.

mod answer;
mod authorize;
mod binding;
mod client;
mod faults;
mod forgeable;
mod form;
mod headers;
mod jwt;
mod log;
mod mcp;
mod metadata;
mod openid;
mod pages;
mod quirks;
mod redirect_uri;
mod registration;
mod resource;
mod revocation;
mod scripted;
mod server;
mod signin;
mod store;
mod tls;
mod token;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use faults::{FAULTS, Fault};
pub use quirks::{QUIRKS, Quirk};
use server::{Resource, Server, Settings};
use store::{ACCESS_LIFETIME, CODE_LIFETIME};

/// How a lab is to be served.
#[derive(Clone, Debug, Default)]
pub struct LabOptions {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Names of [`FAULTS`] to switch on.
    pub faults: Vec<String>,
    /// Names of [`QUIRKS`] to switch on.
    pub quirks: Vec<String>,
    /// How long every answer is held back.
    pub latency: Duration,
    /// Access tokens are random strings and not JWTs.
    pub opaque: bool,
    /// Every authorization request succeeds at once as alice, without login or consent.
    pub auto_consent: bool,
    /// Seconds that an access token lives; 600 if nothing is said.
    pub access_seconds: Option<u64>,
    /// Seconds that a code lives; 60 if nothing is said.
    pub code_seconds: Option<u64>,
    /// A file that every request is noted in, with everything secret taken out.
    pub log: Option<PathBuf>,
    /// What the lab calls itself, where something stands in front of it: an origin without a slash at the end.
    pub origin: Option<String>,
    /// Served over TLS, by a certificate of an authority made at the start. A fault of TLS brings it along.
    pub tls: bool,
}

/// Why a lab could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No fault of that name.
    #[error("there is no fault called {0:?}")]
    UnknownFault(String),
    /// No quirk of that name.
    #[error("there is no quirk called {0:?}")]
    UnknownQuirk(String),
    /// The log cannot be written.
    #[error("the log {path} cannot be written: {source}", path = .0.display(), source = .1)]
    Log(PathBuf, #[source] io::Error),
    /// Somebody else listens there.
    #[error("port {0} on 127.0.0.1 is taken")]
    PortTaken(u16),
    /// The system refused a listener for another reason.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// No certificate could be made.
    #[error("no certificate could be made for the lab: {0}")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LabError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownFault(name) => {
                let meant = did_you_mean(name, FAULTS.iter().map(|f| f.name));
                format!("{meant}`oaudit lab --list-faults` lists them all")
            }
            Self::UnknownQuirk(name) => did_you_mean(name, QUIRKS.iter().map(|q| q.name)).trim_end().to_owned(),
            Self::Log(..) => "choose another file with --log".to_owned(),
            Self::PortTaken(_) => "choose another with --port, or leave it out to take a free one".to_owned(),
            Self::Certificate(_) => "leave out --tls to be served over plain http".to_owned(),
            Self::Listen(_) => "the lab needs a TCP listener on 127.0.0.1".to_owned(),
        }
    }
}

/// The question, if a known name is near enough to be meant.
fn did_you_mean(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, nearest)| format!("did you mean {nearest:?}? "))
        .unwrap_or_default()
}

/// A lab that is being served; it stops when stopped or dropped.
pub struct Lab {
    server: Arc<Server>,
    authority: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Lab {
    /// Starts to serve, and returns once connections are accepted.
    ///
    /// # Errors
    ///
    /// A name that is not in [`FAULTS`] or [`QUIRKS`], or a port that cannot be had.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let log = match options.log {
            Some(path) => Some(log::Log::open(&path).map_err(|error| LabError::Log(path, error))?),
            None => None,
        };
        let mut settings = Settings {
            flaws: faults::Flaws::default(),
            twists: quirks::Twists::default(),
            latency: options.latency,
            log,
            opaque: options.opaque,
            auto_consent: options.auto_consent,
            access_seconds: options.access_seconds.unwrap_or(ACCESS_LIFETIME),
            code_lifetime: options.code_seconds.map_or(CODE_LIFETIME, Duration::from_secs),
        };
        let mut tls = options.tls;
        for name in options.faults {
            match FAULTS.iter().find(|fault| fault.name == name) {
                Some(fault) => {
                    settings.flaws.add(fault.flaw);
                    tls |= fault.needs_tls();
                }
                None => return Err(LabError::UnknownFault(name)),
            }
        }
        for name in options.quirks {
            match QUIRKS.iter().find(|quirk| quirk.name == name) {
                Some(quirk) => settings.twists.add(quirk.twist),
                None => return Err(LabError::UnknownQuirk(name)),
            }
        }
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => LabError::PortTaken(options.port),
                _ => LabError::Listen(error),
            })?;
        let port = listener.local_addr().map_err(LabError::Listen)?.port();
        let identity = match tls {
            true => Some(tls::Identity::make(settings.flaws).map_err(LabError::Certificate)?),
            false => None,
        };
        let authority = identity.as_ref().map(|identity| identity.authority.clone());
        let base = match (options.origin, tls) {
            (Some(origin), _) => origin,
            (None, true) => format!("https://{}:{port}", tls::HOST),
            (None, false) => format!("http://127.0.0.1:{port}"),
        };
        let server = Server::new(base, settings);
        let router = server::router(&server);
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async {
            let _ = stopped.await;
        };
        let task = match identity {
            Some(identity) => {
                let listener = identity.listen(listener).map_err(LabError::Listen)?;
                tokio::spawn(async move {
                    let _ = axum::serve(listener, router).with_graceful_shutdown(until).await;
                })
            }
            None => {
                // Without this, small answers wait for the acknowledgement of the one before.
                let listener = listener.tap_io(|stream| {
                    let _ = stream.set_nodelay(true);
                });
                tokio::spawn(async move {
                    let _ = axum::serve(listener, router).with_graceful_shutdown(until).await;
                })
            }
        };
        Ok(Self { server, authority, stop: Some(stop), task })
    }

    /// Stops serving; answers that are under way get a second to finish.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let _ = tokio::time::timeout(Duration::from_secs(1), &mut self.task).await;
    }

    /// The issuer identifier, without a slash at the end.
    pub fn issuer(&self) -> String {
        self.server.base.clone()
    }

    /// The certificate of the authority that signed the lab's own, PEM; `None` if the lab speaks plain http.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The URL of the MCP endpoint.
    pub fn mcp(&self) -> String {
        format!("{}{}", self.server.base, Resource::Mcp.path())
    }

    /// The URL of the API route.
    pub fn api(&self) -> String {
        format!("{}{}", self.server.base, Resource::Notes.path())
    }

    /// Everything that no report may show: every code, token, client secret, registration access token and cookie
    /// value ever issued, every verifier received, and the passwords.
    pub fn issued_secrets(&self) -> Vec<String> {
        self.server.store().secrets.iter().cloned().collect()
    }

    /// The client identifiers that dynamic registration gave out and nobody deleted.
    pub fn registered_clients(&self) -> Vec<String> {
        let store = self.server.store();
        let dynamic = store.clients.values().filter(|c| c.registration_token.is_some());
        dynamic.map(|c| c.id.clone()).collect()
    }

    /// How many times somebody signed in with a password on the login page.
    pub fn logins(&self) -> usize {
        self.server.logins.load(Ordering::Relaxed)
    }

    /// How many requests arrived.
    pub fn requests(&self) -> usize {
        self.server.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Dropping the sender is the signal; the abort closes the listener even if a connection lingers.
        drop(self.stop.take());
        self.task.abort();
    }
}
