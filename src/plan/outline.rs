//! What a run would do, told before anything happens: checks by stage, visits, what a person is asked, requests by class,
//! what is spoiled and left, how long it takes. A pure function of documents and options.

use std::time::Duration;

use serde::Serialize;

use super::Plan;
use crate::check::{AnyCheck, Impact, Reach, Verdict};
use crate::discovery::Discovery;
use crate::front::Asks;
use crate::front::listener::Clocks;
use crate::needs::{Beside, Ordinary, Stage};
use crate::oauth::client::Origin;
use crate::settings::Settings;

/// Everything that is known before a run.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What discovery found.
    pub discovery: &'a Discovery,
    /// The ordinary request.
    pub ordinary: &'a Ordinary,
    /// What the user set.
    pub settings: &'a Settings,
    /// How often the agent asks a person.
    pub asks: Asks,
    /// How often it may.
    pub most_prompts: Option<usize>,
    /// The agent's name, or what decides about it.
    pub agent: &'a str,
    /// Whether a second client and a confidential one will be there.
    pub other_client: bool,
    /// The same of a confidential client.
    pub confidential_client: bool,
    /// Whether a second user will sign in.
    pub other_user: bool,
    /// How long one exchange may take.
    pub timeout: Duration,
}

/// A run, told beforehand.
#[derive(Debug, Clone, Serialize)]
pub struct Outline {
    /// The protected resource, if one is known.
    pub resource: Option<String>,
    /// The authorization server.
    pub issuer: String,
    /// The agent that signs in.
    pub agent: String,
    /// The stages that have checks, in order.
    pub stages: Vec<StageOutline>,
    /// Checks that will not be run, and why.
    pub not_run: Vec<LeftOut>,
    /// Visits of the authorization endpoint with the session, at most: many are answered to a stranger already.
    pub authorizations: usize,
    /// How often a person is asked for something.
    pub prompts: Prompts,
    /// Requests, estimated.
    pub requests: Requests,
    /// What is spoiled at the server.
    pub spoils: Vec<String>,
    /// What may be left there.
    pub leaves: Vec<String>,
    /// How long it takes.
    pub seconds: Seconds,
}

/// A stage and its checks.
#[derive(Debug, Clone, Serialize)]
pub struct StageOutline {
    /// What it is about.
    pub stage: &'static str,
    /// Its checks.
    pub checks: Vec<CheckOutline>,
}

/// A check as it is planned.
#[derive(Debug, Clone, Serialize)]
pub struct CheckOutline {
    /// Its id.
    pub id: &'static str,
    /// How bad a failure would be.
    pub impact: Impact,
    /// What it may spoil.
    pub reach: Reach,
    /// Its visits, at most.
    pub authorizations: usize,
}

/// A check that is not run.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOut {
    /// Its id.
    pub id: &'static str,
    /// Why.
    pub why: String,
    /// What to type to have it run.
    pub how_to_run: Option<String>,
}

/// How often a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Prompts {
    /// By a server that remembers the login and what was consented to.
    pub expected: usize,
    /// By one that asks every time.
    pub at_most: usize,
}

/// Requests by class. Estimates: what a server answers decides about the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Documents and keys.
    pub documents: usize,
    /// Registering and deleting clients.
    pub registration: usize,
    /// Authorization requests, with the session and without, and the pages after them.
    pub authorization: usize,
    /// The token, revocation and introspection endpoints.
    pub token: usize,
    /// The protected resource.
    pub resource: usize,
}

impl Requests {
    /// All of them.
    pub fn total(&self) -> usize {
        self.documents + self.registration + self.authorization + self.token + self.resource
    }
}

/// How long a run takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Seconds {
    /// With answers in a tenth of a second, beside what the person takes.
    pub about: u64,
    /// With every answer as late as it may be, and a person who signs in at the last moment.
    pub at_most: u64,
}

/// Visits that belong to no check: the sign-in, and the look whether grants live side by side.
const OF_THE_FLOW: usize = 3;

/// What a run with this plan would do.
pub fn outline(plan: &Plan, about: &Situation<'_>) -> Outline {
    let waiting = |check: &&'static dyn AnyCheck| check.stage() == Stage::Waiting && !about.settings.waits();
    let planned: Vec<&'static dyn AnyCheck> = plan.checks.iter().copied().filter(|c| !waiting(c)).collect();
    let visits = |c: &&'static dyn AnyCheck| c.visits(about.ordinary);
    let own_flows = own_flows(&planned, about);
    let signs_in = planned.iter().any(|c| c.stage() >= Stage::Baseline);
    let authorizations = match signs_in {
        true => OF_THE_FLOW + own_flows + usize::from(about.other_user) + planned.iter().map(visits).sum::<usize>(),
        false => 0,
    };
    let prompts = match signs_in {
        true => prompts(&planned, about),
        false => Prompts { expected: 0, at_most: 0 },
    };
    let requests = requests(&planned, about, authorizations);
    let waits = if about.settings.waits() { about.settings.longest_wait().as_secs() } else { 0 };
    let patience = if about.asks == Asks::Nobody || !signs_in { 0 } else { Clocks::default().sign_in.as_secs() };
    let total = requests.total() as u64;
    let mut not_run: Vec<LeftOut> = plan.checks.iter().filter(|c| waiting(c)).map(|c| waits_for_time(*c)).collect();
    not_run.extend(plan.beyond_reach.iter().map(|c| beyond_reach(*c)));
    not_run.extend(plan.left_out.iter().map(|(check, verdict)| left_out(*check, verdict)));
    Outline {
        resource: about.discovery.resource.as_ref().map(|r| r.url.clone()),
        issuer: about.discovery.server.issuer.clone(),
        agent: about.agent.to_owned(),
        stages: stages(&planned, about.ordinary),
        not_run,
        authorizations,
        prompts,
        requests,
        spoils: spoils(&planned, about),
        leaves: leaves(about, signs_in),
        seconds: Seconds {
            about: waits + total.div_ceil(10),
            at_most: waits + patience + total * about.timeout.as_secs(),
        },
    }
}

/// The ordinary flows of the clients beside the audited one that the checks take.
fn own_flows(planned: &[&'static dyn AnyCheck], about: &Situation<'_>) -> usize {
    let taken = planned.iter().fold(Beside::NONE, |all, check| all.and(check.beside()));
    usize::from(taken.other && about.other_client) + usize::from(taken.confidential && about.confidential_client)
}

/// The second user signs in without a person; whoever shows pages to the person alone runs no check that goes by them.
fn prompts(planned: &[&'static dyn AnyCheck], about: &Situation<'_>) -> Prompts {
    let of = |asks: Asks| planned.iter().map(|check| asks.of(*check, about.ordinary)).sum::<usize>();
    let beside = own_flows(planned, about);
    let every_time = Asks::EveryTime.to_begin_with() + beside + of(Asks::EveryTime);
    let (expected, at_most) = match about.asks {
        Asks::Nobody => (0, 0),
        // The consent of each client belongs to the sign-in or is a page of its own.
        asks @ Asks::WhenTheServerDoes => (asks.to_begin_with() + beside + of(asks), every_time),
        Asks::EveryTime => (every_time, every_time),
    };
    let most = about.most_prompts.unwrap_or(usize::MAX);
    Prompts { expected: expected.min(most), at_most: at_most.min(most) }
}

fn stages(planned: &[&'static dyn AnyCheck], ordinary: &Ordinary) -> Vec<StageOutline> {
    let line = |c: &&'static dyn AnyCheck| CheckOutline {
        id: c.card().id,
        impact: c.card().impact,
        reach: c.card().reach,
        authorizations: c.visits(ordinary),
    };
    let of = |stage: Stage| StageOutline {
        stage: stage.describe(),
        checks: planned.iter().filter(|c| c.stage() == stage).map(line).collect(),
    };
    Stage::ALL.into_iter().map(of).filter(|s| !s.checks.is_empty()).collect()
}

/// Measured once at a server that answers as it should, and rounded: a check with codes asks the token endpoint about
/// twice a visit, an odd request is made as a stranger first, a check of the resource calls it a few times.
fn requests(planned: &[&'static dyn AnyCheck], about: &Situation<'_>, authorizations: usize) -> Requests {
    let of = |stage: Stage| planned.iter().filter(move |c| c.stage() == stage);
    let visits = |stage: Stage| of(stage).map(|c| c.visits(about.ordinary)).sum::<usize>();
    let dynamic = matches!(about.ordinary.client.origin, Origin::Dynamic(_));
    let clients =
        if dynamic { 1 + usize::from(about.other_client) + usize::from(about.confidential_client) } else { 0 };
    let resource = |c: &&&'static dyn AnyCheck| c.card().topic() == "resource";
    let has_resource = about.discovery.resource.is_some();
    let signs_in = authorizations > 0;
    Requests {
        documents: 8,
        registration: 2 * clients,
        authorization: authorizations + visits(Stage::OddRequests) + if signs_in { 6 } else { 0 },
        token: 2 * (visits(Stage::OwnMaterial) + visits(Stage::Grants) + visits(Stage::Session))
            + 4 * of(Stage::Grants).count()
            + 3 * of(Stage::Anonymous).count()
            // Three authorizations of four leave tokens, which are revoked in the end.
            + 3 * authorizations / 4
            + if signs_in { 2 * OF_THE_FLOW } else { 0 },
        resource: if has_resource && signs_in { 3 * planned.iter().filter(resource).count() + 8 } else { 2 },
    }
}

fn spoils(planned: &[&'static dyn AnyCheck], about: &Situation<'_>) -> Vec<String> {
    let reaches = |reach: Reach| planned.iter().filter(|c| c.card().reach == reach).count();
    let mut spoils = Vec::new();
    let client = &about.ordinary.client;
    if reaches(Reach::OwnMaterial) > 0 {
        spoils.push("codes and tokens that were asked for in this run".into());
    }
    match (reaches(Reach::Grant), &client.origin) {
        (0, _) => {}
        (n, Origin::Dynamic(_)) => spoils.push(format!(
            "grants of the clients that are registered for this run: {n} checks may have the server revoke one"
        )),
        (n, Origin::Configured | Origin::Document) => spoils.push(format!(
            "grants of the client {} and the user who signs in: {n} checks may have the server revoke one, and some \
             servers revoke all of them; whoever uses that client as that user may have to sign in again",
            client.id
        )),
    }
    if reaches(Reach::Session) > 0 {
        spoils.push("the session of the user who signs in".into());
    }
    if let Some(resource) = &about.discovery.resource
        && let Some(call) = resource.call.as_ref().filter(|call| call.writes())
    {
        let (method, url) = (&call.method, &resource.url);
        spoils.push(format!("whatever {method} {url} changes, called many times with good tokens and bad ones"));
    }
    let writes = about.settings.routes.iter().filter(|r| !matches!(r.method.as_str(), "GET" | "HEAD" | "OPTIONS"));
    spoils.extend(
        writes.map(|r| format!("whatever {} {} changes, called with good tokens and bad ones", r.method, r.path)),
    );
    spoils
}

fn leaves(about: &Situation<'_>, signs_in: bool) -> Vec<String> {
    let mut leaves = Vec::new();
    if matches!(about.ordinary.client.origin, Origin::Dynamic(_)) {
        leaves.push("registered clients, if the server offers no way to delete them (RFC 7592)".into());
    }
    if signs_in {
        leaves.push("remembered consent, and tokens that the server does not revoke (RFC 7009)".into());
    }
    leaves
}

fn waits_for_time(check: &dyn AnyCheck) -> LeftOut {
    LeftOut { id: check.card().id, why: "it waits until something expires".into(), how_to_run: Some("--slow".into()) }
}

fn beyond_reach(check: &dyn AnyCheck) -> LeftOut {
    LeftOut {
        id: check.card().id,
        why: "it may spoil more than --reach allows".into(),
        how_to_run: Some(format!("--reach {}", check.card().reach.as_str())),
    }
}

fn left_out(check: &dyn AnyCheck, verdict: &Verdict) -> LeftOut {
    let how_to_run = match verdict {
        Verdict::NotRun { how, .. } => Some(how.clone()),
        _ => None,
    };
    LeftOut { id: check.card().id, why: verdict.why().to_owned(), how_to_run }
}

#[cfg(test)]
mod tests;
