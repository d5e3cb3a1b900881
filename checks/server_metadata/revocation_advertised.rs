//! Who disconnects an app wants its tokens dead; clients need an address to say so.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};

const PRESENT: Demand = demand(
    "The metadata names a revocation_endpoint.",
    &[must(Document::OpenAi, "revocation endpoint"), advice(Document::Rfc7009, "2"), advice(Document::Rfc8414, "2")],
);

/// There is a revocation endpoint.
pub struct RevocationAdvertised;

impl Check for RevocationAdvertised {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/revocation-advertised",
        demands: &[PRESENT],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("revocation_advertised.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    match metadata.text("revocation_endpoint") {
        Some(endpoint) => Verdict::pass(format!("revocation_endpoint is {endpoint}")),
        None => Verdict::fail(PRESENT, "revocation_endpoint is missing"),
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
    fn it_is_to_be_named() {
        assert!(matches!(verdict(json!({"revocation_endpoint": "https://as.example/revoke"})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({})), Verdict::Fail(..)));
    }
}
