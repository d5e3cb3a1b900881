//! A large report in every format: 200 checks and 1,000 exchanges. `cargo bench --bench render` runs it; times are
//! printed, never asserted. All formats together should take less than 200 ms.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::Instant;

use oaudit::report::terminal::{self, Look};
use oaudit::report::{Report, github, har, html, json, junit, markdown, sarif};

#[path = "../tests/formats/fixture.rs"]
mod fixture;

const LOOK: Look = Look { width: 100, color: true, evidence: true, quiet: false, links: true };
type Render = fn(&Report) -> String;

fn main() {
    let report = fixture::large(200, 1000);
    let formats: [(&str, Render); 8] = [
        ("terminal", |report| terminal::render(report, &LOOK)),
        ("json", json::render),
        ("sarif", |report| sarif::render(report, "oaudit.toml")),
        ("junit", junit::render),
        ("markdown", markdown::render),
        ("html", html::render),
        ("github", github::render),
        ("har", har::render),
    ];
    println!("{} checks, {} exchanges, medians of 11", report.checks.len(), report.exchanges.len());
    let mut all = 0.0;
    for (name, render) in formats {
        let mut size = 0;
        let mut times: Vec<f64> = (0..11)
            .map(|_| {
                let began = Instant::now();
                size = black_box(render(black_box(&report))).len();
                began.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        all += times[5];
        println!("  {name:<9} {:>7.2} ms {:>6} KiB", times[5], size >> 10);
    }
    println!("  together  {all:>7.2} ms, of the 200 ms that they may take");
}
