//! A token that was asked for without a resource, and is not for this one, opens nothing here.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, OneByOne, Ordinary, Resource, Shortfall, ask, presented};
use crate::oauth::audience::{Own, judge_foreign};
use crate::oauth::described::Described;
use crate::oauth::request::AuthorizationRequest;
use crate::resource::Reached;

const REFUSED: Demand =
    demand("A token whose audience does not name the resource is refused.", &[must(Document::Mcp, "token-handling")]);

/// Asks for a token without `resource`, reads its audience, and presents it.
pub struct MissingAudienceRefused;

impl Check for MissingAudienceRefused {
    type Needs = (OneByOne, Resource);
    const CARD: Card = Card {
        id: "resource/missing-audience-refused",
        demands: &[REFUSED],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("missing_audience_refused.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        if ordinary.resource.is_none() {
            let why = "the ordinary request names no resource either: nobody tells the identifier of this one";
            return Err(Shortfall::NotApplicable(why.into()));
        }
        Ok(vec![ordinary.altered("a token asked for without resource", |r| {
            r.remove("resource");
        })])
    }

    async fn run((OneByOne(requests), resource): (OneByOne, Resource), cx: &Context) -> Outcome {
        let Some(request) = requests.into_iter().next() else {
            return Ok(Verdict::inconclusive("nothing was asked").into());
        };
        let line = presented(ask(cx, request).await, &resource, cx, "no token without a resource", |token, own, at| {
            judge(token, own, at, cx.asks_everybody())
        });
        let line = line.await?;
        Ok(Ruling::from(line.verdict).shown_by(line.evidence))
    }
}

fn judge(described: &Described, own: &Own, reached: &Reached, asked_all: bool) -> Verdict {
    match (described.is_for_any(own.names()), reached.is_accepted()) {
        (Some(true), true) => Verdict::pass(format!(
            "a token asked for without resource is for {} all the same, so there is none without an audience",
            described.audience_text()
        )),
        _ => judge_foreign(described, own, reached, asked_all, REFUSED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::wire::message::tests::reply;

    fn verdict(aud: Option<&str>, status: u16, asked_all: bool) -> Verdict {
        let described = Described { audience: aud.map(|aud| vec![aud.to_owned()]), scope: None };
        let own = Own::of(vec!["https://own".into()], vec!["https://own".into(), "https://as/userinfo".into()]);
        judge(&described, &own, &Reached::read(&reply(status, &[], "")), asked_all)
    }

    #[test]
    fn the_audience_that_was_read_decides() {
        assert!(matches!(verdict(Some("https://own"), 200, true), Verdict::Pass(_)));
        assert!(matches!(verdict(Some("https://as"), 200, true), Verdict::Fail(REFUSED, _)));
        assert!(matches!(verdict(Some("https://as/userinfo"), 200, true), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(Some("https://as"), 401, true), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 401, false), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 200, false), Verdict::NotRun { .. }));
        assert!(matches!(verdict(None, 200, true), Verdict::Inconclusive(_)));
    }

    #[test]
    fn without_a_name_there_is_nothing_to_leave_out() {
        assert!(matches!(MissingAudienceRefused::requests(&ordinary("a", "a")), Err(Shortfall::NotApplicable(_))));
    }
}
