//! The authorization endpoint.

pub mod code_flow_works;
pub mod denial_reported;
pub mod implicit_refused;
pub mod iss_returned;
pub mod no_server_errors;
pub mod parameters_once;
pub mod returns_code_not_token;
pub mod state_returned;
pub mod unknown_client_not_redirected;
pub mod unknown_parameter_ignored;
