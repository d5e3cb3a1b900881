//! The protected resource.

pub mod accepts_valid_token;
pub mod bad_token_401_not_500;
pub mod expired_token_refused;
pub mod foreign_audience_refused;
pub mod missing_audience_refused;
pub mod scope_enforced;
