//! Without the keys nobody can verify a token of this server.

use jsonwebtoken::jwk::Jwk;
use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must};
use crate::discovery::{Fetched, Metadata};
use crate::document::Document;
use crate::needs::{Context, Documents};

const ANSWERS: Demand = demand(
    "`jwks_uri` answers 200 with a JSON object that has an array of keys.",
    &[must(Document::Rfc7517, "5"), must(Document::Rfc8414, "2")],
);
const WELL_FORMED: Demand =
    demand("Every key has the members that its type requires.", &[must(Document::Rfc7517, "4.1")]);
const NOT_EMPTY: Demand =
    demand("A server that signs tokens publishes at least one key.", &[must(Document::Rfc8414, "2")]);
const USED: Demand = demand("A key set that is announced holds keys.", &[advice(Document::Rfc8414, "2")]);

/// The keys answer.
pub struct JwksReachable;

impl Check for JwksReachable {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/jwks-reachable",
        demands: &[ANSWERS, WELL_FORMED, NOT_EMPTY, USED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("jwks_reachable.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let server = &documents.server;
        let fetched = match &server.jwks {
            None => return Ok(Verdict::not_applicable("the metadata names no jwks_uri").into()),
            Some(Err(why)) => return Ok(Verdict::inconclusive(format!("jwks_uri could not be asked: {why}")).into()),
            Some(Ok(fetched)) => fetched,
        };
        let findings = match judge(fetched, signs(&server.metadata)) {
            Ok(findings) => findings,
            Err(verdict) => return Ok(Ruling::from(verdict).shown_by([fetched.exchange])),
        };
        let pass = format!("{} answers with {} keys", fetched.url, findings.len());
        Ok(cx.fold(findings, pass).shown_by([fetched.exchange]))
    }
}

/// Whether the server is known to sign tokens: it offers OpenID, or JWT answers.
fn signs(metadata: &Metadata) -> bool {
    metadata.lists("scopes_supported", "openid")
        || metadata.list("id_token_signing_alg_values_supported").is_some_and(|algs| !algs.is_empty())
}

fn judge(fetched: &Fetched, signs: bool) -> Result<Vec<Finding>, Verdict> {
    if [429, 502, 503, 504].contains(&fetched.status) {
        return Err(Verdict::inconclusive(format!("{} answers {}", fetched.url, fetched.status)));
    }
    if !fetched.is_document() {
        return Err(Verdict::fail(ANSWERS, format!("{} answers {}", fetched.url, fetched.why_not())));
    }
    let keys = fetched.json.as_ref().and_then(|j| j.get("keys")).and_then(Value::as_array);
    let Some(keys) = keys else {
        return Err(Verdict::fail(ANSWERS, format!("{} has no array of keys", fetched.url)));
    };
    if keys.is_empty() {
        let broken = if signs { NOT_EMPTY } else { USED };
        return Err(Verdict::fail(broken, format!("the array of keys at {} is empty", fetched.url)));
    }
    Ok(keys.iter().enumerate().map(|(at, key)| Finding::new(name(key, at), judge_key(key))).collect())
}

/// What a key is called: by its `kid`, else by its place.
pub(super) fn name(key: &Value, at: usize) -> String {
    match key.get("kid").and_then(Value::as_str) {
        Some(kid) => format!("key {kid}"),
        None => format!("key {}", at + 1),
    }
}

fn judge_key(key: &Value) -> Verdict {
    let Some(kty) = key.get("kty").and_then(Value::as_str) else {
        return Verdict::fail(WELL_FORMED, "it has no kty");
    };
    let required: &[&str] = match kty {
        "RSA" => &["n", "e"],
        "EC" => &["crv", "x", "y"],
        "OKP" => &["crv", "x"],
        "oct" => &["k"],
        // RFC 7517 section 5: key types that are not understood are left aside.
        other => return Verdict::pass(format!("its type {other} is not known here")),
    };
    for member in required {
        match key.get(*member).and_then(Value::as_str) {
            None => return Verdict::fail(WELL_FORMED, format!("it is {kty} without {member}")),
            Some(value) if *member != "crv" && !is_base64url(value) => {
                return Verdict::fail(WELL_FORMED, format!("its {member} is no base64url without padding"));
            }
            Some(_) => {}
        }
    }
    // The library knows fewer algorithms and curves than there are; what it reads is well-formed for certain.
    match serde_json::from_value::<Jwk>(key.clone()) {
        Ok(_) => Verdict::pass(format!("a well-formed {kty} key")),
        Err(_) => Verdict::pass(format!("an {kty} key with the members it needs")),
    }
}

fn is_base64url(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use serde_json::json;

    fn fetched(keys: Value) -> Fetched {
        server_facts(keys).metadata.fetched
    }

    #[test]
    fn keys_are_judged_one_by_one() {
        let rsa = json!({"kty": "RSA", "n": "sXch", "e": "AQAB", "kid": "1"});
        let findings =
            judge(&fetched(json!({"keys": [rsa, {"kty": "EC", "crv": "P-256", "x": "a"}, {"kty": "XX"}]})), true)
                .unwrap();
        assert!(matches!(findings[0].verdict, Verdict::Pass(_)));
        assert!(matches!(findings[1].verdict, Verdict::Fail(WELL_FORMED, _)));
        assert!(matches!(findings[2].verdict, Verdict::Pass(_)));
        for n in ["sXch==", "sX+h", ""] {
            let key = json!({"kty": "RSA", "n": n, "e": "AQAB"});
            assert!(matches!(judge_key(&key), Verdict::Fail(WELL_FORMED, _)), "{n}");
        }
    }

    #[test]
    fn an_empty_set_is_a_failure_where_tokens_are_signed() {
        assert!(matches!(judge(&fetched(json!({"keys": []})), true), Err(Verdict::Fail(NOT_EMPTY, _))));
        assert!(matches!(judge(&fetched(json!({"keys": []})), false), Err(Verdict::Fail(USED, _))));
        assert!(matches!(judge(&fetched(json!({})), true), Err(Verdict::Fail(ANSWERS, _))));
        let mut down = fetched(json!({"keys": []}));
        down.status = 500;
        assert!(matches!(judge(&down, true), Err(Verdict::Fail(ANSWERS, _))));
        down.status = 503;
        assert!(matches!(judge(&down, true), Err(Verdict::Inconclusive(_))));
    }
}
