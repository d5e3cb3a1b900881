//! The report: frozen when the run ends, holds no secret, and every format is a rendering of it.

use serde::{Deserialize, Serialize};

use crate::check::{Impact, Level, Measure};
use crate::checklist::ChecklistLine;
use crate::clients::ClientLine;
use crate::waiver::WaiverLine;
use crate::wire::{Exchange, ExchangeId};

mod decisive;
pub mod diff;
pub mod github;
pub mod har;
pub mod html;
pub mod json;
pub mod junit;
pub(crate) mod kept;
pub mod markdown;
pub mod plain;
pub mod sarif;
pub mod schema;
pub mod terminal;
pub mod verdict;

pub use kept::Word;

/// The verdict of a check on the wire of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Failed, and accepted by the configuration or by a baseline.
    Waived,
}

/// Who made the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tool {
    /// `oaudit`.
    #[serde(deserialize_with = "kept::text")]
    pub name: Word,
    /// Its version.
    #[serde(deserialize_with = "kept::text")]
    pub version: Word,
}

/// What was audited.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TargetLine {
    /// The protected resource as it was typed.
    pub resource: Option<String>,
    /// The issuer identifier.
    pub issuer: Option<String>,
}

/// By which documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfileLine {
    /// Its name.
    #[serde(deserialize_with = "kept::text")]
    pub name: Word,
    /// The revision of MCP.
    #[serde(deserialize_with = "kept::text")]
    pub mcp_version: Word,
    /// The documents in force.
    #[serde(deserialize_with = "kept::list")]
    pub documents: Vec<Word>,
}

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementLine {
    /// The short name of the document.
    #[serde(deserialize_with = "kept::text")]
    pub document: Word,
    /// The name as it is cited.
    #[serde(deserialize_with = "kept::text")]
    pub title: Word,
    /// The section.
    #[serde(deserialize_with = "kept::text")]
    pub section: Word,
    /// How binding.
    pub level: Level,
    /// Where it can be read.
    pub url: String,
}

/// What was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenLine {
    /// The short name of the document.
    #[serde(deserialize_with = "kept::text")]
    pub document: Word,
    /// The section.
    #[serde(deserialize_with = "kept::text")]
    pub section: Word,
    /// How binding.
    pub level: Level,
    /// The demand in one sentence of ours.
    #[serde(deserialize_with = "kept::text")]
    pub says: Word,
    /// How it is cited.
    pub citation: String,
    /// Where it can be read.
    pub url: String,
}

/// A line of a table check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindingLine {
    /// The variant that was tried.
    pub what: String,
    /// What it gave.
    pub verdict: VerdictKind,
    /// How binding the demand is that it broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What was seen.
    pub message: String,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measure>,
    /// The exchanges that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<ExchangeId>,
}

/// One check with its verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckLine {
    /// `topic/property`.
    #[serde(deserialize_with = "kept::text")]
    pub id: Word,
    /// The property that should hold.
    #[serde(deserialize_with = "kept::text")]
    pub title: Word,
    /// The folder.
    #[serde(deserialize_with = "kept::text")]
    pub topic: Word,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_run: Option<String>,
    /// What was broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLine>,
    /// Why its failure is accepted (waived only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverLine>,
    /// The lines of a table check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingLine>,
    /// What is demanded, by whom.
    pub requirements: Vec<RequirementLine>,
    /// The exchanges that led to the verdict.
    pub evidence: Vec<ExchangeId>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// The page of the check, Markdown, as long as the program runs: a saved report is read back without it.
    #[serde(skip)]
    pub page: Option<Word>,
}

/// The documents as they were found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DiscoveryLine {
    /// RFC 9728.
    pub resource_metadata: serde_json::Value,
    /// RFC 8414 or OpenID.
    pub server_metadata: serde_json::Value,
    /// The keys.
    pub jwks: serde_json::Value,
}

/// A report, version 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// The approval checklist, answered; empty where the profile has none.
    #[serde(default)]
    pub checklist: Vec<ChecklistLine>,
    /// What is known of the well-known clients, advice alone; empty where the profile knows no clients.
    #[serde(default)]
    pub clients: Vec<ClientLine>,
    /// What could not be removed from the server.
    #[serde(default)]
    pub left_behind: Vec<String>,
    /// The journal, on the machine of the run, by which `oaudit cleanup REPORT.json` tries again; absent if there is
    /// nothing to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    /// What a reader must know about the run: plain http, `--insecure`, an issuer that was guessed.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The documents.
    #[serde(default)]
    pub discovery: DiscoveryLine,
    /// How we signed in and as whom, for the head of the report: agent, client, redirect URI.
    #[serde(default)]
    pub sign_in: SignInLine,
    /// What ended the audit early, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// How we signed in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stopped {
    /// What happened.
    pub error: String,
    /// What to type next.
    pub hint: String,
}

#[cfg(test)]
pub(crate) mod tests;
