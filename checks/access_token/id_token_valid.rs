//! An ID token is what OpenID Connect says it is.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::claims::{self, Judged};
use crate::oauth::id_token::{self, Known};
use crate::oauth::jws::Signature;
use crate::oauth::jwt::Jwt;

const ISSUED: Demand =
    demand("Who asks for openid and is granted it gets an ID token.", &[must(Document::OidcCore, "3.1.3.3")]);
const SIGNED: Demand = demand("The ID token is signed by a published key.", &[must(Document::OidcCore, "2")]);
const VALID: Demand = demand(
    "The ID token has the claims by which a client knows that it is meant for it and fresh.",
    &[must(Document::OidcCore, "2"), must(Document::OidcCore, "3.1.3.7")],
);
const PARTY: Demand = demand(
    "The azp of an ID token is its client, and is there if the token has several audiences.",
    &[should(Document::OidcCore, "3.1.3.7")],
);

/// Validates the ID token of the ordinary flow as a client does.
pub struct IdTokenValid;

impl Check for IdTokenValid {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/id-token-valid",
        demands: &[ISSUED, SIGNED, VALID, PARTY],
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
        let known = Known {
            issuer: server.metadata.text("issuer").unwrap_or(&server.issuer),
            client: &tokens.grant.client.id,
            nonce: baseline.nonce.as_deref(),
            access_token: tokens.access_token.expose(),
            now: claims::time_of(baseline.token_reply.header("date")),
        };
        let mut lines = vec![Finding::new("signature", judge_signature(cx.signature(token)))];
        lines.extend(judge(&jwt, &known));
        Ok(Ruling { evidence: vec![tokens.exchange], ..cx.fold(lines, "the ID token is in order") })
    }
}

fn judge_signature(signature: Result<Signature, String>) -> Verdict {
    match signature {
        Ok(Signature::Verified { alg, .. }) => Verdict::pass(format!("a published key verifies its {alg} signature")),
        Ok(Signature::Wrong(why) | Signature::NoKey(why) | Signature::Unsigned(why)) => Verdict::fail(SIGNED, why),
        // Keyed with the client's secret (OpenID Connect Core section 10.1).
        Ok(Signature::Symmetric(why)) => Verdict::not_applicable(why),
        Ok(Signature::CannotVerify(why)) | Err(why) => Verdict::inconclusive(why),
    }
}

fn judge(jwt: &Jwt, known: &Known<'_>) -> Vec<Finding> {
    let line = |(what, judged): (&'static str, Judged)| {
        let verdict = match judged {
            Judged::Holds(why) => Verdict::pass(why),
            Judged::Broken(why) => Verdict::fail(if what == "azp" { PARTY } else { VALID }, why),
            Judged::Unknown(why) => Verdict::not_applicable(why),
        };
        Finding::new(what, verdict)
    };
    id_token::points(jwt, known).into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_broken_point_is_a_failure_and_an_absent_one_is_none() {
        let known = Known { issuer: "https://as", client: "c", nonce: Some("n"), access_token: "t", now: 1000 };
        let claims = json!({"iss": "https://as", "sub": "u", "aud": "c", "exp": 2000, "iat": 1000});
        let lines = judge(&Jwt { header: json!({"alg": "ES256"}), claims }, &known);
        let of = |what: &str| &lines.iter().find(|l| l.what == what).unwrap().verdict;
        assert!(matches!(of("nonce"), Verdict::Fail(VALID, _)));
        assert!(matches!(of("at_hash"), Verdict::NotApplicable(_)));
        assert!(matches!(of("aud"), Verdict::Pass(_)));
        let claims = json!({"iss": "https://as", "sub": "u", "aud": ["c", "d"], "exp": 2000, "iat": 1000});
        let lines = judge(&Jwt { header: json!({"alg": "ES256"}), claims }, &known);
        let azp = lines.iter().find(|l| l.what == "azp").unwrap();
        assert!(matches!(azp.verdict, Verdict::Fail(PARTY, _)), "weaker than the rest");
    }

    #[test]
    fn none_is_no_signature() {
        let of = |signature| judge_signature(Ok(signature));
        assert!(matches!(of(Signature::Unsigned("none".into())), Verdict::Fail(SIGNED, _)));
        assert!(matches!(of(Signature::NoKey("kid 7".into())), Verdict::Fail(SIGNED, _)));
        assert!(matches!(of(Signature::Symmetric("HS256".into())), Verdict::NotApplicable(_)));
        assert!(matches!(of(Signature::CannotVerify("ES512".into())), Verdict::Inconclusive(_)));
        assert!(matches!(judge_signature(Err("the keys answer 503".into())), Verdict::Inconclusive(_)));
    }
}
