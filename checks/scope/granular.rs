//! No scope stands for everything, so that a client can be given what it needs and no more.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, demand, should};
use crate::document::Document;
use crate::needs::{AdvertisedScopes, Context};
use crate::oauth::scope_design::Rule;

const NO_OMNIBUS: Demand = demand(
    "No advertised scope stands for everything.",
    &[should(Document::OpenAi, "scopes"), should(Document::McpSecurity, "scope-minimization")],
);

const RULES: &[(Rule, Demand)] = &[(Rule::Granular, NO_OMNIBUS)];

/// Reads the scopes that resource, challenge and server advertise.
pub struct Granular;

impl Check for Granular {
    type Needs = AdvertisedScopes;
    const CARD: Card = Card {
        id: "scope/granular",
        demands: &[NO_OMNIBUS],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("granular.md"),
    };

    async fn run(scopes: AdvertisedScopes, cx: &Context) -> Outcome {
        Ok(scopes.judge(&cx.audit.settings, RULES, |d| cx.level(d), "no scope stands for everything"))
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
        assert!(matches!(verdict(&["a:read", "full_access"]), Verdict::Fail(NO_OMNIBUS, _)));
        assert!(matches!(verdict(&["a:read", "Files.Read.All"]), Verdict::Pass(_)));
    }
}
