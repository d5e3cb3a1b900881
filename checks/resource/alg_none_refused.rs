//! A token without a signature opens nothing.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, demand, must};
use crate::document::Document;
use crate::needs::{Context, SignedToken};
use crate::oauth::forge::unsigned;

const SIGNED: Demand = demand(
    "A token that nobody signed is refused.",
    &[must(Document::Rfc9068, "4"), must(Document::Rfc8725, "3.1"), must(Document::OpenAi, "approval checklist")],
);

/// Presents the real claims without a signature, and with one of zeros.
pub struct AlgNoneRefused;

impl Check for AlgNoneRefused {
    type Needs = SignedToken;
    const CARD: Card = Card {
        id: "resource/alg-none-refused",
        demands: &[SIGNED],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("alg_none_refused.md"),
    };

    async fn run(token: SignedToken, cx: &Context) -> Outcome {
        let lines = token.real.present_all(cx, &unsigned(&token.parts), SIGNED).await;
        Ok(cx.fold(lines, "tokens without a signature were answered 401"))
    }
}
