//! Access tokens as signed JWTs (RFC 9068), ES256 alone, by a key that lives as long as the lab.

use aws_lc_rs::encoding::{AsBigEndian, AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The signing key.
pub(super) struct Key {
    pair: EcdsaKeyPair,
    kid: String,
}

impl Key {
    pub(super) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the system has randomness");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, pair.public_key().as_ref());
        let kid = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12]);
        Self { pair, kid }
    }

    /// The public key as a member of a key set (RFC 7517).
    pub(super) fn public_jwk(&self) -> Value {
        // An uncompressed point: one byte of form, then the two coordinates.
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        })
    }

    /// The private scalar, which only a fault publishes.
    pub(super) fn private_scalar(&self) -> String {
        let scalar = self.pair.private_key().as_be_bytes();
        URL_SAFE_NO_PAD.encode(scalar.expect("the key was generated here").as_ref())
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as servers keep it in files.
    pub(super) fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().expect("the key was generated here");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// An access token (RFC 9068 section 2.1).
    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_as("at+jwt", claims)
    }

    pub(super) fn sign_as(&self, typ: &str, claims: &Value) -> String {
        let header = json!({ "typ": typ, "alg": "ES256", "kid": self.kid });
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("the system has randomness");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// The claims, if this key signed them as an access token.
    pub(super) fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = decode(header)?;
        if header["alg"] != "ES256"
            || header["typ"] != "at+jwt"
            || header["kid"] != self.kid.as_str()
            || header.get("crit").is_some()
        {
            return None;
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
            .ok()?;
        decode(claims)
    }
}

/// Whether a string has the form of a JWS: three parts, the first two of them JSON objects.
pub(super) fn is_well_formed(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return false;
    };
    let object = |part| decode(part).is_some_and(|value| value.is_object());
    object(header) && object(claims) && URL_SAFE_NO_PAD.decode(signature).is_ok()
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(super) fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_an_access_token_that_only_its_own_key_takes() {
        let key = Key::generate();
        let token = key.sign(&json!({ "sub": "alice" }));
        assert!(is_well_formed(&token));
        let header = decode(token.split('.').next().unwrap()).unwrap();
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(header["alg"], "ES256");
        assert_eq!(header["kid"], key.public_jwk()["kid"]);
        assert_eq!(key.verify(&token).unwrap()["sub"], "alice");
        assert!(Key::generate().verify(&token).is_none());
    }

    #[test]
    fn refuses_altered_tokens() {
        let key = Key::generate();
        let token = key.sign(&json!({ "sub": "alice" }));
        let parts: Vec<&str> = token.split('.').collect();
        let forged = encode(&json!({ "sub": "bob" }));
        let none = encode(&json!({ "typ": "at+jwt", "alg": "none", "kid": key.kid }));
        for bad in [
            format!("{}.{forged}.{}", parts[0], parts[2]),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([0; 64])),
            format!("{token}.x"),
            format!("{}.{}", parts[0], parts[1]),
        ] {
            assert!(key.verify(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn publishes_a_point_of_the_right_size() {
        let key = Key::generate();
        let jwk = key.public_jwk();
        for coordinate in ["x", "y"] {
            let bytes = URL_SAFE_NO_PAD.decode(jwk[coordinate].as_str().unwrap());
            assert_eq!(bytes.unwrap().len(), 32);
        }
        assert!(jwk.get("d").is_none());
        assert_eq!(URL_SAFE_NO_PAD.decode(key.private_scalar()).unwrap().len(), 32);
    }
}
