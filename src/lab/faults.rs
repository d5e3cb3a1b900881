//! The faults that can be switched on, one for each thing a check looks for, and the ids each must turn red.

/// A defect the lab can be given. Everything else stays as it was.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The name used on the command line.
    pub name: &'static str,
    /// What the lab does wrong under it.
    pub about: &'static str,
    /// The check ids it must turn red, and no other.
    pub breaks: &'static [&'static str],
    pub(super) flaw: Flaw,
}

/// The same faults as values, so that a typing mistake inside the lab does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NoMetadataType,
    ResourceMismatch,
    NoAuthorizationServers,
    Challenge403,
    OpenResource,
    NoChallenge,
    ChallengeWithoutMetadata,
    ServerMetadataType,
    IssuerMismatch,
    MissingResponseTypes,
    MemberOfWrongType,
    HttpEndpoint,
    S256Unadvertised,
    PlainAdvertised,
    ImplicitAdvertised,
    PasswordAdvertised,
    RefreshUnadvertised,
    RevocationUnadvertised,
    Jwks500,
    JwksEmpty,
    JwksPrivateKey,
    CodeFlowBroken,
    TokenBesideCode,
    ImplicitAlive,
    StateTruncated,
    StateMangled,
    StateLostOnError,
    IssMissing,
    IssMissingOnError,
    IssWrong,
    RedirectAnyHost,
    RedirectPatternHost,
    RedirectPathPrefix,
    RedirectQueryIgnored,
    PkceOptional,
    PlainAccepted,
    VerifierIgnored,
    VerifierOptional,
    CodeReusable,
    ReplayKeepsTokens,
    ExpiresInString,
    TokenCacheable,
    WrongErrorCodes,
    Token500OnGarbage,
    PasswordGrantAlive,
    NoRefreshToken,
    RefreshYieldsDeadToken,
    NoRotation,
    OldRefreshTokenAlive,
    FamilySurvivesReuse,
    RefreshWidensScope,
    RefreshIgnoresNarrowerScope,
    RevocationSparesAccessTokens,
    RevocationSparesRefreshTokens,
    UnknownScopeGranted,
    ScopeRequestIgnored,
    ValidTokenRefused,
    BadToken500,
}

/// Which faults are switched on.
#[derive(Clone, Copy, Default)]
pub(super) struct Flaws(u128);

impl Flaws {
    pub(super) fn has(self, flaw: Flaw) -> bool {
        self.0 & (1 << flaw as u32) != 0
    }

    pub(super) fn add(&mut self, flaw: Flaw) {
        self.0 |= 1 << flaw as u32;
    }
}

const fn fault(
    flaw: Flaw,
    name: &'static str,
    breaks: &'static [&'static str],
    about: &'static str,
) -> Fault {
    Fault {
        name,
        about,
        breaks,
        flaw,
    }
}

/// Every fault, in the order of the catalogue.
pub static FAULTS: &[Fault] = &[
    fault(
        Flaw::NoMetadataType,
        "no-metadata-type",
        &["resource_metadata/published"],
        "the protected resource metadata is served as text/plain",
    ),
    fault(
        Flaw::ResourceMismatch,
        "resource-mismatch",
        &["resource_metadata/resource-matches"],
        "the resource identifier in the metadata ends in a slash that the endpoint does not have",
    ),
    fault(
        Flaw::NoAuthorizationServers,
        "no-authorization-servers",
        &["resource_metadata/authorization-servers-listed"],
        "the protected resource metadata names no authorization server",
    ),
    fault(
        Flaw::Challenge403,
        "challenge-403",
        &["resource_metadata/challenge-401"],
        "a request without credentials is answered 403, with the same challenge",
    ),
    fault(
        Flaw::OpenResource,
        "open-resource",
        &["resource_metadata/challenge-401"],
        "the resource is open to requests without credentials, and judges those that bring some",
    ),
    fault(
        Flaw::NoChallenge,
        "no-challenge",
        &["resource_metadata/challenge-header"],
        "the 401 to a request without credentials has no WWW-Authenticate header",
    ),
    fault(
        Flaw::ChallengeWithoutMetadata,
        "challenge-without-metadata",
        &["resource_metadata/challenge-points-to-metadata"],
        "challenges name a realm and no resource_metadata",
    ),
    fault(
        Flaw::ServerMetadataType,
        "server-metadata-type",
        &["server_metadata/published"],
        "the authorization server metadata is served as text/html",
    ),
    fault(
        Flaw::IssuerMismatch,
        "issuer-mismatch",
        &["server_metadata/issuer-matches"],
        "the authorization server calls itself by its issuer with a slash at the end",
    ),
    fault(
        Flaw::MissingResponseTypes,
        "missing-response-types",
        &["server_metadata/required-members"],
        "the authorization server metadata lacks response_types_supported",
    ),
    fault(
        Flaw::MemberOfWrongType,
        "member-of-wrong-type",
        &["server_metadata/required-members"],
        "scopes_supported of the authorization server is a string where an array belongs",
    ),
    fault(
        Flaw::HttpEndpoint,
        "http-endpoint",
        &["server_metadata/https-everywhere"],
        "the authorization server metadata lists an endpoint with http on a host that is not loopback",
    ),
    fault(
        Flaw::S256Unadvertised,
        "s256-unadvertised",
        &["server_metadata/s256-advertised"],
        "code_challenge_methods_supported is missing",
    ),
    fault(
        Flaw::PlainAdvertised,
        "plain-advertised",
        &["server_metadata/plain-not-advertised"],
        "plain is advertised as a challenge method, though refused",
    ),
    fault(
        Flaw::ImplicitAdvertised,
        "implicit-advertised",
        &["server_metadata/no-implicit-advertised"],
        "the implicit grant is advertised, though refused",
    ),
    fault(
        Flaw::PasswordAdvertised,
        "password-advertised",
        &["server_metadata/no-password-advertised"],
        "the password grant is advertised, though refused",
    ),
    fault(
        Flaw::RefreshUnadvertised,
        "refresh-unadvertised",
        &["server_metadata/refresh-advertised"],
        "grant_types_supported lacks refresh_token, though it works",
    ),
    fault(
        Flaw::RevocationUnadvertised,
        "revocation-unadvertised",
        &["server_metadata/revocation-advertised"],
        "the metadata lacks revocation_endpoint, though it works",
    ),
    fault(
        Flaw::Jwks500,
        "jwks-500",
        &["server_metadata/jwks-reachable"],
        "jwks_uri answers 500",
    ),
    fault(
        Flaw::JwksEmpty,
        "jwks-empty",
        &["server_metadata/jwks-reachable"],
        "the key set is empty",
    ),
    fault(
        Flaw::JwksPrivateKey,
        "jwks-private-key",
        &["server_metadata/jwks-public-only"],
        "the key set publishes the private part of the signing key",
    ),
    fault(
        Flaw::CodeFlowBroken,
        "code-flow-broken",
        &["authorization/code-flow-works"],
        "no code can be redeemed",
    ),
    fault(
        Flaw::TokenBesideCode,
        "token-beside-code",
        &["authorization/returns-code-not-token"],
        "an access token stands in the fragment beside the code",
    ),
    fault(
        Flaw::ImplicitAlive,
        "implicit-alive",
        &["authorization/implicit-refused"],
        "response_type=token yields a token, though not advertised",
    ),
    fault(
        Flaw::StateTruncated,
        "state-truncated",
        &["authorization/state-returned"],
        "state is cut off after 128 characters",
    ),
    fault(
        Flaw::StateMangled,
        "state-mangled",
        &["authorization/state-returned"],
        "state is decoded twice, so that plus and percent signs do not survive",
    ),
    fault(
        Flaw::StateLostOnError,
        "state-lost-on-error",
        &["authorization/state-returned"],
        "error redirects come without state",
    ),
    fault(
        Flaw::IssMissing,
        "iss-missing",
        &["authorization/iss-returned"],
        "iss is advertised and never sent",
    ),
    fault(
        Flaw::IssMissingOnError,
        "iss-missing-on-error",
        &["authorization/iss-returned"],
        "error redirects come without iss",
    ),
    fault(
        Flaw::IssWrong,
        "iss-wrong",
        &["authorization/iss-returned"],
        "iss names another issuer",
    ),
    fault(
        Flaw::RedirectAnyHost,
        "redirect-any-host",
        &["redirect_uri/foreign-host-refused"],
        "the host of the redirect URI is not compared",
    ),
    fault(
        Flaw::RedirectPatternHost,
        "redirect-pattern-host",
        &["redirect_uri/foreign-host-refused"],
        "the registered host is matched as a pattern whose dots are any character, after any user information",
    ),
    fault(
        Flaw::RedirectPathPrefix,
        "redirect-path-prefix",
        &["redirect_uri/path-exact"],
        "the path of the redirect URI has only to begin as registered",
    ),
    fault(
        Flaw::RedirectQueryIgnored,
        "redirect-query-ignored",
        &["redirect_uri/query-exact"],
        "the query of the redirect URI is not compared",
    ),
    fault(
        Flaw::PkceOptional,
        "pkce-optional",
        &["pkce/required"],
        "a request without code_challenge gets a code that buys a token",
    ),
    fault(
        Flaw::PlainAccepted,
        "plain-accepted",
        &["pkce/plain-refused"],
        "the plain challenge method works, though not advertised",
    ),
    fault(
        Flaw::VerifierIgnored,
        "verifier-ignored",
        &["pkce/verifier-enforced"],
        "any well-formed code_verifier will do",
    ),
    fault(
        Flaw::VerifierOptional,
        "verifier-optional",
        &["pkce/verifier-required"],
        "a missing or empty code_verifier will do",
    ),
    fault(
        Flaw::CodeReusable,
        "code-reusable",
        &["code/single-use"],
        "a code buys new tokens again and again",
    ),
    fault(
        Flaw::ReplayKeepsTokens,
        "replay-keeps-tokens",
        &["code/replay-revokes-tokens"],
        "a replayed code is refused and the tokens it bought live on",
    ),
    fault(
        Flaw::ExpiresInString,
        "expires-in-string",
        &["token/response-format"],
        "expires_in is a string",
    ),
    fault(
        Flaw::TokenCacheable,
        "token-cacheable",
        &["token/no-store"],
        "token answers have no Cache-Control header",
    ),
    fault(
        Flaw::WrongErrorCodes,
        "wrong-error-codes",
        &["token/error-codes"],
        "an unknown grant type is answered invalid_request",
    ),
    fault(
        Flaw::Token500OnGarbage,
        "token-500-on-garbage",
        &["token/no-server-errors"],
        "a malformed token request is answered 500 in plain text",
    ),
    fault(
        Flaw::PasswordGrantAlive,
        "password-grant-alive",
        &["token/password-grant-refused"],
        "the password grant works, though not advertised",
    ),
    fault(
        Flaw::NoRefreshToken,
        "no-refresh-token",
        &["refresh/issued"],
        "no refresh token is issued, though advertised",
    ),
    fault(
        Flaw::RefreshYieldsDeadToken,
        "refresh-yields-dead-token",
        &["refresh/works"],
        "the resource refuses access tokens that came from a refresh",
    ),
    fault(
        Flaw::NoRotation,
        "no-rotation",
        &["refresh/rotated"],
        "the refresh token is never replaced and stays good",
    ),
    fault(
        Flaw::OldRefreshTokenAlive,
        "old-refresh-token-alive",
        &["refresh/old-token-refused"],
        "refresh tokens are replaced, and the old ones stay good",
    ),
    fault(
        Flaw::FamilySurvivesReuse,
        "family-survives-reuse",
        &["refresh/reuse-revokes-family"],
        "a replayed refresh token is refused and its successors live on",
    ),
    fault(
        Flaw::RefreshWidensScope,
        "refresh-widens-scope",
        &["refresh/scope-not-widened"],
        "a refresh grants scopes that were never granted before",
    ),
    fault(
        Flaw::RefreshIgnoresNarrowerScope,
        "refresh-ignores-narrower-scope",
        &["refresh/scope-narrows"],
        "a refresh for fewer scopes grants all of them and does not say so",
    ),
    fault(
        Flaw::RevocationSparesAccessTokens,
        "revocation-spares-access-tokens",
        &["revocation/access-token"],
        "a revoked access token lives on",
    ),
    fault(
        Flaw::RevocationSparesRefreshTokens,
        "revocation-spares-refresh-tokens",
        &["revocation/refresh-token"],
        "a revoked refresh token lives on",
    ),
    fault(
        Flaw::UnknownScopeGranted,
        "unknown-scope-granted",
        &["scope/unknown-scope-not-granted"],
        "scopes that do not exist are granted",
    ),
    fault(
        Flaw::ScopeRequestIgnored,
        "scope-request-ignored",
        &["scope/narrow-request-honoured"],
        "every scope is granted, whatever was asked, and the answer does not say so",
    ),
    fault(
        Flaw::ValidTokenRefused,
        "valid-token-refused",
        &["resource/accepts-valid-token"],
        "the resource refuses every token",
    ),
    fault(
        Flaw::BadToken500,
        "bad-token-500",
        &["resource/bad-token-401-not-500"],
        "the resource answers 500 to a token it cannot read",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every source of the lab but this one.
    const SOURCES: &[&str] = &[
        include_str!("authorize.rs"),
        include_str!("metadata.rs"),
        include_str!("redirect_uri.rs"),
        include_str!("resource.rs"),
        include_str!("revocation.rs"),
        include_str!("server.rs"),
        include_str!("signin.rs"),
        include_str!("store.rs"),
        include_str!("token.rs"),
    ];

    #[test]
    fn names_are_unique_and_say_what_they_break() {
        for (place, fault) in FAULTS.iter().enumerate() {
            assert!(FAULTS[..place].iter().all(|f| f.name != fault.name));
            assert!(!fault.breaks.is_empty(), "{}", fault.name);
            assert!(fault.breaks.iter().all(|id| id.contains('/')));
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_the_values_and_complete() {
        for (place, fault) in FAULTS.iter().enumerate() {
            assert_eq!(fault.flaw as usize, place, "{}", fault.name);
        }
        assert_eq!(FAULTS.len(), Flaw::BadToken500 as usize + 1);
        assert!(FAULTS.len() <= 128, "Flaws holds 128");
    }

    #[test]
    fn every_fault_is_read_somewhere() {
        for fault in FAULTS {
            let value = format!("Flaw::{:?}", fault.flaw);
            let reads = SOURCES.iter().any(|source| {
                source.match_indices(&value).any(|(at, _)| {
                    !source[at + value.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
                })
            });
            assert!(reads, "nothing reads {}", fault.name);
        }
    }

    #[test]
    fn names_follow_the_values() {
        for fault in FAULTS {
            let plain: String = fault.name.split('-').collect();
            assert_eq!(plain, format!("{:?}", fault.flaw).to_lowercase());
        }
    }
}
