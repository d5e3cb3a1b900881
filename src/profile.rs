//! Which documents are in force, and how binding a demand is under them.

use crate::check::{Card, Demand, Level, Requirement};
use crate::document::{Document, McpVersion};

/// A named set of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileName {
    /// OAuth 2.1 + MCP + OpenAI's own requirements. The default.
    ChatGpt,
    /// OAuth 2.1 + the MCP authorization chapter.
    Mcp,
    /// The IETF documents alone.
    OAuth21,
    /// The IETF documents and OpenID Connect.
    Oidc,
}

impl ProfileName {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::ChatGpt, Self::Mcp, Self::OAuth21, Self::Oidc];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatGpt => "chatgpt",
            Self::Mcp => "mcp",
            Self::OAuth21 => "oauth2.1",
            Self::Oidc => "oidc",
        }
    }
}

/// A profile at a revision of MCP: what decides whether a failed demand is a FAIL, a WARN or a NOTE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The set of documents.
    pub name: ProfileName,
    /// The revision of MCP that is in force where MCP is.
    pub mcp: McpVersion,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: ProfileName::ChatGpt, mcp: McpVersion::V20251125 }
    }
}

impl Profile {
    /// Whether a document is in force.
    pub fn has(&self, document: Document) -> bool {
        match document {
            Document::Mcp | Document::McpSecurity => matches!(self.name, ProfileName::ChatGpt | ProfileName::Mcp),
            Document::OpenAi => self.name == ProfileName::ChatGpt,
            Document::OidcCore => self.name == ProfileName::Oidc,
            _ => true,
        }
    }

    /// Whether a requirement is in force: its document, and its revision.
    pub fn binds(&self, requirement: &Requirement) -> bool {
        self.has(requirement.document)
            && requirement.revisions.is_none_or(|(first, last)| (first..=last).contains(&self.mcp))
    }

    /// The requirement that makes a demand most binding, if any is in force.
    pub fn strongest<'a>(&self, demand: &'a Demand) -> Option<&'a Requirement> {
        // `max_by_key` keeps the last of equals; the first named is the one to cite.
        demand.by.iter().rev().filter(|r| self.binds(r)).max_by_key(|r| r.level)
    }

    /// How binding a demand is. One that nobody in force states is advice.
    pub fn level(&self, demand: &Demand) -> Level {
        self.strongest(demand).map_or(Level::Advice, |r| r.level)
    }

    /// Whether anything that a card demands is in force.
    pub fn selects(&self, card: &Card) -> bool {
        card.demands.iter().any(|d| self.strongest(d).is_some())
    }

    /// The documents in force. House rules are in force by being given, not by the profile.
    pub fn documents(&self) -> Vec<Document> {
        Document::ALL.iter().copied().filter(|d| self.has(*d) && *d != Document::House).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{advice, demand, must, should};

    const D: Demand = demand(
        "d",
        &[
            must(Document::Mcp, "x").in_revisions(McpVersion::V20250618, McpVersion::V20250618),
            should(Document::Mcp, "y").in_revisions(McpVersion::V20251125, McpVersion::V20260728),
            advice(Document::Rfc9728, "5.1"),
        ],
    );

    #[test]
    fn the_revision_changes_the_level() {
        let at = |mcp| Profile { name: ProfileName::Mcp, mcp }.level(&D);
        assert_eq!(at(McpVersion::V20250618), Level::Must);
        assert_eq!(at(McpVersion::V20251125), Level::Should);
    }

    #[test]
    fn a_document_out_of_force_binds_nobody() {
        let profile = Profile { name: ProfileName::OAuth21, ..Profile::default() };
        assert_eq!(profile.level(&D), Level::Advice);
        assert_eq!(profile.strongest(&D).map(|r| r.document), Some(Document::Rfc9728));
    }
}
