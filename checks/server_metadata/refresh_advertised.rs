//! Clients ask for offline access only where the server says that it can refresh.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, should};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};

const LISTED: Demand = demand(
    "`grant_types_supported`, where it is there, lists refresh_token.",
    &[should(Document::OpenAi, "refresh tokens"), advice(Document::Rfc8414, "2")],
);

/// The refresh grant is advertised.
pub struct RefreshAdvertised;

impl Check for RefreshAdvertised {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/refresh-advertised",
        demands: &[LISTED],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("refresh_advertised.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    match metadata.list("grant_types_supported") {
        Some(grants) if grants.contains(&"refresh_token") => {
            Verdict::pass(format!("grant_types_supported is [{}]", grants.join(", ")))
        }
        Some(grants) => {
            Verdict::fail(LISTED, format!("grant_types_supported is [{}], without refresh_token", grants.join(", ")))
        }
        None => {
            Verdict::not_applicable("grant_types_supported is missing; whether a token is issued is for refresh/issued")
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
    fn refresh_is_to_be_listed_where_grants_are() {
        assert!(matches!(verdict(json!({"grant_types_supported": ["refresh_token"]})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"grant_types_supported": ["authorization_code"]})), Verdict::Fail(..)));
        assert!(matches!(verdict(json!({})), Verdict::NotApplicable(_)));
    }
}
