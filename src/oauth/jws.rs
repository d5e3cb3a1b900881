//! Whether a published key signed a token. Reads tolerantly: what cannot be verified is said to be so, and is no failure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;

use super::jwt::Jwt;

/// What came of verifying a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// A published key of an asymmetric algorithm verifies it.
    Verified {
        /// The algorithm.
        alg: String,
        /// The key's `kid`, if it has one.
        kid: Option<String>,
    },
    /// The keys that could have signed it did not.
    Wrong(String),
    /// No published key could have signed it.
    NoKey(String),
    /// A secret that only the servers know keys it (HS256 and its like).
    Symmetric(String),
    /// It says `none`, or has no algorithm.
    Unsigned(String),
    /// We do not know how to verify it.
    CannotVerify(String),
}

/// The algorithms of RFC 7518 and RFC 8037 that can be verified here, and the kinds of key that they need.
const KNOWN: [(&str, Algorithm, &str, Option<&str>); 10] = [
    ("RS256", Algorithm::RS256, "RSA", None),
    ("RS384", Algorithm::RS384, "RSA", None),
    ("RS512", Algorithm::RS512, "RSA", None),
    ("PS256", Algorithm::PS256, "RSA", None),
    ("PS384", Algorithm::PS384, "RSA", None),
    ("PS512", Algorithm::PS512, "RSA", None),
    ("ES256", Algorithm::ES256, "EC", Some("P-256")),
    ("ES384", Algorithm::ES384, "EC", Some("P-384")),
    ("EdDSA", Algorithm::EdDSA, "OKP", Some("Ed25519")),
    ("Ed25519", Algorithm::EdDSA, "OKP", Some("Ed25519")),
];

/// Verifies a token with the keys of a key set (RFC 7517 section 5). Keys with the token's `kid` come first; where none
/// has it, and where the token names none, keys that fit are tried in turn.
pub fn verify(token: &str, key_set: &Value) -> Signature {
    let Some(jwt) = Jwt::read(token) else { return Signature::CannotVerify("it is no JWS in compact form".into()) };
    let alg = jwt.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if alg.is_empty() || alg.eq_ignore_ascii_case("none") {
        return Signature::Unsigned(format!("its alg is {alg:?}"));
    }
    if ["HS256", "HS384", "HS512"].contains(&alg) {
        return Signature::Symmetric(format!("it is signed by {alg}, with a secret that only the servers know"));
    }
    if let Some(critical) = jwt.header.get("crit") {
        return Signature::CannotVerify(format!("its header demands extensions that are not known here: {critical}"));
    }
    let Some((_, algorithm, kty, crv)) = KNOWN.into_iter().find(|(name, ..)| *name == alg) else {
        return Signature::CannotVerify(format!("the algorithm {alg} is not known here"));
    };
    let keys = key_set.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fitting: Vec<&Value> = keys.iter().filter(|key| fits(key, alg, kty, crv)).collect();
    let kid = jwt.header.get("kid").and_then(Value::as_str);
    let candidates = named(&fitting, kid);
    if candidates.is_empty() {
        return Signature::NoKey(match (kid, keys.is_empty()) {
            (_, true) => "the key set is empty".into(),
            (Some(kid), _) => format!("none of the {} published keys is for {alg} and has the kid {kid:?}", keys.len()),
            (None, _) => format!("none of the {} published keys is for {alg}", keys.len()),
        });
    }
    match try_keys(token, &candidates, alg, algorithm) {
        // Microsoft signs what it issues for Graph over a header in which the nonce is hashed; Graph alone verifies it.
        Signature::Wrong(why) if jwt.header.get("nonce").is_some() => {
            Signature::CannotVerify(format!("{why}; its header has a nonce, as tokens for Microsoft Graph have"))
        }
        other => other,
    }
}

fn try_keys(token: &str, candidates: &[&Value], alg: &str, algorithm: Algorithm) -> Signature {
    let (message, signature) = token.rsplit_once('.').unwrap_or_default();
    let signature = signature.trim_end_matches('=');
    let mut unreadable = None;
    let mut wrong = 0;
    for key in candidates {
        let verified = decoding_key(key)
            .and_then(|k| crypto::verify(signature, message.as_bytes(), &k, algorithm).map_err(|e| e.to_string()));
        match verified {
            Ok(true) => {
                let kid = key.get("kid").and_then(Value::as_str).map(str::to_owned);
                return Signature::Verified { alg: alg.to_owned(), kid };
            }
            Ok(false) => wrong += 1,
            // A signature that is no base64url is wrong under every key.
            Err(_) if URL_SAFE_NO_PAD.decode(signature).is_err() => wrong += 1,
            Err(why) => unreadable = Some(why),
        }
    }
    match unreadable {
        Some(why) => Signature::CannotVerify(format!("a key that could have signed it cannot be used here: {why}")),
        None if wrong == 1 => Signature::Wrong(format!("the published key for it does not verify the {alg} signature")),
        None => Signature::Wrong(format!("none of the {wrong} published keys for {alg} verifies the signature")),
    }
}

/// Whether a key may have been used: its type and curve, and `alg` and `use` where it states them.
fn fits(key: &Value, alg: &str, kty: &str, crv: Option<&str>) -> bool {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let same_alg = |stated: &str| stated == alg || (is_eddsa(stated) && is_eddsa(alg));
    text("kty") == Some(kty)
        && crv.is_none_or(|crv| text("crv") == Some(crv))
        && text("use").is_none_or(|u| u == "sig")
        && text("alg").is_none_or(same_alg)
}

/// RFC 9864 gave the algorithm that RFC 8037 calls EdDSA a name for each curve.
fn is_eddsa(alg: &str) -> bool {
    ["EdDSA", "Ed25519"].contains(&alg)
}

/// The keys with this `kid`; else those without any.
fn named<'a>(keys: &[&'a Value], kid: Option<&str>) -> Vec<&'a Value> {
    let of = |key: &Value| key.get("kid").and_then(Value::as_str).map(str::to_owned);
    let Some(kid) = kid else { return keys.to_vec() };
    let same: Vec<&Value> = keys.iter().copied().filter(|key| of(key).as_deref() == Some(kid)).collect();
    if !same.is_empty() { same } else { keys.iter().copied().filter(|key| of(key).is_none()).collect() }
}

fn decoding_key(key: &Value) -> Result<DecodingKey, String> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().trim_end_matches('=').to_owned();
    let read = match text("kty").as_str() {
        "RSA" => {
            let bits = URL_SAFE_NO_PAD.decode(text("n")).map_or(0, |n| n.iter().skip_while(|b| **b == 0).count() * 8);
            if bits < 2048 {
                return Err(format!("an RSA key of {bits} bits is too short"));
            }
            DecodingKey::from_rsa_components(&text("n"), &text("e"))
        }
        "EC" => DecodingKey::from_ec_components(&text("x"), &text("y")),
        _ => DecodingKey::from_ed_components(&text("x")),
    };
    read.map_err(|e| e.to_string())
}

/// The published keys that could have signed a token, those of its `kid` first; all asymmetric ones if none fits.
pub fn likely_keys<'a>(jwt: &Jwt, key_set: &'a Value) -> Vec<&'a Value> {
    let keys: Vec<&Value> = key_set.get("keys").and_then(Value::as_array).into_iter().flatten().collect();
    let alg = jwt.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let kty = if alg.starts_with("ES") {
        "EC"
    } else if is_eddsa(alg) {
        "OKP"
    } else {
        "RSA"
    };
    let fitting: Vec<&Value> = keys.iter().copied().filter(|key| fits(key, alg, kty, None)).collect();
    let named = named(&fitting, jwt.header.get("kid").and_then(Value::as_str));
    [named, fitting, keys].into_iter().find(|some| !some.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The example of RFC 7515 appendix A.3, ES256.
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn key() -> Value {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    #[test]
    fn the_example_of_rfc_7515_verifies() {
        let verified =
            |alg: &str, kid: Option<&str>| Signature::Verified { alg: alg.into(), kid: kid.map(str::to_owned) };
        assert_eq!(verify(ES256, &json!({"keys": [key()]})), verified("ES256", None));
        // A key with a kid is tried for a token that names none, after one that does not fit.
        let set = json!({"keys": [{"kty": "RSA"}, with(key(), "kid", json!("1"))]});
        assert_eq!(verify(ES256, &set), verified("ES256", Some("1")));
        // RFC 8037 appendix A.4.
        let ed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                  hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        // Its payload is no JSON, so it is no JWT.
        assert!(matches!(verify(ed, &json!({"keys": []})), Signature::CannotVerify(_)));
    }

    #[test]
    fn wrong_is_told_from_unknown() {
        let set = |key: Value| json!({ "keys": [key] });
        let tampered = ES256.replace("DtEh", "DtEi");
        assert!(matches!(verify(&tampered, &set(key())), Signature::Wrong(_)));
        assert!(matches!(verify(&ES256.replace("DtEh", "D!Eh"), &set(key())), Signature::Wrong(_)));
        for other in [
            with(key(), "use", json!("enc")),
            with(key(), "alg", json!("ES384")),
            with(key(), "crv", json!("P-384")),
            with(key(), "kty", json!("RSA")),
        ] {
            assert!(matches!(verify(ES256, &set(other)), Signature::NoKey(_)));
        }
        assert!(matches!(verify(ES256, &json!({})), Signature::NoKey(why) if why.contains("empty")));
        // A key that cannot be read is no proof against the token.
        assert!(matches!(verify(ES256, &set(with(key(), "x", json!("!")))), Signature::CannotVerify(_)));
        let token = |header: &str| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
        let short = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
        assert!(matches!(verify(&token(r#"{"alg":"RS256"}"#), &set(short)), Signature::CannotVerify(_)));
        assert!(matches!(verify(&token(r#"{"alg":"HS256"}"#), &set(key())), Signature::Symmetric(_)));
        assert!(matches!(verify(&token(r#"{"alg":"nOnE"}"#), &set(key())), Signature::Unsigned(_)));
        assert!(matches!(verify(&token("{}"), &set(key())), Signature::Unsigned(_)));
        for header in [r#"{"alg":"ES512"}"#, r#"{"alg":"ES256K"}"#, r#"{"alg":"ES256","crit":["b64"]}"#] {
            assert!(matches!(verify(&token(header), &set(key())), Signature::CannotVerify(_)), "{header}");
        }
        let graph = token(r#"{"alg":"ES256","nonce":"x"}"#);
        assert!(matches!(verify(&graph, &set(key())), Signature::CannotVerify(_)));
        assert!(matches!(verify("opaque", &set(key())), Signature::CannotVerify(_)));
    }

    #[test]
    fn the_kid_decides_where_it_is_known() {
        let token =
            |kid: &str| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#)));
        let set = json!({"keys": [with(key(), "kid", json!("1")), with(key(), "kid", json!("2"))]});
        assert!(matches!(verify(&token("2"), &set), Signature::Wrong(_)));
        assert!(matches!(verify(&token("3"), &set), Signature::NoKey(_)));
        let with_nameless = json!({"keys": [with(key(), "kid", json!("1")), key()]});
        assert!(matches!(verify(&token("3"), &with_nameless), Signature::Wrong(_)));
        let jwt = Jwt::read(&token("2")).unwrap();
        assert_eq!(likely_keys(&jwt, &set), [&set["keys"][1]]);
        let other = Jwt::read(&token("3")).unwrap();
        assert_eq!(likely_keys(&other, &set).len(), 2);
    }
}
