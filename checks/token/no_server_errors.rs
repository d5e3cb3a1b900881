//! Malformed and mistaken token requests are answered with a 4xx, never with a server error or with silence.

use std::time::Duration;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Anonymous, Context};
use crate::oauth::pkce::{Verifier, random_text};
use crate::wire::{Reply, Request, Trouble, TroubleKind, Wiped, Wire};

const NO_5XX: Demand = demand(
    "A token request that cannot be granted is answered with a 4xx, never with a server error.",
    &[must(Document::OAuth21, "3.2.4"), must(Document::OpenAi, "approval checklist")],
);

/// How often a request is sent that gets no answer.
const ASKED: usize = 3;

/// Sends token requests that no client would send, and one with a code that does not exist.
pub struct NoServerErrors;

impl Check for NoServerErrors {
    type Needs = Anonymous;
    const CARD: Card = Card {
        id: "token/no-server-errors",
        demands: &[NO_5XX],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("no_server_errors.md"),
    };

    async fn run(anonymous: Anonymous, cx: &Context) -> Outcome {
        let mut lines = Vec::new();
        for (what, request) in mistaken(&anonymous) {
            let mut answer = steady(&cx.wire, request.clone()).await;
            // Silence is the fault of the request only if it is met each time, while the server answers another.
            let mut speaks = true;
            for _ in 1..ASKED {
                if is_silence(&answer) && speaks {
                    let other = cx.wire.send(ordinary(&anonymous).probe()).await;
                    // A gateway speaks for a server that is away.
                    speaks = other.is_ok_and(|reply| (400..500).contains(&reply.status));
                    answer = steady(&cx.wire, request.clone()).await;
                }
            }
            let shown = answer.as_ref().ok().map(|reply| reply.id);
            lines.push(Finding::new(what, judge(answer.map(|reply| reply.status), speaks)).shown_by(shown));
        }
        Ok(cx.fold(lines, "every request that could not be granted was answered with a 4xx"))
    }
}

fn is_silence(answer: &Result<Reply, Trouble>) -> bool {
    matches!(answer, Err(trouble) if trouble.kind == TroubleKind::TimedOut)
}

/// A request that is well formed, but has no code.
fn ordinary(anonymous: &Anonymous) -> Request {
    form(anonymous, &[])
}

fn form(anonymous: &Anonymous, more: &[(&str, &str)]) -> Request {
    let pairs = [("grant_type", "authorization_code"), ("redirect_uri", &anonymous.client.redirect_uri)];
    let pairs = pairs.iter().chain(more).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    anonymous.client.form(anonymous.token_endpoint(), pairs)
}

fn mistaken(anonymous: &Anonymous) -> Vec<(&'static str, Request)> {
    let with = |more: &[u8]| {
        let mut request = ordinary(anonymous);
        request.body.get_or_insert_default().extend_from_slice(more);
        request
    };
    let instead = |media_type: &str, body: Wiped| {
        let mut request = ordinary(anonymous);
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        request.bytes(media_type, body)
    };
    let long = [b"&code=".as_slice(), &[b'a'; 65_536]].concat();
    let plain = ordinary(anonymous).body.unwrap_or_default();
    let (code, verifier) = (format!("oaudit-no-such-code-{}", random_text(6)), Verifier::random());
    vec![
        // Nothing is malformed here, and it is the mistake that every server meets daily.
        ("a code that was never issued", form(anonymous, &[("code", &code), ("code_verifier", verifier.expose())])),
        ("bytes that are no UTF-8", with(b"&code=\xff\xfe\xc3")),
        ("a broken percent-encoding", with(b"&code=%ZZ%")),
        ("a value of 64 KiB", with(&long)),
        ("a NUL character", with(b"&code=%00")),
        (
            "a JSON body",
            instead("application/json", br#"{"grant_type":["authorization_code"],"code":{}}"#.to_vec().into()),
        ),
        ("an empty body", instead("application/x-www-form-urlencoded", Wiped::default())),
        ("a form sent as text/plain", instead("text/plain", plain)),
    ]
}

/// Sends; what a proxy says of a server that is busy is asked again.
async fn steady(wire: &Wire, request: Request) -> Result<Reply, Trouble> {
    let request = request.probe();
    let reply = wire.send(request.clone()).await?;
    if !matches!(reply.status, 502..=504) {
        return Ok(reply);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    wire.send(request).await
}

fn judge(answer: Result<u16, Trouble>, speaks: bool) -> Verdict {
    match answer {
        Ok(status @ 400..500) => Verdict::pass(format!("it was answered {status}")),
        Ok(status @ 502..=504) => Verdict::inconclusive(format!("it was answered {status}, twice")),
        Ok(status @ 500..) => Verdict::fail(NO_5XX, format!("it was answered {status}")),
        Ok(status) => Verdict::inconclusive(format!("it was answered {status}, which is no error")),
        Err(trouble) if trouble.kind == TroubleKind::TimedOut && speaks => {
            Verdict::fail(NO_5XX, format!("{trouble}, {ASKED} times, while a well-formed request was answered"))
        }
        Err(trouble) => Verdict::inconclusive(trouble.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn here_a_server_error_is_the_failure() {
        assert!(matches!(judge(Ok(400), false), Verdict::Pass(_)));
        assert!(matches!(judge(Ok(413), false), Verdict::Pass(_)));
        assert!(matches!(judge(Ok(500), false), Verdict::Fail(..)));
        assert!(matches!(judge(Ok(501), false), Verdict::Fail(..)));
        assert!(matches!(judge(Ok(503), false), Verdict::Inconclusive(_)));
        assert!(matches!(judge(Ok(200), false), Verdict::Inconclusive(_)));
    }

    #[test]
    fn silence_counts_if_the_server_still_speaks() {
        let trouble = |kind| Err(Trouble::new(kind, "w"));
        assert!(matches!(judge(trouble(TroubleKind::TimedOut), true), Verdict::Fail(..)));
        assert!(matches!(judge(trouble(TroubleKind::TimedOut), false), Verdict::Inconclusive(_)));
        assert!(matches!(judge(trouble(TroubleKind::Refused), true), Verdict::Inconclusive(_)));
    }
}
