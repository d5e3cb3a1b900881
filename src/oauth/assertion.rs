//! A client that shows who it is by a signature (`private_key_jwt`; RFC 7523, draft-ietf-oauth-rfc7523bis).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::json;

use super::pkce::random_text;

/// `client_assertion_type` (RFC 7523 section 2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds that an assertion is good for: one request, and a little for clocks that differ.
const LIFE: u64 = 120;

/// The private key of a client.
#[derive(Clone)]
pub struct ClientKey {
    key: EncodingKey,
    /// What it can sign with, the most usual first.
    algorithms: Vec<(&'static str, Algorithm)>,
    /// The `kid` under which the server knows its public half, if it has several.
    kid: Option<String>,
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.algorithms.iter().map(|(name, _)| *name).collect();
        f.debug_struct("ClientKey").field("algorithms", &names).field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl ClientKey {
    /// Reads a private key: RSA, EC on P-256 or P-384, or Ed25519, in PEM (PKCS #8; for RSA PKCS #1 as well).
    ///
    /// # Errors
    /// In a sentence, for whoever named the file.
    pub fn read(pem: &[u8], kid: Option<String>) -> Result<Self, String> {
        let families = [
            (EncodingKey::from_rsa_pem(pem), vec![("RS256", Algorithm::RS256), ("PS256", Algorithm::PS256)]),
            (EncodingKey::from_ec_pem(pem), vec![("ES256", Algorithm::ES256), ("ES384", Algorithm::ES384)]),
            (EncodingKey::from_ed_pem(pem), vec![("EdDSA", Algorithm::EdDSA)]),
        ];
        for (key, mut algorithms) in families {
            let Ok(key) = key else { continue };
            algorithms.retain(|(_, algorithm)| crypto::sign(b"", &key, *algorithm).is_ok());
            if !algorithms.is_empty() {
                return Ok(Self { key, algorithms, kid });
            }
        }
        Err("it holds no private key that can be used: RSA, EC on P-256 or P-384, or Ed25519, in PEM (PKCS #8)".into())
    }

    /// Signs for one server: with what it lists in `token_endpoint_auth_signing_alg_values_supported`, if it lists any
    /// that the key can. The audience is its issuer and nothing else (draft-ietf-oauth-rfc7523bis section 4): an
    /// assertion for a token endpoint could be passed on by a server that lies about its own.
    pub fn for_server(&self, issuer: &str, listed: Option<&[&str]>) -> Signer {
        let wanted = self.algorithms.iter().find(|(name, _)| listed.is_some_and(|l| l.contains(name)));
        let (alg, algorithm) = wanted.or(self.algorithms.first()).copied().unwrap_or(("RS256", Algorithm::RS256));
        Signer { key: self.clone(), alg, algorithm, audience: issuer.to_owned() }
    }
}

/// Makes assertions for one server.
#[derive(Debug, Clone)]
pub struct Signer {
    key: ClientKey,
    alg: &'static str,
    algorithm: Algorithm,
    audience: String,
}

impl Signer {
    /// A fresh assertion of this client; each is good once.
    pub fn assertion(&self, client_id: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut header = json!({ "alg": self.alg, "typ": "client-authentication+jwt" });
        if let Some(kid) = &self.key.kid {
            header["kid"] = json!(kid);
        }
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": self.audience,
            "jti": random_text(32), "iat": now, "exp": now + LIFE,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        // The key was seen to sign when it was read.
        let signature = crypto::sign(message.as_bytes(), &self.key.key, self.algorithm).unwrap_or_default();
        format!("{message}.{signature}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oauth::jws::{Signature, verify};
    use crate::oauth::jwt::Jwt;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    /// A key of a kind, as PEM.
    pub(crate) fn pem(of: &'static rcgen::SignatureAlgorithm) -> String {
        KeyPair::generate_for(of).unwrap().serialize_pem()
    }

    #[test]
    fn the_issuer_is_the_audience_and_the_public_half_verifies() {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let key = ClientKey::read(pair.serialize_pem().as_bytes(), Some("k1".into())).unwrap();
        let assertion = key.for_server("https://as.example", None).assertion("me");
        let jwt = Jwt::read(&assertion).unwrap();
        assert_eq!((&jwt.header["alg"], &jwt.header["kid"]), (&json!("ES256"), &json!("k1")));
        assert_eq!(jwt.claims["aud"], json!("https://as.example"));
        assert_eq!((&jwt.claims["iss"], &jwt.claims["sub"]), (&json!("me"), &json!("me")));
        let point = pair.public_key_raw();
        let (x, y) = point[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y}]});
        assert!(matches!(verify(&assertion, &keys), Signature::Verified { .. }));
        assert_ne!(assertion, key.for_server("https://as.example", None).assertion("me"));
        assert!(!format!("{key:?}").contains("BEGIN"));
    }

    #[test]
    fn kinds_of_keys_are_told_apart() {
        for (of, alg) in
            [(&PKCS_ECDSA_P256_SHA256, "ES256"), (&PKCS_ECDSA_P384_SHA384, "ES384"), (&PKCS_ED25519, "EdDSA")]
        {
            let key = ClientKey::read(pem(of).as_bytes(), None).unwrap();
            assert_eq!(key.for_server("i", Some(&["RS256"])).alg, alg);
        }
        assert!(ClientKey::read(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", None).is_err());
        assert!(ClientKey::read(b"", None).unwrap_err().contains("no private key"));
    }
}
