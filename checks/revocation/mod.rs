//! Token revocation.

pub mod access_token;
pub mod refresh_token;
