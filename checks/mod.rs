//! What is demanded of a server: one file a check, a folder a topic.

use crate::check::AnyCheck;
use crate::rule::Builtin;

pub mod authorization;
pub mod code;
pub mod pkce;
pub mod redirect_uri;
pub mod refresh;
pub mod resource;
pub mod resource_metadata;
pub mod revocation;
pub mod scope;
pub mod server_metadata;
pub mod token;

/// A check that only looks: `checks/PATH.toml` beside its page `checks/PATH.md`.
macro_rules! rule {
    ($path:literal) => {{
        static RULE: Builtin =
            Builtin::new($path, include_str!(concat!($path, ".toml")), include_str!(concat!($path, ".md")));
        &RULE
    }};
}

/// Every check, in the order of the report.
pub static ALL: &[&dyn AnyCheck] = &[
    &resource_metadata::published::Published,
    &resource_metadata::resource_matches::ResourceMatches,
    &resource_metadata::authorization_servers_listed::AuthorizationServersListed,
    rule!("resource_metadata/no_as_members"),
    rule!("resource_metadata/bearer_methods"),
    rule!("resource_metadata/scopes_listed"),
    &resource_metadata::challenge_401::Challenge401,
    &resource_metadata::challenge_header::ChallengeHeader,
    &resource_metadata::challenge_points_to_metadata::ChallengePointsToMetadata,
    &server_metadata::published::Published,
    &server_metadata::issuer_matches::IssuerMatches,
    &server_metadata::required_members::RequiredMembers,
    &server_metadata::https_everywhere::HttpsEverywhere,
    rule!("server_metadata/s256_advertised"),
    rule!("server_metadata/plain_not_advertised"),
    rule!("server_metadata/no_implicit_advertised"),
    rule!("server_metadata/no_password_advertised"),
    rule!("server_metadata/refresh_advertised"),
    rule!("server_metadata/revocation_advertised"),
    &server_metadata::iss_advertised::IssAdvertised,
    rule!("server_metadata/auth_methods_advertised"),
    rule!("server_metadata/no_none_signing"),
    rule!("server_metadata/scopes_listed"),
    &server_metadata::registration_path::RegistrationPath,
    &server_metadata::jwks_reachable::JwksReachable,
    &server_metadata::jwks_public_only::JwksPublicOnly,
    &server_metadata::jwks_strong_keys::JwksStrongKeys,
    &server_metadata::jwks_kids_unique::JwksKidsUnique,
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
