//! A client that the server has never met needs a way to become known.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};

const OFFERED: Demand = demand(
    "The server takes client metadata documents or dynamic registration, and says which in its metadata.",
    &[advice(Document::Mcp, "overview"), advice(Document::Rfc8414, "2")],
);

/// There is a way to become a client.
pub struct RegistrationPath;

impl Check for RegistrationPath {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/registration-path",
        demands: &[OFFERED],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("registration_path.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    match (metadata.flag("client_id_metadata_document_supported"), metadata.text("registration_endpoint")) {
        (true, Some(_)) => Verdict::pass("client metadata documents and dynamic registration"),
        (true, None) => Verdict::pass("client_id_metadata_document_supported is true"),
        (false, Some(endpoint)) => Verdict::pass(format!("registration_endpoint is {endpoint}")),
        (false, None) => Verdict::fail(
            OFFERED,
            "pre-registration only: neither client_id_metadata_document_supported nor registration_endpoint is there",
        ),
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
    fn one_of_two_ways_is_enough() {
        let endpoint = "https://as.example/register";
        for metadata in [
            json!({ "registration_endpoint": endpoint }),
            json!({ "client_id_metadata_document_supported": true }),
            json!({ "registration_endpoint": endpoint, "client_id_metadata_document_supported": true }),
        ] {
            assert!(matches!(verdict(metadata), Verdict::Pass(_)));
        }
        for metadata in [json!({}), json!({ "client_id_metadata_document_supported": false })] {
            assert!(matches!(verdict(metadata), Verdict::Fail(OFFERED, _)));
        }
    }
}
