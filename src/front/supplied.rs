//! The agent `token`: nobody signs in; the user supplies an access token, a refresh token or both.

use super::{Agent, Purpose, SignInError, Visiting};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;
use crate::wire::Wire;

/// Tokens of an earlier sign-in.
#[derive(Debug, Clone, Default)]
pub struct SuppliedTokens {
    /// The access token.
    pub access: Option<Secret>,
    /// The refresh token.
    pub refresh: Option<Secret>,
}

/// Makes no visits: what needs one is not run.
#[derive(Debug)]
pub struct TokenAgent;

impl Agent for TokenAgent {
    fn name(&self) -> &'static str {
        "token"
    }

    fn visit<'a>(&'a self, _: &'a Wire, _: &'a AuthorizationRequest, _: Purpose) -> Visiting<'a> {
        Box::pin(async {
            Err(SignInError::Unusable(
                "nobody signs in: tokens were supplied".into(),
                "leave --agent token out to sign in",
            ))
        })
    }

    fn logins(&self) -> usize {
        0
    }

    fn sees_pages(&self) -> bool {
        false
    }
}
