//! The report: frozen when the run ends, holds no secret, and every format is a rendering of it.

use serde::Serialize;

use crate::check::{Impact, Level, Measure};
use crate::checklist::ChecklistLine;
use crate::clients::ClientLine;
use crate::wire::{Exchange, ExchangeId};

pub mod json;
pub mod plain;
pub mod schema;
pub mod terminal;
pub mod verdict;

/// The verdict of a check on the wire of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Held.
    Pass,
    /// Did not hold.
    Fail,
    /// Not offered by the server.
    NotApplicable,
    /// Could not be found out.
    Inconclusive,
    /// Left out.
    NotRun,
}

/// The verdict seen through the profile: a failed must is a fail, a failed should a warn, failed advice a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultKind {
    /// Held.
    Pass,
    /// A must did not hold.
    Fail,
    /// A should did not hold.
    Warn,
    /// Advice was not followed.
    Note,
    /// Not offered by the server.
    NotApplicable,
    /// Could not be found out.
    Inconclusive,
    /// Left out.
    NotRun,
    /// Failed, and waived by the configuration.
    Waived,
}

/// Who made the report.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// `oaudit`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What was audited.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TargetLine {
    /// The protected resource as it was typed.
    pub resource: Option<String>,
    /// The issuer identifier.
    pub issuer: Option<String>,
}

/// By which documents.
#[derive(Debug, Clone, Serialize)]
pub struct ProfileLine {
    /// Its name.
    pub name: &'static str,
    /// The revision of MCP.
    pub mcp_version: &'static str,
    /// The documents in force.
    pub documents: Vec<&'static str>,
}

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Held.
    pub pass: usize,
    /// Failed musts.
    pub fail: usize,
    /// Failed shoulds.
    pub warn: usize,
    /// Failed advice.
    pub note: usize,
    /// Could not be found out.
    pub inconclusive: usize,
    /// Left out.
    pub not_run: usize,
    /// Not offered.
    pub not_applicable: usize,
    /// Waived.
    pub waived: usize,
    /// How often somebody logged in.
    pub logins: usize,
    /// Authorization requests made with the session.
    pub authorizations: usize,
    /// Requests sent in all.
    pub requests: u64,
    /// Whether nothing in force is inconclusive.
    pub complete: bool,
    /// The exit code.
    pub exit_code: u8,
}

/// A requirement as it is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequirementLine {
    /// The short name of the document.
    pub document: &'static str,
    /// The name as it is cited.
    pub title: &'static str,
    /// The section.
    pub section: &'static str,
    /// How binding.
    pub level: Level,
    /// Where it can be read.
    pub url: String,
}

/// What was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenLine {
    /// The short name of the document.
    pub document: &'static str,
    /// The section.
    pub section: &'static str,
    /// How binding.
    pub level: Level,
    /// The demand in one sentence of ours.
    pub says: &'static str,
    /// How it is cited.
    pub citation: String,
    /// Where it can be read.
    pub url: String,
}

/// A line of a table check.
#[derive(Debug, Clone, Serialize)]
pub struct FindingLine {
    /// The variant that was tried.
    pub what: String,
    /// What it gave.
    pub verdict: VerdictKind,
    /// How binding the demand is that it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What was seen.
    pub message: String,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measure>,
    /// The exchanges that show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<ExchangeId>,
}

/// One check with its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLine {
    /// `topic/property`.
    pub id: &'static str,
    /// The property that should hold.
    pub title: &'static str,
    /// The folder.
    pub topic: &'static str,
    /// What was found out.
    pub verdict: VerdictKind,
    /// The same, seen through the profile.
    pub result: ResultKind,
    /// The level of what was broken, else the strongest in force.
    pub level: Level,
    /// How bad a failure is.
    pub impact: Impact,
    /// What was seen, in one sentence.
    pub message: String,
    /// The remedy in one sentence.
    pub remediation: String,
    /// What to type to have it run (not run only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how_to_run: Option<String>,
    /// What was broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLine>,
    /// The lines of a table check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingLine>,
    /// What is demanded, by whom.
    pub requirements: Vec<RequirementLine>,
    /// The exchanges that led to the verdict.
    pub evidence: Vec<ExchangeId>,
    /// Milliseconds.
    pub duration_ms: u64,
}

/// The documents as they were found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DiscoveryLine {
    /// RFC 9728.
    pub resource_metadata: serde_json::Value,
    /// RFC 8414 or OpenID.
    pub server_metadata: serde_json::Value,
    /// The keys.
    pub jwks: serde_json::Value,
}

/// A report, version 1.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// 1.
    pub schema_version: u32,
    /// Who made it.
    pub tool: Tool,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// What was audited.
    pub target: TargetLine,
    /// By which documents.
    pub profile: ProfileLine,
    /// The counts.
    pub summary: Summary,
    /// Every selected check, in catalogue order.
    pub checks: Vec<CheckLine>,
    /// Everything that was sent and came back, redacted.
    pub exchanges: Vec<Exchange>,
    /// The approval checklist, answered; empty where the profile has none.
    pub checklist: Vec<ChecklistLine>,
    /// What is known of the well-known clients, advice alone; empty where the profile knows no clients.
    pub clients: Vec<ClientLine>,
    /// What could not be removed from the server.
    pub left_behind: Vec<String>,
    /// What a reader must know about the run: plain http, `--insecure`, an issuer that was guessed.
    pub remarks: Vec<String>,
    /// The documents.
    pub discovery: DiscoveryLine,
    /// How we signed in and as whom, for the head of the report: agent, client, redirect URI.
    pub sign_in: SignInLine,
    /// What ended the audit early, if something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// How we signed in.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SignInLine {
    /// The agent.
    pub agent: Option<String>,
    /// `client_id`.
    pub client: Option<String>,
    /// `dynamic` or `configured`, and how it authenticates.
    pub registration: Option<String>,
    /// The scopes that were asked for.
    pub scope: Option<String>,
}

/// Why the audit ended early.
#[derive(Debug, Clone, Serialize)]
pub struct Stopped {
    /// What happened.
    pub error: String,
    /// What to type next.
    pub hint: String,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The line of a check that ended so.
    pub(crate) fn line(id: &'static str, result: ResultKind) -> CheckLine {
        let verdict = match result {
            ResultKind::Pass => VerdictKind::Pass,
            ResultKind::Inconclusive => VerdictKind::Inconclusive,
            ResultKind::NotRun => VerdictKind::NotRun,
            ResultKind::NotApplicable => VerdictKind::NotApplicable,
            ResultKind::Fail | ResultKind::Warn | ResultKind::Note | ResultKind::Waived => VerdictKind::Fail,
        };
        CheckLine {
            id,
            title: "The property holds",
            topic: id.split('/').next().unwrap_or(id),
            verdict,
            result,
            level: Level::Must,
            impact: Impact::High,
            message: "seen".into(),
            remediation: "Make it hold.".into(),
            how_to_run: None,
            broken: None,
            findings: Vec::new(),
            requirements: Vec::new(),
            evidence: Vec::new(),
            duration_ms: 0,
        }
    }
}
