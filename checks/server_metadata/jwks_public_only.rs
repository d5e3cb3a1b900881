//! Who publishes a private key lets everybody sign tokens.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::discovery::Fetched;
use crate::document::Document;
use crate::needs::{Context, Documents};

const NO_PRIVATE: Demand = demand(
    "A published key set holds no private members.",
    &[must(Document::Rfc7517, "9.2"), must(Document::Rfc7518, "6.2.2")],
);
const NO_SYMMETRIC: Demand = demand(
    "A published key set holds no symmetric keys.",
    &[must(Document::Rfc7517, "9.2"), must(Document::Rfc7518, "6.4.1")],
);

/// The members of RFC 7518 sections 6.2.2 and 6.3.2 that are private.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Only public keys are published.
pub struct JwksPublicOnly;

impl Check for JwksPublicOnly {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/jwks-public-only",
        demands: &[NO_PRIVATE, NO_SYMMETRIC],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("jwks_public_only.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let jwks = documents.server.jwks.as_ref();
        if jwks.is_some_and(|jwks| !jwks.as_ref().is_ok_and(Fetched::is_document)) {
            let why = "the keys could not be read, see server_metadata/jwks-reachable";
            return Ok(Verdict::inconclusive(why).into());
        }
        let Some((keys, exchange)) = documents.server.keys() else {
            return Ok(Verdict::not_applicable("no keys were found, see server_metadata/jwks-reachable").into());
        };
        let findings = keys.iter().enumerate().map(|(at, key)| Finding::new(format!("key {}", at + 1), judge(key)));
        let ruling = cx.fold(findings.collect(), format!("{} keys, none with a private member", keys.len()));
        Ok(ruling.shown_by([exchange]))
    }
}

fn judge(key: &Value) -> Verdict {
    // Some serializers print what a key does not have as null.
    let has = |member: &str| key.get(member).is_some_and(|value| !value.is_null());
    let private: Vec<&str> = PRIVATE.into_iter().filter(|m| has(m)).collect();
    if !private.is_empty() {
        return Verdict::fail(NO_PRIVATE, format!("it has the private members {}", private.join(", ")));
    }
    if key.get("kty").and_then(Value::as_str) == Some("oct") || has("k") {
        return Verdict::fail(NO_SYMMETRIC, "it is a symmetric key: who reads it can sign");
    }
    Verdict::pass("public members only")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn private_and_symmetric_keys_fail() {
        assert!(matches!(judge(&json!({"kty": "RSA", "n": "x", "e": "AQAB"})), Verdict::Pass(_)));
        let printed = json!({"kty": "RSA", "n": "x", "e": "AQAB", "d": null, "p": null, "k": null});
        assert!(matches!(judge(&printed), Verdict::Pass(_)));
        assert!(matches!(
            judge(&json!({"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "d": "c"})),
            Verdict::Fail(NO_PRIVATE, _)
        ));
        assert!(matches!(judge(&json!({"kty": "oct", "k": "c2VjcmV0"})), Verdict::Fail(NO_SYMMETRIC, _)));
    }
}
