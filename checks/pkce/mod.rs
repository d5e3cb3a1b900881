//! Proof Key for Code Exchange.

pub mod plain_refused;
pub mod required;
pub mod verifier_enforced;
pub mod verifier_required;
