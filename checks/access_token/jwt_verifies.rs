//! Whoever gets a JWT access token can verify it, with what the server publishes.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Baseline, Context, not_signed};
use crate::oauth::claims::{self, Judged, time};
use crate::oauth::jws::Signature;
use crate::oauth::jwt::{Jwt, TokenKind};

const VERIFIES: Demand = demand(
    "A published key of an asymmetric algorithm verifies the JWT access token.",
    &[should(Document::Rfc9068, "2.1"), must(Document::OpenAi, "approval checklist")],
);
const AT_JWT_VERIFIES: Demand = demand(
    "A published key of an asymmetric algorithm verifies an access token of the type at+jwt.",
    &[must(Document::Rfc9068, "2.1"), must(Document::OpenAi, "approval checklist")],
);
const CLAIMS: Demand = demand(
    "A JWT access token names its issuer and its end.",
    &[should(Document::Rfc9068, "2.2"), must(Document::OpenAi, "approval checklist")],
);
const AT_JWT_CLAIMS: Demand = demand(
    "An access token of the type at+jwt names its issuer and its end.",
    &[must(Document::Rfc9068, "2.2"), must(Document::OpenAi, "approval checklist")],
);
const TIMES: Demand = demand(
    "The times of the access token agree with the answer that brought it.",
    &[should(Document::Rfc9068, "2.2"), should(Document::OAuth21, "3.2.3")],
);

/// Verifies the access token of the ordinary flow as a resource server does.
pub struct JwtVerifies;

impl Check for JwtVerifies {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/jwt-verifies",
        demands: &[VERIFIES, AT_JWT_VERIFIES, CLAIMS, AT_JWT_CLAIMS, TIMES],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("jwt_verifies.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let token = baseline.tokens.access_token.expose();
        let Some(jwt) = Jwt::read(token) else { return Ok(Verdict::from(not_signed(TokenKind::of(token))).into()) };
        let server = &cx.audit.discovery.server;
        let issuer = server.metadata.text("issuer").unwrap_or(&server.issuer);
        let now = claims::now_beside(baseline.token_reply.header("date"));
        let first = Finding::new("signature", judge_signature(cx.signature(token), jwt.is_at_jwt()));
        let mut lines = vec![first.clone()];
        lines.extend(judge_claims(&jwt, issuer, baseline.tokens.members.get("expires_in"), now));
        let mut ruling = cx.fold(lines, "signature, issuer and times are in order");
        if matches!(ruling.verdict, Verdict::Pass(_)) && !matches!(first.verdict, Verdict::Pass(_)) {
            // Claims that nobody can verify are no pass.
            ruling.verdict = first.verdict;
        }
        Ok(Ruling { evidence: vec![baseline.tokens.exchange], ..ruling })
    }
}

fn judge_signature(signature: Result<Signature, String>, at_jwt: bool) -> Verdict {
    let broken = if at_jwt { AT_JWT_VERIFIES } else { VERIFIES };
    match signature {
        Ok(Signature::Verified { alg, kid }) => {
            let kid = kid.map(|k| format!(" {k}")).unwrap_or_default();
            Verdict::pass(format!("the published key{kid} verifies its {alg} signature"))
        }
        Ok(Signature::Wrong(why) | Signature::Unsigned(why)) => Verdict::fail(broken, why),
        // RFC 9068 section 2.1 and 4: signed, by a key that the resource server gets from the metadata.
        Ok(Signature::NoKey(why) | Signature::Symmetric(why)) if at_jwt => Verdict::fail(broken, why),
        Ok(Signature::NoKey(why) | Signature::Symmetric(why)) => {
            Verdict::not_applicable(format!("nobody but the servers can verify the token: {why}"))
        }
        Ok(Signature::CannotVerify(why)) => Verdict::inconclusive(format!("the signature cannot be verified: {why}")),
        Err(why) => Verdict::inconclusive(why),
    }
}

fn judge_claims(jwt: &Jwt, issuer: &str, expires_in: Option<&Value>, now: i64) -> Vec<Finding> {
    let named = if jwt.is_at_jwt() { AT_JWT_CLAIMS } else { CLAIMS };
    let line = |what: &str, judged: Judged, broken: Demand| {
        let verdict = match judged {
            Judged::Holds(why) => Verdict::pass(why),
            Judged::Broken(why) => Verdict::fail(broken, why),
            Judged::Unknown(why) => Verdict::not_applicable(why),
        };
        Finding::new(what, verdict)
    };
    // The token is fresh: had it expired already, its end would be wrong.
    let end = match time(&jwt.claims, "exp") {
        Some(_) => Judged::Holds("it has an exp".into()),
        None => claims::expiry(&jwt.claims, now),
    };
    vec![
        line("iss", claims::issuer(&jwt.claims, issuer), named),
        line("exp", end, named),
        line("exp beside expires_in", claims::agreement(&jwt.claims, expires_in, now), TIMES),
        line("iat and nbf", claims::begun(&jwt.claims, now), TIMES),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn failed(claims: Value, expires_in: Value) -> Vec<String> {
        let jwt = Jwt { header: json!({"typ": "at+jwt"}), claims };
        let lines = judge_claims(&jwt, "https://as", Some(&expires_in), NOW);
        lines.into_iter().filter(|l| matches!(l.verdict, Verdict::Fail(..))).map(|l| l.what).collect()
    }

    #[test]
    fn claims_are_judged_one_by_one() {
        let good = json!({"iss": "https://as", "exp": NOW + 600, "iat": NOW});
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        assert!(failed(good.clone(), json!(600)).is_empty());
        assert_eq!(failed(with("iss", json!("https://as/")), json!(600)), ["iss"]);
        assert_eq!(failed(with("exp", Value::Null), json!(600)), ["exp"]);
        assert_eq!(failed(with("exp", json!(NOW + 6000)), json!(600)), ["exp beside expires_in"]);
        assert_eq!(failed(with("nbf", json!(NOW + 90)), json!(600)), ["iat and nbf"]);
        assert!(failed(json!({"iss": "https://as", "exp": NOW + 500}), json!(600)).is_empty(), "issued 100 s ago");
    }

    #[test]
    fn a_signature_is_judged_by_what_the_token_claims_to_be() {
        let of = |signature: Signature, at_jwt| judge_signature(Ok(signature), at_jwt);
        let why = || "x".to_owned();
        assert!(matches!(of(Signature::Verified { alg: why(), kid: None }, true), Verdict::Pass(_)));
        assert!(matches!(of(Signature::Wrong(why()), true), Verdict::Fail(AT_JWT_VERIFIES, _)));
        assert!(matches!(of(Signature::Unsigned(why()), false), Verdict::Fail(VERIFIES, _)));
        for signature in [Signature::NoKey(why()), Signature::Symmetric(why())] {
            assert!(matches!(of(signature.clone(), true), Verdict::Fail(AT_JWT_VERIFIES, _)));
            assert!(matches!(of(signature, false), Verdict::NotApplicable(_)));
        }
        assert!(matches!(of(Signature::CannotVerify(why()), true), Verdict::Inconclusive(_)));
        assert!(matches!(judge_signature(Err(why()), true), Verdict::Inconclusive(_)));
    }
}
