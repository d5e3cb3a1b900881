//! Clients find the authorization server in this list and nowhere else.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must};
use crate::document::Document;
use crate::needs::{Context, ResourceMetadata};
use crate::wire::guard::is_loopback_url;

const LISTED: Demand = demand(
    "`authorization_servers` lists at least one authorization server.",
    &[must(Document::Mcp, "authorization-server-location"), advice(Document::Rfc9728, "2")],
);
const ISSUERS: Demand = demand(
    "Every entry of `authorization_servers` is an issuer identifier: an https URL without query and fragment.",
    &[must(Document::Rfc9728, "2"), must(Document::Mcp, "authorization-server-location")],
);

/// The authorization servers are listed.
pub struct AuthorizationServersListed;

impl Check for AuthorizationServersListed {
    type Needs = ResourceMetadata;
    const CARD: Card = Card {
        id: "resource_metadata/authorization-servers-listed",
        demands: &[LISTED, ISSUERS],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("authorization_servers_listed.md"),
    };

    async fn run(found: ResourceMetadata, _: &Context) -> Outcome {
        Ok(judge(found.metadata.member("authorization_servers")).shown_by([found.metadata.fetched.exchange]))
    }
}

fn judge(member: Option<&Value>) -> Ruling {
    let Some(member) = member else {
        return Verdict::fail(LISTED, "the metadata has no authorization_servers").into();
    };
    let Some(entries) = member.as_array() else {
        let why = format!("authorization_servers is {}, an array is due", crate::discovery::kind(member));
        return Verdict::fail(LISTED, why).into();
    };
    if entries.is_empty() {
        return Verdict::fail(LISTED, "authorization_servers is empty").into();
    }
    for entry in entries {
        let Some(issuer) = entry.as_str() else {
            return Verdict::fail(ISSUERS, format!("an entry is {}, not a URL", crate::discovery::kind(entry))).into();
        };
        let is_url = url::Url::parse(issuer).is_ok_and(|u| u.query().is_none() && u.fragment().is_none());
        if !is_url || !(issuer.starts_with("https://") || is_loopback_url(issuer)) {
            let why = format!("{issuer} is no issuer identifier: an https URL without query and fragment is due");
            return Verdict::fail(ISSUERS, why).into();
        }
    }
    let issuers: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
    let held = Ruling::from(Verdict::pass(format!("listed: {}", issuers.join(", "))));
    match issuers.iter().find(|i| i.starts_with("http://")) {
        Some(issuer) => held.noting(*issuer, Verdict::not_applicable("plain http on loopback, as in development")),
        None => held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_https_issuer_is_enough() {
        assert!(matches!(judge(Some(&json!(["https://as.example"]))).verdict, Verdict::Pass(_)));
        let ruling = judge(Some(&json!(["http://127.0.0.1:9000"])));
        assert!(matches!(ruling.verdict, Verdict::Pass(_)) && ruling.findings.len() == 1);
    }

    #[test]
    fn none_and_no_list_fail() {
        for member in [None, Some(json!([])), Some(json!("https://as.example"))] {
            assert!(matches!(judge(member.as_ref()).verdict, Verdict::Fail(LISTED, _)), "{member:?}");
        }
        for entry in [json!("http://as.example"), json!("https://as.example?x=1"), json!("as.example"), json!(7)] {
            assert!(matches!(judge(Some(&json!([entry]))).verdict, Verdict::Fail(ISSUERS, _)));
        }
    }
}
