//! Administration has scopes of its own, and nobody asks for them unawares.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, advice, demand};
use crate::document::Document;
use crate::needs::{AdvertisedScopes, Context};
use crate::oauth::scope_design::Rule;

const APART: Demand = demand(
    "Administrative scopes have a prefix of their own and are not asked for by default.",
    &[advice(Document::OpenAi, "scopes")],
);

const RULES: &[(Rule, Demand)] = &[(Rule::AdminSeparated, APART)];

/// Reads the scopes that resource, challenge and server advertise.
pub struct AdminSeparated;

impl Check for AdminSeparated {
    type Needs = AdvertisedScopes;
    const CARD: Card = Card {
        id: "scope/admin-separated",
        demands: &[APART],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("admin_separated.md"),
    };

    async fn run(scopes: AdvertisedScopes, cx: &Context) -> Outcome {
        Ok(scopes.judge(
            &cx.audit.settings,
            RULES,
            |d| cx.level(d),
            "no administrative scope stands among the others or is asked for by default",
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
        assert!(matches!(verdict(&["a:read", "a:admin"]), Verdict::Fail(APART, _)));
        assert!(matches!(verdict(&["a:read", "admin:a"]), Verdict::Pass(_)));
    }
}
