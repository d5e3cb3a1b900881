//! A redirect URI with another host, however well it is disguised, gets no answer.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, demand, must};
use crate::document::Document;
use crate::needs::{Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::redirect::{CODE_AT_REGISTERED, ERROR_AT_REGISTERED, judge_place, registered};
use crate::oauth::request::AuthorizationRequest;

const HOST_EXACT: Demand = demand(
    "Nothing is ever sent to a redirect URI whose host is not the registered one.",
    &[must(Document::OAuth21, "2.3.1"), must(Document::Rfc9700, "4.1.3"), must(Document::OpenAi, "approval checklist")],
);

/// Asks for answers at hosts that resemble the registered one to a careless comparison.
pub struct ForeignHostRefused;

impl Check for ForeignHostRefused {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "redirect_uri/foreign-host-refused",
        demands: &[HOST_EXACT, CODE_AT_REGISTERED, ERROR_AT_REGISTERED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("foreign_host_refused.md"),
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
            asked.iter().map(|a| a.line(|answer| judge_place(answer, &a.redirect_uri, &registered, HOST_EXACT)));
        Ok(cx.fold(judged.collect(), "no answer was sent to a host that is not registered"))
    }
}

/// The variants of a registered URI. The port is never what differs: on loopback it is free (RFC 8252 section 7.3).
fn variants(uri: &str) -> Vec<(&'static str, String)> {
    let Some((scheme, rest)) = uri.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, format!(":{port}")),
        _ => (authority, String::new()),
    };
    let at = |authority: String| format!("{scheme}://{authority}{path}");
    let mut variants = vec![
        ("another host", at(format!("evil.test{port}"))),
        ("the registered host as user information", at(format!("{host}@evil.test{port}"))),
        ("host and port as user information", at(format!("{host}{}@evil.test", password(&port)))),
        ("a backslash before the registered host", at(format!("evil.test\\@{authority}"))),
        ("an encoded slash before the registered host", at(format!("evil.test%2f@{authority}"))),
    ];
    if !host.starts_with('[') {
        variants.push(("the registered host as a prefix", at(format!("{host}.evil.test{port}"))));
    }
    let is_name = host.contains('.') && !host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_name {
        variants.push(("a subdomain", at(format!("evil.{host}{port}"))));
        // A pattern in disguise: a dot that means any character.
        variants.push(("a dot replaced by a letter", at(format!("{}{port}", host.replacen('.', "x", 1)))));
        let parent = host.split_once('.').map(|(_, parent)| parent).filter(|parent| parent.contains('.'));
        variants.extend(parent.map(|parent| ("the parent domain", at(format!("{parent}{port}")))));
    }
    variants
}

/// What stands after the host, so that it reads as a port up to the `@`.
fn password(port: &str) -> &str {
    if port.is_empty() { ":443" } else { port }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;

    #[test]
    fn a_loopback_address_has_no_subdomains() {
        let uris: Vec<String> = variants("http://127.0.0.1:8765/callback").into_iter().map(|(_, uri)| uri).collect();
        assert_eq!(
            uris,
            [
                "http://evil.test:8765/callback",
                "http://127.0.0.1@evil.test:8765/callback",
                "http://127.0.0.1:8765@evil.test/callback",
                "http://evil.test\\@127.0.0.1:8765/callback",
                "http://evil.test%2f@127.0.0.1:8765/callback",
                "http://127.0.0.1.evil.test:8765/callback",
            ]
        );
    }

    #[test]
    fn a_name_has() {
        let variants = variants("https://abc.oaudit.test/cb");
        for uri in ["https://evil.abc.oaudit.test/cb", "https://abcxoaudit.test/cb", "https://oaudit.test/cb"] {
            assert!(variants.iter().any(|(_, u)| u == uri), "{uri}");
        }
        assert!(super::variants("https://abc.test/cb").iter().all(|(what, _)| *what != "the parent domain"));
    }

    #[test]
    fn both_registered_uris_are_tried_and_never_sent_themselves() {
        let ordinary = ordinary("a", "a");
        let requests = ForeignHostRefused::requests(&ordinary).unwrap();
        assert_eq!(requests.len(), 15);
        let own = registered(&ordinary.client);
        assert!(requests.iter().all(|r| !own.contains(&r.redirect_uri())));
    }
}
