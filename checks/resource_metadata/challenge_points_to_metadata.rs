//! The challenge leads to the metadata, so that nobody has to guess where it lies.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, advice, demand, must, should};
use crate::discovery::{Place, ResourceFacts, is_unheard};
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
    "The challenge of the 401 carries `resource_metadata`, an absolute https URL at which the metadata answer.",
    &[
        must(Document::Mcp, "authorization-server-location").in_revisions(McpVersion::V20250618, McpVersion::V20250618),
        should(Document::Mcp, "protected-resource-metadata-discovery-requirements")
            .in_revisions(McpVersion::V20251125, McpVersion::V20260728),
        should(Document::OpenAi, "401 challenge"),
        advice(Document::Rfc9728, "5.1"),
    ],
);

/// The challenge points to the metadata.
pub struct ChallengePointsToMetadata;

impl Check for ChallengePointsToMetadata {
    type Needs = AboutResource;
    const CARD: Card = Card {
        id: "resource_metadata/challenge-points-to-metadata",
        demands: &[FOUND_SOMEHOW, POINTS],
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
    // RFC 9728 section 5.1: it may stand beside any scheme, and in any of several challenges.
    let named = resource.challenges.iter().find_map(|c| c.parameter("resource_metadata"));
    let Some(url) = named else {
        return match resource.bearer() {
            Some(_) => missed(resource, "the challenge has no resource_metadata".into()),
            None => Verdict::not_applicable(
                "there is no Bearer challenge to carry it, see resource_metadata/challenge-header",
            ),
        };
    };
    let absolute = url::Url::parse(url).is_ok_and(|u| ["http", "https"].contains(&u.scheme()));
    if !absolute {
        return missed(resource, format!("resource_metadata is {url}, which is no absolute https URL"));
    }
    if !url.starts_with("https://") && !is_loopback_url(url) {
        return missed(resource, format!("resource_metadata is {url}, which is not https"));
    }
    match resource.tried.iter().find(|(place, _)| *place == Place::Challenge) {
        Some((_, Ok(fetched))) if fetched.is_document() => {
            Verdict::pass(format!("resource_metadata is {url}, where a JSON object answers"))
        }
        Some((_, Ok(fetched))) if fetched.is_outage() => {
            Verdict::inconclusive(format!("resource_metadata is {url}, which answers {}", fetched.status))
        }
        Some((_, Ok(fetched))) => {
            missed(resource, format!("resource_metadata is {url}, which answers {}", fetched.why_not()))
        }
        Some((_, Err(why))) => Verdict::inconclusive(format!("resource_metadata is {url}, but {why}")),
        None => Verdict::inconclusive(format!("resource_metadata is {url}, which was not asked")),
    }
}

/// The challenge does not lead to the metadata: how grave that is depends on whether the well-known places do.
fn missed(resource: &ResourceFacts, why: String) -> Verdict {
    let mut well_known =
        resource.tried.iter().filter(|(place, _)| *place != Place::Challenge).map(|(_, result)| result);
    if well_known.clone().any(|result| result.as_ref().is_ok_and(|f| f.is_document())) {
        return Verdict::fail(POINTS, format!("{why}; a well-known address answers"));
    }
    if well_known.any(is_unheard) {
        return Verdict::inconclusive(format!("{why}, and a well-known address could not be asked"));
    }
    Verdict::fail(FOUND_SOMEHOW, format!("{why}, and no well-known address answers"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::resource_facts;
    use crate::profile::{Profile, ProfileName};
    use serde_json::json;

    const NAMED: &str = "Bearer resource_metadata=\"https://api.example/meta\"";

    /// A resource with this header, whose challenge leads to an answer of this status, and which has a document at the
    /// well-known address or not.
    fn facts(header: &str, status: u16, well_known: bool) -> ResourceFacts {
        let mut facts = resource_facts(json!({"resource": "x"}), header);
        let (place, known) = facts.tried.remove(0);
        let with = |status| known.clone().map(|f| crate::discovery::Fetched { status, ..f });
        facts.tried = vec![(Place::Challenge, with(status)), (place, with(if well_known { 200 } else { 404 }))];
        facts
    }

    #[test]
    fn an_address_that_answers_holds() {
        assert!(matches!(judge(&facts(NAMED, 200, false)), Verdict::Pass(_)));
        let second = "Bearer realm=\"x\", DPoP algs=\"ES256\", resource_metadata=\"https://api.example/meta\"";
        assert!(matches!(judge(&facts(second, 200, false)), Verdict::Pass(_)));
        let mut page = facts(NAMED, 200, false);
        if let (_, Ok(fetched)) = &mut page.tried[0] {
            fetched.json = None;
        }
        assert!(matches!(judge(&page), Verdict::Fail(FOUND_SOMEHOW, _)), "a page for every path is no metadata");
        assert!(matches!(judge(&facts(NAMED, 503, true)), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_wrong_pointer_is_as_grave_as_none() {
        let relative = "Bearer resource_metadata=\"/.well-known/oauth-protected-resource\"";
        let plain = "Bearer resource_metadata=\"http://api.example/meta\"";
        for (header, status) in [(NAMED, 404), (relative, 200), (plain, 200), ("Bearer realm=\"x\"", 200)] {
            assert!(matches!(judge(&facts(header, status, true)), Verdict::Fail(POINTS, _)), "{header}");
            assert!(matches!(judge(&facts(header, status, false)), Verdict::Fail(FOUND_SOMEHOW, _)), "{header}");
        }
        let mut unheard = facts("Bearer realm=\"x\"", 200, false);
        unheard.tried[1].1 = Err("timed out".into());
        assert!(matches!(judge(&unheard), Verdict::Inconclusive(_)));
    }

    #[test]
    fn without_it_the_level_depends_on_the_revision() {
        let level = |mcp| Profile { name: ProfileName::Mcp, mcp }.level(&POINTS);
        assert_eq!(level(McpVersion::V20250618), crate::check::Level::Must);
        assert_eq!(level(McpVersion::V20251125), crate::check::Level::Should);
        let mut none = facts("Bearer realm=\"x\"", 200, true);
        none.challenges.clear();
        assert!(matches!(judge(&none), Verdict::NotApplicable(_)));
    }
}
