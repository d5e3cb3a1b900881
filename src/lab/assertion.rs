//! The client that signs for itself (`private_key_jwt`): how its assertions are verified (RFC 7523 section 3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::form::Params;
use super::jwt::decode;

/// Who it is.
pub(super) const SIGNER: &str = "lab-signer";
/// The one algorithm, so that none can be talked into another.
pub(super) const ALGORITHM: &str = "ES256";

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds that an assertion may be good for: so long its jti is remembered.
const LONGEST: u64 = 3600;
/// Seconds by which a client's clock may be ahead.
const LEEWAY: u64 = 30;

/// What is known of the client's keys, and which assertions were used.
#[derive(Default)]
pub(super) struct Assertions {
    issuer: String,
    /// Points of P-256, uncompressed, with their kids.
    keys: Vec<(Option<String>, Vec<u8>)>,
    /// The jti of each, and when it can be forgotten.
    used: Mutex<HashMap<String, u64>>,
}

/// A set without a key that could verify anything.
#[derive(Debug)]
pub(super) struct NoKey;

impl Assertions {
    /// Takes the keys of a key set that are on P-256 and for signatures.
    pub(super) fn of(issuer: String, set: &Value) -> Result<Self, NoKey> {
        let members = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let keys: Vec<_> = members.iter().filter_map(key).collect();
        if keys.is_empty() { Err(NoKey) } else { Ok(Self { issuer, keys, used: Mutex::default() }) }
    }

    /// The client that an assertion stands for, if a request brings one that holds. Each holds once.
    pub(super) fn client(&self, params: &Params) -> Option<&'static str> {
        if params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return None;
        }
        let (signed, signature) = params.get("client_assertion")?.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let (header, claims) = (decode(header)?, decode(claims)?);
        let typ = header["typ"].as_str().unwrap_or("JWT").to_ascii_lowercase();
        let typed = ["jwt", "client-authentication+jwt"].contains(&typ.as_str());
        if header["alg"] != ALGORITHM || header.get("crit").is_some() || !typed {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let named = header["kid"].as_str();
        let mut fitting =
            self.keys.iter().filter(|(kid, _)| named.is_none() || kid.is_none() || kid.as_deref() == named);
        let signs = |point: &[u8]| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &signature)
        };
        fitting.find(|(_, point)| signs(point).is_ok())?;
        self.holds(&claims).then_some(SIGNER)
    }

    /// One issuer, one subject, one audience, one use. The audience is the issuer alone: an assertion for a token
    /// endpoint could come from a server that lied about its own (draft-ietf-oauth-rfc7523bis section 4).
    fn holds(&self, claims: &Value) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let whose = claims["iss"] == SIGNER && claims["sub"] == SIGNER && claims["aud"] == self.issuer.as_str();
        let Some(until) = claims["exp"].as_u64() else { return false };
        let begun = ["iat", "nbf"].iter().all(|name| match &claims[*name] {
            Value::Null => true,
            time => time.as_u64().is_some_and(|time| time <= now + LEEWAY),
        });
        let Some(jti) = claims["jti"].as_str().filter(|jti| !jti.is_empty()) else { return false };
        if !whose || !begun || until <= now || until > now + LONGEST {
            return false;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| *until > now);
        used.insert(jti.to_owned(), until).is_none()
    }
}

/// A key by which an assertion could be verified.
fn key(member: &Value) -> Option<(Option<String>, Vec<u8>)> {
    let on_curve = member["kty"] == "EC" && member["crv"] == "P-256";
    let for_signatures = member["use"].as_str().is_none_or(|of| of == "sig");
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(member[name].as_str()?).ok().filter(|bytes| bytes.len() == 32);
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    (on_curve && for_signatures).then(|| (member["kid"].as_str().map(str::to_owned), point))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::jwt::Key;
    use serde_json::json;
    use url::form_urlencoded::Serializer;

    const ISSUER: &str = "http://127.0.0.1:1";

    fn claims(jti: &str) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        json!({ "iss": SIGNER, "sub": SIGNER, "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60 })
    }

    fn shown(assertions: &Assertions, assertion: &str) -> bool {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_assertion_type", ASSERTION_TYPE).append_pair("client_assertion", assertion);
        assertions.client(&Params::parse(form.finish().as_bytes()).unwrap()) == Some(SIGNER)
    }

    #[test]
    fn an_assertion_holds_once_and_for_this_server_alone() {
        let key = Key::generate();
        let assertions = Assertions::of(ISSUER.into(), &json!({ "keys": [key.public_jwk()] })).unwrap();
        let typ = "client-authentication+jwt";
        let good = key.sign_as(typ, &claims("1"));
        assert!(shown(&assertions, &good));
        assert!(!shown(&assertions, &good), "a second time");
        assert!(!shown(&assertions, &Key::generate().sign_as(typ, &claims("2"))), "another's key");
        assert!(!shown(&assertions, &key.sign_as("at+jwt", &claims("3"))), "another kind of token");
        let now = claims("")["iat"].as_u64().unwrap();
        for (name, value) in [
            ("iss", json!("lab-public")),
            ("sub", json!("lab-public")),
            ("aud", json!("https://elsewhere.example")),
            ("aud", json!(format!("{ISSUER}/token"))),
            ("aud", json!([ISSUER, "https://elsewhere.example"])),
            ("exp", json!(now - 1)),
            ("exp", json!(now + 7 * 24 * 3600)),
            ("exp", Value::Null),
            ("nbf", json!(now + 600)),
            ("jti", Value::Null),
        ] {
            let mut bad = claims("4");
            bad[name] = value;
            assert!(!shown(&assertions, &key.sign_as(typ, &bad)), "{bad}");
        }
        assert!(shown(&assertions, &key.sign_as(typ, &claims("4"))), "what was refused is not used up");
    }

    #[test]
    fn a_set_without_such_a_key_is_none() {
        for set in [json!({}), json!({ "keys": [] }), json!({ "keys": [{ "kty": "RSA", "n": "AQ", "e": "AQAB" }] })] {
            assert!(Assertions::of(ISSUER.into(), &set).is_err());
        }
    }
}
