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

/// The checks that look at a lab over TLS alone.
const OVER_TLS: [&str; 4] =
    ["transport/https-only", "transport/certificate-valid", "transport/tls-1.2-or-newer", "transport/hsts"];

impl Fault {
    /// Whether it shows over TLS alone.
    pub fn needs_tls(&self) -> bool {
        self.breaks.iter().all(|id| OVER_TLS.contains(id))
    }
}

/// Which faults are switched on.
#[derive(Clone, Copy, Default)]
pub(super) struct Flaws([u128; 4]);

impl Flaws {
    pub(super) fn has(self, flaw: Flaw) -> bool {
        self.0[flaw as usize / 128] & (1 << (flaw as usize % 128)) != 0
    }

    pub(super) fn add(&mut self, flaw: Flaw) {
        self.0[flaw as usize / 128] |= 1 << (flaw as usize % 128);
    }
}

/// One row makes the name for the command line and the value for the code, so that neither can be mistyped.
macro_rules! faults {
    ($($flaw:ident $name:literal breaks [$($id:literal),+] $about:literal;)+) => {
        /// The same faults as values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Flaw { $($flaw),+ }

        /// Every fault, in the order of the catalogue.
        pub static FAULTS: &[Fault] = &[$(Fault {
            name: $name,
            about: $about,
            breaks: &[$($id),+],
            flaw: Flaw::$flaw,
        }),+];
    };
}

faults! {
    NoMetadataType "no-metadata-type" breaks ["resource_metadata/published"]
        "the protected resource metadata is served as text/plain";
    ResourceMismatch "resource-mismatch" breaks ["resource_metadata/resource-matches"]
        "the resource identifier in the metadata ends in a slash that the endpoint does not have";
    NoAuthorizationServers "no-authorization-servers" breaks ["resource_metadata/authorization-servers-listed"]
        "the protected resource metadata names no authorization server";
    ServerMembersInResource "server-members-in-resource" breaks ["resource_metadata/no-as-members"]
        "the protected resource metadata holds endpoints of the authorization server";
    QueryTokensAdvertised "query-tokens-advertised" breaks ["resource_metadata/bearer-methods"]
        "the protected resource metadata offers to take tokens from the query";
    ResourceScopesUnlisted "resource-scopes-unlisted" breaks ["resource_metadata/scopes-listed"]
        "the protected resource metadata lacks scopes_supported";
    Challenge403 "challenge-403" breaks ["resource_metadata/challenge-401"]
        "a request without credentials is answered 403, with the same challenge";
    OpenResource "open-resource" breaks ["resource_metadata/challenge-401"]
        "the resource is open to requests without credentials, and judges those that bring some";
    NoChallenge "no-challenge" breaks ["resource_metadata/challenge-header"]
        "the 401 to a request without credentials has no WWW-Authenticate header";
    ChallengeWithoutMetadata "challenge-without-metadata" breaks ["resource_metadata/challenge-points-to-metadata"]
        "challenges name a realm and no resource_metadata";
    ServerMetadataType "server-metadata-type" breaks ["server_metadata/published"]
        "the authorization server metadata is served as text/html";
    IssuerMismatch "issuer-mismatch" breaks ["server_metadata/issuer-matches"]
        "the authorization server calls itself by its issuer with a slash at the end";
    MissingResponseTypes "missing-response-types" breaks ["server_metadata/required-members"]
        "the authorization server metadata lacks response_types_supported";
    MemberOfWrongType "member-of-wrong-type" breaks ["server_metadata/required-members"]
        "scopes_supported of the authorization server is a string where an array belongs";
    HttpEndpoint "http-endpoint" breaks ["server_metadata/https-everywhere", "transport/https-only"]
        "the authorization server metadata lists an endpoint with http on a host that is not loopback";
    S256Unadvertised "s256-unadvertised" breaks ["server_metadata/s256-advertised"]
        "code_challenge_methods_supported is missing";
    PlainAdvertised "plain-advertised" breaks ["server_metadata/plain-not-advertised"]
        "plain is advertised as a challenge method, though refused";
    ImplicitAdvertised "implicit-advertised" breaks ["server_metadata/no-implicit-advertised"]
        "the implicit grant is advertised, though refused";
    PasswordAdvertised "password-advertised" breaks ["server_metadata/no-password-advertised"]
        "the password grant is advertised, though refused";
    RefreshUnadvertised "refresh-unadvertised" breaks ["server_metadata/refresh-advertised"]
        "grant_types_supported lacks refresh_token, though it works";
    RevocationUnadvertised "revocation-unadvertised" breaks ["server_metadata/revocation-advertised"]
        "the metadata lacks revocation_endpoint, though it works";
    IssUnadvertised "iss-unadvertised" breaks ["server_metadata/iss-advertised"]
        "iss is sent and never advertised";
    AuthMethodsUnadvertised "auth-methods-unadvertised" breaks ["server_metadata/auth-methods-advertised"]
        "the metadata lacks token_endpoint_auth_methods_supported";
    UnsignedAdvertised "unsigned-advertised" breaks ["server_metadata/no-none-signing"]
        "none is advertised as a signing algorithm of client assertions";
    ScopesUnlisted "scopes-unlisted" breaks ["server_metadata/scopes-listed"]
        "the authorization server metadata lacks scopes_supported";
    RegistrationUnadvertised "registration-unadvertised" breaks ["server_metadata/registration-path"]
        "the metadata lacks registration_endpoint, though it works";
    Jwks500 "jwks-500" breaks ["server_metadata/jwks-reachable"]
        "jwks_uri answers 500";
    JwksEmpty "jwks-empty" breaks ["server_metadata/jwks-reachable", "access_token/jwt-verifies"]
        "the key set is empty";
    JwksPrivateKey "jwks-private-key" breaks ["server_metadata/jwks-public-only"]
        "the key set publishes the private part of the signing key";
    PlainHttpAnswered "plain-http-answered" breaks ["transport/https-only"]
        "the port that speaks TLS answers plain http as well";
    CertificateExpired "certificate-expired" breaks ["transport/certificate-valid"]
        "the certificate expired yesterday";
    CertificateOtherName "certificate-other-name" breaks ["transport/certificate-valid"]
        "the certificate is for another name";
    CertificateShortLived "certificate-short-lived" breaks ["transport/certificate-valid"]
        "the certificate expires in five days";
    OldTlsAccepted "old-tls-accepted" breaks ["transport/tls-1.2-or-newer"]
        "a client that offers TLS 1.0 or 1.1 is answered in it";
    HstsMissing "hsts-missing" breaks ["transport/hsts"]
        "answers have no Strict-Transport-Security header";
    CorsOnAuthorization "cors-on-authorization" breaks ["transport/no-cors-on-authorization"]
        "the authorization endpoint is open to scripts of every origin";
    CorsReflected "cors-reflected" breaks ["transport/cors-not-reflected"]
        "the token endpoint and the resource allow whatever origin asks, with credentials";
    FramingAllowed "framing-allowed" breaks ["transport/frame-protection"]
        "pages may be framed by everybody";
    FramingReportOnly "framing-report-only" breaks ["transport/frame-protection"]
        "the policy against framing is reported and not enforced";
    ReferrerUnsafe "referrer-unsafe" breaks ["transport/referrer-policy"]
        "pages tell their whole address to whatever they link to";
    JwksShortKey "jwks-short-key" breaks ["server_metadata/jwks-strong-keys"]
        "the key set has an RSA key of 1024 bits";
    JwksSameKid "jwks-same-kid" breaks ["server_metadata/jwks-kids-unique"]
        "two keys of the key set have one kid";
    CodeFlowBroken "code-flow-broken" breaks ["authorization/code-flow-works"]
        "no code can be redeemed";
    TokenBesideCode "token-beside-code" breaks ["authorization/returns-code-not-token", "hygiene/no-secret-in-url"]
        "an access token stands in the fragment beside the code";
    ImplicitAlive "implicit-alive" breaks ["authorization/implicit-refused", "hygiene/no-secret-in-url"]
        "response_type=token yields a token, though not advertised";
    StateTruncated "state-truncated" breaks ["authorization/state-returned"]
        "state is cut off after 128 characters";
    StateMangled "state-mangled" breaks ["authorization/state-returned"]
        "state is decoded twice, so that plus and percent signs do not survive";
    StateLostOnError "state-lost-on-error" breaks ["authorization/state-returned", "authorization/denial-reported"]
        "error redirects come without state";
    IssMissing "iss-missing" breaks ["authorization/iss-returned"]
        "iss is advertised and never sent";
    IssMissingOnError "iss-missing-on-error" breaks ["authorization/iss-returned"]
        "error redirects come without iss";
    IssWrong "iss-wrong" breaks ["authorization/iss-returned"]
        "iss names another issuer";
    Authorize500 "authorize-500" breaks ["authorization/no-server-errors"]
        "a request with the plain challenge method is answered 500";
    StateTwice "state-twice" breaks ["authorization/parameters-once"]
        "state stands twice in the redirect that brings the code";
    UnknownParameterRefused "unknown-parameter-refused" breaks ["authorization/unknown-parameter-ignored"]
        "a parameter that the authorization endpoint does not know is refused";
    UnknownClientRedirected "unknown-client-redirected" breaks ["authorization/unknown-client-not-redirected"]
        "the error about an unknown client is sent to whatever redirect URI the request names";
    DenialMisnamed "denial-misnamed" breaks ["authorization/denial-reported"]
        "who says no is reported to the client as a server_error";
    RedirectAnyHost "redirect-any-host" breaks ["redirect_uri/foreign-host-refused"]
        "the host of the redirect URI is not compared";
    RedirectPatternHost "redirect-pattern-host" breaks ["redirect_uri/foreign-host-refused"]
        "the registered host is matched as a pattern whose dots are any character, after any user information";
    RedirectPathPrefix "redirect-path-prefix" breaks ["redirect_uri/path-exact"]
        "the path of the redirect URI has only to begin as registered";
    RedirectQueryIgnored "redirect-query-ignored" breaks ["redirect_uri/query-exact"]
        "the query of the redirect URI is not compared";
    ChatgptRedirectRefused "chatgpt-redirect-refused" breaks ["redirect_uri/chatgpt-allowed"]
        "redirect URIs of chatgpt.com are not registered";
    ChatgptRedirectUnusable "chatgpt-redirect-unusable" breaks ["redirect_uri/chatgpt-allowed"]
        "redirect URIs of chatgpt.com are registered, and authorization requests with them refused";
    PkceOptional "pkce-optional" breaks ["pkce/required"]
        "a request without code_challenge gets a code that buys a token";
    PkceForPublicAlone "pkce-for-public-alone" breaks ["pkce/required"]
        "a confidential client gets a code without code_challenge, and the code buys a token";
    PlainAccepted "plain-accepted" breaks ["pkce/plain-refused"]
        "the plain challenge method works, though not advertised";
    VerifierIgnored "verifier-ignored" breaks ["pkce/verifier-enforced", "pkce/challenge-is-not-verifier"]
        "any well-formed code_verifier will do";
    VerifierOptional "verifier-optional" breaks ["pkce/verifier-required"]
        "a missing or empty code_verifier will do";
    ChallengeAsVerifier "challenge-as-verifier" breaks ["pkce/challenge-is-not-verifier"]
        "the code_challenge itself will do as code_verifier";
    CodeReusable "code-reusable" breaks ["code/single-use", "code/race-single-use"]
        "a code buys new tokens again and again";
    ReplayKeepsTokens "replay-keeps-tokens" breaks ["code/replay-revokes-tokens"]
        "a replayed code is refused and the tokens it bought live on";
    CodeRace "code-race" breaks ["code/race-single-use"]
        "whether a code was used is looked up some time before it is marked as used";
    CodeAnyClient "code-any-client" breaks ["code/bound-to-client"]
        "a code is redeemed for whatever client sends it";
    CodeWithoutClient "code-without-client" breaks ["code/bound-to-client"]
        "a code is redeemed for a request that names no client";
    CodeAnyRedirectUri "code-any-redirect-uri" breaks ["code/bound-to-redirect-uri"]
        "the redirect_uri of a code exchange is not compared";
    CodeNeverExpires "code-never-expires" breaks ["code/expires"]
        "a code that was not redeemed is good for ever";
    MadeUpCodeAccepted "made-up-code-accepted" breaks ["code/never-issued-refused"]
        "a code exchange is looked up by its verifier, and any code will do";
    ExpiresInString "expires-in-string" breaks ["token/response-format"]
        "expires_in is a string";
    TokenCacheable "token-cacheable" breaks ["token/no-store"]
        "token answers have no Cache-Control header";
    WrongErrorCodes "wrong-error-codes" breaks ["token/error-codes"]
        "an unknown grant type is answered invalid_request";
    Token500OnGarbage "token-500-on-garbage" breaks ["token/no-server-errors"]
        "a malformed token request is answered 500 in plain text";
    SecretOptional "secret-optional" breaks ["token/secret-required"]
        "a confidential client that shows no secret gets a token for its code";
    PasswordGrantAlive "password-grant-alive" breaks ["token/password-grant-refused"]
        "the password grant works, though not advertised";
    TokenErrorEchoes "token-error-echoes" breaks ["token/errors-leak-nothing", "hygiene/no-secret-in-errors"]
        "the error for a bad code repeats the code";
    LongLivedToken "long-lived-token" breaks ["access_token/short-lived"]
        "access tokens live for two days";
    NoExp "no-exp" breaks ["access_token/jwt-verifies"]
        "access tokens have no exp";
    WrongAudience "wrong-audience" breaks ["access_token/audience-is-the-resource"]
        "access tokens name another API as their audience, and the resource does not look";
    NoClientIdClaim "no-client-id-claim" breaks ["access_token/at-jwt-profile"]
        "access tokens of the type at+jwt have no client_id";
    PersonalClaims "personal-claims" breaks ["access_token/no-personal-data"]
        "access tokens carry the user's e-mail address";
    RefreshRepeatsToken "refresh-repeats-token" breaks ["access_token/distinct", "refresh/access-token-after-refresh"]
        "a refresh gives out the access token of before";
    PredictableToken "predictable-token" breaks ["access_token/unguessable"]
        "access tokens are opaque and numbered one after the other";
    NonceLost "nonce-lost" breaks ["access_token/id-token-valid"]
        "ID tokens come without the nonce";
    NoRefreshToken "no-refresh-token" breaks ["refresh/issued"]
        "no refresh token is issued, though advertised";
    RefreshYieldsDeadToken "refresh-yields-dead-token" breaks ["refresh/works"]
        "the resource refuses access tokens that came from a refresh";
    NoRotation "no-rotation" breaks ["refresh/rotated"]
        "the refresh token is never replaced and stays good";
    OldRefreshTokenAlive "old-refresh-token-alive" breaks ["refresh/old-token-refused", "refresh/race"]
        "refresh tokens are replaced, and the old ones stay good";
    FamilySurvivesReuse "family-survives-reuse" breaks ["refresh/reuse-revokes-family"]
        "a replayed refresh token is refused and its successors live on";
    RefreshRace "refresh-race" breaks ["refresh/race"]
        "whether a refresh token was replaced is looked up some time before it is marked so";
    RefreshAnyClient "refresh-any-client" breaks ["refresh/bound-to-client"]
        "a refresh token is good for whatever client sends it";
    RefreshWidensScope "refresh-widens-scope" breaks ["refresh/scope-not-widened"]
        "a refresh grants scopes that were never granted before";
    RefreshIgnoresNarrowerScope "refresh-ignores-narrower-scope" breaks ["refresh/scope-narrows"]
        "a refresh for fewer scopes grants all of them and does not say so";
    RefreshSecretOptional "refresh-secret-optional" breaks ["refresh/client-auth-required"]
        "a confidential client that shows no secret gets tokens for its refresh token";
    OldAccessTokenAlive "old-access-token-alive" breaks ["refresh/access-token-after-refresh"]
        "the access token before a refresh stays good beside the new one";
    RevocationSparesAccessTokens "revocation-spares-access-tokens" breaks ["revocation/access-token"]
        "a revoked access token lives on";
    RevocationSparesRefreshTokens "revocation-spares-refresh-tokens" breaks ["revocation/refresh-token"]
        "a revoked refresh token lives on";
    ScopeWithSpace "scope-with-space" breaks ["scope/well-formed"]
        "one entry of scopes_supported holds two scopes with a space between them";
    ScopeWithComma "scope-with-comma" breaks ["scope/well-formed"]
        "one entry of scopes_supported holds two scopes with a comma between them";
    OmnibusScope "omnibus-scope" breaks ["scope/granular"]
        "a scope for everything is advertised";
    MixedScopeNames "mixed-scope-names" breaks ["scope/consistent-naming"]
        "one of the advertised scopes is written with a point and not with a colon";
    WriteWithoutRead "write-without-read" breaks ["scope/read-write-separated"]
        "a scope for writing files is advertised, and none for reading them";
    AdminScopeAmong "admin-scope-among" breaks ["scope/admin-separated"]
        "the administrative scope is named like the others";
    TooManyScopes "too-many-scopes" breaks ["scope/manageable-count"]
        "thirty scopes are advertised";
    RevocationDoesNotCascade "revocation-does-not-cascade" breaks ["revocation/cascades"]
        "a revoked refresh token leaves its access token alive";
    UnknownTokenNotRevoked "unknown-token-not-revoked" breaks ["revocation/unknown-token-ok"]
        "the revocation of a token that is not known is answered 400";
    UnknownScopeGranted "unknown-scope-granted" breaks ["scope/unknown-scope-not-granted"]
        "scopes that do not exist are granted";
    ScopeRequestIgnored "scope-request-ignored" breaks ["scope/narrow-request-honoured"]
        "every scope is granted, whatever was asked, and the answer does not say so";
    ScopeUnderstated "scope-understated" breaks ["scope/granted-scope-reported"]
        "the answer to a code exchange states the first of the granted scopes alone";
    IncrementalScopeLost "incremental-scope-lost" breaks ["scope/incremental"]
        "a request with prompt=consent is granted its last scope alone, and the answer does not say so";
    SessionAnswersStepUp "session-answers-step-up" breaks ["scope/step-up-forces-login"]
        "max_age and prompt=login of OpenID Connect are ignored, though openid is offered";
    OpenidRequired "openid-required" breaks ["scope/openid-only-when-needed"]
        "a request without the scope openid is refused";
    ResourceRefused "resource-refused" breaks ["scope/resource-indicator-honoured"]
        "a request that names a resource is refused, be it the right one";
    UnknownResourceMinted "unknown-resource-minted" breaks ["scope/resource-indicator-honoured"]
        "tokens are issued for any resource that is named";
    ValidTokenRefused "valid-token-refused" breaks ["resource/accepts-valid-token"]
        "the resource refuses every token";
    BadToken500 "bad-token-500" breaks ["resource/bad-token-401-not-500"]
        "the resource answers 500 to a token it cannot read";
    TokenInClientUri "token-in-client-uri" breaks ["hygiene/no-secret-in-url"]
        "registration_client_uri carries the registration access token";
    ErrorWithTrace "error-with-trace" breaks ["hygiene/no-secret-in-errors"]
        "the resource answers a bad token with a stack trace";
    HtmlOnGarbage "html-on-garbage" breaks ["hygiene/json-errors-everywhere"]
        "a malformed token request is answered 400 with an HTML page";
    VersionBanner "version-banner" breaks ["hygiene/no-banner"]
        "every answer names a version of a web server";
    LogsTokens "logs-tokens" breaks ["hygiene/no-token-in-logs"]
        "the log holds the forms and headers that were sent as they were";
    NoInvalidToken "no-invalid-token" breaks ["resource/bad-token-says-invalid-token"]
        "the challenge to a bad token names no error";
    SignatureIgnored "signature-ignored" breaks [
        "resource/tampered-token-refused", "resource/alg-none-refused", "resource/embedded-key-refused",
        "resource/foreign-issuer-refused"
    ] "the resource decodes tokens and does not verify them";
    AlgNoneAccepted "alg-none-accepted" breaks ["resource/alg-none-refused"]
        "a token with the algorithm none needs no signature";
    PublicKeyAsSecret "public-key-as-secret" breaks ["resource/key-confusion-refused"]
        "a token with the algorithm HS256 is verified with the public key, in PEM";
    EmbeddedKeyAccepted "embedded-key-accepted" breaks ["resource/embedded-key-refused"]
        "a token is verified with the key that it brings along";
    ForeignIssuerAccepted "foreign-issuer-accepted" breaks ["resource/foreign-issuer-refused"]
        "a token of an issuer that is not known is taken as it is";
    RefreshTokenOpens "refresh-token-opens" breaks ["resource/wrong-kind-refused"]
        "the resource takes a refresh token in place of an access token";
    QueryTokenAccepted "query-token-accepted" breaks ["resource/query-token-ignored"]
        "the resource takes an access token from the query of the address";
    Registration200 "registration-200" breaks ["registration/dynamic-works"]
        "a registration is answered 200";
    RegistrationWithoutEcho "registration-without-echo" breaks ["registration/dynamic-works"]
        "the answer to a registration does not say which redirect URIs were registered";
    RegistrationCacheable "registration-cacheable" breaks ["registration/dynamic-works"]
        "the answer to a registration may be stored by caches, with the credentials in it";
    ForeignAudienceAccepted "foreign-audience-accepted"
        breaks ["scope/resource-indicator-honoured", "resource/foreign-audience-refused"]
        "tokens are issued for any resource that is named, and the resource takes them all";
    MissingAudienceAccepted "missing-audience-accepted" breaks ["resource/missing-audience-refused"]
        "a token that was asked for without a resource is for none, and the resource takes it";
    ExpiredTokenAccepted "expired-token-accepted" breaks ["resource/expired-token-refused"]
        "the resource does not look when a token expired";
    ScopeNotEnforced "scope-not-enforced" breaks ["resource/scope-enforced"]
        "the resource does not look at the scope of a token";
    ScopeRefused401 "scope-refused-401" breaks ["resource/scope-enforced"]
        "a token without the scope that is needed is answered 401";
    ScopeRefusedBare "scope-refused-bare" breaks ["resource/scope-enforced"]
        "the 403 to a token without the scope that is needed does not say which one it is";
    SessionOfAnybody "session-of-anybody" breaks ["resource/session-bound-to-user"]
        "a session of MCP works for every user who knows its id";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every source of the lab but this one.
    fn sources() -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lab");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|file| file.is_file() && file.file_name().is_some_and(|name| name != "faults.rs"))
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect()
    }

    #[test]
    fn names_are_unique_and_say_what_they_break() {
        for (place, fault) in FAULTS.iter().enumerate() {
            assert!(FAULTS[..place].iter().all(|f| f.name != fault.name));
            assert!(!fault.breaks.is_empty(), "{}", fault.name);
            assert!(fault.breaks.iter().all(|id| id.contains('/')));
        }
        assert!(FAULTS.len() <= 512, "Flaws holds 512");
    }

    #[test]
    fn every_fault_is_read_somewhere() {
        let sources = sources();
        for fault in FAULTS {
            let value = format!("Flaw::{:?}", fault.flaw);
            let reads = sources.iter().any(|source| {
                source
                    .match_indices(&value)
                    .any(|(at, _)| !source[at + value.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()))
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
