//! A saved report, as `oaudit report` and `oaudit diff` read it: whatever can be read can be shown in every format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oaudit::report::terminal::{self, Look};
use oaudit::report::{diff, github, har, html, json, junit, markdown, sarif};

fuzz_target!(|text: &str| {
    let Ok(report) = json::read(text) else { return };
    let look = Look { width: 80, color: false, evidence: true, quiet: false, links: false };
    let _ = (terminal::render(&report, &look), github::render(&report), markdown::render(&report));
    let _ = (html::render(&report), junit::render(&report), sarif::render(&report, "x"), har::render(&report));
    let _ = diff::render(&diff::changes(&report, &report));
    json::read(&json::render(&report)).expect("what was written is read back");
});
