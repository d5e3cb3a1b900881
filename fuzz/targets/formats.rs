//! A report in which a target said this wherever it can, in every format: nothing in it commands anybody.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use oaudit::report::{Report, json};

#[path = "../../tests/formats/inert.rs"]
mod inert;

static REPORT: LazyLock<Report> =
    LazyLock::new(|| json::read(include_str!("../../tests/golden/report.json")).expect("a report"));

fuzz_target!(|text: &str| inert::inert(&inert::said(&REPORT, text)));
