//! A browser that was here once comes back by https alone.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand};
use crate::document::Document;
use crate::needs::{Anonymous, Context};
use crate::wire::{Reply, Request};

const KEPT: Demand = demand(
    "The authorization endpoint sends Strict-Transport-Security with a max-age above zero.",
    &[advice(Document::Rfc6797, "7.1")],
);

/// Asks the authorization endpoint and reads the header.
pub struct Hsts;

impl Check for Hsts {
    type Needs = Anonymous;
    const CARD: Card = Card {
        id: "transport/hsts",
        demands: &[KEPT],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("hsts.md"),
    };

    async fn run(anonymous: Anonymous, cx: &Context) -> Outcome {
        let endpoint = &anonymous.server.ordinary.endpoint;
        let url = url::Url::parse(endpoint).ok().filter(|url| url.scheme() == "https");
        // RFC 6797 section 8.1: a browser heeds the header over TLS alone, and never for an address.
        if url.is_none_or(|url| url.domain().is_none()) {
            let why = "browsers heed the header for names that are reached by https, which the endpoint is not";
            return Ok(Verdict::not_applicable(why).into());
        }
        let reply = cx.wire.send(Request::get(endpoint).page()).await?;
        Ok(Ruling::from(judge(&reply)).shown_by([reply.id]))
    }
}

fn judge(reply: &Reply) -> Verdict {
    if reply.status >= 500 {
        return Verdict::inconclusive(format!("the authorization endpoint answered {}", reply.status));
    }
    // Of several headers the first counts (section 8.1).
    let Some(value) = reply.header("strict-transport-security") else {
        return Verdict::fail(KEPT, "the answer has no Strict-Transport-Security header");
    };
    match max_age(value) {
        Some(0) => Verdict::fail(KEPT, "max-age is 0, which makes browsers forget"),
        Some(seconds) => Verdict::pass(format!("max-age is {seconds} s")),
        None => Verdict::fail(KEPT, format!("\"{value}\" has no max-age, so browsers pass it over")),
    }
}

fn max_age(value: &str) -> Option<u64> {
    value.split(';').find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| value.trim().trim_matches('"').parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn only_a_positive_age_holds() {
        let of = |value: &str| judge(&reply(400, &[("strict-transport-security", value)], ""));
        assert!(matches!(of("max-age=31536000; includeSubDomains"), Verdict::Pass(_)));
        assert!(matches!(of("includeSubDomains; Max-Age=\"60\""), Verdict::Pass(_)));
        assert!(matches!(of("max-age=0"), Verdict::Fail(..)));
        assert!(matches!(of("includeSubDomains"), Verdict::Fail(..)));
        assert!(matches!(judge(&reply(302, &[], "")), Verdict::Fail(..)));
        assert!(matches!(judge(&reply(503, &[], "")), Verdict::Inconclusive(_)));
    }
}
