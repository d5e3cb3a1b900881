//! The challenge leads to the metadata, so that nobody has to guess where it lies.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must, should};
use crate::discovery::{Place, ResourceFacts};
use crate::document::{Document, McpVersion};
use crate::needs::{AboutResource, Context};
use crate::wire::guard::is_loopback_url;

const FOUND_SOMEHOW: Demand = demand(
    "The metadata is found through the challenge or at a well-known address.",
    &[
        must(Document::Mcp, "protected-resource-metadata-discovery-requirements")
            .in_revisions(McpVersion::V20251125, McpVersion::V20260728),
        must(Document::OpenAi, "protected resource metadata"),
    ],
);
const POINTS: Demand = demand(
    "The challenge of the 401 carries `resource_metadata`.",
    &[
        must(Document::Mcp, "authorization-server-location").in_revisions(McpVersion::V20250618, McpVersion::V20250618),
        should(Document::Mcp, "protected-resource-metadata-discovery-requirements")
            .in_revisions(McpVersion::V20251125, McpVersion::V20260728),
        should(Document::OpenAi, "401 challenge"),
        advice(Document::Rfc9728, "5.1"),
    ],
);
const LEADS: Demand = demand(
    "`resource_metadata` is an absolute https URL at which the metadata answers.",
    &[must(Document::Rfc9728, "5.1"), must(Document::Mcp, "authorization-server-location")],
);

/// The challenge points to the metadata.
pub struct ChallengePointsToMetadata;

impl Check for ChallengePointsToMetadata {
    type Needs = AboutResource;
    const CARD: Card = Card {
        id: "resource_metadata/challenge-points-to-metadata",
        demands: &[FOUND_SOMEHOW, POINTS, LEADS],
        impact: Impact::Medium,
        reach: Reach::Nothing,
        page: include_str!("challenge_points_to_metadata.md"),
    };

    async fn run(resource: AboutResource, _: &Context) -> Outcome {
        let named = resource.tried.iter().filter(|(place, _)| *place == Place::Challenge);
        let fetched = named.filter_map(|(_, r)| r.as_ref().ok()).map(|f| f.exchange);
        Ok(Ruling::from(judge(&resource)).shown_by([resource.exchange]).shown_by(fetched))
    }
}

fn judge(resource: &ResourceFacts) -> Verdict {
    let Some(challenge) = resource.bearer() else {
        return Verdict::not_applicable(
            "there is no Bearer challenge to carry it, see resource_metadata/challenge-header",
        );
    };
    let Some(url) = challenge.parameter("resource_metadata") else {
        return match resource.metadata {
            Some(_) => Verdict::fail(POINTS, "the challenge has no resource_metadata; the well-known address answers"),
            None => Verdict::fail(
                FOUND_SOMEHOW,
                "the challenge has no resource_metadata, and no well-known address answers",
            ),
        };
    };
    let absolute = url::Url::parse(url).is_ok_and(|u| ["http", "https"].contains(&u.scheme()));
    if !absolute {
        return Verdict::fail(LEADS, format!("resource_metadata is {url}, which is no absolute https URL"));
    }
    if !url.starts_with("https://") && !is_loopback_url(url) {
        return Verdict::fail(LEADS, format!("resource_metadata is {url}, which is not https"));
    }
    match resource.tried.iter().find(|(place, _)| *place == Place::Challenge) {
        Some((_, Ok(fetched))) if fetched.status == 200 => {
            Verdict::pass(format!("resource_metadata is {url}, which answers"))
        }
        Some((_, Ok(fetched))) => {
            Verdict::fail(LEADS, format!("resource_metadata is {url}, which answers {}", fetched.why_not()))
        }
        Some((_, Err(why))) => Verdict::inconclusive(format!("resource_metadata is {url}, but {why}")),
        None => Verdict::inconclusive(format!("resource_metadata is {url}, which was not asked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::resource_facts;
    use crate::profile::{Profile, ProfileName};
    use serde_json::json;

    fn facts(header: &str, status: u16) -> ResourceFacts {
        let mut facts = resource_facts(json!({"resource": "x"}), header);
        let mut tried = facts.tried.clone();
        if let (place, Ok(fetched)) = &mut tried[0] {
            *place = Place::Challenge;
            fetched.status = status;
        }
        facts.tried = tried;
        facts
    }

    #[test]
    fn an_address_that_answers_holds() {
        let header = "Bearer resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/mcp\"";
        assert!(matches!(judge(&facts(header, 200)), Verdict::Pass(_)));
        assert!(matches!(judge(&facts(header, 404)), Verdict::Fail(LEADS, _)));
        let relative = "Bearer resource_metadata=\"/.well-known/oauth-protected-resource\"";
        assert!(matches!(judge(&facts(relative, 200)), Verdict::Fail(LEADS, _)));
    }

    #[test]
    fn without_it_the_level_depends_on_the_well_known_address_and_the_revision() {
        let mut found = facts("Bearer realm=\"x\"", 200);
        let Verdict::Fail(broken, _) = judge(&found) else { panic!() };
        let level = |mcp| Profile { name: ProfileName::Mcp, mcp }.level(&broken);
        assert_eq!(level(McpVersion::V20250618), crate::check::Level::Must);
        assert_eq!(level(McpVersion::V20251125), crate::check::Level::Should);
        found.metadata = None;
        assert!(matches!(judge(&found), Verdict::Fail(FOUND_SOMEHOW, _)));
        found.challenges.clear();
        assert!(matches!(judge(&found), Verdict::NotApplicable(_)));
    }
}
