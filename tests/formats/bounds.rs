//! What sites cut or refuse: too many annotations, too long a summary.

use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::report::{ResultKind, github, json, markdown};

use crate::fixture::{large, mixed};

const MEBIBYTE: usize = 1 << 20;

#[test]
fn ten_annotations_and_how_many_more() {
    let text = github::render(&large(200, 10));
    let annotations: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(annotations.len(), 11, "{text}");
    // Failed, warned and noted: three of nine kinds of the report.
    assert_eq!(annotations[10], "::notice title=oaudit::57 more, see the report");
    assert!(annotations[..10].iter().all(|line| line.starts_with("::error ")), "the worst come first: {text}");
    let mut noted = large(90, 10);
    noted.checks.iter_mut().for_each(|line| line.result = ResultKind::Note);
    let text = github::render(&noted);
    // A step shows ten of a level: the sentence that there are more must be among them.
    assert_eq!(text.matches("::notice ").count(), 10, "{text}");
    assert!(text.contains("::notice title=oaudit::81 more"), "{text}");
}

#[test]
fn markdown_has_room_in_a_summary_whatever_comes() {
    let mut report = large(3000, 10);
    let words = "é|<b>&\u{1b}`[x](javascript:1)\n".repeat(2000);
    report.checks.iter_mut().for_each(|line| line.message.clone_from(&words));
    report.checklist = mixed().checklist.into_iter().cycle().take(9000).collect();
    report.left_behind = vec![words.clone(); 9000];
    report.target.resource = Some(words);
    let text = markdown::render(&report);
    assert!(text.len() < MEBIBYTE && text.contains("The rest was cut"), "{}", text.len());
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let short = markdown::within(&mixed(), 2000);
    assert!(short.len() <= 2000 && short.contains("The rest was cut"), "{short}");
}

/// `oaudit report` of a saved report, with a summary file.
fn summarized(before: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (saved, summary) = (folder.path().join("r.json"), folder.path().join("summary.md"));
    std::fs::write(&saved, json::render(&mixed())).unwrap();
    std::fs::write(&summary, before).unwrap();
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.arg("report").arg(&saved).args(["--format", "github"]).env_clear().stdin(Stdio::null());
    let output = command.env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), said, std::fs::read_to_string(&summary).unwrap())
}

#[test]
fn the_summary_of_a_step_is_written_beside_the_annotations() {
    let (code, said, summary) = summarized("earlier\n");
    assert_eq!(code, 0);
    assert!(said.contains("::error title=pkce/verifier-enforced::"), "{said}");
    assert!(summary.starts_with("earlier\n") && summary.contains("## What to fix"), "{summary}");
    // What others wrote counts as well.
    let (code, _, summary) = summarized(&"x".repeat(MEBIBYTE - 1500));
    assert!(code == 0 && summary.len() <= MEBIBYTE, "{}", summary.len());
    let (code, _, summary) = summarized(&"x".repeat(MEBIBYTE - 10));
    assert_eq!((code, summary.len()), (0, MEBIBYTE - 10), "there is no room, and nothing is spoiled");
}

#[test]
fn without_the_variable_there_is_no_summary_and_a_bad_path_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("r.json");
    std::fs::write(&saved, json::render(&mixed())).unwrap();
    let run = |summary: Option<&str>| {
        let mut command = Command::cargo_bin("oaudit").unwrap();
        command.arg("report").arg(&saved).args(["--format", "github"]).env_clear().stdin(Stdio::null());
        command.envs(summary.map(|path| ("GITHUB_STEP_SUMMARY", path))).output().unwrap()
    };
    assert_eq!(run(None).status.code(), Some(0));
    assert_eq!(run(Some("")).status.code(), Some(0));
    let failed = run(Some("/no/such/folder/summary.md"));
    assert_eq!(failed.status.code(), Some(5));
    assert!(String::from_utf8(failed.stderr).unwrap().contains("GITHUB_STEP_SUMMARY"));
}
