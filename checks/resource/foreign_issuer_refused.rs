//! A token of somebody else opens nothing.

use serde_json::json;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, demand, must};
use crate::document::Document;
use crate::needs::{Context, SignedToken};
use crate::oauth::forge::{Forged, OwnKey, Parts};

const OWN_ISSUER: Demand = demand(
    "A token that another issuer signed is refused.",
    &[must(Document::Rfc9068, "4"), must(Document::OpenAi, "approval checklist")],
);

/// Nobody's: the name can never resolve.
const ISSUER: &str = "https://issuer.oaudit.invalid";

/// Presents the real claims, audience and `kid` included, signed by a key of our own.
pub struct ForeignIssuerRefused;

impl Check for ForeignIssuerRefused {
    type Needs = SignedToken;
    const CARD: Card = Card {
        id: "resource/foreign-issuer-refused",
        demands: &[OWN_ISSUER],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("foreign_issuer_refused.md"),
    };

    async fn run(token: SignedToken, cx: &Context) -> Outcome {
        let forged = variants(&token.parts)
            .ok_or_else(|| Unsettled::Control("no key could be made: the system gives no randomness".into()))?;
        Ok(cx.fold(
            token.real.present_all(cx, &forged, OWN_ISSUER).await,
            "tokens that we signed ourselves were answered 401",
        ))
    }
}

fn variants(real: &Parts) -> Option<Vec<Forged>> {
    let key = OwnKey::like(real.alg())?;
    Some(vec![
        Forged::new("issued and signed by somebody else", real.signed_by(&key, &[], &[("iss", json!(ISSUER))])?),
        Forged::new("the server's own issuer, signed by somebody else", real.signed_by(&key, &[], &[])?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jwt::Jwt;

    #[test]
    fn all_but_the_issuer_and_the_key_stays() {
        // {"alg":"ES256","kid":"1"} . {"iss":"https://as","aud":"r"}
        let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2FzIiwiYXVkIjoiciJ9.AQIDBA";
        let forged = variants(&Parts::of(token).unwrap()).unwrap();
        let read = |at: usize| Jwt::read(&forged[at].token).unwrap();
        assert_eq!(read(0).claims, json!({"iss": ISSUER, "aud": "r"}));
        assert_eq!(read(1).claims, json!({"iss": "https://as", "aud": "r"}));
        assert_eq!(read(0).header, json!({"alg": "ES256", "kid": "1"}));
    }
}
