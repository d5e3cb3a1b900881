//! A 401 has to say how to authenticate, or clients do not know what to do.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::discovery::ResourceFacts;
use crate::document::Document;
use crate::needs::{AboutResource, Context};
use crate::oauth::challenge::Challenge;

const CHALLENGE: Demand = demand(
    "The 401 carries WWW-Authenticate with the scheme Bearer.",
    &[must(Document::Rfc6750, "3"), must(Document::OAuth21, "5.3.1")],
);
const PARAMETERS: Demand = demand(
    "The Bearer challenge has at least one parameter.",
    &[must(Document::Rfc6750, "3"), must(Document::OAuth21, "5.3.1")],
);

/// The 401 has a Bearer challenge.
pub struct ChallengeHeader;

impl Check for ChallengeHeader {
    type Needs = AboutResource;
    const CARD: Card = Card {
        id: "resource_metadata/challenge-header",
        demands: &[CHALLENGE, PARAMETERS],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("challenge_header.md"),
    };

    async fn run(resource: AboutResource, _: &Context) -> Outcome {
        Ok(Ruling::from(judge(&resource)).shown_by([resource.exchange]))
    }
}

fn judge(resource: &ResourceFacts) -> Verdict {
    if resource.status != 401 {
        let why = format!("the answer is {} and no 401, see resource_metadata/challenge-401", resource.status);
        return Verdict::not_applicable(why);
    }
    let dpop_only = resource.metadata.as_ref().is_some_and(|(m, _)| m.flag("dpop_bound_access_tokens_required"));
    let fits = |c: &&Challenge| c.is("Bearer") || (dpop_only && c.is("DPoP"));
    let fitting = resource.challenges.iter().filter(fits).max_by_key(|c| !c.parameters.is_empty());
    match fitting {
        Some(challenge) if challenge.parameters.is_empty() => {
            Verdict::fail(PARAMETERS, format!("the challenge is {} without any parameter", challenge.scheme))
        }
        Some(challenge) => {
            let names: Vec<&str> = challenge.parameters.iter().map(|(n, _)| n.as_str()).collect();
            Verdict::pass(format!("{} with {}", challenge.scheme, names.join(", ")))
        }
        None if resource.challenges.is_empty() => Verdict::fail(CHALLENGE, "the 401 has no WWW-Authenticate"),
        None => {
            let schemes: Vec<&str> = resource.challenges.iter().map(|c| c.scheme.as_str()).collect();
            Verdict::fail(CHALLENGE, format!("WWW-Authenticate offers {} and not Bearer", schemes.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::resource_facts;
    use serde_json::json;

    fn verdict(header: &str) -> Verdict {
        judge(&resource_facts(json!({}), header))
    }

    #[test]
    fn a_bearer_challenge_with_a_parameter_holds() {
        assert!(matches!(verdict("Basic realm=\"x\", bearer scope=\"a\""), Verdict::Pass(_)));
        assert!(matches!(verdict("Bearer, Bearer realm=\"x\""), Verdict::Pass(_)));
        assert!(matches!(verdict("Bearer"), Verdict::Fail(PARAMETERS, _)));
        assert!(matches!(verdict(""), Verdict::Fail(CHALLENGE, _)));
        assert!(matches!(verdict("Basic realm=\"x\""), Verdict::Fail(CHALLENGE, _)));
        assert!(matches!(verdict("DPoP algs=\"ES256\""), Verdict::Fail(CHALLENGE, _)));
    }

    #[test]
    fn dpop_alone_holds_where_it_is_required() {
        let facts = resource_facts(json!({"dpop_bound_access_tokens_required": true}), "DPoP algs=\"ES256\"");
        assert!(matches!(judge(&facts), Verdict::Pass(_)));
    }

    #[test]
    fn without_a_401_there_is_nothing_to_judge() {
        let mut facts = resource_facts(json!({}), "");
        facts.status = 403;
        assert!(matches!(judge(&facts), Verdict::NotApplicable(_)));
    }
}
