//! A route that needs a scope is closed to tokens without it.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, demand, must, should};
use crate::document::{Document, McpVersion};
use crate::needs::{Context, OneByOne, Ordinary, Resource, Scoped, Shortfall};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::resource::route::Called;
use crate::settings::Route;

const ENFORCED: Demand = demand(
    "A route that needs a scope does nothing for a token without it.",
    &[
        must(Document::OAuth21, "5.2"),
        must(Document::Mcp, "error-handling"),
        must(Document::OpenAi, "token verification"),
    ],
);
const IS_403: Demand = demand(
    "A token without the scope that is needed is answered 403.",
    &[must(Document::Mcp, "error-handling"), should(Document::Rfc6750, "3.1")],
);
const NAMED: Demand = demand(
    "The 403 says insufficient_scope, and which scope is needed.",
    &[
        should(Document::Rfc6750, "3.1"),
        should(Document::Mcp, "runtime-insufficient-scope-errors")
            .in_revisions(McpVersion::V20251125, McpVersion::V20260728),
    ],
);

/// Calls every configured route with a token that has its scope, then with one that has all others.
pub struct ScopeEnforced;

impl Check for ScopeEnforced {
    type Needs = (OneByOne, Resource);
    const CARD: Card = Card {
        id: "resource/scope-enforced",
        demands: &[ENFORCED, IS_403, NAMED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("scope_enforced.md"),
    };

    /// Which visits it takes depends on the routes: one for each scope, and one where the ordinary flow has not got it.
    fn requests(_: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(Vec::new())
    }

    async fn run((_, resource): (OneByOne, Resource), cx: &Context) -> Outcome {
        let routes = &cx.audit.settings.routes;
        if routes.is_empty() {
            let why = "no route is configured with the scope that it needs".into();
            return Ok(Verdict::NotRun { why, how: "[[resource.route]] in oaudit.toml".into() }.into());
        }
        let mut lines = Vec::new();
        let mut kept = Scoped::default();
        for route in routes {
            let line = line(route, &resource, cx, &mut kept).await;
            lines.push(line.unwrap_or_else(|u| Finding::new(name(route), Verdict::inconclusive(u.to_string()))));
        }
        Ok(cx.fold(lines, "each route is open with its scope, and closed without it"))
    }
}

fn name(route: &Route) -> String {
    format!("{} {} needs {}", route.method, route.path, route.scope)
}

async fn line(route: &Route, resource: &Resource, cx: &Context, kept: &mut Scoped) -> Result<Finding, Unsettled> {
    let ordinary = cx.audit.ordinary();
    let needed = ScopeSet::parse(&route.scope);
    let all: ScopeSet = ordinary.scope.iter().chain(needed.iter()).collect();
    // First the token that may: it shows the route to be there, and the call to be a right one.
    let held = kept.token(cx, &all).await?;
    let missing = needed.beyond(held.has.as_ref().unwrap_or(&all));
    if !missing.is_empty() {
        return Err(Unsettled::Control(format!("a token with \"{missing}\" could not be had")));
    }
    let with = resource.call_route(&cx.wire, route, held.token.expose()).await?;
    let others = ordinary.scope_for(&ordinary.known_scopes.access().beyond(&needed));
    let held = kept.token(cx, &others).await?;
    let without = resource.call_route(&cx.wire, route, held.token.expose()).await?;
    let lacks = held.has.as_ref().map(|has| !needed.beyond(has).is_empty());
    let verdict = judge(&Called::read(&with), &Called::read(&without), lacks, &needed);
    Ok(Finding::new(name(route), verdict).shown_by([with.id, without.id]))
}

/// `lacks`: whether the second token is without the scope, by its own word or the server's.
fn judge(with: &Called, without: &Called, lacks: Option<bool>, needed: &ScopeSet) -> Verdict {
    if lacks == Some(false) {
        return Verdict::inconclusive(format!("a token without \"{needed}\" could not be had: it came all the same"));
    }
    if !with.may_pass() {
        let why = "is it the scope that the route needs?";
        return Verdict::inconclusive(format!("the token with \"{needed}\" was answered {}: {why}", with.describe()));
    }
    let said = without.describe();
    match without.status {
        403 if without.names(needed) => Verdict::pass(format!("without \"{needed}\" it was answered {said}")),
        403 => {
            Verdict::fail(NAMED, format!("without \"{needed}\" it was answered {said}, which does not name the scope"))
        }
        200..300 if without.in_band && with.worked() => {
            Verdict::fail(IS_403, format!("without \"{needed}\" it was answered {said}, due is 403"))
        }
        200..300 if !with.worked() => {
            Verdict::inconclusive(format!("the call does not work with \"{needed}\" either: {}", with.describe()))
        }
        200..300 if lacks.is_none() => Verdict::inconclusive(format!(
            "without \"{needed}\" it was answered {said}; but nobody says which scope that token has"
        )),
        200..300 => Verdict::fail(ENFORCED, format!("without \"{needed}\" it was answered {said}, as with it")),
        429 | 502..=504 => Verdict::inconclusive(format!("without \"{needed}\" it was answered {said}")),
        401 | 500.. => Verdict::fail(IS_403, format!("without \"{needed}\" it was answered {said}, due is 403")),
        _ => Verdict::inconclusive(format!("without \"{needed}\" it was answered {said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    const CHALLENGE: &str = "Bearer error=\"insufficient_scope\", scope=\"w\"";

    fn called(status: u16, challenge: &str, body: &str) -> Called {
        Called::read(&reply(status, &[("www-authenticate", challenge), ("content-type", "application/json")], body))
    }

    fn verdict(with: u16, without: &Called) -> Verdict {
        judge(&called(with, "", "{}"), without, Some(true), &ScopeSet::parse("w"))
    }

    #[test]
    fn the_403_that_names_the_scope_passes() {
        assert!(matches!(verdict(200, &called(403, CHALLENGE, "")), Verdict::Pass(_)));
        assert!(matches!(verdict(400, &called(403, CHALLENGE, "")), Verdict::Pass(_)));
        assert!(matches!(verdict(200, &called(403, "Bearer", "")), Verdict::Fail(NAMED, _)));
        assert!(matches!(verdict(200, &called(401, CHALLENGE, "")), Verdict::Fail(IS_403, _)));
        assert!(matches!(verdict(200, &called(500, "", "")), Verdict::Fail(IS_403, _)));
        assert!(matches!(verdict(200, &called(200, "", "{}")), Verdict::Fail(ENFORCED, _)));
        let in_band = called(200, "", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"scope"}}"#);
        assert!(matches!(verdict(200, &in_band), Verdict::Fail(IS_403, _)));
    }

    #[test]
    fn without_a_control_there_is_no_verdict() {
        for with in [401, 403, 500] {
            assert!(matches!(verdict(with, &called(403, CHALLENGE, "")), Verdict::Inconclusive(_)), "{with}");
        }
        assert!(matches!(verdict(404, &called(200, "", "{}")), Verdict::Inconclusive(_)));
        for without in [404, 429, 503] {
            assert!(matches!(verdict(200, &called(without, "", "")), Verdict::Inconclusive(_)), "{without}");
        }
        let scope = ScopeSet::parse("w");
        let (with, without) = (called(200, "", "{}"), called(200, "", "{}"));
        assert!(matches!(judge(&with, &without, Some(false), &scope), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&with, &without, None, &scope), Verdict::Inconclusive(_)));
    }
}
