//! One scope is one word of legal characters.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, advice, demand, must};
use crate::document::Document;
use crate::needs::{AdvertisedScopes, Context};
use crate::oauth::scope_design::Rule;

const LEGAL: Demand = demand(
    "Every advertised scope is one or more of the characters that RFC 6749 allows in a scope.",
    &[must(Document::Rfc6749, "3.3")],
);
const ONE_EACH: Demand = demand("One entry of a list of scopes holds one scope.", &[advice(Document::Rfc6749, "3.3")]);

const RULES: &[(Rule, Demand)] = &[(Rule::WellFormed, LEGAL), (Rule::OneEach, ONE_EACH)];

/// Reads the scopes that resource, challenge and server advertise.
pub struct WellFormed;

impl Check for WellFormed {
    type Needs = AdvertisedScopes;
    const CARD: Card = Card {
        id: "scope/well-formed",
        demands: &[LEGAL, ONE_EACH],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("well_formed.md"),
    };

    async fn run(scopes: AdvertisedScopes, cx: &Context) -> Outcome {
        Ok(scopes.judge(&cx.audit.settings, RULES, |d| cx.level(d), "every advertised scope is well formed"))
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
        assert!(matches!(verdict(&["a:read a:write"]), Verdict::Fail(LEGAL, _)));
        assert!(matches!(verdict(&["a:read,a:write"]), Verdict::Fail(ONE_EACH, _)));
        assert!(matches!(verdict(&["a:read", "openid"]), Verdict::Pass(_)));
    }
}
