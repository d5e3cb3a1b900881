//! Proof Key for Code Exchange (RFC 7636): verifiers, and the S256 challenge made of one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::secret::Secret;

/// Random bytes in base64url, for states, verifiers and labels.
pub fn random_text(bytes: usize) -> String {
    let mut buffer = vec![0u8; bytes];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}

/// A code verifier (section 4.1). Not `Clone`: it belongs to one authorization request.
#[derive(Debug)]
pub struct Verifier(Secret);

impl Verifier {
    /// 32 random octets, 43 characters, as section 7.1 recommends.
    pub fn random() -> Self {
        Self(Secret::new(random_text(32)))
    }

    /// A verifier of a given text.
    pub fn of(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    /// The text, to be sent.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// `BASE64URL(SHA256(ASCII(verifier)))` (section 4.2).
    pub fn s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.expose().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_appendix_b() {
        let verifier = Verifier::of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.s256(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_verifier_has_43_unreserved_characters() {
        let verifier = Verifier::random();
        assert_eq!(verifier.expose().len(), 43);
        assert!(verifier.expose().chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)));
        assert_ne!(verifier.expose(), Verifier::random().expose());
    }
}
