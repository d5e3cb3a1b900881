//! The completions and the manual pages: complete, and valid for whoever reads them, as far as those are installed.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]
#![expect(clippy::print_stderr, reason = "what was not run is said")]

use std::io::Write;
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;

fn run(arguments: &[&str]) -> String {
    let output =
        Command::cargo_bin("oaudit").unwrap().args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a program finds nothing wrong with a text on its standard input; `None` if it is not installed.
fn accepts(program: &str, arguments: &[&str], text: &str) -> Option<bool> {
    let child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        eprintln!("not run: {program} is not on this machine");
        return None;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Some(child.wait().unwrap().success())
}

#[test]
fn every_shell_gets_a_script_that_it_can_read() {
    for (shell, program, arguments) in [
        ("bash", "bash", &["-n"][..]),
        ("zsh", "zsh", &["-n"]),
        ("fish", "fish", &["--no-execute"]),
        ("nushell", "nu", &["--stdin", "--commands", "$in | nu-check"]),
        (
            "powershell",
            "pwsh",
            &["-NoProfile", "-Command", "[scriptblock]::Create([Console]::In.ReadToEnd()) | Out-Null"],
        ),
    ] {
        let script = run(&["completions", shell]);
        for word in ["audit", "offline", "completions", "save"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        assert_ne!(accepts(program, arguments, &script), Some(false), "{shell} does not take its own script");
    }
}

#[test]
fn the_ids_of_checks_are_completed() {
    for shell in ["bash", "zsh", "fish", "nushell"] {
        let script = run(&["completions", shell]);
        for check in oaudit::checks::ALL {
            assert!(script.contains(check.card().id), "{shell} does not complete {}", check.card().id);
        }
    }
}

#[test]
fn bash_completes_as_one_types() {
    let script = run(&["completions", "bash"]);
    let ask = |words: &[&str], current: &str| {
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let last = words.len() - 1;
        let before = words.get(last.wrapping_sub(1)).cloned().unwrap_or_default();
        let asked = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={last}; COMPREPLY=()\n_oaudit oaudit '{current}' {before}\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" ")
        );
        let output = Command::new("bash").args(["--norc", "-c", &asked]).stdin(Stdio::null()).output();
        output.map(|output| String::from_utf8(output.stdout).unwrap())
    };
    let Ok(explained) = ask(&["oaudit", "explain", "pkce/r"], "pkce/r") else {
        eprintln!("not run: bash is not on this machine");
        return;
    };
    assert!(explained.contains("pkce/required"), "{explained}");
    assert!(ask(&["oaudit", "audit", "--select", "pkce/r"], "pkce/r").unwrap().contains("pkce/required"));
    assert!(ask(&["oaudit", "audit", "--off"], "--off").unwrap().contains("--offline"));
}

#[test]
fn there_is_a_page_for_every_command() {
    let main = run(&["man"]);
    assert!(main.contains(".TH oaudit 1") && main.contains("oaudit\\-audit(1)"), "{main}");
    assert_ne!(accepts("groff", &["-k", "-man", "-Tutf8"], &main), Some(false));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("man1");
    run(&["man", "--dir", path.to_str().unwrap()]);
    for command in ["audit", "discover", "explain", "completions", "man", "diff"] {
        let page = std::fs::read_to_string(path.join(format!("oaudit-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"), "{command}");
    }
    assert!(std::fs::read_to_string(path.join("oaudit-audit.1")).unwrap().contains("offline"));
}
