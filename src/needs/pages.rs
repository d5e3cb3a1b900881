//! The pages that a person is shown, as they came.

use super::{Context, Needs, Shortfall, Stage};
use crate::front::{SeenPage, Stranger};
use crate::oauth::answer::{AuthorizationAnswer, PageKind};
use crate::oauth::request::AuthorizationRequest;
use crate::wire::ExchangeId;

/// The pages that were seen: by the agent while it signed in if it sees any, and by a stranger.
#[derive(Debug, Clone)]
pub struct Pages {
    seen: Vec<SeenPage>,
    /// The page at which a stranger was asked for something, however it looks.
    asks: Option<ExchangeId>,
    /// Whether the agent sees what comes after the login.
    pub with_session: bool,
    /// Whether a stranger got a code at once.
    pub open_to_strangers: bool,
}

impl Pages {
    /// The pages on which somebody decides: login and consent.
    pub fn deciding(&self) -> impl Iterator<Item = &SeenPage> {
        self.seen.iter().filter(|seen| match seen.page.kind {
            PageKind::Login | PageKind::Consent => true,
            // A login that is built by scripts cannot be made out.
            PageKind::Unknown => self.asks == Some(seen.reply.id),
            PageKind::Error => false,
        })
    }

    /// The pages that say that something is wrong.
    pub fn errors(&self) -> impl Iterator<Item = &SeenPage> {
        self.seen.iter().filter(|seen| seen.page.kind == PageKind::Error)
    }
}

impl Needs for Pages {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let audit = &cx.audit;
        let is_login = |seen: &SeenPage| seen.page.kind == PageKind::Login;
        let (mut asks, mut open_to_strangers) = (None, false);
        if !audit.front.pages().iter().any(is_login) {
            let request = audit.ordinary().request();
            match audit.front.visit_as_stranger(&cx.wire, request, &audit.token_endpoint).await? {
                Stranger::Asked(_, page) => asks = page.exchange,
                Stranger::Answered(answer) => open_to_strangers = matches!(answer, AuthorizationAnswer::Code(_)),
            }
        }
        let with_session = audit.front.agent().sees_pages();
        Ok(Self { seen: audit.front.pages(), asks, with_session, open_to_strangers })
    }
}
