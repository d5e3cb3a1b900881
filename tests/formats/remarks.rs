//! What a reader must know about a run, that certificates were not checked or that a waiver has ended, stands in every
//! report of it: each format may be the only one that somebody gets to see.

use oaudit::report::terminal::{self, Look};
use oaudit::report::{Report, github, har, html, json, junit, markdown, sarif};

use crate::fixture::mixed;

const REMARKS: [&str; 4] = [
    "certificates are not checked (--insecure)",
    "the waiver of pkce/required (oaudit.toml 7) has ended on 2026-01-01",
    "the waiver of code/single-use (oaudit.toml 11) is stale",
    "the issuer was guessed",
];

fn formats(report: &Report) -> [(&'static str, String); 9] {
    let look = Look { width: 200, color: false, evidence: false, quiet: false, links: false };
    [
        ("terminal", terminal::render(report, &look)),
        ("terminal, quiet", terminal::render(report, &Look { quiet: true, ..look })),
        ("json", json::render(report)),
        ("sarif", sarif::render(report, "oaudit.toml")),
        ("junit", junit::render(report)),
        ("markdown", markdown::render(report)),
        ("html", html::render(report)),
        ("github", github::render(report)),
        ("har", har::render(report)),
    ]
}

/// The text without the ways in which formats write a character.
fn read(text: &str) -> String {
    let named = [("&#x2f;", "/"), ("&#40;", "("), ("&#41;", ")"), ("&#95;", "_")];
    named.iter().fold(text.to_owned(), |text, (written, is)| text.replace(written, is))
}

#[test]
fn every_remark_is_in_every_format() {
    let mut report = mixed();
    report.remarks = REMARKS.map(str::to_owned).to_vec();
    let mut nothing_looked_at = report.clone();
    nothing_looked_at.checks.clear();
    for report in [report, nothing_looked_at] {
        for (format, text) in formats(&report) {
            for remark in REMARKS {
                assert!(read(&text).contains(remark), "{format} does not say: {remark}\n{text}");
            }
        }
    }
}
