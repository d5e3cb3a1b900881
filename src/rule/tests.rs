use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::check::{Level, Ruling};

/// A sound rule, for tests that spoil one thing of it.
const SOUND: &str = r#"title = "It holds"
document = "server-metadata"
requires = [{ document = "house", section = "1", level = "must" }]
impact = "low"
why = "Because."
remediation = "Do it."

[[expect]]
at = "/a"
exists = true

[[example]]
verdict = "pass"
given = '{ "a": 1 }'

[[example]]
verdict = "fail"
given = '{}'
"#;

fn load(text: &str) -> Result<Rule, Problem> {
    Rule::load("house/it-holds", "it_holds.toml", text, None)
}

/// A rule with these conditions, and examples that suit any.
fn rule(conditions: &str) -> Rule {
    let (head, _) = SOUND.split_once("[[expect]]").unwrap();
    let text = format!(
        "{head}{conditions}\n[[expect]]\nat = \"/verdict\"\nequals = \"pass\"\noptional = true\n\
         [[example]]\nverdict = \"fail\"\ngiven = '{{ \"verdict\": \"fail\", \"on\": true }}'\n"
    );
    // The conditions decide what passes: an example that passes would have to know them.
    load::without_examples("house/it-holds", &text).unwrap()
}

fn judge(conditions: &str, document: Value) -> Ruling {
    let level = |demand: &Demand| demand.by.iter().map(|r| r.level).max();
    rule(conditions).judge(&document, "https://as.example", level)
}

fn why(conditions: &str, document: Value) -> String {
    judge(conditions, document).verdict.why().to_owned()
}

#[test]
fn what_asks_is_broken_where_nothing_is_and_what_forbids_holds() {
    for asks in [
        "exists = true",
        "type = \"string\"",
        "equals = 1",
        "one-of = [1]",
        "contains = 1",
        "matches = '.'",
        "https = true",
        "same-origin-as-issuer = true",
        "at-most = 1",
        "at-least = 1",
    ] {
        let expect = format!("[[expect]]\nat = \"/a\"\n{asks}\n");
        for document in [json!({}), json!({ "a": null })] {
            assert_eq!(why(&expect, document), "a is missing", "{asks}");
        }
        if asks != "exists = true" {
            let optional = format!("{expect}optional = true\n");
            assert!(matches!(judge(&optional, json!({})).verdict, Verdict::NotApplicable(_)), "{asks}");
        }
    }
    for forbids in ["absent = true", "contains-none-of = [1]", "only = [1]"] {
        let expect = format!("[[expect]]\nat = \"/a\"\n{forbids}\n");
        assert_eq!(judge(&expect, json!({})).verdict, Verdict::pass("a is missing"), "{forbids}");
    }
}

#[test]
fn every_place_of_a_star_is_judged() {
    let expect = "[[expect]]\nat = \"/keys/*/kid\"\nexists = true\nunique = true\nmessage = \"nobody finds it\"\n";
    let keys = |kids: Value| json!({ "keys": kids });
    let ruling = judge(expect, keys(json!([{ "kid": "a" }, {}, { "kid": "a" }])));
    assert_eq!(ruling.verdict.why(), "/keys/1/kid: it is missing: nobody finds it (and 1 more of 3 tried)");
    assert_eq!(ruling.findings[2].verdict.why(), "it is \"a\", as /keys/0/kid is: nobody finds it");
    assert_eq!(
        why(expect, keys(json!([{ "kid": "a" }, { "kid": "b" }]))),
        "/keys/0/kid is \"a\"; /keys/1/kid is \"b\""
    );
    assert!(matches!(judge(expect, keys(json!([]))).verdict, Verdict::NotApplicable(_)), "nothing was judged");
    assert_eq!(why(expect, json!({})), "keys is missing: nobody finds it");
}

#[test]
fn a_place_is_told_of_once() {
    let expect = "[[expect]]\nat = \"/a\"\ntype = \"array\"\n[[expect]]\nat = \"/a\"\ncontains-none-of = [1]\n\
                  [[expect]]\nat = \"/a/*\"\nmatches = \"x\"\noptional = true\n";
    let ruling = judge(expect, json!({ "a": ["x", "xy"] }));
    assert_eq!(ruling.verdict, Verdict::pass("a is [\"x\",\"xy\"]"));
    assert_eq!(ruling.findings.len(), 3);
    assert_eq!(judge(expect, json!({})).verdict.why(), "a is missing");
    assert_eq!(why(expect, json!({ "a": [1] })), "a: it is [1], with 1 (and 1 more of 2 tried)");
}

#[test]
fn unless_all_of_when_holds_the_rule_is_not_applicable() {
    let expect = "[[when]]\nat = \"/a\"\nexists = true\nmessage = \"see another\"\n[[when]]\nat = \"/b\"\nequals = 1\n\
                  [[expect]]\nat = \"/c\"\nexists = true\n";
    assert_eq!(judge(expect, json!({ "b": 1 })).verdict, Verdict::not_applicable("a is missing: see another"));
    assert_eq!(judge(expect, json!({ "a": 1, "b": 2 })).verdict, Verdict::not_applicable("b is 2, not 1"));
    assert!(matches!(judge(expect, json!({ "a": 1, "b": 1 })).verdict, Verdict::Fail(..)));
}

#[test]
fn an_expectation_may_have_a_lower_level_or_requirements_of_its_own() {
    let rule = rule(
        "[[expect]]\nat = \"/a\"\nexists = true\nlevel = \"advice\"\n[[expect]]\nat = \"/b\"\nexists = true\n\
         requires = [{ document = \"rfc8414\", section = \"2\", level = \"should\" }]\n",
    );
    let levels: Vec<Level> = rule.card().demands.iter().map(|d| d.by[0].level).collect();
    assert_eq!(levels, [Level::Advice, Level::Should, Level::Must]);
    // What nobody in force demands is not judged.
    let of_house = |d: &Demand| (d.by[0].document.slug() == "house").then_some(d.by[0].level);
    assert_eq!(rule.judge(&json!({ "a": 1 }), "", of_house).verdict, Verdict::pass("a is 1"));
}

#[test]
fn a_hostile_document_does_not_flood_the_report() {
    let document = json!({ "list": vec![json!("x"); 1000] });
    let ruling = judge("[[expect]]\nat = \"/list/*\"\nequals = \"y\"\n", document);
    assert_eq!(ruling.findings.len(), 50);
    assert!(ruling.verdict.why().contains("999 more of 1000"));
}

#[test]
fn a_page_is_made_of_what_the_file_says() {
    let card = load(SOUND).unwrap().card();
    assert_eq!((card.title(), card.remediation().as_str()), ("It holds", "Do it."));
    assert_eq!(card.demands[0].says, "`a` is there.");
    for part in [
        "# house/it-holds: It holds",
        "- fail unless this holds: `a` is there.",
        "Because.",
        "- must: house rules, \"1\"",
    ] {
        assert!(card.page.contains(part), "{part}\n{}", card.page);
    }
}

/// Spoils one thing of a sound rule. `None` if it is complained of at this place, in these words, with this hint.
fn missed((from, to, place, what, hint): (&str, &str, &str, &str, &str)) -> Option<String> {
    assert!(SOUND.contains(from), "{from}");
    let Err(problem) = load(&SOUND.replacen(from, to, 1)) else { return Some(format!("{to} is let pass")) };
    let text = problem.to_string();
    let met = text.starts_with(what)
        && text.contains(&format!("--> it_holds.toml:{place}\n"))
        && problem.hint().contains(hint);
    (!met).then(|| format!("{what} at {place}, {hint}:\n{text}\n{}", problem.hint()))
}

#[test]
fn every_mistake_is_shown_where_it_stands() {
    let requires = "[{ document = \"house\", section = \"1\", level = \"must\" }]";
    let wrong: Vec<String> = [
        ("impact =", "impct =", "4:1", "a rule has no key impct", "did you mean impact?"),
        ("title = \"It holds\"", "", "1:1", "a rule needs the key title", "docs/rules.md"),
        ("\"It holds\"", "\"\"", "1:9", "this is empty", ""),
        ("\"It holds\"", "\"a\\nb\"", "1:9", "this is one line", ""),
        ("\"It holds\"", "7", "1:9", "a string is due here, and this is an integer", ""),
        ("\"server-metadata\"",
        "\"server-metadat\"",
        "2:12",
        "there is no document server-metadat",
        "did you mean server-metadata?"),
        ("\"house\"", "\"rfc7363\"", "3:26", "there is no document rfc7363", "did you mean rfc7636?"),
        ("\"must\"", "\"shall\"", "3:58", "there is no level shall", "there are must, should, advice"),
        ("section =", "sektion =", "3:35", "a requirement has no key sektion", "did you mean section?"),
        ("level = \"must\"", "level = \"must\", since = \"2025-11-25\"", "3:74", "only mcp has revisions", ""),
        ("\"house\"",
        "\"mcp\", since = \"2025-11-26\"",
        "3:41",
        "there is no revision 2025-11-26",
        "did you mean 2025-11-25?"),
        (requires,
        "[]",
        "3:12",
        "somebody must require it",
        "house"),
        (requires,
        "[1]",
        "3:13",
        "a table is due here",
        ""),
        ("\"low\"", "\"hihg\"", "4:10", "there is no impact hihg", "did you mean high?"),
        ("\"/a\"", "\"a\"", "9:6", "a JSON Pointer begins with /", ""),
        ("exists = true", "exist = true", "10:1", "an [[expect]] has no key exist", "did you mean exists?"),
        ("exists = true", "exists = false", "10:10", "exists is true or left out", "absent"),
        ("exists = true", "exists = 1", "10:10", "true or false is due here", ""),
        ("exists = true", "", "8:1", "this asks nothing", "exists, absent, type"),
        ("exists = true", "exists = true\noptional = true", "11:12", "what has to be there is not optional", ""),
        ("exists = true", "type = \"strin\"", "10:8", "there is no type strin", "did you mean string?"),
        ("exists = true", "matches = \"(\"", "10:11", "this is no regular expression", ""),
        ("exists = true", "one-of = []", "10:10", "this is empty", ""),
        ("exists = true", "equals = 2026-01-01", "10:10", "JSON has no dates", ""),
        ("exists = true", "equals = nan", "10:10", "JSON has no such number", ""),
        ("exists = true", "at-most = \"1\"", "10:11", "a number is due here, and this is a string", ""),
        ("exists = true", "unique = true", "10:10", "unique compares the places", "/*"),
        ("exists = true",
        "exists = true\nlevel = \"must\"",
        "11:9",
        "an [[expect]] may lower the level",
        "leave level out"),
        ("exists = true",
        "exists = true\nlevel = \"should\"\nrequires = [{ document = \"house\", section = \"1\", level = \"must\" }]",
        "11:9",
        "requires states the level already",
        ""),
        ("[[expect]]\nat = \"/a\"\n", "[[when]]\nat = \"/a\"\n", "1:1", "a rule needs at least one [[expect]]", ""),
        ("\"pass\"", "\"passed\"", "13:11", "there is no verdict passed", "did you mean pass?"),
        ("'{ \"a\": 1 }'", "'{ \"a\": }'", "14:9", "this is no JSON", ""),
        ("'{ \"a\": 1 }'", "'{}'", "13:11", "this example comes out as fail: a is missing", ""),
        ("verdict = \"fail\"\ngiven = '{}'",
        "verdict = \"pass\"\ngiven = '{ \"a\": 2 }'",
        "1:1",
        "a rule needs an example with the verdict fail",
        "[[example]]"),
        ("given = '{}'", "gives = '{}'", "18:1", "an [[example]] has no key gives", "did you mean given?"),
        ("title = \"It holds\"", "title = ", "1:9", "", ""),
        ("why =", "title =", "5:1", "duplicate key", ""),
    ]
    .into_iter()
    .filter_map(missed)
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_file_that_nobody_wrote_is_not_read() {
    let text = format!("{SOUND}# {}", "x".repeat(1 << 18));
    assert!(load(&text).unwrap_err().to_string().contains("bytes"));
}

/// Every built-in rule, with its page.
fn built_in() -> Vec<(String, &'static str, &'static str)> {
    let mut rules = Vec::new();
    for check in crate::checks::ALL {
        let card = check.card();
        let path = format!("{}/checks/{}", env!("CARGO_MANIFEST_DIR"), card.id.replace('-', "_"));
        if let Ok(text) = std::fs::read_to_string(format!("{path}.toml")) {
            rules.push((card.id.to_owned(), &*text.leak(), card.page));
        }
    }
    assert!(rules.len() > 10, "{}", rules.len());
    rules
}

#[test]
fn built_in_rules_say_what_their_pages_say() {
    for (id, text, page) in built_in() {
        let of_file = Rule::load(&id, &id, text, None).unwrap().card();
        let of_page = Card { page, ..*of_file };
        assert_eq!((of_file.title(), of_file.remediation()), (of_page.title(), of_page.remediation()), "{id}");
        let of_house = |d: &Demand| d.by.iter().any(|r| r.document == crate::document::Document::House);
        assert!(!of_file.demands.iter().any(of_house), "{id}: house rules are for users");
    }
}

#[test]
fn built_in_rules_load_in_no_time() {
    let rules = built_in();
    let began = std::time::Instant::now();
    for (id, text, page) in &rules {
        Rule::load(id, id, text, Some(page)).unwrap();
    }
    let each = began.elapsed() / u32::try_from(rules.len()).unwrap();
    assert!(each.as_millis() < 10, "{each:?} each, without optimisation, on a busy machine");
}

#[test]
fn the_schema_takes_what_the_loader_takes() {
    let validator = jsonschema::validator_for(&schema::schema()).unwrap();
    let json = |text: &str| load::as_json(text).unwrap();
    for (id, text, _) in built_in() {
        let errors: Vec<String> = validator.iter_errors(&json(text)).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{id}: {errors:?}");
    }
    assert!(validator.is_valid(&json(SOUND)));
    for (from, to) in [
        ("impact =", "impct ="),
        ("\"low\"", "\"lowest\""),
        ("\"house\"", "\"rfc1\""),
        ("exists = true", "exists = false"),
        ("exists = true", ""),
        ("\"/a\"", "\"a\""),
        ("verdict = \"pass\"", "verdict = \"passed\""),
    ] {
        assert!(!validator.is_valid(&json(&SOUND.replacen(from, to, 1))), "{to}");
    }
}

#[test]
fn the_published_schema_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/rule.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, schema::text()).unwrap();
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stands == schema::text(), "schemas/rule.json is out of date: run `UPDATE=1 cargo test --lib rule::`");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_panics_the_loader(text in ".{0,200}") {
        let _ = load(&text).map_err(|problem| problem.to_string());
    }

    /// A sound rule with a piece of it replaced gets further into the loader than noise does.
    #[test]
    fn no_spoiled_rule_panics_the_loader(
        at in 0..SOUND.len(),
        length in 0..40usize,
        piece in prop_oneof![".{0,8}", "[\\[\\]{}\"'=,.#\n /*~0-9a-z]{0,12}"],
    ) {
        let end = (at + length).min(SOUND.len());
        let text = format!("{}{piece}{}", &SOUND[..at], &SOUND[end..]);
        let _ = load(&text).map_err(|problem| problem.to_string());
    }

    /// Whatever stands under the keys of an expectation.
    #[test]
    fn no_value_panics_the_loader(
        key in prop::sample::select(Predicate::NAMES.to_vec()),
        value in "(true|-?[0-9]{1,20}|[0-9]\\.[0-9]e[0-9]{1,4}|\"[^\"\\\\]{0,20}\"|\\[[0-9, ]{0,9}\\]|\\{ a = 1 \\}|inf|1979-05-27)",
        pointer in "[/*~01a-c]{0,12}",
    ) {
        let text = SOUND.replacen("exists = true", &format!("{key} = {value}"), 1)
            .replacen("\"/a\"", &format!("\"{pointer}\""), 1);
        let _ = load(&text).map_err(|problem| problem.to_string());
    }
}
