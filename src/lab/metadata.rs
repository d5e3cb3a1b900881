//! The documents a client finds first: resource metadata, authorization server metadata and the key set.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{json, typed};
use super::client::AuthMethod;
use super::faults::Flaw;
use super::quirks::Twist;
use super::server::{Resource, SCOPES, Server};

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
    if server.flawed(Flaw::NoMetadataType) {
        return typed(StatusCode::OK, "text/plain", document.to_string());
    }
    json(StatusCode::OK, &document)
}

/// RFC 8414 section 2. There is no OpenID document: the lab issues no ID tokens.
pub(super) async fn authorization_server(State(server): State<Arc<Server>>) -> Response {
    let base = &server.base;
    let methods = AuthMethod::ALL.map(AuthMethod::name);
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
            [AuthMethod::Basic.name(), AuthMethod::Post.name()],
        "authorization_response_iss_parameter_supported": true,
    });
    if server.twisted(Twist::NoRegistration) {
        remove(&mut document, "registration_endpoint");
    }
    for (flaw, member) in [
        (Flaw::MissingResponseTypes, "response_types_supported"),
        (Flaw::S256Unadvertised, "code_challenge_methods_supported"),
        (Flaw::RevocationUnadvertised, "revocation_endpoint"),
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
        (Flaw::HttpEndpoint, "userinfo_endpoint", json!("http://lab.invalid/userinfo")),
        (Flaw::PlainAdvertised, "code_challenge_methods_supported", json!(["S256", "plain"])),
        (Flaw::ImplicitAdvertised, "response_types_supported", json!(["code", "token"])),
        (Flaw::ImplicitAdvertised, "grant_types_supported", json!(["authorization_code", "refresh_token", "implicit"])),
        (Flaw::PasswordAdvertised, "grant_types_supported", json!(["authorization_code", "refresh_token", "password"])),
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

pub(super) async fn jwks(State(server): State<Arc<Server>>) -> Response {
    if server.flawed(Flaw::Jwks500) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let mut key = server.key.public_jwk();
    if server.flawed(Flaw::JwksPrivateKey) {
        key["d"] = json!(server.key.private_scalar());
    }
    let keys = if server.flawed(Flaw::JwksEmpty) { json!([]) } else { json!([key]) };
    json(StatusCode::OK, &json!({ "keys": keys }))
}

fn remove(document: &mut Value, member: &str) {
    if let Some(members) = document.as_object_mut() {
        members.shift_remove(member);
    }
}
