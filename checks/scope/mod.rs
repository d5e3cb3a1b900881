//! Scopes: how they are named, what is asked for, and what is granted.

pub mod admin_separated;
pub mod consistent_naming;
pub mod granular;
pub mod manageable_count;
pub mod narrow_request_honoured;
pub mod read_write_separated;
pub mod unknown_scope_not_granted;
pub mod well_formed;
