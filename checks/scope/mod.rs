//! Scopes: what is asked for, and what is granted.

pub mod narrow_request_honoured;
pub mod unknown_scope_not_granted;
