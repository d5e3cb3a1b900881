//! What an audit can be told, and what it tells while it runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Grading, Interruption};
use crate::check::AnyCheck;
use crate::checks;
use crate::discovery::ServerFacts;
use crate::front::SignIn;
use crate::logs;
use crate::oauth::assertion::{ClientKey, Signer};
use crate::oauth::scope::ScopeSet;
use crate::plan::Selection;
use crate::profile::Profile;
use crate::registration::Configured;
use crate::report::ResultKind;
use crate::settings::Settings;
use crate::waiver::Accepted;
use crate::wire::WireOptions;

/// Everything that an audit can be told.
#[derive(Clone)]
pub struct Options {
    /// The documents in force.
    pub profile: Profile,
    /// Which checks.
    pub selection: Selection,
    /// Checks beside the built-in ones: the user's rules.
    pub further: Vec<&'static dyn AnyCheck>,
    /// The wire.
    pub wire: WireOptions,
    /// The configured client, if any.
    pub client: Option<Configured>,
    /// The configured second client, if any.
    pub other_client: Option<Configured>,
    /// A client that can show who it is, beside the one that the audit is made as.
    pub confidential_client: Option<Configured>,
    /// The address of the metadata document that is our client's identifier.
    pub client_metadata_url: Option<String>,
    /// The private key of configured clients that authenticate by signatures.
    pub client_key: Option<ClientKey>,
    /// How often a person may be asked for something.
    pub max_prompts: Option<usize>,
    /// The redirect URI, if it is not ours to choose.
    pub redirect_uri: Option<String>,
    /// The scopes to ask for.
    pub scope: Option<ScopeSet>,
    /// How to sign in.
    pub sign_in: SignIn,
    /// How a second user signs in, if there is one.
    pub other_user: Option<SignIn>,
    /// What checks judge by, where it is for the user to say.
    pub settings: Settings,
    /// The longest that the whole run may take, its clean-up left out. Without it, as long as it takes.
    pub max_time: Option<Duration>,
    /// How failures become an exit code.
    pub grading: Grading,
    /// Failures that are accepted.
    pub accepted: Accepted,
    /// Asked before anything but GETs goes to a target that is not on this machine. `false` stops the audit.
    pub consent: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// Told what is going on.
    pub progress: Arc<dyn Fn(Progress<'_>) + Send + Sync>,
    /// Handed the secrets of the run at its end, for a later search of logs. Nobody is by default.
    pub secrets: Option<SecretsTaker>,
    /// The folder that takes the journal of what the run leaves at the server. Without one, a run that is killed leaves
    /// it for good.
    pub journal: Option<PathBuf>,
    /// Told when somebody wants the audit to stop.
    pub interrupt: watch::Receiver<Option<Interruption>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl Options {
    /// Every check that this run knows, in the order of the report: the built-in ones, then the user's.
    pub fn catalogue(&self) -> Vec<&'static dyn AnyCheck> {
        checks::ALL.iter().chain(&self.further).copied().collect()
    }

    /// What signs for our clients at this server.
    pub(super) fn signer(&self, server: &ServerFacts) -> Option<Signer> {
        let listed = server.metadata.list("token_endpoint_auth_signing_alg_values_supported");
        self.client_key.as_ref().map(|key| key.for_server(&server.issuer, listed.as_deref()))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            selection: Selection::default(),
            further: Vec::new(),
            wire: WireOptions::default(),
            client: None,
            other_client: None,
            confidential_client: None,
            client_metadata_url: None,
            client_key: None,
            max_prompts: None,
            redirect_uri: None,
            scope: None,
            sign_in: SignIn::default(),
            other_user: None,
            settings: Settings::default(),
            max_time: None,
            grading: Grading::default(),
            accepted: Accepted::default(),
            consent: Arc::new(|_| true),
            progress: Arc::new(|_| {}),
            secrets: None,
            journal: None,
            interrupt: watch::channel(None).1,
        }
    }
}

/// Whoever keeps the secrets of a run.
pub type SecretsTaker = Arc<dyn Fn(&logs::Wanted) + Send + Sync>;

/// What is going on, for a person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A part of the audit begins; so many checks belong to it.
    Begins(&'a str, usize),
    /// A check ended. One that ends twice was taken back.
    Ended(Ended<'a>),
    /// Something to read.
    Says(&'a str),
}

/// A check that ended, for whoever watches. The report has the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended<'a> {
    /// `topic/property`.
    pub id: &'a str,
    /// The property that should hold.
    pub title: &'a str,
    /// The verdict, seen through the profile.
    pub result: ResultKind,
    /// What was seen, without secrets.
    pub message: &'a str,
}
