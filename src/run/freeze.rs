//! Freezes a run into its report: one line for every check in force, in the order of the catalogue, whatever happened.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Held, Interruption, Left, Run, flow};
use crate::audit::Audit;
use crate::check::{Outcome, Unsettled, Verdict};
use crate::checklist;
use crate::clients;
use crate::discovery::{Discovery, Fetched, IssuerSource, Metadata, Place, ServerFacts, Target};
use crate::front::{Front, Nobody};
use crate::needs::Ordinary;
use crate::oauth::client::{Client, ClientAuth, Origin};
use crate::oauth::scope::ScopeSet;
use crate::profile::{Profile, ProfileName};
use crate::report::verdict::{FailOn, exit_code};
use crate::report::{CheckLine, DiscoveryLine, ProfileLine, Report, SignInLine, Stopped, Summary, TargetLine, Tool};
use crate::settings::Settings;
use crate::wire::{ExchangeId, Wire};

/// How failures become an exit code.
#[derive(Debug, Clone, Copy)]
pub struct Grading {
    /// The lowest level whose failure fails the run.
    pub fail_on: FailOn,
    /// Exit 0 where it would be 3.
    pub allow_incomplete: bool,
    /// Checks that were not run make the run incomplete.
    pub strict: bool,
}

impl Default for Grading {
    fn default() -> Self {
        Self { fail_on: FailOn::Must, allow_incomplete: false, strict: false }
    }
}

/// The time of day, UTC, RFC 3339, whole seconds.
pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    now.format(&Rfc3339).unwrap_or_default()
}

/// A server of which nothing was found.
pub(super) fn no_server() -> ServerFacts {
    let fetched = Fetched {
        url: String::new(),
        exchange: ExchangeId(0),
        status: 0,
        media_type: String::new(),
        json: None,
        starts: String::new(),
    };
    ServerFacts {
        issuer: String::new(),
        source: IssuerSource::Guessed,
        metadata: Metadata { fetched },
        place: Place::Root,
        tried: Vec::new(),
        jwks: None,
    }
}

/// An audit that has documents and nothing else, for the checks that look only.
pub(super) fn audit_of_documents(profile: Profile, settings: Settings, discovery: Discovery) -> Audit {
    let client = Arc::new(Client {
        id: String::new(),
        secret: None,
        auth: ClientAuth::None,
        signer: None,
        redirect_uri: String::new(),
        https_redirect_uri: None,
        origin: Origin::Configured,
    });
    let ordinary = Ordinary {
        endpoint: String::new(),
        client: Arc::clone(&client),
        scope: ScopeSet::default(),
        known_scopes: ScopeSet::default(),
        resource: None,
        further: Vec::new(),
    };
    Audit {
        profile,
        discovery,
        token_endpoint: String::new(),
        client,
        other_client: None,
        registered: None,
        front: Front::new(Arc::new(Nobody)),
        ordinary,
        settings,
        introspection: None,
        supplied_refresh: None,
        second_user: None,
        confidential: None,
        wanted: None,
        confidential_flow: tokio::sync::OnceCell::new(),
        side_by_side: OnceLock::new(),
        other_flow: tokio::sync::OnceCell::new(),
        refreshed: tokio::sync::OnceCell::new(),
        introspected: tokio::sync::OnceCell::new(),
        ledger: OnceLock::new(),
        baseline: OnceLock::new(),
        waits: crate::needs::Waits::default(),
    }
}

/// The ways by which users signed in.
fn fronts(audit: Option<&Audit>) -> impl Iterator<Item = &Front> {
    let second = audit.and_then(|a| a.second_user.as_ref()?.front()).map(Arc::as_ref);
    audit.map(|a| &a.front).into_iter().chain(second)
}

impl Run {
    pub(super) fn freeze_without_wire(self, target: &Target, stopped: Stopped) -> Report {
        self.report(None, target, &Held::default(), Left::default(), Some(stopped))
    }

    pub(super) fn freeze(
        self,
        wire: &Wire,
        target: &Target,
        held: &Held,
        left: Left,
        stopped: Option<Stopped>,
    ) -> Report {
        let report = self.report(Some(wire), target, held, left, stopped);
        // Secrets that became known late are taken out of what was written early.
        report.redacted(&|text: &str| wire.vault().redact(text).into_owned())
    }

    fn report(
        mut self,
        wire: Option<&Wire>,
        target: &Target,
        held: &Held,
        left: Left,
        stopped: Option<Stopped>,
    ) -> Report {
        let profile = self.options.profile;
        let mut lines = self.lines(wire, stopped.as_ref());
        // What is known again is known by words that hold no secret.
        if let Some(wire) = wire {
            let findings = lines.iter_mut().flat_map(|line| &mut line.findings);
            findings.for_each(|finding| finding.what = wire.vault().redact(&finding.what).into_owned());
        }
        let found = held.found.as_ref();
        let server = found.and_then(|f| f.server.as_ref().ok());
        let issuer = server.map(|server| server.issuer.as_str());
        let audited: Vec<&str> = target.named().chain(issuer).collect();
        self.remarks.extend(self.options.accepted.apply(&mut lines, &audited, OffsetDateTime::now_utc().date()));
        let mut summary = Summary::count(&lines);
        let audit = held.audit.as_deref();
        summary.logins = fronts(audit).map(|front| front.agent().logins()).sum();
        summary.authorizations = fronts(audit).map(Front::authorizations).sum();
        summary.requests = wire.map_or(0, Wire::sent);
        let Grading { fail_on, allow_incomplete, strict } = self.options.grading;
        summary.exit_code = match stopped.as_ref().map(|s| (Interruption::by(s), s.error.as_str())) {
            Some((Some(interruption), _)) => interruption.exit_code(),
            Some((None, super::BROKE)) => 5,
            // What failed before is proven; the rest is incomplete, whatever may be allowed to be.
            Some(_) if stopped.as_ref().is_some_and(super::is_out_of_time) => {
                if exit_code(&lines, fail_on, true, false, false) == 1 { 1 } else { 3 }
            }
            stopped => exit_code(&lines, fail_on, allow_incomplete, strict, stopped.is_some()),
        };
        summary.complete &= stopped.is_none();
        let resource = found.and_then(|f| f.resource.as_ref());
        let json = |fetched: Option<&Fetched>| fetched.and_then(|f| f.json.clone()).unwrap_or_default();
        let target = TargetLine {
            resource: resource.map(|r| r.url.clone()).or_else(|| match server {
                Some(_) => None,
                None => target.named().next().map(str::to_owned),
            }),
            issuer: server.map(|s| s.issuer.clone()).or_else(|| target.issuer.clone()),
        };
        let discovery = DiscoveryLine {
            resource_metadata: json(resource.and_then(|r| r.metadata.as_ref()).map(|(m, _)| &m.fetched)),
            server_metadata: json(server.map(|s| &s.metadata.fetched)),
            jwks: json(server.and_then(|s| s.jwks.as_ref()).and_then(|j| j.as_ref().ok())),
        };
        let sign_in = audit.map(sign_in).unwrap_or_default();
        for remark in fronts(audit).flat_map(|front| front.agent().remarks()) {
            // Both users may have met the same.
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
        // A run of chosen checks answers neither the checklist nor whether a client will connect.
        let whole = self.options.selection.select.is_empty();
        let facts = clients::Facts {
            resource: target.resource.as_deref(),
            resource_metadata: &discovery.resource_metadata,
            server_metadata: &discovery.server_metadata,
            registration: sign_in.registration.as_deref(),
            redirect_uri: audit.map(|a| a.ordinary().client.redirect_uri.as_str()),
            checks: &lines,
        };
        let mcp_clients = matches!(profile.name, ProfileName::ChatGpt | ProfileName::Mcp);
        let clients = if whole && mcp_clients { clients::table(&facts) } else { Vec::new() };
        let plain = |url: Option<&str>| url.is_some_and(|u| u.starts_with("http://"));
        let plain_http = plain(target.resource.as_deref())
            || server.is_some_and(|s| plain(Some(&s.issuer)) || plain(s.endpoint("token_endpoint")));
        let checklist = match profile.name {
            ProfileName::ChatGpt if whole => checklist::answer(&lines, plain_http),
            _ => Vec::new(),
        };
        Report {
            schema_version: 1,
            tool: Tool { name: "oaudit", version: env!("CARGO_PKG_VERSION") },
            started_at: std::mem::take(&mut self.started_at),
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            target,
            profile: ProfileLine {
                name: profile.name.as_str(),
                mcp_version: profile.mcp.as_str(),
                documents: profile.documents().into_iter().map(crate::document::Document::slug).collect(),
            },
            summary,
            checks: lines,
            exchanges: wire.map(|w| w.ledger().all()).unwrap_or_default(),
            checklist,
            clients,
            left_behind: left.behind,
            journal: left.journal,
            remarks: std::mem::take(&mut self.remarks),
            discovery,
            sign_in,
            stopped,
        }
    }

    fn lines(&mut self, wire: Option<&Wire>, stopped: Option<&Stopped>) -> Vec<CheckLine> {
        let in_plan =
            |id: &str, checks: &[&'static dyn crate::check::AnyCheck]| checks.iter().any(|c| c.card().id == id);
        let mut lines = Vec::new();
        for check in self.options.catalogue() {
            let card = check.card();
            let (outcome, took): (Outcome, Duration) = if in_plan(card.id, &self.plan.checks) {
                self.outcomes.take(card.id).unwrap_or_else(|| {
                    let why = match stopped {
                        Some(stopped) => format!("the audit stopped before: {}", stopped.error),
                        None => "the audit ended before".into(),
                    };
                    (Err(Unsettled::Control(why)), Duration::ZERO)
                })
            } else if in_plan(card.id, &self.plan.beyond_reach) {
                let why = "it may spoil more than --reach allows".to_owned();
                let how = format!("--reach {}", card.reach.as_str());
                (Ok(Verdict::NotRun { why, how }.into()), Duration::ZERO)
            } else if let Some((_, verdict)) = self.plan.left_out.iter().find(|(c, _)| c.card().id == card.id) {
                (Ok(verdict.clone().into()), Duration::ZERO)
            } else {
                continue;
            };
            let stamped = wire.map(|w| w.ledger().of(card.id)).unwrap_or_default();
            lines.push(CheckLine::of(card, &outcome, &self.options.profile, stamped, took));
        }
        lines
    }
}

fn sign_in(audit: &Audit) -> SignInLine {
    let client = &audit.ordinary().client;
    let how = match client.origin {
        Origin::Dynamic(_) => "dynamic",
        Origin::Configured => "configured",
        Origin::Document => "metadata document",
    };
    SignInLine {
        agent: Some(audit.front.agent().name().to_owned()),
        client: Some(client.id.clone()),
        registration: Some(format!("{how}, {}", client.auth.as_str())),
        scope: Some(flow::asked(audit).to_string()),
    }
}
