//! The sound lab passes every check; every fault of it turns exactly its checks red.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use oaudit::lab::{FAULTS, Lab, LabOptions, QUIRKS};
use oaudit::needs::Stage;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;
use oaudit::settings::{Settings, Thresholds};
use support::{as_alice, as_alice_of_the_api, audit_of, lab, red, trouble};

/// What cannot be judged on a lab that is served over http on loopback, is not configured, or waits.
fn not_judged(report: &Report) -> BTreeSet<&'static str> {
    let other = [VerdictKind::NotApplicable, VerdictKind::NotRun];
    report.checks.iter().filter(|c| other.contains(&c.verdict)).map(|c| c.id).collect()
}

/// The checks that the sound lab leaves without a verdict, and why.
const WITHOUT_VERDICT: &[&str] = &[
    // They wait.
    "code/expires",
    "resource/expired-token-refused",
    // The lab speaks no OpenID Connect.
    "scope/step-up-forces-login",
];

#[tokio::test]
async fn the_sound_lab_passes_every_check() {
    let lab = lab(&[], &[]).await;
    let report = audit_of(&lab.mcp(), as_alice()).await;
    let without: BTreeSet<&str> = WITHOUT_VERDICT.iter().copied().collect();
    assert_eq!(not_judged(&report), without, "{}", trouble(&report));
    let judged = report.checks.iter().filter(|c| !without.contains(c.id));
    assert!(judged.clone().all(|c| c.verdict == VerdictKind::Pass), "not all green:\n{}", trouble(&report));
    assert_eq!(report.summary.exit_code, 0);
    assert!(report.summary.complete);
    assert_eq!(lab.logins(), 1, "one login per run");
    assert_eq!(report.summary.logins, 1);
    assert_eq!(lab.registered_clients().len(), 0, "what was registered is deleted");
    assert!(report.left_behind.is_empty(), "{:?}", report.left_behind);
}

#[tokio::test]
async fn the_api_route_and_opaque_tokens_and_no_login_at_all_pass_as_well() {
    for (opaque, auto_consent) in [(true, false), (false, true), (true, true)] {
        let lab = Lab::start(LabOptions { opaque, auto_consent, ..LabOptions::default() }).await.unwrap();
        let report = audit_of(&lab.api(), as_alice_of_the_api()).await;
        let bad = [VerdictKind::Fail, VerdictKind::Inconclusive];
        let red: Vec<_> = report.checks.iter().filter(|c| bad.contains(&c.verdict)).map(|c| c.id).collect();
        assert!(red.is_empty(), "opaque {opaque}, auto consent {auto_consent}:\n{}", trouble(&report));
    }
}

/// A lab whose codes and tokens expire while a test waits, and an audit that does wait.
async fn short_lived(faults: &[&str]) -> (Lab, Options) {
    let options = LabOptions {
        faults: faults.iter().map(|f| (*f).to_owned()).collect(),
        access_seconds: Some(20),
        code_seconds: Some(2),
        ..LabOptions::default()
    };
    let thresholds = Thresholds { code_seconds: 2, leeway_seconds: 1, ..Thresholds::default() };
    let alice = as_alice();
    let settings = Settings { thresholds, slow: true, ..alice.settings };
    (Lab::start(options).await.expect("the lab starts on a free port"), Options { settings, ..alice })
}

fn waits(id: &str) -> bool {
    oaudit::checks::ALL.iter().any(|c| c.card().id == id && c.stage() == Stage::Waiting)
}

#[tokio::test]
async fn waiting_finds_a_sound_lab_sound() {
    let (lab, options) = short_lived(&[]).await;
    let report = audit_of(&lab.mcp(), options).await;
    let waited: Vec<_> = report.checks.iter().filter(|c| waits(c.id)).collect();
    assert!(waited.iter().all(|c| c.verdict == VerdictKind::Pass), "{}", trouble(&report));
    assert!(red(&report).is_empty(), "{}", trouble(&report));
}

#[tokio::test]
async fn every_fault_turns_exactly_its_checks_red() {
    let wrong: Vec<String> = stream::iter(FAULTS)
        .map(|fault| async move {
            let (lab, options) = match fault.breaks.iter().any(|id| waits(id)) {
                true => short_lived(&[fault.name]).await,
                false => (lab(&[fault.name], &[]).await, as_alice()),
            };
            let report = audit_of(&lab.mcp(), options).await;
            let found: BTreeSet<&str> = red(&report).into_iter().collect();
            let meant: BTreeSet<&str> = fault.breaks.iter().copied().collect();
            (found != meant)
                .then(|| format!("{}: red are {found:?}, meant are {meant:?}\n{}", fault.name, trouble(&report)))
        })
        .buffer_unordered(4)
        .filter_map(|wrong| async move { wrong })
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} faults of {}:\n{}", wrong.len(), FAULTS.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_check_has_a_fault() {
    let broken: BTreeSet<&str> = FAULTS.iter().flat_map(|f| f.breaks.iter().copied()).collect();
    let all: BTreeSet<&str> = oaudit::checks::ALL.iter().map(|c| c.card().id).collect();
    let without: Vec<_> = all.difference(&broken).collect();
    assert!(without.is_empty(), "checks that nothing was seen to turn red: {without:?}");
    let unknown: Vec<_> = broken.difference(&all).collect();
    assert!(unknown.is_empty(), "faults of checks that do not exist: {unknown:?}");
}

/// What a quirk is remarked on for: each of these is weaker than advised, none breaks a must.
fn remarks(quirk: &str) -> &'static [&'static str] {
    match quirk {
        "refresh-grace" => &["refresh/old-token-refused"],
        "invalid-grant-401" => &["token/error-codes"],
        "keeps-access-tokens" => &["refresh/access-token-after-refresh"],
        _ => &[],
    }
}

/// Unusual is not unsound: no quirk makes any must fail, and the run stays complete.
#[tokio::test]
async fn no_quirk_gives_a_false_finding() {
    let wrong: Vec<String> = stream::iter(QUIRKS)
        .map(|quirk| async move {
            let lab = lab(&[], &[quirk.name]).await;
            let mut options = as_alice();
            if quirk.name == "no-registration" {
                options.client =
                    Some(oaudit::registration::Configured { id: "lab-public".into(), secret: None, auth: None });
            }
            let report = tokio::time::timeout(Duration::from_secs(120), audit_of(&lab.mcp(), options)).await;
            let Ok(report) = report else { return Some(format!("{}: no end within two minutes", quirk.name)) };
            let failed: Vec<_> =
                report.checks.iter().filter(|c| c.verdict == VerdictKind::Fail).map(|c| c.id).collect();
            let expected = remarks(quirk.name);
            (failed != expected || report.stopped.is_some())
                .then(|| format!("{}: red are {failed:?}, expected {expected:?}\n{}", quirk.name, trouble(&report)))
        })
        .buffer_unordered(4)
        .filter_map(|wrong| async move { wrong })
        .collect()
        .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
