//! Audits the lab with a real browser: a login that scripts build gives the same verdicts as one that a server renders,
//! and what goes wrong is said in one sentence.

#![expect(clippy::print_stdout, reason = "a test that was not run says so")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

#[path = "../support/between.rs"]
mod between;
#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod drivers;
mod guarded;
mod landing;
#[cfg(unix)]
mod session;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use oaudit::front::SignIn;
use oaudit::front::choose::AgentName;
use oaudit::front::form::Credentials;
use oaudit::front::steps::{PlainPage, PlainStep, Script};
use oaudit::front::webdriver::installed;
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::secret::Secret;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;
use support::{as_alice, audit_of, lab, line, red, trouble};

/// Whether there is a browser to test with. Where it is required, its absence is a failure.
fn browser(test: &str) -> bool {
    let there = installed().is_some();
    assert!(there || !is_required(), "neither chromedriver nor geckodriver is on PATH, and OAUDIT_INTEROP=required");
    if !there {
        println!("{test} was not run: neither chromedriver nor geckodriver is on PATH");
    }
    there
}

/// Whether what is not there is a failure.
fn is_required() -> bool {
    std::env::var("OAUDIT_INTEROP").is_ok_and(|v| v == "required")
}

fn with_browser(options: Options, password: &str, script: Script) -> Options {
    let credentials = Some(Credentials { username: "alice".into(), password: Secret::new(password) });
    let agent = AgentName::Webdriver;
    let sign_in = SignIn { agent, credentials, script: Arc::new(script), ..SignIn::default() };
    // The second user meets the same login.
    let other_user = options.other_user.map(|other| SignIn { agent, ..other });
    Options { sign_in, other_user, ..options }
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
    assert_eq!((lab.logins(), report.summary.logins), (2, 2), "one login of each user");
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
        let Some(stopped) = &report.stopped else { panic!("{quirk}: the audit goes on\n{}", trouble(&report)) };
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

/// A chromedriver of somebody's own, and where it is.
struct Running(Child, String);

impl Running {
    fn start(marked: &str) -> Option<Self> {
        let program = installed().filter(|program| program.file_stem().is_some_and(|name| name == "chromedriver"))?;
        let mut command = Command::new(program);
        command.arg("--port=0").env(MARK, marked).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("chromedriver starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
        let port =
            lines.find_map(|line| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self(child, format!("http://127.0.0.1:{}", port.expect("it tells its port"))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What marks the processes of a test: whoever is started inherits it.
const MARK: &str = "OAUDIT_TEST_MARK";

/// The processes with this mark.
fn marked(mark: &str) -> Vec<String> {
    let mark = format!("{MARK}={mark}");
    let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let processes = processes.filter_map(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        environment.split(|b| *b == 0).any(|pair| pair == mark.as_bytes()).then_some(())?;
        std::fs::read_to_string(entry.path().join("comm")).ok()
    });
    processes.collect()
}

/// Waits until none of them is left.
fn gone(mark: &str) -> Result<(), Vec<String>> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) && !marked(mark).is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let left = marked(mark);
    if left.is_empty() { Ok(()) } else { Err(left) }
}

/// The binary that audits a lab with a browser, marked.
fn audit(lab: &Lab, mark: &str, password: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    command.args(["audit", &lab.mcp(), "--agent", "webdriver", "--username", "alice", "--format", "json"]);
    command.env("OAUDIT_PASSWORD", password).env(MARK, mark).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_runs_already_is_used_and_left_running() {
    let Some(mut driver) = Running::start("a running driver").filter(|_| browser("--webdriver-url")) else { return };
    let lab = lab(&[], &[]).await;
    let mut command = audit(&lab, "an audit with a running driver", "wonderland");
    command.args(["--webdriver-url", &driver.1, "--select", "pkce/*"]);
    let status = tokio::task::spawn_blocking(move || command.status()).await.expect("no panic").expect("it runs");
    assert_eq!((status.code(), lab.logins()), (Some(0), 1));
    assert_eq!(driver.0.try_wait().expect("it is our child"), None, "the driver is not ours to end");
    let began = Instant::now();
    while marked("a running driver").len() > 1 && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(marked("a running driver").len(), 1, "its browser is closed");
    // And one that does not run is said.
    let url = driver.1.clone();
    drop(driver);
    let mut options = with_browser(only("pkce/required", as_alice()), "wonderland", Script::default());
    options.sign_in.webdriver.url = Some(url);
    let report = audit_of(&lab.mcp(), options).await;
    let stopped = report.stopped.expect("the audit stops");
    assert!(stopped.error.contains("opened no browser"), "{}", stopped.error);
    assert!(stopped.hint.contains("--webdriver-url"), "{}", stopped.hint);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_the_audit_leaves_no_browser_behind() {
    if !browser("whoever_ends_the_audit_leaves_no_browser_behind") {
        return;
    }
    let lab = lab(&[], &["session-forgotten"]).await;
    // While the driver starts, while it opens the browser, at the login, and in the middle of the checks.
    for (signal, after) in [("TERM", 100), ("INT", 500), ("TERM", 900), ("TERM", 1600), ("INT", 4000)] {
        let mark = format!("{signal} after {after}");
        let mut command = audit(&lab, &mark, "wonderland");
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut said = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let begins = said.by_ref().lines().map_while(Result::ok).any(|line| line == "discovery");
        assert!(begins, "{mark}: it says what it begins with");
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        tokio::time::sleep(Duration::from_millis(after)).await;
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{mark}");
        let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("no panic").expect("it ends");
        let code = if signal == "TERM" { 143 } else { 130 };
        assert_eq!(status.code(), Some(code), "{mark}: {status}");
        assert_eq!(gone(&mark), Ok(()), "{mark}");
    }
    let mut command = audit(&lab, "an error", "looking-glass");
    let status = tokio::task::spawn_blocking(move || command.status()).await.expect("no panic").expect("it runs");
    assert_eq!((status.code(), gone("an error")), (Some(4), Ok(())));
}

#[tokio::test]
async fn a_certificate_is_taken_by_its_authority_or_if_none_is_verified() {
    if !browser("a_certificate_is_taken_by_its_authority_or_if_none_is_verified") {
        return;
    }
    let lab = Lab::start(LabOptions { tls: true, ..LabOptions::default() }).await.expect("the lab starts");
    let authority = lab.authority().expect("it has an authority").to_owned().into_bytes();
    let options = || with_browser(only("authorization/code-flow-works", as_alice()), "wonderland", Script::default());
    let mut by_authority = options();
    by_authority.wire.authorities = vec![authority];
    let mut unverified = options();
    unverified.wire.insecure = true;
    unverified.sign_in.webdriver.insecure = true;
    // Firefox has no way to be told of an authority for one run.
    let chromium = installed().is_some_and(|program| program.file_stem().is_some_and(|name| name == "chromedriver"));
    for options in [Some(unverified), chromium.then_some(by_authority)].into_iter().flatten() {
        let report = audit_of(&lab.mcp(), options).await;
        let flow = line(&report, "authorization/code-flow-works");
        assert_eq!(flow.verdict, VerdictKind::Pass, "{}", trouble(&report));
    }
}
