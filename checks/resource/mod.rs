//! The protected resource.

pub mod accepts_valid_token;
pub mod alg_none_refused;
pub mod bad_token_401_not_500;
pub mod bad_token_says_invalid_token;
pub mod embedded_key_refused;
pub mod expired_token_refused;
pub mod foreign_audience_refused;
pub mod foreign_issuer_refused;
pub mod key_confusion_refused;
pub mod missing_audience_refused;
pub mod query_token_ignored;
pub mod scope_enforced;
pub mod session_bound_to_user;
pub mod tampered_token_refused;
pub mod wrong_kind_refused;
