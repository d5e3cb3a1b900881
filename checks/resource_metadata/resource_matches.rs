//! Clients compare `resource` with the URL they were given, byte for byte, and go no further if it differs.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::discovery::Place;
use crate::document::Document;
use crate::needs::{Context, ResourceMetadata};
use crate::oauth::answer::origin;

const MATCHES: Demand = demand(
    "`resource` is the identifier from which the address of the metadata was made, byte for byte.",
    &[must(Document::Rfc9728, "3.3")],
);
const NOT_A_PARENT: Demand = demand(
    "`resource` names the endpoint itself, not the origin or a parent of it.",
    &[must(Document::Rfc9728, "3.3")],
);

/// `resource` is the URL that was called.
pub struct ResourceMatches;

impl Check for ResourceMatches {
    type Needs = ResourceMetadata;
    const CARD: Card = Card {
        id: "resource_metadata/resource-matches",
        demands: &[MATCHES, NOT_A_PARENT],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("resource_matches.md"),
    };

    async fn run(found: ResourceMetadata, _: &Context) -> Outcome {
        let resource = found.metadata.text("resource");
        Ok(judge(resource, &found.facts.url, found.place).shown_by([found.metadata.fetched.exchange]))
    }
}

fn judge(resource: Option<&str>, typed: &str, place: Place) -> Ruling {
    let Some(resource) = resource else {
        return Verdict::fail(MATCHES, "the metadata has no member resource that is text").into();
    };
    if resource == typed {
        let held = Ruling::from(Verdict::pass(format!("resource is {resource}, as it was typed")));
        return match place {
            Place::Root => held.noting(
                "the place of the document",
                Verdict::not_applicable(
                    "it lies at the root, although it names the endpoint: clients look at the path first",
                ),
            ),
            _ => held,
        };
    }
    let seen = format!("resource is {resource}, but {typed} was called");
    let bare = |s: &str| s.trim_end_matches('/').to_owned();
    let port = |s: &str| s.replacen(":443/", "/", 1).replacen(":80/", "/", 1);
    let parent = typed.strip_prefix(&bare(resource)).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1);
    if parent {
        let what = if origin(typed).is_some_and(|o| o == bare(resource)) { "the origin" } else { "a parent" };
        return Verdict::fail(
            NOT_A_PARENT,
            format!("{seen}: that is {what} of the endpoint; the MCP SDKs accept it, Claude and RFC 9728 do not"),
        )
        .into();
    }
    let is_origin = origin(typed).is_some_and(|o| o == bare(typed));
    if is_origin && bare(resource) == bare(typed) {
        return Verdict::inconclusive(format!(
            "{seen}: both are the same request, and clients compare byte for byte; if they are given {resource} it \
             matches, and naming that as the target says so"
        ))
        .into();
    }
    let difference = if bare(resource) == bare(typed) {
        ": only a trailing slash differs"
    } else if resource.eq_ignore_ascii_case(typed) {
        ": only upper and lower case differ"
    } else if port(&format!("{resource}/")) == port(&format!("{typed}/")) {
        ": only the default port differs"
    } else if resource.split_once("://").map(|(_, r)| r) == typed.split_once("://").map(|(_, r)| r) {
        ": only the scheme differs"
    } else {
        ""
    };
    Verdict::fail(MATCHES, format!("{seen}{difference}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(resource: &str, typed: &str) -> Verdict {
        judge(Some(resource), typed, Place::Inserted).verdict
    }

    #[test]
    fn byte_for_byte() {
        assert!(matches!(verdict("https://a.example/mcp", "https://a.example/mcp"), Verdict::Pass(_)));
        for (resource, difference) in [
            ("https://a.example/mcp/", "trailing slash"),
            ("https://A.example/mcp", "upper and lower case"),
            ("https://a.example:443/mcp", "default port"),
            ("http://a.example/mcp", "scheme"),
            ("https://b.example/mcp", "was called"),
        ] {
            let Verdict::Fail(MATCHES, why) = verdict(resource, "https://a.example/mcp") else { panic!("{resource}") };
            assert!(why.contains(difference), "{why}");
        }
        assert!(matches!(judge(None, "https://a.example/mcp", Place::Root).verdict, Verdict::Fail(..)));
    }

    #[test]
    fn an_origin_has_two_spellings_and_one_request() {
        for (resource, typed) in
            [("https://a.example/", "https://a.example"), ("https://a.example", "https://a.example/")]
        {
            assert!(matches!(verdict(resource, typed), Verdict::Inconclusive(_)), "{resource}");
        }
        assert!(matches!(verdict("http://a.example", "https://a.example/"), Verdict::Fail(MATCHES, _)));
    }

    #[test]
    fn a_parent_is_named_as_such() {
        let Verdict::Fail(NOT_A_PARENT, why) = verdict("https://a.example", "https://a.example/v1/mcp") else {
            panic!()
        };
        assert!(why.contains("the origin"), "{why}");
        assert!(matches!(verdict("https://a.example/v1", "https://a.example/v1/mcp"), Verdict::Fail(NOT_A_PARENT, _)));
    }

    #[test]
    fn a_root_document_that_names_the_endpoint_holds_with_a_note() {
        let ruling = judge(Some("https://a.example/mcp"), "https://a.example/mcp", Place::Root);
        assert!(matches!(ruling.verdict, Verdict::Pass(_)));
        assert_eq!(ruling.findings.len(), 1);
    }
}
