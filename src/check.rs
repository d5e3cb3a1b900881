//! What a check is: the card it carries, the verdict it gives and the trait that a file of `checks/` implements.
//!
//! Read this file and one file of `checks/`, and you can write the next check.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::document::{Document, McpVersion};
use crate::needs::{Beside, Context, Needs, Ordinary, Shortfall, Stage, later};
use crate::oauth::request::AuthorizationRequest;
use crate::report::Word;
use crate::wire::{ExchangeId, Trouble};

mod fold;

pub use fold::fold;

/// How binding a sentence is, by the key words of RFC 2119. Ordered: `Advice < Should < Must`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good practice that no specification demands.
    Advice,
    /// SHOULD, RECOMMENDED.
    Should,
    /// MUST, REQUIRED.
    Must,
}

/// How bad it is if the property does not hold. Ordered: `Low < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// A nuisance, or a weakness that needs others beside it.
    Low,
    /// An attack needs luck, or some clients break.
    Medium,
    /// An attack is practical, or most clients break.
    High,
    /// Accounts or data are open.
    Critical,
}

/// The most that a check may spoil on the server. Ordered; `--reach` caps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Reads, or sends what has no effect.
    Nothing,
    /// Uses up codes and token sets that it asked for itself.
    OwnMaterial,
    /// May make the server revoke a whole grant.
    Grant,
    /// May end the person's session.
    Session,
}

impl Reach {
    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::OwnMaterial => "own-material",
            Self::Grant => "grant",
            Self::Session => "session",
        }
    }
}

/// One sentence of one document: where it stands and how binding it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// The document.
    pub document: Document,
    /// The section, as the document numbers or names it.
    pub section: &'static str,
    /// How binding it is.
    pub level: Level,
    /// For MCP: the revisions in which the sentence stands; all of them if `None`.
    pub revisions: Option<(McpVersion, McpVersion)>,
}

/// A MUST of `document`.
pub const fn must(document: Document, section: &'static str) -> Requirement {
    Requirement { document, section, level: Level::Must, revisions: None }
}

/// A SHOULD of `document`.
pub const fn should(document: Document, section: &'static str) -> Requirement {
    Requirement { document, section, level: Level::Should, revisions: None }
}

/// Advice found in `document`.
pub const fn advice(document: Document, section: &'static str) -> Requirement {
    Requirement { document, section, level: Level::Advice, revisions: None }
}

impl Requirement {
    /// The same sentence, but only in the MCP revisions from `first` to `last`.
    pub const fn in_revisions(mut self, first: McpVersion, last: McpVersion) -> Self {
        self.revisions = Some((first, last));
        self
    }
}

/// One thing that is demanded, and the documents that demand it, each at its own level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The demand in one sentence of ours.
    pub says: &'static str,
    /// Who states it.
    pub by: &'static [Requirement],
}

/// A demand and those who state it.
pub const fn demand(says: &'static str, by: &'static [Requirement]) -> Demand {
    Demand { says, by }
}

/// What is known of a check without running it.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// `topic/property`, kebab-case; also the path of its files.
    pub id: &'static str,
    /// What it demands; a failed verdict names one of these.
    pub demands: &'static [Demand],
    /// How bad a failure is.
    pub impact: Impact,
    /// The most that it may spoil.
    pub reach: Reach,
    /// Its page, Markdown: what is sent, how it is judged, why, how to fix it.
    pub page: &'static str,
}

impl Card {
    /// The folder: `pkce` of `pkce/required`.
    pub fn topic(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(topic, _)| topic)
    }

    /// The property that should hold, from the heading of the page.
    pub fn title(&self) -> &'static str {
        let heading = self.page.lines().next().unwrap_or_default();
        heading.split_once(": ").map_or(self.id, |(_, title)| title.trim())
    }

    /// The remedy in one sentence: the first paragraph under "How to fix".
    pub fn remediation(&self) -> String {
        let fix = self.page.split_once("## How to fix").map_or("", |(_, fix)| fix);
        fix.trim_start().lines().take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// What a check found out.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The property was seen to hold.
    Pass(String),
    /// It was seen not to hold; `Demand` is what was broken.
    Fail(Demand, String),
    /// The server never offered what is judged here.
    NotApplicable(String),
    /// Planned and tried, but not found out. Never green.
    Inconclusive(String),
    /// Left out by choice or for want of configuration.
    NotRun {
        /// Why it was left out.
        why: String,
        /// What to type to have it run.
        how: String,
    },
}

impl Verdict {
    /// A pass, and what was seen.
    pub fn pass(why: impl Into<String>) -> Self {
        Self::Pass(why.into())
    }
    /// A failure of `broken`, and what was seen.
    pub fn fail(broken: Demand, why: impl Into<String>) -> Self {
        Self::Fail(broken, why.into())
    }
    /// Not offered by this server.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable(why.into())
    }
    /// Could not be found out.
    pub fn inconclusive(why: impl Into<String>) -> Self {
        Self::Inconclusive(why.into())
    }
    /// The sentence that goes with the verdict.
    pub fn why(&self) -> &str {
        match self {
            Self::Pass(why) | Self::Fail(_, why) | Self::NotApplicable(why) | Self::Inconclusive(why) => why,
            Self::NotRun { why, .. } => why,
        }
    }
}

/// A number that was measured, with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The number.
    pub value: f64,
    /// Its unit: `s`, `bit`, `days`.
    #[serde(deserialize_with = "crate::report::kept::text")]
    pub unit: Word,
}

/// One line of a table check, or a note beside a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The variant that was tried.
    pub what: String,
    /// What it gave.
    pub verdict: Verdict,
    /// The exchanges that show it.
    pub evidence: Vec<ExchangeId>,
    /// What was measured, if anything.
    pub measured: Option<Measure>,
}

impl Finding {
    /// A line of the table.
    pub fn new(what: impl Into<String>, verdict: Verdict) -> Self {
        Self { what: what.into(), verdict, evidence: Vec::new(), measured: None }
    }
    /// The same with the exchanges that show it.
    pub fn shown_by(mut self, evidence: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.evidence.extend(evidence);
        self
    }
    /// The same with a measured number.
    pub fn measured(mut self, value: f64, unit: &'static str) -> Self {
        self.measured = Some(Measure { value, unit });
        self
    }
}

/// A check's verdict with what stands behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    /// The verdict of the whole check.
    pub verdict: Verdict,
    /// The lines of its table; notes.
    pub findings: Vec<Finding>,
    /// The exchanges that led to it. Left empty: all that the check sent.
    pub evidence: Vec<ExchangeId>,
}

impl Ruling {
    /// The same with the exchanges that led to it.
    pub fn shown_by(mut self, evidence: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.evidence.extend(evidence);
        self
    }
    /// The same with one more remark, which changes nothing of the verdict.
    pub fn noting(mut self, what: impl Into<String>, verdict: Verdict) -> Self {
        self.findings.push(Finding::new(what, verdict));
        self
    }
}

impl From<Verdict> for Ruling {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, findings: Vec::new(), evidence: Vec::new() }
    }
}

/// What kept a check from finding out. Becomes *inconclusive*: no path leads from trouble to green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsettled {
    /// The network or the server got in the way.
    Trouble(Trouble),
    /// A control that should have worked did not.
    Control(String),
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(trouble) => write!(f, "{trouble}"),
            Self::Control(why) => f.write_str(why),
        }
    }
}

impl From<Trouble> for Unsettled {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// How a check ends.
pub type Outcome = Result<Ruling, Unsettled>;

/// A check: states its needs as a type and its demands as a card, sends through what it was given, and judges.
///
/// ```ignore
/// impl Check for VerifierEnforced {
///     type Needs = FreshCode;
///     const CARD: Card = Card { id: "pkce/verifier-enforced", … };
///     async fn run(code: FreshCode, cx: &Context) -> Outcome {
///         let (answer, _) = code.redeem_with(&cx.wire, |form| form.set("code_verifier", Verifier::random())).await?;
///         Ok(judge(&answer).into())
///     }
/// }
/// ```
pub trait Check: Send + Sync + 'static {
    /// What the scheduler must supply.
    type Needs: Needs;
    /// The card.
    const CARD: Card;
    /// Whether it takes an agent that sees the server's pages, or presses their buttons: a person's browser shows them to
    /// the person alone.
    const BY_PAGES: bool = false;

    /// The authorization requests that this check needs answered: the ordinary one, or variants of it with one
    /// thing changed; or why there can be none. Pure, so that a plan can count them.
    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.request()])
    }

    /// Sends and judges.
    fn run(needs: Self::Needs, cx: &Context) -> impl Future<Output = Outcome> + Send;
}

/// A check with its types erased, as the list in `checks/mod.rs` holds it. Implemented for every [`Check`].
pub trait AnyCheck: Send + Sync {
    /// The card.
    fn card(&self) -> &'static Card;
    /// When it runs: when its needs can be had, and not before the stage of what it may spoil.
    fn stage(&self) -> Stage;
    /// The visits that it plans. Pure.
    fn visits(&self, ordinary: &Ordinary) -> usize;
    /// Those of them that ask the server to show a page although there is a session. Pure.
    fn asks_again(&self, _ordinary: &Ordinary) -> usize {
        0
    }
    /// The clients beside the audited one that it takes.
    fn beside(&self) -> Beside {
        Beside::NONE
    }
    /// Whether it takes an agent that sees the server's pages.
    fn by_pages(&self) -> bool {
        false
    }
    /// Comes by its needs, sends and judges.
    fn conduct<'a>(&'a self, cx: &'a Context, ordinary: &'a Ordinary) -> Conducting<'a>;
}

/// A check under way.
pub type Conducting<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

impl<C: Check> AnyCheck for C {
    fn card(&self) -> &'static Card {
        const { &C::CARD }
    }

    fn stage(&self) -> Stage {
        let by_reach = match C::CARD.reach {
            Reach::Nothing | Reach::OwnMaterial => Stage::Documents,
            Reach::Grant => Stage::Grants,
            Reach::Session => Stage::Session,
        };
        later(C::Needs::STAGE, by_reach)
    }

    fn visits(&self, ordinary: &Ordinary) -> usize {
        if C::Needs::VISITS { C::requests(ordinary).map_or(0, |r| r.len()) } else { 0 }
    }

    fn asks_again(&self, ordinary: &Ordinary) -> usize {
        let again = |r: &&AuthorizationRequest| {
            r.get("prompt").is_some_and(|p| !matches!(p, "none" | "")) || r.get("max_age").is_some()
        };
        if C::Needs::VISITS { C::requests(ordinary).map_or(0, |all| all.iter().filter(again).count()) } else { 0 }
    }

    fn beside(&self) -> Beside {
        C::Needs::BESIDE
    }

    fn by_pages(&self) -> bool {
        C::BY_PAGES
    }

    fn conduct<'a>(&'a self, cx: &'a Context, ordinary: &'a Ordinary) -> Conducting<'a> {
        Box::pin(async move {
            let requests = if C::Needs::VISITS { C::requests(ordinary) } else { Ok(Vec::new()) };
            let supplied = match requests {
                Ok(requests) => C::Needs::supply(cx, requests).await,
                Err(shortfall) => Err(shortfall),
            };
            match supplied {
                Ok(needs) => C::run(needs, cx).await,
                Err(shortfall) => Ok(Verdict::from(shortfall).into()),
            }
        })
    }
}
