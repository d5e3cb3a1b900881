//! What is judged on saved documents is what is judged on the server that they were saved from, and nothing is sent.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::discovery::{Probing, Target, discover};
use oaudit::document::McpVersion;
use oaudit::lab::{FAULTS, Lab};
use oaudit::plan::Selection;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;
use oaudit::run::offline::audit_saved;
use oaudit::saved::{Saved, write};
use oaudit::wire::{Guard, Wire, WireOptions};
use support::{as_alice, audit_of, lab, line, red, trouble};

/// Saves what discovery finds at a lab, and reads it back.
async fn saved_from(lab: &Lab, folder: &Path) -> Saved {
    let authorities = lab.authority().map(|pem| pem.as_bytes().to_vec()).into_iter().collect();
    let guard = Guard::default().naming(&lab.mcp());
    let wire = Wire::open(WireOptions { guard, authorities, ..WireOptions::default() }).unwrap();
    let found = discover(&wire, &Target::of(lab.mcp()), McpVersion::V20251125, Probing::GetOnly).await.unwrap();
    write(folder, &found, wire.vault()).unwrap();
    Saved::read(folder, None, None).unwrap()
}

async fn offline(lab: &Lab) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let saved = saved_from(lab, folder.path()).await;
    audit_saved(&saved, &Target::default(), Options::default()).await.unwrap()
}

/// The checks that were judged offline.
fn judged(report: &Report) -> BTreeSet<&'static str> {
    report.checks.iter().filter(|c| c.verdict != VerdictKind::NotRun).map(|c| c.id).collect()
}

#[tokio::test]
async fn a_sound_lab_is_sound_offline() {
    let lab = lab(&[], &[]).await;
    let report = offline(&lab).await;
    assert_eq!((report.summary.exit_code, report.summary.requests), (0, 0), "{}", trouble(&report));
    assert!(report.exchanges.is_empty() && report.checks.iter().all(|c| c.evidence.is_empty()));
    let judged = judged(&report);
    assert!(judged.len() >= 27, "{judged:?}");
    assert!(judged.iter().all(|id| line(&report, id).verdict == VerdictKind::Pass), "{}", trouble(&report));
    assert_eq!(report.target.resource.as_deref(), Some(lab.mcp().as_str()));
}

/// The faults that show in documents, and what the lab is asked to show on top.
fn shows_in_documents(breaks: &[&str], sound: &Report) -> bool {
    let judged = judged(sound);
    breaks.iter().any(|id| judged.contains(id) || *id == "server_metadata/jwks-reachable")
}

#[tokio::test]
async fn each_fault_of_documents_is_found_offline_as_it_is_online() {
    let sound = offline(&lab(&[], &[]).await).await;
    // These are seen in how a document is answered, not in the document.
    let of_answers = ["jwks-500"];
    let faults = FAULTS.iter().filter(|fault| {
        shows_in_documents(fault.breaks, &sound) && !fault.needs_tls() && !of_answers.contains(&fault.name)
    });
    let (mut seen, mut wrong) = (0, Vec::new());
    for fault in faults {
        let lab = lab(&[fault.name], &[]).await;
        let offline = offline(&lab).await;
        let judged = judged(&offline);
        // Registration that nobody offers cannot be audited online without a client, and the documents are the same.
        let selection =
            Selection { select: judged.iter().map(|id| (*id).to_owned()).collect(), ..Selection::default() };
        let online = audit_of(&lab.mcp(), Options { selection, ..as_alice() }).await;
        for id in &judged {
            let (off, on) = (line(&offline, id), line(&online, id));
            if (off.verdict, off.level) != (on.verdict, on.level) {
                wrong.push(format!("{} {id}: offline {:?}, online {:?}", fault.name, off.message, on.message));
            }
        }
        let found: BTreeSet<&str> = red(&offline).into_iter().collect();
        let meant = fault.breaks.iter().copied().filter(|id| judged.contains(id)).collect::<BTreeSet<_>>();
        if found != meant || found.is_empty() {
            wrong.push(format!("{}: red are {found:?}, meant are {:?}", fault.name, fault.breaks));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 25, "only {seen} faults were looked at");
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A folder as `discover --save` of the binary leaves it.
fn folder_of(faults: &[&str]) -> (tempfile::TempDir, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let lab = runtime.block_on(lab(faults, &[]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved").display().to_string();
    let output = run(&["discover", &lab.mcp(), "--save", &path]);
    assert!(said(&output).1.contains("saved: "), "{}", said(&output).1);
    runtime.block_on(lab.stop());
    (folder, path)
}

#[test]
fn the_binary_keeps_the_contract_of_exit_codes() {
    let (_folder, sound) = folder_of(&[]);
    let (_other, faulty) = folder_of(&["plain-advertised"]);
    for (arguments, code) in [
        (vec!["--offline", &sound], 0),
        (vec!["--offline", &sound, "--strict"], 3),
        (vec!["--offline", &faulty], 1),
        (vec!["--offline", &faulty, "--fail-on", "never"], 0),
        (vec!["--offline", &faulty, "--select", "pkce/required"], 0),
        (vec!["--offline", &sound, "--select", "no/such"], 2),
        (vec!["https://api.example.com/mcp", "--offline", &sound, "--select", "resource_metadata/*"], 1),
    ] {
        let output = run(&[&["audit"], arguments.as_slice()].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}{}", said(&output).1);
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let (code, text) = said(&run(&["audit", "--offline", "/no/such/folder"]));
    assert!(code == Some(2) && text.contains("/no/such/folder is no folder") && text.contains("--save"), "{text}");
    let (code, text) = said(&run(&["audit", "--offline", &path]));
    assert!(code == Some(2) && text.contains("holds no document"), "{text}");
    std::fs::write(folder.path().join("jwks.json"), "{\"keys\": [\n  {]}").unwrap();
    let (code, text) = said(&run(&["audit", "--offline", &path]));
    assert!(code == Some(2) && text.contains("jwks.json:2:4: "), "{text}");
    let (code, text) = said(&run(&["audit", "--offline", &path, "--format", "json"]));
    let error: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert!(code == Some(2) && error["exit_code"] == 2, "{text}");
}

/// The calls of the binary by which something goes out, as the system saw them; `None` if nobody may look.
fn outward_calls(arguments: &[&str]) -> Option<Vec<String>> {
    const OUTWARD: [&str; 6] = [" socket(", " connect(", " bind(", " listen(", " sendto(", " sendmsg("];
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    let binary = Command::cargo_bin("oaudit").unwrap().get_program().to_owned();
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-e", "trace=network", "-o"]).arg(&calls).arg(binary);
    traced.args(arguments).env("HTTPS_PROXY", "http://127.0.0.1:9").stdin(Stdio::null()).output().ok()?;
    let calls = std::fs::read_to_string(&calls).ok()?;
    let outward = |line: &&str| OUTWARD.iter().any(|call| line.contains(call));
    Some(calls.lines().filter(outward).map(str::to_owned).collect())
}

/// The guard refuses everything; that nobody goes around it, the system says.
#[test]
fn no_socket_is_opened() {
    let (_folder, path) = folder_of(&["plain-advertised"]);
    // What is seen of a command that does ask: where nobody may trace, nothing is.
    let control = outward_calls(&["discover", "http://127.0.0.1:1/"]).unwrap_or_default();
    if control.is_empty() {
        eprintln!("not run: strace is not on this machine, or may not trace");
        return;
    }
    let issuer = "https://as.example.com";
    let calls = outward_calls(&["audit", "https://api.example.com/mcp", "--offline", &path, "--issuer", issuer]);
    assert_eq!(calls.unwrap(), Vec::<String>::new());
}

#[test]
fn findings_are_shown_at_the_document() {
    let (_folder, path) = folder_of(&["plain-advertised"]);
    let output = run(&["audit", "--offline", &path, "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(place.as_str().unwrap().ends_with("oauth-authorization-server.json"), "{place}");
}

/// A key that should be secret stays so where the report is kept, whether it was fetched or read from a file.
#[tokio::test]
async fn a_published_private_key_is_in_no_report() {
    let lab = lab(&["jwks-private-key"], &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let saved = saved_from(&lab, folder.path()).await;
    let key = saved.jwks.as_ref().unwrap().json["keys"][0]["d"].as_str().unwrap().to_owned();
    let offline = audit_saved(&saved, &Target::default(), Options::default()).await.unwrap();
    let selection = Selection { select: vec!["server_metadata/*".into()], ..Selection::default() };
    let online = audit_of(&lab.mcp(), Options { selection, ..as_alice() }).await;
    for report in [&offline, &online] {
        assert_eq!(line(report, "server_metadata/jwks-public-only").verdict, VerdictKind::Fail);
        let json = serde_json::to_string(report).unwrap();
        assert!(!json.contains(&key), "the private key is in the report");
        assert!(json.contains("{private_key 1}"), "what was taken out is not said");
    }
}
