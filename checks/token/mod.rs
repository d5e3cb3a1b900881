//! The token endpoint.

pub mod error_codes;
pub mod errors_leak_nothing;
pub mod no_server_errors;
pub mod no_store;
pub mod password_grant_refused;
pub mod response_format;
pub mod secret_required;
