//! Authorization codes at the token endpoint.

pub mod replay_revokes_tokens;
pub mod single_use;
