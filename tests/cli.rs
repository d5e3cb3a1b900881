//! The binary as a user runs it: with a scrubbed environment, by its exit codes, its two streams and its words.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

#[path = "support/ran.rs"]
mod ran;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::{Lab, LabOptions};
use ran::{code, stderr, stdout};

fn oaudit(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    oaudit(arguments).output().unwrap()
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
    assert!(stdout(&output).ends_with("A client finds all that it needs.\n"), "{}", stdout(&output));
}

#[test]
fn discover_names_the_first_broken_step_and_whose_it_is() {
    for (fault, step, whose) in [
        ("resource-mismatch", "resource metadata", "the protected resource"),
        ("issuer-mismatch", "server metadata", "the authorization server"),
        ("jwks-500", "keys", "the authorization server"),
    ] {
        let served = Served::with(&[fault], &[]);
        let output = run(&["discover", &served.lab().mcp()]);
        let expected = format!("First broken step: {step}, of {whose}\n");
        assert!(stdout(&output).contains(&expected), "{fault}\n{}", stdout(&output));
        let output = run(&["discover", &served.lab().mcp(), "--format", "json"]);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["broken"]["step"], step, "{fault}");
    }
}

#[test]
fn discover_takes_the_flags_that_its_hints_name() {
    let output = run(&["discover", "http://127.0.0.1:9/", "--timeout", "2", "--insecure", "--allow-host", "x.test"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("nothing answers"), "{}", stderr(&output));
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
    let known = ["--resource", "--logs PATH", "--slow", "[login_b]"];
    assert!(not_run.into_iter().all(|c| known.iter().any(|known| how(c).contains(known))));
}

#[test]
fn the_catalogue_is_there_offline() {
    let output = run(&["checks", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let in_force = oaudit::checks::ALL.iter().filter(|c| oaudit::profile::Profile::default().selects(c.card()));
    assert_eq!(list.as_array().unwrap().len(), in_force.count());
    let output = run(&["explain", "pkce/required"]);
    assert!(stdout(&output).starts_with("# pkce/required: "));
    let output = run(&["lab", "--list-faults"]);
    assert!(stdout(&output).contains("pkce-optional"));
}

/// A lab on a runtime of its own that notes its requests in a file.
fn logging(faults: &[&str], path: &std::path::Path) -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let faults = faults.iter().map(|f| (*f).to_owned()).collect();
    let options = LabOptions { faults, log: Some(path.to_owned()), ..LabOptions::default() };
    let lab = runtime.block_on(Lab::start(options)).unwrap();
    Served { lab: Some(lab), runtime }
}

fn holds_none_of(output: &Output, served: &Served, what: &str) {
    let text = format!("{}{}", stdout(output), stderr(output));
    for secret in served.lab().issued_secrets().iter().filter(|s| s.len() >= 16) {
        assert!(!text.contains(secret.as_str()), "{what} shows a secret");
    }
}

#[test]
fn tokens_in_the_log_are_found_by_the_audit_and_afterwards_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (log, secrets) = (folder.path().join("server.log"), folder.path().join("secrets.json"));
    let served = logging(&["logs-tokens"], &log);
    let (log, secrets) = (log.to_str().unwrap(), secrets.to_str().unwrap());
    let output =
        audit(&served, &["--logs", log, "--vault-out", secrets, "--select", "hygiene/*", "--select", "code/*"]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    assert!(stdout(&output).contains("hygiene/no-token-in-logs"), "{}", stdout(&output));
    holds_none_of(&output, &served, "audit");

    let output = run(&["logs", log, "--run", secrets]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).contains("server.log:") && stdout(&output).contains("code of the run, {code "));
    holds_none_of(&output, &served, "logs");

    let output = run(&["logs", log, "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((code(&output), &found["exit_code"], &found["found"]), (1, &1.into(), &true.into()));
    assert!(found["findings"].as_array().unwrap().iter().any(|f| f["kind"] == "jwt" && f["line"].as_u64() > Some(0)));
    holds_none_of(&output, &served, "logs --format json");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(secrets).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_log_without_tokens_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let (log, secrets) = (folder.path().join("server.log"), folder.path().join("secrets.json"));
    let served = logging(&[], &log);
    let (log, secrets) = (log.to_str().unwrap(), secrets.to_str().unwrap());
    let output = audit(&served, &["--logs", log, "--vault-out", secrets, "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = report["checks"].as_array().unwrap().iter().find(|c| c["id"] == "hygiene/no-token-in-logs").unwrap();
    assert_eq!(line["result"], "pass", "{line}");
    let output = run(&["logs", log, "--run", secrets]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(stdout(&output).contains("nothing found in 1 file"), "{}", stdout(&output));
    // The file of secrets itself is full of them, and nobody is shown one.
    let output = run(&["logs", secrets]);
    assert_eq!(code(&output), 1);
    holds_none_of(&output, &served, "logs of the secrets");
    // An old log proves nothing.
    let old = folder.path().join("old.log");
    std::fs::write(&old, "GET / 200\n").unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    let old = old.to_str().unwrap();
    let output = audit(&served, &["--logs", old, "--select", "hygiene/no-token-in-logs"]);
    assert_eq!(code(&output), 3, "{}", stdout(&output));
}

#[test]
fn logs_says_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.gz");
    std::fs::write(&broken, [0x1f, 0x8b, 8, 0, 1, 2, 3]).unwrap();
    let output = run(&["logs", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 5, "{}", stdout(&output));
    assert!(stderr(&output).contains("broken.gz was not read"), "{}", stderr(&output));
    for arguments in [&["logs"][..], &["logs", "/no/such/log"], &["logs", ".", "--run", "/no/such/file"]] {
        assert_eq!(code(&run(arguments)), 2, "{arguments:?}");
    }
    let not_secrets = folder.path().join("x.json");
    std::fs::write(&not_secrets, "{}").unwrap();
    let output = run(&["logs", ".", "--run", not_secrets.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--vault-out"), "{}", stderr(&output));
    let output = run(&["audit", "http://127.0.0.1:1/", "--vault-out", "/no/such/folder/file"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

#[test]
fn scopes_are_judged_offline_and_at_a_server() {
    let output = run(&["scopes", "notes:read", "notes:write", "files.read"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(stdout(&output).contains("better: files:read") && stdout(&output).contains("NOTE files.read"));
    assert_eq!(code(&run(&["scopes", "notes:read", "full_access"])), 0);
    assert_eq!(code(&run(&["scopes", "notes:read", "full_access", "--fail-on", "should"])), 1);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scopes.json");
    std::fs::write(&file, r#"{"scopes_supported": ["notes:read notes:write"]}"#).unwrap();
    let output = run(&["scopes", "-f", file.to_str().unwrap(), "--format", "json"]);
    let judged: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((code(&output), &judged["exit_code"]), (1, &1.into()), "{judged}");
    assert_eq!(judged["remarks"][0]["check"], "scope/well-formed");
    assert_eq!(judged["remarks"][0]["level"], "must");

    let served = Served::with(&["omnibus-scope"], &[]);
    let output = run(&["scopes", &served.lab().mcp(), "--fail-on", "should"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).contains("WARN full_access  scope/granular"), "{}", stdout(&output));
    let sound = Served::with(&[], &[]);
    let output = run(&["scopes", &sound.lab().mcp()]);
    assert_eq!(stdout(&output), "2 scopes, nothing to remark\n");

    for arguments in [&["scopes"][..], &["scopes", "-f", "/no/such/file"], &["scopes", "a", "-f", "b"]] {
        assert_eq!(code(&run(arguments)), 2, "{arguments:?}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(code(&run(&["scopes", &format!("http://{free}/mcp")])), 4);
}

#[test]
fn no_network_output_is_shown_in_help() {
    let output = run(&["--help"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("oaudit demo"));
    assert_eq!(code(&run(&["--version"])), 0);
}

/// Whoever reads a machine format reads errors by machine as well: one line of JSON, also of what is no command line.
#[test]
fn a_mistake_in_the_command_line_is_one_line_of_json_where_a_program_reads() {
    for (arguments, says) in [
        (&["audit", "--format", "json", "--selct", "pkce/*"][..], "unexpected argument '--selct' found"),
        (&["audit", "http://127.0.0.1:1/", "--agent", "xx", "--format=sarif"], "invalid value 'xx' for '--agent"),
        (&["audit", "--timeout", "0", "--format", "junit"], "invalid value '0' for '--timeout"),
    ] {
        let output = run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        let line: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        assert!(line["error"].as_str().unwrap().starts_with(says), "{said}");
        assert_eq!((output.status.code(), &line["exit_code"], output.stdout.len()), (Some(2), &2.into(), 0));
        assert!(!line["hint"].as_str().unwrap().is_empty());
    }
}

/// What is a credential need not stand among the arguments, which others see.
#[test]
fn headers_are_taken_from_the_environment_as_well() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}/mcp", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = vec![0; 8192];
        let read = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..read]).to_ascii_lowercase()
    });
    let mut command = oaudit(&["discover", &target]);
    let output = command.env("OAUDIT_HEADERS", "X-Edge: one two\nAuthorization: Basic eDp5\n").output().unwrap();
    let head = asked.join().unwrap();
    assert!(head.contains("x-edge: one two\r\n") && head.contains("authorization: basic edp5\r\n"), "{head}");
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    let output = oaudit(&["discover", &target]).env("OAUDIT_HEADERS", "hunter2-hunter2").output().unwrap();
    assert!(code(&output) == 2 && !stderr(&output).contains("hunter2"), "{}", stderr(&output));
}

#[test]
fn a_password_is_taken_from_standard_input() {
    use std::io::Write;
    let served = Served::with(&[], &[]);
    let mcp = served.lab().mcp();
    for (password, exit) in [("wonderland", 0), ("looking-glass", 4)] {
        let mut command = oaudit(&["audit", &mcp, "--username", "alice", "--password-file", "-", "--no-journal"]);
        command.args(["--select", "authorization/code-flow-works"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), exit, "{}{}", stdout(&output), stderr(&output));
    }
}
