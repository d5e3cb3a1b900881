//! No origin is let in with the user's credentials only because it asked.

use http::Method;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, should};
use crate::document::Document;
use crate::needs::{Anonymous, Context};
use crate::wire::{Reply, Request};

const CHOSEN: Demand = demand(
    "Access-Control-Allow-Origin is not the origin of whoever asks, together with Access-Control-Allow-Credentials.",
    &[should(Document::Asvs5, "3.4.2")],
);

/// An origin that no server can know.
const STRANGER: &str = "https://oaudit.test";

/// Asks as a script of an unknown origin, before the request and with it.
pub struct CorsNotReflected;

impl Check for CorsNotReflected {
    type Needs = Anonymous;
    const CARD: Card = Card {
        id: "transport/cors-not-reflected",
        demands: &[CHOSEN],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("cors_not_reflected.md"),
    };

    async fn run(anonymous: Anonymous, cx: &Context) -> Outcome {
        let server = anonymous.facts();
        let mut places = vec![("the token endpoint", anonymous.token_endpoint().to_owned(), Method::POST)];
        for (what, member) in
            [("the registration endpoint", "registration_endpoint"), ("the revocation endpoint", "revocation_endpoint")]
        {
            places.extend(server.endpoint(member).map(|url| (what, url.to_owned(), Method::POST)));
        }
        let resource = anonymous.server.discovery.resource.as_ref();
        places.extend(resource.map(|resource| ("the resource", resource.url.clone(), Method::GET)));
        let mut lines = Vec::new();
        for (what, url, method) in places {
            let preflight = Request::new(Method::OPTIONS, &url)
                .header("Access-Control-Request-Method", method.as_str())
                .header("Access-Control-Request-Headers", "authorization, content-type");
            lines.push(asked(cx, format!("{what}, preflight"), preflight).await);
            // A request without a body does nothing at these endpoints, but has the headers of one.
            if ["the token endpoint", "the resource"].contains(&what) {
                let request = match method {
                    Method::POST => Request::form(&url, &[("grant_type", "urn:oaudit:none")]),
                    _ => Request::get(&url),
                };
                lines.push(asked(cx, what.to_owned(), request).await);
            }
        }
        Ok(cx.fold(lines, "no unknown origin is let in with credentials"))
    }
}

async fn asked(cx: &Context, what: String, request: Request) -> Finding {
    match cx.wire.send(request.header("Origin", STRANGER)).await {
        Ok(reply) => Finding::new(what, judge(&reply)).shown_by([reply.id]),
        Err(trouble) => Finding::new(what, Verdict::inconclusive(trouble.to_string())),
    }
}

fn judge(reply: &Reply) -> Verdict {
    let allowed = reply.header("access-control-allow-origin");
    let credentials = reply.header("access-control-allow-credentials").is_some_and(|v| v.trim() == "true");
    match (allowed, credentials) {
        (Some(STRANGER), true) => Verdict::fail(CHOSEN, "the unknown origin is let in with credentials"),
        (Some("*"), true) => Verdict::pass("* with credentials, which browsers do not honour"),
        (Some(STRANGER | "*"), false) => Verdict::pass("every origin is let in, without credentials"),
        (Some(origin), _) => Verdict::pass(format!("no origin is let in but {origin}")),
        // 501 is a proper answer to a method that is not there.
        (None, _) if (reply.status >= 500 && reply.status != 501) || reply.status == 429 => {
            Verdict::inconclusive(format!("it was answered {}", reply.status))
        }
        (None, _) => Verdict::pass("no other origin is let in"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn reflection_with_credentials_alone_fails() {
        let with = |origin: &str, credentials: &str| {
            let names = ["access-control-allow-origin", "access-control-allow-credentials"];
            judge(&reply(400, &[(names[0], origin), (names[1], credentials)], ""))
        };
        assert!(matches!(with(STRANGER, "true"), Verdict::Fail(..)));
        assert!(matches!(with(STRANGER, "false"), Verdict::Pass(_)));
        assert!(matches!(with("*", "true"), Verdict::Pass(_)));
        assert!(matches!(with("https://app.example", "true"), Verdict::Pass(_)));
        assert!(matches!(judge(&reply(500, &[], "")), Verdict::Inconclusive(_)));
    }
}
