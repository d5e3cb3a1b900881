//! What each agent does when things happen at the sign-in: one row an agent, run as a user runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use oaudit::front::webdriver::installed;
use oaudit::lab::{Lab, LabOptions};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::person::{Habit, Person};
use crate::program::program;
use crate::{oaudit, tokens_of};
use Cell::{Alike, Alive, Keeps, Leaves, Senseless, Stops};

/// Checks of several stages that sign in more often than the lab's short session lasts, and the one that says no.
const SELECT: [&str; 7] = [
    "authorization/code-flow-works",
    "authorization/denial-reported",
    "code/*",
    "pkce/*",
    "refresh/*",
    "redirect_uri/foreign-host-refused",
    "resource/tampered-token-refused",
];
const DENIAL: &str = "authorization/denial-reported";

/// What an agent does.
#[derive(Debug, Clone, Copy)]
enum Cell {
    /// The verdicts of the form agent at the sound lab, exit code 0. Who can say no decides `DENIAL` as well.
    Alike,
    /// The same, and there was more than one login.
    Alive,
    /// These pass, and of every other it is told what to type to have it run: exit code 0.
    Keeps(&'static [&'static str]),
    /// Nothing is red, this is said once, and the rest is left open: exit code 3.
    Leaves(&'static str),
    /// One message, a hint that names the flag or key to change, exit code 4.
    Stops(&'static str, &'static str),
    /// The combination makes no sense, and why.
    Senseless(#[expect(dead_code, reason = "it is for readers")] &'static str),
}

/// A row.
struct Row {
    agent: &'static str,
    /// A server that does what it should.
    sound: Cell,
    /// What is signed in with is wrong: the password, or what stands in its place.
    wrong: Cell,
    /// The server asks for consent at every authorization.
    consent: Cell,
    /// Whoever signs in says no.
    refused: Cell,
    /// Somebody typed wrong passwords three times, and the login page is another one now.
    wary: Cell,
    /// The session ends in the middle of the run.
    expired: Cell,
}

const WRONG: &str = "the login page came back after user name and password were sent \
                     (it says \"The user name or the password is wrong.\")";
const REFUSED: &str = "the sign-in was refused: the server answered access_denied (it says \"the user said no\")";

const TABLE: [Row; 7] = [
    Row {
        agent: "browser",
        sound: Alike,
        // A person tries again.
        wrong: Alike,
        consent: Alike,
        refused: Stops(REFUSED, "run again and allow access"),
        wary: Alike,
        expired: Alive,
    },
    Row {
        agent: "paste",
        sound: Alike,
        wrong: Alike,
        consent: Alike,
        refused: Stops(REFUSED, "run again and allow access"),
        wary: Alike,
        expired: Alive,
    },
    Row {
        agent: "form",
        sound: Alike,
        wrong: Stops(WRONG, "--username and OAUDIT_PASSWORD"),
        consent: Alike,
        refused: Senseless("it says yes; that it can say no is in its other cells, as authorization/denial-reported"),
        wary: Stops(
            "(200): forms seen: 1 with fields passphrase, identifier, challenge and buttons \"Sign in\"",
            "[[login.page]]",
        ),
        expired: Alive,
    },
    Row {
        agent: "webdriver",
        sound: Alike,
        wrong: Stops(WRONG, "--username and OAUDIT_PASSWORD"),
        consent: Alike,
        refused: Senseless("as form"),
        wary: Stops(
            "(200): forms seen: 1 with fields passphrase, identifier, challenge and buttons \"Sign in\"",
            "[[login.page]]",
        ),
        expired: Alive,
    },
    Row {
        agent: "command",
        sound: Alike,
        wrong: Stops("says that it could not sign in: the login page came back", "--login-command"),
        consent: Alike,
        refused: Stops(REFUSED, "run again and allow access"),
        wary: Stops("env, got no further than a page of the server: 200 Sign in", "--login-command"),
        expired: Alive,
    },
    Row {
        agent: "session",
        sound: Alike,
        wrong: Stops("the saved session is not signed in any more", "oaudit login TARGET --save FILE"),
        consent: Alike,
        refused: Senseless("as form"),
        // It meets no login page.
        wary: Alike,
        expired: Leaves("the saved session ended while the audit ran"),
    },
    Row {
        agent: "token",
        sound: Keeps(&["resource/tampered-token-refused"]),
        wrong: Stops("the resource answers 401 to the access token", "OAUDIT_ACCESS_TOKEN"),
        consent: Senseless("nobody is asked anything"),
        refused: Senseless("nobody is asked anything"),
        wary: Senseless("it meets no login page"),
        expired: Stops("the resource answers 401 to the access token", "OAUDIT_ACCESS_TOKEN"),
    },
];

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Sound,
    Wrong,
    Consent,
    Refused,
    Wary,
    Expired,
}

impl Row {
    fn cells(&self) -> [(Event, Cell); 6] {
        [
            (Event::Sound, self.sound),
            (Event::Wrong, self.wrong),
            (Event::Consent, self.consent),
            (Event::Refused, self.refused),
            (Event::Wary, self.wary),
            (Event::Expired, self.expired),
        ]
    }
}

/// How a run ended.
struct Ran {
    exit: i32,
    report: Value,
    said: String,
    logins: usize,
}

impl Ran {
    fn verdicts(&self) -> BTreeMap<&str, &str> {
        let lines = self.report["checks"].as_array().into_iter().flatten();
        lines.map(|c| (c["id"].as_str().unwrap(), c["verdict"].as_str().unwrap())).collect()
    }

    fn told(&self) -> String {
        let lines = self.report["checks"].as_array().into_iter().flatten();
        let bad = lines
            .filter(|c| c["verdict"] != "pass")
            .map(|c| format!("{} {}: {}\n", c["id"], c["verdict"], c["message"]));
        format!(
            "{}\nstopped: {}\n{}exit {}, {} logins",
            self.said,
            self.report["stopped"],
            bad.collect::<String>(),
            self.exit,
            self.logins
        )
    }
}

async fn check(agent: &str) {
    let row = TABLE.iter().find(|row| row.agent == agent).unwrap();
    let sound = run("form", Event::Sound).await;
    for (event, cell) in row.cells() {
        if let Senseless(_) = cell {
            continue;
        }
        let ran = run(agent, event).await;
        let about = format!("{agent}, {event:?}: {cell:?}\n{}", ran.told());
        assert!(!ran.verdicts().values().any(|v| *v == "fail"), "{about}");
        match cell {
            Alike | Alive => {
                for (id, verdict) in sound.verdicts() {
                    let due = if id == DENIAL && !says_no(agent) { "not-run" } else { verdict };
                    assert_eq!(ran.verdicts().get(id), Some(&due), "{id}: {about}");
                }
                assert_eq!(ran.exit, 0, "{about}");
                let alive = matches!(cell, Alive);
                assert!(if alive { ran.logins > 1 } else { ran.logins <= 1 }, "{about}");
                assert!(ran.report["stopped"].is_null(), "{about}");
            }
            Keeps(pass) => {
                assert_eq!(ran.exit, 0, "{about}");
                for line in ran.report["checks"].as_array().unwrap() {
                    let passes = pass.contains(&line["id"].as_str().unwrap());
                    assert_eq!(line["result"], if passes { "pass" } else { "not-run" }, "{about}");
                    assert_eq!(line["how_to_run"].is_string(), !passes, "{about}");
                }
            }
            Leaves(says) => {
                assert_eq!(ran.exit, 3, "{about}");
                let remarks = ran.report["remarks"].to_string();
                assert_eq!(remarks.matches(says).count(), 1, "{about}\n{remarks}");
            }
            Stops(says, hint) => {
                assert_eq!(ran.exit, 4, "{about}");
                let stopped = &ran.report["stopped"];
                assert!(stopped["error"].as_str().is_some_and(|error| error.contains(says)), "{about}");
                assert!(stopped["hint"].as_str().is_some_and(|it| it.contains(hint)), "{about}");
                let lines = ran.said.lines().filter(|line| line.starts_with("{\"error\":")).count();
                assert_eq!(lines, 1, "one message: {about}");
            }
            Senseless(_) => {}
        }
        assert!(!ran.said.contains("wonderland") && !ran.report.to_string().contains("wonderland"), "{about}");
    }
}

/// Who can press the button that says no in place of the person.
fn says_no(agent: &str) -> bool {
    ["form", "webdriver", "session", "command"].contains(&agent)
}

/// One audit of a lab of its own.
async fn run(agent: &str, event: Event) -> Ran {
    let quirks: &[&str] = match event {
        Event::Consent => &["consent-every-time"],
        Event::Wary => &["wary-login"],
        Event::Expired => &["session-ends"],
        Event::Sound | Event::Wrong | Event::Refused => &[],
    };
    let quirks = quirks.iter().map(|quirk| (*quirk).to_owned()).collect();
    // A token that was supplied has no session to end: it expires by itself.
    let access_seconds = (agent == "token" && event == Event::Expired).then_some(1);
    let lab = Lab::start(LabOptions { quirks, access_seconds, ..LabOptions::default() }).await.unwrap();
    let target = lab.mcp();
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["audit".to_owned(), target.clone(), "--agent".into(), agent.into()];
    let mut environment: Vec<(&str, String)> = Vec::new();
    match agent {
        "form" | "webdriver" => {
            arguments.extend(["--username".into(), "alice".into()]);
            environment
                .push(("OAUDIT_PASSWORD", if event == Event::Wrong { "looking-glass" } else { "wonderland" }.into()));
        }
        "browser" => arguments.push("--no-open".into()),
        "command" => {
            let act = match event {
                Event::Wrong => "wrong",
                Event::Refused => "deny",
                _ => "cookies",
            };
            arguments.extend(["--login-command".into(), shell(&program(act).run), "--username".into(), "alice".into()]);
        }
        "session" => {
            let file = session(&lab, folder.path(), event == Event::Wrong).await;
            arguments.extend(["--session".into(), file]);
        }
        "token" => {
            let access = match event {
                Event::Wrong => "x.y.z".to_owned(),
                _ => tokens_of(&lab, "lab-public").await.0.expose().to_owned(),
            };
            if event == Event::Expired {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            environment.push(("OAUDIT_ACCESS_TOKEN", access));
        }
        _ => {}
    }
    if event == Event::Wary {
        for _ in 0..3 {
            let unsaved = folder.path().join("unsaved.json");
            let login = ["login", &target, "--username", "alice", "--save", unsaved.to_str().unwrap()];
            let output = oaudit(&login, &[("OAUDIT_PASSWORD", "looking-glass")]).await;
            assert_eq!(output.status.code(), Some(4));
        }
    }
    let before = lab.logins();
    arguments.extend(["--yes".into(), "--format".into(), "json".into()]);
    arguments.extend(SELECT.iter().flat_map(|id| ["--select".to_owned(), (*id).to_owned()]));
    let mut command = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    command.args(arguments).env_clear().envs(kept()).envs(environment).kill_on_drop(true);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let habit = match event {
        Event::Wrong => Habit::Mistypes,
        Event::Refused => Habit::Refuses,
        _ => Habit::Obliging,
    };
    let (exit, report, said) = timeout(Duration::from_secs(120), attended(child, agent, Person::of(habit)))
        .await
        .unwrap_or_else(|_| panic!("{agent}, {event:?} did not end"));
    Ran { exit, report: serde_json::from_str(&report).unwrap_or_default(), said, logins: lab.logins() - before }
}

/// What a browser needs to be found and started.
pub(crate) fn kept() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    ["PATH", "HOME", "TMPDIR"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Waits for the end, with somebody at the terminal who reads and does what is said there.
async fn attended(mut child: Child, agent: &str, mut person: Person) -> (i32, String, String) {
    let (mut stdin, stderr) = (child.stdin.take(), child.stderr.take().unwrap());
    let mut stdout = child.stdout.take().unwrap();
    let mut report = String::new();
    let mut said = String::new();
    let reading = async {
        let mut lines = BufReader::new(stderr).lines();
        let mut at_cockpit = None;
        while let Ok(Some(line)) = lines.next_line().await {
            if let (Some((_, port)), "browser") = (line.rsplit_once("on this page: http://127.0.0.1:"), agent) {
                let port = port.trim_end_matches('/').parse().unwrap();
                let mut person = std::mem::replace(&mut person, Person::of(Habit::Obliging));
                at_cockpit = Some(tokio::spawn(async move { person.at_the_cockpit(port).await }));
            } else if let (true, "paste", Some(stdin)) = (line.starts_with("http://127.0.0.1:"), agent, &mut stdin) {
                pasted(&mut person, &line, stdin).await;
            }
            said.push_str(&line);
            said.push('\n');
        }
        if let Some(at_cockpit) = at_cockpit {
            at_cockpit.await.unwrap();
        }
    };
    let (_, ()) = tokio::join!(stdout.read_to_string(&mut report), reading);
    (child.wait().await.unwrap().code().unwrap_or(-1), report, said)
}

async fn pasted(person: &mut Person, url: &str, stdin: &mut ChildStdin) {
    let line = person.open(url).await.unwrap_or_default();
    stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
}

fn shell(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap()
}

/// The file of a session, or of one that the server does not know.
async fn session(lab: &Lab, folder: &Path, dead: bool) -> String {
    let file = folder.join("session.json");
    let path = file.to_str().unwrap().to_owned();
    let login = ["login", &lab.mcp(), "--username", "alice", "--save", &path];
    assert!(oaudit(&login, &[("OAUDIT_PASSWORD", "wonderland")]).await.status.success());
    if dead {
        let mut saved: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for cookie in saved["cookies"].as_array_mut().unwrap() {
            cookie["value"] = "of yesterday".into();
        }
        std::fs::write(&file, saved.to_string()).unwrap();
    }
    path
}

#[tokio::test]
async fn browser() {
    check("browser").await;
}

#[tokio::test]
async fn paste() {
    check("paste").await;
}

#[tokio::test]
async fn form() {
    check("form").await;
}

#[tokio::test]
async fn webdriver() {
    let required = std::env::var("OAUDIT_INTEROP").is_ok_and(|v| v == "required");
    assert!(installed().is_some() || !required, "OAUDIT_INTEROP=required, and no WebDriver is on PATH");
    if installed().is_some() {
        check("webdriver").await;
    }
}

#[tokio::test]
async fn command() {
    check("command").await;
}

#[tokio::test]
async fn session_file() {
    check("session").await;
}

#[tokio::test]
async fn token() {
    check("token").await;
}

#[test]
fn every_agent_has_its_row() {
    let rows: Vec<_> = TABLE.iter().map(|row| row.agent).collect();
    let agents: Vec<_> =
        oaudit::front::choose::AgentName::ALL.iter().map(|a| a.as_str()).filter(|a| *a != "auto").collect();
    assert!(agents.iter().all(|agent| rows.contains(agent)) && rows.len() == agents.len(), "{rows:?}");
}
