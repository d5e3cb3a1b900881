//! What is accepted, as a user meets it: waivers in oaudit.toml, baselines, and what every format shows of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

#[path = "support/ran.rs"]
mod ran;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use ran::{code, stderr, stdout};
use serde_json::Value;

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if !text.is_empty() {
        std::fs::write(folder.path().join("oaudit.toml"), text).unwrap();
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("oaudit").unwrap();
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null()).output().unwrap()
}

/// The demo with a server that does not rotate refresh tokens, and few checks.
fn demo(folder: &Path, more: &[&str]) -> Output {
    demo_with(folder, &["no-rotation"], more)
}

fn demo_with(folder: &Path, faults: &[&str], more: &[&str]) -> Output {
    let mut arguments = vec!["demo", "--select", "refresh/rotated", "--select", "server_metadata/s256-advertised"];
    faults.iter().for_each(|fault| arguments.extend(["--fault", *fault]));
    if faults.is_empty() {
        arguments.push("--sound");
    }
    arguments.extend(more);
    run(folder, &arguments)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {}", stderr(output)))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn check<'r>(report: &'r Value, id: &str) -> &'r Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id} is not in the report"))
}

fn remarks(report: &Value) -> String {
    report["remarks"].to_string()
}

fn waiver(more: &str) -> String {
    format!("[[waive]]\ncheck = \"refresh/rotated\"\nreason = \"bound to clients, T-123\"\n{more}")
}

#[test]
fn a_waived_check_counts_for_nothing_and_is_seen_in_every_format() {
    let folder = folder(&waiver("until = 9999-12-31\nowner = \"identity team\"\n"));
    let formats = ["json", "sarif", "junit", "markdown", "html", "github"];
    let files: Vec<String> = formats.iter().map(|format| format!("{format}=r.{format}")).collect();
    let mut more: Vec<&str> = files.iter().flat_map(|file| ["-o", file]).collect();
    more.extend(["--fail-on", "advice"]);
    let output = demo(folder.path(), &more);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let of = |format: &str| read(&folder.path().join(format!("r.{format}")));
    assert!(stdout(&output).contains("WAIVED"), "{}", stdout(&output));
    for (format, words) in [
        ("sarif", "\"suppressions\""),
        ("junit", "<skipped"),
        ("markdown", "WAIVED"),
        ("html", "WAIVED"),
        ("github", "WAIVED refresh/rotated"),
    ] {
        assert!(
            of(format).contains(words) && of(format).contains("bound to clients, T-123"),
            "{format}: {}",
            of(format)
        );
    }
    let report: Value = serde_json::from_str(&of("json")).unwrap();
    let rotated = check(&report, "refresh/rotated");
    assert_eq!((&rotated["result"], &rotated["verdict"]), (&"waived".into(), &"fail".into()));
    assert_eq!(rotated["waiver"]["reason"], "bound to clients, T-123");
    assert_eq!(rotated["waiver"]["until"], "9999-12-31");
    assert_eq!(rotated["waiver"]["owner"], "identity team");
    assert_eq!((&report["summary"]["waived"], &report["summary"]["fail"]), (&1.into(), &0.into()));
    let sarif: Value = serde_json::from_str(&of("sarif")).unwrap();
    let suppression = &sarif["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!((&suppression["kind"], &suppression["status"]), (&"external".into(), &"accepted".into()));
    assert_eq!(suppression["justification"], "bound to clients, T-123");
    assert!(!of("junit").contains("<failure"));
}

#[test]
fn an_expired_waiver_waives_nothing_and_says_so() {
    let folder = folder(&waiver("until = \"2020-01-31\"\n"));
    let output = demo(folder.path(), &["--format", "json"]);
    assert_eq!(code(&output), 1);
    let report = json(&output);
    assert_eq!(check(&report, "refresh/rotated")["result"], "fail");
    assert!(remarks(&report).contains("(oaudit.toml:2) expired after 2020-01-31 and waives nothing"), "{report}");
    assert!(stdout(&demo(folder.path(), &[])).contains("expired after 2020-01-31"));
}

#[test]
fn a_waiver_of_what_holds_is_stale() {
    let folder = folder(&waiver(""));
    let output = demo_with(folder.path(), &[], &["--format", "json"]);
    assert_eq!(code(&output), 0);
    assert!(remarks(&json(&output)).contains("is stale"), "{}", stdout(&output));
}

#[test]
fn a_waiver_for_another_target_is_none_here() {
    let folder = folder(&waiver("target = \"https://api.example.com/mcp\"\n"));
    let output = demo(folder.path(), &["--format", "json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(remarks(&json(&output)), "[]");
}

#[test]
fn what_was_not_found_out_is_not_waived() {
    let folder = folder("[[waive]]\ncheck = \"pkce/required\"\nreason = \"x\"\n");
    let dead = ["audit", "http://127.0.0.1:9/mcp", "--username", "a", "--format", "json"];
    let mut command = Command::cargo_bin("oaudit").unwrap();
    let output = command.args(dead).current_dir(folder.path()).env_clear().env("OAUDIT_PASSWORD", "x");
    let report = json(&output.stdin(Stdio::null()).output().unwrap());
    assert_eq!(check(&report, "pkce/required")["result"], "inconclusive");
    assert_eq!((&report["summary"]["waived"], &report["summary"]["exit_code"]), (&0.into(), &4.into()));
}

#[test]
fn mistakes_in_a_waiver_are_shown_where_they_stand() {
    for (text, words) in [
        ("[[waive]]\ncheck = \"refresh/rotated\"\n", &["a [[waive]] needs the key reason", "oaudit.toml:1:1"][..]),
        ("[[waive]]\ncheck = \"refresh/rotated\"\nreason = \" \"\n", &["this is empty", "oaudit.toml:3:10"]),
        ("[[waive]]\nreason = \"x\"\n", &["a [[waive]] needs the key check"]),
        (
            "[[waive]]\ncheck = \"refresh/rotatd\"\nreason = \"x\"\n",
            &[
                "no check is named refresh/rotatd",
                "oaudit.toml:2:9",
                "^^^^^^^^^^^^^^^^",
                "did you mean refresh/rotated?",
            ],
        ),
        ("[[waive]]\ncheck = \"pkce/*\"\nreason = \"x\"\n", &["no check is named pkce/*", "oaudit.toml:2:9"]),
        (&waiver("until = \"March\"\n"), &["this is no day", "oaudit.toml:4:9"]),
        (&waiver("until = 2027-03-01T10:00:00Z\n"), &["a string is due here", "oaudit.toml:4:9"]),
        (&waiver("until = \"2027-02-30\"\n"), &["this is no day"]),
        (&waiver("untill = \"2027-03-01\"\n"), &["has no key untill", "did you mean until?"]),
    ] {
        let folder = folder(text);
        for command in [&["demo"][..], &["audit", "http://127.0.0.1:9/mcp"]] {
            let output = run(folder.path(), command);
            assert_eq!((code(&output), output.stdout.len()), (2, 0), "{command:?} {}", stderr(&output));
            for word in words {
                assert!(stderr(&output).contains(word), "{word}\n{}", stderr(&output));
            }
        }
    }
}

#[test]
fn with_a_baseline_only_what_is_new_fails() {
    let folder = folder("");
    let at = folder.path();
    let file = at.join("known.json");
    let written = demo(at, &["--write-baseline", "known.json"]);
    assert_eq!(code(&written), 1, "what fails still fails");
    assert!(stderr(&written).contains("known.json is written, 1 entry"), "{}", stderr(&written));
    let baseline: Value = serde_json::from_str(&read(&file)).unwrap();
    assert_eq!((&baseline["schema_version"], &baseline["target"]), (&1.into(), &"oaudit demo".into()));
    let entry = &baseline["entries"][0];
    assert_eq!((&entry["check"], &entry["result"]), (&"refresh/rotated".into(), &"fail".into()));
    let today = entry["first_seen"].as_str().unwrap().to_owned();
    assert_eq!(baseline["created"], today.as_str());

    // Known for a while; the lab is on another port by now.
    std::fs::write(&file, read(&file).replace(&today, "2026-01-15")).unwrap();
    let same = demo(at, &["--baseline", "known.json", "--format", "json"]);
    assert_eq!(code(&same), 0, "{}", stdout(&same));
    let report = json(&same);
    let rotated = check(&report, "refresh/rotated");
    assert_eq!(rotated["result"], "waived");
    assert_eq!(rotated["waiver"]["by"], "baseline");
    let message = rotated["message"].as_str().unwrap();
    assert!(message.starts_with("known for ") && message.contains(" days, since 2026-01-15 (known.json)"), "{message}");

    let faults = ["no-rotation", "s256-unadvertised"];
    let new = demo_with(at, &faults, &["--baseline", "known.json", "--format", "json"]);
    assert_eq!(code(&new), 1);
    let report = json(&new);
    assert_eq!(check(&report, "refresh/rotated")["result"], "waived");
    assert_eq!(check(&report, "server_metadata/s256-advertised")["result"], "fail");

    // Written again, what was known keeps its day.
    let again = demo_with(at, &faults, &["--write-baseline", "known.json"]);
    assert_eq!(code(&again), 1);
    let text = read(&file);
    assert!(text.contains("2026-01-15") && text.contains(&today) && text.contains("server_metadata/"), "{text}");

    // One of two is fixed: it is said, and taken out when the baseline is written again, with both flags at once.
    let both = ["--baseline", "known.json", "--write-baseline", "known.json", "--format", "json"];
    let fixed = demo_with(at, &["s256-unadvertised"], &both);
    assert_eq!(code(&fixed), 0, "{}", stdout(&fixed));
    let told = remarks(&json(&fixed));
    assert!(told.contains("fixed since the baseline: refresh/rotated") && told.contains("--write-baseline"), "{told}");
    assert!(!read(&file).contains("refresh/rotated") && read(&file).contains("server_metadata/s256-advertised"));

    // What is not looked at stays in it.
    let narrow = run(at, &["demo", "--sound", "--select", "refresh/rotated", "--write-baseline", "known.json"]);
    assert_eq!(code(&narrow), 0);
    assert!(read(&file).contains("server_metadata/s256-advertised"));
}

/// Redirect URIs, client identifiers and states are others in each run.
#[test]
fn what_is_drawn_anew_in_each_run_is_known_again() {
    let folder = folder("");
    let run = |flag: &str| {
        let select =
            ["demo", "--select", "redirect_uri/*", "--select", "hygiene/no-secret-in-url", "--fail-on", "advice"];
        let faults = ["--fault", "redirect-any-host", "--fault", "implicit-alive", flag, "known.json"];
        run(folder.path(), &[&select[..], &faults].concat())
    };
    assert_eq!(code(&run("--write-baseline")), 1);
    assert!(read(&folder.path().join("known.json")).matches("first_seen").count() > 5);
    let again = run("--baseline");
    assert_eq!(code(&again), 0, "{}", stdout(&again));
}

#[test]
fn a_baseline_that_cannot_be_used_is_one_clear_error() {
    let folder = folder("");
    let at = folder.path();
    let good = r#"{"schema_version":1,"created":"2026-11-26","target":"https://a.example/mcp","entries":[]}"#;
    let elsewhere = "is the baseline of https://a.example/mcp, and this is an audit of http://127.0.0.1:9/mcp";
    for (name, text, words) in [
        ("other.json", good, elsewhere),
        ("bad.json", "{", "this is no baseline of oaudit"),
        ("list.json", "[]", "this is no baseline of oaudit"),
        ("bare.json", r#"{"schema_version":1}"#, "it has no entries"),
        ("later.json", r#"{"schema_version":2,"entries":[]}"#, "version 2"),
    ] {
        std::fs::write(at.join(name), text).unwrap();
        for flag in ["--baseline", "--write-baseline"] {
            let output = run(at, &["audit", "http://127.0.0.1:9/mcp", "--no-journal", flag, name]);
            assert_eq!((code(&output), output.stdout.len()), (2, 0), "{name} {}", stderr(&output));
            assert!(stderr(&output).contains(&format!("error: {flag} {name}: ")), "{}", stderr(&output));
            assert!(stderr(&output).contains(words), "{words}\n{}", stderr(&output));
            assert_eq!(stderr(&output).lines().count(), 2, "an error and what to do: {}", stderr(&output));
            assert_eq!(read(&at.join(name)), text, "it is not overwritten");
            let output = run(at, &["audit", "http://127.0.0.1:9/mcp", "--no-journal", flag, name, "--format", "json"]);
            let line: Value = serde_json::from_slice(&output.stderr).unwrap();
            assert_eq!(line["exit_code"], 2);
        }
    }
    let missing = run(at, &["audit", "http://127.0.0.1:9/mcp", "--no-journal", "--baseline", "no.json"]);
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("--baseline no.json: it cannot be read"), "{}", stderr(&missing));
    // Of the same target: the audit begins, stops, and writes nothing.
    std::fs::write(at.join("mine.json"), good.replace("https://a.example", "http://127.0.0.1:9")).unwrap();
    let stopped =
        run(at, &["audit", "http://127.0.0.1:9/mcp/", "--baseline", "mine.json", "--write-baseline", "new.json"]);
    assert_eq!(code(&stopped), 4, "{}", stderr(&stopped));
    assert!(!at.join("new.json").exists() && stderr(&stopped).contains("new.json was not written"));
}

#[test]
fn a_baseline_is_made_of_a_saved_report_and_waivers_show_in_a_diff() {
    let folder = folder("");
    let at = folder.path();
    assert_eq!(code(&demo(at, &["-o", "json=failed.json"])), 1);
    let made = run(at, &["report", "failed.json", "--write-baseline", "known.json", "-q"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let baseline: Value = serde_json::from_str(&read(&at.join("known.json"))).unwrap();
    let report: Value = serde_json::from_str(&read(&at.join("failed.json"))).unwrap();
    assert_eq!(baseline["target"], report["target"]["resource"]);
    assert_eq!(baseline["entries"][0]["check"], "refresh/rotated");
    assert_eq!(code(&run(at, &["report", "failed.json", "--write-baseline", "failed.json"])), 2, "no baseline");

    std::fs::write(at.join("oaudit.toml"), waiver("")).unwrap();
    assert_eq!(code(&demo(at, &["-o", "json=waived.json"])), 0);
    let since = run(at, &["diff", "failed.json", "waived.json"]);
    assert_eq!(code(&since), 0);
    assert!(stdout(&since).contains("Waived since (1)\n  refresh/rotated: FAIL -> WAIVED"), "{}", stdout(&since));
    let still = run(at, &["diff", "waived.json", "waived.json"]);
    assert!(stdout(&still).contains("refresh/rotated: WAIVED -> WAIVED"), "{}", stdout(&still));
    let back = run(at, &["diff", "waived.json", "failed.json"]);
    assert_eq!(code(&back), 1);
    assert!(stdout(&back).contains("New or worse (1)"), "{}", stdout(&back));
    // A saved report is shown with what was waived in it.
    let shown = run(at, &["report", "waived.json"]);
    assert!(stdout(&shown).contains("bound to clients, T-123"), "{}", stdout(&shown));
}

#[test]
fn what_can_be_waived_is_explained() {
    let folder = folder("");
    let page = stdout(&run(folder.path(), &["explain", "refresh/rotated"]));
    assert!(page.contains("[[waive]]\ncheck = \"refresh/rotated\"\nreason = "), "{page}");
    let schema: Value = serde_json::from_slice(&run(folder.path(), &["schema", "baseline"]).stdout).unwrap();
    assert_eq!(schema["properties"]["schema_version"]["const"], 1);
}
