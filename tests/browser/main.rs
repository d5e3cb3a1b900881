//! The cockpit in a real browser: Chromium, driven as a person would, makes the whole audit of the lab with one sign-in.

#[path = "../support/installed.rs"]
mod installed;
#[path = "../support/mod.rs"]
mod support;

mod machine;

use std::collections::{BTreeMap, BTreeSet};

use oaudit::lab::Lab;
use oaudit::report::ResultKind;
use serde_json::{Value, json};

use machine::{Audited, audited_or_skip};
use support::{as_somebody, audit_of, lab};

/// One audit at a time: two browsers on a small machine keep each other waiting for seconds.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(text).collect()
}

fn results(report: &Value) -> BTreeMap<String, String> {
    let lines = report["checks"].as_array().expect("checks").iter();
    lines.map(|c| (text(&c["id"]), text(&c["result"]))).collect()
}

/// The verdicts of the form agent at a lab of the same kind.
async fn by_form(faults: &[&str]) -> BTreeMap<String, String> {
    by_form_at(&lab(faults, &[]).await).await
}

async fn by_form_at(lab: &Lab) -> BTreeMap<String, String> {
    let mut options = as_somebody();
    options.wire.authorities.extend(lab.authority().map(|pem| pem.as_bytes().to_vec()));
    let report = audit_of(&lab.mcp(), options).await;
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
    let word = |result: ResultKind| text(&json!(result));
    report.checks.iter().map(|c| (c.id.to_owned(), word(c.result))).collect()
}

/// A person says yes: nobody presses deny in their place.
const BY_SCRIPT_ALONE: &str = "authorization/denial-reported";

/// The same verdicts as the form agent has, in the report and on the page.
fn assert_alike(audited: &Audited, form: &BTreeMap<String, String>) {
    let results = results(&audited.report);
    let other: Vec<String> = form
        .iter()
        .filter(|(id, wanted)| results.get(*id) != Some(*wanted) && *id != BY_SCRIPT_ALONE)
        .map(|(id, wanted)| format!("{id}: form {wanted}, browser {:?}", results.get(id)))
        .collect();
    assert!(other.is_empty(), "{}\n{audited:?}", other.join("\n"));
    assert_eq!(results.get(BY_SCRIPT_ALONE).map(String::as_str), Some("not-run"));
    let shown: BTreeMap<String, String> = serde_json::from_value(audited.seen["verdicts"].clone()).expect("texts");
    assert_eq!(shown, results, "the cockpit shows what the report says");
    assert_eq!(audited.seen["errors"], json!([]), "nothing breaks on the page");
    assert_eq!(audited.seen["ended"], true, "{audited:?}");
}

/// The same, but that these may have been left open, since a window was lost in them.
fn assert_alike_or_open(audited: &Audited, form: &BTreeMap<String, String>, may_be_open: &[&str]) {
    let results = results(&audited.report);
    let is_alike = |id: &String, wanted: &String| {
        let open = results[id] == "inconclusive" && may_be_open.contains(&id.as_str());
        results[id] == *wanted || open || (id == BY_SCRIPT_ALONE && results[id] == "not-run")
    };
    let other: Vec<String> = form
        .iter()
        .filter(|(id, wanted)| !is_alike(id, wanted))
        .map(|(id, wanted)| format!("{id}: form {wanted}, browser {}", results[id]))
        .collect();
    assert!(other.is_empty(), "{}\n{audited:?}", other.join("\n"));
    assert_eq!(audited.seen["ended"], true, "{audited:?}");
}

fn asked(audited: &Audited, words: &str) -> bool {
    // What stood there for a moment only may have been missed by who watches; the notes stay.
    let said = |list: &str| texts(&audited.seen[list]).iter().any(|text| text.contains(words));
    said("asks") || said("notes")
}

fn clicks(audited: &Audited) -> Vec<String> {
    texts(&audited.seen["clicks"])
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sign_in_makes_the_whole_audit() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &[]).await;
    let Some(audited) = audited_or_skip(&lab, json!({})).await else { return };
    assert_alike(&audited, &by_form(&[]).await);
    assert_eq!(lab.logins(), 1);
    // What a person is asked: one click, one login, and consent once for each of the three clients.
    assert_eq!(clicks(&audited), ["open"]);
    assert_eq!((&audited.seen["passwords"], &audited.seen["consents"]), (&json!(1), &json!(3)), "{audited:?}");
    assert_eq!(prompts_foreseen(&lab.mcp()).await, 3, "the first consent belongs to the sign-in");
    assert_eq!(audited.seen["left"], 0, "the second window closes itself");
    let spoken = text(&audited.seen["spoken"]);
    for part in [
        "heading \"oaudit\"",
        "region \"What is asked of you now\"",
        "status: \"Press the button",
        "timer: ",
        " left to answer",
        "button \"Open the sign-in window\"",
        "progressbar \"Authorizations\"",
    ] {
        assert!(spoken.contains(part), "{part}\n{spoken}");
    }
    let checks = audited.report["checks"].as_array().map(Vec::len);
    let read = json!({ "checks": checks, "styled": true, "filters": true, "listens": false, "again": checks });
    assert_eq!(audited.seen["report"], read, "the whole report can be read after the end: {audited:?}");
    audited.tell("sound lab");
}

async fn prompts_foreseen(target: &str) -> u64 {
    let mut plan = tokio::process::Command::new(env!("CARGO_BIN_EXE_oaudit"));
    plan.args(["plan", target, "--agent", "browser", "--format", "json"]).stdin(std::process::Stdio::null());
    let told: Value = serde_json::from_slice(&plan.output().await.expect("it runs").stdout).expect("JSON");
    told["prompts"]["expected"].as_u64().expect("a number")
}

/// At a server that asks for consent every time: what would ask more often is left undecided, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_no_more_than_is_allowed() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &["consent-every-time"]).await;
    let person = json!({ "max_prompts": 3, "select": ["code/*", "pkce/*", "server_metadata/*"] });
    let Some(audited) = audited_or_skip(&lab, person).await else { return };
    // The page that would have been the fourth stands there, and may be answered; nobody is asked to. On a machine that is
    // slow, a step that nobody answered counts as one.
    let consents = audited.seen["consents"].as_u64().expect("a number");
    assert!(audited.seen["passwords"] == 1 && (1..=4).contains(&consents), "{audited:?}");
    let results = results(&audited.report);
    assert_eq!(results["server_metadata/s256-advertised"], "pass");
    assert!(results.values().all(|r| r != "fail"), "{results:?}");
    let lines = audited.report["checks"].as_array().expect("checks");
    let spent = lines.iter().filter(|c| text(&c["message"]).contains("--max-prompts 3"));
    assert!(spent.clone().count() > 3 && spent.clone().all(|c| c["result"] == "inconclusive"), "{audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_the_server_cuts_off_goes_on_by_itself() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &["coop"]).await;
    let Some(audited) = audited_or_skip(&lab, json!({})).await else { return };
    assert_alike(&audited, &by_form(&[]).await);
    assert_eq!(lab.logins(), 1);
    audited.tell("COOP");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_fragment_is_seen() {
    let _turn = TURN.lock().await;
    let lab = lab(&["token-beside-code"], &[]).await;
    // By the keyboard alone, as far as the cockpit goes.
    let Some(audited) = audited_or_skip(&lab, json!({ "keys": true })).await else { return };
    assert_eq!(clicks(&audited), ["open"]);
    assert_alike(&audited, &by_form(&["token-beside-code"]).await);
    assert_eq!(results(&audited.report)["authorization/returns-code-not-token"], "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_server_in_place_of_the_redirect_is_got_over() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &["stumbles"]).await;
    let Some(audited) = audited_or_skip(&lab, json!({})).await else { return };
    assert_eq!(lab.logins(), 1);
    assert!(clicks(&audited).contains(&"repeat".into()), "{audited:?}");
    assert_alike_or_open(&audited, &by_form(&[]).await, &[]);
    audited.tell("stumbling lab");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_action_that_blocks_the_way_back_is_told_and_got_over() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &["form-action-self"]).await;
    let Some(audited) = audited_or_skip(&lab, json!({})).await else { return };
    assert_eq!(lab.logins(), 1);
    assert!(clicks(&audited).contains(&"repeat".into()), "{audited:?}");
    let remarks = audited.report["remarks"].to_string();
    assert!(remarks.contains("form-action does not allow http://127.0.0.1:"), "{remarks}");
    assert!(audited.seen["notes"].to_string().contains("form-action"), "{audited:?}");
    assert_alike_or_open(&audited, &by_form(&[]).await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_cookies_are_told_and_each_step_gets_a_tab() {
    let _turn = TURN.lock().await;
    // Over TLS the lab is on another site than the cockpit.
    let lab = machine::lab_over_tls(&["strict-cookie"]).await;
    let Some(audited) = audited_or_skip(&lab, json!({ "tabs": true, "seconds": 140 })).await else { return };
    assert!(clicks(&audited).contains(&"tabs".into()), "{audited:?}");
    assert!(asked(&audited, "SameSite=Strict"), "{audited:?}");
    assert!((1..=3).contains(&lab.logins()), "{} logins\n{audited:?}", lab.logins());
    assert_alike_or_open(&audited, &by_form_at(&machine::lab_over_tls(&[]).await).await, &[]);
    audited.tell("SameSite=Strict, tabs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_popup_blocker_leaves_a_link() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &[]).await;
    let Some(audited) = audited_or_skip(&lab, json!({ "blocked": true })).await else { return };
    assert!(asked(&audited, "Your browser blocked the window"), "{audited:?}");
    assert_eq!(clicks(&audited)[..2], ["open", "link"]);
    assert_eq!(lab.logins(), 1);
    assert_alike(&audited, &by_form(&[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_takes_one_click() {
    let _turn = TURN.lock().await;
    let form = by_form(&[]).await;
    // Under a request that the session answers, under one for which the server asks for consent, and between two.
    for purpose in ["code/single-use", "second client", "between"] {
        let lab = lab(&[], &[]).await;
        let Some(audited) = audited_or_skip(&lab, json!({ "close": purpose })).await else { return };
        assert_alike(&audited, &form);
        assert_eq!(clicks(&audited), ["open", "open"], "{purpose}: {audited:?}");
        assert!(asked(&audited, "ress Continue"), "{audited:?}");
        assert_eq!(lab.logins(), 1);
        audited.tell(&format!("closed in the middle of {purpose}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reloaded_cockpit_finds_its_window_again() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &[]).await;
    let Some(audited) = audited_or_skip(&lab, json!({ "reload": true })).await else { return };
    assert_eq!(clicks(&audited), ["open"]);
    assert_eq!(lab.logins(), 1);
    assert_alike(&audited, &by_form(&[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_cockpit_is_opened_anew_by_the_system() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &[]).await;
    let Some(audited) = audited_or_skip(&lab, json!({ "shut": true })).await else { return };
    assert_eq!(audited.seen["shut"], true, "{audited:?}");
    assert_eq!(texts(&audited.seen["opened"]), ["/"], "{audited:?}");
    // In the middle of a hop the window may stand at a login, so it is to be shown, and if it is missed then, opened.
    let clicks = clicks(&audited).join(" ");
    assert!(["open open", "open show", "open show open"].contains(&clicks.as_str()), "{audited:?}");
    assert_eq!((lab.logins(), &audited.seen["ended"]), (1, &json!(true)), "{audited:?}");
    let failed: BTreeSet<_> = results(&audited.report).into_iter().filter(|(_, r)| r == "fail").collect();
    assert!(failed.is_empty(), "{failed:?}");
    audited.tell("closed cockpit");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_in_the_window_ends_in_a_tab_of_the_system() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &[]).await;
    // Another site, so that the browser changes the process, and the handle is worth nothing. Nobody presses Continue.
    let elsewhere = lab.issuer().replace("127.0.0.1", "localhost");
    let elsewhere = format!("{elsewhere}/.well-known/oauth-authorization-server");
    let person = json!({ "strays": elsewhere, "select": ["authorization/*", "code/*", "pkce/*", "refresh/*"] });
    let Some(audited) = audited_or_skip(&lab, person).await else { return };
    assert_eq!(texts(&audited.seen["opened"]), ["/window"], "{audited:?}");
    assert!(asked(&audited, "it stands on another page"), "{audited:?}");
    assert!(clicks(&audited).iter().skip(1).all(|click| click == "repeat"), "{audited:?}");
    assert_eq!((lab.logins(), &audited.seen["ended"]), (1, &json!(true)), "{audited:?}");
    // The request whose window strayed may have been lost with it, which is never judged.
    let results = results(&audited.report);
    let judged = |word: &str| results.values().filter(|result| *result == word).count();
    assert!(judged("fail") == 0 && judged("inconclusive") <= 1, "{audited:?}");
    audited.tell("another address, and nobody clicks");
}

/// The browser carries the form of the login on to where the code goes (RFC 9700 section 4.12): that is told, and the
/// password is kept nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_a_redirect_hands_on_is_told() {
    let _turn = TURN.lock().await;
    let lab = lab(&[], &["login-307"]).await;
    let Some(audited) = audited_or_skip(&lab, json!({ "select": ["code/*", "pkce/*"] })).await else { return };
    let remarks = audited.report["remarks"].to_string();
    assert!(remarks.contains("307") && audited.seen["notes"].to_string().contains("307"), "{audited:?}");
    assert!(!audited.report.to_string().contains("wonderland"));
    assert_eq!((lab.logins(), &audited.seen["ended"]), (1, &json!(true)), "{audited:?}");
    assert!(results(&audited.report).values().all(|r| r != "fail" && r != "inconclusive"), "{audited:?}");
}
