//! A token that was changed after it was issued opens nothing.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, demand, must};
use crate::document::Document;
use crate::needs::{Context, RealToken};
use crate::oauth::forge::{Forged, Parts, changed_opaque, tampered};

const INTACT: Demand = demand(
    "A token that was changed after it was issued is refused.",
    &[must(Document::Rfc9068, "4"), must(Document::OAuth21, "5.2"), must(Document::OpenAi, "approval checklist")],
);

/// Presents the real token with one thing changed.
pub struct TamperedTokenRefused;

impl Check for TamperedTokenRefused {
    type Needs = RealToken;
    const CARD: Card = Card {
        id: "resource/tampered-token-refused",
        demands: &[INTACT],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("tampered_token_refused.md"),
    };

    async fn run(real: RealToken, cx: &Context) -> Outcome {
        let forged = variants(real.expose());
        let pass = format!("the real token was answered 2xx, and 401 with each of {} changes", forged.len());
        Ok(cx.fold(real.present_all(cx, &forged, INTACT).await, pass))
    }
}

fn variants(token: &str) -> Vec<Forged> {
    Parts::of(token).map_or_else(|| changed_opaque(token), |parts| tampered(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_changed_where_there_are_any() {
        let whats = |token: &str| variants(token).into_iter().map(|f| f.what).collect::<Vec<_>>();
        assert_eq!(whats("e30.e30.AQIDBA").len(), 5);
        assert!(whats("0123456789abcdef").iter().all(|what| what.starts_with("one character changed")));
        // Encrypted tokens are changed as opaque ones are.
        assert_eq!(whats("e30.a.b.c.d").len(), 3);
        assert!(variants("e30.e30.AQIDBA").iter().all(|f| f.token != "e30.e30.AQIDBA"));
    }
}
