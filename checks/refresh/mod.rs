//! Refresh tokens.

pub mod issued;
pub mod old_token_refused;
pub mod reuse_revokes_family;
pub mod rotated;
pub mod scope_narrows;
pub mod scope_not_widened;
pub mod works;
