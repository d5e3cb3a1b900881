//! The access tokens that the server issued in this run, in the order of their answers, for what only many of them show.

use std::sync::Mutex;

use secrecy::{ExposeSecret as _, SecretString};

use super::ExchangeId;

/// Every access token that a token endpoint answered with. Nothing of it is ever written anywhere.
#[derive(Default)]
pub struct Issued(Mutex<Vec<(ExchangeId, SecretString)>>);

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl Issued {
    /// Remembers one.
    pub(crate) fn note(&self, exchange: ExchangeId, token: &str) {
        if let Ok(mut known) = self.0.lock() {
            known.push((exchange, SecretString::from(token)));
        }
    }

    /// All of them so far, by the number of the exchange that brought each.
    pub(crate) fn all(&self) -> Vec<(ExchangeId, String)> {
        let Ok(known) = self.0.lock() else { return Vec::new() };
        let mut all: Vec<_> = known.iter().map(|(id, token)| (*id, token.expose_secret().to_owned())).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }
}
