//! The whole audit against the lab, each in a process of its own: wall time, requests, authorizations, peak memory, and
//! the bound that the order of the requests sets. `cargo bench` runs it; times are printed, never asserted.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oaudit::checks::ALL;
use oaudit::needs::Stage;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_oaudit");

fn main() {
    println!("oaudit --version: {:.1} ms (median of 21)", start_up().as_secs_f64() * 1e3);
    for latency in [0, 50] {
        let mut lab = Lab::start(latency);
        let mut runs: Vec<Run> = (0..5).map(|_| audit(&lab.mcp)).collect();
        lab.stop();
        runs.sort_by_key(|run| run.wall);
        let run = &runs[runs.len() / 2];
        let bound = chain(&run.report);
        println!("latency {latency} ms, median of {} runs:", runs.len());
        println!("  wall time        {:.2} s", run.wall.as_secs_f64());
        println!("  requests         {}", run.report["summary"]["requests"]);
        println!("  authorizations   {}", run.report["summary"]["authorizations"]);
        println!("  peak memory      {:.1} MiB", run.peak_kib as f64 / 1024.0);
        println!("  longest chain    {bound} dependent requests");
        if latency > 0 {
            let least = bound as f64 * latency as f64 / 1e3;
            println!("  bound            {least:.2} s; the run took {:.2} times that", run.wall.as_secs_f64() / least);
        }
    }
}

fn start_up() -> Duration {
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let began = Instant::now();
            let status = Command::new(BINARY).arg("--version").stdout(Stdio::null()).status();
            assert!(status.expect("the binary runs").success());
            began.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

struct Lab {
    child: Child,
    mcp: String,
}

impl Lab {
    fn start(latency: u64) -> Self {
        let mut child = Command::new(BINARY)
            .args(["lab", "--quiet", "--latency", &latency.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints where it is");
        let ready: Value = serde_json::from_str(&line).expect("as JSON");
        let mcp = ready["mcp"].as_str().expect("with the endpoint").to_owned();
        Self { child, mcp }
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Run {
    wall: Duration,
    peak_kib: u64,
    report: Value,
}

fn audit(mcp: &str) -> Run {
    let began = Instant::now();
    let mut child = Command::new(BINARY)
        .args(["audit", mcp, "--username", "alice", "--format", "json", "--quiet"])
        .env("OAUDIT_PASSWORD", "wonderland")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the audit starts");
    let stdout = child.stdout.take().expect("its output is piped");
    let reading = std::thread::spawn(move || serde_json::from_reader::<_, Value>(BufReader::new(stdout)));
    let mut peak_kib = 0;
    let wall = loop {
        peak_kib = peak_kib.max(high_water(child.id()));
        if child.try_wait().expect("it is our child").is_some() {
            break began.elapsed();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let report = reading.join().expect("the reader ends").expect("the report is JSON");
    assert_eq!(report["summary"]["exit_code"], 0, "the sound lab passes: {}", report["summary"]);
    Run { wall, peak_kib, report }
}

/// `VmHWM` of a process, in KiB; 0 where there is no such thing.
fn high_water(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The longest chain of requests of which each needs the one before: discovery, registration and the sign-in one by one;
/// of the checks that run side by side, the visits (there is one lane) and the longest tail; those that may revoke a
/// grant one by one; the deletion.
fn chain(report: &Value) -> usize {
    let mut requests: BTreeMap<&str, usize> = BTreeMap::new();
    let mut visits: BTreeMap<&str, usize> = BTreeMap::new();
    for exchange in report["exchanges"].as_array().expect("the report has exchanges") {
        let check = exchange["check"].as_str().unwrap_or_default();
        *requests.entry(check).or_default() += 1;
        if exchange["request"]["url"].as_str().unwrap_or_default().contains("/authorize?") {
            *visits.entry(check).or_default() += 1;
        }
    }
    let of = |stamp: &str| requests.get(stamp).copied().unwrap_or(0);
    let stage = |stage: Stage| ALL.iter().filter(move |c| c.stage() == stage).map(|c| c.card().id);
    let lane = |s: Stage| stage(s).map(|id| visits.get(id).copied().unwrap_or(0)).sum::<usize>();
    let tail = |s: Stage| stage(s).map(|id| of(id) - visits.get(id).copied().unwrap_or(0)).max().unwrap_or(0);
    let alone: usize = stage(Stage::Grants).map(&of).sum();
    // GET, then POST of the resource; its metadata; the server's; its keys.
    let discovery = of("discovery").min(5);
    let odd = stage(Stage::OddRequests).map(&of).max().unwrap_or(0).min(2);
    discovery
        + of("registration")
        + of("sign-in")
        + lane(Stage::OwnMaterial)
        + tail(Stage::OwnMaterial)
        + odd
        + tail(Stage::Baseline).min(2)
        + alone
        + of("clean-up").min(1)
}
