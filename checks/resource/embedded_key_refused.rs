//! A token does not choose the key that it is verified with.

use serde_json::json;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, SignedToken};
use crate::oauth::forge::{Forged, OwnKey, Parts};

const OWN_KEYS: Demand = demand(
    "A token that brings its own key, or leads to a file or a query for it, is refused.",
    &[must(Document::Rfc9068, "4"), should(Document::Rfc8725, "3.10")],
);

/// Presents the real claims with a header that names the key to verify them with.
pub struct EmbeddedKeyRefused;

impl Check for EmbeddedKeyRefused {
    type Needs = SignedToken;
    const CARD: Card = Card {
        id: "resource/embedded-key-refused",
        demands: &[OWN_KEYS],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("embedded_key_refused.md"),
    };

    async fn run(token: SignedToken, cx: &Context) -> Outcome {
        let forged = variants(&token.parts)
            .ok_or_else(|| Unsettled::Control("no key could be made: the system gives no randomness".into()))?;
        Ok(cx.fold(
            token.real.present_all(cx, &forged, OWN_KEYS).await,
            "tokens that choose their own key were answered 401",
        ))
    }
}

fn variants(real: &Parts) -> Option<Vec<Forged>> {
    let key = OwnKey::like(real.alg())?;
    let jwk = key.public_jwk();
    let mut named = jwk.clone();
    named["kid"] = json!("oaudit");
    let embedded = |header: &[(&str, serde_json::Value)]| real.signed_by(&key, header, &[]);
    Some(vec![
        Forged::new("our key in jwk", embedded(&[("jwk", jwk)])?),
        Forged::new("our key in jwk, under a kid of its own", embedded(&[("jwk", named), ("kid", json!("oaudit"))])?),
        // A file that is empty everywhere: keyed with nothing. HMAC takes one byte of zeros for the same key.
        Forged::new(
            "kid leads to /dev/null, keyed with nothing",
            real.keyed_by_kid("../../../../../../../../dev/null", &[0]),
        ),
        Forged::new("kid is a path from the root, keyed with nothing", real.keyed_by_kid("/dev/null", &[0])),
        Forged::new(
            "kid is a query that answers with the key",
            real.keyed_by_kid("oaudit' UNION SELECT 'oaudit-key' -- ", b"oaudit-key"),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jwt::Jwt;

    #[test]
    fn the_header_alone_differs() {
        // {"alg":"ES256","kid":"1"} . {"iss":"https://as","aud":"r"}
        let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2FzIiwiYXVkIjoiciJ9.AQIDBA";
        let forged = variants(&Parts::of(token).unwrap()).unwrap();
        for one in &forged {
            let jwt = Jwt::read(&one.token).unwrap();
            assert_eq!(jwt.claims, json!({"iss": "https://as", "aud": "r"}), "{}", one.what);
            let ours = jwt.header["jwk"]["kty"] == "EC" && jwt.header["alg"] == "ES256";
            let by_kid = jwt.header["alg"] == "HS256" && jwt.header["kid"] != "1";
            assert!(ours != by_kid, "{}", one.what);
        }
        assert_eq!(Jwt::read(&forged[0].token).unwrap().header["kid"], "1");
    }
}
