//! An audit leaves no mess at the server, however it ends: what it made is deleted, or `oaudit cleanup` deletes it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::client::ClientAuth;
use oaudit::registration::Configured;
use oaudit::run::Options;
use serde_json::Value;
use support::{as_alice, audit_of, lab};

/// A lab slow enough to be interrupted, and a home of its own for the journals.
struct Stage {
    runtime: tokio::runtime::Runtime,
    lab: Option<Lab>,
    home: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = LabOptions { latency: Duration::from_millis(40), ..LabOptions::default() };
        let lab = runtime.block_on(Lab::start(options)).unwrap();
        Self { runtime, lab: Some(lab), home: tempfile::tempdir().unwrap() }
    }

    fn lab(&self) -> &Lab {
        self.lab.as_ref().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("oaudit").unwrap();
        command.args(arguments).env_clear().env("HOME", self.home.path()).env("OAUDIT_PASSWORD", "wonderland");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// An audit that has come so far that the server keeps clients and grants because of it.
    fn audit_under_way(&self, more: &[&str]) -> Child {
        let mcp = self.lab().mcp();
        let (clients, grants) = (self.lab().registered_clients().len(), self.lab().live_grants());
        let arguments = [&["audit", &mcp, "--username", "alice", "--format", "json"], more].concat();
        let mut child = self.command(&arguments).spawn().unwrap();
        until("the audit is under way", || {
            assert!(child.try_wait().unwrap().is_none(), "the audit ended early");
            self.lab().registered_clients().len() >= clients + 2 && self.lab().live_grants() >= grants + 2
        });
        child
    }

    fn journals(&self) -> Vec<PathBuf> {
        let folder = self.home.path().join(".local/state/oaudit");
        let entries = std::fs::read_dir(folder).map(|entries| entries.map(|e| e.unwrap().path()).collect());
        entries.unwrap_or_default()
    }

    fn assert_clean(&self) {
        assert_eq!((self.lab().registered_clients().len(), self.lab().live_grants()), (0, 0));
        assert!(self.journals().is_empty(), "{:?}", self.journals());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(lab) = self.lab.take() {
            self.runtime.block_on(lab.stop());
        }
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_a_killed_audit_left_is_deleted_by_cleanup() {
    let stage = Stage::new();
    let mut child = stage.audit_under_way(&[]);
    let busy = stage.run(&["cleanup"]);
    assert_eq!(busy.status.code(), Some(0));
    assert!(out(&busy).contains("goes on"), "{}", out(&busy));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stage.lab().registered_clients().len() >= 2 && stage.lab().live_grants() >= 2);
    let journals = stage.journals();
    let [journal] = journals.as_slice() else { panic!("one journal, but {journals:?}") };
    assert_eq!(std::fs::metadata(journal).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(journal.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);

    let next = stage.run(&["audit", "http://127.0.0.1:9/"]);
    let hint = said(&next).lines().find(|line| line.starts_with("an earlier run left")).map(str::to_owned).unwrap();
    assert!(hint.contains(" clients and ") && hint.contains("`oaudit cleanup`"), "{hint}");

    let output = stage.run(&["cleanup", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), said(&output));
    let cleaned: Value = serde_json::from_slice(&output.stdout).unwrap();
    let deleted: Vec<_> = cleaned["runs"][0]["deleted"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(deleted.iter().any(|d| d.contains(": deleted")) && deleted.iter().any(|d| d.ends_with(": revoked")));
    for secret in stage.lab().issued_secrets() {
        assert!(!out(&output).contains(&secret) && !said(&output).contains(&secret), "a secret is shown");
    }
    stage.assert_clean();
    let again = stage.run(&["cleanup"]);
    assert_eq!((again.status.code(), out(&again).starts_with("nothing to do")), (Some(0), true), "{}", out(&again));
}

#[test]
fn signals_stop_it_clean_and_say_so_by_the_exit_code() {
    // Who runs this by nohup wants SIGHUP ignored, and so it is.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let hears = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 0);
    for (name, code) in
        [("-INT", 130), ("-TERM", 143), ("-HUP", 129)].into_iter().filter(|(n, _)| hears || *n != "-HUP")
    {
        let stage = Stage::new();
        let child = stage.audit_under_way(&[]);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}: {}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["summary"]["exit_code"], code);
        assert_eq!(report["left_behind"].as_array().map(Vec::len), Some(0), "{}", report["left_behind"]);
        stage.assert_clean();
    }
}

#[test]
fn a_run_whose_time_is_over_cleans_up_and_reports_what_it_has() {
    let stage = Stage::new();
    let mcp = stage.lab().mcp();
    let limited = ["audit", &mcp, "--username", "alice", "--format", "json", "--max-time", "1"];
    // What is allowed to be inconclusive is another thing than what was never tried.
    for more in [&[][..], &["--allow-incomplete"]] {
        let output = stage.run(&[&limited[..], more].concat());
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let why = "the time of the run was over (--max-time) after 1 s";
        assert_eq!((&report["summary"]["exit_code"], &report["stopped"]["error"]), (&3.into(), &why.into()));
        assert_eq!(report["left_behind"].as_array().map(Vec::len), Some(0), "{}", report["left_behind"]);
        let checks = report["checks"].as_array().unwrap();
        let cut = checks.iter().filter(|c| c["message"].as_str().unwrap().ends_with(why)).collect::<Vec<_>>();
        assert!(cut.len() > 20 && cut.iter().all(|c| c["result"] == "inconclusive"), "{cut:?}");
        assert!(said(&output).contains("cleaning up and reporting what there is"), "{}", said(&output));
        stage.assert_clean();
    }
}

#[tokio::test]
async fn what_failed_before_the_time_was_over_has_failed() {
    let faults = vec!["s256-unadvertised".to_owned()];
    let options = LabOptions { latency: Duration::from_millis(40), faults, ..LabOptions::default() };
    let server = Lab::start(options).await.unwrap();
    let report = audit_of(&server.mcp(), Options { max_time: Some(Duration::from_millis(1500)), ..as_alice() }).await;
    let stopped = report.stopped.as_ref().map(|stopped| stopped.error.as_str());
    assert_eq!(stopped, Some("the time of the run was over (--max-time) after 1.5 s"));
    assert_eq!((report.summary.exit_code, report.summary.complete, report.summary.fail), (1, false, 1));
    server.stop().await;
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_cleanup_finishes() {
    let stage = Stage::new();
    let child = stage.audit_under_way(&["--rate", "20"]);
    signal(&child, "-INT");
    std::thread::sleep(Duration::from_millis(150));
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(said(&output).contains("stopped at once"), "{}", said(&output));
    assert!(out(&output).is_empty(), "half a report");
    assert_eq!(stage.journals().len(), 1);
    let output = stage.run(&["cleanup"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    stage.assert_clean();
}

#[test]
fn when_the_server_is_lost_the_report_says_what_stays_and_cleanup_goes_by_it() {
    let mut stage = Stage::new();
    let child = stage.audit_under_way(&["--timeout", "2"]);
    let lab = stage.lab.take().unwrap();
    stage.runtime.block_on(lab.stop());
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let left = report["left_behind"].as_array().unwrap();
    assert!(left.len() >= 2 && left.iter().all(|l| l.as_str().unwrap().contains("could not be")), "{left:?}");
    let journals = stage.journals();
    assert!(journals[0].ends_with(format!("{}.journal", report["journal"].as_str().unwrap())), "{journals:?}");
    let saved = stage.home.path().join("report.json");
    std::fs::write(&saved, &output.stdout).unwrap();
    let saved = saved.to_str().unwrap();

    let output = stage.run(&["cleanup", saved]);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("could not be deleted") && out(&output).contains("--forget"), "{}", out(&output));
    assert_eq!(stage.journals().len(), 1);
    let output = stage.run(&["cleanup", saved, "--forget"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(stage.journals().is_empty());
    let output = stage.run(&["cleanup", saved]);
    assert!(out(&output).starts_with("nothing to do: there is no journal"), "{}", out(&output));
}

#[test]
fn a_run_that_cleaned_up_leaves_no_journal_and_one_without_is_possible() {
    let stage = Stage::new();
    let mcp = stage.lab().mcp();
    let report = stage.home.path().join("r.json");
    let to = format!("json={}", report.display());
    let chosen = ["--username", "alice", "--select", "pkce/*", "-o", &to];
    let output = stage.run(&[&["audit", &mcp], &chosen[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    stage.assert_clean();
    let output = stage.run(&["cleanup", report.to_str().unwrap()]);
    assert_eq!(
        (output.status.code(), out(&output).contains("left nothing behind")),
        (Some(0), true),
        "{}",
        out(&output)
    );

    let mut child = stage.audit_under_way(&["--no-journal"]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stage.journals().is_empty());
    let elsewhere = stage.home.path().join("elsewhere");
    let mut child = stage.audit_under_way(&["--journal-dir", elsewhere.to_str().unwrap()]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stage.journals().is_empty() && has_journal(&elsewhere));
    let output = stage.run(&["cleanup", "--journal-dir", elsewhere.to_str().unwrap()]);
    assert_eq!((output.status.code(), has_journal(&elsewhere)), (Some(0), false), "{}", out(&output));
}

fn has_journal(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().count() > 0
}

/// A client that is not ours to delete keeps none of the grants of the run.
#[tokio::test]
async fn the_grants_of_a_configured_client_are_revoked() {
    let server = lab(&[], &[]).await;
    let public = |id: &str| Some(Configured { id: id.into(), secret: None, auth: Some(ClientAuth::None) });
    let redirect_uri = Some("http://127.0.0.1/callback".to_owned());
    let options = Options { client: public("lab-public"), other_client: public("lab-public-b"), ..as_alice() };
    let report = audit_of(&server.mcp(), Options { redirect_uri: redirect_uri.clone(), ..options.clone() }).await;
    assert_eq!((server.live_grants(), report.left_behind.len()), (0, 0), "{:?}", report.left_behind);
    let mute = lab(&["revocation-unadvertised"], &[]).await;
    let report = audit_of(&mute.mcp(), Options { redirect_uri, ..options }).await;
    assert!(mute.live_grants() > 0);
    let said = report.left_behind.iter().find(|l| l.contains("of client lab-public could not be revoked"));
    let said = said.unwrap_or_else(|| panic!("{:?}", report.left_behind));
    assert!(said.contains("offers no revocation") && said.contains("end after 600 s"), "{said}");
    assert_eq!(report.journal, None, "no journal was asked for");
}
