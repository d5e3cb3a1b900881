//! A verifier picks the key by its `kid`: it has to find one, and the right one.

use serde_json::Value;

use super::jwks_reachable::name;
use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand, should};
use crate::document::Document;
use crate::needs::{Context, Documents};

const DISTINCT: Demand = demand("Keys of one type in a set have distinct kids.", &[should(Document::Rfc7517, "4.5")]);
const NAMED: Demand = demand("Each of several keys in a set has a kid.", &[should(Document::Rfc7517, "4.5")]);
const CONSISTENT: Demand = demand(
    "The use and the type of a key go with its alg.",
    &[advice(Document::Rfc7517, "4.2"), advice(Document::Rfc7517, "4.4")],
);

/// Keys can be told apart.
pub struct JwksKidsUnique;

impl Check for JwksKidsUnique {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/jwks-kids-unique",
        demands: &[DISTINCT, NAMED, CONSISTENT],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("jwks_kids_unique.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let Some((keys, exchange)) = documents.server.keys() else {
            return Ok(Verdict::not_applicable("no keys were found, see server_metadata/jwks-reachable").into());
        };
        Ok(cx.fold(judge(keys), "every key can be found by its kid").shown_by([exchange]))
    }
}

fn judge(keys: &[Value]) -> Vec<Finding> {
    let lines = keys.iter().enumerate();
    lines.map(|(at, key)| Finding::new(name(key, at), judge_one(key, &keys[..at], keys.len()))).collect()
}

fn judge_one(key: &Value, earlier: &[Value], of: usize) -> Verdict {
    let text = |key: &Value, member: &str| key.get(member).and_then(Value::as_str).map(str::to_owned);
    let (kid, kty) = (text(key, "kid"), text(key, "kty"));
    // RFC 7517 section 4.5: keys of different types may share a kid where they are equivalent alternatives.
    let twin = earlier.iter().any(|e| kid.is_some() && text(e, "kid") == kid && text(e, "kty") == kty);
    if twin {
        return Verdict::fail(DISTINCT, "an earlier key of this type has the same kid");
    }
    if let (Some(alg), Some(due)) = (text(key, "alg"), text(key, "alg").as_deref().and_then(of_algorithm)) {
        for (member, due) in [("use", due.0), ("kty", due.1)] {
            if let Some(stated) = text(key, member).filter(|stated| !due.contains(&stated.as_str())) {
                return Verdict::fail(CONSISTENT, format!("its {member} is {stated}, and its alg {alg}"));
            }
        }
    }
    match kid {
        Some(_) => Verdict::pass("its kid is its own"),
        None if of == 1 => Verdict::pass("it has no kid, and is the only key"),
        None => Verdict::fail(NAMED, format!("it has no kid, and is one of {of} keys")),
    }
}

/// The `use` and the `kty` that go with an algorithm of RFC 7518 and RFC 8037; `None` for one that is not known.
fn of_algorithm(alg: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match alg {
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => (&["sig"], &["RSA"]),
        "ES256" | "ES384" | "ES512" | "ES256K" => (&["sig"], &["EC"]),
        "EdDSA" | "Ed25519" | "Ed448" => (&["sig"], &["OKP"]),
        "RSA1_5" | "RSA-OAEP" | "RSA-OAEP-256" | "RSA-OAEP-384" | "RSA-OAEP-512" => (&["enc"], &["RSA"]),
        "ECDH-ES" | "ECDH-ES+A128KW" | "ECDH-ES+A192KW" | "ECDH-ES+A256KW" => (&["enc"], &["EC", "OKP"]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn broken(keys: &[Value]) -> Vec<Option<Demand>> {
        let demand = |f: Finding| match f.verdict {
            Verdict::Fail(demand, _) => Some(demand),
            _ => None,
        };
        judge(keys).into_iter().map(demand).collect()
    }

    #[test]
    fn a_kid_leads_to_one_key() {
        let key = |kty: &str, kid: &str| json!({ "kty": kty, "kid": kid });
        assert_eq!(broken(&[key("EC", "1"), key("EC", "2")]), [None, None]);
        assert_eq!(broken(&[key("EC", "1"), key("EC", "1")]), [None, Some(DISTINCT)]);
        assert_eq!(broken(&[key("EC", "1"), key("RSA", "1")]), [None, None], "equivalent alternatives");
        assert_eq!(broken(&[json!({ "kty": "EC" })]), [None]);
        assert_eq!(broken(&[json!({ "kty": "EC" }), key("EC", "1")]), [Some(NAMED), None]);
    }

    #[test]
    fn use_and_type_go_with_the_algorithm() {
        let key = |kty: &str, r#use: &str, alg: &str| json!({ "kty": kty, "use": r#use, "alg": alg, "kid": "1" });
        assert_eq!(broken(&[key("RSA", "sig", "PS256")]), [None]);
        assert_eq!(broken(&[key("OKP", "enc", "ECDH-ES")]), [None]);
        assert_eq!(broken(&[key("RSA", "enc", "RS256")]), [Some(CONSISTENT)]);
        assert_eq!(broken(&[key("EC", "sig", "RS256")]), [Some(CONSISTENT)]);
        assert_eq!(broken(&[key("AKP", "sig", "ML-DSA-65")]), [None], "what is not known is let pass");
    }
}
