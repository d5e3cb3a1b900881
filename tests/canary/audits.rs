//! Whole audits: every format, every file, every stream, and what is made of a saved report afterwards.

use oaudit::lab::LabOptions;

use crate::stage::{HEADER, Stage, mode};

const FORMATS: [&str; 8] = ["terminal", "json", "sarif", "junit", "markdown", "html", "github", "har"];

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"oaudit"}}}"#;

/// Both users, everybody who has a secret, and a route.
pub(crate) fn configuration(more: &str) -> String {
    format!(
        "omnibus_scopes = [\"x\"]\n{more}[client_confidential]\nid = \"lab-confidential\"\n\
         [introspection]\nid = \"lab-confidential\"\n[login]\nusername = \"alice\"\n[login_b]\nusername = \"bob\"\n\
         [[resource.route]]\nmethod = \"POST\"\npath = \"/mcp\"\nscope = \"notes:write\"\nbody = '{CALL}'\n"
    )
}

/// Audits with every format, and looks at everything that there is afterwards.
fn audited(stage: &Stage, further: &[&str]) {
    let target = stage.mcp();
    let header = format!("X-Api-Key: {HEADER}");
    let outputs: Vec<String> = FORMATS.iter().map(|format| format!("{format}=report.{format}")).collect();
    let mut arguments = vec!["audit", &target, "-v", "--trace", "--evidence", "--header", &header];
    arguments.extend(["--vault-out", "vault.json", "--write-baseline", "baseline.json", "--logs", "server.log"]);
    outputs.iter().for_each(|output| arguments.extend(["-o", output]));
    arguments.extend(further);
    stage.write("server.log", "nothing of interest\n");
    let output = stage.command(&arguments).env("GITHUB_STEP_SUMMARY", stage.path("summary.md")).output().unwrap();
    let (code, said) = stage.looked_at("the audit", &output);
    assert!([0, 1, 3].contains(&code), "{code}: {said}");
    assert!(said.contains("/token 200"), "the trace tells of the token endpoint: {said}");
    let vault = stage.read("vault.json");
    assert!(stage.looker().find(&vault).is_some(), "the canary is asleep: nothing is found in the vault");
    assert_eq!(mode(&stage.path("vault.json")), 0o600);
    assert!(stage.read("report.json").windows(8).any(|w| w == b"{header "), "the header was repeated, and hidden");
    assert!(!stage.read("summary.md").is_empty());
    stage.files_are_clean_but(&["vault.json", "session.json", "client.pem"]);

    for format in FORMATS {
        stage.clean(&["report", "report.json", "--format", format]);
    }
    stage.clean(&["diff", "report.json", "report.json"]);
    // What is found in logs is told by its name.
    let looker = stage.looker();
    stage.write("server.log", &String::from_utf8_lossy(&vault));
    let output = stage.run(&["logs", "server.log", "--run", "vault.json"]);
    assert_eq!(output.status.code(), Some(1));
    looker.assert_clean("oaudit logs", [output.stdout, output.stderr].concat());
    stage.clean(&["logs", "server.log", "--format", "json"]);
    stage.clean(&["logs", "report.json", "--run", "server.log"]);
}

#[test]
fn an_audit_with_every_format() {
    let stage = Stage::new(LabOptions::default());
    stage.write("oaudit.toml", &configuration(""));
    audited(&stage, &["--proxy", &stage.proxy()]);
}

/// Opaque tokens; a saved session; a client that signs.
#[test]
fn an_audit_by_a_session_and_a_key() {
    let (pair, jwks) = key();
    let stage = Stage::new(LabOptions { opaque: true, client_jwks: Some(jwks), ..LabOptions::default() });
    let pem = pair.serialize_pem();
    stage.write("client.pem", &pem);
    let client =
        "[client]\nid = \"lab-signer\"\nauth = \"private_key_jwt\"\nkey_file = \"client.pem\"\nkey_id = \"k\"\n";
    stage.write("oaudit.toml", &configuration(client));
    let (code, said) = stage.clean(&["login", &stage.mcp(), "--save", "session.json", "-v", "--trace"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(mode(&stage.path("session.json")), 0o600);
    assert!(stage.looker().find(&stage.read("session.json")).is_some(), "a session is what it is for");
    audited(&stage, &["--session", "session.json"]);
    assert!(stage.sent("client_assertion").len() > 10, "assertions were looked for");
    // The key is not among what the lab knows.
    let body: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let mut looker = stage.looker();
    pem.lines().filter(|line| line.len() > 12 && !line.starts_with("--")).for_each(|line| looker.add("key", line));
    looker.add("key", &body);
    for file in stage.files().iter().filter(|file| !file.ends_with("client.pem")) {
        let known = ["vault.json", "session.json", "server.log"].iter().any(|name| file.ends_with(name));
        if !known {
            looker.assert_clean(&file.display().to_string(), std::fs::read(file).unwrap());
        }
    }
    assert!(!String::from_utf8_lossy(&stage.read("vault.json")).contains(&body), "it is never sent, and not there");
}

/// Faults that make the server say what it should not.
#[test]
fn an_audit_of_a_server_that_leaks() {
    let faults = ["token-error-echoes", "token-beside-code", "redirect-query-ignored", "token-in-client-uri"];
    let faults = faults.map(str::to_owned).to_vec();
    let stage = Stage::new(LabOptions { faults, ..LabOptions::default() });
    stage.write("oaudit.toml", &configuration(""));
    audited(&stage, &[]);
}

pub(crate) fn key() -> (rcgen::KeyPair, serde_json::Value) {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let (x, y) = pair.public_key_raw()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let set = serde_json::json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y }] });
    (pair, set)
}
