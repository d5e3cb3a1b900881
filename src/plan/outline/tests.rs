//! Plans told beforehand: who is asked how often, what a budget leaves out, what is spoiled.

use super::*;
use crate::checks::ALL;
use crate::discovery::tests::{resource_facts, server_facts};
use crate::needs::tests::ordinary;
use crate::plan::Selection;
use crate::profile::Profile;
use crate::settings::Route;
use serde_json::json;

fn discovery() -> Discovery {
    Discovery { resource: Some(resource_facts(json!({}), "Bearer")), server: server_facts(json!({})) }
}

fn plan(select: &[&str], reach: Reach) -> Plan {
    let select = select.iter().map(|s| (*s).to_owned()).collect();
    let selection = Selection { select, reach, ..Selection::default() };
    Plan::new(ALL, &Profile::default(), &selection).ok().unwrap()
}

fn told(plan: &Plan, asks: Asks, settings: &Settings) -> Outline {
    let (discovery, ordinary) = (discovery(), ordinary("a", "a b"));
    outline(
        plan,
        &Situation {
            discovery: &discovery,
            ordinary: &ordinary,
            settings,
            asks,
            most_prompts: None,
            agent: "x",
            other_client: true,
            confidential_client: true,
            other_user: false,
            timeout: Duration::from_secs(10),
        },
    )
}

#[test]
fn who_is_asked_depends_on_the_agent() {
    let plan = plan(&["pkce/*"], Reach::Grant);
    let settings = Settings::default();
    let nobody = told(&plan, Asks::Nobody, &settings);
    assert_eq!(nobody.prompts, Prompts { expected: 0, at_most: 0 });
    let browser = told(&plan, Asks::WhenTheServerDoes, &settings);
    // The sign-in, and the consent of the confidential client, which some of these take.
    assert_eq!(browser.prompts, Prompts { expected: 2, at_most: browser.authorizations });
    let paste = told(&plan, Asks::EveryTime, &settings);
    assert_eq!(paste.prompts.expected, paste.authorizations);
    assert!(paste.seconds.at_most >= 600 && nobody.seconds.at_most < paste.seconds.at_most);
}

#[test]
fn looking_only_signs_in_nobody() {
    let looking =
        told(&plan(&["server_metadata/s256-advertised"], Reach::Nothing), Asks::EveryTime, &Settings::default());
    assert_eq!((looking.authorizations, looking.prompts.at_most), (0, 0));
    assert!(looking.spoils.is_empty());
}

#[test]
fn what_is_spoiled_is_told_by_name() {
    let route =
        Route { method: "POST".into(), path: "/api/items".into(), scope: "w".into(), body: None, content_type: None };
    let settings = Settings { routes: vec![route], ..Settings::default() };
    let all = told(&plan(&[], Reach::Session), Asks::Nobody, &settings);
    assert!(all.spoils.iter().any(|s| s.contains("client-a") && s.contains("sign in again")), "{:?}", all.spoils);
    assert!(all.spoils.iter().any(|s| s.contains("POST /api/items")));
    let kept = told(&plan(&[], Reach::OwnMaterial), Asks::Nobody, &settings);
    assert!(!kept.spoils.iter().any(|s| s.contains("client-a")));
    assert!(kept.not_run.iter().any(|l| l.how_to_run.as_deref() == Some("--reach grant")));
    assert!(all.not_run.iter().any(|l| l.id == "code/expires" && l.how_to_run.as_deref() == Some("--slow")));
}

#[test]
fn a_budget_leaves_out_what_matters_least() {
    let mut plan = plan(&["pkce/*", "scope/*"], Reach::Grant);
    let ordinary = ordinary("a", "a b");
    let cost = |c: &dyn AnyCheck| Asks::EveryTime.of(c, &ordinary);
    let prompts = |plan: &Plan| told(plan, Asks::EveryTime, &Settings::default()).prompts.at_most;
    let before = prompts(&plan);
    plan.fit(Some(9), Asks::EveryTime, &ordinary);
    assert!(prompts(&plan) <= 9 && before > 9, "{before} {}", prompts(&plan));
    let stays = |c: &&&dyn AnyCheck| cost(**c) > 0;
    let least = plan.checks.iter().filter(stays).map(|c| c.card().impact).min().unwrap();
    assert!(least >= Impact::High, "{least:?}");
    assert!(plan.left_out.iter().all(|(_, v)| matches!(v, Verdict::Inconclusive(_))));
    let mut free = self::plan(&["pkce/*"], Reach::Grant);
    free.fit(Some(1), Asks::Nobody, &ordinary);
    assert!(free.left_out.is_empty());
    // A client is agreed to once, whatever number of checks take it.
    let mut bound = self::plan(&["code/bound-to-client", "refresh/bound-to-client"], Reach::Grant);
    assert_eq!(bound.checks.len(), 2);
    bound.fit(Some(1), Asks::WhenTheServerDoes, &ordinary);
    assert_eq!(bound.left_out.len(), 2);
    let mut bound = self::plan(&["code/bound-to-client", "refresh/bound-to-client"], Reach::Grant);
    bound.fit(Some(2), Asks::WhenTheServerDoes, &ordinary);
    assert!(bound.left_out.is_empty());
}
