//! What may be written may also be only read.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, advice, demand};
use crate::document::Document;
use crate::needs::{AdvertisedScopes, Context};
use crate::oauth::scope_design::Rule;

const BOTH: Demand = demand(
    "Where a scope allows to write, another allows no more than to read the same.",
    &[advice(Document::OpenAi, "scopes")],
);

const RULES: &[(Rule, Demand)] = &[(Rule::ReadWriteSeparated, BOTH)];

/// Reads the scopes that resource, challenge and server advertise.
pub struct ReadWriteSeparated;

impl Check for ReadWriteSeparated {
    type Needs = AdvertisedScopes;
    const CARD: Card = Card {
        id: "scope/read-write-separated",
        demands: &[BOTH],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("read_write_separated.md"),
    };

    async fn run(scopes: AdvertisedScopes, cx: &Context) -> Outcome {
        Ok(scopes.judge(
            &cx.audit.settings,
            RULES,
            |d| cx.level(d),
            "nothing that may be written lacks a scope for reading",
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
        let Verdict::Fail(BOTH, why) = verdict(&["a:read", "b:write"]) else { panic!("no failure") };
        assert!(why.contains("better add b:read"), "{why}");
        assert!(matches!(verdict(&["a:read", "a:write"]), Verdict::Pass(_)));
    }
}
