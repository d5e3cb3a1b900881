//! Every grant has access tokens of its own.

use std::collections::HashMap;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand};
use crate::document::Document;
use crate::needs::{Context, IssuedTokens};
use crate::wire::ExchangeId;

const NEVER_TWICE: Demand =
    demand("No two answers of the token endpoint carry the same access token.", &[advice(Document::Rfc6749, "10.10")]);

/// Compares the access tokens of the run.
pub struct Distinct;

impl Check for Distinct {
    type Needs = IssuedTokens;
    const CARD: Card = Card {
        id: "access_token/distinct",
        demands: &[NEVER_TWICE],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("distinct.md"),
    };

    async fn run(IssuedTokens(tokens): IssuedTokens, _: &Context) -> Outcome {
        Ok(judge(&tokens))
    }
}

fn judge(tokens: &[(ExchangeId, String)]) -> Ruling {
    let mut first = HashMap::new();
    let again = tokens.iter().find_map(|(id, token)| first.insert(token.as_str(), *id).map(|before| (before, *id)));
    match again {
        Some((before, id)) => {
            let why = "two answers of the token endpoint carry the same access token".to_owned();
            Ruling::from(Verdict::fail(NEVER_TWICE, why)).shown_by([before, id])
        }
        None if tokens.len() < 2 => {
            Verdict::inconclusive("fewer than two access tokens were issued in this run").into()
        }
        None => Verdict::pass(format!("the {} access tokens of this run all differ", tokens.len())).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(tokens: &[&str]) -> Ruling {
        let numbered: Vec<_> = (1..).map(ExchangeId).zip(tokens.iter().map(|t| (*t).to_owned())).collect();
        judge(&numbered)
    }

    #[test]
    fn the_two_answers_are_shown() {
        assert!(matches!(verdict(&["a", "b", "c"]).verdict, Verdict::Pass(_)));
        let twice = verdict(&["a", "b", "a"]);
        assert!(matches!(twice.verdict, Verdict::Fail(NEVER_TWICE, _)));
        assert_eq!(twice.evidence, [ExchangeId(1), ExchangeId(3)]);
        assert!(matches!(verdict(&["a"]).verdict, Verdict::Inconclusive(_)));
        assert!(matches!(verdict(&[]).verdict, Verdict::Inconclusive(_)));
    }
}
