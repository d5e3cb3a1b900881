//! The catalogue walked: every file is listed, every id is its path, every page has its parts.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oaudit::checks::ALL;
use oaudit::profile::{Profile, ProfileName};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("checks")
}

/// A folder of checks; `coverage` holds none.
fn is_topic(path: &Path) -> bool {
    path.is_dir() && path.file_name().is_some_and(|name| name != "coverage")
}

fn files(extension: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for topic in std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).filter(|p| is_topic(p)) {
        for file in std::fs::read_dir(&topic).unwrap().map(|e| e.unwrap().path()) {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            if file.extension().is_some_and(|e| e == extension) && name != "mod" {
                let topic = topic.file_name().unwrap().to_str().unwrap();
                found.insert(format!("{topic}/{}", name.replace('_', "-")));
            }
        }
    }
    found
}

#[test]
fn every_file_is_listed_under_its_path() {
    let listed: BTreeSet<String> = ALL.iter().map(|c| c.card().id.to_owned()).collect();
    assert_eq!(listed.len(), ALL.len(), "an id stands twice");
    let (code, rules) = (files("rs"), files("toml"));
    assert!(code.is_disjoint(&rules), "both code and a rule: {:?}", code.intersection(&rules));
    assert_eq!(listed, code.union(&rules).cloned().collect(), "left: listed in checks/mod.rs; right: files");
    assert_eq!(listed, files("md"), "left: listed in checks/mod.rs; right: pages");
}

#[test]
fn a_topic_is_one_stretch_of_the_report() {
    let mut topics: Vec<&str> = ALL.iter().map(|c| c.card().topic()).collect();
    topics.dedup();
    assert_eq!(topics.iter().collect::<BTreeSet<_>>().len(), topics.len(), "{topics:?}");
}

#[test]
fn every_page_has_its_parts() {
    for check in ALL {
        let card = check.card();
        let heading = card.page.lines().next().unwrap();
        assert!(heading.starts_with(&format!("# {}: ", card.id)), "{}: {heading}", card.id);
        assert!(!card.title().is_empty() && !card.title().ends_with('.'), "{}: {}", card.id, card.title());
        let mut at = 0;
        for part in ["## What is sent", "## How it is judged", "## Why it matters", "## How to fix", "## References"] {
            let found = card.page[at..].find(part).unwrap_or_else(|| panic!("{} has no {part} in its place", card.id));
            at += found;
        }
        let fix = card.remediation();
        assert!(fix.ends_with('.') && (20..=240).contains(&fix.len()), "{}: remediation {fix:?}", card.id);
    }
}

#[test]
fn every_card_demands_something_of_somebody() {
    let mut unmentioned = Vec::new();
    for check in ALL {
        let card = check.card();
        assert!(!card.demands.is_empty(), "{}", card.id);
        for demand in card.demands {
            assert!(!demand.by.is_empty() && demand.says.ends_with('.'), "{}: {}", card.id, demand.says);
            for requirement in demand.by {
                assert!(!requirement.section.is_empty(), "{}: {:?}", card.id, requirement.document);
                if !card.page.contains(&alias(requirement.document)) {
                    unmentioned.push(format!("{}: {} {}", card.id, requirement.document.title(), requirement.section));
                }
            }
        }
        let anywhere = ProfileName::ALL.into_iter().any(|name| Profile { name, ..Profile::default() }.selects(card));
        assert!(anywhere, "{} is in force nowhere", card.id);
    }
    assert!(unmentioned.is_empty(), "pages that do not mention what their cards cite:\n{}", unmentioned.join("\n"));
}

/// How a page may call a document.
fn alias(document: oaudit::document::Document) -> String {
    use oaudit::document::Document;
    match document {
        Document::OAuth21 => "draft-ietf-oauth-v2-1".into(),
        Document::Mcp => "MCP".into(),
        Document::OpenAi => "OpenAI".into(),
        Document::OidcCore => "OpenID Connect".into(),
        other => other.title().into(),
    }
}

#[test]
fn the_generated_table_is_true() {
    let cards: Vec<_> = ALL.iter().map(|c| c.card()).collect();
    let expected = oaudit::catalogue::readme(&cards, &Profile::default());
    let path = folder().join("README.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == expected, "checks/README.md is out of date: run `UPDATE=1 cargo test --test catalogue`");
}
