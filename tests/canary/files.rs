//! Files that hold secrets: nobody else can read them at any time, whatever the umask, and what is in them is what is
//! needed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use oaudit::lab::LabOptions;
use serde_json::Value;

use crate::stage::{Stage, mode};

const JOURNALS: &str = ".local/state/oaudit";

fn is_journal(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|extension| extension == "journal")
}

/// Looks at the modes of every file and folder until the work is done: there is no moment at which others can read.
#[test]
fn no_file_with_secrets_is_open_to_others_at_any_time() {
    let stage = Stage::new(LabOptions { latency: Duration::from_millis(10), ..LabOptions::default() });
    let mcp = stage.mcp();
    // Those of an earlier run, open to all, are replaced by others.
    let earlier = ["vault.json", "session.json"];
    for name in earlier {
        let path = stage.write(name, "{}");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    }
    let mut seen: BTreeMap<PathBuf, u32> = BTreeMap::new();
    let runs: [&[&str]; 2] = [
        &["login", &mcp, "--username", "alice", "--save", "session.json"],
        &["audit", &mcp, "--username", "alice", "--vault-out", "vault.json", "--select", "refresh/*"],
    ];
    for arguments in runs {
        let mut child = stage.command(arguments).spawn().unwrap();
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "{arguments:?}");
            for folder in [stage.home.path().to_owned(), stage.path(JOURNALS)] {
                let Ok(entries) = std::fs::read_dir(&folder) else { continue };
                for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
                    // It may have got its name or have been taken away meanwhile.
                    let Ok(there) = std::fs::metadata(&path) else { continue };
                    let mode = std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o777;
                    let old = there.len() == 2 && earlier.iter().any(|name| path.ends_with(name));
                    if !old {
                        seen.insert(path, mode);
                    }
                }
            }
            std::thread::sleep(Duration::from_micros(300));
        }
        let (code, said) = stage.looked_at("a run", &child.wait_with_output().unwrap());
        assert!([0, 3].contains(&code), "{code}: {said}");
    }
    for name in earlier {
        seen.insert(stage.path(name), mode(&stage.path(name)));
    }
    let open: Vec<_> = seen.iter().filter(|(_, mode)| **mode != 0o600).collect();
    assert!(open.is_empty(), "{open:?}");
    // The new files before they had their names, and a journal, were among them.
    let names: Vec<String> = seen.keys().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for part in [".vault.json.", ".session.json.", ".journal"] {
        assert!(names.iter().any(|name| name.contains(part)), "{part} was not seen: {names:?}");
    }
}

/// The journal of a run that was killed holds what `cleanup` needs, and nothing else that is secret.
#[test]
fn a_journal_holds_what_it_takes_to_clean_up() {
    let stage = Stage::new(LabOptions { latency: Duration::from_millis(20), ..LabOptions::default() });
    let mcp = stage.mcp();
    stage.write("oaudit.toml", &crate::audits::configuration(""));
    let mut child = stage.command(&["audit", &mcp]).spawn().unwrap();
    let began = Instant::now();
    let lab = &stage.between().lab;
    while lab.registered_clients().len() < 2 || lab.live_grants() < 3 {
        assert!(began.elapsed() < Duration::from_secs(30) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    let (_, _) = stage.looked_at("the audit", &child.wait_with_output().unwrap());
    let journals: Vec<PathBuf> = stage.files().into_iter().filter(|path| is_journal(path)).collect();
    let [journal] = journals.as_slice() else { panic!("one journal, but {journals:?}") };
    assert_eq!((mode(journal), mode(journal.parent().unwrap())), (0o600, 0o700));
    let text = std::fs::read_to_string(journal).unwrap();
    assert!(stage.looker().find(text.as_bytes()).is_some(), "it has tokens to be revoked");
    // Members by name: a new one has to be thought about.
    let mut members: Vec<String> = Vec::new();
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    lines.iter().for_each(|line| names(line, "", &mut members));
    members.sort();
    members.dedup();
    let known = [
        "format",
        "held/client/id",
        "held/client/token",
        "held/client/uri",
        "held/grant/access_token",
        "held/grant/expires_in",
        "held/grant/refresh_token",
        "held/grant/sender/auth",
        "held/grant/sender/id",
        "held/grant/sender/secret",
        "named",
        "number",
        "revocation_endpoint",
        "run",
        "started_at",
        "version",
    ];
    let strange: Vec<&String> = members.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?} of {members:?}");
    for word in ["wonderland", "looking-glass", "code_verifier", "lab_session", "id_token"] {
        assert!(!text.contains(word), "{word}");
    }
    // A line that cannot be read is not quoted; the rest is cleaned up, and nothing of it is shown.
    let broken = journal.with_file_name("0123456789abcdef.journal");
    let (first, rest) = text.split_once('\n').unwrap();
    std::fs::write(&broken, format!("{first}\n{}\n", rest.lines().next().unwrap().replace('{', "["))).unwrap();
    for words in [&["cleanup", "-v", "--format", "json"][..], &["cleanup"], &["cleanup", "--forget"]] {
        let (code, said) = stage.clean(words);
        assert!(code <= 5, "{said}");
    }
    assert_eq!((lab.registered_clients().len(), lab.live_grants()), (0, 0));
    stage.files_are_clean_but(&[&format!("{JOURNALS}/0123456789abcdef.journal")]);
}

fn names(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let slash = if at.is_empty() { "" } else { "/" };
            names(value, &format!("{at}{slash}{name}"), found);
        }),
        _ => found.push(at.to_owned()),
    }
}
