//! Every command beside the audit: what it prints, and what it writes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use oaudit::lab::LabOptions;
use serde_json::Value;

use crate::audits::configuration;
use crate::between::{Act, Asked};
use crate::looking::Looker;
use crate::stage::{GIVEN, HEADER, INNOCENT, PROXY, Stage};

/// The secrets in a file that `--vault-out` wrote, by their kinds.
fn vault(stage: &Stage, name: &str) -> Vec<(String, String)> {
    let json: Value = serde_json::from_slice(&stage.read(name)).unwrap();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    json["secrets"].as_array().unwrap().iter().map(|one| (text(one, "kind"), text(one, "value"))).collect()
}

#[test]
fn commands_that_ask_the_server() {
    let stage = Stage::new(LabOptions::default());
    stage.write("oaudit.toml", &configuration(""));
    let (mcp, proxy) = (stage.mcp(), stage.proxy());
    let header = format!("Authorization: Bearer {HEADER}");
    let wire = ["--trace", "--header", &header, "--proxy", &proxy];
    let asks: [&[&str]; 8] = [
        &["discover", &mcp, "-v", "--save", "saved"],
        &["discover", &mcp, "--format", "json"],
        &["plan", &mcp, "-v"],
        &["plan", &mcp, "--format", "json"],
        &["init", &mcp, "-"],
        &["init", &mcp, "made.toml"],
        &["audit", "--offline", "saved", "-o", "json=offline.json"],
        &["audit", &mcp, "--print-config"],
    ];
    for ask in asks {
        let offline = ask.contains(&"--offline");
        let (code, said) = stage.clean(&[ask, if offline { &[] } else { &wire[..] }].concat());
        assert!(code == 0 || (offline && code < 4), "{ask:?} {code}: {said}");
    }
    stage.clean(&["scopes", &mcp]);
    assert!(stage.path("saved/jwks.json").exists() && stage.path("made.toml").exists());
    // Nobody answers: the errors.
    for command in ["discover", "plan", "audit"] {
        let (code, said) = stage.clean(&[&[command, "http://127.0.0.1:9/mcp"], &wire[..2 + 1]].concat());
        assert_eq!(code, 4, "{said}");
    }
    stage.files_are_clean_but(&[]);
}

#[test]
fn commands_that_ask_nobody() {
    let stage = Stage::new(LabOptions::default());
    let still: [&[&str]; 17] = [
        &[],
        &["--help"],
        &["audit", "--help"],
        &["token", "--help"],
        &["checks"],
        &["checks", "--coverage"],
        &["checks", "--format", "json"],
        &["explain", "pkce/required"],
        &["scopes", "notes:read", "admin"],
        &["schema", "report"],
        &["schema", "config"],
        &["completions", "bash"],
        &["completions", "nushell"],
        &["man"],
        &["lab", "--list-faults"],
        &["cleanup"],
        &["init", "-"],
    ];
    for words in still {
        let (code, said) = stage.clean(words);
        assert!(code < 3, "{words:?} {code}: {said}");
    }
    // With every argument that may be a secret.
    let header = format!("X-Key: {HEADER}");
    let proxy = format!("http://canary:{PROXY}@127.0.0.1:9");
    let url = format!("http://canary:{PROXY}@127.0.0.1:9515/");
    for command in ["audit", "plan"] {
        let (code, said) = stage.clean(&[command, "http://127.0.0.1:9/", "--header", &header, "--proxy", &proxy]);
        assert_eq!(code, 4, "{said}");
    }
    let printed = ["audit", "--print-config", "--header", &header, "--proxy", &proxy, "--webdriver-url", &url];
    let program = format!("./sign-in.sh --key {HEADER}");
    let (code, said) = stage.clean(&[&printed[..], &["--login-command", &program]].concat());
    assert!(code == 0 && said.contains("a password for it is set"), "{said}");
    assert!(said.contains("command = \"./sign-in.sh\"  # flag --login-command; its arguments are not shown"), "{said}");
    // A driver that is not there, by an address with a password.
    let driven = ["audit", &stage.mcp(), "--agent", "webdriver", "--username", "alice", "--webdriver-url", &url, "-v"];
    let (code, said) = stage.clean(&driven);
    assert!(code == 4 && said.contains("opened no browser"), "{code} {said}");
}

/// `token` shows claims, and nothing of the token; `audit` takes tokens that were supplied.
#[test]
fn a_token_is_read_and_not_shown() {
    let stage = Stage::new(LabOptions::default());
    let mcp = stage.mcp();
    let select = ["--select", "authorization/code-flow-works", "--vault-out", "vault.json"];
    let (code, said) = stage.clean(&[&["audit", &mcp, "--username", "alice"], &select[..]].concat());
    assert_eq!(code, 0, "{said}");
    let issued = vault(&stage, "vault.json");
    let token = issued.iter().find(|(kind, value)| kind == "access_token" && value.starts_with("eyJ")).unwrap();
    let origin = stage.between().origin.clone();
    let known = ["--issuer", &origin, "--audience", &mcp, "--introspection-id", "lab-confidential"];
    for format in ["terminal", "json"] {
        for (piped, argument, variable) in [(true, false, false), (false, true, false), (false, false, true)] {
            let mut words = vec!["token", "--format", format];
            words.extend(known);
            if argument {
                words.push(&token.1);
            }
            let mut command = stage.command(&words);
            command.env_remove("OAUDIT_ACCESS_TOKEN").stdin(Stdio::piped());
            if variable {
                command.env("OAUDIT_ACCESS_TOKEN", &token.1);
            }
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            if piped {
                stdin.write_all(token.1.as_bytes()).unwrap();
            }
            drop(stdin);
            let (code, said) = stage.looked_at("oaudit token", &child.wait_with_output().unwrap());
            assert!(code < 4 && said.contains("alice") && said.contains("notes:read"), "{code} {said}");
        }
    }
    // An opaque one, and one that is none; what it was told for the audience is not the token.
    for words in [&["token"][..], &["token", "--format", "json"], &["token", "--jwks", "vault.json"]] {
        stage.clean(words);
    }
    for further in [&[][..], &["--client-id", "lab-public"]] {
        let (code, said) = stage.clean(&[&["audit", &mcp, "--agent", "token", "-v", "--trace"], further].concat());
        assert!(code < 5, "{code} {said}");
    }
    stage.files_are_clean_but(&["vault.json"]);
}

/// The lab's own user is in its words; what it issues is in none of them.
#[test]
fn the_lab_and_the_demonstration() {
    let stage = Stage::new(LabOptions::default());
    let mut words = stage.command(&["lab", "--log", "lab.log"]);
    let mut lab = words.spawn().unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(lab.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    let ready: Value = serde_json::from_str(&first).unwrap();
    let mcp = ready["mcp"].as_str().unwrap();
    let words = ["--username", "alice", "--vault-out", "of-lab.json", "-o", "json=of-lab-report.json"];
    let (code, said) = stage.clean(&[&["audit", mcp], &words[..]].concat());
    assert!([0, 3].contains(&code), "{code}: {said}");
    let ended = std::process::Command::new("kill").args(["-INT", &lab.id().to_string()]).status().unwrap();
    assert!(ended.success());
    let prose = std::io::read_to_string(lab.stderr.take().unwrap()).unwrap();
    lab.wait().unwrap();
    assert_eq!(prose, "user alice, password wonderland; stop with Ctrl-C\n");
    let rest = std::io::read_to_string(stdout).unwrap();

    let words = ["demo", "-v", "--trace", "--evidence", "--vault-out", "of-demo.json", "-o", "html=demo.html"];
    let (code, told) = stage.clean(&[&words[..], &["-o", "har=demo.har", "-o", "json=demo.json"]].concat());
    assert!([0, 1, 3].contains(&code), "{code}: {told}");
    for (run, outputs) in [
        ("of-lab.json", vec![first.into_bytes(), rest.into_bytes(), stage.read("lab.log"), said.into_bytes()]),
        ("of-demo.json", vec![told.into_bytes(), stage.read("demo.html"), stage.read("demo.har")]),
    ] {
        let mut looker = Looker::sparing(&INNOCENT);
        vault(&stage, run).iter().for_each(|(kind, value)| looker.add(kind, value));
        for (at, output) in outputs.iter().enumerate() {
            looker.assert_clean(&format!("output {at} of {run}"), output);
        }
        let reports = if run == "of-lab.json" { "of-lab-report.json" } else { "demo.json" };
        looker.assert_clean(reports, stage.read(reports));
    }
    assert!(!stage.read("lab.log").is_empty() && GIVEN.len() == 9);
}

/// A server that writes what it was sent into its documents and answers.
fn repeating(asked: &Asked) -> Act {
    if asked.path.contains("/.well-known/") {
        return Act::Alter(|json| json["op_policy_uri"] = format!("https://a.example/?k={HEADER}").into());
    }
    if asked.path == "/introspect" {
        return Act::Alter(|json| json["asked_by"] = "lab-confidential-secret-0123456789".into());
    }
    Act::Add(format!("www-authenticate: Bearer realm=\"{HEADER}\"\r\n"))
}

#[test]
fn documents_that_repeat_what_was_sent() {
    let stage = Stage::acting(LabOptions::default(), repeating);
    let (mcp, header) = (stage.mcp(), format!("X-Api-Key: {HEADER}"));
    for words in [
        &["discover", &mcp, "--save", "saved"][..],
        &["discover", &mcp, "--format", "json"],
        &["plan", &mcp],
        &["plan", &mcp, "--format", "json"],
        &["init", &mcp, "-"],
        &["init", &mcp, "made.toml"],
    ] {
        let (code, said) = stage.clean(&[words, &["--header", &header, "--trace", "-v"]].concat());
        assert_eq!(code, 0, "{words:?}: {said}");
    }
    let saved = String::from_utf8(stage.read("saved/oauth-authorization-server.json")).unwrap();
    assert!(saved.contains("?k={header 1}"), "{saved}");
    let (code, said) = stage.clean(&["audit", "--offline", "saved"]);
    assert!(code < 4, "what was saved can be read: {said}");
    for format in ["terminal", "json"] {
        let origin = stage.between().origin.clone();
        let asks = ["--issuer", &origin, "--introspection-id", "lab-confidential", "--format", format];
        let (code, said) = stage.clean(&[&["token"], &asks[..]].concat());
        assert!(code < 4 && said.contains("{client_secret 1}"), "{code} {said}");
    }
    stage.files_are_clean_but(&[]);
}
