//! Executes a plan: discovery, clients, the sign-in, then stage after stage, and always the clean-up and the report.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::audit::Audit;
use crate::check::{Card, Outcome};
use crate::cleanup::{self, Attempt};
use crate::discovery::{Broken, Discovery, Found, Probing, ServerFacts, Target, discover};
use crate::front::{Agent, Front};
use crate::logs;
use crate::needs::{Ordinary, SecondUser, Waits};
use crate::oauth::assertion::Signer;
use crate::oauth::client::Client;
use crate::oauth::introspection::Introspection;
use crate::plan::{Plan, SelectionError};
use crate::registration::{self, Wanted};
use crate::report::{CheckLine, Report, Stopped};
use crate::wire::Wire;
use crate::wire::labels::sent_in_urls;

mod conduct;
mod documents;
mod flow;
pub mod foresee;
mod freeze;
mod interruption;
pub mod login;
pub mod offline;
mod options;
pub(crate) mod ordinary;
mod stages;
mod supplied;

pub use freeze::Grading;
pub use interruption::Interruption;
pub use options::{Ended, Options, Progress, SecretsTaker};

/// The error of an audit that a bug of ours ended.
const BROKE: &str = "oaudit broke: this is a bug";

/// How the error of an audit begins whose time was over.
const OUT_OF_TIME: &str = "the time of the run was over (--max-time) after";

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
        if let Some(stopped) = foresee::too_few_prompts(&self.options) {
            return Some(stopped);
        }
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
            ledger: OnceLock::new(),
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

    fn remark_on(&mut self, discovery: &Discovery) {
        let server = &discovery.server;
        if server.source == crate::discovery::IssuerSource::Guessed {
            self.remark(format!(
                "nothing names the authorization server; the origin of the resource, {}, was taken for it (--issuer names another)",
                server.issuer
            ));
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
