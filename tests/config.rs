//! The configuration as a user meets it: its layers, its mistakes, and whole audits that it drives.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

#[path = "support/ran.rs"]
mod ran;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oaudit::lab::{Lab, LabOptions};
use ran::{code, stderr, stdout};
use serde_json::Value;

/// A lab on a runtime of its own, for a binary that runs beside it.
struct Served {
    lab: Option<Lab>,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    fn with(faults: &[&str]) -> Self {
        let faults = faults.iter().map(|n| (*n).to_owned()).collect();
        Self::by(LabOptions { faults, ..LabOptions::default() })
    }

    fn by(options: LabOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let lab = runtime.block_on(Lab::start(options)).unwrap();
        Self { lab: Some(lab), runtime }
    }

    fn mcp(&self) -> String {
        self.lab.as_ref().unwrap().mcp()
    }

    fn origin(&self) -> String {
        self.mcp().trim_end_matches("/mcp").to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let lab = self.lab.take().unwrap();
        self.runtime.block_on(lab.stop());
    }
}

/// A folder with an oaudit.toml.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("oaudit.toml"), text).unwrap();
    folder
}

fn run_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {}", stderr(output)))
}

fn check<'r>(report: &'r Value, id: &str) -> &'r Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id} is not in the report"))
}

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"oaudit"}}}"#;

/// An audit of a lab, told by a file alone.
fn whole(served: &Served) -> String {
    format!(
        "target = \"{}\"\nprofile = \"mcp\"\nowner_authorized = true\nomnibus_scopes = [\"notes:read\"]\n\
         [introspection]\nid = \"lab-confidential\"\nsecret_env = \"ASKER\"\n\
         [login]\nusername = \"alice\"\npassword_file = \"secret/password\"\n\
         [[resource.route]]\nmethod = \"POST\"\npath = \"/mcp\"\nscope = \"notes:write\"\nbody = '{CALL}'\n\
         [checks]\nselect = [\"resource/*\", \"house/*\", \"authorization/code-flow-works\"]\ndirs = [\"rules\"]\n",
        served.mcp()
    )
}

const RULE: &str = "title = \"The token is known\"\ndocument = \"introspection\"\n\
    requires = [{ document = \"house\", section = \"7\", level = \"must\" }]\n\
    impact = \"low\"\nwhy = \"Because.\"\nremediation = \"Do it.\"\n\n[[expect]]\nat = \"/active\"\nexists = true\n\n\
    [[example]]\nverdict = \"pass\"\ngiven = '{ \"active\": 1 }'\n\n[[example]]\nverdict = \"fail\"\ngiven = '{}'\n";

fn stage(text: &str) -> tempfile::TempDir {
    let folder = folder(text);
    for (name, text) in [("secret/password", "wonderland\n"), ("rules/known.toml", RULE)] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const ASKER: [(&str, &str); 1] = [("ASKER", "lab-confidential-secret-0123456789")];

#[test]
fn a_file_alone_drives_an_audit() {
    for (fault, result, exit) in [(None, "pass", 3), (Some("scope-not-enforced"), "fail", 1)] {
        let served = Served::with(fault.as_slice());
        let folder = stage(&format!("# staging\n\n{}", whole(&served)));
        let arguments = ["audit", "--format", "json", "-o", "sarif=r.sarif", "-o", "html=r.html"];
        let output = run_in(folder.path(), &arguments, &ASKER);
        let report = report(&output);
        let written = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(written("r.html").contains("<h4>Why it matters</h4>\n<p>Because.</p>"), "the page of a rule");
        let log: Value = serde_json::from_str(&written("r.sarif")).unwrap();
        let place = |result: &Value| result["locations"][0]["physicalLocation"]["region"]["startLine"].clone();
        let places: Vec<Value> = log["runs"][0]["results"].as_array().unwrap().iter().map(place).collect();
        assert!(
            places.iter().all(|line| line == 3) && places.is_empty() == (exit == 3),
            "the line of target: {places:?}"
        );
        let enforced = check(&report, "resource/scope-enforced");
        assert_eq!(enforced["result"], result, "{enforced}");
        assert_eq!(report["profile"]["name"], "mcp");
        assert_eq!(code(&output), exit, "{}", stderr(&output));
        // The client of [introspection] is not the one that the token was issued to: the lab tells it nothing.
        assert_eq!(check(&report, "house/known")["verdict"], "inconclusive");
        let exchanges = report["exchanges"].as_array().unwrap();
        let asked = exchanges.iter().find(|e| e["request"]["url"].as_str().unwrap().ends_with("/introspect"));
        assert!(asked.is_some(), "it was asked");
        assert!(stderr(&output).contains("configured by oaudit.toml in this folder"));
        for secret in ["wonderland", "lab-confidential-secret"] {
            assert!(!stdout(&output).contains(secret) && !stderr(&output).contains(secret));
        }
    }
}

/// Clients, users and pages as the file alone tells of them.
#[test]
fn a_file_knows_every_client_and_both_users() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let (x, y) = pair.public_key_raw()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let set = serde_json::json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y }] });
    let served = Served::by(LabOptions { client_jwks: Some(set), ..LabOptions::default() });
    // The steps know the first user's name, and nothing else does; the second user's page is its own.
    let page = |table: &str, name: &str| {
        format!(
            "[[{table}.page]]\nmatch = \"*/authorize\"\nsteps = [\
             {{ fill = \"css:input[name=username]\", with = \"{name}\", optional = true }}, \
             {{ fill = \"auto:password\", with = \"{{password}}\", optional = true }}, \
             {{ click = \"text:Sign in\", optional = true }}, {{ click = \"text:Allow\", optional = true }}]\n"
        )
    };
    let users = format!(
        "[login]\nagent = \"form\"\nusername = \"nobody\"\n{}[login_b]\nusername = \"bob\"\npassword_file = \"secret/bob\"\n{}",
        page("login", "alice"),
        page("login_b", "{username}")
    );
    let signer =
        "[client]\nid = \"lab-signer\"\nauth = \"private_key_jwt\"\nkey_file = \"client.pem\"\nkey_id = \"k\"\n";
    let public = "[client]\nid = \"lab-public\"\n[client_b]\nid = \"lab-public-b\"\n\
        [client_confidential]\nid = \"lab-confidential\"\nsecret_env = \"CONFIDENTIAL\"\n";
    let variables = [("OAUDIT_PASSWORD", "wonderland"), ("CONFIDENTIAL", "lab-confidential-secret-0123456789")];
    for (client, id) in [(signer, "refresh/works"), (public, "token/secret-required")] {
        let select = format!("select = [\"resource/session-bound-to-user\", \"{id}\"]");
        let folder = folder(&format!("target = \"{}\"\n[checks]\n{select}\n{client}{users}", served.mcp()));
        std::fs::create_dir(folder.path().join("secret")).unwrap();
        std::fs::write(folder.path().join("secret/bob"), "looking-glass\n").unwrap();
        std::fs::write(folder.path().join("client.pem"), pair.serialize_pem()).unwrap();
        let output = run_in(folder.path(), &["audit", "--format", "json"], &variables);
        let report = report(&output);
        for id in [id, "resource/session-bound-to-user"] {
            assert_eq!(check(&report, id)["result"], "pass", "{}\n{}", check(&report, id), stderr(&output));
        }
        assert_eq!(report["summary"]["logins"], 2);
        for secret in ["wonderland", "looking-glass", "lab-confidential-secret", "PRIVATE KEY", "client_assertion=eyJ"]
        {
            assert!(!stdout(&output).contains(secret) && !stderr(&output).contains(secret), "{secret}");
        }
        let plan = run_in(folder.path(), &["plan"], &variables);
        assert_eq!(code(&plan), 0, "{}", stderr(&plan));
        // Without a second user the check says what to write.
        let text = std::fs::read_to_string(folder.path().join("oaudit.toml")).unwrap();
        let (alone, _) = text.split_once("[login_b]").unwrap();
        std::fs::write(folder.path().join("oaudit.toml"), alone).unwrap();
        let output = run_in(folder.path(), &["audit", "--format", "json"], &variables);
        let report = self::report(&output);
        let bound = check(&report, "resource/session-bound-to-user");
        assert_eq!(bound["result"], "not-run");
        assert!(bound["how_to_run"].as_str().unwrap().contains("[login_b]"), "{bound}");
    }
}

/// A route that is called by POST is called by POST throughout.
#[test]
fn a_route_is_called_as_the_file_says() {
    let served = Served::with(&[]);
    let folder = folder(
        "[resource]\nmethod = \"POST\"\nbody = '{\"text\": \"oaudit\"}'\n[checks]\nselect = [\"resource/*\", \
         \"resource_metadata/*\"]\n[login]\nusername = \"alice\"\n",
    );
    let api = format!("{}/api/notes", served.origin());
    let output = run_in(folder.path(), &["audit", &api, "--format", "json"], &[("OAUDIT_PASSWORD", "wonderland")]);
    let report = report(&output);
    assert_eq!(check(&report, "resource/accepts-valid-token")["result"], "pass", "{}", stderr(&output));
    let worst = report["checks"].as_array().unwrap().iter().filter(|c| c["verdict"] == "fail").count();
    assert_eq!(worst, 0, "{}", report["checks"]);
    let called = |e: &&Value| e["request"]["url"] == api.as_str() && e["check"] != "discovery";
    let exchanges = report["exchanges"].as_array().unwrap();
    let called: Vec<&Value> = exchanges.iter().filter(called).collect();
    assert!(called.len() > 5 && called.iter().all(|e| e["request"]["method"] == "POST"), "{called:?}");
    let plan = run_in(folder.path(), &["plan", &api], &[("OAUDIT_PASSWORD", "wonderland")]);
    assert!(stdout(&plan).contains("whatever POST"), "{}{}", stdout(&plan), stderr(&plan));
}

#[test]
fn flags_change_what_the_file_says() {
    let served = Served::with(&[]);
    let folder = stage(&whole(&served));
    // From elsewhere, by name; relative paths stay those of the file.
    let file = folder.path().join("oaudit.toml");
    let elsewhere = tempfile::tempdir().unwrap();
    let arguments = ["audit", "--format", "json", "--profile", "oauth2.1", "--select", "resource/*"];
    let variables = [ASKER[0], ("OAUDIT_CONFIG", file.to_str().unwrap())];
    let output = run_in(elsewhere.path(), &arguments, &variables);
    assert_eq!(code(&output), 0, "{}{}", stderr(&output), stdout(&output));
    let report = report(&output);
    assert_eq!(report["profile"]["name"], "oauth2.1");
    assert_eq!(check(&report, "resource/scope-enforced")["result"], "pass");
    assert!(report["checks"].as_array().unwrap().iter().all(|c| c["topic"] == "resource"));
    assert!(!stderr(&output).contains("configured by"), "who names the file knows it");
}

#[test]
fn every_value_is_printed_with_its_origin() {
    let folder = folder(
        "target = \"https://api.example.com/mcp\"\nprofile = \"mcp\"\nscope = \"a b\"\n\n[client]\nid = \"x\"\n\
         [login]\nusername = \"alice\"\npassword_env = \"PW\"\n[limits]\nscopes = 7\n[checks]\nselect = [\"pkce/*\"]\n\
         [[resource.route]]\npath = \"/a\"\nscope = \"a\"\n[wire]\ntimeout = 20\n[login_b]\nusername = \"carol\"\n\
         [[login.page]]\nmatch = \"*/mfa\"\nsteps = [{ fill = \"auto:totp\", with = \"{totp}\", optional = true }]\n",
    );
    let arguments = [
        "audit",
        "--print-config",
        "--profile",
        "oauth2.1",
        "--proxy",
        "http://me:hunter2@proxy.example:8080",
        "--resolve",
        "a.example:443:10.0.0.7",
    ];
    let variables = [("OAUDIT_USERNAME", "bob"), ("PW", "wonderland")];
    let output = run_in(folder.path(), &arguments, &variables);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    for line in [
        "target = \"https://api.example.com/mcp\"  # oaudit.toml:1",
        "profile = \"oauth2.1\"  # flag --profile",
        "mcp_version = \"2025-11-25\"  # default",
        "# issuer is not set",
        "owner_authorized = false  # default",
        "[client]\nid = \"x\"  # oaudit.toml:6",
        "secret_env = \"OAUDIT_CLIENT_SECRET\"  # default; the secret is not set",
        "username = \"bob\"  # environment OAUDIT_USERNAME",
        "password_env = \"PW\"  # oaudit.toml:9; the secret is set",
        "scopes = 7  # oaudit.toml:11",
        "code_seconds = 600  # default",
        "select = [\"pkce/*\"]  # oaudit.toml:13",
        "[[resource.route]]  # oaudit.toml:14\npath = \"/a\"",
        "timeout = 20  # oaudit.toml:18",
        "[login_b]",
        "username = \"carol\"  # oaudit.toml:20",
        "[[login.page]]  # oaudit.toml:21\nmatch = \"*/mfa\"\nsteps = [{ fill = \"auto:totp\", ",
        "proxy = \"http://proxy.example:8080/\"  # flag --proxy; a password for it is set",
        "resolve = [\"a.example:443:10.0.0.7\"]  # flag --resolve",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for secret in ["wonderland", "hunter2"] {
        assert!(!text.contains(secret));
    }
    // What was printed says the same.
    std::fs::write(folder.path().join("again.toml"), &text).unwrap();
    let again = run_in(folder.path(), &["audit", "--print-config", "--config", "again.toml"], &[]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    for line in ["profile = \"oauth2.1\"", "username = \"bob\"", "scopes = 7", "[[resource.route]]"] {
        assert!(stdout(&again).contains(line), "{line}");
    }
    let empty = tempfile::tempdir().unwrap();
    let bare = stdout(&run_in(empty.path(), &["audit", "--print-config"], &[]));
    assert!(bare.starts_with("# What is in force. There is no configuration file.\n"), "{bare}");
}

#[test]
fn mistakes_end_the_run_before_it_begins() {
    for (text, words) in [
        (
            "\nprofile = \"chatgtp\"\n",
            &["there is no profile chatgtp", "oaudit.toml:2:11", "did you mean chatgpt?"][..],
        ),
        ("[clent]\nid = \"x\"\n", &["oaudit.toml has no key clent", ":1:2", "did you mean client?"]),
        ("[client]\nsecret = \"hunter2\"\n", &["a secret never stands in this file", ":2:1", "secret_env"]),
        ("[login]\npassword = \"hunter2\"\n", &["a secret never stands", ":2:1", "password_env"]),
        ("[[waive]]\ncheck = \"pkce/required\"\n", &["a [[waive]] needs the key reason", ":1:1", "[[waive]]\n"]),
    ] {
        let folder = folder(text);
        for command in
            [&["audit", "http://127.0.0.1:9/mcp"][..], &["demo"], &["checks"], &["scopes", "a"], &["discover"]]
        {
            let output = run_in(folder.path(), command, &[]);
            assert_eq!(code(&output), 2, "{command:?} {}", stderr(&output));
            assert!(output.stdout.is_empty());
            for word in words {
                assert!(stderr(&output).contains(word), "{word}\n{}", stderr(&output));
            }
            assert!(!stderr(&output).contains("hunter2"));
        }
        let output = run_in(folder.path(), &["audit", "http://127.0.0.1:9/mcp", "--format", "json"], &[]);
        let line: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(line["exit_code"], 2);
    }
    let unread = folder("");
    std::fs::write(unread.path().join("oaudit.toml"), b"target = \"\xff\"").unwrap();
    let said = stderr(&run_in(unread.path(), &["audit"], &[]));
    assert!(said.contains("is no UTF-8 text") && said.contains("save it as UTF-8"), "{said}");
    // What is printed is refused where it would be when it is put to use.
    for (text, says) in [
        ("[[waive]]\ncheck = \"refresh/rotatd\"\nreason = \"x\"\n", "refresh/rotated"),
        ("[checks]\ndirs = [\"no-such\"]\n", "--checks"),
    ] {
        let output = run_in(folder(text).path(), &["audit", "--print-config"], &[]);
        assert!(code(&output) == 2 && stderr(&output).contains(says), "{}", stderr(&output));
    }
    let empty = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&["audit", "--config", "no.toml"][..], "no.toml cannot be read"),
        (&["audit"], "there is no TARGET"),
        (&["discover"], "there is no TARGET"),
        (&["scopes"], "there are no scopes"),
        (&["audit", "http://127.0.0.1:9/", "--client-auth", "none"], "--client-id"),
        (&["audit", "http://127.0.0.1:9/", "--confidential-secret-env", "X"], "--confidential-client-id"),
        (&["plan", "http://127.0.0.1:9/", "--confidential-secret-env", "X"], "--confidential-client-id"),
        (&["audit", "http://127.0.0.1:9/", "--client-secret-env", "X"], "add --client-id"),
        (&["audit", "http://127.0.0.1:9/", "--client-b-secret-env", "X"], "--client-b-id"),
        (&["audit", "http://127.0.0.1:9/", "--max-time", "0"], "--max-time"),
        (&["audit", "http://127.0.0.1:9/", "--proxy", "127.0.0.1"], "--proxy"),
        (&["audit", "http://127.0.0.1:9/", "--client-cert", "/no/such.pem"], "/no/such.pem cannot be read"),
        (&["audit", "http://127.0.0.1:9/", "--resolve", "a:b"], "HOST:PORT:ADDR"),
        (&["audit", "http://127.0.0.1:9/", "--rate", "0"], "--rate"),
    ] {
        let output = run_in(empty.path(), arguments, &[]);
        assert_eq!(code(&output), 2, "{arguments:?} {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?} {}", stderr(&output));
    }
    // Secrets that the file names have to be there.
    for text in [
        "[introspection]\nid = \"x\"\n",
        "[client]\nid = \"x\"\nauth = \"client_secret_post\"\n",
        "[client_confidential]\nid = \"x\"\n",
        "[login]\ntotp_env = \"NO_SUCH_SECRET\"\n",
        "[login_b]\nusername = \"bob\"\n",
    ] {
        let folder = folder(&format!("target = \"http://127.0.0.1:9/mcp\"\n{text}"));
        let output = run_in(folder.path(), &["audit"], &[]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains("is not set"), "{}", stderr(&output));
    }
    for (text, words) in [
        ("[client]\nid = \"x\"\nauth = \"private_key_jwt\"\n", "key_file in [client]"),
        ("[client]\nid = \"x\"\nmetadata_url = \"https://x.example/c\"\n", "leave out id or metadata_url"),
        ("[client]\nid = \"x\"\nkey_file = \"no.pem\"\n", "no.pem"),
        ("[client_b]\nsecret_env = \"B\"\n", "B is to hold the secret of the second client"),
        ("[login_b]\nagent = \"session\"\n", "does not say how the second user signs in"),
        ("[login]\nusername = \"a\"\n[login_b]\nusername = \"a\"\n", "are the same user"),
        ("[login]\nagent = \"session\"\n", "--session FILE"),
        ("[login]\nsession = \"none.json\"\n", "none.json"),
        (
            "[login]\nagent = \"form\"\nusername = \"a\"\n[[login.page]]\nmatch = \"*\"\nsteps = [{ press = \"Tab\" }]\n",
            "agent = \"webdriver\" in [login]",
        ),
    ] {
        let folder = folder(&format!("target = \"http://127.0.0.1:9/mcp\"\n{text}"));
        let output = run_in(folder.path(), &["audit"], &[("OAUDIT_PASSWORD", "p"), ("OAUDIT_PASSWORD_B", "q")]);
        assert_eq!(code(&output), 2, "{text}{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{text}{}", stderr(&output));
    }
}

/// Whoever wrote the file spoke for its own target.
#[test]
fn consent_is_for_the_target_of_the_file() {
    let folder = folder("target = \"https://mine.example/mcp\"\nowner_authorized = true\n");
    let own = stdout(&run_in(folder.path(), &["audit", "--print-config"], &[]));
    assert!(own.contains("owner_authorized = true  # oaudit.toml:2"), "{own}");
    let same = stdout(&run_in(folder.path(), &["audit", "https://mine.example/mcp", "--print-config"], &[]));
    assert!(same.contains("owner_authorized = true"), "{same}");
    for elsewhere in [&["https://theirs.example/mcp"][..], &["--issuer", "https://theirs.example"]] {
        let arguments = [&["audit", "--print-config"], elsewhere].concat();
        let text = stdout(&run_in(folder.path(), &arguments, &[]));
        assert!(text.contains("owner_authorized = false"), "{text}");
    }
}

#[test]
fn the_other_commands_go_by_it() {
    let served = Served::with(&[]);
    let folder = stage(&format!(
        "target = \"{}\"\nissuer = \"{}\"\n[limits]\nscopes = 1\n[checks]\ndirs = [\"rules\"]\nselect = [\"house/*\"]\n",
        served.mcp(),
        served.origin()
    ));
    let found = run_in(folder.path(), &["discover", "--format", "json"], &[]);
    assert_eq!(report(&found)["server"]["issuer"], served.origin());
    let scopes = run_in(folder.path(), &["scopes", "a:read", "b:read", "--format", "json"], &[]);
    assert!(
        stdout(&scopes).contains("2 scopes") || report(&scopes)["remarks"].to_string().contains("more than 1"),
        "{}",
        stdout(&scopes)
    );
    let scopes = run_in(folder.path(), &["scopes", "--format", "json"], &[]);
    assert!(report(&scopes)["scopes"].to_string().contains("notes:write"), "{}", stdout(&scopes));
    assert!(stdout(&run_in(folder.path(), &["checks"], &[])).contains("house/known"));
    assert_eq!(code(&run_in(folder.path(), &["explain", "house/known"], &[])), 0);
    let demo = run_in(folder.path(), &["demo", "--sound", "--format", "json"], &[]);
    let demo = report(&demo);
    assert_eq!(demo["checks"].as_array().unwrap().len(), 1, "{}", demo["checks"]);
}

#[test]
fn init_writes_what_audit_reads() {
    let served = Served::with(&[]);
    let folder = tempfile::tempdir().unwrap();
    let printed = run_in(folder.path(), &["init", &served.mcp(), "-"], &[]);
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let text = stdout(&printed);
    for line in [
        format!("target = \"{}\"", served.mcp()),
        format!("# issuer = \"{}\"", served.origin()),
        "# Found: the resource metadata names it.".into(),
        "# This server registers clients by itself: leave it out.".into(),
        "# [client]".into(),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!folder.path().join("oaudit.toml").exists());
    let written = run_in(folder.path(), &["init", &served.mcp()], &[]);
    assert_eq!((code(&written), stdout(&written).as_str()), (0, ""), "{}", stderr(&written));
    let again = run_in(folder.path(), &["init"], &[]);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("is there already") && stderr(&again).contains("--force"));
    let select = ["audit", "--username", "alice", "--select", "pkce/required", "-q"];
    let audited = run_in(folder.path(), &select, &[("OAUDIT_PASSWORD", "wonderland")]);
    assert_eq!(code(&audited), 0, "{}{}", stdout(&audited), stderr(&audited));
    assert_eq!(code(&run_in(folder.path(), &["init", "--force"], &[])), 0);
    assert!(!std::fs::read_to_string(folder.path().join("oaudit.toml")).unwrap().contains(&served.mcp()));
    let nobody = run_in(folder.path(), &["init", "http://127.0.0.1:9/mcp", "other.toml"], &[]);
    assert_eq!(code(&nobody), 4, "{}", stderr(&nobody));
    assert!(!folder.path().join("other.toml").exists());
    assert!(stdout(&run_in(folder.path(), &["init", "-"], &[])).contains("# target = "));
}

/// Every key that stands in the file of `init` as a comment, in force.
#[test]
fn every_key_arrives() {
    let empty = tempfile::tempdir().unwrap();
    let drafted = stdout(&run_in(empty.path(), &["init", "-"], &[]));
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    let folder = folder(&drafted.lines().map(line).collect::<String>());
    let (rules, example) = (folder.path().join("security/rules/tokens"), "tokens/short_lived.toml");
    std::fs::create_dir_all(&rules).unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/rules");
    std::fs::copy(examples.join(example), rules.join("short_lived.toml")).unwrap();
    let printed = run_in(folder.path(), &["audit", "--print-config"], &[]);
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    for line in stdout(&printed).lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with('[')) {
        // The values of a route, a page and a waiver stand under the place of their table.
        let keys = ["method", "path", "scope", "body", "content_type", "match", "steps", "approve", "deny"];
        let of_table =
            keys.iter().chain(&["check", "reason", "until", "target", "owner"]).any(|key| line.starts_with(key));
        assert!(line.contains("  # oaudit.toml:") || of_table, "{line}");
    }
    let nothing = self::folder("[checks]\nselect = []\nignore = []\ndirs = []\n[wire]\ninsecure = true\n");
    let printed = stdout(&run_in(nothing.path(), &["audit", "--print-config"], &[]));
    assert!(printed.contains("insecure = true  # oaudit.toml:6") && printed.contains("select = []"), "{printed}");
    let demo = run_in(nothing.path(), &["demo", "--sound", "-q", "--select", "pkce/required"], &[]);
    assert_eq!(code(&demo), 0, "{}", stderr(&demo));
}

/// The schema names every member of a real report, and takes it.
#[test]
fn a_real_report_is_as_the_schema_says() {
    fn closed(schema: &mut Value) {
        match schema {
            Value::Object(members) => {
                members.values_mut().for_each(closed);
                if members.contains_key("properties") {
                    members.insert("additionalProperties".into(), false.into());
                }
            }
            Value::Array(items) => items.iter_mut().for_each(closed),
            _ => {}
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let published = run_in(folder.path(), &["schema", "report"], &[]);
    let mut schema: Value = serde_json::from_slice(&published.stdout).unwrap();
    closed(&mut schema);
    let validator = jsonschema::validator_for(&schema).unwrap();
    for arguments in [&["demo", "--format", "json"][..], &["audit", "http://127.0.0.1:9/", "--format", "json"]] {
        let report = report(&run_in(folder.path(), arguments, &[]));
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).take(5).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    }
    let config = run_in(folder.path(), &["schema", "config"], &[]);
    assert_eq!(report(&config)["additionalProperties"], false);
}

/// What a budget cuts off is undecided: it turns no sound server red, and no report complete.
#[tokio::test]
async fn a_budget_is_no_verdict() {
    for budget in [3, 8, 15, 30, 60, 100, 150] {
        let lab = support::lab(&[], &[]).await;
        let mut options = support::as_alice();
        options.wire.limits.requests = Some(budget);
        let report = support::audit_of(&lab.mcp(), options).await;
        assert!(support::red(&report).is_empty(), "{budget}: {}", support::trouble(&report));
        assert!([3, 4].contains(&report.summary.exit_code), "{budget}: {}", report.summary.exit_code);
        assert!(report.remarks.iter().any(|remark| remark.contains("--max-requests")));
        lab.stop().await;
    }
}

/// A proxy on this machine that answers everything with 404, and tells the first line of each request.
fn proxy() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    // By its name, which the guard would not let a target lead to.
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut heard = [0; 4096];
            let n = stream.read(&mut heard).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&heard[..n]).lines().next().unwrap_or_default().to_owned());
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (url, told)
}

#[test]
fn proxies_are_taken_from_flag_file_and_environment() {
    let (url, told) = proxy();
    let target = "http://api.oaudit.invalid/mcp";
    let folder = folder(&format!("[wire]\nproxy = \"{url}\"\n"));
    let empty = tempfile::tempdir().unwrap();
    for (folder, arguments, variables) in [
        (empty.path(), &["discover", target][..], &[("http_proxy", url.as_str())][..]),
        (empty.path(), &["discover", target, "--proxy", &url], &[]),
        (folder.path(), &["discover", target], &[]),
    ] {
        let output = run_in(folder, arguments, variables);
        let heard = told.try_iter().next();
        assert_eq!(heard.as_deref(), Some("GET http://api.oaudit.invalid/mcp HTTP/1.1"), "{}", stderr(&output));
        told.try_iter().for_each(drop);
    }
}
