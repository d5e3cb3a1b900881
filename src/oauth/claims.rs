//! What the claims of a token say about it: who issued it, for whom, until when. Pure; the check and the `token`
//! command judge by the same functions.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::introspection::audience;
use super::jwt::Jwt;
use super::scope::ScopeSet;

/// Seconds by which clocks may differ.
pub const LEEWAY: i64 = 60;

/// What was found out about one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It holds.
    Holds(String),
    /// It does not.
    Broken(String),
    /// It cannot be said.
    Unknown(String),
}

/// A time of the claims, in seconds since 1970.
pub fn time(claims: &Value, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
}

/// `exp`: there, and not passed (RFC 7519 section 4.1.4).
pub fn expiry(claims: &Value, now: i64) -> Judged {
    match (claims.get("exp"), time(claims, "exp")) {
        (None, _) => Judged::Broken("it has no exp: it never expires".into()),
        (Some(other), None) => Judged::Broken(format!("exp is {other}, not a number of seconds")),
        (_, Some(exp)) if exp <= now => Judged::Broken(format!("it expired {} ago", span(now.saturating_sub(exp)))),
        (_, Some(exp)) => Judged::Holds(format!("it expires in {}", span(exp.saturating_sub(now)))),
    }
}

/// `iat` and `nbf`: not in the future. `Unknown` where neither is there.
pub fn begun(claims: &Value, now: i64) -> Judged {
    let mut seen = Vec::new();
    for name in ["iat", "nbf"] {
        match (claims.get(name), time(claims, name)) {
            (None, _) => {}
            (Some(other), None) => return Judged::Broken(format!("{name} is {other}, not a number of seconds")),
            (_, Some(at)) if at > now + LEEWAY => {
                return Judged::Broken(format!("{name} lies {} in the future", span(at.saturating_sub(now))));
            }
            _ => seen.push(name),
        }
    }
    match seen.is_empty() {
        true => Judged::Unknown("it has neither iat nor nbf".into()),
        false => Judged::Holds(format!("{} is not in the future", seen.join(" and "))),
    }
}

/// `iss`: the issuer, byte for byte.
pub fn issuer(claims: &Value, expected: &str) -> Judged {
    match claims.get("iss").and_then(Value::as_str) {
        Some(iss) if iss == expected => Judged::Holds(format!("iss is {iss}")),
        Some(iss) => Judged::Broken(format!("iss is {iss}, not {expected}")),
        None => Judged::Broken("it has no iss".into()),
    }
}

/// `aud`: one of these is in it.
pub fn audience_among(claims: &Value, expected: &[&str]) -> Judged {
    match audience(claims) {
        Some(several) if several.iter().any(|aud| expected.contains(aud)) => {
            Judged::Holds(format!("aud is {}", several.join(", ")))
        }
        Some(several) if !several.is_empty() => {
            Judged::Broken(format!("aud is {}, not {}", several.join(", "), expected.first().unwrap_or(&"")))
        }
        _ => Judged::Unknown("it has no aud".into()),
    }
}

/// `scope` or `scp`: all of these are in it.
pub fn scopes(claims: &Value, needed: &ScopeSet) -> Judged {
    let jwt = Jwt { header: Value::Null, claims: claims.clone() };
    let Some(scope) = jwt.scope() else { return Judged::Unknown("it has neither scope nor scp".into()) };
    let missing = needed.beyond(&ScopeSet::parse(&scope));
    match missing.is_empty() {
        true => Judged::Holds(format!("it is good for {scope}")),
        false => Judged::Broken(format!("it is good for {scope:?}, not for {missing}")),
    }
}

/// Whether `exp` lies where `expires_in` says: seen from `iat`, or from the time of the answer.
pub fn agreement(claims: &Value, expires_in: Option<&Value>, now: i64) -> Judged {
    let (Some(exp), Some(lives)) = (time(claims, "exp"), expires_in.and_then(Value::as_i64)) else {
        return Judged::Unknown("exp and expires_in are not both there".into());
    };
    // The flow may have been made some minutes ago.
    let from_answer = (-LEEWAY..=LEEWAY + 600).contains(&now.saturating_sub(exp.saturating_sub(lives)));
    let from_issue =
        time(claims, "iat").is_some_and(|iat| exp.saturating_sub(iat).saturating_sub(lives).saturating_abs() <= LEEWAY);
    match from_issue || (time(claims, "iat").is_none() && from_answer) {
        true => Judged::Holds(format!("both say {}", span(lives))),
        false => {
            let says = time(claims, "iat").map_or(exp.saturating_sub(now), |iat| exp.saturating_sub(iat));
            Judged::Broken(format!("expires_in says {lives} s, the token {says} s"))
        }
    }
}

/// Our clock or that of a `Date` header, whichever is ahead: a wrong clock of ours is no fault of the token.
pub fn now_beside(date: Option<&str>) -> i64 {
    time_of(date).max(OffsetDateTime::now_utc().unix_timestamp())
}

/// The time of an answer by its `Date` header, else by our clock: what a token is measured by that came with it.
pub fn time_of(date: Option<&str>) -> i64 {
    let stated = date.and_then(|d| OffsetDateTime::parse(d, &Rfc2822).ok());
    stated.unwrap_or_else(OffsetDateTime::now_utc).unix_timestamp()
}

/// A span of seconds for a reader.
pub fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_000_000;

    #[test]
    fn times_that_no_clock_has_break_nothing() {
        for (exp, iat, lives) in [(i64::MIN, i64::MAX, i64::MAX), (i64::MAX, i64::MIN, i64::MIN), (i64::MIN, 0, 1)] {
            let claims = json!({"exp": exp, "iat": iat, "nbf": iat});
            assert!(matches!(agreement(&claims, Some(&json!(lives)), NOW), Judged::Broken(_)), "{claims}");
            let _ =
                (expiry(&claims, NOW), begun(&claims, NOW), agreement(&json!({"exp": exp}), Some(&json!(lives)), NOW));
        }
    }

    #[test]
    fn a_token_without_an_end_is_broken() {
        assert_eq!(expiry(&json!({"exp": NOW + 90}), NOW), Judged::Holds("it expires in 90 s".into()));
        assert!(matches!(expiry(&json!({"exp": NOW as f64 + 0.5}), NOW - 1), Judged::Holds(_)));
        for claims in [json!({}), json!({"exp": NOW}), json!({"exp": "1000001"}), json!({"exp": null})] {
            assert!(matches!(expiry(&claims, NOW), Judged::Broken(_)), "{claims}");
        }
    }

    #[test]
    fn a_minute_of_difference_is_none() {
        assert!(matches!(begun(&json!({"iat": NOW + 60, "nbf": NOW - 5}), NOW), Judged::Holds(_)));
        assert!(matches!(begun(&json!({"iat": NOW + 61}), NOW), Judged::Broken(_)));
        assert!(matches!(begun(&json!({"nbf": "soon"}), NOW), Judged::Broken(_)));
        assert!(matches!(begun(&json!({}), NOW), Judged::Unknown(_)));
    }

    #[test]
    fn identifiers_are_compared_as_they_are_written() {
        assert!(matches!(issuer(&json!({"iss": "https://as"}), "https://as"), Judged::Holds(_)));
        for iss in [json!("https://as/"), json!("HTTPS://as"), json!(7), Value::Null] {
            assert!(matches!(issuer(&json!({ "iss": iss }), "https://as"), Judged::Broken(_)));
        }
        let among = |aud: Value| audience_among(&json!({ "aud": aud }), &["https://api/mcp", "https://api"]);
        assert!(matches!(among(json!("https://api")), Judged::Holds(_)));
        assert!(matches!(among(json!(["x", "https://api/mcp"])), Judged::Holds(_)));
        assert!(matches!(among(json!("https://api/mcp/")), Judged::Broken(_)));
        assert!(matches!(among(json!([])), Judged::Unknown(_)));
        assert!(matches!(among(Value::Null), Judged::Unknown(_)));
    }

    #[test]
    fn the_servers_clock_may_be_ahead() {
        assert_eq!(now_beside(Some("Fri, 01 Jan 2100 00:00:00 GMT")), 4_102_444_800);
        assert!(now_beside(Some("yesterday")) > 1_700_000_000);
    }

    #[test]
    fn every_scope_must_be_there() {
        let needed = ScopeSet::parse("a b");
        assert!(matches!(scopes(&json!({"scope": "b c a"}), &needed), Judged::Holds(_)));
        assert!(matches!(scopes(&json!({"scp": ["a"]}), &needed), Judged::Broken(why) if why.ends_with("not for b")));
        assert!(matches!(scopes(&json!({}), &needed), Judged::Unknown(_)));
    }
}
