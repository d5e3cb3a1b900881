//! The password grant teaches people to give their password to anybody who asks.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};

const NOT_OFFERED: Demand =
    demand("`grant_types_supported` does not list password.", &[must(Document::Rfc9700, "2.4")]);

/// The password grant is not advertised.
pub struct NoPasswordAdvertised;

impl Check for NoPasswordAdvertised {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/no-password-advertised",
        demands: &[NOT_OFFERED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("no_password_advertised.md"),
    };

    async fn run(documents: Documents, _: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        Ok(Ruling::from(judge(metadata)).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Verdict {
    match metadata.list("grant_types_supported") {
        Some(grants) if grants.contains(&"password") => {
            Verdict::fail(NOT_OFFERED, format!("grant_types_supported is [{}]", grants.join(", ")))
        }
        Some(grants) => Verdict::pass(format!("grant_types_supported is [{}]", grants.join(", "))),
        None => Verdict::pass("grant_types_supported is missing, which does not stand for password"),
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
    fn password_is_not_to_be_listed() {
        assert!(matches!(verdict(json!({"grant_types_supported": ["password"]})), Verdict::Fail(..)));
        assert!(matches!(verdict(json!({"grant_types_supported": ["authorization_code"]})), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({})), Verdict::Pass(_)));
    }
}
