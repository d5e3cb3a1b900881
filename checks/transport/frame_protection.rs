//! Pages on which somebody decides cannot be laid, invisible, under another page.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::front::SeenPage;
use crate::needs::{Context, Pages};
use crate::oauth::answer::PageKind;
use crate::oauth::framing::{Framing, framing};

const UNFRAMED: Demand = demand(
    "Login and consent pages say by header that foreign pages may not frame them.",
    &[must(Document::OAuth21, "7.11"), must(Document::Rfc9700, "4.16")],
);

/// Reads the headers of the pages that were seen.
pub struct FrameProtection;

impl Check for FrameProtection {
    type Needs = Pages;
    const CARD: Card = Card {
        id: "transport/frame-protection",
        demands: &[UNFRAMED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("frame_protection.md"),
    };

    async fn run(pages: Pages, cx: &Context) -> Outcome {
        let mut lines: Vec<Finding> = pages.deciding().map(line).collect();
        if lines.is_empty() {
            return Ok(match pages.with_session || pages.open_to_strangers {
                true => Verdict::not_applicable("no page was shown: authorization requests are answered at once"),
                false => Verdict::inconclusive("a stranger was shown no page, and what the person saw is unknown"),
            }
            .into());
        }
        if !pages.with_session {
            let (why, how) = ("only an agent that reads pages sees what comes after the login", "--agent form");
            lines.push(Finding::new("the consent page", Verdict::NotRun { why: why.into(), how: how.into() }));
        }
        let mut ruling = cx.fold(lines, "foreign pages may frame neither the login nor what follows");
        for page in pages.errors() {
            if let Framing::Open(why) = framing(&page.reply) {
                ruling = ruling.noting(name(page), Verdict::not_applicable(why));
            }
        }
        Ok(ruling)
    }
}

fn line(page: &SeenPage) -> Finding {
    let verdict = match framing(&page.reply) {
        Framing::Restricted(by) => Verdict::pass(by),
        Framing::Open(why) => Verdict::fail(UNFRAMED, why),
    };
    Finding::new(name(page), verdict).shown_by([page.reply.id])
}

fn name(page: &SeenPage) -> String {
    let kind = match page.page.kind {
        PageKind::Login => "the login page",
        PageKind::Consent => "the consent page",
        PageKind::Error => "an error page",
        PageKind::Unknown => "the page that a stranger is shown",
    };
    format!("{kind} at {}", page.place())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::Page;
    use crate::wire::message::tests::reply;

    fn page(kind: PageKind, headers: &[(&'static str, &str)]) -> SeenPage {
        let reply = reply(200, headers, "");
        SeenPage { page: Page { status: 200, kind, says: String::new(), exchange: Some(reply.id) }, reply }
    }

    #[test]
    fn a_page_is_judged_by_its_headers() {
        let good = line(&page(PageKind::Login, &[("x-frame-options", "DENY")]));
        assert_eq!(good.verdict, Verdict::pass("X-Frame-Options DENY"));
        assert_eq!(good.what, "the login page at https://as.example/");
        let bad = line(&page(PageKind::Consent, &[("content-security-policy", "default-src 'self'")]));
        assert!(matches!(bad.verdict, Verdict::Fail(UNFRAMED, _)));
    }
}
