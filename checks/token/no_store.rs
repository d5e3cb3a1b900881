//! Token answers are kept out of caches.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::wire::Reply;

const NO_STORE: Demand = demand("A token answer carries Cache-Control: no-store.", &[must(Document::OAuth21, "3.2.3")]);

/// Reads the headers of the token answer of the ordinary flow.
pub struct NoStore;

impl Check for NoStore {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "token/no-store",
        demands: &[NO_STORE],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("no_store.md"),
    };

    async fn run(baseline: Baseline, _: &Context) -> Outcome {
        Ok(Ruling::from(judge(&baseline.token_reply)).shown_by([baseline.token_reply.id]))
    }
}

fn judge(reply: &Reply) -> Verdict {
    let values = reply.header_all("cache-control");
    let directives = values.iter().flat_map(|value| value.split(','));
    if directives.map(str::trim).any(|d| d.eq_ignore_ascii_case("no-store")) {
        return Verdict::pass("the token answer carries Cache-Control: no-store");
    }
    match values.is_empty() {
        true => Verdict::fail(NO_STORE, "the token answer has no Cache-Control header"),
        false => Verdict::fail(NO_STORE, format!("Cache-Control of the token answer is \"{}\"", values.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn the_directive_stands_among_others() {
        for value in ["no-store", "No-Store", "no-cache, no-store, must-revalidate", "private,no-store"] {
            assert!(matches!(judge(&reply(200, &[("cache-control", value)], "")), Verdict::Pass(_)), "{value}");
        }
    }

    #[test]
    fn private_and_no_cache_are_not_enough() {
        for value in ["private", "no-cache", "max-age=0", "x-no-store"] {
            assert!(matches!(judge(&reply(200, &[("cache-control", value)], "")), Verdict::Fail(..)), "{value}");
        }
        assert!(matches!(judge(&reply(200, &[("pragma", "no-cache")], "")), Verdict::Fail(..)));
    }
}
