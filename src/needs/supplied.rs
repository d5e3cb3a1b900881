//! A refresh token that the user supplied: one grant for all checks, each of which goes on where the last one ended.

use std::sync::Arc;

use super::Shortfall;
use crate::oauth::secret::Secret;
use crate::oauth::token::{Grant, TokenAnswer, TokenSet};
use crate::wire::{ExchangeId, Wire};

/// The grant behind a supplied refresh token.
#[derive(Debug)]
pub struct SuppliedRefresh {
    grant: Arc<Grant>,
}

impl SuppliedRefresh {
    /// A grant whose youngest refresh token is the one that was supplied.
    pub fn new(grant: Arc<Grant>) -> Self {
        Self { grant }
    }

    /// Refreshes, and gives the tokens that this brought.
    pub async fn next(&self, wire: &Wire) -> Result<TokenSet, Shortfall> {
        let latest = self.grant.latest.get();
        let before = TokenSet {
            access_token: Secret::new(""),
            refresh_token: latest.clone(),
            members: serde_json::Value::Null,
            exchange: ExchangeId(0),
            grant: Arc::clone(&self.grant),
        };
        match before.refresh(wire).await? {
            Some(TokenAnswer::Granted(mut tokens)) => {
                tokens.refresh_token = tokens.refresh_token.take().or(latest);
                Ok(*tokens)
            }
            Some(TokenAnswer::Refused(error)) => Err(Shortfall::NotRun(
                format!(
                    "the refresh token that was supplied is refused with {}: it has expired, belongs to another client, \
                     or a check before this one ended its grant",
                    error.describe()
                ),
                "the audit again with a fresh refresh token, and --select with this check alone".into(),
            )),
            Some(other) => Err(Shortfall::Inconclusive(format!("refreshing was answered with {}", other.describe()))),
            None => Err(Shortfall::NotRun("no refresh token was supplied".into(), "OAUDIT_REFRESH_TOKEN".into())),
        }
    }
}
