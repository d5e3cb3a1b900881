//! A client learns from the challenge that its token is the trouble.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, RealToken};
use crate::oauth::forge::{Forged, changed_opaque};
use crate::oauth::jwt::Jwt;
use crate::oauth::pkce::random_text;
use crate::resource::{Credentials, Reached};
use crate::wire::Trouble;

const SAYS_SO: Demand = demand(
    "The challenge to a bad token says error=\"invalid_token\".",
    &[should(Document::OAuth21, "5.3.1"), should(Document::Rfc6750, "3.1")],
);
const AT_JWT_SAYS_SO: Demand = demand(
    "The challenge to a bad JWT access token says error=\"invalid_token\".",
    &[must(Document::Rfc9068, "4"), should(Document::OAuth21, "5.3.1"), should(Document::Rfc6750, "3.1")],
);

/// Presents bad tokens and reads the challenge.
pub struct BadTokenSaysInvalidToken;

impl Check for BadTokenSaysInvalidToken {
    type Needs = RealToken;
    const CARD: Card = Card {
        id: "resource/bad-token-says-invalid-token",
        demands: &[SAYS_SO, AT_JWT_SAYS_SO],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("bad_token_says_invalid_token.md"),
    };

    async fn run(real: RealToken, cx: &Context) -> Outcome {
        let at_jwt = Jwt::read(real.expose()).is_some_and(|jwt| jwt.is_at_jwt());
        let broken = if at_jwt { AT_JWT_SAYS_SO } else { SAYS_SO };
        let mut lines = Vec::new();
        for forged in variants(real.expose()) {
            match forged.what.starts_with("the real token") {
                true => cx.wire.vault().learn("forged token", &forged.token),
                false => cx.wire.vault().declare_public(&forged.token),
            }
            let answer = real.steady(cx, Credentials::Bearer(&forged.token)).await;
            let shown = answer.as_ref().ok().map(|reply| reply.id);
            let verdict = judge(answer.map(|reply| real.resource.read(&reply)), broken);
            lines.push(Finding::new(forged.what, verdict).shown_by(shown));
        }
        Ok(cx.fold(lines, "the challenge to every bad token says invalid_token"))
    }
}

fn variants(real: &str) -> Vec<Forged> {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let (header, claims) = (part(r#"{"alg":"RS256","typ":"JWT"}"#), part(r#"{"sub":"oaudit","exp":4102444800}"#));
    let mut forged = vec![
        Forged::new("a made-up word", "oaudit-made-this-up-0".into()),
        Forged::new("a made-up JWT", format!("{header}.{claims}.{}", random_text(256))),
    ];
    let changed = changed_opaque(real).into_iter().nth(1);
    forged.extend(changed.map(|f| Forged::new("the real token with one character changed", f.token)));
    forged
}

fn judge(answer: Result<Reached, Trouble>, broken: Demand) -> Verdict {
    let reached = match answer {
        Ok(reached) => reached,
        Err(trouble) => return Verdict::inconclusive(trouble.to_string()),
    };
    if !reached.is_unauthorized() {
        let status = reached.status;
        return Verdict::inconclusive(format!("it was answered {status}, see resource/bad-token-401-not-500"));
    }
    // DPoP-bound resources challenge by DPoP, with the same error codes (RFC 9449 section 7.1).
    let challenge = reached.challenges.iter().find(|c| c.is("Bearer") || c.is("DPoP"));
    match challenge.map(|c| c.parameter("error")) {
        Some(Some("invalid_token")) => Verdict::pass("the challenge says invalid_token"),
        Some(Some(other)) => Verdict::fail(broken, format!("the challenge says {other}")),
        Some(None) => Verdict::fail(broken, "the challenge names no error"),
        None => Verdict::fail(broken, "the 401 has no Bearer challenge"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    fn verdict(status: u16, challenge: &str) -> Verdict {
        judge(Ok(Reached::read(&reply(status, &[("www-authenticate", challenge)], ""))), SAYS_SO)
    }

    #[test]
    fn the_error_is_read_from_the_bearer_challenge() {
        assert!(matches!(verdict(401, "Basic, bearer error=invalid_token"), Verdict::Pass(_)));
        for challenge in ["Bearer realm=\"x\"", "Bearer error=\"invalid_request\"", "Basic error=\"invalid_token\""] {
            assert!(matches!(verdict(401, challenge), Verdict::Fail(SAYS_SO, _)), "{challenge}");
        }
        for status in [200, 400, 403, 500] {
            assert!(matches!(verdict(status, "Bearer error=\"invalid_token\""), Verdict::Inconclusive(_)));
        }
    }

    #[test]
    fn each_is_one_token() {
        let forged = variants("0123456789abcdef");
        assert_eq!(forged.len(), 3);
        assert!(Jwt::read(&forged[1].token).is_some());
        assert!(forged.iter().all(|f| !f.token.contains(' ')));
    }
}
