//! Scopes: how they are named, what is asked for, and what is granted.

pub mod admin_separated;
pub mod consistent_naming;
pub mod granted_scope_reported;
pub mod granular;
pub mod incremental;
pub mod manageable_count;
pub mod narrow_request_honoured;
pub mod openid_only_when_needed;
pub mod read_write_separated;
pub mod resource_indicator_honoured;
pub mod step_up_forces_login;
pub mod unknown_scope_not_granted;
pub mod well_formed;
