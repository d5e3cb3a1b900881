//! A gibibyte of log searched for the secrets of a run and for the shapes of tokens, on one core. `cargo bench --bench
//! logs` runs it; `OAUDIT_BENCH_MIB` sets another size. Speeds are printed, never asserted.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use oaudit::logs::{Wanted, scan};
use oaudit::wire::Vault;

fn main() {
    let mebibytes = std::env::var("OAUDIT_BENCH_MIB").ok().and_then(|n| n.parse().ok()).unwrap_or(1024);
    let folder = tempfile::tempdir().expect("a folder for the log");
    let path = folder.path().join("server.log");
    let wanted = secrets();
    let lines = write(&path, mebibytes, &wanted).expect("there is room for the log");
    println!("{mebibytes} MiB, {lines} lines, {} secrets of a run", wanted.secrets.len());
    for (name, wanted) in [("shapes alone", &Wanted::default()), ("shapes and secrets", &wanted)] {
        let mut times: Vec<f64> = (0..3)
            .map(|_| {
                let began = Instant::now();
                let scan = scan(std::slice::from_ref(&path), wanted);
                let took = began.elapsed().as_secs_f64();
                assert_eq!(scan.bytes() >> 20, mebibytes, "all of it was read");
                assert!(scan.found(), "what was planted is found");
                took
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("  {name:<20} {:.2} s, {:.0} MB/s (median of 3)", times[1], mebibytes as f64 * 1.048_576 / times[1]);
    }
}

/// As many as a whole audit leaves.
fn secrets() -> Wanted {
    let vault = Vault::default();
    let mut state = 1_u64;
    for kind in ["code", "access_token", "refresh_token", "code_verifier", "cookie", "client_secret"] {
        for _ in 0..60 {
            let random: String = (0..43).map(|_| char::from(ALPHABET[next(&mut state) as usize % 64])).collect();
            vault.learn(kind, &random);
        }
    }
    Wanted { secrets: vault.secrets(), ..Wanted::default() }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A generator without ambition: the same log every time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Lines of an access log and of an application's log in JSON, in turn; here and there a token.
fn write(path: &Path, mebibytes: u64, wanted: &Wanted) -> std::io::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut lines, mut state) = (0, 0, 7_u64);
    while written < mebibytes << 20 {
        let n = next(&mut state);
        let line = match n % 4 {
            0 | 1 => format!(
                "203.0.113.{} - - [26/Nov/2026:10:{:02}:{:02} +0000] \"GET /api/notes/{n}?page={} HTTP/1.1\" 200 {} \"-\" \
                 \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"\n",
                n % 256,
                n % 60,
                n % 59,
                n % 90,
                n % 9000
            ),
            2 => format!(
                "{{\"level\":\"info\",\"time\":17640{},\"msg\":\"token request\",\"client_id\":\"dyn-{n}\",\"grant_type\":\
                 \"authorization_code\",\"code\":\"[redacted]\",\"status\":200}}\n",
                n % 100_000
            ),
            _ => format!("WARN task-scheduler: Bearer challenge sent, code=401 trace={n:016x} route=/mcp\n"),
        };
        out.write_all(line.as_bytes())?;
        (written, lines) = (written + line.len() as u64, lines + 1);
        if lines % 100_000 == 0 {
            let secret = &wanted.secrets[n as usize % wanted.secrets.len()];
            let line = format!("POST /token {}={}\n", secret.kind, secret.value.expose());
            out.write_all(line.as_bytes())?;
            (written, lines) = (written + line.len() as u64, lines + 1);
        }
    }
    out.flush()?;
    Ok(lines)
}
