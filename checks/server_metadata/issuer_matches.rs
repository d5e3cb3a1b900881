//! The issuer in the document is the one that was asked for: the guard against mix-up.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::discovery::IssuerSource;
use crate::document::{Document, McpVersion};
use crate::needs::{Context, Documents};

const MATCHES: Demand = demand(
    "`issuer` is the identifier from which the address of the metadata was made, byte for byte.",
    &[
        must(Document::Rfc8414, "3.3"),
        must(Document::Mcp, "authorization-server-metadata-discovery")
            .in_revisions(McpVersion::V20260728, McpVersion::V20260728),
    ],
);

/// `issuer` is the identifier that was used.
pub struct IssuerMatches;

impl Check for IssuerMatches {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/issuer-matches",
        demands: &[MATCHES],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("issuer_matches.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let server = &documents.server;
        let verdict = judge(server.metadata.text("issuer"), &server.issuer, server.source);
        Ok(Ruling::from(verdict).shown_by([server.metadata.fetched.exchange]))
    }
}

fn judge(issuer: Option<&str>, used: &str, source: IssuerSource) -> Verdict {
    match issuer {
        None => Verdict::fail(MATCHES, "the metadata has no member issuer that is text"),
        Some(issuer) if issuer == used => Verdict::pass(format!("issuer is {issuer}")),
        Some(issuer) if source == IssuerSource::Guessed => Verdict::inconclusive(format!(
            "issuer is {issuer}, but nothing names the issuer and {used} was a guess; --issuer {issuer} compares it"
        )),
        // A hand adds or loses a slash easily; what clients are given was not seen.
        Some(issuer) if source == IssuerSource::Named && bare(issuer) == bare(used) => Verdict::inconclusive(format!(
            "issuer is {issuer}, and {used} was typed: clients compare byte for byte; if they are given {issuer} it \
             matches, and --issuer {issuer} says so"
        )),
        Some(issuer) => {
            let slash = bare(issuer) == bare(used);
            let difference =
                if slash { ": only a trailing slash differs, and clients compare byte for byte" } else { "" };
            Verdict::fail(MATCHES, format!("issuer is {issuer}, but {used} was used{difference}"))
        }
    }
}

fn bare(address: &str) -> &str {
    address.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_for_byte() {
        let judge = |issuer, used| judge(issuer, used, IssuerSource::ResourceMetadata);
        assert!(matches!(judge(Some("https://as.example"), "https://as.example"), Verdict::Pass(_)));
        let Verdict::Fail(_, why) = judge(Some("https://as.example/"), "https://as.example") else { panic!() };
        assert!(why.contains("trailing slash"));
        assert!(matches!(judge(None, "https://as.example"), Verdict::Fail(..)));
    }

    #[test]
    fn a_slash_that_was_typed_or_not_proves_nothing() {
        let judge = |issuer, used| judge(Some(issuer), used, IssuerSource::Named);
        assert!(matches!(judge("https://as.example/", "https://as.example"), Verdict::Inconclusive(_)));
        assert!(matches!(judge("https://as.example", "https://as.example/"), Verdict::Inconclusive(_)));
        assert!(matches!(judge("https://other.example", "https://as.example"), Verdict::Fail(..)));
    }

    #[test]
    fn a_guess_proves_nothing() {
        assert!(matches!(judge(Some("https://b"), "https://a", IssuerSource::Guessed), Verdict::Inconclusive(_)));
    }
}
