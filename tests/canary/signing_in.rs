//! Sign-ins that fail: what is said, what is written down of it, and what other programs are given on the way.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use oaudit::front::webdriver::installed;
use oaudit::lab::LabOptions;

use crate::between::{Act, Asked};
use crate::looking::{Looker, forms};
use crate::ran::{code, stderr, stdout};
use crate::stage::{GIVEN, PROXY, Stage, WRONG, mode};

/// A login page that repeats the password in every form there is, and asks again.
fn repeating(asked: &Asked) -> Act {
    if asked.path != "/login" {
        return Act::Pass;
    }
    let html = forms(WRONG).join("</p><p>").replace("<x>", "&lt;x&gt;");
    let page = format!(
        "<html><head><title>No: {WRONG}</title></head><body><h1>Sign in</h1><p role=alert>wrong: {html}</p>\
         <form method=post action=/login><label>User <input name=username></label>\
         <label>Password <input type=password name=password></label><button>Sign in</button></form></body></html>"
    );
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n";
    Act::Say(format!("{head}content-length: {}\r\n\r\n{page}", page.len()).into_bytes())
}

/// Fails to sign in with a password that the page repeats.
fn fails(agent: &str) {
    let stage = Stage::acting(LabOptions::default(), repeating);
    // One that others may read is there already.
    let before = stage.write("login.txt", "of another run");
    std::fs::set_permissions(&before, std::fs::Permissions::from_mode(0o666)).unwrap();
    let mcp = stage.mcp();
    let mut arguments = vec!["audit", &mcp, "-v", "--trace", "--username", "alice", "--agent", agent];
    arguments.extend(["--diagnosis", "login.txt", "-o", "json=report.json", "-o", "har=report.har", "--evidence"]);
    let mut child = stage.command(&arguments).env("OAUDIT_PASSWORD", WRONG).spawn().unwrap();
    let mut started = Started::default();
    while child.try_wait().unwrap().is_none() {
        started.look(&stage, child.id());
        std::thread::sleep(Duration::from_millis(25));
    }
    let (code, said) = stage.looked_at(agent, &child.wait_with_output().unwrap());
    assert_eq!(code, 4, "{said}");
    if agent == "webdriver" && cfg!(target_os = "linux") {
        let driven = started.commands.iter().any(|command| command.contains("--headless"));
        assert!(driven, "the browser was looked at: {:?}", started.commands);
    }
    stage.looker().assert_clean("a command line", started.commands.into_iter().collect::<Vec<_>>().join("\n"));
    let told = String::from_utf8(stage.read("login.txt")).unwrap();
    assert!(told.contains("failed: ") && told.contains("{password"), "{told}");
    for file in stage.files().iter().filter(|file| file.to_str().unwrap().contains("login.")) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    stage.files_are_clean_but(&[]);
}

#[test]
fn a_form_that_repeats_the_password() {
    fails("form");
}

#[test]
fn a_browser_that_shows_the_password() {
    match installed() {
        Some(_) => fails("webdriver"),
        None => println!("not run: neither chromedriver nor geckodriver is on PATH"),
    }
}

/// The command lines of programs that the audit started, as everybody on the machine can read them.
#[derive(Default)]
struct Started {
    commands: BTreeSet<String>,
}

impl Started {
    /// Looks for programs that know the home of this stage. They are given none of the variables of oaudit.
    fn look(&mut self, stage: &Stage, audit: u32) {
        let home = format!("HOME={}", stage.home.path().display());
        let Ok(processes) = std::fs::read_dir("/proc") else { return };
        for process in processes.filter_map(|entry| Some(entry.ok()?.path())) {
            if process.ends_with(audit.to_string()) {
                continue;
            }
            // It may have ended meanwhile.
            let read = |name: &str| std::fs::read(process.join(name)).unwrap_or_default();
            let (environment, command) = (read("environ"), read("cmdline"));
            let environment = String::from_utf8_lossy(&environment).replace('\0', "\n");
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            if environment.lines().any(|line| line == home) && !command.is_empty() {
                assert!(!environment.contains("OAUDIT_") || command.contains("oaudit audit"), "{command}");
                self.commands.insert(command);
            }
        }
    }
}

/// A script that writes down what it was given.
fn script(stage: &Stage, name: &str, then: &str) -> String {
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\" > \"$HOME/{name}.argv\"\nenv > \"$HOME/{name}.new\"\n\
         mv \"$HOME/{name}.new\" \"$HOME/{name}.env\"\n{then}\n"
    );
    let path = stage.write(name, &text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A program that signs in is told where to go, and not what it can find by itself; what it says of its failure is not
/// taken at its word.
#[test]
fn a_program_is_told_no_secret_and_its_words_are_looked_at() {
    let said = [
        "echo \"{\\\"error\\\": \\\"the password $OAUDIT_PASSWORD is wrong\\\"}\"",
        "echo \"tried $OAUDIT_PASSWORD and $OAUDIT_TOTP_SECRET\" >&2; exit 3",
        "echo \"{\\\"page\\\": \\\"wrong: $OAUDIT_PASSWORD\\\"}\"",
    ];
    for then in said {
        let stage = Stage::acting(LabOptions::default(), |_| Act::Pass);
        let program = script(&stage, "sign-in", &format!("cat > \"$HOME/sign-in.stdin\"\n{then}"));
        let mcp = stage.mcp();
        let arguments = ["audit", &mcp, "-v", "--username", "alice", "--login-command", &program, "-o", "json=r.json"];
        let output = stage.command(&arguments).env("OAUDIT_PASSWORD", "s3cret-0f-alice-1948").output().unwrap();
        let (code, told) = stage.looked_at("the audit", &output);
        assert_eq!(code, 4, "{told}");
        let mut looker = stage.looker();
        looker.add("the password", "s3cret-0f-alice-1948");
        looker.assert_clean("the audit", &told);
        for name in ["sign-in.argv", "sign-in.stdin", "r.json"] {
            looker.assert_clean(name, stage.read(name));
        }
        assert!(told.contains("{password"), "{told}");
        assert!(looker.find(&stage.read("sign-in.env")).is_some(), "it finds the password where everybody does");
    }
}

/// Waits for a file, and ends the program that writes it.
fn until(stage: &Stage, arguments: &[&str], variables: &[(&str, String)], file: &str) {
    let mut child = stage.command(arguments).envs(variables.iter().cloned()).spawn().unwrap();
    let began = Instant::now();
    while !stage.path(file).exists() {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none() && began.elapsed() < Duration::from_secs(30), "{file} was not written: {ended:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    stage.looked_at("what was ended", &output);
}

fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

/// A driver, and the browser behind it, have no use for what signs in.
#[test]
fn a_driver_is_given_no_secret() {
    let stage = Stage::new(LabOptions::default());
    script(&stage, "chromedriver", "exec sleep 20");
    let named = [("STAGING_PASSWORD", "wonderland".to_owned()), ("PATH", path_with(stage.home.path()))];
    let mcp = stage.mcp();
    let mut arguments = vec!["audit", &mcp, "--agent", "webdriver", "--username", "alice"];
    arguments.extend(["--password-env", "STAGING_PASSWORD"]);
    until(&stage, &arguments, &named, "chromedriver.env");
    stage.looker().assert_clean("its arguments", stage.read("chromedriver.argv"));
    let mut looker = Looker::sparing(&[]);
    for (name, value) in GIVEN.iter().filter(|(name, _)| name.starts_with("OAUDIT_")) {
        looker.add(name, value);
    }
    let env = stage.read("chromedriver.env");
    looker.assert_clean("its environment", &env);
    // What is not ours is left to it.
    let env = String::from_utf8(env).unwrap();
    assert!(env.contains("UNRELATED_KEY=") && env.contains(PROXY) && !env.contains("OAUDIT_"), "{env}");
}

/// The command line of a browser can be read by everybody on the machine. Elsewhere BROWSER is not asked.
#[test]
#[cfg(target_os = "linux")]
fn a_browser_is_opened_without_a_secret() {
    let stage = Stage::new(LabOptions::default());
    let browser = script(&stage, "browser", "");
    let mcp = stage.mcp();
    let arguments = ["audit", &mcp, "--agent", "browser", "--username", "alice"];
    until(&stage, &arguments, &[("BROWSER", browser)], "browser.env");
    let argv = stage.read("browser.argv");
    assert!(String::from_utf8_lossy(&argv).contains("http://127.0.0.1:"), "{}", String::from_utf8_lossy(&argv));
    stage.looker().assert_clean("its arguments", argv);
}

/// A panic tells nothing of what it broke on.
#[test]
fn a_panic_is_not_quoted() {
    let exe = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(exe);
    command.args(["--exact", "signing_in::breaks", "--ignored", "--nocapture"]).env("OAUDIT_TEST_BREAKS", "1");
    let output = command.output().unwrap();
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!(code(&output) == 5 && said.contains("this is a bug, please report it"), "{said}");
    let mut looker = Looker::sparing(&[]);
    forms(WRONG).iter().chain([&WRONG.to_owned()]).for_each(|form| looker.add("the password", form));
    looker.assert_clean("a panic", said);
}

/// Not a test: breaks as the binary would.
#[test]
#[ignore = "started by a_panic_is_not_quoted"]
#[expect(clippy::exit, reason = "the harness must not speak")]
fn breaks() {
    if std::env::var_os("OAUDIT_TEST_BREAKS").is_none() {
        return;
    }
    oaudit::cli::hush_panics();
    let ended = std::thread::spawn(|| panic!("what to do with {WRONG}?")).join();
    assert!(ended.is_err());
    std::process::exit(i32::from(oaudit::cli::broke().0))
}
