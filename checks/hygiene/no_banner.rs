//! No answer tells which version of which software is behind it.

use std::collections::BTreeMap;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, advice, demand};
use crate::document::Document;
use crate::needs::{Baseline, Context, WholeLedger};
use crate::wire::{Exchange, ExchangeId};

const NO_VERSION: Demand =
    demand("No header names the version of the software behind the server.", &[advice(Document::Asvs5, "13.4.6")]);

/// Headers that name software.
const BANNERS: [&str; 6] =
    ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator", "x-runtime-version"];

/// Reads the headers of every answer.
pub struct NoBanner;

impl Check for NoBanner {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "hygiene/no-banner",
        demands: &[NO_VERSION],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("no_banner.md"),
    };

    async fn run((ledger, _): Self::Needs, cx: &Context) -> Outcome {
        let lines: Vec<Finding> = banners(&ledger.0)
            .into_iter()
            .filter(|((_, value), _)| names_a_version(value))
            .map(|((name, value), id)| {
                let why = format!("the header says \"{value}\"");
                Finding::new(name, Verdict::fail(NO_VERSION, why)).shown_by([id])
            })
            .collect();
        if !lines.is_empty() {
            return Ok(cx.fold(lines, ""));
        }
        let answers = ledger.0.iter().filter(|e| e.response.is_some()).count();
        Ok(ledger.nothing_wrong(Exchange::is_heard, format!("no header of {answers} answers names a version")).into())
    }
}

/// Every banner, and the first answer that carries it.
fn banners(exchanges: &[Exchange]) -> BTreeMap<(&str, &str), ExchangeId> {
    let mut found = BTreeMap::new();
    for exchange in exchanges {
        let headers = exchange.response.iter().flat_map(|r| &r.headers);
        for (name, value) in headers.filter(|(name, _)| BANNERS.contains(&name.as_str())) {
            found.entry((name.as_str(), value.as_str())).or_insert(exchange.id);
        }
    }
    found
}

/// `nginx/1.18.0`, `PHP/8.1`, `4.0.30319`: a number with a point in it. `HTTP/2` and `h3` are no versions of software.
fn names_a_version(value: &str) -> bool {
    let mut words = value.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    words.any(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.trim_end_matches('.').contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::labels::tests::exchange;

    #[test]
    fn names_are_fine_and_versions_are_not() {
        for value in ["nginx/1.18.0 (Ubuntu)", "PHP/8.1", "Apache/2.4.41", "4.0.30319", "ASP.NET 5.2"] {
            assert!(names_a_version(value), "{value}");
        }
        for value in ["nginx", "cloudflare", "Express", "ASP.NET", "gws", "uvicorn", "Microsoft-IIS", "h3"] {
            assert!(!names_a_version(value), "{value}");
        }
    }

    #[test]
    fn each_banner_is_listed_once() {
        let one = exchange(("GET", "https://as/", None), (200, &[("server", "x/1.0"), ("date", "1.0")], ""));
        assert_eq!(banners(&[one.clone(), one]).len(), 1);
    }
}
