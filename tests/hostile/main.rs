//! Targets that mean harm, or are badly broken: one behaviour at one address each, and what is said of it. The audit
//! ends in time, with an exit code and a message, and never takes much memory.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/between.rs"]
mod between;
mod deeds;
mod frames;
mod handshakes;
mod table;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use oaudit::lab::LabOptions;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use between::{Act, Between};
use table::{ROWS, Row};

/// The longest that an audit of a hostile target may take, on a machine that is busy with others.
const LIMIT: Duration = Duration::from_secs(90);

/// What a process may hold at its peak.
const MOST_MEMORY: u64 = 100 << 20;

/// How an audit of a hostile target ended.
struct Ended {
    code: Option<i32>,
    report: Value,
    stderr: String,
    /// Bytes at the peak; 0 where the system does not tell.
    peak: u64,
}

impl Ended {
    /// What was said: why it stopped, the messages of what did not pass, and the remarks.
    fn said(&self) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut said = vec![text(&self.report["stopped"]["error"]), text(&self.report["stopped"]["hint"])];
        for check in self.report["checks"].as_array().into_iter().flatten() {
            if check["result"] != "pass" {
                said.push(format!("{} {}: {}", text(&check["result"]), text(&check["id"]), text(&check["message"])));
            }
        }
        said.extend(self.report["remarks"].as_array().into_iter().flatten().map(text));
        said.extend(self.report["left_behind"].as_array().into_iter().flatten().map(text));
        said.retain(|line| !line.is_empty());
        said.join("\n")
    }
}

async fn audited(row: &'static Row) -> Ended {
    let (at, signed_in) = row.at.strip_suffix(" with a token").map_or((row.at, false), |at| (at, true));
    let between = Between::start(LabOptions::default(), move |asked| {
        match at == "*" || (asked.path == at && asked.bearer >= signed_in) {
            true => (row.act)(),
            false => Act::Pass,
        }
    })
    .await;
    audited_at(&between.mcp(), &[]).await
}

/// Audits, and looks at how it goes.
async fn audited_at(target: &str, more: &[&str]) -> Ended {
    let mut audit = Command::new(env!("CARGO_BIN_EXE_oaudit"));
    let folder = tempfile::tempdir().expect("a folder");
    audit.args(["audit", target, "--agent", "form", "--yes", "--timeout", "2", "--format", "json"]);
    audit.args(more);
    for format in ["html", "har", "sarif", "markdown", "junit"] {
        audit.arg("-o").arg(format!("{format}={}", folder.path().join(format).display()));
    }
    audit.env("OAUDIT_USERNAME", "alice").env("OAUDIT_PASSWORD", "wonderland");
    audit.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = audit.spawn().expect("the binary starts");
    let (mut out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let reading = async { tokio::join!(out.read_to_end(&mut stdout), err.read_to_end(&mut stderr)) };
    let ended = timeout(LIMIT, async { tokio::join!(reading, watched(&mut child)) }).await;
    let Ok((_, (code, peak))) = ended else {
        let stderr = format!("no end within {LIMIT:?}\n{}", String::from_utf8_lossy(&stderr));
        return Ended { code: None, report: Value::Null, stderr, peak: 0 };
    };
    Ended {
        code,
        report: serde_json::from_slice(&stdout).unwrap_or_default(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        peak,
    }
}

/// Waits for the end, and looks at the highest mark of the memory meanwhile: it only rises.
async fn watched(child: &mut Child) -> (Option<i32>, u64) {
    let status = child.id().map(|id| format!("/proc/{id}/status")).unwrap_or_default();
    let mut peak = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
            peak = peak.max(kib.unwrap_or(0) << 10);
        }
        tokio::select! {
            ended = child.wait() => return (ended.ok().and_then(|status| status.code()), peak),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

/// What is wrong with how it ended.
fn wrong(row: &Row, ended: &Ended) -> Vec<String> {
    let said = ended.said();
    let mut wrong = Vec::new();
    if ended.code != Some(row.code) {
        wrong.push(format!("exit code {:?}, not {}", ended.code, row.code));
    }
    if !row.says.split('|').any(|words| said.contains(words)) {
        wrong.push(format!("nowhere does it say {:?}", row.says));
    }
    if ended.peak > MOST_MEMORY {
        wrong.push(format!("{} MiB at the peak", ended.peak >> 20));
    }
    if ended.stderr.contains("panicked") || said.contains("bug of oaudit") {
        wrong.push("it broke".into());
    }
    let mut red: Vec<&str> = Vec::new();
    for check in ended.report["checks"].as_array().into_iter().flatten() {
        if check["verdict"] == "fail" {
            red.push(check["id"].as_str().unwrap_or_default());
        }
    }
    if red != row.red {
        wrong.push(format!("red: {red:?}, not {:?}", row.red));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_ends_in_time_with_a_code_and_a_message() {
    let only = std::env::var("OAUDIT_HOSTILE").ok();
    let rows: Vec<&'static Row> = ROWS.iter().filter(|r| only.as_deref().is_none_or(|o| r.name.contains(o))).collect();
    let slots = Arc::new(Semaphore::new(4));
    let mut under_way = JoinSet::new();
    for row in rows {
        let slots = Arc::clone(&slots);
        under_way.spawn(async move {
            let _slot = slots.acquire_owned().await;
            (row, audited(row).await)
        });
    }
    let (mut trouble, mut peak, mut survived) = (String::new(), 0, 0);
    while let Some(ended) = under_way.join_next().await {
        let (row, ended) = ended.expect("no panic");
        peak = peak.max(ended.peak);
        let wrong = wrong(row, &ended);
        if wrong.is_empty() {
            survived += 1;
            continue;
        }
        let said: String = ended.said().chars().take(25000).collect();
        trouble.push_str(&format!("\n== {} at {}: {}\n{said}\n{}\n", row.name, row.at, wrong.join("; "), ended.stderr));
    }
    assert!(trouble.is_empty(), "{trouble}");
    println!("{survived} behaviours, {} MiB at the peak", peak >> 20);
}
