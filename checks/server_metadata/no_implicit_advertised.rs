//! Tokens in redirects leak; a server that offers them invites clients to use them.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};

const NOT_OFFERED: Demand = demand(
    "No response type with the word token and no implicit grant is advertised.",
    &[
        must(Document::OpenAi, "authorization code grant only"),
        should(Document::Rfc9700, "2.1.2"),
        should(Document::OAuth21, "10.1"),
    ],
);
const NOT_BY_DEFAULT: Demand = demand(
    "`grant_types_supported` is there: left out, it means authorization_code and implicit.",
    &[should(Document::Rfc8414, "2"), should(Document::Rfc9700, "2.1.2")],
);

/// No response type gives an access token in the redirect.
pub struct NoImplicitAdvertised;

impl Check for NoImplicitAdvertised {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/no-implicit-advertised",
        demands: &[NOT_OFFERED, NOT_BY_DEFAULT],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("no_implicit_advertised.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    let types = metadata.list("response_types_supported").unwrap_or_default();
    let implicit: Vec<&str> = types.iter().copied().filter(|t| t.split(' ').any(|w| w == "token")).collect();
    if !implicit.is_empty() {
        return Verdict::fail(NOT_OFFERED, format!("response_types_supported lists \"{}\"", implicit.join("\", \"")));
    }
    match metadata.list("grant_types_supported") {
        Some(grants) if grants.contains(&"implicit") => {
            Verdict::fail(NOT_OFFERED, "grant_types_supported lists implicit")
        }
        Some(_) => Verdict::pass(format!("response types are [{}], and implicit is no grant", types.join(", "))),
        None => Verdict::fail(
            NOT_BY_DEFAULT,
            "grant_types_supported is missing, which stands for authorization_code and implicit",
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
    fn a_response_type_with_the_word_token_is_implicit() {
        for types in [json!(["code", "token"]), json!(["id_token token"]), json!(["code token"])] {
            let metadata = json!({"response_types_supported": types, "grant_types_supported": ["authorization_code"]});
            assert!(matches!(verdict(metadata), Verdict::Fail(NOT_OFFERED, _)));
        }
        let fine =
            json!({"response_types_supported": ["code", "id_token", "code id_token"], "grant_types_supported": []});
        assert!(matches!(verdict(fine), Verdict::Pass(_)));
        let grant = json!({"response_types_supported": ["code"], "grant_types_supported": ["implicit"]});
        assert!(matches!(verdict(grant), Verdict::Fail(NOT_OFFERED, _)));
    }

    #[test]
    fn left_out_grants_are_a_finding_of_their_own() {
        assert!(matches!(verdict(json!({"response_types_supported": ["code"]})), Verdict::Fail(NOT_BY_DEFAULT, _)));
    }
}
