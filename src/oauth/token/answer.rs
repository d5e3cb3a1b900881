//! What the token endpoint answered: tokens, an error that it names, or something else, which is never a refusal.

use std::sync::Arc;

use serde_json::Value;

use super::{Grant, TokenSet};
use crate::oauth::secret::Secret;
use crate::wire::{ExchangeId, Reply};

/// An error answer in the form of RFC 6749 section 5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    /// The status.
    pub status: u16,
    /// `error`.
    pub error: String,
    /// `error_description`.
    pub description: Option<String>,
    /// The exchange that brought it.
    pub exchange: ExchangeId,
}

impl OAuthError {
    /// `400 invalid_grant`.
    pub fn describe(&self) -> String {
        format!("{} {}", self.status, self.error)
    }
}

/// An answer of the token endpoint.
#[derive(Debug)]
pub enum TokenAnswer {
    /// Tokens.
    Granted(Box<TokenSet>),
    /// An error that is named.
    Refused(OAuthError),
    /// Anything else: a 5xx, HTML, JSON without `error`. Never a refusal.
    Odd {
        /// The status.
        status: u16,
        /// What it is, in words.
        why: String,
        /// The exchange that brought it.
        exchange: ExchangeId,
    },
}

impl TokenAnswer {
    /// Reads an answer.
    pub fn read(reply: &Reply, grant: &Arc<Grant>) -> Self {
        let (status, exchange) = (reply.status, reply.id);
        let json = reply.json();
        let text = |name: &str| json.as_ref().and_then(|j| j.get(name)).and_then(Value::as_str);
        let odd = |why: String| Self::Odd { status, why, exchange };
        if reply.is_success()
            && let Some(access_token) = text("access_token").filter(|t| !t.is_empty())
        {
            if let Some(why) = uncarried(access_token) {
                return odd(format!("{status} with an access_token that {why}"));
            }
            let refresh_token = text("refresh_token").filter(|t| !t.is_empty()).map(Secret::new);
            if let Some(token) = &refresh_token {
                grant.latest.set(token);
            }
            return Self::Granted(Box::new(TokenSet {
                access_token: Secret::new(access_token),
                refresh_token,
                members: json.clone().unwrap_or_default(),
                exchange,
                grant: Arc::clone(grant),
            }));
        }
        match text("error") {
            _ if status >= 500 => odd(format!("a server error ({status})")),
            Some(error) => Self::Refused(OAuthError {
                status,
                error: error.to_owned(),
                description: text("error_description").map(str::to_owned),
                exchange,
            }),
            None if reply.truncated => {
                odd(format!("{status} with more than {} KiB, which was not read to its end", reply.body.len() >> 10))
            }
            None if json.is_some() => odd(format!("{status} with JSON that has neither access_token nor error")),
            None => odd(format!("{status} with a body that is not JSON ({})", shown(&reply.media_type()))),
        }
    }

    /// The exchange that brought it.
    pub fn exchange(&self) -> ExchangeId {
        match self {
            Self::Granted(tokens) => tokens.exchange,
            Self::Refused(error) => error.exchange,
            Self::Odd { exchange, .. } => *exchange,
        }
    }

    /// In a few words, without secrets.
    pub fn describe(&self) -> String {
        match self {
            Self::Granted(_) => "an access token".into(),
            Self::Refused(error) => error.describe(),
            Self::Odd { why, .. } => why.clone(),
        }
    }
}

fn shown(media_type: &str) -> &str {
    if media_type.is_empty() { "no content type" } else { media_type }
}

/// Why no `Authorization` header carries a token: a character outside VSCHAR (RFC 6749 appendix A.12), or its length.
fn uncarried(token: &str) -> Option<String> {
    const MOST: usize = 64 << 10;
    if token.len() > MOST {
        return Some(format!("has {} KiB, more than any server takes in a header", token.len() >> 10));
    }
    let odd = token.chars().find(|c| !matches!(c, '\x20'..='\x7e'))?;
    Some(format!(
        "holds the character {:?} (RFC 6749 appendix A.12 allows printable ASCII)",
        odd.escape_unicode().to_string()
    ))
}
