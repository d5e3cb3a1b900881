//! What the lab takes for a good token under its faults, though its key never signed it.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::faults::Flaw;
use super::jwt::decode;
use super::server::Server;

/// The claims of a token that a fault lets in.
pub(super) fn claims(server: &Server, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let (header, claims) = (decode(header)?, decode(claims)?);
    let alg = header["alg"].as_str().unwrap_or_default();
    let taken = (server.flawed(Flaw::AlgNoneAccepted) && alg.eq_ignore_ascii_case("none") && signature.is_empty())
        || (server.flawed(Flaw::SignatureIgnored) && alg == "ES256" && header["kid"] == server.key.kid())
        || (server.flawed(Flaw::PublicKeyAsSecret) && alg == "HS256" && keyed_with_pem(server, signed, signature))
        || (server.flawed(Flaw::EmbeddedKeyAccepted) && signed_by_embedded(&header, signed, signature))
        || (server.flawed(Flaw::ForeignIssuerAccepted) && claims["iss"] != server.issuer().as_str());
    taken.then_some(claims)
}

fn keyed_with_pem(server: &Server, signed: &str, signature: &str) -> bool {
    let key = Key::new(HMAC_SHA256, server.key.public_pem().as_bytes());
    URL_SAFE_NO_PAD.decode(signature).is_ok_and(|tag| verify(&key, signed.as_bytes(), &tag).is_ok())
}

fn signed_by_embedded(header: &Value, signed: &str, signature: &str) -> bool {
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(header["jwk"][name].as_str()?).ok();
    let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else { return false };
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    URL_SAFE_NO_PAD.decode(signature).is_ok_and(|bytes| key.verify(signed.as_bytes(), &bytes).is_ok())
}
