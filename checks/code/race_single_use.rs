//! A code that is sent six times at one instant is granted once.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::Context;
use crate::oauth::token::{Code, TokenAnswer};
use crate::wire::Trouble;

const ONCE: Demand = demand(
    "A code is granted once, however many requests for it arrive at the same instant.",
    &[must(Document::OAuth21, "4.1.3")],
);

/// How many requests arrive together.
const TIMES: usize = 6;

/// Redeems one code by requests whose last bytes arrive together.
pub struct RaceSingleUse;

impl Check for RaceSingleUse {
    type Needs = Code;
    const CARD: Card = Card {
        id: "code/race-single-use",
        demands: &[ONCE],
        impact: Impact::High,
        reach: Reach::Grant,
        page: include_str!("race_single_use.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        Ok(judge(&code.redeem_together(&cx.wire, TIMES).await).into())
    }
}

fn judge(answers: &[Result<TokenAnswer, Trouble>]) -> Verdict {
    let granted: Vec<_> = answers
        .iter()
        .filter_map(|a| match a {
            Ok(TokenAnswer::Granted(tokens)) => Some(tokens),
            _ => None,
        })
        .collect();
    let refused =
        |a: &&Result<TokenAnswer, Trouble>| matches!(a, Ok(TokenAnswer::Refused(e)) if e.error == "invalid_grant");
    let other = answers.iter().filter(|a| !matches!(a, Ok(TokenAnswer::Granted(_)))).find(|a| !refused(a));
    let sent = answers.len();
    let same = granted.windows(2).all(|pair| pair[0].access_token == pair[1].access_token);
    match (granted.len(), other) {
        (n @ 2.., _) if !same => {
            Verdict::fail(ONCE, format!("{n} of {sent} requests at one instant got access tokens, not all the same"))
        }
        (_, Some(Ok(odd))) => {
            Verdict::inconclusive(format!("one of {sent} requests at one instant was answered with {}", odd.describe()))
        }
        (_, Some(Err(trouble))) => Verdict::inconclusive(trouble.to_string()),
        (0, None) => Verdict::inconclusive(format!("none of {sent} requests at one instant got a token")),
        (1, None) => {
            Verdict::pass(format!("one of {sent} requests at one instant got a token, the others invalid_grant"))
        }
        (n, None) => Verdict::pass(format!("{n} of {sent} requests at one instant got one and the same token")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};
    use serde_json::json;

    fn verdict(tokens: &[&str], others: Vec<TokenAnswer>) -> Verdict {
        let granted = tokens.iter().map(|token| granted(json!({ "access_token": token })));
        judge(&granted.chain(others).map(Ok).collect::<Vec<_>>())
    }

    #[test]
    fn two_different_tokens_fail_and_one_passes() {
        let dead = || refused(400, "invalid_grant");
        assert!(matches!(verdict(&["a"], vec![dead(), dead()]), Verdict::Pass(_)));
        assert!(matches!(verdict(&["a", "b"], vec![dead()]), Verdict::Fail(ONCE, _)));
        assert!(matches!(verdict(&["a", "b"], vec![read(500, "text/html", "")]), Verdict::Fail(ONCE, _)));
        assert!(matches!(verdict(&["a", "a"], vec![dead()]), Verdict::Pass(why) if why.contains("same")));
    }

    #[test]
    fn what_was_not_refused_as_such_is_never_green() {
        assert!(matches!(verdict(&[], vec![refused(400, "invalid_grant")]), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(&["a"], vec![refused(429, "slow_down")]), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(&["a"], vec![read(500, "text/html", "")]), Verdict::Inconclusive(_)));
    }
}
