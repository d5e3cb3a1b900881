//! What CI servers are given: the inputs of the action are those that are documented, every flag exists, nothing that is
//! put in is read as shell, and the installer takes no archive that is not what its checksum says.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

#[path = "support/installed.rs"]
mod installed;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use sha2::{Digest, Sha256};

use installed::{Package, or_skip, package};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// The inputs of the action and their defaults, in order. The file is ours: two spaces a level.
fn inputs() -> Vec<(String, String)> {
    let action = text("action.yml");
    let section = action.split("\ninputs:\n").nth(1).unwrap().split("\noutputs:\n").next().unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in section.lines() {
        if let Some(value) = line.strip_prefix("    default: ") {
            found.last_mut().unwrap().1 = value.trim_matches('\'').to_owned();
        } else if line.starts_with("  ") && !line.starts_with("   ") {
            found.push((line.trim().trim_end_matches(':').to_owned(), String::new()));
        }
    }
    found
}

fn help() -> String {
    let output = Command::cargo_bin("oaudit").unwrap().args(["audit", "--help"]).env_clear().output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn flags_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 3).map(str::to_owned).collect()
}

#[test]
fn the_inputs_of_the_action_are_those_that_are_documented() {
    let documented: Vec<(String, String)> = text("docs/ci.md")
        .lines()
        .skip_while(|line| !line.starts_with("| input |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`').to_owned(), cells[1].trim_matches('`').to_owned())
        })
        .collect();
    assert_eq!(documented, inputs(), "left: the table in docs/ci.md, right: inputs of action.yml, with their defaults");
}

/// check-jsonschema carries the schemas of GitHub and GitLab.
static SCHEMAS: Package = package!("ci-schemas" in "schemas": "requirements.txt");

#[test]
fn the_files_for_ci_servers_are_as_their_schemas_say() {
    let Some((_, python)) = or_skip("check-jsonschema", SCHEMAS.of_python()) else { return };
    let held = |schema: &str, files: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "check_jsonschema", "--builtin-schema", schema]).args(files).current_dir(root());
        command.stdin(Stdio::null()).output().unwrap()
    };
    for (schema, files) in [
        ("vendor.github-actions", &["action.yml"][..]),
        ("vendor.github-workflows", &[".github/workflows/ci.yml", ".github/workflows/release.yml"]),
        ("vendor.gitlab-ci", &["ci/gitlab.yml"]),
    ] {
        let output = held(schema, files);
        assert!(output.status.success(), "{schema}: {}", String::from_utf8_lossy(&output.stdout));
    }
    assert!(!held("vendor.github-workflows", &["action.yml"]).status.success(), "a schema says something");
}

#[test]
fn every_input_is_used_and_none_is_used_that_is_not_there() {
    let (action, script) = (text("action.yml"), text("ci/audit.sh"));
    for (input, _) in inputs() {
        assert!(action.contains(&format!("inputs.{input} ")), "action.yml does not use its input {input}");
    }
    let passed: BTreeSet<&str> =
        action.lines().filter_map(|line| line.trim().strip_prefix("INPUT_")?.split(':').next()).collect();
    let read: BTreeSet<&str> =
        script.split("${INPUT_").skip(1).map(|rest| rest.split(&[':', '}']).next().unwrap()).collect();
    let read: BTreeSet<&str> = read.into_iter().chain(["TARGET"]).collect();
    assert_eq!(passed, read, "left: what action.yml hands over, right: what ci/audit.sh reads");
}

#[test]
fn every_flag_of_the_scripts_exists() {
    let help = help();
    // What the flags of other programs are called in these files.
    let others = ["--no-install-recommends", "--uid", "--create-home"];
    let used = ["ci/audit.sh", "ci/gitlab.yml", ".pre-commit-hooks.yaml"].map(|file| flags_in(&text(file)));
    for flag in used.into_iter().flatten().filter(|flag| !others.contains(&flag.as_str())) {
        let known = flags_in(&help).contains(&flag);
        assert!(known, "oaudit audit has no flag {flag}");
    }
}

/// What is interpolated into a script is run by whoever writes the value.
#[test]
fn no_expression_stands_in_a_script() {
    for file in ["action.yml", ".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let mut script: Option<usize> = None;
        for (at, line) in text(file).lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if script.is_some_and(|begun| !line.trim().is_empty() && indent <= begun) {
                script = None;
            }
            if line.trim_start().trim_start_matches("- ").starts_with("run:") {
                script = Some(indent);
            }
            assert!(
                script.is_none() || !line.contains("${{"),
                "{file}:{}: an expression in a script; hand it over by env",
                at + 1
            );
        }
    }
}

#[test]
fn the_scripts_are_sound_shell() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("ci")).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sh"));
    files.push(root().join(".ci/run"));
    for (program, arguments) in [("bash", &["-n"][..]), ("shellcheck", &[])] {
        for file in &files {
            let Ok(output) = Command::new(program).args(arguments).arg(file).output() else {
                eprintln!("not run: {program} is not on this machine");
                break;
            };
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// A stage for a script: a folder with programs of ours in front of the PATH, and the files that a runner has.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn with(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        for (name, script) in programs {
            let path = folder.path().join("bin").join(name);
            std::fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap_or_default()
    }

    fn run(&self, script: &Path, variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .arg(script)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("RUNNER_TEMP", self.folder.path())
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_PATH", self.path("path"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const ECHO: &str = "printf '%s\\n' \"$@\" >arguments; exit 3";

#[test]
fn whatever_is_put_in_is_one_argument() {
    let stage = Stage::with(&[("oaudit", ECHO)]);
    let output = stage.run(
        &root().join("ci/audit.sh"),
        &[
            ("INPUT_TARGET", "https://a.example/$(touch pwned)`touch pwned`;touch pwned"),
            ("INPUT_SELECT", "pkce/*\n\n  code/single-use\r\n"),
            ("INPUT_USERNAME", "alice --yes"),
            ("INPUT_STRICT", "true"),
            ("INPUT_OWNER_AUTHORIZED", "false"),
            ("INPUT_ARGS", "--header\nX-Env: a b\n"),
        ],
    );
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(!stage.path("pwned").exists());
    let arguments = stage.read("arguments");
    let arguments: Vec<&str> = arguments.lines().collect();
    for argument in [
        "--username=alice --yes",
        "--select=pkce/*",
        "--strict",
        "--header",
        "X-Env: a b",
        "https://a.example/$(touch pwned)`touch pwned`;touch pwned",
    ] {
        assert!(arguments.contains(&argument), "{argument} is not among {arguments:#?}");
    }
    assert!(!arguments.contains(&"--yes") && arguments.contains(&"--"));
    assert!(stage.read("output").contains("exit-code=3\n"));
    let wrong = stage.run(&root().join("ci/audit.sh"), &[("INPUT_STRICT", "yes")]);
    assert!(wrong.status.code() == Some(2) && said(&wrong).contains("--strict is true or false, not yes"));
}

#[test]
fn the_action_audits_saved_documents() {
    let stage = Stage::with(&[]);
    let oaudit = Command::cargo_bin("oaudit").unwrap().get_program().to_owned();
    std::os::unix::fs::symlink(&oaudit, stage.path("bin").join("oaudit")).unwrap();
    let metadata = r#"{"issuer": "https://as.example", "code_challenge_methods_supported": ["plain"]}"#;
    std::fs::create_dir(stage.path("docs")).unwrap();
    std::fs::write(stage.path("docs/oauth-authorization-server.json"), metadata).unwrap();
    let output = stage.run(&root().join("ci/audit.sh"), &[("INPUT_OFFLINE", "docs")]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("::error"), "{}", said(&output));
    for report in ["oaudit.json", "oaudit.sarif", "oaudit.xml", "oaudit.html", "oaudit.md"] {
        assert!(stage.path("oaudit-reports").join(report).is_file(), "{report}");
    }
    let summary = stage.read("summary");
    assert!(summary.contains("server_metadata/s256-advertised"));
    assert_eq!(summary.matches("# oaudit: ").count(), 1, "one summary of the step:\n{summary}");
    assert!(stage.read("output").contains("sarif="));
}

/// A release as the installer downloads it: `curl` takes it from a folder.
fn release(sums: impl Fn(&str) -> String) -> Stage {
    let stage = Stage::with(&[
        (
            "curl",
            "while [ $# -gt 2 ]; do [ \"$1\" = --output ] && out=$2; shift; done\n\
             echo \"$2\" >>asked; cp \"release/${2##*/}\" \"$out\"",
        ),
        (
            "cargo",
            "while [ $# -gt 1 ]; do [ \"$1\" = --root ] && root=$2; shift; done\n\
             mkdir -p \"$root/bin\"; printf '#!/bin/sh\\necho built\\n' >\"$root/bin/oaudit\"; chmod +x \"$root/bin/oaudit\"",
        ),
    ]);
    let name = "oaudit-v9.9.9-x86_64-unknown-linux-musl";
    std::fs::create_dir_all(stage.path("release").join(name)).unwrap();
    let program = stage.path("release").join(name).join("oaudit");
    std::fs::write(&program, "#!/bin/sh\necho released\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let archive = stage.path("release").join(format!("{name}.tar.gz"));
    let packed = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(stage.path("release")).arg(name).status();
    assert!(packed.unwrap().success());
    let sum: String = Sha256::digest(std::fs::read(&archive).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
    std::fs::write(stage.path("release/SHA256SUMS"), format!("{}  {name}.tar.gz\n", sums(&sum))).unwrap();
    stage
}

#[test]
fn the_installer_takes_what_its_checksum_says_and_nothing_else() {
    let install = root().join("ci/install.sh");
    let machine =
        [("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64"), ("OAUDIT_REPOSITORY", "owner/oaudit"), ("OAUDIT_SOURCE", ".")];
    let with = |more: &[(&'static str, &'static str)]| [&machine[..], more].concat();

    let sound = release(str::to_owned);
    let output = sound.run(&install, &with(&[("OAUDIT_ACTION_REF", "v9.9.9")]));
    assert!(output.status.success() && said(&output).contains("released"), "{}", said(&output));
    assert!(sound.read("path").trim().ends_with("/oaudit/bin"));
    assert!(sound.read("asked").starts_with("https://github.com/owner/oaudit/releases/download/v9.9.9/oaudit-v9.9.9-"));

    let tampered = release(|_| "0".repeat(64));
    let output = tampered.run(&install, &with(&[("OAUDIT_VERSION", "v9.9.9")]));
    assert!(output.status.code() == Some(5) && said(&output).contains("nothing was installed"), "{}", said(&output));
    assert!(!tampered.path("oaudit/bin/oaudit").exists() && tampered.read("path").is_empty());
    let output = sound.run(&install, &with(&[("OAUDIT_VERSION", "v9.9.9"), ("OAUDIT_SHA256", "00")]));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));

    // There is no such release: it is built, unless a checksum was asked for.
    let output = sound.run(&install, &with(&[("OAUDIT_VERSION", "v1.0.0")]));
    assert!(output.status.success() && said(&output).contains("built"), "{}", said(&output));
    let output = sound.run(&install, &with(&[("OAUDIT_VERSION", "v1.0.0"), ("OAUDIT_SHA256", "00")]));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let output = sound.run(&install, &with(&[("OAUDIT_ACTION_REF", "main")]));
    assert!(output.status.success() && said(&output).contains("built"), "{}", said(&output));
    let output = sound.run(&install, &with(&[("OAUDIT_VERSION", "../../etc")]));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
}

#[test]
fn the_template_for_gitlab_is_one_argument_a_line_as_well() {
    let template = text("ci/gitlab.yml");
    let script = template.split("    - |\n").nth(1).unwrap().split("\n  artifacts:").next().unwrap();
    let script: String =
        script.lines().map(|line| format!("{}\n", line.strip_prefix("      ").unwrap_or(line))).collect();
    let stage = Stage::with(&[("oaudit", ECHO)]);
    std::fs::write(stage.path("job.sh"), script).unwrap();
    let output = stage.run(
        &stage.path("job.sh"),
        &[
            ("OAUDIT_TARGET", "https://a.example/$(touch pwned)"),
            ("OAUDIT_FAIL_ON", "must"),
            ("OAUDIT_ARGS", "--header\nX-Env: $(touch pwned) b\n"),
        ],
    );
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(!stage.path("pwned").exists());
    let arguments = stage.read("arguments");
    for argument in ["--yes", "X-Env: $(touch pwned) b", "https://a.example/$(touch pwned)"] {
        assert!(arguments.lines().any(|line| line == argument), "{argument} is not in\n{arguments}");
    }
}

#[test]
fn the_image_runs_without_rights() {
    let dockerfile = text("Dockerfile");
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch") && last.contains("USER 65532") && last.contains("SSL_CERT_FILE"), "{last}");
    let images = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).map(|rest| rest.split(' ').next());
    for image in images.flatten() {
        assert!(!image.contains('/'), "{image} names a registry");
    }
}
