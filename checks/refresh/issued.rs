//! A refresh token comes with the access token.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context};
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenSet;

const ISSUED: Demand = demand(
    "The code exchange brings a refresh token, so that nobody has to sign in every hour.",
    &[must(Document::OpenAi, "approval checklist")],
);

/// Reads the token answer of the ordinary flow.
pub struct Issued;

impl Check for Issued {
    type Needs = Baseline;
    const CARD: Card = Card {
        id: "refresh/issued",
        demands: &[ISSUED],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("issued.md"),
    };

    async fn run(baseline: Baseline, _: &Context) -> Outcome {
        Ok(Ruling::from(judge(&baseline.tokens, &baseline.requested_scope)).shown_by([baseline.token_reply.id]))
    }
}

fn judge(tokens: &TokenSet, requested: &ScopeSet) -> Verdict {
    let offline = requested.contains("offline_access");
    match (&tokens.refresh_token, offline) {
        (Some(_), true) => Verdict::pass("a refresh token came with the code exchange; offline_access was asked for"),
        (Some(_), false) => Verdict::pass("a refresh token came with the code exchange"),
        (None, true) => Verdict::fail(ISSUED, "no refresh token came, though offline_access was asked for"),
        (None, false) => {
            Verdict::fail(ISSUED, "no refresh token came, and the server lists no offline_access to ask for")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::tokens;
    use serde_json::json;

    #[test]
    fn an_empty_refresh_token_is_none() {
        let verdict = |members, scope| judge(&tokens(members), &ScopeSet::parse(scope));
        assert!(matches!(verdict(json!({"access_token": "x", "refresh_token": "r"}), "a"), Verdict::Pass(_)));
        assert!(matches!(verdict(json!({"access_token": "x", "refresh_token": ""}), "a"), Verdict::Fail(..)));
    }

    #[test]
    fn what_was_asked_for_is_said() {
        let verdict = judge(&tokens(json!({"access_token": "x"})), &ScopeSet::parse("a offline_access"));
        assert!(matches!(verdict, Verdict::Fail(ISSUED, why) if why.contains("though offline_access")));
    }
}
