//! Where code scanning shows findings: at the line of the target, and at nothing that is made up without a word of it.

use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::report::json;
use serde_json::Value;

use crate::fixture::mixed;

const CONFIG: &str = "# staging\nprofile = \"chatgpt\"\n\ntarget = \"https://api.example.com/mcp\"\n";

/// File and line of the first finding, and whether it is said that there is no such file.
fn place(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (String, u64, bool) {
    std::fs::write(folder.join("r.json"), json::render(&mixed())).unwrap();
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(["report", "r.json", "--format", "sarif"]).args(arguments).current_dir(folder).env_clear();
    let output = command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let places: Vec<&Value> = log["runs"][0]["results"].as_array().unwrap().iter().map(|r| &r["locations"]).collect();
    assert!(!places.is_empty());
    let place = &places[0][0]["physicalLocation"];
    assert!(places.iter().all(|other| other[0]["physicalLocation"] == *place), "one place for all");
    let said = log["runs"][0]["invocations"].to_string().contains("and there is none");
    (place["artifactLocation"]["uri"].as_str().unwrap().into(), place["region"]["startLine"].as_u64().unwrap(), said)
}

#[test]
fn findings_are_shown_at_the_line_of_the_target() {
    let root = tempfile::tempdir().unwrap();
    let workspace = root.path().to_str().unwrap();
    let folder = root.path().join("deploy");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("oaudit.toml"), CONFIG).unwrap();
    let on_github = [("GITHUB_WORKSPACE", workspace)];
    assert_eq!(place(&folder, &[], &on_github), ("deploy/oaudit.toml".into(), 4, false));
    assert_eq!(place(&folder, &[], &[]), ("oaudit.toml".into(), 4, false));
    // The same file by another name keeps its line; another file has none.
    assert_eq!(place(&folder, &["--sarif-anchor", "./oaudit.toml"], &[]), ("./oaudit.toml".into(), 4, false));
    assert_eq!(place(&folder, &["--sarif-anchor", "README.md"], &on_github), ("README.md".into(), 1, false));
    std::fs::write(folder.join("oaudit.toml"), CONFIG.replace("api.", "other.")).unwrap();
    assert_eq!(place(&folder, &[], &on_github), ("deploy/oaudit.toml".into(), 1, false), "it names something else");
}

#[test]
fn without_a_file_the_workflow_is_the_place_and_without_that_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = [
        ("GITHUB_REPOSITORY", "owner/api"),
        ("GITHUB_WORKFLOW_REF", "owner/api/.github/workflows/oauth.yml@refs/heads/main"),
    ];
    assert_eq!(place(folder.path(), &[], &workflow), (".github/workflows/oauth.yml".into(), 1, false));
    assert_eq!(place(folder.path(), &[], &[]), ("oaudit.toml".into(), 1, true));
}
