//! What stands at the end of a report: the approval checklist and the table of known clients.

mod support;

use oaudit::clients::{About, Answer, ClientLine};
use oaudit::plan::Selection;
use oaudit::profile::{Profile, ProfileName};
use oaudit::report::{Report, ResultKind};
use oaudit::run::Options;
use support::{as_alice, audit_of, lab};

fn answer(report: &Report, item: &str) -> ResultKind {
    let found = report.checklist.iter().find(|line| line.item == item);
    found.unwrap_or_else(|| panic!("{item} is no point of the checklist")).result
}

fn client<'a>(report: &'a Report, name: &str) -> &'a ClientLine {
    report.clients.iter().find(|c| c.client == name).unwrap_or_else(|| panic!("no row for {name}"))
}

#[tokio::test]
async fn a_sound_server_fails_no_point_and_plain_http_is_no_https() {
    let lab = lab(&[], &[]).await;
    let report = audit_of(&lab.mcp(), as_alice()).await;
    assert_eq!(report.checklist.len(), 21);
    let bad = [ResultKind::Fail, ResultKind::Warn, ResultKind::Inconclusive];
    let failed: Vec<_> = report.checklist.iter().filter(|l| bad.contains(&l.result)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(answer(&report, "PKCE with S256 code challenge"), ResultKind::Pass);
    assert_ne!(answer(&report, "HTTPS everywhere"), ResultKind::Pass);
    assert_ne!(answer(&report, "Token endpoint over HTTPS only"), ResultKind::Pass);
    // Whether Claude's redirect URI is accepted was not tried, so nobody says that it is.
    assert_eq!(client(&report, "claude").connects, Answer::Unknown);
    assert!(report.clients.iter().all(|c| c.connects != Answer::No), "{:?}", report.clients);
}

#[tokio::test]
async fn a_fault_shows_in_its_points_and_in_no_other() {
    let lab = lab(&["pkce-optional"], &[]).await;
    let report = audit_of(&lab.mcp(), as_alice()).await;
    let failed: Vec<_> = report.checklist.iter().filter(|l| l.result == ResultKind::Fail).map(|l| l.item).collect();
    assert_eq!(failed, ["PKCE with S256 code challenge"]);
    let line = report.checklist.iter().find(|l| l.result == ResultKind::Fail).map(|l| l.because.as_str());
    assert_eq!(line, Some("see pkce/required"));
}

#[tokio::test]
async fn what_a_client_is_known_to_need_is_missed_and_fails_nothing() {
    let lab = lab(&["s256-unadvertised"], &[]).await;
    let profile = Profile { name: ProfileName::Mcp, ..Profile::default() };
    let report = audit_of(&lab.mcp(), Options { profile, ..as_alice() }).await;
    assert!(report.checklist.is_empty(), "only chatgpt has the checklist");
    let claude = client(&report, "claude");
    assert_eq!(claude.connects, Answer::No);
    assert_eq!(claude.needs.iter().find(|n| n.about == About::Pkce).map(|n| n.answer), Some(Answer::No));
    let failed: Vec<_> = report.checks.iter().filter(|c| c.result == ResultKind::Fail).map(|c| c.id).collect();
    assert_eq!(failed, ["server_metadata/s256-advertised"], "the table adds nothing to what failed");
}

#[tokio::test]
async fn a_run_of_chosen_checks_or_without_mcp_answers_neither() {
    let lab = lab(&[], &[]).await;
    let selection = Selection { select: vec!["server_metadata/*".into()], ..Selection::default() };
    let report = audit_of(&lab.mcp(), Options { selection, ..as_alice() }).await;
    assert!(report.checklist.is_empty() && report.clients.is_empty());
    let profile = Profile { name: ProfileName::OAuth21, ..Profile::default() };
    let report = audit_of(&lab.api(), Options { profile, ..as_alice() }).await;
    assert!(report.checklist.is_empty() && report.clients.is_empty());
    // Left out is not answered.
    let selection = Selection { ignore: vec!["authorization/state-returned".into()], ..Selection::default() };
    let report = audit_of(&lab.mcp(), Options { selection, ..as_alice() }).await;
    assert_eq!(answer(&report, "State parameter protected"), ResultKind::NotRun);
}
