//! Starts the binary and Chromium, and lets the person of `person.mjs` look at the cockpit.

#![allow(dead_code, clippy::allow_attributes, reason = "every test binary uses a part of it")]

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use oaudit::lab::{Lab, LabOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{ChildStderr, Command};
use tokio::time::timeout;

use crate::installed::{NotRun, Package, or_skip, package};

/// The longest that one audit may take here.
const LIMIT: Duration = Duration::from_secs(180);

/// The person, and playwright-core.
static PERSON: Package = package!("person" in ".": "package.json", "package-lock.json", "person.mjs");

/// An audit that was made in a browser.
pub(crate) struct Audited {
    /// The JSON report.
    pub(crate) report: Value,
    /// What the person saw.
    pub(crate) seen: Value,
    /// What the terminal said.
    said: String,
}

impl fmt::Debug for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = |name: &str| self.seen[name].to_string();
        writeln!(f, "{}", self.said)?;
        let names =
            ["asks", "clicks", "passwords", "consents", "errors", "notes", "summary", "left", "opened", "report"];
        names.iter().try_for_each(|name| writeln!(f, "{name}: {}", about(name)))
    }
}

impl Audited {
    /// Prints how it went, with the pace of the hops.
    pub(crate) fn tell(&self, what: &str) {
        let hops = self.seen["hops"].as_array().cloned().unwrap_or_default();
        let pace = hops.windows(4).filter_map(|w| {
            let (a, b) = (&w[0], &w[3]);
            let (ms, n) = (b[0].as_f64()? - a[0].as_f64()?, b[1].as_f64()? - a[1].as_f64()?);
            Some(n / ms * 1000.0)
        });
        let summary = &self.report["summary"];
        let line = format!(
            "{what}: {} authorizations, {} s, {} passwords, {} consents, clicks {}, at best {:.1} hops a second\n",
            summary["authorizations"],
            self.report["duration_ms"].as_f64().unwrap_or_default() / 1000.0,
            self.seen["passwords"],
            self.seen["consents"],
            self.seen["clicks"],
            pace.fold(0.0, f64::max),
        );
        // The handle itself, since the test runner hides what a passing test prints.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// A lab over TLS: `localhost`, another site than `127.0.0.1`.
pub(crate) async fn lab_over_tls(quirks: &[&str]) -> Lab {
    let quirks = quirks.iter().map(|q| (*q).to_owned()).collect();
    Lab::start(LabOptions { quirks, tls: true, ..LabOptions::default() }).await.expect("the lab starts")
}

/// Audits a lab, if there is a browser to do it in.
pub(crate) async fn audited_or_skip(lab: &Lab, person: Value) -> Option<Audited> {
    audited_at_or_skip(&lab.mcp(), lab.authority(), person).await
}

/// The same at any address, with the authority that signed its certificate.
pub(crate) async fn audited_at_or_skip(target: &str, authority: Option<&str>, person: Value) -> Option<Audited> {
    let machine = or_skip("the cockpit in Chromium", Machine::find())?;
    Some(timeout(LIMIT, machine.audit(target, authority, person)).await.expect("the audit ends in time"))
}

struct Machine {
    chromium: PathBuf,
    home: PathBuf,
}

impl Machine {
    fn find() -> Result<Self, NotRun> {
        let named = std::env::var_os("OAUDIT_CHROMIUM").map(PathBuf::from);
        let on_path = || {
            let path = std::env::var_os("PATH")?;
            let names = ["chromium", "chromium-browser", "google-chrome"];
            std::env::split_paths(&path).flat_map(|f| names.map(|n| f.join(n))).find(|p| p.is_file())
        };
        let chromium = named
            .or_else(on_path)
            .ok_or_else(|| NotRun("there is no chromium (OAUDIT_CHROMIUM names one)".to_owned()))?;
        Ok(Self { chromium, home: PERSON.of_npm()?.0 })
    }

    async fn audit(&self, target: &str, authority: Option<&str>, mut person: Value) -> Audited {
        let folder = tempfile::tempdir().expect("a folder");
        let (report, opened) = (folder.path().join("report.json"), folder.path().join("opened"));
        let mut audit = Command::new(env!("CARGO_BIN_EXE_oaudit"));
        audit.args(["audit", target, "--agent", "browser", "--yes", "-o"]);
        audit.arg(format!("json={}", report.display()));
        match authority {
            Some(authority) => {
                let path = folder.path().join("ca.pem");
                fs::write(&path, authority).expect("the certificate is written");
                audit.arg("--ca").arg(path);
            }
            None if person["shut"] == true || person["strays"].is_string() => {}
            None => _ = audit.arg("--no-open"),
        }
        if let Some(most) = person["max_prompts"].as_u64() {
            audit.args(["--max-prompts", &most.to_string()]);
        }
        for id in person["select"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            audit.args(["--select", id]);
        }
        audit.env("BROWSER", opener(folder.path(), &opened));
        audit.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut audit = audit.spawn().expect("the binary starts");
        let mut lines = BufReader::new(audit.stderr.take().expect("stderr is piped")).lines();
        let (cockpit, mut said) = announced(&mut lines).await;
        person["cockpit"] = cockpit.into();
        person["chromium"] = self.chromium.to_str().into();
        person["opener"] = opened.to_str().into();
        if let Some(pictures) = std::env::var_os("OAUDIT_PICTURES").filter(|_| authority.is_none()) {
            person["pictures"] = json!(pictures.to_str());
        }
        let mut node = Command::new("node");
        node.arg("person.mjs").arg(person.to_string()).current_dir(&self.home);
        let playing = node.stdin(Stdio::null()).kill_on_drop(true).output();
        let played = {
            let mut playing = pin!(playing);
            let mut listening = pin!(async {
                while let Ok(Some(line)) = lines.next_line().await {
                    said.push_str(&line);
                    said.push('\n');
                }
            });
            tokio::select! {
                () = &mut listening => playing.await,
                played = &mut playing => {
                    // Without its person an audit waits for minutes.
                    let _ = timeout(Duration::from_secs(5), listening).await;
                    played
                }
            }
        };
        let played = played.expect("node starts");
        let out = String::from_utf8_lossy(&played.stdout);
        let seen = out.lines().find_map(|line| line.strip_prefix("SEEN "));
        let seen = seen.unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&played.stderr)));
        let ended = timeout(Duration::from_secs(5), audit.wait()).await;
        assert!(ended.is_ok(), "the audit goes on without its person\n{said}\n{seen}");
        let report = fs::read_to_string(&report).unwrap_or_else(|e| panic!("no report: {e}\n{said}\n{seen}"));
        Audited {
            report: serde_json::from_str(&report).expect("JSON"),
            seen: serde_json::from_str(seen).expect("JSON"),
            said,
        }
    }
}

/// The address of the cockpit, and what was said before.
async fn announced(lines: &mut Lines<BufReader<ChildStderr>>) -> (String, String) {
    let mut said = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        said.push_str(&line);
        said.push('\n');
        if let Some((_, address)) = line.rsplit_once("on this page: ") {
            return (address.to_owned(), said);
        }
    }
    panic!("the audit ended without a cockpit:\n{said}");
}

/// A program that stands for the system's browser: it notes what it is to open, for the person to open it.
fn opener(folder: &Path, opened: &Path) -> PathBuf {
    let path = folder.join("open");
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", opened.display());
    fs::write(&path, text).expect("the opener is written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the opener may be run");
    }
    path
}
