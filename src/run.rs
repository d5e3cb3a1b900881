//! Executes a plan: discovery, clients, the sign-in, then stage after stage, and always the clean-up and the report.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::audit::Audit;
use crate::check::{AnyCheck, Card, Check as _, Outcome, Verdict};
use crate::checks;
use crate::checks::transport::certificate_valid::{self, CertificateValid};
use crate::cleanup::{self, Attempt};
use crate::discovery::{Broken, Discovery, Found, Probing, ServerFacts, Target, Whose, discover};
use crate::front::{Agent, Front, SignIn};
use crate::logs;
use crate::needs::{Ordinary, SecondUser, Stage, Waits};
use crate::oauth::assertion::{ClientKey, Signer};
use crate::oauth::client::Client;
use crate::oauth::introspection::Introspection;
use crate::oauth::scope::ScopeSet;
use crate::plan::{Plan, Selection, SelectionError};
use crate::profile::Profile;
use crate::registration::{self, Configured, Wanted};
use crate::report::{CheckLine, Report, ResultKind, Stopped};
use crate::settings::Settings;
use crate::waiver::Accepted;
use crate::wire::labels::sent_in_urls;
use crate::wire::{Wire, WireOptions};

mod conduct;
mod flow;
pub mod foresee;
mod freeze;
mod interruption;
pub mod login;
pub mod offline;
pub(crate) mod ordinary;
mod supplied;

pub use freeze::Grading;
pub use interruption::Interruption;

/// The error of an audit that a bug of ours ended.
const BROKE: &str = "oaudit broke: this is a bug";

/// How the error of an audit begins whose time was over.
const OUT_OF_TIME: &str = "the time of the run was over (--max-time) after";

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
    fn signer(&self, server: &ServerFacts) -> Option<Signer> {
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

/// Audits a target.
///
/// # Errors
/// Only for a selection that names no check. Whatever the target does is in the report.
pub async fn audit(target: &Target, mut options: Options) -> Result<Report, SelectionError> {
    let plan = Plan::new(&options.catalogue(), &options.profile, &options.selection)?;
    for url in target.named() {
        options.wire.guard = options.wire.guard.naming(url);
    }
    let began = Instant::now();
    let mut run = Run {
        plan,
        outcomes: Outcomes::default(),
        options,
        began,
        started_at: freeze::now(),
        remarks: Vec::new(),
        agent: None,
    };
    let wire = match Wire::open(run.options.wire.clone()) {
        Ok(wire) => wire,
        Err(trouble) => {
            let stopped = Stopped { error: trouble.to_string(), hint: "see --ca and --insecure".into() };
            return Ok(run.freeze_without_wire(target, stopped));
        }
    };
    keep_journal(&wire, &run.options, target);
    let (interrupted, over) = (Interruption::of(run.options.interrupt.clone()), over(run.options.max_time));
    // What an interruption must still clean up and report lives outside of the work that it cuts short.
    let mut held = Held::default();
    let stopped = tokio::select! {
        // A mistake of ours must not lose what was found, nor leave behind what was registered.
        ended = AssertUnwindSafe(run.work(&wire, target, &mut held)).catch_unwind() => {
            ended.unwrap_or_else(|_| Some(broke()))
        }
        interruption = interrupted => Some(interruption.stopped()),
        limit = over => Some(out_of_time(limit)),
    };
    if let Some(stopped) = stopped.as_ref().filter(|stopped| is_out_of_time(stopped)) {
        run.tell(Progress::Says(&format!("{}: cleaning up and reporting what there is", stopped.error)));
    }
    let signer = held.found.as_ref().and_then(|found| found.server.as_ref().ok()).and_then(|s| run.options.signer(s));
    let left = clean_up(&wire, signer.as_ref()).await;
    if let Some(why) = wire.holdings().failed() {
        run.remark(format!("no journal for `oaudit cleanup` could be kept: {why}"));
    }
    if let Some(take) = &run.options.secrets {
        take(&logs::Wanted { secrets: wire.vault().secrets(), sent_in_urls: sent_in_urls(&wire.ledger().all()) });
    }
    let agent = run.agent.take();
    let report = run.freeze(&wire, target, &held, left, stopped);
    if let Some(agent) = agent {
        agent.end(&report).await;
    }
    if let Some(second) = held.audit.as_ref().and_then(|audit| audit.second_user.as_ref()?.front()) {
        second.agent().end(&report).await;
    }
    Ok(report)
}

/// What outlives an interruption.
#[derive(Default)]
struct Held {
    found: Option<Found>,
    audit: Option<Arc<Audit>>,
}

/// What the checks found out, entered one by one, so that an interruption loses none.
#[derive(Clone, Default)]
struct Outcomes(Arc<std::sync::Mutex<HashMap<&'static str, (Outcome, Duration)>>>);

impl Outcomes {
    fn enter(&self, id: &'static str, outcome: Outcome, took: Duration) {
        self.held().insert(id, (outcome, took));
    }

    fn take(&self, id: &str) -> Option<(Outcome, Duration)> {
        self.held().remove(id)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, (Outcome, Duration)>> {
        self.0.lock().expect("no panic while it is held")
    }
}

struct Run {
    plan: Plan,
    outcomes: Outcomes,
    options: Options,
    began: Instant,
    started_at: String,
    remarks: Vec<String>,
    /// Who signs in; it may have somebody to show the progress to.
    agent: Option<Arc<dyn Agent>>,
}

impl Run {
    async fn work(&mut self, wire: &Wire, target: &Target, held: &mut Held) -> Option<Stopped> {
        self.tell(Progress::Begins("discovery", 0));
        if let Some(url) = target.named().find(|u| u.starts_with("http://") && !crate::wire::guard::is_loopback_url(u))
        {
            self.remark(format!(
                "{url} is plain http on a host that is not this machine: everything can be read and changed on the way"
            ));
        }
        for remark in self.options.wire.remarks() {
            self.remark(remark);
        }
        let consent = Arc::clone(&self.options.consent);
        let named: Vec<&str> = target.named().collect();
        let outside = named.iter().find(|u| !crate::wire::guard::is_loopback_url(u)).copied();
        let allowed = match outside.map(str::to_owned) {
            // Somebody may be asked, and may answer by stopping it all.
            Some(url) => tokio::task::spawn_blocking(move || consent(&url)).await.unwrap_or(false),
            None => true,
        };
        let probing = if allowed { Probing::Full } else { Probing::GetOnly };
        let found = match discover(wire, target, self.options.profile.mcp, probing).await {
            Ok(found) => found,
            Err(broken) => {
                self.certificate_at_fault(wire, &named).await;
                return Some(stop(&broken));
            }
        };
        held.found = Some(found.clone());
        let discovery = match &found.server {
            Ok(server) => {
                keep_to_ourselves(wire, server);
                Discovery { resource: found.resource.clone(), server: server.clone() }
            }
            Err(broken) => {
                self.documents_without_server(wire, &found, broken).await;
                let metadata = found.resource.as_ref().and_then(|resource| resource.metadata.as_ref());
                let issuers = metadata.and_then(|(metadata, _)| metadata.list("authorization_servers"));
                let suspects: Vec<&str> = named.iter().copied().chain(issuers.unwrap_or_default()).collect();
                self.certificate_at_fault(wire, &suspects).await;
                return Some(stop(broken));
            }
        };
        self.remark_on(&discovery);
        wire.holdings().revoke_at(discovery.server.endpoint("revocation_endpoint"));
        let stopped = match allowed {
            true if self.options.sign_in.is_supplied() => self.with_tokens(wire, discovery.clone(), held).await,
            true => self.with_server(wire, discovery.clone(), held).await,
            false => Some(Stopped {
                error: format!(
                    "{} is not on this machine, and nobody confirmed that it may be audited",
                    outside.unwrap_or("the target")
                ),
                hint: "add --yes if it is yours or its owner agrees".into(),
            }),
        };
        if held.audit.is_none() {
            self.documents_alone(wire, discovery).await;
        }
        stopped
    }

    async fn with_server(&mut self, wire: &Wire, discovery: Discovery, held: &mut Held) -> Option<Stopped> {
        let server = &discovery.server;
        let (Some(authorization), Some(token)) =
            (server.endpoint("authorization_endpoint"), server.endpoint("token_endpoint"))
        else {
            return Some(Stopped {
                error: format!(
                    "the metadata of {} names no authorization_endpoint and token_endpoint to go on with",
                    server.issuer
                ),
                hint: "see server_metadata/required-members; --issuer URL names another server".into(),
            });
        };
        let (authorization, token) = (authorization.to_owned(), token.to_owned());
        let (scope, known_scopes) = ordinary::scopes(&discovery, self.options.scope.as_ref());
        let listener = match self.options.sign_in.listen(self.options.redirect_uri.as_deref()) {
            Ok(listener) => listener,
            Err(error) => return Some(Stopped { error: error.to_string(), hint: error.hint().into() }),
        };
        let wanted = Wanted {
            redirect_uri: listener.redirect_uri().to_owned(),
            scope: scope.clone(),
            all_scopes: known_scopes.clone(),
            a: self.options.client.clone(),
            b: self.options.other_client.clone(),
            alone: false,
            document: self.options.client_metadata_url.clone(),
            signer: self.options.signer(server),
        };
        self.tell(Progress::Begins("registration", 0));
        let clients = match registration::clients(wire, &server.metadata, &wanted).await {
            Ok(clients) => clients,
            Err(error) => return Some(Stopped { error: error.to_string(), hint: error.hint().into() }),
        };
        let confidential = self.options.confidential_client.as_ref().map(|c| Arc::new(wanted.configured(wire, c)));
        let ordinary = Ordinary {
            endpoint: authorization,
            client: Arc::clone(&clients.a),
            scope,
            known_scopes,
            resource: ordinary::resource_indicator(&discovery),
            further: Vec::new(),
        };
        let agent = match self.options.sign_in.agent(wire, listener, &ordinary, &self.options.progress).await {
            Ok(agent) => agent,
            Err(error) => return Some(Stopped { error: error.to_string(), hint: error.hint().into() }),
        };
        self.agent = Some(Arc::clone(&agent));
        let introspection = self.introspection(wire, &discovery, &clients.a);
        let audit = Arc::new(Audit {
            profile: self.options.profile,
            discovery,
            token_endpoint: token,
            client: Arc::clone(&clients.a),
            other_client: clients.b.clone(),
            registered: clients.registered.clone(),
            front: Front::new(agent).asking_at_most(self.options.max_prompts),
            ordinary,
            settings: self.options.settings.clone(),
            introspection,
            supplied_refresh: None,
            second_user: self.second_user(),
            confidential,
            wanted: Some(wanted.clone()),
            confidential_flow: tokio::sync::OnceCell::new(),
            side_by_side: OnceLock::new(),
            other_flow: tokio::sync::OnceCell::new(),
            refreshed: tokio::sync::OnceCell::new(),
            introspected: tokio::sync::OnceCell::new(),
            baseline: OnceLock::new(),
            waits: Waits::default(),
        });
        held.audit = Some(Arc::clone(&audit));
        self.plan.fit(self.options.max_prompts, audit.front.agent().asks(), &audit.ordinary);
        audit.front.plan(self.plan.visits(&audit.ordinary));
        self.stages(wire, &audit, &wanted).await
    }

    fn second_user(&self) -> Option<SecondUser> {
        let sign_in = self.options.other_user.clone()?;
        Some(SecondUser::new(sign_in, Arc::clone(&self.options.progress)))
    }

    /// Who may ask the introspection endpoint: the client that was configured for it, else our own if it can show a
    /// secret (RFC 7662 section 2.1 leaves the rest to the server).
    fn introspection(&self, wire: &Wire, discovery: &Discovery, own: &Arc<Client>) -> Option<Introspection> {
        let endpoint = discovery.server.endpoint("introspection_endpoint")?.to_owned();
        let client = match &self.options.settings.introspection {
            Some(configured) => {
                if let Some(secret) = &configured.secret {
                    wire.vault().learn("client_secret", secret.expose());
                }
                Arc::new(configured.client(""))
            }
            None if !own.is_public() => Arc::clone(own),
            None => return None,
        };
        Some(Introspection { endpoint, client })
    }

    /// The stages. What needs nobody runs while somebody signs in.
    async fn stages(&mut self, wire: &Wire, audit: &Arc<Audit>, wanted: &Wanted) -> Option<Stopped> {
        let early: Vec<_> = [Stage::Documents, Stage::Anonymous].into_iter().flat_map(|s| self.plan.stage(s)).collect();
        self.tell(Progress::Begins("documents and anonymous requests, while signing in", early.len()));
        let signing_in = flow::sign_in(wire, audit, wanted);
        let ((), signed_in) = tokio::join!(self.conduct(wire, audit, early, true), signing_in);
        if !matches!(audit.baseline(), Some(Ok(_))) {
            self.take_back_green(wire);
        }
        let side_by_side = match signed_in {
            Ok(flow::SignedIn { side_by_side }) => side_by_side,
            Err(error) => return Some(Stopped { error: error.to_string(), hint: error.hint().into() }),
        };
        let _ = audit.side_by_side.set(side_by_side);
        let beside = side_by_side != Some(false);
        if !beside {
            self.remark(
                "this server ends the older grants of a user and client at each new authorization; checks ran one after \
                 the other"
                    .into(),
            );
        }
        self.stage(wire, audit, Stage::Baseline, true).await;
        let rest = async {
            self.stage(wire, audit, Stage::OwnMaterial, beside).await;
            self.stage(wire, audit, Stage::OddRequests, beside).await;
            self.stage(wire, audit, Stage::Grants, false).await;
            self.stage(wire, audit, Stage::Session, false).await;
        };
        // What waits begins at once and runs beside the rest, unless the rest would end the grants that it waits on.
        match beside {
            true => {
                tokio::join!(self.stage(wire, audit, Stage::Waiting, true), rest);
            }
            false => {
                rest.await;
                self.stage(wire, audit, Stage::Waiting, false).await;
            }
        }
        self.stage(wire, audit, Stage::Ledger, true).await;
        None
    }

    async fn stage(&self, wire: &Wire, audit: &Arc<Audit>, stage: Stage, together: bool) {
        let checks = self.plan.stage(stage);
        if !checks.is_empty() {
            self.tell(Progress::Begins(stage.describe(), checks.len()));
            let conducted = self.conduct(wire, audit, checks, together);
            if stage != Stage::Waiting {
                return conducted.await;
            }
            tokio::select! {
                biased;
                () = conducted => {}
                never = audit.waits.count_down(|says| self.tell(Progress::Says(says))) => match never {},
            }
        }
    }

    /// A server whose ordinary flow does not work may refuse everything for a reason of its own: what it answered to
    /// anonymous requests proves nothing good.
    fn take_back_green(&mut self, wire: &Wire) {
        for check in self.plan.stage(Stage::Anonymous) {
            let mut outcomes = self.outcomes.held();
            if let Some((outcome, took)) = outcomes.get_mut(check.card().id)
                && let Ok(ruling) = outcome
                && let Verdict::Pass(why) = &ruling.verdict
            {
                let why = format!("{why}, but the ordinary flow did not work, see authorization/code-flow-works");
                ruling.verdict = Verdict::Inconclusive(why);
                self.tell_ended(wire, check.card(), outcome, *took);
            }
        }
    }

    async fn documents_alone(&mut self, wire: &Wire, discovery: Discovery) {
        let audit = Arc::new(self.audit_of_documents(discovery));
        let checks = self.plan.stage(Stage::Documents);
        self.conduct(wire, &audit, checks, true).await;
        if !matches!(audit.baseline(), Some(Ok(_))) {
            self.take_back_green(wire);
        }
    }

    /// The resource can be judged although its authorization server could not be found.
    async fn documents_without_server(&mut self, wire: &Wire, found: &Found, broken: &Broken) {
        let discovery = Discovery { resource: found.resource.clone(), server: freeze::no_server() };
        let audit = Arc::new(self.audit_of_documents(discovery));
        let (about_resource, about_server): (Vec<_>, Vec<_>) =
            self.plan.stage(Stage::Documents).into_iter().partition(|c| c.card().topic() == "resource_metadata");
        self.conduct(wire, &audit, about_resource, true).await;
        if !matches!(audit.baseline(), Some(Ok(_))) {
            self.take_back_green(wire);
        }
        for check in about_server.into_iter().filter(|c| c.card().id == "server_metadata/published") {
            let demand = check.card().demands[0];
            // A server that nobody named, or that could not be asked, published nothing wrong.
            let verdict = match broken.whose {
                Whose::AuthorizationServer => Verdict::fail(demand, broken.what.clone()),
                Whose::Resource | Whose::Network | Whose::CommandLine => Verdict::inconclusive(broken.what.clone()),
            };
            let outcome: Outcome = Ok(verdict.into());
            self.outcomes.enter(check.card().id, outcome, Duration::ZERO);
        }
    }

    /// Where nothing could be found, a certificate that clients refuse may be why: that is a finding.
    async fn certificate_at_fault(&self, wire: &Wire, suspects: &[&str]) {
        let id = CertificateValid::CARD.id;
        if !self.plan.checks.iter().any(|check| check.card().id == id) {
            return;
        }
        let wire = &wire.stamped(id);
        for url in suspects.iter().filter(|url| url.starts_with("https:") && !wire.is_proxied(url)) {
            let began = Instant::now();
            if let Some(ruling) = certificate_valid::at_fault(wire, url).await {
                self.outcomes.enter(id, Ok(ruling), began.elapsed());
                return;
            }
        }
    }

    fn audit_of_documents(&self, discovery: Discovery) -> Audit {
        freeze::audit_of_documents(self.options.profile, self.options.settings.clone(), discovery)
    }

    fn remark_on(&mut self, discovery: &Discovery) {
        let server = &discovery.server;
        if server.source == crate::discovery::IssuerSource::Guessed {
            self.remark(format!(
                "nothing names the authorization server; the origin of the resource, {}, was taken for it (--issuer names another)",
                server.issuer
            ));
        }
        if self.options.wire.insecure {
            self.remark("certificates were not verified (--insecure)".into());
        }
    }

    fn remark(&mut self, remark: String) {
        self.tell(Progress::Says(&remark));
        self.remarks.push(remark);
    }

    fn tell(&self, progress: Progress<'_>) {
        (self.options.progress)(progress);
        if let Some(agent) = &self.agent {
            agent.hear(progress);
        }
    }

    fn tell_ended(&self, wire: &Wire, card: &'static Card, outcome: &Outcome, took: Duration) {
        let line = CheckLine::of(card, outcome, &self.options.profile, Vec::new(), took);
        let message = wire.vault().redact(&line.message);
        self.tell(Progress::Ended(Ended { id: line.id, title: line.title, result: line.result, message: &message }));
    }
}

/// Waits until the time of the run is over, and tells how long it was.
async fn over(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

/// Has the wire write down what the server keeps, if there is a place for it.
fn keep_journal(wire: &Wire, options: &Options, target: &Target) {
    if let Some(folder) = &options.journal {
        wire.holdings().keep_in(folder, target.named().map(str::to_owned).collect());
    }
}

/// What a run left at the server.
#[derive(Debug, Default)]
struct Left {
    behind: Vec<String>,
    /// The journal by which another attempt can be made.
    journal: Option<String>,
}

/// Has the server forget what it keeps because of the run, and ends the journal.
async fn clean_up(wire: &Wire, signer: Option<&Signer>) -> Left {
    wire.holdings().settle(wire.limits().time).await;
    let behind = cleanup::clean(wire, signer, Attempt::First).await.left;
    Left { behind, journal: wire.holdings().close() }
}

/// A private key that a server publishes is found everywhere but in our reports: those are kept for longer.
fn keep_to_ourselves(wire: &Wire, server: &ServerFacts) {
    server.private_parts().into_iter().for_each(|part| wire.vault().learn("private_key", part));
}

/// What is said where the time of the run was over.
fn out_of_time(limit: Duration) -> Stopped {
    let hint = "give it more by --max-time, or fewer checks by --select";
    Stopped { error: format!("{OUT_OF_TIME} {} s", limit.as_secs_f64()), hint: hint.into() }
}

fn is_out_of_time(stopped: &Stopped) -> bool {
    stopped.error.starts_with(OUT_OF_TIME)
}

/// What is said where the program itself broke.
fn broke() -> Stopped {
    let hint = "please report it with the command line that led to it; what was found before is above";
    Stopped { error: BROKE.into(), hint: hint.into() }
}

fn stop(broken: &Broken) -> Stopped {
    Stopped { error: broken.to_string(), hint: broken.hint.clone() }
}

#[cfg(test)]
mod tests;
