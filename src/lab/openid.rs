//! ID tokens (OpenID Connect Core section 2), for whoever asks for `openid`. The lab announces no OpenID: it has no
//! other part of it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::faults::Flaw;
use super::server::Server;

/// The scope that asks for an ID token, and for no access.
pub(super) const OPENID: &str = "openid";

/// An ID token about `user` for `client`.
pub(super) fn id_token(server: &Server, client: &str, user: &str, nonce: Option<&str>, access_token: &str) -> String {
    let now = server.now().as_secs();
    let hash = digest(&SHA256, access_token.as_bytes());
    let mut claims = json!({
        "iss": server.issuer(),
        "sub": user,
        "aud": client,
        "exp": now + server.access_seconds,
        "iat": now,
        "auth_time": now,
        "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]),
    });
    if let Some(nonce) = nonce.filter(|_| !server.flawed(Flaw::NonceLost)) {
        claims["nonce"] = json!(nonce);
    }
    server.key.sign_as("JWT", &claims)
}
