//! Clients start from the metadata of the resource: it has to be there, and to be JSON.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::discovery::{ResourceFacts, is_unheard};
use crate::document::Document;
use crate::needs::{AboutResource, Context};

const PUBLISHED: Demand = demand(
    "A protected resource publishes metadata that names its authorization servers.",
    &[must(Document::Mcp, "authorization-server-location"), must(Document::OpenAi, "protected resource metadata")],
);
const JSON: Demand = demand(
    "Resource metadata is a JSON object, answered 200 with the content type application/json.",
    &[must(Document::Rfc9728, "3.2"), must(Document::Mcp, "authorization-server-location")],
);

/// The resource publishes its metadata.
pub struct Published;

impl Check for Published {
    type Needs = AboutResource;
    const CARD: Card = Card {
        id: "resource_metadata/published",
        demands: &[PUBLISHED, JSON],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("published.md"),
    };

    async fn run(resource: AboutResource, cx: &Context) -> Outcome {
        Ok(judge(&resource, cx.binds(&PUBLISHED)))
    }
}

fn judge(resource: &ResourceFacts, due: bool) -> Ruling {
    let tried = resource.tried.iter().filter_map(|(_, r)| r.as_ref().ok()).map(|f| f.exchange);
    let Some((metadata, place)) = &resource.metadata else {
        let places: Vec<String> = resource
            .tried
            .iter()
            .map(|(_, result)| match result {
                Ok(fetched) => format!("{} ({})", fetched.url, fetched.why_not()),
                Err(why) => why.clone(),
            })
            .collect();
        let why = format!("no metadata was found: {}", places.join(", "));
        let unheard = resource.tried.iter().any(|(_, result)| is_unheard(result));
        let verdict = match (due, unheard) {
            (true, true) => Verdict::inconclusive(why),
            (true, false) => Verdict::fail(PUBLISHED, why),
            // RFC 9728 obliges nobody to publish.
            (false, _) => Verdict::not_applicable(why),
        };
        return Ruling::from(verdict).shown_by(tried);
    };
    let fetched = &metadata.fetched;
    let where_ = format!("{} ({})", fetched.url, place.describe());
    let verdict = match fetched.media_type.as_str() {
        "application/json" => Verdict::pass(format!("a JSON object at {where_}")),
        "" => Verdict::fail(JSON, format!("{where_} has no content type; application/json is due")),
        other => Verdict::fail(JSON, format!("{where_} has the content type {other}; application/json is due")),
    };
    Ruling::from(verdict).shown_by(tried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::resource_facts;
    use serde_json::json;

    #[test]
    fn it_is_there_and_json() {
        let mut facts = resource_facts(json!({"resource": "x"}), "Bearer");
        assert!(matches!(judge(&facts, true).verdict, Verdict::Pass(_)));
        if let Some((metadata, _)) = &mut facts.metadata {
            metadata.fetched.media_type = "text/html".into();
        }
        assert!(matches!(judge(&facts, true).verdict, Verdict::Fail(JSON, _)));
    }

    #[test]
    fn where_nobody_demands_it_its_absence_is_no_failure() {
        let mut facts = resource_facts(json!({}), "Bearer");
        facts.metadata = None;
        assert!(matches!(judge(&facts, true).verdict, Verdict::Fail(PUBLISHED, _)));
        assert!(matches!(judge(&facts, false).verdict, Verdict::NotApplicable(_)));
        let (place, fetched) = facts.tried[0].clone();
        let missing = fetched.map(|f| crate::discovery::Fetched { status: 404, ..f });
        facts.tried = vec![(place, missing.clone())];
        assert!(matches!(judge(&facts, true).verdict, Verdict::Fail(PUBLISHED, _)));
        // One place that could not be asked may have it.
        let busy = missing.map(|f| crate::discovery::Fetched { status: 503, ..f });
        for unheard in [Err("timed out".into()), busy] {
            facts.tried.truncate(1);
            facts.tried.push((crate::discovery::Place::Root, unheard));
            assert!(matches!(judge(&facts, true).verdict, Verdict::Inconclusive(_)));
        }
    }
}
