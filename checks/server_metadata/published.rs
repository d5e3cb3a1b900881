//! Clients learn the endpoints from the server's metadata: it has to be there, and to be JSON.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::discovery::{ServerFacts, is_unheard};
use crate::document::{Document, McpVersion};
use crate::needs::{Context, Documents};

const PUBLISHED: Demand = demand(
    "An authorization server publishes its metadata by RFC 8414 or OpenID Connect Discovery.",
    &[must(Document::Rfc8414, "3"), must(Document::Mcp, "overview"), must(Document::OpenAi, "oauth metadata")],
);
const JSON: Demand = demand(
    "Server metadata is a JSON object, answered 200 with the content type application/json.",
    &[must(Document::Rfc8414, "3.2"), must(Document::OpenAi, "oauth metadata")],
);
const RFC_8414_ITSELF: Demand = demand(
    "An authorization server publishes its metadata by RFC 8414.",
    &[must(Document::Mcp, "overview").in_revisions(McpVersion::V20250618, McpVersion::V20250618)],
);

/// The server publishes its metadata.
pub struct Published;

impl Check for Published {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/published",
        demands: &[PUBLISHED, JSON, RFC_8414_ITSELF],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("published.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let server = &documents.server;
        let tried = server.tried.iter().filter_map(|(_, r)| r.as_ref().ok()).map(|f| f.exchange);
        Ok(Ruling::from(judge(server, cx.binds(&RFC_8414_ITSELF))).shown_by(tried))
    }
}

fn judge(server: &ServerFacts, rfc_8414_itself: bool) -> Verdict {
    let fetched = &server.metadata.fetched;
    let found = format!("{} ({})", fetched.url, server.place.describe());
    let of_rfc_8414 = |url: &str| url.contains("/.well-known/oauth-authorization-server");
    let other = server.tried.iter().any(|(_, r)| r.as_ref().is_ok_and(|f| f.is_document() && of_rfc_8414(&f.url)));
    let unheard = server.tried.iter().any(|(_, result)| is_unheard(result));
    match fetched.media_type.as_str() {
        "application/json" if rfc_8414_itself && !other && unheard => Verdict::inconclusive(format!(
            "an OpenID document lies at {found}, the place of RFC 8414 could not be asked"
        )),
        "application/json" if rfc_8414_itself && !other => {
            Verdict::fail(RFC_8414_ITSELF, format!("only an OpenID document was found, at {found}"))
        }
        "application/json" => Verdict::pass(format!("a JSON object at {found}")),
        "" => Verdict::fail(JSON, format!("{found} has no content type; application/json is due")),
        media_type => {
            Verdict::fail(JSON, format!("{found} has the content type {media_type}; application/json is due"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use serde_json::json;

    #[test]
    fn the_content_type_counts() {
        let mut facts = server_facts(json!({"issuer": "x"}));
        assert!(matches!(judge(&facts, false), Verdict::Pass(_)));
        facts.metadata.fetched.media_type = "text/html".into();
        assert!(matches!(judge(&facts, false), Verdict::Fail(JSON, _)));
    }

    #[test]
    fn openid_alone_is_not_enough_for_the_oldest_revision() {
        let mut facts = server_facts(json!({"issuer": "x"}));
        assert!(matches!(judge(&facts, true), Verdict::Pass(_)));
        facts.metadata.fetched.url = "https://as.example/.well-known/openid-configuration".into();
        facts.tried.clear();
        assert!(matches!(judge(&facts, true), Verdict::Fail(RFC_8414_ITSELF, _)));
        assert!(matches!(judge(&facts, false), Verdict::Pass(_)));
        facts.tried.push((crate::discovery::Place::Root, Err("timed out".into())));
        assert!(matches!(judge(&facts, true), Verdict::Inconclusive(_)));
    }
}
