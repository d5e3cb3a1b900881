//! `iss` stands in success and in error responses, if it is advertised, and names the issuer.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Asked, Baseline, Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::answer::{AuthorizationAnswer, PageKind};
use crate::oauth::request::AuthorizationRequest;

const SENT: Demand = demand(
    "A server that advertises iss puts it into every authorization response, errors too.",
    &[must(Document::Rfc9207, "2"), must(Document::Rfc9207, "2.3")],
);
const EQUAL: Demand =
    demand("The iss that is sent equals the issuer of the metadata, byte for byte.", &[must(Document::Rfc9207, "2")]);

/// Compares what is advertised with what is sent, on success and on error.
pub struct IssReturned;

impl Check for IssReturned {
    type Needs = (FrontChannel, Baseline);
    const CARD: Card = Card {
        id: "authorization/iss-returned",
        demands: &[SENT, EQUAL],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("iss_returned.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.altered("an error response", |r| {
            r.set("response_type", "oaudit_none");
        })])
    }

    async fn run((FrontChannel(asked), baseline): (FrontChannel, Baseline), cx: &Context) -> Outcome {
        let facts = &cx.audit.discovery.server;
        let advertised = facts.metadata.flag("authorization_response_iss_parameter_supported");
        let issuer = facts.metadata.text("issuer").unwrap_or(&facts.issuer);
        let success = judge(advertised, issuer, baseline.returned.get("iss"));
        let mut lines = vec![Finding::new("the response with a code", success).shown_by(baseline.returned.exchange)];
        let due = advertised || baseline.returned.get("iss").is_some();
        lines.extend(asked.iter().map(|asked| on_error(advertised, issuer, due, asked)));
        Ok(cx.fold(lines, "iss names the issuer in every response that was seen"))
    }
}

/// `due`: the server is known to send iss, so that an answer that could not be seen leaves something open.
fn on_error(advertised: bool, issuer: &str, due: bool, asked: &Asked) -> Finding {
    let mut line = asked.line(|answer| match answer {
        AuthorizationAnswer::Error(error) => judge(advertised, issuer, error.returned.get("iss")),
        // Who does not look at the response type answers with a code, which has iss as well.
        AuthorizationAnswer::Code(code) => judge(advertised, issuer, code.returned.get("iss")),
        // Only redirects carry iss; an error page without it is none.
        AuthorizationAnswer::Page(page) if page.kind == PageKind::Error && page.status < 500 => {
            Verdict::not_applicable(format!("no error was sent to the redirect URI, but {}", answer.describe()))
        }
        other => Verdict::inconclusive(format!("no error was sent to the redirect URI, but {}", other.describe())),
    });
    if let Verdict::Inconclusive(why) = &line.verdict
        && !due
    {
        line.verdict = Verdict::not_applicable(why);
    }
    line
}

fn judge(advertised: bool, issuer: &str, sent: Option<&str>) -> Verdict {
    match (advertised, sent) {
        (_, Some(sent)) if sent != issuer => {
            Verdict::fail(EQUAL, format!("iss is \"{sent}\", but the issuer is \"{issuer}\""))
        }
        (true, Some(_)) => Verdict::pass("iss is advertised and names the issuer"),
        (true, None) => Verdict::fail(SENT, "iss is advertised, but was not sent"),
        (false, Some(_)) => Verdict::pass(
            "iss names the issuer, but is not advertised, so clients cannot rely on it: see server_metadata/iss-advertised",
        ),
        (false, None) => {
            Verdict::not_applicable("iss is neither advertised nor sent: see server_metadata/iss-advertised")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::asked;
    use crate::oauth::answer::tests::{arrived, page};

    const ISSUER: &str = "https://as.example";

    #[test]
    fn the_four_ways() {
        assert!(matches!(judge(true, ISSUER, Some(ISSUER)), Verdict::Pass(_)));
        assert!(matches!(judge(false, ISSUER, Some(ISSUER)), Verdict::Pass(_)));
        assert!(matches!(judge(true, ISSUER, None), Verdict::Fail(SENT, _)));
        assert!(matches!(judge(false, ISSUER, None), Verdict::NotApplicable(_)));
        for advertised in [true, false] {
            assert!(matches!(judge(advertised, ISSUER, Some("https://as.example/")), Verdict::Fail(EQUAL, _)));
        }
    }

    #[test]
    fn an_error_page_without_iss_is_none() {
        let home = "http://127.0.0.1:8765/callback";
        let answered = |due, answer| on_error(due, ISSUER, due, &asked(home, "s", answer)).verdict;
        let on_error = |answer| answered(true, answer);
        for unseen in [page(500, PageKind::Error), page(200, PageKind::Login)] {
            assert!(matches!(on_error(unseen), Verdict::Inconclusive(_)));
        }
        let lost = || AuthorizationAnswer::NeverCameBack("gone".into());
        assert!(matches!(on_error(lost()), Verdict::Inconclusive(_)));
        assert!(matches!(answered(false, lost()), Verdict::NotApplicable(_)));
        assert!(matches!(on_error(page(400, PageKind::Error)), Verdict::NotApplicable(_)));
        let redirect = |rest: &str| arrived(home, &format!("{home}?error=x{rest}"));
        assert!(matches!(on_error(redirect("")), Verdict::Fail(SENT, _)));
        assert!(matches!(on_error(redirect("&iss=https%3A%2F%2Fas.example")), Verdict::Pass(_)));
    }
}
