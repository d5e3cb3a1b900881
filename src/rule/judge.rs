//! Judges a document by a rule. Pure: what the examples of a rule run is what an audit runs.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::pointer::Place;
use super::predicate::{Predicate, show};
use super::{Condition, Expectation, Rule};
use crate::check::{Demand, Finding, Level, Ruling, Verdict, fold};

/// More lines than this help nobody; a hostile document may have as many places as bytes.
const MOST_LINES: usize = 50;

/// What was seen at one place.
struct Line {
    pointer: String,
    place: String,
    /// Behind the name of the place, or behind "it".
    fact: String,
    held: bool,
}

impl Line {
    fn sentence(&self) -> String {
        format!("{} {}", self.place, self.fact)
    }
}

impl Rule {
    /// Judges a document. `level` says how binding a demand is; what nobody in force demands (`None`) is not judged.
    pub(super) fn judge(&self, document: &Value, issuer: &str, level: impl Fn(&Demand) -> Option<Level>) -> Ruling {
        for condition in &self.when {
            if let Some(line) = condition.look(document, issuer).into_iter().find(|line| !line.held) {
                return Verdict::not_applicable(line.sentence()).into();
            }
        }
        let in_force = self.expect.iter().filter(|e| level(&e.demand).is_some());
        let seen = in_force.flat_map(|e| e.condition.look(document, issuer).into_iter().map(move |line| (e, line)));
        let lines = once_a_place(seen.collect());
        match lines.as_slice() {
            [] => Verdict::not_applicable("nothing that this rule judges is in the document").into(),
            [(_, line)] if line.held => Verdict::pass(line.sentence()).into(),
            [(expectation, line)] => Verdict::fail(expectation.demand, line.sentence()).into(),
            lines => {
                let pass = held(lines);
                let findings = lines.iter().map(|(expectation, line)| finding(expectation, line)).collect();
                let mut ruling = fold(findings, |demand| level(demand).unwrap_or(Level::Advice), pass);
                shorten(&mut ruling.findings);
                ruling
            }
        }
    }
}

/// Of several expectations at one place the broken ones are worth a line each; if none is, one line is enough.
fn once_a_place(lines: Vec<(&Expectation, Line)>) -> Vec<(&Expectation, Line)> {
    let broken: HashSet<String> = lines.iter().filter(|(_, l)| !l.held).map(|(_, l)| l.pointer.clone()).collect();
    let mut told = HashSet::new();
    let mut worth = |line: &Line| !line.held || (!broken.contains(&line.pointer) && told.insert(line.pointer.clone()));
    lines.into_iter().filter(|(_, line)| worth(line)).collect()
}

fn finding(expectation: &Expectation, line: &Line) -> Finding {
    let why = format!("it {}", line.fact);
    let verdict = if line.held { Verdict::pass(why) } else { Verdict::fail(expectation.demand, why) };
    Finding::new(&line.place, verdict)
}

/// What was seen, if it is little enough to be read; else how much it was. A list says what its items are.
fn held(lines: &[(&Expectation, Line)]) -> String {
    let within =
        |line: &Line, other: &Line| line.pointer.strip_prefix(&other.pointer).is_some_and(|p| p.starts_with('/'));
    let topmost = |line: &&Line| lines.len() > MOST_LINES || !lines.iter().any(|(_, other)| within(line, other));
    let facts: Vec<String> = lines.iter().map(|(_, line)| line).filter(topmost).map(Line::sentence).collect();
    match facts.len() {
        ..=3 => facts.join("; "),
        many => format!("{many} places were looked at, and all are as expected"),
    }
}

/// Failures first, if there are too many lines.
fn shorten(findings: &mut Vec<Finding>) {
    if findings.len() > MOST_LINES {
        findings.sort_by_key(|f| !matches!(f.verdict, Verdict::Fail(..)));
        findings.truncate(MOST_LINES);
    }
}

impl Condition {
    /// One line for each place at which something is asked.
    fn look(&self, document: &Value, issuer: &str) -> Vec<Line> {
        let unique = self.predicates.iter().any(|p| matches!(p, Predicate::Unique));
        let mut earlier: HashMap<String, String> = HashMap::new();
        let mut lines = Vec::new();
        for place in self.at.places(document) {
            let complaint = match place.value {
                None if self.optional => continue,
                None => self.predicates.iter().any(Predicate::asks).then(|| "is missing".to_owned()),
                Some(value) => self
                    .predicates
                    .iter()
                    .find_map(|p| p.complaint(value, issuer))
                    .or_else(|| unique.then(|| repeated(value, &place, &mut earlier)).flatten()),
            };
            lines.push(self.line(&place, complaint));
        }
        lines
    }

    fn line(&self, place: &Place<'_>, complaint: Option<String>) -> Line {
        let held = complaint.is_none();
        let fact = match (complaint, &self.message, place.value) {
            (Some(complaint), Some(message), _) => format!("{complaint}: {message}"),
            (Some(complaint), None, _) => complaint,
            (None, _, Some(value)) => format!("is {}", show(value)),
            (None, _, None) => "is missing".into(),
        };
        Line { pointer: place.pointer.clone(), place: place.name().to_owned(), fact, held }
    }
}

/// Whether a value stood at an earlier place.
fn repeated(value: &Value, place: &Place<'_>, earlier: &mut HashMap<String, String>) -> Option<String> {
    let json = value.to_string();
    match earlier.get(&json) {
        Some(first) => Some(format!("is {}, as {first} is", show(value))),
        None => {
            earlier.insert(json, place.name().to_owned());
            None
        }
    }
}
