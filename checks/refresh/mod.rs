//! Refresh tokens.

pub mod access_token_after_refresh;
pub mod bound_to_client;
pub mod client_auth_required;
pub mod issued;
pub mod old_token_refused;
pub mod race;
pub mod reuse_revokes_family;
pub mod rotated;
pub mod scope_narrows;
pub mod scope_not_widened;
pub mod works;
