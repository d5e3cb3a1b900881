//! What the well-known clients are known to need, held against what the audit saw: will they connect?
//!
//! Vendors change their clients without notice, and most of what is known of them is second-hand. So every fact carries
//! its date and its grade, the whole table is advice that fails no run, and what was not seen is *unknown*.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{CheckLine, ResultKind, Word};

mod known;

/// Whether something will work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It was seen to.
    Yes,
    /// It was seen not to.
    No,
    /// It was not seen.
    Unknown,
}

impl Answer {
    /// The word in a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// How good the source of a fact about a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// The vendor's own text, or a specification that binds the client.
    Primary,
    /// The vendor's text as others quoted it.
    Quoted,
    /// Seen by others in what the client does.
    Observed,
}

/// One thing that a client needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// What it is about.
    pub about: About,
    /// Whether the server gives it.
    pub answer: Answer,
    /// What was seen.
    pub because: String,
    /// How well the need itself is known.
    pub grade: Grade,
}

/// What a need is about; the columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// The redirect URI is accepted.
    RedirectUri,
    /// A way to register that the client knows is offered.
    Registration,
    /// A way to authenticate at the token endpoint that the client knows is accepted.
    TokenAuth,
    /// PKCE with S256 is advertised.
    Pkce,
    /// `resource` is handled as the client uses it.
    Resource,
    /// `iss` of authorization responses is as the client checks it.
    Iss,
}

impl About {
    /// The columns, in order.
    pub const ALL: [Self; 6] =
        [Self::RedirectUri, Self::Registration, Self::TokenAuth, Self::Pkce, Self::Resource, Self::Iss];

    /// The heading of its column.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::RedirectUri => "redirect URI",
            Self::Registration => "registration",
            Self::TokenAuth => "token auth",
            Self::Pkce => "PKCE",
            Self::Resource => "resource",
            Self::Iss => "iss",
        }
    }
}

/// A client's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLine {
    /// Its name.
    #[serde(deserialize_with = "crate::report::kept::text")]
    pub client: Word,
    /// Whether it will connect.
    pub connects: Answer,
    /// Why, in one sentence.
    pub because: String,
    /// The month that the facts about it are from.
    #[serde(deserialize_with = "crate::report::kept::text")]
    pub as_of: Word,
    /// What the answer rests on.
    pub needs: Vec<Need>,
}

/// What the audit saw, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The resource's URL as it was typed, if one was audited.
    pub resource: Option<&'a str>,
    /// The resource metadata; null if there is none.
    pub resource_metadata: &'a Value,
    /// The metadata of the authorization server; null if there is none.
    pub server_metadata: &'a Value,
    /// How we came by our own client: `dynamic, none`.
    pub registration: Option<&'a str>,
    /// The redirect URI of our own client.
    pub redirect_uri: Option<&'a str>,
    /// The checks of the run.
    pub checks: &'a [CheckLine],
}

/// The table: a row for every client of which enough is known. Empty without server metadata: nothing was seen then.
pub fn table(facts: &Facts<'_>) -> Vec<ClientLine> {
    if !facts.server_metadata.is_object() {
        return Vec::new();
    }
    known::CLIENTS.iter().map(|client| row(client, facts)).collect()
}

fn row(client: &known::Client, facts: &Facts<'_>) -> ClientLine {
    let needs = (client.needs)(facts);
    let (connects, because) = match facts.result("authorization/code-flow-works") {
        Some(ResultKind::Fail | ResultKind::Warn | ResultKind::Waived) => {
            (Answer::No, "the ordinary flow does not work, see authorization/code-flow-works".to_owned())
        }
        flow => fold(&needs, flow == Some(ResultKind::Pass)),
    };
    ClientLine { client: client.name, connects, because, as_of: client.as_of, needs }
}

/// One missing need is enough for *no*; one that was not seen, or a flow that was not, for *unknown*.
fn fold(needs: &[Need], flow_works: bool) -> (Answer, String) {
    if let Some(missing) = needs.iter().find(|n| n.answer == Answer::No) {
        return (Answer::No, format!("{}: {}", missing.about.heading(), missing.because));
    }
    let unseen: Vec<String> = needs
        .iter()
        .filter(|n| n.answer == Answer::Unknown)
        .map(|n| format!("{}: {}", n.about.heading(), n.because))
        .collect();
    match (unseen.as_slice(), flow_works) {
        ([], true) => (Answer::Yes, "everything that it is known to need was seen".into()),
        ([], false) => (Answer::Unknown, "the ordinary flow was not seen to work".into()),
        (unseen, _) => (Answer::Unknown, unseen.join("; ")),
    }
}

impl<'a> Facts<'a> {
    /// How a check ended, if it is in the report.
    fn result(&self, id: &str) -> Option<ResultKind> {
        self.checks.iter().find(|c| c.id == id).map(|c| c.result)
    }

    /// What a check says of the question that its title asks.
    fn held(&self, id: &str) -> Answer {
        match self.result(id) {
            Some(ResultKind::Pass) => Answer::Yes,
            Some(ResultKind::Fail | ResultKind::Warn | ResultKind::Note | ResultKind::Waived) => Answer::No,
            Some(ResultKind::Inconclusive | ResultKind::NotRun | ResultKind::NotApplicable) | None => Answer::Unknown,
        }
    }

    /// A member of the server metadata that is a list of texts; `None` if absent.
    fn listed(&self, member: &str) -> Option<Vec<&'a str>> {
        let list = self.server_metadata.get(member)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    fn flag(&self, member: &str) -> bool {
        self.server_metadata.get(member) == Some(&Value::Bool(true))
    }

    /// Whether client metadata documents are taken as client identifiers.
    fn takes_metadata_documents(&self) -> bool {
        self.flag("client_id_metadata_document_supported")
    }

    /// Whether clients can be registered dynamically: offered, and not seen to fail.
    fn registers(&self) -> bool {
        self.server_metadata.get("registration_endpoint").is_some_and(Value::is_string)
            && self.held("registration/dynamic-works") != Answer::No
    }

    /// Whether our own client was seen to get a token as a public one that registered itself.
    fn worked_as_public(&self) -> bool {
        self.registration == Some("dynamic, none") && self.held("authorization/code-flow-works") == Answer::Yes
    }

    /// Whether a redirect URI was tried by a check that tries those of well-known clients.
    fn tried(&self, redirect_uri: &str) -> Answer {
        let lines = self
            .checks
            .iter()
            .filter(|c| matches!(c.id, "redirect_uri/known-clients-allowed" | "redirect_uri/chatgpt-allowed"));
        let finding = lines.flat_map(|c| &c.findings).find(|f| f.what.contains(redirect_uri));
        match finding.map(|f| f.verdict) {
            Some(crate::report::VerdictKind::Pass) => Answer::Yes,
            Some(crate::report::VerdictKind::Fail) => Answer::No,
            _ => Answer::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
