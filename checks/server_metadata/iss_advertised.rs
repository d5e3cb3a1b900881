//! Clients check `iss` only where the server says that it sends it.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::discovery::Metadata;
use crate::document::{Document, McpVersion};
use crate::needs::{Baseline, Context};

const ANNOUNCED: Demand = demand(
    "A server that sends iss says so in its metadata: `authorization_response_iss_parameter_supported` is true.",
    &[must(Document::Rfc9207, "2.3")],
);
const OFFERED: Demand = demand(
    "The server sends iss in authorization responses, and says so in its metadata.",
    &[
        should(Document::OpenAi, "iss parameter"),
        should(Document::Mcp, "authorization-response-validation")
            .in_revisions(McpVersion::V20260728, McpVersion::V20260728),
    ],
);

const MEMBER: &str = "authorization_response_iss_parameter_supported";

/// `iss` is advertised.
pub struct IssAdvertised;

impl Check for IssAdvertised {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "server_metadata/iss-advertised",
        demands: &[ANNOUNCED, OFFERED],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("iss_advertised.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let metadata = &cx.audit.discovery.server.metadata;
        let verdict = judge(metadata, baseline.returned.get("iss"), cx.binds(&OFFERED));
        Ok(Ruling::from(verdict).shown_by([metadata.fetched.exchange]).shown_by(baseline.returned.exchange))
    }
}

/// `wanted`: a document in force wants `iss` of a server that does not send it.
fn judge(metadata: &Metadata, sent: Option<&str>, wanted: bool) -> Verdict {
    let advertised = match metadata.member(MEMBER) {
        Some(serde_json::Value::Bool(true)) => return Verdict::pass(format!("{MEMBER} is true")),
        Some(other) => format!("{MEMBER} is {other}"),
        None => format!("{MEMBER} is missing"),
    };
    match sent {
        Some(_) => Verdict::fail(ANNOUNCED, format!("{advertised}, but iss is sent: no client will look at it")),
        None if wanted => Verdict::fail(OFFERED, format!("{advertised}, and no iss is sent")),
        None => Verdict::not_applicable(format!("{advertised}, and no iss is sent")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use serde_json::{Value, json};

    fn verdict(member: Value, sent: Option<&str>, wanted: bool) -> Verdict {
        judge(&server_facts(json!({ MEMBER: member })).metadata, sent, wanted)
    }

    #[test]
    fn who_sends_iss_has_to_say_so() {
        assert!(matches!(verdict(json!(true), Some("https://as.example"), true), Verdict::Pass(_)));
        assert!(matches!(verdict(json!(true), None, true), Verdict::Pass(_)), "that is for authorization/iss-returned");
        for member in [json!(null), json!(false), json!("true")] {
            let sent = Some("https://as.example");
            assert!(matches!(verdict(member.clone(), sent, false), Verdict::Fail(ANNOUNCED, _)), "{member}");
            assert!(matches!(verdict(member.clone(), None, true), Verdict::Fail(OFFERED, _)), "{member}");
            assert!(matches!(verdict(member, None, false), Verdict::NotApplicable(_)));
        }
    }
}
