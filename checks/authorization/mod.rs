//! The authorization endpoint.

pub mod code_flow_works;
pub mod implicit_refused;
pub mod iss_returned;
pub mod no_server_errors;
pub mod returns_code_not_token;
pub mod state_returned;
