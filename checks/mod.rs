//! What is demanded of a server: one file a check, a folder a topic.

use crate::check::AnyCheck;

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

/// Every check, in the order of the report.
pub static ALL: &[&dyn AnyCheck] = &[
    &resource_metadata::published::Published,
    &resource_metadata::resource_matches::ResourceMatches,
    &resource_metadata::authorization_servers_listed::AuthorizationServersListed,
    &resource_metadata::challenge_401::Challenge401,
    &resource_metadata::challenge_header::ChallengeHeader,
    &resource_metadata::challenge_points_to_metadata::ChallengePointsToMetadata,
    &server_metadata::published::Published,
    &server_metadata::issuer_matches::IssuerMatches,
    &server_metadata::required_members::RequiredMembers,
    &server_metadata::https_everywhere::HttpsEverywhere,
    &server_metadata::s256_advertised::S256Advertised,
    &server_metadata::plain_not_advertised::PlainNotAdvertised,
    &server_metadata::no_implicit_advertised::NoImplicitAdvertised,
    &server_metadata::no_password_advertised::NoPasswordAdvertised,
    &server_metadata::refresh_advertised::RefreshAdvertised,
    &server_metadata::revocation_advertised::RevocationAdvertised,
    &server_metadata::jwks_reachable::JwksReachable,
    &server_metadata::jwks_public_only::JwksPublicOnly,
    &authorization::code_flow_works::CodeFlowWorks,
    &authorization::returns_code_not_token::ReturnsCodeNotToken,
    &authorization::implicit_refused::ImplicitRefused,
    &authorization::state_returned::StateReturned,
    &authorization::iss_returned::IssReturned,
    &authorization::parameters_once::ParametersOnce,
    &authorization::unknown_parameter_ignored::UnknownParameterIgnored,
    &authorization::unknown_client_not_redirected::UnknownClientNotRedirected,
    &redirect_uri::foreign_host_refused::ForeignHostRefused,
    &redirect_uri::path_exact::PathExact,
    &redirect_uri::query_exact::QueryExact,
    &pkce::required::Required,
    &pkce::plain_refused::PlainRefused,
    &pkce::verifier_enforced::VerifierEnforced,
    &pkce::verifier_required::VerifierRequired,
    &pkce::challenge_is_not_verifier::ChallengeIsNotVerifier,
    &code::single_use::SingleUse,
    &code::replay_revokes_tokens::ReplayRevokesTokens,
    &code::race_single_use::RaceSingleUse,
    &code::bound_to_client::BoundToClient,
    &code::bound_to_redirect_uri::BoundToRedirectUri,
    &code::expires::Expires,
    &code::never_issued_refused::NeverIssuedRefused,
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
    &refresh::race::Race,
    &refresh::bound_to_client::BoundToClient,
    &refresh::scope_not_widened::ScopeNotWidened,
    &refresh::scope_narrows::ScopeNarrows,
    &refresh::access_token_after_refresh::AccessTokenAfterRefresh,
    &revocation::access_token::AccessToken,
    &revocation::refresh_token::RefreshToken,
    &revocation::cascades::Cascades,
    &revocation::unknown_token_ok::UnknownTokenOk,
    &resource::accepts_valid_token::AcceptsValidToken,
    &resource::bad_token_401_not_500::BadToken401Not500,
    &resource::foreign_audience_refused::ForeignAudienceRefused,
    &resource::missing_audience_refused::MissingAudienceRefused,
    &resource::expired_token_refused::ExpiredTokenRefused,
    &resource::scope_enforced::ScopeEnforced,
    &scope::unknown_scope_not_granted::UnknownScopeNotGranted,
    &scope::narrow_request_honoured::NarrowRequestHonoured,
    &scope::granted_scope_reported::GrantedScopeReported,
    &scope::incremental::Incremental,
    &scope::step_up_forces_login::StepUpForcesLogin,
    &scope::openid_only_when_needed::OpenidOnlyWhenNeeded,
    &scope::resource_indicator_honoured::ResourceIndicatorHonoured,
];
