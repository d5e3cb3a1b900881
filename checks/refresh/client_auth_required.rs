//! A refresh token of a confidential client buys nothing without the client's secret.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{ConfidentialClient, Context, judge_unproven};
use crate::oauth::refusal::token_line;
use crate::oauth::token::TokenAnswer;

const REQUIRED: Demand = demand(
    "A confidential client authenticates when it refreshes, and is refused if it does not.",
    &[must(Document::OAuth21, "4.3.1")],
);

/// Refreshes as a confidential client, then without its secret, then with a wrong one, then with the right one again.
pub struct ClientAuthRequired;

impl Check for ClientAuthRequired {
    type Needs = ConfidentialClient;
    const CARD: Card = Card {
        id: "refresh/client-auth-required",
        demands: &[REQUIRED],
        impact: Impact::Critical,
        reach: Reach::Grant,
        page: include_str!("client_auth_required.md"),
    };

    async fn run(confidential: ConfidentialClient, cx: &Context) -> Outcome {
        let tokens = match confidential.live_tokens(cx).await {
            Ok(tokens) => tokens,
            Err(shortfall) => return Ok(Verdict::from(shortfall).into()),
        };
        if tokens.refresh_token.is_none() {
            return Ok(Verdict::not_applicable("the server issues no refresh token to a confidential client").into());
        }
        let lost = || Unsettled::Control("the grant came without a refresh token".into());
        // The control: refreshing works with the secret, and what is sent next was never used.
        let mut newest = match tokens.refresh(&cx.wire).await?.ok_or_else(lost)? {
            TokenAnswer::Granted(new) => new,
            answer => {
                return Err(Unsettled::Control(format!(
                    "the client's first refresh, with its own secret, brought {}; nothing can be told from what is \
                     refused without it, see refresh/works",
                    answer.describe()
                )));
            }
        };
        newest.refresh_token = newest.refresh_token.take().or_else(|| tokens.refresh_token.clone());
        let mut answers = Vec::new();
        let senders =
            [("no secret", Some(confidential.without_secret())), ("a wrong secret", confidential.with_wrong_secret())];
        for (what, sender) in senders {
            if let Some(sender) = sender {
                answers.push((what, newest.refresh_by(&cx.wire, &sender).await.transpose().ok_or_else(lost)?));
            }
        }
        let owner = newest.refresh(&cx.wire).await?.ok_or_else(lost)?;
        let still_good = matches!(owner, TokenAnswer::Granted(_));
        let line = |(what, answer): (&str, _)| {
            token_line(what, answer, |a| judge_unproven(a, REQUIRED, &format!("a refresh with {what}"), still_good))
        };
        let mut lines: Vec<Finding> = answers.into_iter().map(line).collect();
        let said = match still_good {
            true => "it still works".to_owned(),
            false => format!("it was answered with {}", owner.describe()),
        };
        lines.push(Finding::new("the refresh token with the right secret afterwards", Verdict::not_applicable(said)));
        Ok(cx.fold(lines, "a confidential client's refresh token is refused without its secret"))
    }
}
