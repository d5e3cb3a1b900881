//! Who does not know the client does not send the browser where the request says.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::pkce::random_text;
use crate::oauth::redirect::judge_place;
use crate::oauth::request::AuthorizationRequest;

const NOT_REDIRECTED: Demand = demand(
    "A request with an unknown client_id is reported to the person, and never redirected.",
    &[must(Document::OAuth21, "4.1.2.1")],
);

/// Asks in the name of a client that does not exist, for an answer at an address that nobody registered.
pub struct UnknownClientNotRedirected;

impl Check for UnknownClientNotRedirected {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "authorization/unknown-client-not-redirected",
        demands: &[NOT_REDIRECTED],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("unknown_client_not_redirected.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.altered("an unknown client", |r| {
            r.set("client_id", format!("oaudit-nobody-{}", random_text(9)));
            r.set("redirect_uri", "https://evil.test/callback");
        })])
    }

    async fn run(FrontChannel(asked): FrontChannel, cx: &Context) -> Outcome {
        let lines = asked.iter().map(|a| a.line(|answer| judge(answer, &a.redirect_uri))).collect();
        Ok(cx.fold(lines, "an unknown client was reported on a page"))
    }
}

/// Nothing is registered for nobody.
fn judge(answer: &AuthorizationAnswer, asked: &str) -> Verdict {
    judge_place(answer, asked, &[], NOT_REDIRECTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};

    #[test]
    fn an_error_page_passes_and_any_redirect_fails() {
        let evil = "https://evil.test/callback";
        assert!(matches!(judge(&page(400, PageKind::Error), evil), Verdict::Pass(_)));
        let sent = arrived(evil, &format!("{evil}?error=unauthorized_client"));
        assert!(matches!(judge(&sent, evil), Verdict::Fail(..)));
        assert!(matches!(judge(&page(200, PageKind::Login), evil), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&page(500, PageKind::Error), evil), Verdict::Inconclusive(_)));
    }
}
