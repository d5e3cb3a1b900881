//! The answer states the scope that the token has.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::described::Described;
use crate::oauth::scope::ScopeSet;

const REPORTED: Demand = demand(
    "The scope of a token is the one that was asked for, or the one that the answer states.",
    &[must(Document::Rfc6749, "5.1")],
);

/// Compares what the answer of the ordinary flow states with what the token and introspection say.
pub struct GrantedScopeReported;

impl Check for GrantedScopeReported {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "scope/granted-scope-reported",
        demands: &[REPORTED],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("granted_scope_reported.md"),
    };

    async fn run(baseline: Baseline, cx: &Context) -> Outcome {
        let token = baseline.tokens.access_token.expose();
        let (asked, stated) = (&baseline.requested_scope, baseline.tokens.stated_scope());
        let claimed = Described::by_claims(token).scope;
        let introspected = match &cx.audit.introspection {
            Some(introspection) => {
                let said = introspection.ask(&cx.wire, token).await?;
                Described::by_introspection(&said).scope
            }
            None => None,
        };
        let lines: Vec<Finding> = [("the scope in the token", claimed), ("the scope by introspection", introspected)]
            .into_iter()
            .filter_map(|(what, has)| {
                has.map(|has| {
                    Finding::new(what, judge(asked, stated.as_ref(), &has)).shown_by([baseline.tokens.exchange])
                })
            })
            .collect();
        if lines.is_empty() {
            return Ok(unread(asked, stated.as_ref()).into());
        }
        Ok(cx.fold(lines, "the token has the scope that the answer tells of"))
    }
}

fn judge(asked: &ScopeSet, stated: Option<&ScopeSet>, has: &ScopeSet) -> Verdict {
    let told = stated.unwrap_or(asked).of_resource();
    let has = has.of_resource().spelled_as(&told);
    let (missing, excess) = (told.beyond(&has), has.beyond(&told));
    let how = if stated.is_some() { "the answer states" } else { "the answer states no scope, so by it the token has" };
    match (missing.is_empty(), excess.is_empty()) {
        (true, true) => Verdict::pass(format!("{how} \"{told}\", and so it is")),
        (false, _) => Verdict::fail(REPORTED, format!("{how} \"{told}\"; \"{missing}\" is not there")),
        (true, false) => Verdict::fail(REPORTED, format!("{how} \"{told}\"; \"{excess}\" is there as well")),
    }
}

/// The verdict where nobody says what the token has.
fn unread(asked: &ScopeSet, stated: Option<&ScopeSet>) -> Verdict {
    match stated {
        Some(stated) => Verdict::pass(format!("\"{asked}\" was asked for, and the answer states \"{stated}\"")),
        None => Verdict::not_applicable(
            "the answer states no scope, which means the one asked for, and the token cannot be read, so there is \
             nothing to compare",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(stated: Option<&str>, has: &str) -> Verdict {
        judge(&ScopeSet::parse("a b openid"), stated.map(ScopeSet::parse).as_ref(), &ScopeSet::parse(has))
    }

    #[test]
    fn silence_means_as_asked_for() {
        assert!(matches!(verdict(None, "b a"), Verdict::Pass(_)));
        assert!(matches!(verdict(None, "a"), Verdict::Fail(REPORTED, why) if why.contains("\"b\" is not there")));
        assert!(matches!(verdict(None, "a b c"), Verdict::Fail(..)));
        assert!(matches!(verdict(Some("a"), "a"), Verdict::Pass(_)));
        assert!(matches!(verdict(Some("a"), "a b"), Verdict::Fail(REPORTED, why) if why.contains("as well")));
        assert!(matches!(verdict(Some("a b"), "a"), Verdict::Fail(..)));
    }

    #[test]
    fn another_spelling_and_claims_of_a_person_are_no_difference() {
        assert!(matches!(verdict(Some("api://x/a openid profile offline_access"), "a"), Verdict::Pass(_)));
        assert!(matches!(verdict(Some("ba"), "a"), Verdict::Fail(..)));
        assert!(matches!(unread(&ScopeSet::parse("a"), None), Verdict::NotApplicable(_)));
        assert!(matches!(unread(&ScopeSet::parse("a"), Some(&ScopeSet::parse("a"))), Verdict::Pass(_)));
    }
}
