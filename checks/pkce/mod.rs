//! Proof Key for Code Exchange.

pub mod challenge_is_not_verifier;
pub mod plain_refused;
pub mod required;
pub mod verifier_enforced;
pub mod verifier_required;
