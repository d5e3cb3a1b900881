//! One report in every format, word for word. `UPDATE=1 cargo test --test formats` writes the files anew: read the
//! difference before it is committed.

use std::path::Path;

use oaudit::report::terminal::{self, Look};
use oaudit::report::{Report, diff, github, har, html, json, junit, markdown, sarif};

use crate::fixture::{mixed, stopped};

const LOOK: Look = Look { width: 100, color: false, evidence: false, quiet: false, links: false };

fn held(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = stands.lines().zip(text.lines()).enumerate().find(|(_, (stands, is))| stands != is);
    assert!(
        stands == text,
        "tests/golden/{file} is another: UPDATE=1 cargo test --test formats; the first difference: {differing:?}"
    );
}

#[test]
fn every_format_is_as_it_was() {
    let report = mixed();
    held("report.txt", &terminal::render(&report, &LOOK));
    held("report.40.txt", &terminal::render(&report, &Look { width: 40, ..LOOK }));
    held("report.200.txt", &terminal::render(&report, &Look { width: 200, ..LOOK }));
    held("quiet.txt", &terminal::render(&report, &Look { quiet: true, width: 80, ..LOOK }));
    held("evidence.txt", &terminal::render(&report, &Look { evidence: true, ..LOOK }));
    held("report.json", &json::render(&report));
    held("report.sarif", &sarif::render(&report, "oaudit.toml"));
    held("report.xml", &junit::render(&report));
    held("report.md", &markdown::render(&report));
    held("report.html", &html::render(&report));
    held("report.github", &github::render(&report));
    held("report.har", &har::render(&report));
}

#[test]
fn an_audit_that_stopped_is_as_it_was() {
    let report = stopped();
    held("stopped.txt", &terminal::render(&report, &LOOK));
    held("stopped.sarif", &sarif::render(&report, "oaudit.toml"));
    held("stopped.xml", &junit::render(&report));
    held("stopped.github", &github::render(&report));
}

#[test]
fn the_difference_of_two_reports_is_as_it_was() {
    let (old, mut new) = (mixed(), mixed());
    new.checks.rotate_left(1);
    for (at, line) in new.checks.iter_mut().enumerate() {
        (line.result, line.verdict) = (old.checks[at].result, old.checks[at].verdict);
    }
    held("diff.txt", &diff::render(&diff::changes(&old, &new)));
}

/// What was saved is shown as it was.
#[test]
fn a_saved_report_is_rendered_alike() {
    let report = mixed();
    let saved: Report = json::read(&json::render(&report)).unwrap();
    assert_eq!(terminal::render(&saved, &LOOK), terminal::render(&report, &LOOK));
    assert_eq!(sarif::render(&saved, "x"), sarif::render(&report, "x"));
}
