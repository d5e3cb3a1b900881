//! Codes, tokens and passwords travel to these addresses: all of them are https.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::discovery::Metadata;
use crate::document::Document;
use crate::needs::{Context, Documents};
use crate::wire::guard::is_loopback_url;

const HTTPS: Demand = demand(
    "The issuer and every endpoint of the authorization server is an https URL.",
    &[must(Document::Rfc8414, "2"), must(Document::OAuth21, "1.5"), must(Document::OpenAi, "https")],
);
const NO_FRAGMENT: Demand = demand(
    "An endpoint has no fragment, and an issuer neither query nor fragment.",
    &[must(Document::Rfc8414, "2"), must(Document::OAuth21, "3.1")],
);

/// Every endpoint is https.
pub struct HttpsEverywhere;

impl Check for HttpsEverywhere {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/https-everywhere",
        demands: &[HTTPS, NO_FRAGMENT],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("https_everywhere.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        let findings = judge(metadata);
        let local = findings.iter().any(|f| matches!(&f.verdict, Verdict::Pass(why) if why.contains("development")));
        let pass = match local {
            true => "every address is https, or plain http on loopback as in development",
            false => "the issuer, every endpoint and jwks_uri are https",
        };
        Ok(cx.fold(findings, pass).shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Vec<Finding> {
    let Some(Value::Object(members)) = &metadata.fetched.json else { return Vec::new() };
    members
        .iter()
        .filter(|(name, _)| *name == "issuer" || *name == "jwks_uri" || name.ends_with("_endpoint"))
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .map(|(name, address)| Finding::new(name.as_str(), judge_one(name, address)))
        .collect()
}

fn judge_one(name: &str, address: &str) -> Verdict {
    let Ok(url) = url::Url::parse(address) else {
        return Verdict::fail(HTTPS, format!("{address} is no absolute URL; https is due"));
    };
    if url.fragment().is_some() || (name == "issuer" && url.query().is_some()) {
        return Verdict::fail(NO_FRAGMENT, format!("{address} has a query or fragment where none may be"));
    }
    match url.scheme() {
        "https" => Verdict::pass("https"),
        "http" if is_loopback_url(address) => Verdict::pass("plain http on loopback (development)"),
        scheme => Verdict::fail(HTTPS, format!("{address} is {scheme}; https is due")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use serde_json::json;

    #[test]
    fn every_address_is_judged() {
        let facts = server_facts(json!({
            "issuer": "https://as.example", "token_endpoint": "http://as.example/token",
            "jwks_uri": "http://127.0.0.1:1/jwks", "authorization_endpoint": "/authorize",
            "revocation_endpoint": "https://as.example/r#x", "service_documentation": "http://as.example/doc",
        }));
        let findings = judge(&facts.metadata);
        let verdict = |name: &str| findings.iter().find(|f| f.what == name).map(|f| f.verdict.clone());
        assert!(matches!(verdict("issuer"), Some(Verdict::Pass(_))));
        assert!(matches!(verdict("token_endpoint"), Some(Verdict::Fail(HTTPS, _))));
        assert!(matches!(verdict("jwks_uri"), Some(Verdict::Pass(_))));
        assert!(matches!(verdict("authorization_endpoint"), Some(Verdict::Fail(HTTPS, _))));
        assert!(matches!(verdict("revocation_endpoint"), Some(Verdict::Fail(NO_FRAGMENT, _))));
        assert_eq!(verdict("service_documentation"), None);
    }
}
