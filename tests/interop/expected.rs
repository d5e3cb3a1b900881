//! What an audit says of each server, as far as it is not a plain pass, and why that is true of the server. Each entry
//! was decided from the requests and answers, the specification and the server's source.

use std::collections::BTreeMap;

use oaudit::report::ResultKind::{self, Fail, Inconclusive, NotApplicable, NotRun, Note, Warn};
use oaudit::report::{Report, VerdictKind};

use crate::support::trouble;

/// A result, why it is right, and the checks that have it.
pub(crate) type Row = (ResultKind, &'static str, &'static [&'static str]);

/// On this machine, and asked for nothing that takes long.
const ANYWHERE: &[Row] = &[
    (
        NotApplicable,
        "true: plain http on loopback",
        &["transport/https-only", "transport/certificate-valid", "transport/tls-1.2-or-newer", "transport/hsts"],
    ),
    (NotRun, "true: no wait was asked for", &["code/expires", "resource/expired-token-refused"]),
    (NotRun, "true: no route is configured", &["resource/scope-enforced"]),
    (NotRun, "true: no logs are named", &["hygiene/no-token-in-logs"]),
];

const OPAQUE: Row = (
    NotApplicable,
    "true: its access tokens are random text",
    &[
        "access_token/jwt-verifies",
        "access_token/at-jwt-profile",
        "access_token/no-personal-data",
        "resource/alg-none-refused",
        "resource/key-confusion-refused",
        "resource/embedded-key-refused",
        "resource/foreign-issuer-refused",
    ],
);

const SIGNED: Row = (NotApplicable, "true: its access tokens are signed", &["access_token/unguessable"]);

const API: Row = (NotApplicable, "true: an API route has no sessions of MCP", &["resource/session-bound-to-user"]);

const NO_INTROSPECTION: Row = (
    NotApplicable,
    "true: the token is opaque, and there is no introspection",
    &["access_token/audience-is-the-resource"],
);

/// Servers built on the MCP SDKs, in either language.
const MCP_SDKS: &[Row] = &[
    (NotRun, "true: no second user is configured", &["resource/session-bound-to-user"]),
    (
        NotApplicable,
        "true: it signs nothing, so it has no keys",
        &[
            "server_metadata/jwks-reachable",
            "server_metadata/jwks-public-only",
            "server_metadata/jwks-strong-keys",
            "server_metadata/jwks-kids-unique",
        ],
    ),
    (Warn, "true: it sends no iss", &["server_metadata/iss-advertised"]),
    (NotApplicable, "true: it sends no iss", &["authorization/iss-returned"]),
    (NotRun, "true: without iss ChatGPT's redirect URI differs from app to app", &["redirect_uri/chatgpt-allowed"]),
    (NotApplicable, "true: it does not speak OpenID Connect", &["scope/step-up-forces-login"]),
    (Warn, "true: an empty code_challenge is a text to it, and refused with the code only", &["pkce/required"]),
    OPAQUE,
    NO_INTROSPECTION,
];

const NO_PAGES: Row = (
    NotApplicable,
    "true: it asks nobody anything, so it has no pages",
    &["transport/frame-protection", "transport/referrer-policy", "authorization/denial-reported"],
);

/// What the router of the MCP TypeScript SDK does whoever the provider is.
const MCP_SDK_ROUTER: &[Row] = &[
    (NotApplicable, "true: the member is optional, and left out", &["resource_metadata/bearer-methods"]),
    (Fail, "true: state is read only after all else was found right", &["authorization/state-returned"]),
    (Fail, "true: its error_description is JSON, with quotation marks and line breaks", &["token/error-codes"]),
];

pub(crate) const MCP_SDK_OWN: &[&[Row]] = &[
    ANYWHERE,
    MCP_SDKS,
    MCP_SDK_ROUTER,
    &[
        (
            Warn,
            "true: of a loopback address the SDK compares host, path and query, so user information passes",
            &["redirect_uri/foreign-host-refused"],
        ),
        (Note, "true: a refresh leaves the old access token alone", &["refresh/access-token-after-refresh"]),
        (
            Inconclusive,
            "true: it refuses foreign resources, and without one nothing tells whom the token is for",
            &["resource/missing-audience-refused"],
        ),
    ],
];

pub(crate) const MCP_SDK_DEMO: &[&[Row]] = &[
    ANYWHERE,
    MCP_SDKS,
    MCP_SDK_ROUTER,
    &[
        NO_PAGES,
        (
            Note,
            "true: the provider, which compares exactly, refuses it only where the router has let it pass",
            &["redirect_uri/foreign-host-refused"],
        ),
        (Fail, "true: there is no revocation", &["server_metadata/revocation-advertised"]),
        (
            NotApplicable,
            "true: there is no revocation",
            &[
                "revocation/access-token",
                "revocation/refresh-token",
                "revocation/cascades",
                "revocation/unknown-token-ok",
            ],
        ),
        (Fail, "true: there are no refresh tokens", &["refresh/issued"]),
        (
            NotApplicable,
            "true: there are no refresh tokens",
            &[
                "refresh/works",
                "refresh/rotated",
                "refresh/old-token-refused",
                "refresh/reuse-revokes-family",
                "refresh/race",
                "refresh/bound-to-client",
                "refresh/scope-not-widened",
                "refresh/access-token-after-refresh",
                "refresh/client-auth-required",
            ],
        ),
        (
            NotApplicable,
            "true: it has one scope",
            &["refresh/scope-narrows", "scope/narrow-request-honoured", "scope/incremental"],
        ),
        (Warn, "true: it grants any scope", &["scope/unknown-scope-not-granted"]),
        (
            Inconclusive,
            "true: it throws a plain Error for a code that it does not know, and the router makes that a 500",
            &[
                "code/single-use",
                "code/replay-revokes-tokens",
                "code/race-single-use",
                "code/bound-to-client",
                "code/never-issued-refused",
            ],
        ),
        (Fail, "true: the same 500", &["token/no-server-errors"]),
        (Fail, "true: it does not look at redirect_uri again", &["code/bound-to-redirect-uri"]),
        (Warn, "true: its tokens are UUIDs", &["access_token/unguessable"]),
        (Note, "true: an hour", &["access_token/short-lived"]),
        (
            Fail,
            "true: it throws a plain Error for a token that it does not know, and the gate makes that a 500",
            &["resource/bad-token-401-not-500"],
        ),
        (
            Inconclusive,
            "true: the same 500, which is no refusal",
            &[
                "resource/bad-token-says-invalid-token",
                "resource/tampered-token-refused",
                "resource/wrong-kind-refused",
            ],
        ),
        (
            Inconclusive,
            "true: it takes any resource, and nothing tells whom the token is for",
            &["resource/foreign-audience-refused", "resource/missing-audience-refused"],
        ),
    ],
];

pub(crate) const FASTMCP: &[&[Row]] = &[
    ANYWHERE,
    MCP_SDKS,
    &[
        NO_PAGES,
        (
            Fail,
            "true: an unknown grant_type is invalid_request, and invalid_grant comes with 401",
            &["token/error-codes"],
        ),
        (
            Fail,
            "true: the answer to a registration holds a secret and has no Cache-Control",
            &["registration/dynamic-works"],
        ),
        (Warn, "true: a replayed code ends nothing that it bought", &["code/replay-revokes-tokens"]),
        (Warn, "true: a replayed refresh token ends nothing", &["refresh/reuse-revokes-family"]),
        (Note, "true: an hour", &["access_token/short-lived"]),
        (
            Inconclusive,
            "true: it ignores resource, and nothing tells whom the token is for",
            &["resource/foreign-audience-refused", "resource/missing-audience-refused"],
        ),
    ],
];

pub(crate) const BETTER_AUTH: &[&[Row]] = &[
    ANYWHERE,
    &[
        API,
        SIGNED,
        (Fail, "true: an empty prompt is an error to it, not left out", &["authorization/unknown-parameter-ignored"]),
        (Fail, "true: the revocation of an unknown token is answered 400", &["revocation/unknown-token-ok"]),
        (
            Warn,
            "true: signed access tokens cannot be taken back; the refresh token dies",
            &["code/replay-revokes-tokens"],
        ),
        (NotApplicable, "true: it says that access tokens cannot be revoked", &["revocation/cascades"]),
        (Note, "true: the code is looked at before the client", &["token/error-codes"]),
        (Note, "true: an hour", &["access_token/short-lived"]),
        (Note, "true: a refresh leaves the old access token alone", &["refresh/access-token-after-refresh"]),
    ],
];

pub(crate) const OIDC_PROVIDER_STRICT: &[&[Row]] = &[
    ANYWHERE,
    &[
        API,
        SIGNED,
        (
            Warn,
            "true: signed access tokens cannot be taken back; the refresh token dies",
            &["code/replay-revokes-tokens"],
        ),
        (NotApplicable, "true: it says that access tokens cannot be revoked", &["revocation/cascades"]),
        (Note, "true: a refresh leaves the old access token alone", &["refresh/access-token-after-refresh"]),
    ],
];

pub(crate) const OIDC_PROVIDER_LAX: &[&[Row]] = &[
    ANYWHERE,
    &[
        API,
        (
            NotApplicable,
            "true: its API publishes nothing, so no resource was asked for",
            &["scope/resource-indicator-honoured"],
        ),
        OPAQUE,
        (
            Fail,
            "true: so it is set up, in its metadata",
            &["server_metadata/plain-not-advertised", "server_metadata/no-implicit-advertised"],
        ),
        (
            Fail,
            "true: so it is set up",
            &[
                "pkce/required",
                "pkce/plain-refused",
                "access_token/short-lived",
                "resource/query-token-ignored",
                "refresh/rotated",
            ],
        ),
        (Fail, "true: its pages have no frame policy", &["transport/frame-protection"]),
        (Fail, "true: its API publishes nothing", &["resource_metadata/published"]),
        (
            NotApplicable,
            "true: its API publishes nothing",
            &[
                "resource_metadata/resource-matches",
                "resource_metadata/authorization-servers-listed",
                "resource_metadata/no-as-members",
                "resource_metadata/bearer-methods",
                "resource_metadata/scopes-listed",
                "resource/missing-audience-refused",
            ],
        ),
        (Fail, "true: its 401 has no challenge", &["resource_metadata/challenge-header"]),
        (NotApplicable, "true: its 401 has no challenge", &["resource_metadata/challenge-points-to-metadata"]),
        (Warn, "true: its 401 has no challenge", &["resource/bad-token-says-invalid-token"]),
        (
            NotApplicable,
            "true: refresh tokens stay the same",
            &["refresh/old-token-refused", "refresh/race", "refresh/reuse-revokes-family"],
        ),
        (Note, "true: a refresh leaves the old access token alone", &["refresh/access-token-after-refresh"]),
        (
            NotRun,
            "true: nobody is configured who may ask its introspection endpoint",
            &["access_token/audience-is-the-resource", "resource/foreign-audience-refused"],
        ),
    ],
];

/// A person says yes: nobody presses deny in their place.
pub(crate) const BY_PERSON: &[Row] = &[
    (NotRun, "true: the cockpit presses no button of the server", &["authorization/denial-reported"]),
    (NotRun, "true: the cockpit does not see whether a page asks for a login", &["scope/step-up-forces-login"]),
];

/// Its configured client may use every response type; one that registers itself as we do may not.
pub(crate) const HYBRID_CLIENT: &[Row] = &[
    (Fail, "true: it answers with tokens in the fragment", &["authorization/implicit-refused"]),
    (Fail, "true: the same tokens stand in its redirects", &["hygiene/no-secret-in-url"]),
    (NotRun, "true: a configured client may not use it; one that registers may", &["redirect_uri/chatgpt-allowed"]),
];

/// What is left out where the client is configured.
pub(crate) const CONFIGURED: &[Row] = &[(NotRun, "true: none was registered", &["registration/dynamic-works"])];

/// Compares a whole report with what is expected: every check is in one row, or passes.
pub(crate) fn assert_as_expected(report: &Report, tables: &[&[Row]]) {
    let differences = differences(report, tables, |_, _| false);
    assert!(differences.is_empty() && report.stopped.is_none(), "{differences}\n{}", trouble(report));
}

/// The same of a server with rate limits: a check may be inconclusive for them, but none is judged otherwise.
pub(crate) fn assert_as_expected_or_limited(report: &Report, tables: &[&[Row]]) {
    // With the limits used up not even the ordinary flow works, or it works and brings the only token of the run.
    let excuses = ["rate limited", "429", "see authorization/code-flow-works", "access tokens"];
    let differences = differences(report, tables, |verdict, why| {
        verdict == VerdictKind::Inconclusive && excuses.iter().any(|excuse| why.contains(excuse))
    });
    assert!(differences.is_empty(), "{differences}\n{}", trouble(report));
}

fn differences(report: &Report, tables: &[&[Row]], excused: impl Fn(VerdictKind, &str) -> bool) -> String {
    let mut expected = BTreeMap::new();
    for (result, why, checks) in tables.iter().copied().flatten() {
        for check in *checks {
            assert!(report.checks.iter().any(|line| line.id == *check), "there is no check {check}");
            assert!(expected.insert(*check, (*result, *why)).is_none(), "{check} is in two rows");
        }
    }
    let mut text = String::new();
    for line in &report.checks {
        let (due, why) = expected.get(line.id).copied().unwrap_or((ResultKind::Pass, "holds"));
        if line.result != due && !excused(line.verdict, &line.message) {
            text.push_str(&format!("{}: {:?}, expected is {due:?} ({why}): {}\n", line.id, line.result, line.message));
        }
    }
    text
}

/// Compares a JSON report of another agent with what the form agent's is expected to be, apart from what is named.
pub(crate) fn assert_alike(report: &serde_json::Value, tables: &[&[Row]], apart: &[Row]) {
    let mut expected: BTreeMap<&str, (ResultKind, &str)> = BTreeMap::new();
    for (result, why, checks) in tables.iter().copied().flatten().chain(apart) {
        expected.extend(checks.iter().map(|check| (*check, (*result, *why))));
    }
    let mut text = String::new();
    for line in report["checks"].as_array().expect("the report has checks") {
        let id = line["id"].as_str().expect("a check has an id");
        let (due, why) = expected.get(id).copied().unwrap_or((ResultKind::Pass, "holds"));
        if line["result"] != serde_json::json!(due) {
            text.push_str(&format!("{id}: {}, expected is {due:?} ({why}): {}\n", line["result"], line["message"]));
        }
    }
    assert!(text.is_empty(), "{text}");
}
