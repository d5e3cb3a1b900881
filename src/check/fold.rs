//! One verdict for a table of findings.

use super::{Demand, Finding, Level, Ruling, Verdict};

/// Folds a table into one verdict: any failure, by its gravest demand; else anything undecided, inconclusive; else pass.
/// Lines that do not apply or were not run count only if there is nothing else.
///
/// `levels` says how binding a demand is under the profile in force.
pub fn fold(findings: Vec<Finding>, levels: impl Fn(&Demand) -> Level, pass: impl Into<String>) -> Ruling {
    let evidence = findings.iter().flat_map(|f| f.evidence.iter().copied()).collect();
    let failed: Vec<(&Finding, &Demand, &str)> = findings
        .iter()
        .filter_map(|f| match &f.verdict {
            Verdict::Fail(broken, why) => Some((f, broken, why.as_str())),
            _ => None,
        })
        .collect();
    let undecided: Vec<&Finding> = findings.iter().filter(|f| matches!(f.verdict, Verdict::Inconclusive(_))).collect();
    let verdict = if let Some(gravest) = failed.iter().map(|(_, broken, _)| levels(broken)).max() {
        let at_that_level: Vec<_> = failed.iter().filter(|(_, broken, _)| levels(broken) == gravest).collect();
        let (first, broken, why) = at_that_level[0];
        let more = match failed.len() {
            1 => String::new(),
            n => format!(" (and {} more of {} tried)", n - 1, findings.len()),
        };
        Verdict::Fail(**broken, format!("{}: {why}{more}", first.what))
    } else if let Some(first) = undecided.first() {
        let more = match undecided.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        Verdict::Inconclusive(format!("{}: {}{more}", first.what, first.verdict.why()))
    } else if findings.iter().any(|f| matches!(f.verdict, Verdict::Pass(_))) {
        Verdict::Pass(pass.into())
    } else if let Some(first) = findings.first() {
        first.verdict.clone()
    } else {
        Verdict::Inconclusive("nothing could be tried".into())
    };
    Ruling { verdict, findings, evidence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{demand, must, should};
    use crate::document::Document;

    const MUST: Demand = demand("m", &[must(Document::Rfc6749, "1")]);
    const SHOULD: Demand = demand("s", &[should(Document::Rfc6749, "2")]);

    fn level(demand: &Demand) -> Level {
        demand.by[0].level
    }

    #[test]
    fn a_table_fails_by_its_gravest_line() {
        let table = vec![
            Finding::new("a", Verdict::fail(SHOULD, "weak")),
            Finding::new("b", Verdict::inconclusive("lost")),
            Finding::new("c", Verdict::fail(MUST, "bad")),
        ];
        let Verdict::Fail(broken, why) = fold(table, level, "fine").verdict else { panic!("not a failure") };
        assert_eq!(broken, MUST);
        assert_eq!(why, "c: bad (and 1 more of 3 tried)");
    }

    #[test]
    fn an_undecided_line_among_passes_is_never_green() {
        let table = vec![Finding::new("a", Verdict::pass("x")), Finding::new("b", Verdict::inconclusive("lost"))];
        assert_eq!(fold(table, level, "fine").verdict, Verdict::inconclusive("b: lost"));
    }

    #[test]
    fn an_empty_table_is_not_green() {
        assert!(matches!(fold(vec![], level, "fine").verdict, Verdict::Inconclusive(_)));
        let table = vec![Finding::new("a", Verdict::not_applicable("no"))];
        assert_eq!(fold(table, level, "fine").verdict, Verdict::not_applicable("no"));
    }
}
