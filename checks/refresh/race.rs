//! A refresh token that is sent six times at one instant is granted once, or its family dies.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, should};
use crate::document::Document;
use crate::needs::{Context, Refreshable};
use crate::oauth::token::{TokenAnswer, TokenSet};
use crate::wire::Trouble;

const ONCE: Demand = demand(
    "A refresh token that is replaced at each use is granted once, or the tokens that came of it die.",
    &[should(Document::Rfc9700, "4.14.2")],
);

/// How many requests arrive together.
const TIMES: usize = 6;

/// Refreshes by requests whose last bytes arrive together, and tries every successor.
pub struct Race;

impl Check for Race {
    type Needs = Refreshable;
    const CARD: Card = Card {
        id: "refresh/race",
        demands: &[ONCE],
        impact: Impact::Medium,
        reach: Reach::Grant,
        page: include_str!("race.md"),
    };

    async fn run(tokens: Refreshable, cx: &Context) -> Outcome {
        let answers = tokens.refresh_together(&cx.wire, TIMES).await;
        let (mut granted, mut others) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(TokenAnswer::Granted(new)) => granted.push(new),
                other => others.push(other),
            }
        }
        let mut alive = 0;
        let several = distinct(&granted) > 1;
        for successor in granted.iter().filter(|_| several) {
            match successor.refresh(&cx.wire).await? {
                Some(TokenAnswer::Granted(_)) => alive += 1,
                Some(TokenAnswer::Refused(e)) if e.error == "invalid_grant" => {}
                None => {}
                Some(odd) => return Err(Unsettled::Control(format!("a successor brought {}", odd.describe()))),
            }
        }
        Ok(judge(&tokens, &granted, &others, alive).into())
    }
}

/// How many different successors there are.
fn distinct(granted: &[Box<TokenSet>]) -> usize {
    let mut seen: Vec<_> = granted.iter().filter_map(|t| t.refresh_token.as_ref()).map(|t| t.expose()).collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

fn judge(old: &TokenSet, granted: &[Box<TokenSet>], others: &[Result<TokenAnswer, Trouble>], alive: usize) -> Verdict {
    let sent = granted.len() + others.len();
    let replaced = |new: &TokenSet| new.refresh_token.is_some() && new.refresh_token != old.refresh_token;
    if !granted.is_empty() && !granted.iter().any(|new| replaced(new)) {
        return Verdict::not_applicable("the refresh token is not replaced at all, see refresh/rotated");
    }
    let successors = distinct(granted);
    if successors > 1 && alive > 1 {
        let why =
            format!("{successors} of {sent} requests at one instant got refresh tokens of their own; {alive} work");
        return Verdict::fail(ONCE, why);
    }
    let refusal =
        |a: &Result<TokenAnswer, Trouble>| matches!(a, Ok(TokenAnswer::Refused(e)) if e.error == "invalid_grant");
    match (granted.len(), others.iter().find(|a| !refusal(a))) {
        (_, Some(Err(trouble))) => Verdict::inconclusive(trouble.to_string()),
        (_, Some(Ok(odd))) => {
            Verdict::inconclusive(format!("one of {sent} requests at one instant was answered with {}", odd.describe()))
        }
        (0, None) => Verdict::inconclusive(format!("none of {sent} requests at one instant got a token")),
        (_, None) if successors > 1 => Verdict::pass(format!(
            "{successors} of {sent} requests at one instant got refresh tokens, of which at most one works any more"
        )),
        (1, None) => {
            Verdict::pass(format!("one of {sent} requests at one instant got tokens, the others invalid_grant"))
        }
        (n, None) => Verdict::pass(format!("{n} of {sent} requests at one instant got one and the same refresh token")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{read, refused, tokens};
    use serde_json::json;

    fn verdict(successors: &[&str], others: Vec<TokenAnswer>, alive: usize) -> Verdict {
        let set = |r: &&str| Box::new(tokens(json!({"access_token": "x", "refresh_token": r})));
        let granted: Vec<_> = successors.iter().map(set).collect();
        let others: Vec<_> = others.into_iter().map(Ok).collect();
        judge(&tokens(json!({"access_token": "x", "refresh_token": "old"})), &granted, &others, alive)
    }

    #[test]
    fn two_living_successors_fail() {
        let dead = || refused(400, "invalid_grant");
        assert!(matches!(verdict(&["a", "b"], vec![dead()], 2), Verdict::Fail(ONCE, _)));
        assert!(matches!(verdict(&["a", "b"], vec![dead()], 0), Verdict::Pass(_)));
        assert!(matches!(verdict(&["a"], vec![dead(), dead()], 0), Verdict::Pass(_)));
        assert!(matches!(verdict(&["a", "a"], vec![dead()], 0), Verdict::Pass(why) if why.contains("same")));
        assert!(matches!(verdict(&["old", "old"], vec![], 0), Verdict::NotApplicable(_)));
    }

    #[test]
    fn what_was_not_refused_as_such_is_never_green() {
        assert!(matches!(verdict(&[], vec![refused(400, "invalid_grant")], 0), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(&["a"], vec![read(500, "text/html", "")], 0), Verdict::Inconclusive(_)));
    }
}
