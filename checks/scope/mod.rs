//! Scopes: what is asked for, and what is granted.

pub mod granted_scope_reported;
pub mod incremental;
pub mod narrow_request_honoured;
pub mod openid_only_when_needed;
pub mod resource_indicator_honoured;
pub mod step_up_forces_login;
pub mod unknown_scope_not_granted;
