//! Sessions of the driven browser that are kept in a file.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::browser;
use crate::support::lab;

fn oaudit(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    let output = command.args(arguments).env("OAUDIT_PASSWORD", "wonderland").stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A login that takes a browser is made once, and the audit goes on without one.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_scripts_build_is_kept_and_gone_on_with() {
    if !browser("a_login_that_scripts_build_is_kept_and_gone_on_with") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.json");
    let path = file.to_str().unwrap();
    for agent in ["webdriver", "auto"] {
        let lab = lab(&[], &["scripted-login"]).await;
        let mcp = lab.mcp();
        let login = ["login", &mcp, "--agent", agent, "--username", "alice", "--save", path];
        let (code, said) = tokio::task::block_in_place(|| oaudit(&login));
        assert_eq!(code, Some(0), "{agent}: {said}");
        assert!(said.contains("signed in; 2 cookies"), "{agent}: {said}");
        assert_eq!((mode(&file), lab.logins()), (0o600, 1), "{agent}");
        assert!(lab.registered_clients().is_empty(), "{agent}: the client of the sign-in is deleted");
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(kept.contains("lab_session") && !kept.contains("wonderland"), "{agent}");
        let audit = ["audit", &mcp, "--session", path, "--select", "authorization/*", "--select", "pkce/*"];
        let (code, said) = tokio::task::block_in_place(|| oaudit(&audit));
        // Whoever has but a session cannot say no.
        assert!(matches!(code, Some(0 | 3)), "{agent}: {code:?}: {said}");
        assert_eq!(lab.logins(), 1, "{agent}: nobody signs in again");
    }
}

/// Where no cookies can be seen, that is said before a client is registered.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_keeps_nothing_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.json");
    let lab = lab(&[], &[]).await;
    let mcp = lab.mcp();
    for agent in ["browser", "paste"] {
        let login = ["login", &mcp, "--agent", agent, "--save", file.to_str().unwrap()];
        let (code, said) = tokio::task::block_in_place(|| oaudit(&login));
        assert_eq!(code, Some(4), "{agent}: {said}");
        assert!(said.contains("cookies cannot be seen") && said.contains("--agent webdriver"), "{agent}: {said}");
    }
    assert_eq!(lab.requests(), 0);
}
