//! A stolen access token is of use for minutes, not for days.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must, should};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::claims::{span, time};
use crate::oauth::jwt::Jwt;
use crate::settings::Thresholds;

const MINUTES: Demand = demand(
    "An access token lives for a quarter of an hour or less.",
    &[advice(Document::OpenAi, "approval checklist"), advice(Document::OAuth21, "7.1.3.5")],
);
const HOUR: Demand = demand(
    "An access token lives for an hour or less.",
    &[should(Document::OAuth21, "7.1.3.5"), should(Document::Mcp, "token-theft")],
);
const DAY: Demand = demand(
    "An access token ends within a day, and its lifetime can be learned.",
    &[
        must(Document::OpenAi, "approval checklist"),
        should(Document::OAuth21, "7.1.3.5"),
        should(Document::Mcp, "token-theft"),
    ],
);

/// Reads how long the access token of the ordinary flow lives.
pub struct ShortLived;

impl Check for ShortLived {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "access_token/short-lived",
        demands: &[MINUTES, HOUR, DAY],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("short_lived.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let tokens = &baseline.tokens;
        let mut lifetime = stated(&tokens.members, Jwt::read(tokens.access_token.expose()).as_ref());
        let mut shown = vec![tokens.exchange];
        if lifetime.is_none()
            && let Some(introspection) = &cx.audit.introspection
        {
            let answer = introspection.ask(&cx.wire, tokens.access_token.expose()).await?;
            shown.push(answer.exchange());
            let members = answer.members().cloned().unwrap_or_default();
            lifetime = from_claims(&members).map(|seconds| (seconds, "introspection"));
        }
        let ruling = Ruling::from(judge(lifetime, &cx.audit.settings.thresholds)).shown_by(shown);
        Ok(match lifetime {
            Some((seconds, source)) => {
                let mut ruling = ruling.noting(source, Verdict::pass(format!("it lives for {}", span(seconds))));
                ruling.findings = ruling.findings.into_iter().map(|f| f.measured(seconds as f64, "s")).collect();
                ruling
            }
            None => ruling,
        })
    }
}

/// `expires_in`, else the claims of a JWT; and which of them it was.
fn stated(members: &Value, jwt: Option<&Jwt>) -> Option<(i64, &'static str)> {
    let expires_in = members.get("expires_in").and_then(|v| {
        // A string of digits is wrong, and understood (`token/response-format`).
        v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)).or_else(|| v.as_str()?.parse().ok())
    });
    // Zero and less is nothing that a token could live for; some mean "for ever" by it.
    let expires_in = expires_in.filter(|seconds| *seconds > 0);
    expires_in
        .map(|seconds| (seconds, "expires_in"))
        .or_else(|| Some((from_claims(&jwt?.claims)?, "exp and iat of the token")))
}

fn from_claims(claims: &Value) -> Option<i64> {
    Some(time(claims, "exp")? - time(claims, "iat")?).filter(|seconds| *seconds > 0)
}

fn judge(lifetime: Option<(i64, &str)>, thresholds: &Thresholds) -> Verdict {
    let limit = i64::try_from(thresholds.access_token_seconds).unwrap_or(i64::MAX);
    match lifetime {
        None => Verdict::fail(DAY, "nothing says how long the access token lives"),
        Some((seconds, source)) if seconds <= limit => {
            Verdict::pass(format!("the access token lives for {} ({source})", span(seconds)))
        }
        Some((seconds, source)) => {
            let broken = match seconds {
                ..=3600 => MINUTES,
                3601..=86_400 => HOUR,
                _ => DAY,
            };
            let limit = span(limit);
            Verdict::fail(broken, format!("the access token lives for {} ({source}), more than {limit}", span(seconds)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_longer_the_graver() {
        let at = |seconds| judge(Some((seconds, "expires_in")), &Thresholds::default());
        assert!(matches!(at(900), Verdict::Pass(_)));
        assert!(matches!(at(901), Verdict::Fail(MINUTES, _)));
        assert!(matches!(at(3600), Verdict::Fail(MINUTES, _)));
        assert!(matches!(at(3601), Verdict::Fail(HOUR, _)));
        assert!(matches!(at(86_401), Verdict::Fail(DAY, _)));
        assert!(matches!(judge(None, &Thresholds::default()), Verdict::Fail(DAY, _)));
        let generous = Thresholds { access_token_seconds: 7200, ..Thresholds::default() };
        assert!(matches!(judge(Some((7200, "expires_in")), &generous), Verdict::Pass(_)));
    }

    #[test]
    fn the_answer_speaks_before_the_token() {
        let jwt = Jwt { header: json!({}), claims: json!({"exp": 2000, "iat": 1000}) };
        assert_eq!(stated(&json!({"expires_in": 60}), Some(&jwt)), Some((60, "expires_in")));
        assert_eq!(stated(&json!({"expires_in": "60"}), None), Some((60, "expires_in")));
        assert_eq!(stated(&json!({}), Some(&jwt)), Some((1000, "exp and iat of the token")));
        assert_eq!(stated(&json!({}), None), None);
        assert_eq!(stated(&json!({"expires_in": 0}), None), None, "some mean for ever");
        assert_eq!(stated(&json!({"expires_in": 0}), Some(&jwt)), Some((1000, "exp and iat of the token")));
    }
}
