//! Authorization codes at the token endpoint.

pub mod bound_to_client;
pub mod bound_to_redirect_uri;
pub mod expires;
pub mod never_issued_refused;
pub mod race_single_use;
pub mod replay_revokes_tokens;
pub mod single_use;
