//! An ID token is what OpenID Connect says it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use time::OffsetDateTime;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::claims::{self, Judged};
use crate::oauth::introspection::audience;
use crate::oauth::jws::{Signature, verify};
use crate::oauth::jwt::Jwt;

const ISSUED: Demand =
    demand("Who asks for openid and is granted it gets an ID token.", &[must(Document::OidcCore, "3.1.3.3")]);
const SIGNED: Demand = demand("The ID token is signed by a published key.", &[must(Document::OidcCore, "2")]);
const VALID: Demand = demand(
    "The ID token has the claims by which a client knows that it is meant for it and fresh.",
    &[must(Document::OidcCore, "2"), must(Document::OidcCore, "3.1.3.7")],
);

/// Validates the ID token of the ordinary flow as a client does.
pub struct IdTokenValid;

/// What the client knows beside the token.
struct Known<'a> {
    issuer: &'a str,
    client: &'a str,
    nonce: Option<&'a str>,
    access_token: &'a str,
    now: i64,
}

impl Check for IdTokenValid {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/id-token-valid",
        demands: &[ISSUED, SIGNED, VALID],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("id_token_valid.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let tokens = &baseline.tokens;
        let granted = tokens.stated_scope().is_none_or(|scope| scope.contains("openid"));
        let Some(token) = tokens.members.get("id_token").and_then(Value::as_str) else {
            return Ok(match baseline.requested_scope.contains("openid") && granted {
                true => Verdict::fail(ISSUED, "openid was asked for, and the answer has no id_token"),
                false => Verdict::not_applicable("openid was not asked for, or not granted (--scope \"openid …\")"),
            }
            .into());
        };
        let Some(jwt) = Jwt::read(token) else {
            return Ok(Verdict::inconclusive("the ID token is encrypted, or no JWT at all").into());
        };
        let server = &cx.audit.discovery.server;
        let signature = match &server.jwks {
            Some(Ok(keys)) => verify(token, &keys.json.clone().unwrap_or_default()),
            Some(Err(why)) => Signature::CannotVerify(why.clone()),
            None => verify(token, &Value::Null),
        };
        let known = Known {
            issuer: server.metadata.text("issuer").unwrap_or(&server.issuer),
            client: &tokens.grant.client.id,
            nonce: baseline.nonce.as_deref(),
            access_token: tokens.access_token.expose(),
            now: OffsetDateTime::now_utc().unix_timestamp(),
        };
        let mut lines = vec![Finding::new("signature", judge_signature(signature))];
        lines.extend(judge(&jwt, &known));
        Ok(Ruling { evidence: vec![tokens.exchange], ..cx.fold(lines, "the ID token is in order") })
    }
}

fn judge_signature(signature: Signature) -> Verdict {
    match signature {
        Signature::Verified { alg, .. } => Verdict::pass(format!("a published key verifies its {alg} signature")),
        Signature::Wrong(why) | Signature::NoKey(why) | Signature::Unsigned(why) => Verdict::fail(SIGNED, why),
        // Keyed with the client's secret (OpenID Connect Core section 10.1).
        Signature::Symmetric(why) => Verdict::not_applicable(why),
        Signature::CannotVerify(why) => Verdict::inconclusive(why),
    }
}

fn judge(jwt: &Jwt, known: &Known<'_>) -> Vec<Finding> {
    let line = |what: &str, judged: Judged| {
        let verdict = match judged {
            Judged::Holds(why) => Verdict::pass(why),
            Judged::Broken(why) => Verdict::fail(VALID, why),
            Judged::Unknown(why) => Verdict::not_applicable(why),
        };
        Finding::new(what, verdict)
    };
    let missing = |judged: Judged| match judged {
        Judged::Unknown(why) => Judged::Broken(why),
        other => other,
    };
    let claims = &jwt.claims;
    let sub = match claims.get("sub") {
        Some(Value::String(sub)) if !sub.is_empty() => Judged::Holds("it has a sub".into()),
        _ => Judged::Broken("it has no sub".into()),
    };
    let begun = match claims.get("iat") {
        Some(_) => claims::begun(claims, known.now),
        None => Judged::Broken("it has no iat".into()),
    };
    vec![
        line("iss", claims::issuer(claims, known.issuer)),
        line("sub", sub),
        line("aud", missing(claims::audience_among(claims, &[known.client]))),
        line("azp", authorized_party(claims, known.client)),
        line("exp", claims::expiry(claims, known.now)),
        line("iat", begun),
        line("nonce", nonce(claims, known.nonce)),
        line("at_hash", at_hash(jwt, known.access_token)),
    ]
}

fn authorized_party(claims: &Value, client: &str) -> Judged {
    match claims.get("azp").map(|azp| azp.as_str()) {
        Some(Some(azp)) if azp == client => Judged::Holds("azp is the client".into()),
        Some(_) => Judged::Broken("azp is not the client".into()),
        None if audience(claims).is_some_and(|several| several.len() > 1) => {
            Judged::Broken("it has several audiences and no azp".into())
        }
        None => Judged::Unknown("it is for one audience, and needs no azp".into()),
    }
}

fn nonce(claims: &Value, sent: Option<&str>) -> Judged {
    match (claims.get("nonce").and_then(Value::as_str), sent) {
        (_, None) => Judged::Unknown("no nonce was sent".into()),
        (Some(nonce), Some(sent)) if nonce == sent => Judged::Holds("the nonce came back".into()),
        (Some(_), Some(_)) => Judged::Broken("its nonce is not the one that was sent".into()),
        (None, Some(_)) => Judged::Broken("a nonce was sent, and it has none".into()),
    }
}

/// Left half of the hash of the access token (OpenID Connect Core section 3.1.3.6); optional with the code flow.
fn at_hash(jwt: &Jwt, access_token: &str) -> Judged {
    let Some(stated) = jwt.claims.get("at_hash").and_then(Value::as_str) else {
        return Judged::Unknown("it has no at_hash, as it may".into());
    };
    let bytes = access_token.as_bytes();
    let digest = match jwt.header.get("alg").and_then(Value::as_str).unwrap_or_default() {
        alg if alg.ends_with("256") => Sha256::digest(bytes).to_vec(),
        alg if alg.ends_with("384") => Sha384::digest(bytes).to_vec(),
        alg if alg.ends_with("512") || ["EdDSA", "Ed25519"].contains(&alg) => Sha512::digest(bytes).to_vec(),
        alg => return Judged::Unknown(format!("the hash that goes with {alg} is not known here")),
    };
    match URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]) == stated {
        true => Judged::Holds("at_hash belongs to the access token".into()),
        false => Judged::Broken("at_hash does not belong to the access token".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;
    /// An access token and its at_hash with SHA-256, computed by another implementation.
    const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    const AT_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";

    fn failed(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut claims = json!({
            "iss": "https://as", "sub": "u", "aud": "c", "exp": NOW + 60, "iat": NOW, "nonce": "n", "at_hash": AT_HASH,
        });
        change(&mut claims);
        let known = Known { issuer: "https://as", client: "c", nonce: Some("n"), access_token: ACCESS_TOKEN, now: NOW };
        let lines = judge(&Jwt { header: json!({"alg": "ES256"}), claims }, &known);
        lines.into_iter().filter(|l| matches!(l.verdict, Verdict::Fail(..))).map(|l| l.what).collect()
    }

    #[test]
    fn each_claim_by_itself() {
        assert!(failed(|_| {}).is_empty());
        for (name, value) in [
            ("iss", json!("https://as/")),
            ("sub", json!("")),
            ("aud", json!("other")),
            ("azp", json!("other")),
            ("exp", json!(NOW)),
            ("iat", json!(NOW + 90)),
            ("nonce", json!("other")),
            ("at_hash", json!("MTIzNDU2Nzg5MDEyMzQ1Ng")),
        ] {
            assert_eq!(failed(|claims| claims[name] = value), [name]);
            if !["azp", "at_hash"].contains(&name) {
                assert_eq!(failed(|claims| drop(claims.as_object_mut().unwrap().remove(name))), [name]);
            }
        }
        assert_eq!(failed(|claims| claims["aud"] = json!(["c", "d"])), ["azp"]);
        assert!(failed(|claims| drop(claims.as_object_mut().unwrap().remove("at_hash"))).is_empty());
    }

    #[test]
    fn none_is_no_signature() {
        assert!(matches!(judge_signature(Signature::Unsigned("none".into())), Verdict::Fail(SIGNED, _)));
        assert!(matches!(judge_signature(Signature::Symmetric("HS256".into())), Verdict::NotApplicable(_)));
        assert!(matches!(judge_signature(Signature::CannotVerify("ES512".into())), Verdict::Inconclusive(_)));
    }
}
