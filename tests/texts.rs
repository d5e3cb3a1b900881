//! The words of the command line, word for word: help, and what is said to mistakes. `UPDATE=1 cargo test --test texts`
//! writes the files anew: read the difference before it is committed.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;

const COMMANDS: [&str; 18] = [
    "audit",
    "demo",
    "discover",
    "plan",
    "login",
    "token",
    "cleanup",
    "checks",
    "explain",
    "scopes",
    "logs",
    "report",
    "diff",
    "init",
    "schema",
    "lab",
    "completions",
    "man",
];

/// Mistakes, by the name of the file that has the answer.
const MISTAKES: [(&str, &[&str]); 11] = [
    ("no-command", &[]),
    ("unknown-command", &["audti"]),
    ("unknown-flag", &["audit", "--selct", "pkce/*"]),
    ("missing-target", &["audit"]),
    ("unknown-check", &["explain", "pkce/requird"]),
    ("unknown-selection", &["audit", "http://127.0.0.1:1/", "--no-journal", "--select", "pkc/*"]),
    ("bad-url", &["audit", "htp://api.example.com"]),
    ("unknown-profile", &["checks", "--profile", "chatgtp"]),
    ("unknown-fault", &["demo", "--fault", "no-rotatoin"]),
    ("unknown-format", &["demo", "--format", "jsn"]),
    ("missing-password", &["audit", "http://127.0.0.1:1/", "--no-journal", "--username", "alice"]),
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli").join(format!("{name}.txt"))
}

/// What is typed, what comes on the two streams, and the exit code.
fn said(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).env_clear().env("COLUMNS", "80").current_dir(folder.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let typed = shlex::try_join(std::iter::once("oaudit").chain(arguments.iter().copied())).unwrap();
    format!(
        "$ {typed}\n{}--- stderr\n{}--- exit code {}\n",
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
        output.status.code().unwrap()
    )
}

fn held(name: &str, text: &str) {
    let path = golden(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == text, "{} is another: UPDATE=1 cargo test --test texts\n{text}", path.display());
}

#[test]
fn help_is_as_it_was_and_fits() {
    let help = |name: &str, arguments: &[&str]| {
        let text = said(arguments);
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name} is wider than 80 columns: {wide:#?}");
        assert!(text.ends_with("--- stderr\n--- exit code 0\n"), "{text}");
        held(name, &text);
    };
    help("help", &["--help"]);
    COMMANDS.iter().for_each(|command| help(&format!("{command}-help"), &[command, "--help"]));
}

#[test]
fn every_command_has_its_help_here() {
    let text = said(&["--help"]);
    let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> =
        listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, COMMANDS);
}

#[test]
fn mistakes_are_answered_as_they_were() {
    for (name, arguments) in MISTAKES {
        let text = said(arguments);
        assert!(text.ends_with("--- exit code 2\n"), "{text}");
        held(name, &text);
    }
}
