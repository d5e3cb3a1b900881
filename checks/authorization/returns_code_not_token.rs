//! The answer to `response_type=code` is a code in the query and no token anywhere.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::answer::Returned;

const NO_TOKEN: Demand = demand(
    "The authorization response carries no token.",
    &[must(Document::OpenAi, "approval checklist"), must(Document::OAuth21, "4.1.2")],
);
const CODE_IN_QUERY: Demand = demand(
    "The code comes in the query of the redirect URI, not in its fragment.",
    &[must(Document::OAuth21, "4.1.2")],
);

/// Reads what the ordinary flow brought to the redirect URI.
pub struct ReturnsCodeNotToken;

impl Check for ReturnsCodeNotToken {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "authorization/returns-code-not-token",
        demands: &[NO_TOKEN, CODE_IN_QUERY],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("returns_code_not_token.md"),
    };

    async fn run(baseline: Baseline, _: &Context) -> Outcome {
        Ok(Ruling::from(judge(&baseline.returned)).shown_by(baseline.returned.exchange))
    }
}

fn judge(returned: &Returned) -> Verdict {
    let tokens = ["access_token", "refresh_token", "id_token"];
    let holds = |part: &[(String, String)], name: &str| part.iter().any(|(n, v)| n == name && !v.is_empty());
    for (part, place) in [(&returned.query, "query"), (&returned.fragment, "fragment")] {
        if let Some(name) = tokens.iter().find(|name| holds(part, name)) {
            return Verdict::fail(NO_TOKEN, format!("{name} stands in the {place} of the redirect"));
        }
    }
    let in_fragment: Vec<&str> =
        ["code", "state", "iss"].into_iter().filter(|name| holds(&returned.fragment, name)).collect();
    if !in_fragment.is_empty() {
        return Verdict::fail(CODE_IN_QUERY, format!("{} came in the fragment", in_fragment.join(" and ")));
    }
    if !holds(&returned.query, "code") {
        return Verdict::inconclusive("the redirect carries no code that could be looked at");
    }
    Verdict::pass("the redirect carries the code in its query and no token")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(url: &str) -> Option<Demand> {
        match judge(&Returned::read(url, None)) {
            Verdict::Fail(broken, _) => Some(broken),
            _ => None,
        }
    }

    #[test]
    fn a_token_beside_the_code_is_found_anywhere() {
        assert_eq!(broken("http://127.0.0.1/cb?code=x#access_token=y"), Some(NO_TOKEN));
        assert_eq!(broken("http://127.0.0.1/cb?code=x&id_token=y"), Some(NO_TOKEN));
        assert_eq!(broken("http://127.0.0.1/cb#code=x&state=s"), Some(CODE_IN_QUERY));
        assert_eq!(broken("http://127.0.0.1/cb?code=x#state=s"), Some(CODE_IN_QUERY));
    }

    #[test]
    fn an_idle_fragment_harms_nobody() {
        let judged = |url| judge(&Returned::read(url, None));
        assert!(matches!(judged("http://127.0.0.1/cb?code=x&state=s#_=_"), Verdict::Pass(_)));
        assert!(matches!(judged("http://127.0.0.1/cb?state=s"), Verdict::Inconclusive(_)));
    }
}
