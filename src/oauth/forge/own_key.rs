//! A key of our own, of the kind that the server signs with: what it signs is genuine in every way but one.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaKeyPair, RsaSignatureEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A signing key that nobody trusts.
pub struct OwnKey {
    alg: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static RsaSignatureEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnKey").field("alg", &self.alg).finish_non_exhaustive()
    }
}

impl OwnKey {
    /// A new key for the algorithm that the real token names, or for ES256 where that is none that can be signed with.
    /// `None` if the system gives no randomness.
    pub fn like(alg: &str) -> Option<Self> {
        let rsa =
            |alg, encoding| Some(Self { alg, pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).ok()?, encoding) });
        match alg {
            "RS256" => rsa("RS256", &RSA_PKCS1_SHA256),
            "RS384" => rsa("RS384", &RSA_PKCS1_SHA384),
            "RS512" => rsa("RS512", &RSA_PKCS1_SHA512),
            "PS256" => rsa("PS256", &RSA_PSS_SHA256),
            "PS384" => rsa("PS384", &RSA_PSS_SHA384),
            "PS512" => rsa("PS512", &RSA_PSS_SHA512),
            "ES384" => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).ok()?;
                Some(Self { alg: "ES384", pair: Pair::Ec(pair, "P-384") })
            }
            "ES512" => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).ok()?;
                Some(Self { alg: "ES512", pair: Pair::Ec(pair, "P-521") })
            }
            "EdDSA" => Some(Self { alg: "EdDSA", pair: Pair::Ed(Ed25519KeyPair::generate().ok()?) }),
            "Ed25519" => Some(Self { alg: "Ed25519", pair: Pair::Ed(Ed25519KeyPair::generate().ok()?) }),
            _ => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
                Some(Self { alg: "ES256", pair: Pair::Ec(pair, "P-256") })
            }
        }
    }

    /// The algorithm that it signs by.
    pub fn alg(&self) -> &'static str {
        self.alg
    }

    /// Signs, in the form of RFC 7518. `None` if the system gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            Pair::Ec(pair, _) => Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec()),
            Pair::Ed(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }

    /// The public half as a JWK, to be put where it will be believed.
    pub fn public_jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair, _) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": text(public.modulus().big_endian_without_leading_zero()),
                    "e": text(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair, crv) => {
                // An uncompressed point: one byte of form, then the two coordinates.
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                json!({ "kty": "EC", "crv": crv, "x": text(x), "y": text(y) })
            }
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jws::{Signature, verify};

    #[test]
    fn what_it_signs_its_public_half_verifies_and_no_other() {
        for alg in ["RS256", "PS384", "ES256", "ES384", "EdDSA"] {
            let key = OwnKey::like(alg).unwrap();
            assert_eq!(key.alg(), alg);
            let header = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{alg}\"}}"));
            let message = format!("{header}.e30");
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap()));
            assert!(
                matches!(verify(&token, &json!({"keys": [key.public_jwk()]})), Signature::Verified { .. }),
                "{alg}"
            );
            let other = OwnKey::like(alg).unwrap().public_jwk();
            assert!(matches!(verify(&token, &json!({"keys": [other]})), Signature::Wrong(_)), "{alg}");
        }
        assert_eq!(OwnKey::like("HS256").unwrap().alg(), "ES256");
        assert_eq!(OwnKey::like("ES512").unwrap().sign(b"x").unwrap().len(), 132);
    }
}
