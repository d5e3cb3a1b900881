//! A short key can be computed from its public half; then anybody signs tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::jwks_reachable::name;
use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand, must};
use crate::document::Document;
use crate::needs::{Context, Documents};

const LONG: Demand =
    demand("An RSA key has 2048 bits or more.", &[must(Document::Rfc7518, "3.3"), must(Document::Rfc8725, "3.5")]);
const REGISTERED: Demand = demand(
    "An elliptic-curve key is on a curve that is registered for JSON Web Keys.",
    &[advice(Document::Rfc7518, "7.6"), advice(Document::Rfc8725, "3.5")],
);

/// The registered curves, all of 250 bits or more.
const CURVES: [&str; 8] = ["P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448", "X25519", "X448"];
const LEAST_BITS: usize = 2048;

/// The keys are long enough.
pub struct JwksStrongKeys;

impl Check for JwksStrongKeys {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/jwks-strong-keys",
        demands: &[LONG, REGISTERED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("jwks_strong_keys.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let Some((keys, exchange)) = documents.server.keys() else {
            return Ok(Verdict::not_applicable("no keys were found, see server_metadata/jwks-reachable").into());
        };
        let findings = keys.iter().enumerate().map(|(at, key)| judge(name(key, at), key)).collect();
        Ok(cx.fold(findings, "every key is long enough").shown_by([exchange]))
    }
}

fn judge(what: String, key: &Value) -> Finding {
    let text = |member: &str| key.get(member).and_then(Value::as_str);
    match (text("kty"), text("crv")) {
        (Some("RSA"), _) => match text("n").and_then(bits) {
            Some(bits) if bits >= LEAST_BITS => {
                Finding::new(what, Verdict::pass(format!("RSA of {bits} bits"))).measured(bits as f64, "bit")
            }
            Some(bits) => {
                let why = format!("it is RSA of {bits} bits; {LEAST_BITS} are due");
                Finding::new(what, Verdict::fail(LONG, why)).measured(bits as f64, "bit")
            }
            None => Finding::new(
                what,
                Verdict::not_applicable("its modulus cannot be read, see server_metadata/jwks-reachable"),
            ),
        },
        (Some("EC" | "OKP"), Some(curve)) if CURVES.contains(&curve) => {
            Finding::new(what, Verdict::pass(format!("on the curve {curve}")))
        }
        (Some("EC" | "OKP"), Some(curve)) => {
            Finding::new(what, Verdict::fail(REGISTERED, format!("its curve {curve} is not registered")))
        }
        (kty, _) => {
            let why = format!("nothing is known of the strength of a key of type {}", kty.unwrap_or("(none)"));
            Finding::new(what, Verdict::not_applicable(why))
        }
    }
}

/// The length of a modulus in bits, leading zeros left aside.
fn bits(modulus: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(modulus.trim_end_matches('=')).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some((bytes.len() - first) * 8 - bytes[first].leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rsa(bits: usize) -> Value {
        let mut modulus = vec![0, 0x80];
        modulus.resize(1 + bits / 8, 1);
        json!({ "kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(modulus) })
    }

    #[test]
    fn length_is_counted_in_bits() {
        let judge = |key: Value| judge("key 1".into(), &key);
        assert!(matches!(judge(rsa(2048)).verdict, Verdict::Pass(_)));
        let short = judge(rsa(1024));
        assert!(matches!(short.verdict, Verdict::Fail(LONG, _)));
        assert_eq!(short.measured.map(|m| m.value), Some(1024.0));
        assert_eq!(bits("fw"), Some(7));
        assert_eq!((bits("AA"), bits("!")), (None, None));
    }

    #[test]
    fn curves_are_known_by_name() {
        let judge = |kty: &str, crv: &str| judge("key 1".into(), &json!({ "kty": kty, "crv": crv })).verdict;
        assert!(matches!(judge("EC", "P-256"), Verdict::Pass(_)));
        assert!(matches!(judge("OKP", "Ed25519"), Verdict::Pass(_)));
        assert!(matches!(judge("EC", "P-192"), Verdict::Fail(REGISTERED, _)));
        assert!(matches!(judge("oct", ""), Verdict::NotApplicable(_)));
    }
}
