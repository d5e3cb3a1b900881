//! The documents a client finds first: resource metadata, authorization server metadata and the key set.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{json, typed};
use super::assertion::ALGORITHM;
use super::client::AuthMethod;
use super::faults::Flaw;
use super::jwt::Key;
use super::quirks::Twist;
use super::server::{Resource, SCOPES, Server};

/// 1024 bits, of which nobody knows the factors.
const SHORT_MODULUS: &str = "0vImZaYMEtKJGF2VDuiBNgkWb2sRPReNbA_TkB_yOaGglfIPk5VlDPk4C47bIkprJIoekk6P0K4uGpSSozBfGIy2EJAPnjR_\
                             rohtxlB3lex0XEw_yy6yxz4Uk0yGfuBXunJJm_oSHoNrKsFXJu59awr2qxPDjpLK4NFQV7FZmH8";

pub(super) async fn mcp_resource(State(server): State<Arc<Server>>) -> Response {
    resource_metadata(&server, Resource::Mcp)
}

pub(super) async fn notes_resource(State(server): State<Arc<Server>>) -> Response {
    resource_metadata(&server, Resource::Notes)
}

/// RFC 9728 section 2.
fn resource_metadata(server: &Server, resource: Resource) -> Response {
    let mut document = json!({
        "resource": server.identifier(resource),
        "authorization_servers": [server.base],
        "scopes_supported": SCOPES,
        "bearer_methods_supported": ["header"],
        "resource_name": "Notes",
    });
    if server.flawed(Flaw::NoAuthorizationServers) {
        remove(&mut document, "authorization_servers");
    }
    if server.flawed(Flaw::ServerMembersInResource) {
        document["authorization_endpoint"] = json!(format!("{}/authorize", server.base));
        document["token_endpoint"] = json!(format!("{}/token", server.base));
    }
    if server.flawed(Flaw::QueryTokensAdvertised) {
        document["bearer_methods_supported"] = json!(["header", "query"]);
    }
    if server.flawed(Flaw::ResourceScopesUnlisted) {
        remove(&mut document, "scopes_supported");
    }
    if server.flawed(Flaw::NoMetadataType) {
        return typed(StatusCode::OK, "text/plain", document.to_string());
    }
    json(StatusCode::OK, &document)
}

/// RFC 8414 section 2. There is no OpenID document: the lab issues no ID tokens.
pub(super) async fn authorization_server(State(server): State<Arc<Server>>) -> Response {
    let base = &server.base;
    let signed = server.store().assertions.is_some().then_some(AuthMethod::PrivateKey);
    let methods: Vec<_> = AuthMethod::ALL.into_iter().chain(signed).map(AuthMethod::name).collect();
    let mut document = json!({
        "issuer": server.issuer(),
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "revocation_endpoint": format!("{base}/revoke"),
        "introspection_endpoint": format!("{base}/introspect"),
        "registration_endpoint": format!("{base}/register"),
        "jwks_uri": format!("{base}/jwks"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        // A public client has nothing to show there.
        "introspection_endpoint_auth_methods_supported":
            methods.iter().filter(|name| **name != AuthMethod::None.name()).collect::<Vec<_>>(),
        "authorization_response_iss_parameter_supported": true,
    });
    if signed.is_some() {
        for endpoint in ["token", "revocation", "introspection"] {
            document[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")] = json!([ALGORITHM]);
        }
    }
    if server.twisted(Twist::NoRegistration) {
        remove(&mut document, "registration_endpoint");
    }
    if server.twisted(Twist::MetadataDocuments) {
        document["client_id_metadata_document_supported"] = json!(true);
    }
    for (flaw, member) in [
        (Flaw::MissingResponseTypes, "response_types_supported"),
        (Flaw::S256Unadvertised, "code_challenge_methods_supported"),
        (Flaw::RevocationUnadvertised, "revocation_endpoint"),
        (Flaw::IssUnadvertised, "authorization_response_iss_parameter_supported"),
        (Flaw::AuthMethodsUnadvertised, "token_endpoint_auth_methods_supported"),
        (Flaw::ScopesUnlisted, "scopes_supported"),
        (Flaw::RegistrationUnadvertised, "registration_endpoint"),
    ] {
        if server.flawed(flaw) {
            remove(&mut document, member);
        }
    }
    if server.flawed(Flaw::RevocationUnadvertised) {
        remove(&mut document, "revocation_endpoint_auth_methods_supported");
    }
    if server.speaks_openid() {
        document["scopes_supported"] = json!(["openid", SCOPES[0], SCOPES[1]]);
        document["subject_types_supported"] = json!(["public"]);
        document["id_token_signing_alg_values_supported"] = json!(["ES256"]);
    }
    for (flaw, member, value) in [
        (Flaw::MemberOfWrongType, "scopes_supported", json!(SCOPES.join(" "))),
        (Flaw::ScopeWithSpace, "scopes_supported", with_scopes(&["notes:read notes:write"])),
        (Flaw::ScopeWithComma, "scopes_supported", with_scopes(&["notes:read,notes:write"])),
        (Flaw::OmnibusScope, "scopes_supported", with_scopes(&["full_access"])),
        (Flaw::MixedScopeNames, "scopes_supported", with_scopes(&["files.read"])),
        (Flaw::WriteWithoutRead, "scopes_supported", with_scopes(&["files:write"])),
        (Flaw::AdminScopeAmong, "scopes_supported", with_scopes(&["notes:admin"])),
        (Flaw::TooManyScopes, "scopes_supported", with_scopes(&MANY.map(|topic| format!("{topic}:read")).each_ref())),
        (Flaw::HttpEndpoint, "userinfo_endpoint", json!("http://lab.invalid/userinfo")),
        (Flaw::PlainAdvertised, "code_challenge_methods_supported", json!(["S256", "plain"])),
        (Flaw::ImplicitAdvertised, "response_types_supported", json!(["code", "token"])),
        (Flaw::ImplicitAdvertised, "grant_types_supported", json!(["authorization_code", "refresh_token", "implicit"])),
        (Flaw::PasswordAdvertised, "grant_types_supported", json!(["authorization_code", "refresh_token", "password"])),
        (Flaw::UnsignedAdvertised, "token_endpoint_auth_signing_alg_values_supported", json!(["ES256", "none"])),
        (Flaw::RefreshUnadvertised, "grant_types_supported", json!(["authorization_code"])),
    ] {
        if server.flawed(flaw) {
            document[member] = value;
        }
    }
    if server.flawed(Flaw::ServerMetadataType) {
        return typed(StatusCode::OK, "text/html", document.to_string());
    }
    json(StatusCode::OK, &document)
}

/// What a server might store beside notes, if it had lost count.
const MANY: [&str; 28] = [
    "alarms", "boards", "calls", "chats", "dates", "deals", "drafts", "events", "files", "forms", "goals", "groups",
    "hints", "items", "jobs", "links", "lists", "mails", "maps", "news", "pages", "plans", "posts", "tags", "tasks",
    "teams", "tests", "walls",
];

/// The scopes that there are, and some that are only spoken of.
fn with_scopes(more: &[impl AsRef<str>]) -> Value {
    SCOPES.iter().copied().chain(more.iter().map(AsRef::as_ref)).collect()
}

pub(super) async fn jwks(State(server): State<Arc<Server>>) -> Response {
    if server.flawed(Flaw::Jwks500) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let mut key = server.key.public_jwk();
    if server.flawed(Flaw::JwksPrivateKey) {
        key["d"] = json!(server.key.private_scalar());
    }
    let mut keys = if server.flawed(Flaw::JwksEmpty) { json!([]) } else { json!([key]) };
    if let Some(keys) = keys.as_array_mut() {
        if server.flawed(Flaw::JwksShortKey) {
            keys.push(
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "short", "e": "AQAB", "n": SHORT_MODULUS }),
            );
        }
        if server.flawed(Flaw::JwksSameKid) {
            let mut twin = Key::generate().public_jwk();
            twin["kid"] = key["kid"].clone();
            keys.push(twin);
        }
    }
    json(StatusCode::OK, &json!({ "keys": keys }))
}

fn remove(document: &mut Value, member: &str) {
    if let Some(members) = document.as_object_mut() {
        members.shift_remove(member);
    }
}
