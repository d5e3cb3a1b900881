//! Commands of the documentation that ask a server: run against the lab, in the order of their page, with its address in
//! the place of the one that is written.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::{Lab, LabOptions};

use super::commands::{Typed, commands};
use super::markdown::{Page, pages};

const SERVERS: [&str; 2] = ["https://api.example.com/mcp", "https://staging.example.com/mcp"];
const ISSUER: &str = "https://login.example.com";

/// The words with the addresses of the lab; `None` where a person, a browser or a thing of the reader's own is needed.
fn runnable(words: &[String], mcp: &str) -> Option<Vec<String>> {
    let placeholder = |word: &String| word.contains('…') || ["ID", "TARGET", "URL", "FILE"].contains(&word.as_str());
    if words.iter().any(placeholder) {
        return None;
    }
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let mut words: Vec<String> = words[1..]
        .iter()
        .map(|word| {
            let word = if SERVERS.contains(&word.as_str()) { mcp } else { word };
            word.replace(ISSUER, mcp.trim_end_matches("/mcp"))
        })
        .collect();
    match words.first()?.as_str() {
        "audit" if has("--offline") || has("--print-config") => {}
        "audit" | "login" if ["--username", "--session"].iter().any(|flag| has(flag)) => {
            // It is the command line that is tried here, not every check.
            let short = ["--select", "pkce/required"].map(str::to_owned);
            if words[0] == "audit" && !has("--select") {
                words.extend(short);
            }
        }
        "discover" | "plan" | "init" | "diff" | "report" | "cleanup" | "checks" | "explain" => {}
        _ => return None,
    }
    Some(words)
}

fn run(words: &[String], folder: &Path) -> Output {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(words).current_dir(folder).env_clear().stdin(Stdio::null());
    let variables = [("OAUDIT_PASSWORD", "wonderland"), ("STAGING_PASSWORD", "wonderland")];
    command.envs(variables).env("HOME", folder).env("XDG_STATE_HOME", folder.join("state")).output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[test]
fn commands_that_ask_a_server_do_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lab = runtime.block_on(Lab::start(LabOptions::default())).unwrap();
    let stage = tempfile::tempdir().unwrap();
    // What a reader has from before: a report, and rules.
    let earlier: Vec<String> =
        ["demo", "-q", "--select", "pkce/*", "-o", "json=report.json"].map(str::to_owned).to_vec();
    run(&earlier, stage.path());
    let typed = |page: &Page| -> Vec<Typed> {
        let blocks = page.blocks.iter().filter(|block| ["sh", "console"].contains(&block.language.as_str()));
        blocks.flat_map(|block| commands(block.line, &block.text)).collect()
    };
    let mut seen: Vec<String> = Vec::new();
    for (at, page) in pages(root).iter().enumerate() {
        let folder = stage.path().join(at.to_string());
        for typed in typed(page) {
            let Some(words) = runnable(&typed.words, &lab.mcp()) else { continue };
            if !folder.exists() {
                copy(&root.join("docs/examples/rules"), &folder.join("security/rules"));
                for name in ["report.json", "main.json", "oaudit.json"] {
                    std::fs::copy(stage.path().join("report.json"), folder.join(name)).unwrap();
                }
            }
            let output = run(&words, &folder);
            let said = String::from_utf8_lossy(&output.stderr);
            let place = format!("{}:{}: oaudit {}", page.file, typed.line, words.join(" "));
            // The lab is sound; saved documents leave something undecided.
            let fine: &[i32] = if words.iter().any(|word| word == "--offline") { &[0, 3] } else { &[0] };
            assert!(
                output.status.code().is_some_and(|code| fine.contains(&code)),
                "{place}: {}\n{said}",
                output.status
            );
            seen.push(words[0].clone());
        }
    }
    runtime.block_on(lab.stop());
    for command in ["audit", "discover", "plan", "init", "diff", "report", "cleanup", "checks", "explain", "login"] {
        assert!(seen.iter().any(|ran| ran == command), "no {command} of the documentation was run");
    }
}
