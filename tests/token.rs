//! `oaudit token` as a user runs it: the six points, the exit codes, and the token that is never shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

#[path = "lab/visitor.rs"]
#[allow(dead_code, clippy::allow_attributes, reason = "every test binary uses a part of it")]
mod visitor;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::LabOptions;
use oaudit::oauth::forge::{OwnKey, Parts};
use serde_json::{Value, json};
use visitor::{visit, visit_with};

/// Runs `oaudit token` with a token on standard input.
fn token(piped: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.arg("token").args(arguments).env_clear().envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who needs no standard input may have gone already.
    let _ = child.stdin.take().unwrap().write_all(piped.as_bytes());
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn verdicts(output: &Output) -> Vec<(String, String)> {
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {}", both(output)));
    let text = |point: &Value, name: &str| point[name].as_str().unwrap().to_owned();
    json["points"].as_array().unwrap().iter().map(|p| (text(p, "point"), text(p, "verdict"))).collect()
}

fn not_passed(output: &Output) -> Vec<(String, String)> {
    verdicts(output).into_iter().filter(|(_, verdict)| verdict != "pass").collect()
}

fn pair(name: &str, verdict: &str) -> (String, String) {
    (name.to_owned(), verdict.to_owned())
}

/// A key, and a token of an issuer that is not on the network.
fn made_up() -> (OwnKey, String) {
    let key = OwnKey::like("ES256").unwrap();
    let real = Parts::of("eyJhbGciOiJFUzI1NiJ9.e30.AQIDBA").unwrap();
    let claims = [
        ("iss", json!("https://as.invalid")),
        ("sub", json!("alice\u{1b}[31m")),
        ("aud", json!("https://api.invalid")),
        ("exp", json!(4_102_444_800_u64)),
        ("scope", json!("a b")),
    ];
    let token = real.signed_by(&key, &[], &claims).unwrap();
    (key, token)
}

#[test]
fn keys_in_a_file_need_no_network() {
    let (key, jwt) = made_up();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": [key.public_jwk()] }).to_string()).unwrap();
    let jwks = file.to_str().unwrap();
    let measure = ["--jwks", jwks, "--audience", "https://api.invalid", "--scope", "a", "--format", "json"];
    let output = token(&jwt, &measure, &[]);
    assert_eq!(code(&output), 3, "{}", both(&output));
    assert_eq!(not_passed(&output), [pair("issuer", "cannot-say"), pair("revocation", "cannot-say")]);
    assert!(output.stderr.is_empty(), "{}", both(&output));
    // One key alone will do, and so does a token with its header line around it.
    std::fs::write(&file, key.public_jwk().to_string()).unwrap();
    let output = token(&format!("Authorization: Bearer {jwt}\n"), &["-", "--jwks", jwks, "--format", "json"], &[]);
    assert_eq!(verdicts(&output)[0], pair("signature", "pass"));
    // Another key: the one failure.
    std::fs::write(&file, OwnKey::like("ES256").unwrap().public_jwk().to_string()).unwrap();
    let output = token(&jwt, &measure, &[]);
    assert_eq!(code(&output), 1);
    assert_eq!(verdicts(&output)[0], pair("signature", "fail"));
    let output = token(&jwt, &["--jwks", "/no/such/file"], &[]);
    assert_eq!(code(&output), 2);
    std::fs::write(&file, "no keys").unwrap();
    assert_eq!(code(&token(&jwt, &["--jwks", jwks], &[])), 2);
}

#[test]
fn claims_are_shown_and_the_token_is_not() {
    let (_, jwt) = made_up();
    let output = token("", &[], &[("OAUDIT_ACCESS_TOKEN", &jwt)]);
    assert_eq!(code(&output), 3);
    let text = both(&output);
    for shown in ["ES256", "https://api.invalid", "2100-01-01T00:00:00Z", "who somebody is", "cannot say"] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "what would command a terminal is not obeyed");
    for part in jwt.split('.') {
        assert!(!text.contains(part));
    }
}

#[test]
fn what_is_no_token_is_usage() {
    for piped in ["", "  \n", "\"\""] {
        let output = token(piped, &[], &[]);
        assert_eq!(code(&output), 2, "{piped:?}: {}", both(&output));
        assert!(both(&output).contains("OAUDIT_ACCESS_TOKEN"));
    }
    assert_eq!(code(&token("a.b.c", &["--issuer", "as.example"], &[])), 2);
    assert_eq!(code(&token("a.b.c", &["--introspection-id", "x"], &[])), 2);
}

#[test]
fn opaque_and_broken_tokens_are_told_apart() {
    for (piped, kind) in
        [("opaque", "opaque"), ("e30.a.b.c.d", "an encrypted JWT"), ("a.b.c", "opaque"), ("é", "opaque")]
    {
        let output = token(piped, &["--format", "json"], &[]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["kind"], kind, "{piped}");
        assert_eq!((code(&output), &json["exit_code"]), (3, &json!(3)));
    }
    let output = token("eyJhbGciOiJub25lIn0.e30.", &["--format", "json"], &[]);
    assert_eq!(code(&output), 1, "nobody signed it, and it never ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_six_points_of_a_token_of_the_lab() {
    for opaque in [false, true] {
        let mut visitor = visit_with(LabOptions { opaque, ..LabOptions::default() }).await;
        let (_, access, refresh) = visitor.tokens(&[]).await;
        let (issuer, mcp) = (visitor.lab.issuer(), visitor.lab.mcp());
        let arguments = [
            "--issuer",
            &issuer,
            "--audience",
            &mcp,
            "--scope",
            "notes:read",
            "--introspection-id",
            "lab-resource",
            "--format",
            "json",
        ];
        let secret = [("OAUDIT_INTROSPECTION_SECRET", "lab-resource-secret-0123456789")];
        let output = token(&access, &arguments, &secret);
        assert_eq!(code(&output), 0, "opaque {opaque}: {}", both(&output));
        assert_eq!(verdicts(&output).len(), 6);
        assert!(!both(&output).contains(&access) && !both(&output).contains("lab-resource-secret"));
        // Revoked by its own client: that point alone fails for a JWT.
        visitor.revoke(&refresh, "lab-public").await;
        let output = token(&access, &arguments, &secret);
        assert_eq!(code(&output), 1, "{}", both(&output));
        let failed: Vec<_> = not_passed(&output).into_iter().filter(|(_, v)| v == "fail").collect();
        assert_eq!(failed, [pair("revocation", "fail")]);
        // A wrong secret says nothing of the token.
        let output = token(&access, &arguments, &[("OAUDIT_INTROSPECTION_SECRET", "wrong-secret-of-nobody")]);
        assert_eq!(code(&output), 3, "{}", both(&output));
        assert_eq!(code(&token(&access, &arguments, &[])), 2, "the variable is not set");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_is_away_is_a_matter_of_the_network() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, _) = visitor.tokens(&[]).await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = token(&access, &["--issuer", &format!("http://{gone}"), "--format", "json"], &[]);
    assert_eq!(code(&output), 4, "{}", both(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("\"exit_code\":4"));
    assert_eq!(verdicts(&output)[1], pair("expiry", "pass"), "the rest is judged");
    let jwks = visitor.url("/jwks");
    let output = token(&access, &["--jwks", &jwks, "--format", "json"], &[]);
    assert_eq!(verdicts(&output)[0], pair("signature", "pass"), "{}", both(&output));
    let output = token(&access, &["--jwks", &visitor.url("/nothing")], &[]);
    assert_eq!(code(&output), 4);
    // Metadata that calls itself otherwise lends no keys.
    let mut other = visit(&["issuer-mismatch"], &[]).await;
    let (_, access, _) = other.tokens(&[]).await;
    let output = token(&access, &["--issuer", &other.lab.issuer(), "--format", "json"], &[]);
    assert_eq!(verdicts(&output)[0], pair("signature", "cannot-say"), "{}", both(&output));
}
