//! A login that asks for a one-time code: the right one, a wrong one, and nobody to give one.

use std::process::Stdio;
use std::time::Duration;

use oaudit::front::webdriver::installed;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support;
use crate::table::kept;

/// The secret of the lab's codes.
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// One audit at a lab that asks for codes: exit code, report, and how many signed in there.
async fn audited(agent: &str, secret: Option<&str>) -> (Option<i32>, Value, usize) {
    let lab = support::lab(&[], &["asks-for-code"]).await;
    let target = lab.mcp();
    let arguments =
        ["audit", &target, "--agent", agent, "--username", "alice", "--select", "pkce/*", "--format", "json"];
    let environment = [("OAUDIT_PASSWORD", "wonderland")].into_iter().chain(secret.map(|s| ("OAUDIT_TOTP_SECRET", s)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    command.args(arguments).env_clear().envs(kept()).envs(environment).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(Duration::from_secs(120), command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.contains(SECRET) && !report.contains(SECRET), "the secret is shown");
    (output.status.code(), serde_json::from_str(&report).unwrap_or_else(|e| panic!("{e}\n{said}")), lab.logins())
}

async fn codes_are_given_by(agent: &str) {
    let (exit, report, logins) = audited(agent, Some(SECRET)).await;
    assert_eq!((exit, logins), (Some(0), 1), "{agent}: {}", report["stopped"]);
    let address = format!("otpauth://totp/Lab:alice?secret={SECRET}&period=30&digits=6");
    assert_eq!(audited(agent, Some(&address)).await.0, Some(0), "{agent}");
    for (secret, says, hint) in [
        (
            Some("MFRGGZDFMZTWQ2LK"),
            "the page for the one-time code came back after one was entered (it says \"The code is wrong, or was used before.\")",
            "OAUDIT_TOTP_SECRET, and the clock",
        ),
        (None, "asks for a one-time code, and no TOTP secret is configured", "OAUDIT_TOTP_SECRET"),
    ] {
        let (exit, report, logins) = audited(agent, secret).await;
        let stopped = &report["stopped"];
        assert_eq!((exit, logins), (Some(4), 0), "{agent}: {stopped}");
        assert!(stopped["error"].as_str().is_some_and(|error| error.contains(says)), "{agent}: {stopped}");
        assert!(stopped["hint"].as_str().is_some_and(|it| it.contains(hint)), "{agent}: {stopped}");
    }
}

#[tokio::test]
async fn the_form_agent_gives_codes() {
    codes_are_given_by("form").await;
}

#[tokio::test]
async fn the_browser_that_is_driven_gives_codes() {
    match installed() {
        Some(_) => codes_are_given_by("webdriver").await,
        None => assert!(std::env::var_os("OAUDIT_INTEROP").is_none(), "a browser is required"),
    }
}
