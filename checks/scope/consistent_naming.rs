//! Scopes are named in one style, so that people and programs can tell what they allow.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, advice, demand};
use crate::document::Document;
use crate::needs::{AdvertisedScopes, Context};
use crate::oauth::scope_design::Rule;

const ONE_STYLE: Demand = demand("Scopes are named in one style.", &[advice(Document::OpenAi, "scopes")]);

const RULES: &[(Rule, Demand)] = &[(Rule::ConsistentNaming, ONE_STYLE)];

/// Reads the scopes that resource, challenge and server advertise.
pub struct ConsistentNaming;

impl Check for ConsistentNaming {
    type Needs = AdvertisedScopes;
    const CARD: Card = Card {
        id: "scope/consistent-naming",
        demands: &[ONE_STYLE],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("consistent_naming.md"),
    };

    async fn run(scopes: AdvertisedScopes, cx: &Context) -> Outcome {
        Ok(scopes.judge(&cx.audit.settings, RULES, |d| cx.level(d), "the scopes are named in one style"))
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
        let Verdict::Fail(ONE_STYLE, why) = verdict(&["a:read", "a:write", "b.read"]) else { panic!("no failure") };
        assert!(why.contains("better b:read"), "{why}");
        assert!(matches!(verdict(&["read:a", "write:a", "openid"]), Verdict::Pass(_)));
    }
}
