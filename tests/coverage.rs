//! The coverage files held against the catalogue, and the levels that a revision of MCP changes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

use std::collections::BTreeSet;
use std::path::Path;

use oaudit::check::{Card, Level};
use oaudit::checks::ALL;
use oaudit::coverage::{Answer, Coverage, FILES, Strength, all, parse};
use oaudit::document::{Document, McpVersion};
use oaudit::profile::{Profile, ProfileName};

fn cards() -> impl Iterator<Item = &'static Card> {
    ALL.iter().map(|c| c.card())
}

fn card(id: &str) -> Option<&'static Card> {
    cards().find(|c| c.id == id)
}

#[test]
fn every_file_is_listed_and_well_formed() {
    let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| format!("{name}.toml")).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/coverage");
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = names.filter(|n| n.ends_with(".toml")).collect();
    assert_eq!(listed, found);
    for (name, text) in FILES {
        let coverage = parse(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(coverage.document().is_some(), "{name}: no document has the slug {}", coverage.document);
        assert_eq!(coverage.revision.is_some(), coverage.revision().is_some(), "{name}: unknown revision");
        assert!(!coverage.sentences.is_empty() && !coverage.read.is_empty(), "{name}");
    }
}

#[test]
fn every_sentence_has_an_answer() {
    let mut wrong = Vec::new();
    for (coverage, sentence) in all().iter().flat_map(|c| c.sentences.iter().map(move |s| (c, s))) {
        let place = format!("{} {}: {}", coverage.name, sentence.section, sentence.says);
        let answered = !sentence.checks.is_empty() || !sentence.planned.is_empty();
        if answered == sentence.untested.is_some() {
            wrong.push(format!("{place}: either checks or a reason"));
        }
        if sentence.untested.as_ref().is_some_and(|why| !why.ends_with('.') || why.len() < 12) {
            wrong.push(format!("{place}: the reason is no sentence"));
        }
        if !sentence.says.ends_with('.') || sentence.section.is_empty() || !coverage.walks(&sentence.section) {
            wrong.push(format!("{place}: not well-formed"));
        }
        let ids: Vec<&String> = sentence.checks.iter().chain(&sentence.planned).collect();
        if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
            wrong.push(format!("{place}: an id stands twice"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Writes the files anew, every id under `checks` if there is such a check, else under `planned`.
fn sort_ids(folder: &Path) {
    let exists = |id: &&String| card(id).is_some();
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    for coverage in all() {
        let path = folder.join(format!("{}.toml", coverage.name));
        let text = std::fs::read_to_string(&path).unwrap();
        let mut sorted = text.split("[[sentence]]").next().unwrap().to_owned();
        for sentence in &coverage.sentences {
            let (section, says) = (quoted(&sentence.section), quoted(&sentence.says));
            sorted.push_str(&format!(
                "[[sentence]]\nsection = {section}\nlevel = \"{}\"\nsays = {says}\n",
                sentence.level
            ));
            let ids = || sentence.checks.iter().chain(&sentence.planned);
            let there: Vec<String> = ids().filter(exists).map(|id| quoted(id)).collect();
            let planned: Vec<String> = ids().filter(|id| !exists(id)).map(|id| quoted(id)).collect();
            for (key, ids) in [("checks", there), ("planned", planned)] {
                if !ids.is_empty() {
                    sorted.push_str(&format!("{key} = [{}]\n", ids.join(", ")));
                }
            }
            if let Some(why) = &sentence.untested {
                sorted.push_str(&format!("untested = {}\n", quoted(why)));
            }
            sorted.push('\n');
        }
        std::fs::write(&path, format!("{}\n", sorted.trim_end())).unwrap();
    }
}

#[test]
fn every_check_that_is_named_exists() {
    if std::env::var_os("UPDATE").is_some() {
        sort_ids(&Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/coverage"));
        return;
    }
    let exists = |id: &String| card(id).is_some();
    let sentences = || all().iter().flat_map(|c| &c.sentences);
    let missing: BTreeSet<&String> = sentences().flat_map(|s| &s.checks).filter(|id| !exists(id)).collect();
    assert!(missing.is_empty(), "named, but no checks: {missing:?}");
    let there: BTreeSet<&String> = sentences().flat_map(|s| &s.planned).filter(|id| exists(id)).collect();
    assert!(there.is_empty(), "planned, but there: move them to `checks`: {there:?}");
}

/// The files that a requirement has to appear in: those of its document, and of each revision that it stands in.
fn files_of(document: Document, revisions: Option<(McpVersion, McpVersion)>) -> Vec<Vec<&'static Coverage>> {
    let of_document: Vec<&Coverage> = all().iter().filter(|c| c.document() == Some(document)).collect();
    if document != Document::Mcp {
        return if of_document.is_empty() { Vec::new() } else { vec![of_document] };
    }
    let bound = |v: &McpVersion| revisions.is_none_or(|(first, last)| (first..=last).contains(v));
    let of = |v: McpVersion| of_document.iter().copied().filter(|c| c.revision() == Some(v)).collect();
    McpVersion::ALL.into_iter().filter(bound).map(of).collect()
}

#[test]
fn every_requirement_that_a_card_cites_stands_in_its_file() {
    let mut missing = BTreeSet::new();
    for (card, requirement) in cards().flat_map(|c| c.demands.iter().flat_map(|d| d.by).map(move |r| (c, r))) {
        for files in files_of(requirement.document, requirement.revisions) {
            let walked = files.iter().any(|c| c.walks(requirement.section));
            if walked && !files.iter().any(|c| c.has(requirement.section)) {
                let names: Vec<&str> = files.iter().map(|c| c.name.as_str()).collect();
                missing.insert(format!("{}: {} of {}", names.join("/"), requirement.section, card.id));
            }
        }
    }
    assert!(missing.is_empty(), "cited, but not walked:\n{}", missing.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_check_answers_some_document() {
    let named: BTreeSet<&str> =
        all().iter().flat_map(|c| &c.sentences).flat_map(|s| &s.checks).map(String::as_str).collect();
    let walked = |c: &Card| {
        c.demands
            .iter()
            .flat_map(|d| d.by)
            .any(|r| files_of(r.document, r.revisions).iter().flatten().any(|coverage| coverage.walks(r.section)))
    };
    let unnamed: Vec<_> = cards().filter(|c| walked(c) && !named.contains(c.id)).map(|c| c.id).collect();
    assert!(unnamed.is_empty(), "checks that no coverage file names: {unnamed:?}");
}

/// How binding a demand is under the profile `mcp` at each revision, oldest first.
fn at_each_revision(id: &str, says: &str) -> [Level; 3] {
    let card = card(id).unwrap();
    let demand = card.demands.iter().find(|d| d.says.contains(says)).unwrap();
    McpVersion::ALL.map(|mcp| Profile { name: ProfileName::Mcp, mcp }.level(demand))
}

#[test]
fn a_revision_of_mcp_changes_the_levels() {
    use Level::{Advice, Must, Should};
    for (id, says, levels) in [
        ("resource_metadata/published", "", [Must, Must, Must]),
        ("resource_metadata/authorization-servers-listed", "", [Must, Must, Must]),
        ("resource_metadata/challenge-points-to-metadata", "carries", [Must, Should, Should]),
        ("resource_metadata/challenge-points-to-metadata", "found through", [Advice, Must, Must]),
        ("server_metadata/published", "RFC 8414 or OpenID", [Must, Must, Must]),
        ("server_metadata/published", "by RFC 8414.", [Must, Advice, Advice]),
        ("server_metadata/s256-advertised", "", [Should, Must, Must]),
        ("refresh/rotated", "", [Must, Must, Must]),
        ("resource_metadata/challenge-401", "", [Must, Must, Must]),
    ] {
        assert_eq!(at_each_revision(id, says), levels, "{id}: {says}");
    }
}

/// What MCP itself says of a check at a revision, whatever other documents say.
fn mcp_says(card: &Card, mcp: McpVersion) -> Option<Level> {
    let profile = Profile { name: ProfileName::Mcp, mcp };
    let own = card.demands.iter().flat_map(|d| d.by).filter(|r| r.document == Document::Mcp && profile.binds(r));
    own.map(|r| r.level).max()
}

#[test]
fn what_came_with_2026_07_28_binds_nobody_before() {
    for id in ["server_metadata/iss-advertised", "resource_metadata/scopes-listed"] {
        let Some(card) = card(id) else { continue };
        let levels = McpVersion::ALL.map(|v| mcp_says(card, v));
        assert_eq!(levels, [None, None, Some(Level::Should)], "{id}");
    }
    let should = |section: &str| {
        let files = all().iter().filter(|c| c.document() == Some(Document::Mcp));
        let has = |c: &&Coverage| c.sentences.iter().any(|s| s.section == section && s.level == Strength::Should);
        files.filter(has).map(|c| c.revision().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(should("refresh-tokens"), [McpVersion::V20260728], "offline_access in resource metadata");
    assert_eq!(should("authorization-response-validation"), [McpVersion::V20260728], "iss");
}

#[test]
fn chatgpt_asks_for_s256_whatever_the_revision() {
    let card = card("server_metadata/s256-advertised").unwrap();
    for mcp in McpVersion::ALL {
        let profile = Profile { name: ProfileName::ChatGpt, mcp };
        assert_eq!(card.demands.iter().map(|d| profile.level(d)).max(), Some(Level::Must));
    }
}

#[test]
fn oidc_holds_a_server_to_no_vendor_and_to_no_mcp() {
    let oidc = Profile { name: ProfileName::Oidc, ..Profile::default() };
    let documents = oidc.documents();
    assert!(documents.contains(&Document::OidcCore) && documents.contains(&Document::OAuth21));
    for out in [Document::Mcp, Document::McpSecurity, Document::OpenAi] {
        assert!(!documents.contains(&out), "{out:?}");
    }
    let selected = |id: &str| oidc.selects(card(id).unwrap());
    assert!(selected("pkce/required") && selected("server_metadata/published") && selected("code/single-use"));
    assert!(!selected("refresh/issued"), "only OpenAI demands a refresh token");
    // Everything of the plain OAuth profile is in force: OpenID Connect takes nothing away.
    let oauth = Profile { name: ProfileName::OAuth21, ..Profile::default() };
    assert!(cards().filter(|c| oauth.selects(c)).all(|c| oidc.selects(c)));
}

#[test]
fn a_document_is_mostly_tested_or_explained() {
    for coverage in all() {
        let open = coverage.count(Answer::Planned);
        assert!(open * 2 <= coverage.sentences.len(), "{}: more than half is only planned", coverage.name);
    }
}

#[test]
fn the_command_shows_one_document_or_all() {
    let run = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_oaudit"));
        command.args(arguments).env("COLUMNS", "120").output().unwrap()
    };
    let overview = String::from_utf8(run(&["checks", "--coverage"]).stdout).unwrap();
    assert!(all().iter().all(|c| overview.contains(&c.name)), "{overview}");
    let one = String::from_utf8(run(&["checks", "--coverage", "rfc7009"]).stdout).unwrap();
    assert!(one.contains("revocation/refresh-token") && one.contains("not tested: "), "{one}");
    let json = run(&["checks", "--coverage", "rfc7009", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json[0]["name"], "rfc7009");
    assert!(json[0]["sentence"].as_array().unwrap().len() > 10);
    let wrong = run(&["checks", "--coverage", "rfc7099"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("did you mean rfc7009?"));
}
