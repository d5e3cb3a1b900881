//! Drivers that are not as they should be, and a browser that is shown.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use oaudit::lab::{Lab, LabOptions};

use crate::support::lab;
use crate::{browser, is_required};

/// What stops an audit with a program in the place of a driver, and what the lab was asked.
async fn stopped_with(name: &str, program: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("requests");
    let lab = Lab::start(LabOptions { log: Some(log.clone()), ..LabOptions::default() }).await.unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{program}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    command.args(["audit", &lab.mcp(), "--agent", "webdriver", "--username", "alice"]).args(arguments);
    command.env("OAUDIT_PASSWORD", "wonderland").env("PATH", folder.path()).stdin(Stdio::null());
    command.args(["--select", "authorization/code-flow-works", "--format", "json"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{report}");
    (report["stopped"].to_string(), std::fs::read_to_string(log).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_ends_at_its_start_is_not_waited_for() {
    let began = Instant::now();
    let says = "echo >&2 'error while loading shared libraries: libnss3.so'; exit 127";
    let (said, _) = stopped_with("chromedriver", says, &[]).await;
    let ended = "chromedriver ended as soon as it was started (exit status: 127), and said: error while loading shared \
                 libraries: libnss3.so";
    assert!(said.contains(ended), "{said}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

/// Firefox does not tell that it was sent to another program, so it is not even started.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_a_driver_cannot_see_is_refused_before_anything_is_sent() {
    let (said, asked) =
        stopped_with("geckodriver", "exit 1", &["--redirect-uri", "cursor://anysphere.cursor/cb"]).await;
    assert!(said.contains("leads to a program beside the browser") && said.contains("use --agent form"), "{said}");
    assert!(!said.contains("OAUDIT_PASSWORD") && !said.contains("as soon as"), "{said}");
    assert!(!asked.contains("/register") && !asked.contains("/login"), "{asked}");
}

/// On a machine without a display, a browser that is to be seen needs one that is made up.
#[test]
fn a_browser_that_is_shown_signs_in_as_well_and_says_what_it_lacks() {
    if !browser("a_browser_that_is_shown") {
        return;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("xvfb-run").is_file()) {
        assert!(!is_required(), "xvfb-run is not on PATH, and OAUDIT_INTEROP=required");
        println!("--headed was not run: there is no xvfb-run on PATH");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lab = runtime.block_on(lab(&[], &["scripted-login"]));
    let audit = |before: &[&str]| {
        let ours = env!("CARGO_BIN_EXE_oaudit");
        let mcp = lab.mcp();
        let all = [before, &[ours, "audit", &mcp, "--agent", "webdriver", "--headed", "--username", "alice"]].concat();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).args(["--select", "authorization/code-flow-works", "--format", "json"]);
        command.env("OAUDIT_PASSWORD", "wonderland").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.stdin(Stdio::null()).output().unwrap()
    };
    let shown = audit(&["xvfb-run", "-a"]);
    let report: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((shown.status.code(), lab.logins()), (Some(0), 1), "{report}");
    if cfg!(target_os = "linux") {
        let blind = audit(&[]);
        let said = String::from_utf8_lossy(&blind.stderr).into_owned();
        assert_eq!(blind.status.code(), Some(4), "{said}");
        assert!(said.contains("there is no display") && said.contains("xvfb-run"), "{said}");
    }
}
