//! A method that protects nothing against a reader of the request should not be offered.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};

const S256_ONLY: Demand = demand(
    "`code_challenge_methods_supported` does not list plain.",
    &[must(Document::OpenAi, "pkce"), advice(Document::OAuth21, "4.1.1")],
);

/// `plain` is not among the advertised challenge methods.
pub struct PlainNotAdvertised;

impl Check for PlainNotAdvertised {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/plain-not-advertised",
        demands: &[S256_ONLY],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("plain_not_advertised.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    match metadata.list("code_challenge_methods_supported") {
        Some(methods) if methods.contains(&"plain") => {
            Verdict::fail(S256_ONLY, format!("listed is [{}], with plain", methods.join(", ")))
        }
        Some(methods) => Verdict::pass(format!("listed: {}", methods.join(", "))),
        None => Verdict::not_applicable("no methods are listed, see server_metadata/s256-advertised"),
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
    fn plain_is_not_to_be_listed() {
        assert!(matches!(verdict(json!({"code_challenge_methods_supported": ["S256"]})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"code_challenge_methods_supported": ["S256", "plain"]})), Verdict::Fail(..)));
        assert!(matches!(verdict(json!({})), Verdict::NotApplicable(_)));
    }
}
