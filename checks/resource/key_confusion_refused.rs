//! A public key is no secret: a token that is keyed with it opens nothing.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, SignedToken};
use crate::oauth::forge::{Forged, HmacAlg, Parts, key_forms};
use crate::oauth::jws::likely_keys;

const OTHER_ALGORITHM: Demand = demand(
    "A token under a symmetric algorithm, keyed with the public key, is refused.",
    &[must(Document::Rfc8725, "3.1"), must(Document::Rfc9068, "4")],
);

/// Presents the real claims under HS256, HS384 and HS512, keyed with the published key in its forms.
pub struct KeyConfusionRefused;

impl Check for KeyConfusionRefused {
    type Needs = SignedToken;
    const CARD: Card = Card {
        id: "resource/key-confusion-refused",
        demands: &[OTHER_ALGORITHM],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("key_confusion_refused.md"),
    };

    async fn run(token: SignedToken, cx: &Context) -> Outcome {
        let key_set = match &cx.audit.discovery.server.jwks {
            None => return Ok(Verdict::not_applicable("the server publishes no keys that could be confused").into()),
            Some(Err(why)) => return Ok(Verdict::inconclusive(format!("the keys could not be had: {why}")).into()),
            Some(Ok(fetched)) => fetched.json.clone().unwrap_or_default(),
        };
        if token.parts.alg().starts_with("HS") {
            let why = format!("tokens are signed by {}: there is no public key for them", token.parts.alg());
            return Ok(Verdict::not_applicable(why).into());
        }
        let forged = variants(&token.parts, &likely_keys(&token.jwt, &key_set));
        if forged.is_empty() {
            return Ok(Verdict::inconclusive("the server publishes no key of a known kind").into());
        }
        let pass = format!("{} tokens keyed with the public key were answered 401", forged.len());
        Ok(cx.fold(token.real.present_all(cx, &forged, OTHER_ALGORITHM).await, pass))
    }
}

/// At most two keys: servers publish the next one beside the one in use.
fn variants(real: &Parts, keys: &[&Value]) -> Vec<Forged> {
    let mut forged = Vec::new();
    for (at, key) in keys.iter().take(2).enumerate() {
        let name = key.get("kid").and_then(Value::as_str).map_or_else(|| format!("key {}", at + 1), str::to_owned);
        for form in key_forms(key) {
            for alg in HmacAlg::ALL {
                let what = format!("{}, keyed with {name} as {}", alg.as_str(), form.what);
                forged.push(Forged::new(what, real.keyed_with(alg, &form.bytes)));
            }
        }
    }
    forged
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_under_every_algorithm() {
        let real = Parts::of("eyJhbGciOiJFUzI1NiJ9.e30.AQIDBA").unwrap();
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "T4q2dUIYkpkybMGdGZ8LWLR1-DKb9-lnvnRC13tv4lU"});
        let forged = variants(&real, &[&key]);
        assert_eq!(forged.len(), 15);
        assert_eq!(forged[0].what, "HS256, keyed with key 1 as PEM (SPKI)");
        let mut tokens: Vec<_> = forged.iter().map(|f| &f.token).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 15, "each differs");
        assert_eq!(variants(&real, &[&key, &key, &key]).len(), 30);
        assert!(variants(&real, &[&json!({"kty": "oct"})]).is_empty());
    }
}
