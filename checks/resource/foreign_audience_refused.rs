//! A token of the same authorization server for another resource opens nothing here.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Context, OneByOne, Ordinary, Resource, Shortfall, ask, presented};
use crate::oauth::audience::judge_foreign;
use crate::oauth::request::AuthorizationRequest;

const REFUSED: Demand = demand(
    "A token whose audience is another resource is refused.",
    &[
        must(Document::Mcp, "token-handling"),
        must(Document::Rfc9700, "2.3"),
        must(Document::OpenAi, "token verification"),
    ],
);

/// Asks for a token for another resource and presents it.
pub struct ForeignAudienceRefused;

impl Check for ForeignAudienceRefused {
    type Needs = (OneByOne, Resource);
    const CARD: Card = Card {
        id: "resource/foreign-audience-refused",
        demands: &[REFUSED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("foreign_audience_refused.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.altered("a token for another resource", |r| {
            r.set("resource", "https://elsewhere.oaudit.test/mcp");
        })])
    }

    async fn run((OneByOne(requests), resource): (OneByOne, Resource), cx: &Context) -> Outcome {
        let Some(request) = requests.into_iter().next() else {
            return Ok(Verdict::inconclusive("nothing was asked").into());
        };
        let line =
            presented(ask(cx, request).await, &resource, cx, "no token for another resource", |token, own, at| {
                judge_foreign(token, own, at, cx.asks_everybody(), REFUSED)
            });
        let line = line.await?;
        Ok(Ruling::from(line.verdict).shown_by(line.evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;

    #[test]
    fn the_resource_alone_is_another() {
        let mut ordinary = ordinary("a", "a");
        ordinary.resource = Some("https://own".into());
        let request = &ForeignAudienceRefused::requests(&ordinary).unwrap()[0];
        let resources: Vec<_> = request.parameters.iter().filter(|(name, _)| name == "resource").collect();
        assert!(resources.len() == 1 && resources[0].1.starts_with("https://elsewhere."), "{resources:?}");
        assert_eq!(request.parameters.len(), ordinary.request().parameters.len());
    }
}
