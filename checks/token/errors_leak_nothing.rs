//! No error answer of the token endpoint repeats what was submitted or shows the program behind it.

use crate::check::{Card, Check, Impact, Outcome, Reach};
use crate::checks::hygiene::no_secret_in_errors::{NO_ECHO, NO_INTERNALS, read};
use crate::needs::{Baseline, Context, WholeLedger};

/// Reads every error answer of the token endpoint.
pub struct ErrorsLeakNothing;

impl Check for ErrorsLeakNothing {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "token/errors-leak-nothing",
        demands: &[NO_ECHO, NO_INTERNALS],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("errors_leak_nothing.md"),
    };

    async fn run((ledger, _): Self::Needs, cx: &Context) -> Outcome {
        let endpoint = &cx.audit.token_endpoint;
        let asked = |url: &str| url == endpoint || url.starts_with(&format!("{endpoint}?"));
        Ok(read(cx, &ledger, |e| asked(&e.request.url)))
    }
}
