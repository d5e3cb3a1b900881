//! The baseline: the ordinary authorization code flow, from the request to the access token.

use crate::audit::FlowFailure;
use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, FlowAttempt};
use crate::oauth::token::TokenSet;

/// The first half: a code at the redirect URI.
pub const CODE_ISSUED: Demand = demand(
    "The ordinary authorization request, with S256 and state, is answered with a code at the redirect URI.",
    &[must(Document::OAuth21, "4.1.2"), must(Document::OpenAi, "approval checklist")],
);

/// The second half: an access token for the code.
pub const CODE_REDEEMED: Demand = demand(
    "The ordinary token request redeems the code for an access token.",
    &[must(Document::OAuth21, "4.1.3"), must(Document::OpenAi, "approval checklist")],
);

/// Judges how the ordinary flow ended; everything that needs a user stands on it.
pub struct CodeFlowWorks;

impl Check for CodeFlowWorks {
    type Needs = FlowAttempt;
    const CARD: Card = Card {
        id: "authorization/code-flow-works",
        demands: &[CODE_ISSUED, CODE_REDEEMED],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("code_flow_works.md"),
    };

    async fn run(FlowAttempt(flow): FlowAttempt, _: &Context) -> Outcome {
        Ok(match flow {
            Ok(transcript) => {
                Ruling::from(judge_success(&transcript.tokens)).shown_by(transcript.exchanges.iter().copied())
            }
            Err(failure) => Ruling::from(judge_failure(&failure)).shown_by(failure.evidence),
        })
    }
}

fn judge_success(tokens: &TokenSet) -> Verdict {
    let kind = tokens.members.get("token_type").and_then(|t| t.as_str()).unwrap_or("of no named type");
    let scope = tokens.stated_scope().map_or_else(|| "no stated scope".into(), |s| format!("the scope \"{s}\""));
    let refresh = if tokens.refresh_token.is_some() { "a refresh token" } else { "no refresh token" };
    Verdict::pass(format!("a code came back and was redeemed for an access token ({kind}), {refresh} and {scope}"))
}

fn judge_failure(failure: &FlowFailure) -> Verdict {
    match failure.broken {
        Some(broken) => Verdict::fail(broken, &failure.why),
        None => Verdict::inconclusive(&failure.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::tokens;
    use serde_json::json;

    #[test]
    fn a_flow_that_worked_says_what_it_brought() {
        let tokens = tokens(json!({"access_token": "x", "token_type": "Bearer", "scope": "a b"}));
        let verdict = judge_success(&tokens);
        assert!(matches!(&verdict, Verdict::Pass(why) if why.contains("no refresh token") && why.contains("\"a b\"")));
    }

    #[test]
    fn what_was_not_the_servers_fault_is_undecided() {
        let failure = |broken| FlowFailure { why: "w".into(), broken, evidence: vec![] };
        assert_eq!(judge_failure(&failure(Some(CODE_ISSUED))), Verdict::fail(CODE_ISSUED, "w"));
        assert_eq!(judge_failure(&failure(None)), Verdict::inconclusive("w"));
    }
}
