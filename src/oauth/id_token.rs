//! What an ID token must say for its client (OpenID Connect Core sections 2 and 3.1.3.7), apart from its signature. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::claims::{self, Judged};
use super::introspection::audience;
use super::jwt::Jwt;

/// What the client knows beside the token.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The issuer identifier.
    pub issuer: &'a str,
    /// `client_id`.
    pub client: &'a str,
    /// The nonce that was sent, if any.
    pub nonce: Option<&'a str>,
    /// The access token that came beside it.
    pub access_token: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Every point by its claim. `Unknown`: it does not apply here.
pub fn points(jwt: &Jwt, known: &Known<'_>) -> Vec<(&'static str, Judged)> {
    let claims = &jwt.claims;
    let sub = match claims.get("sub") {
        Some(Value::String(sub)) if !sub.is_empty() => Judged::Holds("it has a sub".into()),
        _ => Judged::Broken("it has no sub".into()),
    };
    let aud = match claims::audience_among(claims, &[known.client]) {
        Judged::Unknown(why) => Judged::Broken(why),
        other => other,
    };
    let iat = match claims.get("iat") {
        Some(_) => claims::begun(claims, known.now),
        None => Judged::Broken("it has no iat".into()),
    };
    vec![
        ("iss", claims::issuer(claims, known.issuer)),
        ("sub", sub),
        ("aud", aud),
        ("azp", authorized_party(claims, known.client)),
        ("exp", claims::expiry(claims, known.now)),
        ("iat", iat),
        ("nonce", nonce(claims, known.nonce)),
        ("at_hash", at_hash(jwt, known.access_token)),
    ]
}

fn authorized_party(claims: &Value, client: &str) -> Judged {
    match claims.get("azp").map(|azp| azp.as_str()) {
        Some(Some(azp)) if azp == client => Judged::Holds("azp is the client".into()),
        Some(_) => Judged::Broken("azp is not the client".into()),
        None if audience(claims).is_some_and(|several| several.len() > 1) => {
            Judged::Broken("it has several audiences and no azp".into())
        }
        None => Judged::Unknown("it is for one audience, and needs no azp".into()),
    }
}

fn nonce(claims: &Value, sent: Option<&str>) -> Judged {
    match (claims.get("nonce").and_then(Value::as_str), sent) {
        (_, None) => Judged::Unknown("no nonce was sent".into()),
        (Some(nonce), Some(sent)) if nonce == sent => Judged::Holds("the nonce came back".into()),
        (Some(_), Some(_)) => Judged::Broken("its nonce is not the one that was sent".into()),
        (None, Some(_)) => Judged::Broken("a nonce was sent, and it has none".into()),
    }
}

/// Left half of the hash of the access token (OpenID Connect Core section 3.1.3.6); optional with the code flow.
fn at_hash(jwt: &Jwt, access_token: &str) -> Judged {
    let Some(stated) = jwt.claims.get("at_hash").and_then(Value::as_str) else {
        return Judged::Unknown("it has no at_hash, as it may".into());
    };
    let bytes = access_token.as_bytes();
    let digest = match jwt.header.get("alg").and_then(Value::as_str).unwrap_or_default() {
        alg if alg.ends_with("256") => Sha256::digest(bytes).to_vec(),
        alg if alg.ends_with("384") => Sha384::digest(bytes).to_vec(),
        alg if alg.ends_with("512") || ["EdDSA", "Ed25519"].contains(&alg) => Sha512::digest(bytes).to_vec(),
        alg => return Judged::Unknown(format!("the hash that goes with {alg} is not known here")),
    };
    match URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]) == stated {
        true => Judged::Holds("at_hash belongs to the access token".into()),
        false => Judged::Broken("at_hash does not belong to the access token".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;
    /// An access token and its at_hash with SHA-256, computed by another implementation.
    const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    const AT_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";

    fn broken(change: impl FnOnce(&mut Value)) -> Vec<&'static str> {
        let mut claims = json!({
            "iss": "https://as", "sub": "u", "aud": "c", "exp": NOW + 60, "iat": NOW, "nonce": "n", "at_hash": AT_HASH,
        });
        change(&mut claims);
        let known = Known { issuer: "https://as", client: "c", nonce: Some("n"), access_token: ACCESS_TOKEN, now: NOW };
        let points = points(&Jwt { header: json!({"alg": "ES256"}), claims }, &known);
        points.into_iter().filter(|(_, judged)| matches!(judged, Judged::Broken(_))).map(|(name, _)| name).collect()
    }

    #[test]
    fn each_claim_by_itself() {
        assert!(broken(|_| {}).is_empty());
        for (name, value) in [
            ("iss", json!("https://as/")),
            ("sub", json!("")),
            ("aud", json!("other")),
            ("azp", json!("other")),
            ("exp", json!(NOW)),
            ("iat", json!(NOW + 90)),
            ("nonce", json!("other")),
            ("at_hash", json!("MTIzNDU2Nzg5MDEyMzQ1Ng")),
        ] {
            assert_eq!(broken(|claims| claims[name] = value), [name]);
            if !["azp", "at_hash"].contains(&name) {
                assert_eq!(broken(|claims| drop(claims.as_object_mut().unwrap().remove(name))), [name]);
            }
        }
        assert_eq!(broken(|claims| claims["aud"] = json!(["c", "d"])), ["azp"]);
        assert!(broken(|claims| drop(claims.as_object_mut().unwrap().remove("at_hash"))).is_empty());
    }
}
