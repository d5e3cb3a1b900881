//! A value that must not be shown: hides in `Debug`, wiped when dropped, read only by saying so.

use secrecy::{ExposeSecret, SecretString};

/// A code, token, verifier or client secret.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value into care.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value, to be sent.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}
