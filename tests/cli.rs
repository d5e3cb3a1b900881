//! The binary as a user runs it: with a scrubbed environment, by its exit codes, its two streams and its words.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::{Lab, LabOptions};

fn oaudit(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    oaudit(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// A lab on a runtime of its own, for a binary that runs beside it.
struct Served {
    lab: Option<Lab>,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    fn with(faults: &[&str], quirks: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        let options = LabOptions { faults: owned(faults), quirks: owned(quirks), ..LabOptions::default() };
        let lab = runtime.block_on(Lab::start(options)).unwrap();
        Self { lab: Some(lab), runtime }
    }

    fn lab(&self) -> &Lab {
        self.lab.as_ref().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let lab = self.lab.take().unwrap();
        self.runtime.block_on(lab.stop());
    }
}

fn audit(served: &Served, more: &[&str]) -> Output {
    let mcp = served.lab().mcp();
    let mut arguments = vec!["audit", mcp.as_str(), "--username", "alice"];
    arguments.extend(more);
    oaudit(&arguments).env("OAUDIT_PASSWORD", "wonderland").output().unwrap()
}

#[test]
fn the_demo_shows_three_typical_faults() {
    let output = run(&["demo"]);
    let text = stdout(&output);
    assert_eq!(code(&output), 1, "{text}");
    for id in ["refresh/rotated", "resource/bad-token-401-not-500", "server_metadata/s256-advertised"] {
        assert!(
            text.contains(&format!("FAIL {id}")) || text.lines().any(|l| l.contains("FAIL") && l.contains(id)),
            "{id}\n{text}"
        );
        assert!(text.contains(&format!("oaudit explain {id}")), "{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn the_sound_demo_exits_with_0() {
    let output = run(&["demo", "--sound"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
}

#[test]
fn json_is_the_only_thing_on_stdout_and_the_exit_code_is_in_it() {
    let served = Served::with(&["pkce-optional"], &[]);
    let output = audit(&served, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["summary"]["fail"], 1, "{}", report["summary"]);
    assert_eq!(report["summary"]["exit_code"], 1);
    assert_eq!(code(&output), 1);
    let failed = report["checks"].as_array().unwrap().iter().find(|c| c["result"] == "fail").unwrap();
    assert_eq!(failed["id"], "pkce/required");
    assert_eq!(failed["verdict"], "fail");
    assert_eq!(failed["level"], "must");
    let exchange = failed["evidence"][0].as_u64().unwrap();
    let shown = report["exchanges"].as_array().unwrap().iter().find(|e| e["id"] == exchange).unwrap();
    assert!(shown["curl"].as_str().unwrap().starts_with("curl "));
    assert!(!stdout(&output).contains("wonderland") && !stderr(&output).contains("wonderland"));
}

#[test]
fn further_reports_come_from_the_same_run() {
    let served = Served::with(&[], &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let output = audit(&served, &["-q", "-o", &format!("json={}", path.display())]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report["summary"]["exit_code"], 0);
    assert!(stdout(&output).contains("authorization"));
    let output = audit(&served, &["-o", "json=/no/such/folder/r.json"]);
    assert_eq!(code(&output), 5);
    assert!(stderr(&output).contains("could not be written"));
}

#[test]
fn fail_on_and_select_change_the_exit_code() {
    let served = Served::with(&["family-survives-reuse"], &[]);
    assert_eq!(code(&audit(&served, &[])), 0, "a failed should is a warning");
    assert_eq!(code(&audit(&served, &["--fail-on", "should"])), 1);
    assert_eq!(code(&audit(&served, &["--fail-on", "should", "--ignore", "refresh/*"])), 0);
}

#[test]
fn bad_usage_is_one_clear_error_and_exit_2() {
    for (arguments, word) in [
        (&["audit"][..], "TARGET"),
        (&["audit", "not-a-url"], "not-a-url is not a URL"),
        (&["audit", "ftp://x.example/"], "http or https"),
        (&["audit", "http://127.0.0.1:1/", "--select", "pkce/requird"], "did you mean pkce/required?"),
        (&["audit", "http://127.0.0.1:1/", "--profile", "nope"], "chatgpt"),
        (&["audit", "http://127.0.0.1:1/", "--username", "alice"], "OAUDIT_PASSWORD"),
        (
            &["audit", "http://127.0.0.1:1/", "--client-id", "x", "--client-auth", "client_secret_post"],
            "OAUDIT_CLIENT_SECRET",
        ),
        (&["demo", "--fault", "no-rotatoin"], "no-rotation"),
        (&["explain", "pkce/requierd"], "did you mean pkce/required?"),
        (&["frobnicate"], "unrecognized subcommand"),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(word), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_cannot_start_says_why_and_exits_with_4() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&["audit", &format!("http://{free}/mcp")]);
    assert_eq!(code(&output), 4);
    assert!(stdout(&output).contains("nothing answers at"), "{}", stdout(&output));

    let output = run(&["audit", "http://oaudit.invalid/mcp", "--yes"]);
    assert_eq!(code(&output), 4);
    assert!(stdout(&output).contains("does not resolve"), "{}", stdout(&output));
}

#[test]
fn without_a_terminal_and_credentials_it_ends_at_once() {
    let served = Served::with(&[], &[]);
    let began = std::time::Instant::now();
    let output = oaudit(&["audit", &served.lab().mcp(), "--format", "json"]).output().unwrap();
    assert_eq!(code(&output), 4);
    assert!(began.elapsed() < Duration::from_secs(60));
    let line: serde_json::Value = serde_json::from_str(stderr(&output).lines().last().unwrap()).unwrap();
    assert_eq!(line["exit_code"], 4);
    assert!(line["hint"].as_str().unwrap().contains("OAUDIT_PASSWORD"), "{line}");
    // What could be found out without a user is in the report, and the client is gone.
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["summary"]["pass"].as_u64().unwrap() > 10, "{}", report["summary"]);
    assert_eq!(served.lab().registered_clients().len(), 0);
}

#[test]
fn a_server_that_asks_nobody_needs_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lab = runtime.block_on(Lab::start(LabOptions { auto_consent: true, ..LabOptions::default() })).unwrap();
    let output = run(&["audit", &lab.mcp()]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    runtime.block_on(lab.stop());
}

#[test]
fn a_wrong_password_is_told_as_such() {
    let served = Served::with(&[], &[]);
    let output = oaudit(&["audit", &served.lab().mcp(), "--username", "alice"])
        .env("OAUDIT_PASSWORD", "wr0ng-passw0rd")
        .output()
        .unwrap();
    assert_eq!(code(&output), 4);
    assert!(stdout(&output).contains("login page came back"), "{}", stdout(&output));
    assert!(!stdout(&output).contains("wr0ng-passw0rd"));
}

#[test]
fn a_refused_registration_says_to_bring_a_client() {
    let served = Served::with(&[], &["no-registration"]);
    let output = audit(&served, &[]);
    assert_eq!(code(&output), 4);
    assert!(stdout(&output).contains("--client-id"), "{}", stdout(&output));
    let output = audit(&served, &["--client-id", "lab-public"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let output = oaudit(&["audit", &served.lab().mcp(), "--username", "alice", "--client-id", "lab-confidential"])
        .env("OAUDIT_PASSWORD", "wonderland")
        .env("OAUDIT_CLIENT_SECRET", "lab-confidential-secret-0123456789")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(!stdout(&output).contains("lab-confidential-secret-0123456789"));
}

#[test]
fn discover_shows_the_steps_and_sends_gets_alone() {
    let served = Served::with(&[], &[]);
    let output = run(&["discover", &served.lab().mcp()]);
    let text = stdout(&output);
    assert_eq!(code(&output), 0, "{text}");
    for word in ["resource metadata", "server metadata", "token_endpoint", "keys"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    let output = run(&["discover", &served.lab().issuer()]);
    assert_eq!(code(&output), 0, "an issuer is a target as well: {}", stderr(&output));
}

#[test]
fn an_issuer_alone_is_audited_without_a_resource() {
    let served = Served::with(&[], &[]);
    let output = oaudit(&["audit", &served.lab().issuer(), "--username", "alice", "--format", "json"])
        .env("OAUDIT_PASSWORD", "wonderland")
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(code(&output), 0, "{}", report["summary"]);
    let not_run = report["checks"].as_array().unwrap().iter().filter(|c| c["result"] == "not-run");
    assert!(not_run.clone().count() > 3);
    let how = |c: &serde_json::Value| c["how_to_run"].as_str().unwrap().to_owned();
    assert!(not_run.into_iter().all(|c| how(c).contains("--resource") || how(c) == "--slow"));
}

#[test]
fn the_catalogue_is_there_offline() {
    let output = run(&["checks", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), oaudit::checks::ALL.len());
    let output = run(&["explain", "pkce/required"]);
    assert!(stdout(&output).starts_with("# pkce/required: "));
    let output = run(&["lab", "--list-faults"]);
    assert!(stdout(&output).contains("pkce-optional"));
}

#[test]
fn no_network_output_is_shown_in_help() {
    let output = run(&["--help"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("oaudit demo"));
    assert_eq!(code(&run(&["--version"])), 0);
}
