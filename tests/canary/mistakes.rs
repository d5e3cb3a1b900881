//! Mistakes: a secret that stands where its name was due, and files that are taken for others, are not repeated in errors.

use oaudit::lab::LabOptions;

use crate::audits::key;
use crate::looking::{Looker, forms};
use crate::ran::{code, stderr, stdout};
use crate::stage::{Stage, WRONG};

/// A password that could be the name of a variable, of a file or of a program.
const PLAIN: &str = "hunter2hunter3hunter4";
/// A token that could be one as well.
const CAPITALS: &str = "JBSWY3DPEHPK3PXPGEZDGNBV";

fn looker(more: &[&str]) -> Looker {
    let mut looker = Looker::sparing(&[]);
    let given = [PLAIN, CAPITALS, WRONG].into_iter().chain(more.iter().copied());
    given.for_each(|secret| looker.add("what was typed", secret));
    // Asleep it would be with fewer.
    forms(WRONG).iter().for_each(|form| looker.add("a form of what was typed", form));
    looker
}

fn refused(stage: &Stage, words: &[&str], more: &[&str]) {
    let output = stage.run(words);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!((2..=4).contains(&code(&output)), "{words:?}: {said}");
    assert!(!stderr(&output).is_empty());
    looker(more).assert_clean(&format!("{words:?}"), said);
}

#[test]
fn a_secret_in_the_configuration() {
    let stage = Stage::new(LabOptions::default());
    let quoted = toml_string(WRONG);
    let mut texts = Vec::new();
    for secret in [format!("\"{PLAIN}\""), format!("\"{CAPITALS}\""), quoted.clone(), PLAIN.into(), CAPITALS.into()] {
        for (table, key) in [
            ("client", "secret_env"),
            ("client", "secret"),
            ("client", "client_secret"),
            ("client", "key"),
            ("client", "key_file"),
            ("login", "password_env"),
            ("login", "password"),
            ("login", "password_file"),
            ("login", "totp_env"),
            ("login", "totp"),
            ("login_b", "password_env"),
            ("login_b", "password_file"),
            ("login_b", "totp_env"),
            ("introspection", "secret_env"),
            ("client_confidential", "secret_env"),
            ("client_b", "secret_env"),
        ] {
            let named = match (table, key) {
                ("client", "key_file") => "id = \"x\"\nauth = \"private_key_jwt\"\n",
                ("client", "secret_env") => "id = \"x\"\nauth = \"client_secret_basic\"\n",
                ("login", "totp_env") => "",
                ("login" | "login_b", _) => "username = \"alice\"\n",
                _ => "id = \"x\"\n",
            };
            texts.push(format!("[{table}]\n{named}{key} = {secret}\n"));
            let inline = named.trim().replace('\n', ", ");
            let comma = if inline.is_empty() { "" } else { ", " };
            texts.push(format!("{table} = {{ {inline}{comma}{key} = {secret}, bogus = 1 }}\n"));
        }
    }
    texts.extend([
        format!("[login]\ncommand = {}\n", toml_string(&format!("sign-in 'x {PLAIN}"))),
        format!("[wire]\nproxy = \"http://u:{PLAIN}@a.example:x\"\n"),
        format!("[wire]\nproxy = \"http://u:{PLAIN}@a.example\"\n"),
        format!("target = \"http://u:{PLAIN}@127.0.0.1:9/\"\n"),
        format!("[login]\nwebdriver_url = \"http://u:{PLAIN}@127.0.0.1:9/\"\n"),
        format!("[[login.page]]\nmatch = \"*\"\nsteps = [{{ fill = \"auto:password\", with = \"{PLAIN}\" }}]\n"),
        // A file that holds nothing but a secret.
        format!("{PLAIN}\n"),
        format!("{WRONG}\n"),
    ]);
    for text in &texts {
        stage.write("oaudit.toml", text);
        refused(&stage, &["audit", "http://127.0.0.1:9/mcp"], &[]);
        refused(&stage, &["audit", "http://127.0.0.1:9/mcp", "--format", "json"], &[]);
    }
    // What is in force is printed, and a name that is none is not.
    stage.write(
        "oaudit.toml",
        &format!(
            "[login]\nusername = \"a\"\npassword_env = \"{PLAIN}\"\ntotp_env = \"{CAPITALS}\"\n\
         password_file = \"{PLAIN}\"\n"
        ),
    );
    let output = stage.run(&["audit", "--print-config"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    looker(&[]).assert_clean("--print-config", output.stdout);
}

fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[test]
fn a_secret_on_the_command_line() {
    let stage = Stage::new(LabOptions::default());
    let (url, header) = (format!("http://u:{PLAIN}@127.0.0.1:9/"), format!("X-Key {WRONG}"));
    let strange = format!("X Key {PLAIN}: x");
    let command = format!("sign-in 'x {PLAIN}");
    let bad_port = format!("http://u:{PLAIN}@127.0.0.1:port/");
    let bad_scheme = format!("ftp://u:{PLAIN}@a.example/");
    let password = format!("--password={PLAIN}");
    let target = "http://127.0.0.1:9/mcp";
    for words in [
        &["audit", target, "--header", &header][..],
        &["audit", target, "--header", &strange],
        &["audit", target, "--proxy", &bad_port],
        &["audit", target, "--proxy", &bad_scheme],
        &["audit", target, "--proxy", PLAIN],
        &["audit", target, "--webdriver-url", &bad_scheme],
        &["audit", target, "--login-command", &command],
        &["audit", target, &password],
        &["audit", target, "--password", PLAIN],
        &["audit", target, "--client-secret", PLAIN],
        &["audit", target, PLAIN],
        &["audit", target, "--username", "a", "--password-env", PLAIN],
        &["audit", target, "--username", "a", "--password-file", PLAIN],
        &["audit", target, "--client-id", "x", "--client-auth", "client_secret_post", "--client-secret-env", CAPITALS],
        &["audit", target, "--client-id", "x", "--client-auth", "private_key_jwt", "--client-key", PLAIN],
        &["audit", target, "--client-secret-env", PLAIN],
        &["audit", target, "--client-b-id", "x", "--client-b-secret-env", PLAIN],
        &["audit", target, "--confidential-client-id", "x", "--confidential-secret-env", CAPITALS],
        &["audit", target, "--access-token-env", PLAIN],
        &["audit", target, "--refresh-token-env", WRONG],
        &["audit", target, "--client-cert", PLAIN],
        &["audit", &url],
        &["audit", &bad_port],
        &["audit", target, "--issuer", &url],
        &["audit", target, "--resource", &url],
        &["plan", &url],
        &["login", &url, "--save", "x"],
        &["discover", &url],
        &["discover", &url, "--format", "json"],
        &["scopes", &url],
        &["init", &url, "-"],
        &["token", "--issuer", &url],
        &["token", "--jwks", &url],
        &["token", "a", PLAIN],
        &["token", "--issuer", "http://127.0.0.1:9", "--introspection-id", "x", "--introspection-secret-env", CAPITALS],
    ] {
        refused(&stage, words, &[]);
    }
    let mut totp = stage.command(&["audit", target, "--username", "alice"]);
    let output = totp.env("OAUDIT_TOTP_SECRET", WRONG).output().unwrap();
    assert_eq!(code(&output), 2);
    looker(&[]).assert_clean("a TOTP secret", output.stderr);
    assert!(!stage.path("x").exists());
}

/// Files with secrets, taken for something else.
#[test]
fn one_file_for_another() {
    let stage = Stage::new(LabOptions::default());
    let (pair, _) = key();
    let pem = pair.serialize_pem();
    stage.write("key.pem", &pem);
    let cookie = "c00kie-of-a-saved-session-993817";
    let session = format!("{{\"cookies\": [{{\"name\": \"sid\", \"value\": \"{cookie}\", \"domain\": 7}}]}}");
    stage.write("session.json", &session);
    stage.write("token.txt", &format!("{PLAIN}\n"));
    let secrets: Vec<&str> = pem.lines().filter(|l| !l.starts_with("--") && l.len() > 12).chain([cookie]).collect();
    let target = "http://127.0.0.1:9/mcp";
    for file in ["key.pem", "session.json", "token.txt"] {
        let baseline = ["audit", target, "--baseline", file];
        for words in [
            &["audit", target, "--config", file][..],
            &["audit", target, "--session", file],
            &["audit", target, "--ca", file],
            &["audit", target, "--client-cert", file],
            &baseline,
            &["report", file],
            &["diff", file, file],
            &["logs", file, "--run", file],
            &["token", "--jwks", file],
            &["lab", "--client-jwks", file],
            &["cleanup", file],
        ] {
            refused(&stage, words, &secrets);
        }
        if file != "key.pem" {
            refused(&stage, &["audit", target, "--client-key", file], &secrets);
        }
    }
}
