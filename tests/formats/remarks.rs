//! What a reader must know about a run, that certificates were not checked or that a waiver has ended, stands in every
//! report of it: each format may be the only one that somebody gets to see.

use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::{Lab, LabOptions};
use oaudit::report::terminal::{self, Look};
use oaudit::report::{Report, github, har, html, json, junit, markdown, sarif};

use crate::fixture::mixed;

const REMARKS: [&str; 4] = [
    "certificates were not verified (--insecure)",
    "the waiver of pkce/required (oaudit.toml 7) has ended on 2026-01-01",
    "the waiver of code/single-use (oaudit.toml 11) is stale",
    "the issuer was guessed",
];

fn formats(report: &Report) -> [(&'static str, String); 9] {
    let look = Look { width: 200, color: false, evidence: false, quiet: false, links: false };
    [
        ("terminal", terminal::render(report, &look)),
        ("terminal, quiet", terminal::render(report, &Look { quiet: true, ..look })),
        ("json", json::render(report)),
        ("sarif", sarif::render(report, "oaudit.toml")),
        ("junit", junit::render(report)),
        ("markdown", markdown::render(report)),
        ("html", html::render(report)),
        ("github", github::render(report)),
        ("har", har::render(report)),
    ]
}

/// The text without the ways in which formats write a character.
fn read(text: &str) -> String {
    let named = [("&#x2f;", "/"), ("&#40;", "("), ("&#41;", ")"), ("&#95;", "_"), ("&#58;", ":")];
    named.iter().fold(text.to_owned(), |text, (written, is)| text.replace(written, is))
}

#[test]
fn every_remark_is_in_every_format() {
    let mut report = mixed();
    report.remarks = REMARKS.map(str::to_owned).to_vec();
    let mut nothing_looked_at = report.clone();
    nothing_looked_at.checks.clear();
    for report in [report, nothing_looked_at] {
        for (format, text) in formats(&report) {
            for remark in REMARKS {
                assert!(read(&text).contains(remark), "{format} does not say: {remark}\n{text}");
            }
        }
    }
}

/// The same of a real run: without verification, with a waiver that has ended and one that nothing needs.
#[test]
fn a_run_records_what_it_was_told_to_overlook() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lab = runtime.block_on(Lab::start(LabOptions::default())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let waivers = "[[waive]]\ncheck = \"pkce/required\"\nreason = \"known\"\nuntil = \"2020-01-01\"\n\
        [[waive]]\ncheck = \"pkce/verifier-enforced\"\nreason = \"known\"\n";
    std::fs::write(folder.path().join("oaudit.toml"), waivers).unwrap();
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(["audit", &lab.mcp(), "--username", "alice", "--insecure", "--select", "pkce/*", "--format", "json"]);
    let files = ["terminal", "sarif", "junit", "markdown", "html", "github", "har"];
    command.args(files.iter().flat_map(|format| ["-o".to_owned(), format!("{format}={format}")]));
    command.current_dir(folder.path()).env_clear().env("OAUDIT_PASSWORD", "wonderland").env("COLUMNS", "200");
    let output = command.stdin(Stdio::null()).output().unwrap();
    runtime.block_on(lab.stop());
    let report = json::read(&String::from_utf8(output.stdout).unwrap()).unwrap();
    for words in ["--insecure", "2020-01-01", "pkce/verifier-enforced"] {
        assert!(report.remarks.iter().any(|remark| remark.contains(words)), "{words} {:?}", report.remarks);
    }
    for format in files {
        let text = read(&std::fs::read_to_string(folder.path().join(format)).unwrap());
        for remark in &report.remarks {
            assert!(text.contains(remark.as_str()), "{format} does not say: {remark}\n{text}");
        }
    }
}
