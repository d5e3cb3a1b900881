//! What is demanded of a server: one file a check, a folder a topic.

use crate::check::AnyCheck;

pub mod authorization;

/// Every check, in the order of the report.
pub static ALL: &[&dyn AnyCheck] = &[
    &authorization::code_flow_works::CodeFlowWorks,
    &authorization::returns_code_not_token::ReturnsCodeNotToken,
    &authorization::implicit_refused::ImplicitRefused,
    &authorization::state_returned::StateReturned,
    &authorization::iss_returned::IssReturned,
];
