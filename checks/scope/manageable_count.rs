//! There are as many scopes as a person can tell apart, and more than one for everything.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, advice, demand};
use crate::document::Document;
use crate::needs::{AdvertisedScopes, Context};
use crate::oauth::scope_design::Rule;

const FEW: Demand = demand(
    "There are not more scopes than a person can tell apart, and not one alone for everything.",
    &[advice(Document::OpenAi, "scopes")],
);

const RULES: &[(Rule, Demand)] = &[(Rule::ManageableCount, FEW)];

/// Reads the scopes that resource, challenge and server advertise.
pub struct ManageableCount;

impl Check for ManageableCount {
    type Needs = AdvertisedScopes;
    const CARD: Card = Card {
        id: "scope/manageable-count",
        demands: &[FEW],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("manageable_count.md"),
    };

    async fn run(scopes: AdvertisedScopes, cx: &Context) -> Outcome {
        Ok(scopes.judge(
            &cx.audit.settings,
            RULES,
            |d| cx.level(d),
            "the number of scopes is one that a person can take in",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;
    use crate::needs::tests::verdict_on_scopes;

    fn verdict(scopes: &[&str]) -> Verdict {
        verdict_on_scopes(scopes, RULES)
    }

    #[test]
    fn what_breaks_it_and_what_does_not() {
        let many: Vec<String> = (0..26).map(|n| format!("t{n}:read")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(verdict(&many), Verdict::Fail(FEW, _)));
        assert!(matches!(verdict(&many[..25]), Verdict::Pass(_)));
        assert!(matches!(verdict(&["mcp:tools"]), Verdict::Pass(_)));
    }
}
