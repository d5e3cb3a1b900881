//! A redirect URI with another path gets no answer.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, demand, must};
use crate::document::Document;
use crate::needs::{Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::redirect::{CODE_AT_REGISTERED, ERROR_AT_REGISTERED, judge_place, registered};
use crate::oauth::request::AuthorizationRequest;

const PATH_EXACT: Demand = demand(
    "Nothing is ever sent to a redirect URI whose path is not, character for character, the registered one.",
    &[must(Document::OAuth21, "2.3.1")],
);

/// Asks for answers at paths near the registered one.
pub struct PathExact;

impl Check for PathExact {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "redirect_uri/path-exact",
        demands: &[PATH_EXACT, CODE_AT_REGISTERED, ERROR_AT_REGISTERED],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("path_exact.md"),
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
        let registered = registered(&cx.audit.ordinary().client);
        let judged =
            asked.iter().map(|a| a.line(|answer| judge_place(answer, &a.redirect_uri, &registered, PATH_EXACT)));
        Ok(cx.fold(judged.collect(), "no answer was sent to a path that is not registered"))
    }
}

/// The variants of a registered URI.
fn variants(uri: &str) -> Vec<(&'static str, String)> {
    let Some((scheme, rest)) = uri.split_once("://") else { return Vec::new() };
    let (place, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let at = |path: String| format!("{scheme}://{authority}{path}{query}");
    let bare = path.strip_suffix('/').unwrap_or(path);
    let mut variants = vec![
        ("another segment", at(format!("{bare}/oaudit"))),
        ("dot segments", at(format!("{bare}/../oaudit"))),
        ("encoded dot segments", at(format!("{bare}/%2e%2e/oaudit"))),
        ("a doubled slash", at(format!("/{path}"))),
        ("a parameter after a semicolon", at(format!("{path};oaudit"))),
    ];
    match path.strip_suffix('/') {
        // `https://host` and `https://host/` are one address to a browser.
        Some("") | None if bare.is_empty() => {}
        Some(bare) => variants.push(("no slash at the end", at(bare.to_owned()))),
        None => variants.push(("a slash at the end", at(format!("{path}/")))),
    }
    if let Some(letter) = path.find(|c: char| c.is_ascii_alphabetic()) {
        let swapped = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        let other = path.char_indices().map(|(i, c)| if i == letter { swapped(c) } else { c }).collect();
        variants.push(("a letter in the other case", at(other)));
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;

    #[test]
    fn only_the_path_differs() {
        let uris: Vec<String> =
            variants("http://127.0.0.1:8765/callback?a=b").into_iter().map(|(_, uri)| uri).collect();
        let paths = [
            "/callback/oaudit",
            "/callback/../oaudit",
            "/callback/%2e%2e/oaudit",
            "//callback",
            "/callback;oaudit",
            "/callback/",
            "/Callback",
        ];
        assert_eq!(uris, paths.map(|path| format!("http://127.0.0.1:8765{path}?a=b")));
    }

    #[test]
    fn a_registered_slash_is_taken_away() {
        let last = |uri: &str| variants(uri).pop().unwrap();
        assert!(variants("https://a.test/cb/").contains(&("no slash at the end", "https://a.test/cb".into())));
        assert!(variants("https://a.test/").iter().all(|(what, _)| !what.contains("slash at the end")));
        assert_eq!(last("https://a.test/1/"), ("no slash at the end", "https://a.test/1".into()));
    }

    #[test]
    fn both_registered_uris_are_tried() {
        assert_eq!(PathExact::requests(&ordinary("a", "a")).unwrap().len(), 14);
    }
}
