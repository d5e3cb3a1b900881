//! Whatever is wrong with a token, the resource answers 401.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Baseline, Context, Resource};
use crate::oauth::pkce::random_text;
use crate::resource::{Credentials, Reached};
use crate::wire::{Reply, Trouble, Wire};

const OPENS_NOTHING: Demand = demand("A bad token opens nothing.", &[must(Document::OAuth21, "5.2")]);
const NO_5XX: Demand = demand(
    "A bad token causes no server error.",
    &[
        must(Document::Mcp, "token-handling"),
        must(Document::OpenAi, "approval checklist"),
        should(Document::Rfc6750, "3.1"),
    ],
);
const IS_401: Demand = demand(
    "A bad token is answered 401.",
    &[
        must(Document::Mcp, "token-handling"),
        must(Document::OpenAi, "approval checklist"),
        should(Document::Rfc6750, "3.1"),
    ],
);

/// What may be said to a header beside 401: nothing more; that it is malformed; that it is too long, or malformed.
const WELL_FORMED: &[u16] = &[401];
const MALFORMED: &[u16] = &[401, 400];
const LONG: &[u16] = &[401, 400, 413, 431];

/// Presents tokens that are bad in ten ways, by the request that was seen to answer a good one.
pub struct BadToken401Not500;

impl Check for BadToken401Not500 {
    type Needs = (Baseline, Resource);
    const CARD: Card = Card {
        id: "resource/bad-token-401-not-500",
        demands: &[OPENS_NOTHING, NO_5XX, IS_401],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("bad_token_401_not_500.md"),
    };

    async fn run((baseline, resource): (Baseline, Resource), cx: &Context) -> Outcome {
        let changed = changed_inside(baseline.tokens.access_token.expose());
        let mut lines = Vec::new();
        for (what, header, due) in made_up() {
            // No secret of anybody: shown as it is in the evidence.
            if let Some(token) = std::str::from_utf8(&header).ok().and_then(|h| h.split_once(' ')) {
                cx.wire.vault().declare_public(token.1);
            }
            lines.push(line(what, &header, due, &resource, &cx.wire).await);
        }
        let header = format!("Bearer {changed}").into_bytes();
        lines.push(line("the real token with one character changed", &header, WELL_FORMED, &resource, &cx.wire).await);
        Ok(cx.fold(lines, "every bad token was answered 401"))
    }
}

async fn line(what: &str, header: &[u8], due: &[u16], resource: &Resource, wire: &Wire) -> Finding {
    let answer = steady(header, resource, wire).await;
    let shown = answer.as_ref().ok().map(|reply| reply.id);
    Finding::new(what, judge(answer.map(|reply| resource.read(&reply)), due)).shown_by(shown)
}

/// Sends; what a proxy says of a server that is busy is asked again.
async fn steady(header: &[u8], resource: &Resource, wire: &Wire) -> Result<Reply, Trouble> {
    let reply = resource.call(wire, Credentials::Header(header)).await?;
    if !matches!(reply.status, 502..=504) {
        return Ok(reply);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    resource.call(wire, Credentials::Header(header)).await
}

fn made_up() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let (header, claims) = (part(r#"{"alg":"RS256","typ":"JWT"}"#), part(r#"{"sub":"oaudit","exp":4102444800}"#));
    let forged = format!("Bearer {header}.{claims}.{}", random_text(256));
    vec![
        ("Bearer alone", b"Bearer".to_vec(), MALFORMED),
        ("one word", b"Bearer foo".to_vec(), WELL_FORMED),
        ("three parts of garbage", b"Bearer oaudit.oaudit.oaudit".to_vec(), WELL_FORMED),
        ("a JWT with a random signature", forged.into_bytes(), WELL_FORMED),
        ("16 KiB of one letter", format!("Bearer {}", "A".repeat(16_384)).into_bytes(), LONG),
        ("10 000 dots", format!("Bearer {}", ".".repeat(10_000)).into_bytes(), LONG),
        ("bytes that are no ASCII", b"Bearer t\xc3\xb6k\xff".to_vec(), MALFORMED),
        ("two tokens with a comma", b"Bearer foo, Bearer bar".to_vec(), MALFORMED),
        ("the scheme Basic", b"Basic b2F1ZGl0Om9hdWRpdA==".to_vec(), WELL_FORMED),
        ("the scheme in lower case", b"bearer foo".to_vec(), WELL_FORMED),
    ]
}

/// One character changed in the middle: at the end of a signature some bits are unused.
fn changed_inside(token: &str) -> String {
    let mut characters: Vec<char> = token.chars().collect();
    let middle = characters.len() / 2;
    if let Some(c) = characters.iter_mut().skip(middle).find(|c| c.is_ascii_alphanumeric()) {
        // Another letter in either case: the token may be hexadecimal.
        *c = if c.eq_ignore_ascii_case(&'a') { 'b' } else { 'a' };
    }
    characters.into_iter().collect()
}

fn judge(answer: Result<Reached, Trouble>, due: &[u16]) -> Verdict {
    let reached = match answer {
        Ok(reached) => reached,
        Err(trouble) => return Verdict::inconclusive(trouble.to_string()),
    };
    match reached.status {
        status if due.contains(&status) => Verdict::pass(format!("it was answered {status}")),
        status if reached.is_accepted() => {
            Verdict::fail(OPENS_NOTHING, format!("it was answered {status}, like a good token"))
        }
        status @ 502..=504 => Verdict::inconclusive(format!("it was answered {status}, twice")),
        status @ 500.. => Verdict::fail(NO_5XX, format!("it was answered {status}, due is 401")),
        // A page in its place opens nothing, and tells no client that its token is bad.
        _ => Verdict::fail(IS_401, format!("it was answered {}, due is 401", reached.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jwt::Jwt;
    use crate::wire::message::tests::reply;

    #[test]
    fn here_a_server_error_is_the_failure() {
        let read = |status| Reached::read(&reply(status, &[], ""));
        let page = Reached { astray: true, ..read(200) };
        assert!(matches!(judge(Ok(page), WELL_FORMED), Verdict::Fail(IS_401, _)));
        let judge = |answer: Result<u16, Trouble>, due| judge(answer.map(read), due);
        assert!(matches!(judge(Ok(401), WELL_FORMED), Verdict::Pass(_)));
        assert!(matches!(judge(Ok(431), LONG), Verdict::Pass(_)));
        assert!(matches!(judge(Ok(400), MALFORMED), Verdict::Pass(_)));
        assert!(matches!(judge(Ok(400), WELL_FORMED), Verdict::Fail(IS_401, _)));
        assert!(matches!(judge(Ok(302), MALFORMED), Verdict::Fail(IS_401, _)));
        assert!(matches!(judge(Ok(500), LONG), Verdict::Fail(NO_5XX, _)));
        assert!(matches!(judge(Ok(200), WELL_FORMED), Verdict::Fail(OPENS_NOTHING, _)));
        assert!(matches!(judge(Ok(503), WELL_FORMED), Verdict::Inconclusive(_)));
    }

    #[test]
    fn the_change_is_a_change_in_any_alphabet() {
        for (token, changed) in [("aaaa", "aaba"), ("AAAA", "AAbA"), ("0f0f", "0faf"), ("ab..cd", "ab..ad"), ("x", "a")]
        {
            assert_eq!(changed_inside(token), changed);
        }
    }

    #[test]
    fn the_forged_token_is_well_formed() {
        let forged =
            made_up().into_iter().find(|(what, ..)| what.starts_with("a JWT")).map(|(_, header, _)| header).unwrap();
        let token = String::from_utf8(forged).unwrap();
        assert!(Jwt::read(token.strip_prefix("Bearer ").unwrap()).is_some());
    }
}
