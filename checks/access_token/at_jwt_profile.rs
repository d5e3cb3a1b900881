//! A JWT access token is written as RFC 9068 has it, so that any resource server understands it.

use serde_json::Value;

use crate::check::{
    Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must, should,
};
use crate::document::Document;
use crate::needs::{Baseline, Context, not_signed};
use crate::oauth::jwt::{Jwt, TokenKind};
use crate::oauth::scope::ScopeSet;

const TYPED: Demand = demand("A JWT access token has the type at+jwt.", &[advice(Document::Rfc9068, "2.1")]);
const CLAIMS: Demand = demand(
    "A JWT access token has the claims sub, client_id, iat, jti and scope.",
    &[advice(Document::Rfc9068, "2.2")],
);
const AT_JWT_CLAIMS: Demand = demand(
    "An access token of the type at+jwt has the claims sub, client_id, iat and jti.",
    &[must(Document::Rfc9068, "2.2")],
);
const AT_JWT_SCOPE: Demand = demand(
    "An access token of the type at+jwt states its scope if scopes were asked for.",
    &[should(Document::Rfc9068, "2.2.3")],
);

/// Reads type and claims of the access token.
pub struct AtJwtProfile;

impl Check for AtJwtProfile {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/at-jwt-profile",
        demands: &[TYPED, CLAIMS, AT_JWT_CLAIMS, AT_JWT_SCOPE],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("at_jwt_profile.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let token = baseline.tokens.access_token.expose();
        let Some(jwt) = Jwt::read(token) else { return Ok(Verdict::from(not_signed(TokenKind::of(token))).into()) };
        let lines = judge(&jwt, &baseline.requested_scope);
        Ok(Ruling { evidence: vec![baseline.tokens.exchange], ..cx.fold(lines, "the token has the form of RFC 9068") })
    }
}

fn judge(jwt: &Jwt, asked: &ScopeSet) -> Vec<Finding> {
    let at_jwt = jwt.is_at_jwt();
    let typ = match at_jwt {
        true => Verdict::pass("typ is at+jwt"),
        false => Verdict::fail(
            TYPED,
            match jwt.header.get("typ") {
                Some(typ) => format!("typ is {typ}"),
                None => "there is no typ".into(),
            },
        ),
    };
    let mut lines = vec![Finding::new("typ", typ)];
    for name in ["sub", "client_id", "iat", "jti"] {
        let (fits, kind): (fn(&Value) -> bool, _) = match name {
            "iat" => (Value::is_number, "number"),
            _ => (|value| value.as_str().is_some_and(|text| !text.is_empty()), "text"),
        };
        let broken = if at_jwt { AT_JWT_CLAIMS } else { CLAIMS };
        let verdict = match jwt.claims.get(name) {
            Some(value) if fits(value) => Verdict::pass(format!("its {name} is there")),
            Some(_) => Verdict::fail(broken, format!("its {name} is no {kind}")),
            None => Verdict::fail(broken, format!("it has no {name}")),
        };
        lines.push(Finding::new(name, verdict));
    }
    let scope = match (jwt.claims.get("scope"), asked.access().is_empty()) {
        (Some(Value::String(_)), _) => Verdict::pass("it states its scope"),
        (_, true) => Verdict::not_applicable("no scope was asked for"),
        (None, _) if jwt.scope().is_some() => {
            Verdict::fail(if at_jwt { AT_JWT_SCOPE } else { CLAIMS }, "its scopes stand in scp, not in scope")
        }
        (found, _) => Verdict::fail(
            if at_jwt { AT_JWT_SCOPE } else { CLAIMS },
            if found.is_some() { "its scope is no text" } else { "it has no scope" },
        ),
    };
    lines.push(Finding::new("scope", scope));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failed(header: Value, claims: Value, asked: &str) -> Vec<(String, Demand)> {
        judge(&Jwt { header, claims }, &ScopeSet::parse(asked))
            .into_iter()
            .filter_map(|line| match line.verdict {
                Verdict::Fail(broken, _) => Some((line.what, broken)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn who_says_at_jwt_must_mean_it() {
        let good = json!({"sub": "s", "client_id": "c", "iat": 1_700_000_000, "jti": "j", "scope": "a"});
        assert!(failed(json!({"typ": "application/AT+JWT"}), good.clone(), "a").is_empty());
        assert_eq!(failed(json!({"typ": "JWT"}), good, "a"), [("typ".to_owned(), TYPED)]);
        let bare = failed(json!({"typ": "at+jwt"}), json!({"sub": "", "iat": "2026-11-26", "jti": 7}), "a");
        let claims = ["sub", "client_id", "iat", "jti"].map(|what| (what.to_owned(), AT_JWT_CLAIMS));
        assert_eq!(bare, [&claims[..], &[("scope".to_owned(), AT_JWT_SCOPE)]].concat());
        assert!(failed(json!({}), json!({"scp": ["a"]}), "a").iter().all(|(_, d)| [TYPED, CLAIMS].contains(d)));
        let unscoped = json!({"sub": "s", "client_id": "c", "iat": 1.5, "jti": "j"});
        assert_eq!(failed(json!({"typ": "at+jwt"}), unscoped, "openid"), []);
    }
}
