//! What is demanded of a server: one file a check, a folder a topic.

use crate::check::AnyCheck;
use crate::rule::Builtin;

pub mod access_token;
pub mod authorization;
pub mod code;
pub mod hygiene;
pub mod pkce;
pub mod redirect_uri;
pub mod refresh;
pub mod registration;
pub mod resource;
pub mod resource_metadata;
pub mod revocation;
pub mod scope;
pub mod server_metadata;
pub mod token;
pub mod transport;

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
    &transport::https_only::HttpsOnly,
    &transport::certificate_valid::CertificateValid,
    &transport::tls_1_2_or_newer::Tls12OrNewer,
    &transport::hsts::Hsts,
    &transport::no_cors_on_authorization::NoCorsOnAuthorization,
    &transport::cors_not_reflected::CorsNotReflected,
    &transport::frame_protection::FrameProtection,
    &transport::referrer_policy::ReferrerPolicy,
    &authorization::code_flow_works::CodeFlowWorks,
    &authorization::returns_code_not_token::ReturnsCodeNotToken,
    &authorization::implicit_refused::ImplicitRefused,
    &authorization::state_returned::StateReturned,
    &authorization::iss_returned::IssReturned,
    &authorization::parameters_once::ParametersOnce,
    &authorization::unknown_parameter_ignored::UnknownParameterIgnored,
    &authorization::unknown_client_not_redirected::UnknownClientNotRedirected,
    &authorization::denial_reported::DenialReported,
    &authorization::no_server_errors::NoServerErrors,
    &redirect_uri::foreign_host_refused::ForeignHostRefused,
    &redirect_uri::path_exact::PathExact,
    &redirect_uri::query_exact::QueryExact,
    &redirect_uri::chatgpt_allowed::ChatgptAllowed,
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
    &token::secret_required::SecretRequired,
    &token::password_grant_refused::PasswordGrantRefused,
    &token::errors_leak_nothing::ErrorsLeakNothing,
    &access_token::short_lived::ShortLived,
    &access_token::jwt_verifies::JwtVerifies,
    &access_token::audience_is_the_resource::AudienceIsTheResource,
    &access_token::at_jwt_profile::AtJwtProfile,
    &access_token::no_personal_data::NoPersonalData,
    &access_token::distinct::Distinct,
    &access_token::unguessable::Unguessable,
    &access_token::id_token_valid::IdTokenValid,
    &refresh::issued::Issued,
    &refresh::works::Works,
    &refresh::rotated::Rotated,
    &refresh::old_token_refused::OldTokenRefused,
    &refresh::reuse_revokes_family::ReuseRevokesFamily,
    &refresh::race::Race,
    &refresh::bound_to_client::BoundToClient,
    &refresh::scope_not_widened::ScopeNotWidened,
    &refresh::scope_narrows::ScopeNarrows,
    &refresh::client_auth_required::ClientAuthRequired,
    &refresh::access_token_after_refresh::AccessTokenAfterRefresh,
    &revocation::access_token::AccessToken,
    &revocation::refresh_token::RefreshToken,
    &revocation::cascades::Cascades,
    &revocation::unknown_token_ok::UnknownTokenOk,
    &resource::accepts_valid_token::AcceptsValidToken,
    &resource::bad_token_401_not_500::BadToken401Not500,
    &resource::bad_token_says_invalid_token::BadTokenSaysInvalidToken,
    &resource::tampered_token_refused::TamperedTokenRefused,
    &resource::alg_none_refused::AlgNoneRefused,
    &resource::key_confusion_refused::KeyConfusionRefused,
    &resource::embedded_key_refused::EmbeddedKeyRefused,
    &resource::foreign_issuer_refused::ForeignIssuerRefused,
    &resource::foreign_audience_refused::ForeignAudienceRefused,
    &resource::missing_audience_refused::MissingAudienceRefused,
    &resource::wrong_kind_refused::WrongKindRefused,
    &resource::expired_token_refused::ExpiredTokenRefused,
    &resource::query_token_ignored::QueryTokenIgnored,
    &resource::scope_enforced::ScopeEnforced,
    &resource::session_bound_to_user::SessionBoundToUser,
    &scope::well_formed::WellFormed,
    &scope::granular::Granular,
    &scope::consistent_naming::ConsistentNaming,
    &scope::read_write_separated::ReadWriteSeparated,
    &scope::admin_separated::AdminSeparated,
    &scope::manageable_count::ManageableCount,
    &scope::unknown_scope_not_granted::UnknownScopeNotGranted,
    &scope::narrow_request_honoured::NarrowRequestHonoured,
    &scope::granted_scope_reported::GrantedScopeReported,
    &scope::incremental::Incremental,
    &scope::step_up_forces_login::StepUpForcesLogin,
    &scope::openid_only_when_needed::OpenidOnlyWhenNeeded,
    &scope::resource_indicator_honoured::ResourceIndicatorHonoured,
    &registration::dynamic_works::DynamicWorks,
    &hygiene::no_secret_in_url::NoSecretInUrl,
    &hygiene::no_secret_in_errors::NoSecretInErrors,
    &hygiene::json_errors_everywhere::JsonErrorsEverywhere,
    &hygiene::no_banner::NoBanner,
    &hygiene::no_token_in_logs::NoTokenInLogs,
];
