//! Token revocation.

pub mod access_token;
pub mod cascades;
pub mod refresh_token;
pub mod unknown_token_ok;
