//! A token and the key set that may have signed it: splitting, claims, signature, and what is said of it. A token, a line
//! break, a key set; or, with a `{` at the front, claims that are made a token of first.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use oaudit::inspect::{Measure, Supply, inspect, tidy};
use oaudit::oauth::claims;
use oaudit::oauth::id_token::{Known, points};
use oaudit::oauth::jws::{likely_keys, verify};
use oaudit::oauth::jwt::{Jwt, TokenKind};
use oaudit::oauth::scope::ScopeSet;
use oaudit::oauth::introspection::audience;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let (token, keys) = text.split_once('\n').unwrap_or((text, ""));
    let keys: Value = serde_json::from_str(keys).unwrap_or_default();
    let made;
    let token = match serde_json::from_str::<Value>(token) {
        Ok(claims) if claims.is_object() => {
            made = format!("eyJhbGciOiJFUzI1NiJ9.{}.AA", URL_SAFE_NO_PAD.encode(claims.to_string()));
            &made
        }
        _ => token,
    };
    let token = &tidy(token);
    let _ = TokenKind::of(token);
    let _ = Jwt::header_of(token);
    let _ = verify(token, &keys);
    let now = 1_790_000_000;
    if let Some(jwt) = Jwt::read(token) {
        let _ = (jwt.scope(), jwt.is_at_jwt(), jwt.expires_at(), likely_keys(&jwt, &keys), audience(&jwt.claims));
        let known = Known { issuer: "https://as", client: "c", nonce: Some("n"), access_token: "a", now };
        let _ = points(&jwt, &known);
        let _ = claims::agreement(&jwt.claims, jwt.claims.get("expires_in"), now);
    }
    let measure = Measure {
        now,
        issuer: Some("https://as".into()),
        audience: Some("https://rs".into()),
        scope: Some(ScopeSet::parse("a b")),
        keys: Supply::Here(keys),
        introspected: Supply::Failed("x".into()),
    };
    let seen = inspect(token, &measure);
    let _ = seen.json(seen.exit_code()).to_string();
});
