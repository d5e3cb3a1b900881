//! The protected resource.

pub mod accepts_valid_token;
pub mod bad_token_401_not_500;
