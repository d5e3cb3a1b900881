//! What is demanded of a server: one file a check, a folder a topic.

use crate::check::AnyCheck;

pub mod authorization;
pub mod code;
pub mod pkce;
pub mod redirect_uri;
pub mod refresh;
pub mod resource;
pub mod revocation;
pub mod scope;
pub mod token;

/// Every check, in the order of the report.
pub static ALL: &[&dyn AnyCheck] = &[
    &authorization::code_flow_works::CodeFlowWorks,
    &authorization::returns_code_not_token::ReturnsCodeNotToken,
    &authorization::implicit_refused::ImplicitRefused,
    &authorization::state_returned::StateReturned,
    &authorization::iss_returned::IssReturned,
    &redirect_uri::foreign_host_refused::ForeignHostRefused,
    &redirect_uri::path_exact::PathExact,
    &redirect_uri::query_exact::QueryExact,
    &pkce::required::Required,
    &pkce::plain_refused::PlainRefused,
    &pkce::verifier_enforced::VerifierEnforced,
    &pkce::verifier_required::VerifierRequired,
    &code::single_use::SingleUse,
    &code::replay_revokes_tokens::ReplayRevokesTokens,
    &token::response_format::ResponseFormat,
    &token::no_store::NoStore,
    &token::error_codes::ErrorCodes,
    &token::no_server_errors::NoServerErrors,
    &token::password_grant_refused::PasswordGrantRefused,
    &refresh::issued::Issued,
    &refresh::works::Works,
    &refresh::rotated::Rotated,
    &refresh::old_token_refused::OldTokenRefused,
    &refresh::reuse_revokes_family::ReuseRevokesFamily,
    &refresh::scope_not_widened::ScopeNotWidened,
    &refresh::scope_narrows::ScopeNarrows,
    &revocation::access_token::AccessToken,
    &revocation::refresh_token::RefreshToken,
    &resource::accepts_valid_token::AcceptsValidToken,
    &resource::bad_token_401_not_500::BadToken401Not500,
    &scope::unknown_scope_not_granted::UnknownScopeNotGranted,
    &scope::narrow_request_honoured::NarrowRequestHonoured,
];
