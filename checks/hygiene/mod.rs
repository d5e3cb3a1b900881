//! What is read from everything that was sent and came back, at the end.

pub mod json_errors_everywhere;
pub mod no_banner;
pub mod no_secret_in_errors;
pub mod no_secret_in_url;
pub mod no_token_in_logs;
