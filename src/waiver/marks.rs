//! By what a failure is known again: its check, and the variant of it, without what differs from run to run.

use sha2::{Digest, Sha256};

use crate::check::Level;
use crate::report::{CheckLine, ResultKind, VerdictKind};

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The variant; `None` for the check as a whole.
    pub(super) what: Option<String>,
    /// How it ended.
    pub(super) verdict: VerdictKind,
    /// The same through the profile, if it failed.
    pub(super) result: Option<ResultKind>,
    /// Stays the same as long as the failure does.
    pub(super) fingerprint: String,
}

/// The marks of a check: a failed check has one at least that failed.
pub(super) fn marks(line: &CheckLine) -> Vec<Mark> {
    let mut seen: Vec<String> = Vec::new();
    let mut marks: Vec<Mark> = Vec::new();
    for finding in &line.findings {
        let settled = settled(&finding.what);
        // An address that was met several times is one; two other variants that differ in a number alone are still two.
        let is_address = settled.contains("://");
        let before = if is_address { 0 } else { seen.iter().filter(|s| **s == settled).count() };
        let mark = Mark {
            what: Some(if is_address { settled.clone() } else { finding.what.clone() }),
            verdict: finding.verdict,
            result: (finding.verdict == VerdictKind::Fail).then(|| result(finding.level.unwrap_or(Level::Advice))),
            fingerprint: fingerprint(&[line.id, "variant", &settled, &before.to_string()]),
        };
        seen.push(settled);
        match marks.iter_mut().find(|other| other.fingerprint == mark.fingerprint) {
            Some(other) if weight(&mark) > weight(other) => *other = mark,
            Some(_) => {}
            None => marks.push(mark),
        }
    }
    // What the variants do not account for is the check's own.
    let whole = (line.verdict == VerdictKind::Fail).then(|| result(line.level));
    if whole.is_none() || gravity(whole) > marks.iter().map(|mark| gravity(mark.result)).max().unwrap_or(0) {
        let broken = line.broken.as_ref().map_or("", |broken| broken.says);
        marks.push(Mark {
            what: None,
            verdict: line.verdict,
            result: whole,
            fingerprint: fingerprint(&[line.id, "check", broken]),
        });
    }
    marks
}

fn result(level: Level) -> ResultKind {
    match level {
        Level::Must => ResultKind::Fail,
        Level::Should => ResultKind::Warn,
        Level::Advice => ResultKind::Note,
    }
}

/// How much a failure weighs.
pub(super) fn gravity(result: Option<ResultKind>) -> u8 {
    match result {
        Some(ResultKind::Fail) => 3,
        Some(ResultKind::Warn) => 2,
        Some(ResultKind::Note) => 1,
        _ => 0,
    }
}

/// Which of two that are known by the same words counts: what failed most gravely, then what was not found out.
fn weight(mark: &Mark) -> (u8, bool) {
    (gravity(mark.result), matches!(mark.verdict, VerdictKind::Inconclusive | VerdictKind::NotRun))
}

/// From so many characters on, a word with digits or capitals in it is an identifier that somebody drew.
const DRAWN: usize = 12;

/// What differs from run to run becomes one sign: ports, lines, times, counts, identifiers. Of a query, names are left.
fn settled(what: &str) -> String {
    let mut settled = String::with_capacity(what.len());
    let mut rest = what;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '?' => query(rest),
            c if of_word(c) => rest.find(|c| !of_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(end);
        rest = after;
        let is_drawn = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
        match first {
            '?' => {
                let names = part.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
                numbers(&names.collect::<Vec<_>>().join("&"), &mut settled);
            }
            c if of_word(c) && part.len() >= DRAWN && part.contains(is_drawn) => settled.push('#'),
            _ => numbers(part, &mut settled),
        }
    }
    settled
}

fn of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Where a query ends: at a blank, but not at one within a label such as `{code 1}`.
fn query(text: &str) -> usize {
    let mut within = false;
    let ends = text.char_indices().find(|(_, c)| {
        within = (within || *c == '{') && *c != '}';
        c.is_whitespace() && !within
    });
    ends.map_or(text.len(), |(at, _)| at)
}

fn numbers(part: &str, settled: &mut String) {
    let mut within = false;
    for c in part.chars() {
        if !(c.is_ascii_digit() && within) {
            settled.push(if c.is_ascii_digit() { '#' } else { c });
        }
        within = c.is_ascii_digit();
    }
}

fn fingerprint(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FindingLine;
    use crate::report::tests::check;

    fn finding(what: &str, level: Option<Level>) -> FindingLine {
        let verdict = if level.is_some() { VerdictKind::Fail } else { VerdictKind::Pass };
        FindingLine { what: what.into(), verdict, level, message: "x".into(), measured: None, evidence: vec![] }
    }

    fn failed(findings: Vec<FindingLine>) -> CheckLine {
        CheckLine { findings, ..check("a/b", ResultKind::Fail, "x") }
    }

    #[test]
    fn numbers_and_messages_change_nothing() {
        let one = marks(&failed(vec![finding("GET http://127.0.0.1:4711/a", Some(Level::Must))]));
        let mut later = failed(vec![finding("GET http://127.0.0.1:815/a", Some(Level::Must))]);
        later.message = "after 3 s".into();
        assert_eq!(one[0].fingerprint, marks(&later)[0].fingerprint);
        assert_eq!((one.len(), one[0].fingerprint.len()), (1, 32));
        let other = marks(&failed(vec![finding("GET http://127.0.0.1:815/b", Some(Level::Must))]));
        assert_ne!(one[0].fingerprint, other[0].fingerprint);
    }

    #[test]
    fn what_is_drawn_anew_in_each_run_is_left_out() {
        let what = |state: &str, port: u16| {
            format!("GET http://127.0.0.1:{port}/authorize?client_id={state}&code={{code 7}}&state -> 303")
        };
        assert_eq!(settled(&what("N39BtvLDvyXk", 38985)), "GET http://#.#.#.#:#/authorize?client_id&code&state -> #");
        for (what, is) in [
            ("DELETE /register/client-efPOzGIqz4f4RjuSpx7dq9", "DELETE /register/#"),
            ("another segment: https://c1yjcspynaxlxo.test/cb/oaudit", "another segment: https://#.test/cb/oaudit"),
            ("https://evil.test\\@eux7blrat3kt.test/cb", "https://evil.test\\@#.test/cb"),
            ("key Q3OpUpjhsUBW42F6", "key #"),
            ("is it? code_challenge_methods_supported", "is it? code_challenge_methods_supported"),
            ("a subdomain: https://evil.c1nvkyaaxlxzjt.test/cb", "a subdomain: https://evil.#.test/cb"),
            ("https://introspection.example.com/introspection", "https://introspection.example.com/introspection"),
            ("", ""),
        ] {
            assert_eq!(settled(what), is);
        }
        let met = |n| failed(vec![finding(&what("abc", 1), Some(Level::Must)); n]);
        assert_eq!(marks(&met(1)), marks(&met(3)), "however often it was met");
        let mut passed_too = met(1);
        passed_too.findings.insert(0, finding(&what("x", 2), None));
        assert_eq!(marks(&passed_too), marks(&met(1)), "once is enough to fail");
    }

    #[test]
    fn variants_that_differ_in_a_number_are_two() {
        let two = marks(&failed(vec![finding("RS256", Some(Level::Must)), finding("RS512", Some(Level::Must))]));
        assert_ne!(two[0].fingerprint, two[1].fingerprint);
    }

    #[test]
    fn a_failure_beyond_its_variants_has_a_mark_of_its_own() {
        assert_eq!(marks(&failed(vec![])).len(), 1);
        let graver = marks(&failed(vec![finding("x", Some(Level::Should)), finding("y", None)]));
        assert_eq!(graver.iter().filter(|mark| mark.result.is_some()).count(), 2);
        assert_eq!(graver.last().and_then(|mark| mark.what.clone()), None);
    }
}
