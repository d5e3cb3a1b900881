//! Redirect URIs that differ from the registered one.

pub mod chatgpt_allowed;
pub mod foreign_host_refused;
pub mod path_exact;
pub mod query_exact;
