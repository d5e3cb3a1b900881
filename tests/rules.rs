//! A user's rules: loaded from folders, run beside the built-in checks, shown like them, refused where they are wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::check::AnyCheck;
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::secret::Secret;
use oaudit::registration::Configured;
use oaudit::report::{Report, ResultKind, VerdictKind};
use oaudit::rule::load_all;
use oaudit::run::Options;
use support::{as_alice, audit_of, lab, line, trouble};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/rules")
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// A rule that holds if the condition does, for what `a` is in its examples.
fn rule(document: &str, condition: &str, passes: &str, fails: &str) -> String {
    format!(
        "title = \"Ours\"\ndocument = \"{document}\"\n\
         requires = [{{ document = \"house\", section = \"7\", level = \"must\" }}]\n\
         impact = \"low\"\nwhy = \"Because.\"\nremediation = \"Do it.\"\n\n[[expect]]\n{condition}\n\n\
         [[example]]\nverdict = \"pass\"\ngiven = '{passes}'\n\n[[example]]\nverdict = \"fail\"\ngiven = '{fails}'\n"
    )
}

fn load(folder: &Path) -> Vec<&'static dyn AnyCheck> {
    load_all(&[folder.to_owned()], oaudit::checks::ALL).unwrap()
}

async fn house(lab: &Lab, folder: &Path, mut options: Options) -> Report {
    options.further = load(folder);
    options.selection.select = vec!["house/*".into()];
    audit_of(&lab.mcp(), options).await
}

#[tokio::test]
async fn the_examples_of_the_documentation_run() {
    let further = load(&examples());
    let ids: Vec<&str> = further.iter().map(|c| c.card().id).collect();
    assert_eq!(ids, ["house/one-origin", "house/scopes-named", "house/tokens/short-lived"]);
    let lab = lab(&["expires-in-string"], &[]).await;
    let report = audit_of(&lab.mcp(), Options { further, ..as_alice() }).await;
    assert_eq!(line(&report, "house/one-origin").result, ResultKind::Pass, "{}", trouble(&report));
    assert_eq!(line(&report, "house/scopes-named").result, ResultKind::Pass);
    let failed = line(&report, "house/tokens/short-lived");
    assert_eq!((failed.result, failed.topic), (ResultKind::Fail, "house"));
    assert!(failed.message.starts_with("expires_in: it is \""), "{}", failed.message);
    assert_eq!(failed.broken.as_ref().unwrap().citation, "house rules, \"tokens 1\"");
    let evidence = report.exchanges.iter().find(|e| failed.evidence.contains(&e.id)).unwrap();
    assert!(evidence.request.url.ends_with("/token"));
    assert_eq!(report.checks.last().unwrap().id, "house/tokens/short-lived", "ours first, then theirs");
}

#[tokio::test]
async fn every_document_can_be_looked_at() {
    let there = |at: &str| format!("at = \"{at}\"\nexists = true");
    let one = |document: &str, at: &str| {
        let member = at.trim_start_matches('/');
        rule(document, &there(at), &format!("{{ \"{member}\": 1 }}"), "{}")
    };
    let folder = folder(&[
        ("resource.toml", &one("resource-metadata", "/resource")),
        ("server.toml", &one("server-metadata", "/issuer")),
        ("openid.toml", &one("openid-configuration", "/issuer")),
        ("jwks.toml", &one("jwks", "/keys")),
        ("token.toml", &one("token-response", "/access_token")),
        ("access.toml", &one("access-token", "/aud")),
        ("identity.toml", &one("id-token", "/sub")),
        ("introspection.toml", &one("introspection", "/active")),
        ("nested/again.toml", &one("introspection", "/scope")),
        (".hidden/bad.toml", "no rule"),
        ("README.md", "no rule"),
    ]);
    let lab = lab(&[], &[]).await;
    let configured = Some(Configured {
        id: "lab-confidential".into(),
        secret: Some(Secret::new("lab-confidential-secret-0123456789")),
        auth: None,
    });
    // Who is no public client may ask about its own tokens.
    let report = house(&lab, folder.path(), Options { client: configured.clone(), ..as_alice() }).await;
    for id in ["resource", "server", "jwks", "token", "access"] {
        assert_eq!(line(&report, &format!("house/{id}")).result, ResultKind::Pass, "{id}\n{}", trouble(&report));
    }
    for id in ["openid", "identity"] {
        assert_eq!(line(&report, &format!("house/{id}")).verdict, VerdictKind::NotApplicable, "{id}");
    }
    for id in ["introspection", "nested/again"] {
        assert_eq!(line(&report, &format!("house/{id}")).result, ResultKind::Pass, "{id}\n{}", trouble(&report));
    }
    let asked = report.exchanges.iter().filter(|e| e.request.url.ends_with("/introspect")).count();
    assert_eq!(asked, 1, "once for all rules");
    let mut other = as_alice();
    other.settings.introspection = configured;
    let told_nothing = house(&lab, folder.path(), other).await;
    assert_eq!(line(&told_nothing, "house/introspection").verdict, VerdictKind::Inconclusive);
    let token = &line(&report, "house/token").message;
    assert!(token.contains("{access_token") || token.contains("a string of"), "{token}");
}

#[tokio::test]
async fn an_opaque_token_has_no_claims() {
    let folder = folder(&[("a.toml", &rule("access-token", "at = \"/a\"\nequals = 1", "{ \"a\": 1 }", "{}"))]);
    let lab = Lab::start(LabOptions { opaque: true, ..LabOptions::default() }).await.unwrap();
    let report = house(&lab, folder.path(), as_alice()).await;
    assert_eq!(line(&report, "house/a").verdict, VerdictKind::NotApplicable);
    assert!(line(&report, "house/a").message.contains("opaque"));
}

#[tokio::test]
async fn a_flow_that_does_not_work_leaves_its_documents_inconclusive() {
    let folder = folder(&[("a.toml", &rule("token-response", "at = \"/a\"\nabsent = true", "{}", "{ \"a\": 1 }"))]);
    let lab = lab(&["code-flow-broken"], &[]).await;
    let report = house(&lab, folder.path(), as_alice()).await;
    assert_eq!(line(&report, "house/a").verdict, VerdictKind::Inconclusive);
}

#[test]
fn the_commands_know_the_rules() {
    let folder = examples();
    let folder = folder.to_str().unwrap();
    let list = run(&["checks", "--checks", folder, "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let last = list.as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["id"], &last["level"]), (&"house/tokens/short-lived".into(), &"must".into()));
    let table = text(&run(&["checks", "--checks", folder, "--format", "markdown"]).stdout);
    assert!(table.contains("| `house/one-origin` | Every endpoint stands"), "{table}");
    let page = text(&run(&["explain", "house/one-origin", "--checks", folder]).stdout);
    for part in ["# house/one-origin: Every endpoint", "network 3", "Our firewall", "is on the origin of the issuer"] {
        assert!(page.contains(part), "{page}");
    }
    let built_in = text(&run(&["explain", "server_metadata/s256-advertised"]).stdout);
    assert!(built_in.contains("## How it is judged"));
    let demo = run(&["demo", "--sound", "--checks", folder, "--select", "house/*"]);
    assert_eq!(demo.status.code(), Some(0), "{}", text(&demo.stdout));
    assert!(text(&demo.stdout).contains("house/tokens/short-lived"));
    let unknown = run(&["explain", "house/one-orign", "--checks", folder]);
    assert!(text(&unknown.stderr).contains("did you mean house/one-origin?"));
}

#[test]
fn a_bad_file_ends_the_run_before_it_begins() {
    let good = rule("jwks", "at = \"/a\"\nexists = true", "{ \"a\": 1 }", "{}");
    let bad = folder(&[("a.toml", &good.replace("exists = true", "exist = true"))]);
    let path = bad.path().to_str().unwrap();
    for command in [vec!["demo"], vec!["checks"], vec!["explain", "x/y"], vec!["audit", "http://127.0.0.1:9/mcp"]] {
        let output = run(&[command.as_slice(), &["--checks", path]].concat());
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(output.stdout.is_empty());
        let lines: Vec<&str> = complaint.lines().collect();
        assert_eq!(lines[0], "error: an [[expect]] has no key exist");
        assert!(lines[1].ends_with("a.toml:10:1"), "{complaint}");
        assert_eq!(lines[3..], ["10 | exist = true", "   | ^^^^^", " help: did you mean exists?"]);
    }
    let output = run(&["demo", "--checks", path, "--format", "json"]);
    let complaint: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(complaint["exit_code"], 2);
}

#[test]
fn folders_and_names_are_looked_at_as_well() {
    let good = rule("jwks", "at = \"/a\"\nexists = true", "{ \"a\": 1 }", "{}");
    let (one, other) = (folder(&[("a_b.toml", &good)]), folder(&[("a-b.toml", &good)]));
    let (empty, odd) = (folder(&[]), folder(&[("Ä.toml", &good)]));
    let path = |folder: &tempfile::TempDir| folder.path().to_str().unwrap().to_owned();
    for (arguments, complaint) in [
        (
            vec!["checks".into(), "--checks".into(), path(&one), "--checks".into(), path(&other)],
            "house/a-b would be the id of two",
        ),
        (vec!["checks".into(), "--checks".into(), path(&empty)], "has no rule files"),
        (vec!["checks".into(), "--checks".into(), path(&odd)], "cannot be the id of a check"),
        (vec!["checks".into(), "--checks".into(), "/no/such/folder".into()], "cannot be read"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(complaint), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(" help: "));
    }
}

#[test]
fn a_page_made_of_a_rule_commands_no_terminal() {
    let nasty = rule("jwks", "at = \"/a\"\nexists = true", "{ \"a\": 1 }", "{}").replace("Because.", "\\u001b[2J");
    let folder = folder(&[("a.toml", &nasty)]);
    let output = run(&["explain", "house/a", "--checks", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("[2J") && !text(&output.stdout).contains('\u{1b}'));
}

#[test]
fn the_schema_is_printed() {
    let schema: serde_json::Value = serde_json::from_slice(&run(&["schema", "rule"]).stdout).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(run(&["schema", "rul"]).status.code(), Some(2));
}
