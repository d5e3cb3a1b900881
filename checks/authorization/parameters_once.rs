//! The redirect with the code carries each parameter once.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::answer::Returned;

const ONCE: Demand =
    demand("An authorization response carries no parameter more than once.", &[must(Document::Rfc6749, "3.1")]);

/// Counts the parameters of the answer to the ordinary request.
pub struct ParametersOnce;

impl Check for ParametersOnce {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "authorization/parameters-once",
        demands: &[ONCE],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("parameters_once.md"),
    };

    async fn run(baseline: Baseline, _: &Context) -> Outcome {
        Ok(Ruling::from(judge(&baseline.returned)).shown_by(baseline.returned.exchange))
    }
}

fn judge(returned: &Returned) -> Verdict {
    let names: Vec<&str> = returned.query.iter().chain(&returned.fragment).map(|(name, _)| name.as_str()).collect();
    let mut repeated: Vec<&str> =
        names.iter().copied().filter(|name| names.iter().filter(|other| *other == name).count() > 1).collect();
    repeated.sort_unstable();
    repeated.dedup();
    match repeated.is_empty() {
        true => Verdict::pass(format!("the redirect carries {}, each once", names.join(", "))),
        false => Verdict::fail(ONCE, format!("the redirect carries {} more than once", repeated.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_fragment_count_together() {
        let verdict = |rest: &str| judge(&Returned::read(&format!("http://127.0.0.1/cb{rest}"), None));
        assert!(matches!(verdict("?code=a&state=b&iss=c"), Verdict::Pass(_)));
        assert!(matches!(verdict("?code=a&state=b&state=b"), Verdict::Fail(ONCE, why) if why.contains("state")));
        assert!(matches!(verdict("?code=a#code=a"), Verdict::Fail(..)));
    }
}
