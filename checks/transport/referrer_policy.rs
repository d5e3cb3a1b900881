//! The authorization request stands in the address bar: pages do not tell it to others.

use scraper::{Html, Selector};
use url::Url;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand, should};
use crate::document::Document;
use crate::front::SeenPage;
use crate::needs::{Context, Pages};
use crate::oauth::answer::PageKind;

const OWN_PARTS: Demand =
    demand("Login and consent pages load nothing from third parties.", &[should(Document::Rfc9700, "4.2.4")]);
const DISCREET: Demand = demand(
    "Login and consent pages do not loosen what browsers tell in Referer.",
    &[advice(Document::Rfc9700, "4.2.4")],
);

/// Reads the pages that were seen.
pub struct ReferrerPolicy;

impl Check for ReferrerPolicy {
    type Needs = Pages;
    const CARD: Card = Card {
        id: "transport/referrer-policy",
        demands: &[OWN_PARTS, DISCREET],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("referrer_policy.md"),
    };

    async fn run(pages: Pages, cx: &Context) -> Outcome {
        let lines: Vec<Finding> = pages.deciding().map(line).collect();
        if lines.is_empty() {
            return Ok(Verdict::not_applicable("no page was seen, see transport/frame-protection").into());
        }
        Ok(cx.fold(lines, "the pages load nothing from third parties, and browsers keep the query to themselves"))
    }
}

fn line(page: &SeenPage) -> Finding {
    let kind = if page.page.kind == PageKind::Consent { "the consent page" } else { "the login page" };
    let policies = page.reply.header_all("referrer-policy");
    let verdict = judge(&page.reply.url, &page.reply.text(), &policies);
    Finding::new(format!("{kind} at {}", page.place()), verdict).shown_by([page.reply.id])
}

fn judge(address: &str, html: &str, policies: &[String]) -> Verdict {
    let document = Html::parse_document(html);
    let own = site(address);
    if let Some(foreign) = parts(&document, address).into_iter().find(|part| site(part) != own) {
        let host = Url::parse(&foreign).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
        return Verdict::fail(OWN_PARTS, format!("the page loads something from {host}"));
    }
    let selector = Selector::parse("meta[name=referrer i][content]").expect("a constant selector");
    let meta = document.select(&selector).filter_map(|meta| meta.attr("content")).map(str::to_owned);
    let listed = policies.iter().flat_map(|value| value.split(',')).map(|v| v.trim().to_ascii_lowercase());
    // Of several the last that is known counts; an element comes after the header.
    let known = |policy: &String| KNOWN.contains(&policy.as_str());
    match listed.chain(meta.map(|v| v.trim().to_ascii_lowercase())).rfind(known) {
        Some(policy) if ["unsafe-url", "no-referrer-when-downgrade"].contains(&policy.as_str()) => {
            Verdict::fail(DISCREET, format!("its Referrer-Policy is {policy}: the whole address is told to others"))
        }
        Some(policy) => Verdict::pass(format!("Referrer-Policy {policy}")),
        None => Verdict::pass("no Referrer-Policy: by default browsers leave the query out"),
    }
}

const KNOWN: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

/// The addresses of what a page loads by itself.
fn parts(document: &Html, address: &str) -> Vec<String> {
    let base = Url::parse(address).ok();
    let selector = "script[src], img[src], iframe[src], link[rel~=stylesheet i][href], link[rel~=icon i][href]";
    let selector = Selector::parse(selector).expect("a constant selector");
    let all = document.select(&selector).filter_map(|e| e.attr("src").or_else(|| e.attr("href")));
    all.filter_map(|to| base.as_ref()?.join(to.trim()).ok()).filter(|url| url.has_host()).map(String::from).collect()
}

/// The last two labels of a host: hosts that share them are taken for one party's.
fn site(address: &str) -> Option<String> {
    let host = Url::parse(address).ok()?.host_str()?.to_owned();
    let mut labels: Vec<&str> = host.rsplit('.').take(2).collect();
    labels.reverse();
    let is_address = host.bytes().all(|b| b.is_ascii_digit() || b == b'.') || host.starts_with('[');
    Some(if is_address { host } else { labels.join(".") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str, policy: &str) -> Verdict {
        judge("https://login.example.com/authorize?state=s", html, &[policy.to_owned()])
    }

    #[test]
    fn third_parties_and_loose_policies() {
        assert!(matches!(of("<script src=//cdn.other.net/a.js></script>", ""), Verdict::Fail(OWN_PARTS, _)));
        let own = "<link rel=stylesheet href=/a.css><img src=https://static.example.com/a.png><img src=data:,>";
        assert!(matches!(of(own, ""), Verdict::Pass(_)));
        assert!(matches!(of("", "unsafe-url"), Verdict::Fail(DISCREET, _)));
        assert!(matches!(of("", "unsafe-url, no-referrer"), Verdict::Pass(_)));
        assert!(matches!(of("<meta name=Referrer content=unsafe-url>", "no-referrer"), Verdict::Fail(DISCREET, _)));
        assert!(matches!(of("<a href=https://other.net/>x</a>", "no-referrer"), Verdict::Pass(_)));
    }
}
