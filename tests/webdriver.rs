//! Audits the lab with a real browser: a login that scripts build gives the same verdicts as one that a server renders,
//! and what goes wrong is said in one sentence.

#![expect(clippy::print_stdout, reason = "a test that was not run says so")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use oaudit::front::SignIn;
use oaudit::front::choose::AgentName;
use oaudit::front::form::Credentials;
use oaudit::front::steps::{PlainPage, PlainStep, Script};
use oaudit::front::webdriver::installed;
use oaudit::oauth::secret::Secret;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;
use support::{as_alice, audit_of, lab, line, red, trouble};

/// Whether there is a browser to test with. Where it is required, its absence is a failure.
fn browser(test: &str) -> bool {
    let there = installed().is_some();
    let required = std::env::var("OAUDIT_INTEROP").is_ok_and(|v| v == "required");
    assert!(there || !required, "neither chromedriver nor geckodriver is on PATH, and OAUDIT_INTEROP=required");
    if !there {
        println!("{test} was not run: neither chromedriver nor geckodriver is on PATH");
    }
    there
}

fn with_browser(options: Options, password: &str, script: Script) -> Options {
    let credentials = Some(Credentials { username: "alice".into(), password: Secret::new(password) });
    let agent = AgentName::Webdriver;
    let sign_in = SignIn { agent, credentials, script: Arc::new(script), ..SignIn::default() };
    Options { sign_in, ..options }
}

fn verdicts(report: &Report) -> BTreeMap<&'static str, VerdictKind> {
    report.checks.iter().map(|c| (c.id, c.verdict)).collect()
}

/// What is read from headers of pages after the login, which a browser does not tell.
const SEEN_BY_FORM_ALONE: &[&str] = &[];

#[tokio::test]
async fn a_login_that_scripts_build_gives_the_same_verdicts() {
    if !browser("a_login_that_scripts_build_gives_the_same_verdicts") {
        return;
    }
    let rendered = audit_of(&lab(&[], &[]).await.mcp(), as_alice()).await;
    let lab = lab(&[], &["scripted-login"]).await;
    let report = audit_of(&lab.mcp(), with_browser(as_alice(), "wonderland", Script::default())).await;
    assert!(report.stopped.is_none() && red(&report).is_empty(), "{}", trouble(&report));
    let (ours, theirs) = (verdicts(&report), verdicts(&rendered));
    let differ: Vec<_> =
        theirs.iter().filter(|(id, v)| ours.get(*id) != Some(v) && !SEEN_BY_FORM_ALONE.contains(id)).collect();
    assert!(differ.is_empty(), "{differ:?}\n{}", trouble(&report));
    assert_eq!((lab.logins(), report.summary.logins), (1, 1), "one login per run");
    println!("{} authorizations, {} ms", report.summary.authorizations, report.duration_ms);
}

/// The automatic choice sees that there is no form, and takes the browser.
#[tokio::test]
async fn auto_takes_the_browser_where_no_form_can_be_filled_in() {
    if !browser("auto_takes_the_browser_where_no_form_can_be_filled_in") {
        return;
    }
    let lab = lab(&[], &["scripted-login"]).await;
    let mut options = only("authorization/code-flow-works", with_browser(as_alice(), "wonderland", Script::default()));
    options.sign_in.agent = AgentName::Auto;
    let report = audit_of(&lab.mcp(), options).await;
    assert_eq!(line(&report, "authorization/code-flow-works").verdict, VerdictKind::Pass, "{}", trouble(&report));
}

fn only(id: &str, mut options: Options) -> Options {
    options.selection.select = vec![id.to_owned()];
    options
}

#[tokio::test]
async fn a_wrong_password_is_said_in_one_sentence_and_written_down() {
    if !browser("a_wrong_password_is_said_in_one_sentence_and_written_down") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("login.txt");
    for quirk in ["scripted-login", "two-step-login"] {
        let lab = lab(&[], &[quirk]).await;
        let mut options = with_browser(as_alice(), "looking-glass", Script::default());
        options.sign_in.diagnosis = Some(file.clone());
        let report = audit_of(&lab.mcp(), options).await;
        let stopped = report.stopped.expect("the audit stops");
        let says = "the login page came back after user name and password were sent (it says \"The user name or the password is wrong.\")";
        assert!(stopped.error.contains(says), "{quirk}: {}", stopped.error);
        assert_eq!(lab.logins(), 0);
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.contains("does by guess") && written.contains("wrong."), "{written}");
        assert!(!written.contains("looking-glass"), "{written}");
        let picture = std::fs::read(file.with_extension("png")).unwrap();
        assert_eq!(&picture[1..4], b"PNG");
    }
}

#[tokio::test]
async fn consent_every_time_and_a_forgotten_session_are_gone_through() {
    if !browser("consent_every_time_and_a_forgotten_session_are_gone_through") {
        return;
    }
    let lab = lab(&[], &["scripted-login", "session-forgotten"]).await;
    let mut options = with_browser(as_alice(), "wonderland", Script::default());
    options.selection.select = vec!["authorization/*".into(), "pkce/*".into()];
    let report = audit_of(&lab.mcp(), options).await;
    assert!(report.stopped.is_none() && red(&report).is_empty(), "{}", trouble(&report));
    assert_eq!(report.summary.inconclusive, 0, "{}", trouble(&report));
    assert!(lab.logins() > 1 && lab.logins() == report.summary.logins, "{} logins", lab.logins());
}

/// The steps of a page, each as (act, on what, with what).
fn page(matches: &str, steps: &[(&str, &str, &str)]) -> PlainPage {
    let step = |&(act, on, with): &(&str, &str, &str)| {
        let on = Some(on.to_owned());
        let mut step = PlainStep { with: Some(with.to_owned()).filter(|w| !w.is_empty()), ..PlainStep::default() };
        match act {
            "fill" => step.fill = on,
            "click" => step.click = on,
            "press" => step.press = on,
            "wait_for" => step.wait_for = on,
            other => panic!("{other}"),
        }
        step
    };
    PlainPage { matches: matches.into(), steps: steps.iter().map(step).collect(), ..PlainPage::default() }
}

#[tokio::test]
async fn steps_are_done_as_they_are_written_down() {
    if !browser("steps_are_done_as_they_are_written_down") {
        return;
    }
    let scripted = page(
        "*/authorize*",
        &[
            ("fill", "label:User name", "{username}"),
            ("click", "text:Next", ""),
            ("fill", "css:input[type=password]", "{password}"),
            ("click", "text:Sign in", ""),
        ],
    );
    let rendered = page(
        "*/authorize*",
        &[
            ("fill", "name:username", "{username}"),
            ("fill", "xpath://input[@name='password']", "{password}"),
            ("press", "Enter", ""),
        ],
    );
    let mut consent = page("*/consent*", &[("wait_for", "css:button[value=allow]", "")]);
    consent.approve = page("x", &[("click", "css:button[value=allow]", "")]).steps;
    for (quirks, login) in [(&["scripted-login"][..], scripted), (&[][..], rendered)] {
        let lab = lab(&[], quirks).await;
        let script = Script::read(&[login, consent.clone()]).unwrap();
        let options = only("authorization/code-flow-works", with_browser(as_alice(), "wonderland", script));
        let report = audit_of(&lab.mcp(), options).await;
        let flow = line(&report, "authorization/code-flow-works");
        assert_eq!(flow.verdict, VerdictKind::Pass, "{quirks:?}: {}", trouble(&report));
        assert_eq!(lab.logins(), 1);
    }
}
