//! A redirect URI with another query gets no answer that carries it.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, demand, must};
use crate::document::Document;
use crate::needs::{Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::redirect::{CODE_AT_REGISTERED, ERROR_AT_REGISTERED, judge_query, registered};
use crate::oauth::request::AuthorizationRequest;

const QUERY_EXACT: Demand = demand(
    "No answer is sent to a redirect URI whose query is not, character for character, the registered one.",
    &[must(Document::OAuth21, "2.3.1")],
);

/// The parameter that a variant adds, by which it is recognised in the redirect.
const ADDED: [(&str, &str); 2] = [("oaudit", "1"), ("code", "oaudit-was-here")];

/// Asks for answers at registered redirect URIs with another query.
pub struct QueryExact;

impl Check for QueryExact {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "redirect_uri/query-exact",
        demands: &[QUERY_EXACT, CODE_AT_REGISTERED, ERROR_AT_REGISTERED],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("query_exact.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let variants = registered(&ordinary.client).into_iter().flat_map(variants);
        Ok(variants
            .map(|(what, uri)| {
                ordinary.altered(format!("{what}: {uri}"), |r| {
                    r.set("redirect_uri", uri);
                })
            })
            .collect())
    }

    async fn run(FrontChannel(asked): FrontChannel, cx: &Context) -> Outcome {
        let judged = asked.iter().map(|a| a.line(|answer| judge_query(answer, added(&a.redirect_uri), QUERY_EXACT)));
        Ok(cx.fold(judged.collect(), "no redirect carries a query that is not registered"))
    }
}

/// The variants of a registered URI.
fn variants(uri: &str) -> Vec<(&'static str, String)> {
    let (place, query) = uri.split_once('?').unwrap_or((uri, ""));
    let joint = if uri.contains('?') { '&' } else { '?' };
    let with = |(name, value): (&str, &str)| format!("{uri}{joint}{name}={value}");
    let mut variants =
        vec![("an added parameter", with(ADDED[0])), ("a code of somebody else before ours", with(ADDED[1]))];
    if !query.is_empty() {
        variants.push(("another query", format!("{place}?{}={}", ADDED[0].0, ADDED[0].1)));
    }
    variants
}

fn added(redirect_uri: &str) -> (&'static str, &'static str) {
    let is_in = |(name, value): &(&str, &str)| redirect_uri.contains(&format!("{name}={value}"));
    ADDED.into_iter().find(is_in).unwrap_or(ADDED[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;

    #[test]
    fn each_variant_is_known_by_what_it_adds() {
        let bare = variants("http://127.0.0.1:8765/callback");
        assert_eq!(bare[0].1, "http://127.0.0.1:8765/callback?oaudit=1");
        assert_eq!(bare[1].1, "http://127.0.0.1:8765/callback?code=oaudit-was-here");
        assert_eq!(bare.iter().map(|(_, uri)| added(uri)).collect::<Vec<_>>(), ADDED);
        let own = variants("https://a.test/cb?tenant=1");
        assert_eq!(own[0].1, "https://a.test/cb?tenant=1&oaudit=1");
        assert_eq!(own[2], ("another query", "https://a.test/cb?oaudit=1".into()));
    }

    #[test]
    fn both_registered_uris_are_tried() {
        let requests = QueryExact::requests(&ordinary("a", "a")).unwrap();
        assert_eq!(requests.len(), 4);
        assert!(requests.iter().all(|r| r.get("scope") == Some("a")));
    }
}
