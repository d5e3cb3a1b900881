//! From the text of a rule file to a rule whose examples have been run.

use serde_json::Value;

use super::page::{self, Words};
use super::pointer::Pointer;
use super::predicate::{Pattern, Predicate, Type};
use super::subject::Subject;
use super::{Condition, Expectation, Rule};
use crate::check::{Card, Demand, Impact, Level, Reach, Requirement, Verdict};
use crate::document::{Document, McpVersion};
use crate::toml_file::{Item, Mistake, Table, parse};

pub(super) const RULE: [&str; 9] =
    ["title", "document", "requires", "impact", "why", "remediation", "when", "expect", "example"];
pub(super) const REQUIREMENT: [&str; 5] = ["document", "section", "level", "since", "until"];
/// Beside the predicates.
pub(super) const CONDITION: [&str; 3] = ["at", "optional", "message"];
/// Beside those of a condition.
pub(super) const EXPECTATION: [&str; 2] = ["level", "requires"];
pub(super) const EXAMPLE: [&str; 3] = ["verdict", "given", "issuer"];

pub(super) const LEVELS: [(&str, Level); 3] =
    [("must", Level::Must), ("should", Level::Should), ("advice", Level::Advice)];
pub(super) const IMPACTS: [(&str, Impact); 4] =
    [("critical", Impact::Critical), ("high", Impact::High), ("medium", Impact::Medium), ("low", Impact::Low)];
pub(super) const OUTCOMES: [(&str, &str); 3] =
    [("pass", "pass"), ("fail", "fail"), ("not-applicable", "not-applicable")];

/// The issuer in examples that name none.
pub(super) const ISSUER_OF_EXAMPLES: &str = "https://issuer.example";

/// Reads a rule and runs its examples.
pub(super) fn rule(id: &str, text: &str, page: Option<&'static str>) -> Result<Rule, Mistake> {
    let parsed = parse(text)?;
    let table = Table::new("a rule", parsed.get_ref(), 0..0, &RULE)?;
    let rule = stated(id, &table, page)?;
    examples(&table, &rule)?;
    Ok(rule)
}

/// The rule that a file states, before its examples have been run.
fn stated(id: &str, table: &Table<'_>, page: Option<&'static str>) -> Result<Rule, Mistake> {
    let words = Words {
        id,
        title: table.need("title")?.line()?,
        why: table.need("why")?.words()?,
        remediation: table.need("remediation")?.words()?,
    };
    let subject = table.need("document")?.one_of("document", &Subject::ALL)?;
    let requires = requirements(table.need("requires")?)?;
    let impact = table.need("impact")?.one_of("impact", &IMPACTS)?;
    let when = all(table, "when", "a [[when]]", &CONDITION, condition)?;
    let expect = all(table, "expect", "an [[expect]]", &[&CONDITION[..], &EXPECTATION].concat(), |table| {
        expectation(table, &requires)
    })?;
    if expect.is_empty() {
        return Err(Mistake::new("a rule needs at least one [[expect]]", 0..0));
    }
    let page = match page {
        Some(page) => page,
        None => kept(page::of(&words, subject, &when, &expect)),
    };
    let demands: Vec<Demand> = expect.iter().map(|e| e.demand).collect();
    let card = Card { id: kept(id.to_owned()), demands: demands.leak(), impact, reach: Reach::Nothing, page };
    Ok(Rule { card: Box::leak(Box::new(card)), subject, when, expect })
}

/// What a report says of a check it says by reference, as of those that are compiled in. A rule is loaded once, at the
/// start, and lives as long as the program: its words are kept that long.
fn kept(text: String) -> &'static str {
    text.leak()
}

fn all<T>(
    table: &Table<'_>,
    key: &str,
    what: &'static str,
    further: &[&str],
    read: impl Fn(&Table<'_>) -> Result<T, Mistake>,
) -> Result<Vec<T>, Mistake> {
    let known = [further, &Predicate::NAMES].concat();
    table.tables(key, what, &known)?.iter().map(read).collect()
}

fn requirements(item: Item<'_>) -> Result<Vec<Requirement>, Mistake> {
    let items = item.items()?;
    if items.is_empty() {
        return Err(item.wrong("somebody must require it").hint("a rule of your own cites document = \"house\""));
    }
    items.into_iter().map(|item| requirement(&item.table("a requirement", &REQUIREMENT)?)).collect()
}

fn requirement(table: &Table<'_>) -> Result<Requirement, Mistake> {
    let documents: Vec<(&str, Document)> = Document::ALL.iter().map(|d| (d.slug(), *d)).collect();
    let document = table.need("document")?.one_of("document", &documents)?;
    let section = kept(table.need("section")?.line()?.to_owned());
    let level = table.need("level")?.one_of("level", &LEVELS)?;
    let versions = McpVersion::ALL.map(|v| (v.as_str(), v));
    let bound = |key| match table.get(key) {
        Some(item) if document != Document::Mcp => {
            Err(item.wrong(format!("only mcp has revisions, {} has none", document.slug())))
        }
        Some(item) => item.one_of("revision", &versions).map(Some),
        None => Ok(None),
    };
    let revisions = match (bound("since")?, bound("until")?) {
        (None, None) => None,
        (since, until) => Some((since.unwrap_or(versions[0].1), until.unwrap_or(versions[versions.len() - 1].1))),
    };
    Ok(Requirement { document, section, level, revisions })
}

fn condition(table: &Table<'_>) -> Result<Condition, Mistake> {
    let at = table.need("at")?;
    let pointer = Pointer::parse(at.text()?).map_err(|why| at.wrong(why))?;
    let given = Predicate::NAMES.into_iter().filter_map(|name| Some((name, table.get(name)?)));
    let predicates = given.map(|(name, item)| predicate(name, item, &pointer)).collect::<Result<Vec<_>, _>>()?;
    if predicates.is_empty() {
        let all = Predicate::NAMES.join(", ");
        return Err(Mistake::new("this asks nothing", table.at()).hint(format!("add one of {all}")));
    }
    let optional = match table.get("optional") {
        Some(item) => match (item.flag()?, predicates.iter().any(|p| matches!(p, Predicate::Exists))) {
            (true, true) => return Err(item.wrong("what has to be there is not optional")),
            (optional, _) => optional,
        },
        None => false,
    };
    let message = table.get("message").map(Item::line).transpose()?.map(str::to_owned);
    Ok(Condition { at: pointer, predicates, optional, message })
}

fn predicate(name: &str, item: Item<'_>, at: &Pointer) -> Result<Predicate, Mistake> {
    let several = || -> Result<Vec<Value>, Mistake> {
        let items = item.items()?;
        if items.is_empty() { Err(item.wrong("this is empty")) } else { items.into_iter().map(Item::json).collect() }
    };
    let stated = |predicate| match item.flag()? {
        true => Ok(predicate),
        false => Err(item
            .wrong(format!("{name} is true or left out"))
            .hint("the contrary of exists is absent; the others have none")),
    };
    match name {
        "exists" => stated(Predicate::Exists),
        "absent" => stated(Predicate::Absent),
        "type" => Ok(Predicate::Type(item.one_of("type", &Type::ALL)?)),
        "equals" => Ok(Predicate::Equals(item.json()?)),
        "one-of" => Ok(Predicate::OneOf(several()?)),
        "contains" => Ok(Predicate::Contains(item.json()?)),
        "contains-none-of" => Ok(Predicate::ContainsNoneOf(several()?)),
        "only" => Ok(Predicate::Only(several()?)),
        "matches" => Pattern::new(item.text()?)
            .map(Predicate::Matches)
            .map_err(|why| item.wrong(format!("this is no regular expression: {}", why.replace('\n', ", ")))),
        "https" => stated(Predicate::Https),
        "same-origin-as-issuer" => stated(Predicate::SameOriginAsIssuer),
        "at-most" => Ok(Predicate::AtMost(item.number()?)),
        "at-least" => Ok(Predicate::AtLeast(item.number()?)),
        "unique" if !at.walks() => {
            Err(item.wrong("unique compares the places that a * leads to, and at has none").hint("end at with /*"))
        }
        "unique" => stated(Predicate::Unique),
        _ => Err(item.wrong(format!("there is no predicate {name}"))),
    }
}

fn expectation(table: &Table<'_>, of_rule: &[Requirement]) -> Result<Expectation, Mistake> {
    let condition = condition(table)?;
    let by = match (table.get("requires"), table.get("level")) {
        (Some(_), Some(level)) => return Err(level.wrong("requires states the level already")),
        (Some(own), None) => requirements(own)?,
        (None, Some(item)) => lowered(item, of_rule)?,
        (None, None) => of_rule.to_vec(),
    };
    let demand = Demand { says: kept(page::says(&condition)), by: by.leak() };
    Ok(Expectation { condition, demand })
}

/// The requirements of the rule, none above a level that is lower than the rule's.
fn lowered(item: Item<'_>, of_rule: &[Requirement]) -> Result<Vec<Requirement>, Mistake> {
    let level = item.one_of("level", &LEVELS)?;
    if of_rule.iter().all(|r| r.level <= level) {
        let why = "an [[expect]] may lower the level of its rule, and this is no lower";
        return Err(item.wrong(why).hint("leave level out, or give the [[expect]] requires of its own"));
    }
    Ok(of_rule.iter().map(|r| Requirement { level: r.level.min(level), ..*r }).collect())
}

/// Runs the examples; there is one that passes and one that fails.
fn examples(table: &Table<'_>, rule: &Rule) -> Result<(), Mistake> {
    let examples = table.tables("example", "an [[example]]", &EXAMPLE)?;
    let mut shown = Vec::new();
    for example in &examples {
        shown.push(run(example, rule)?);
    }
    for due in ["pass", "fail"] {
        if !shown.contains(&due) {
            let hint = format!("add [[example]] with verdict = \"{due}\" and given = '{{ … }}'");
            return Err(Mistake::new(format!("a rule needs an example with the verdict {due}"), 0..0).hint(hint));
        }
    }
    Ok(())
}

fn run(example: &Table<'_>, rule: &Rule) -> Result<&'static str, Mistake> {
    let due = example.need("verdict")?;
    let verdict = due.one_of("verdict", &OUTCOMES)?;
    let given = example.need("given")?;
    let document: Value =
        serde_json::from_str(given.text()?).map_err(|error| given.wrong(format!("this is no JSON: {error}")))?;
    let issuer = example.get("issuer").map(Item::line).transpose()?.unwrap_or(ISSUER_OF_EXAMPLES);
    // All that the rule demands counts here, whatever a profile puts in force.
    let ruling = rule.judge(&document, issuer, |demand| demand.by.iter().map(|r| r.level).max());
    let came_out = match &ruling.verdict {
        Verdict::Pass(_) => "pass",
        Verdict::Fail(..) => "fail",
        Verdict::NotApplicable(_) => "not-applicable",
        Verdict::Inconclusive(_) | Verdict::NotRun { .. } => "undecided",
    };
    match came_out == verdict {
        true => Ok(verdict),
        false => Err(due.wrong(format!("this example comes out as {came_out}: {}", ruling.verdict.why()))),
    }
}

#[cfg(test)]
pub(super) fn without_examples(id: &str, text: &str) -> Result<Rule, Mistake> {
    let parsed = parse(text)?;
    stated(id, &Table::new("a rule", parsed.get_ref(), 0..0, &RULE)?, None)
}

/// The file in JSON, as a schema sees it.
#[cfg(test)]
pub(super) fn as_json(text: &str) -> Result<Value, Mistake> {
    let parsed = parse(text)?;
    let keys: Vec<&str> = parsed.get_ref().keys().map(|key| key.get_ref().as_ref()).collect();
    Table::new("a rule", parsed.get_ref(), 0..0, &keys)?.json()
}
