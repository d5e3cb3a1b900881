//! Clients learn from this list that PKCE with S256 is there; ChatGPT and MCP clients refuse a server without it.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::discovery::Metadata;
use crate::document::{Document, McpVersion};
use crate::needs::{Context, Documents};

const LISTED: Demand = demand(
    "`code_challenge_methods_supported` lists S256.",
    &[
        must(Document::Mcp, "authorization-code-protection").in_revisions(McpVersion::V20251125, McpVersion::V20260728),
        must(Document::OpenAi, "pkce"),
        should(Document::Rfc9700, "2.1.1"),
    ],
);

/// S256 is among the advertised challenge methods.
pub struct S256Advertised;

impl Check for S256Advertised {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/s256-advertised",
        demands: &[LISTED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("s256_advertised.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    match metadata.list("code_challenge_methods_supported") {
        Some(methods) if methods.contains(&"S256") => Verdict::pass(format!("listed: {}", methods.join(", "))),
        Some(methods) => Verdict::fail(LISTED, format!("listed is [{}], without S256", methods.join(", "))),
        None => {
            Verdict::fail(LISTED, "code_challenge_methods_supported is missing: clients take it that there is no PKCE")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use serde_json::{Value, json};

    fn verdict(metadata: Value) -> Verdict {
        judge(&server_facts(metadata).metadata)
    }

    #[test]
    fn s256_has_to_be_listed() {
        assert!(matches!(verdict(json!({"code_challenge_methods_supported": ["plain", "S256"]})), Verdict::Pass(_)));
        for metadata in [
            json!({}),
            json!({"code_challenge_methods_supported": ["plain"]}),
            json!({"code_challenge_methods_supported": "S256"}),
        ] {
            assert!(matches!(verdict(metadata), Verdict::Fail(LISTED, _)));
        }
    }
}
