//! What is accepted for now: failures that the configuration waives with a reason, and those that a baseline knows. A
//! waived check stays in every report; what was not found out is never waived.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::report::{CheckLine, ResultKind};

pub mod baseline;
mod marks;
pub mod schema;

use baseline::Baseline;

/// A `[[waive]]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The id of the check.
    pub check: String,
    /// Why its failure is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Option<Date>,
    /// The target that it is for; every target without.
    pub target: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it is written: file and line.
    pub place: String,
}

/// Everything that is accepted in a run.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// What the configuration waives.
    pub waivers: Vec<Waiver>,
    /// What was known before, and how the file is called.
    pub baseline: Option<(String, Baseline)>,
}

/// By what a check is waived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaivedBy {
    /// A `[[waive]]` of oaudit.toml.
    Configuration,
    /// The baseline.
    Baseline,
}

/// Why a check is waived, in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverLine {
    /// By what.
    pub by: WaivedBy,
    /// The reason.
    pub reason: String,
    /// The last day, `2027-03-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The day on which the baseline saw it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
    /// Days since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<i64>,
}

/// Whether two addresses name one target: nobody means another by a slash at the end.
pub fn same_target(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

impl Accepted {
    /// Marks what is accepted among these lines, and says what a reader must know of waivers and baseline. `audited` are
    /// the names of the target.
    pub fn apply(&self, lines: &mut [CheckLine], audited: &[&str], today: Date) -> Vec<String> {
        let here = |waiver: &&Waiver| {
            let target = waiver.target.as_deref();
            target.is_none_or(|target| audited.iter().any(|name| same_target(target, name)))
        };
        let mut remarks = Vec::new();
        for waiver in self.waivers.iter().filter(here) {
            if let Some(line) = lines.iter_mut().find(|line| line.id == waiver.check) {
                remarks.extend(waiver.meets(line, today));
            }
        }
        if let Some((file, baseline)) = &self.baseline {
            remarks.extend(baseline.meets(lines, file, today));
        }
        remarks
    }
}

/// Whether something of it is there to accept.
fn has_failed(line: &CheckLine) -> bool {
    matches!(line.result, ResultKind::Fail | ResultKind::Warn | ResultKind::Note)
}

impl Waiver {
    /// Waives a check that failed; what is to be said if there is nothing to waive, or not any more.
    fn meets(&self, line: &mut CheckLine, today: Date) -> Option<String> {
        let Self { check, place, .. } = self;
        let of_it = format!("the waiver of {check} ({place})");
        let expired = self.until.filter(|until| *until < today);
        let holds = matches!(line.result, ResultKind::Pass | ResultKind::NotApplicable);
        match expired {
            Some(until) if holds => {
                return Some(format!("{of_it} expired after {until}, and nothing fails there: remove it"));
            }
            Some(until) => {
                return Some(format!(
                    "{of_it} expired after {until} and waives nothing: fix the check, or decide anew how long it may stay"
                ));
            }
            None if holds => {
                return Some(format!("{of_it} is stale: the check {} now, so remove it", held(line.result)));
            }
            None if !has_failed(line) => return None,
            None => {}
        }
        let until = self.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let owner = self.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
        line.message = format!("waived{until} ({}{owner}): {}", self.reason, line.message);
        line.result = ResultKind::Waived;
        line.waiver = Some(WaiverLine {
            by: WaivedBy::Configuration,
            reason: self.reason.clone(),
            until: self.until.map(|until| until.to_string()),
            owner: self.owner.clone(),
            first_seen: None,
            age_days: None,
        });
        None
    }
}

fn held(result: ResultKind) -> &'static str {
    match result {
        ResultKind::NotApplicable => "does not apply",
        _ => "holds",
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::report::tests::line;

    const TODAY: Date = date!(2026 - 11 - 26);

    fn waiver(until: Option<Date>) -> Waiver {
        Waiver {
            check: "a/b".into(),
            reason: "known".into(),
            until,
            target: None,
            owner: Some("us".into()),
            place: "oaudit.toml:3".into(),
        }
    }

    fn met(waiver: Waiver, result: ResultKind) -> (CheckLine, Vec<String>) {
        let accepted = Accepted { waivers: vec![waiver], baseline: None };
        let mut lines = [line("a/b", result)];
        let remarks = accepted.apply(&mut lines, &["https://api.example/mcp"], TODAY);
        let [line] = lines;
        (line, remarks)
    }

    #[test]
    fn what_failed_is_waived_at_every_level() {
        for result in [ResultKind::Fail, ResultKind::Warn, ResultKind::Note] {
            let (line, remarks) = met(waiver(Some(date!(2027 - 03 - 01))), result);
            assert_eq!((line.result, remarks.len()), (ResultKind::Waived, 0));
            assert_eq!(line.message, "waived until 2027-03-01 (known, owner us): seen");
            assert_eq!(line.waiver.unwrap().until.as_deref(), Some("2027-03-01"));
        }
    }

    #[test]
    fn what_was_not_found_out_is_never_waived() {
        for result in [ResultKind::Inconclusive, ResultKind::NotRun] {
            let (line, remarks) = met(waiver(None), result);
            assert_eq!((line.result, line.message.as_str(), remarks.len()), (result, "seen", 0));
        }
    }

    #[test]
    fn the_last_day_counts_and_the_next_does_not() {
        assert_eq!(met(waiver(Some(TODAY)), ResultKind::Fail).0.result, ResultKind::Waived);
        let (line, remarks) = met(waiver(TODAY.previous_day()), ResultKind::Fail);
        assert_eq!(line.result, ResultKind::Fail);
        assert!(remarks[0].contains("(oaudit.toml:3) expired after 2026-11-25 and waives nothing"), "{remarks:?}");
    }

    #[test]
    fn a_waiver_of_what_holds_is_stale() {
        for result in [ResultKind::Pass, ResultKind::NotApplicable] {
            let (line, remarks) = met(waiver(None), result);
            assert_eq!(line.result, result);
            assert!(remarks[0].contains("is stale"), "{remarks:?}");
        }
        let (_, remarks) = met(waiver(TODAY.previous_day()), ResultKind::Pass);
        assert!(remarks[0].contains("remove it"), "{remarks:?}");
    }

    #[test]
    fn a_waiver_is_for_its_target() {
        for (target, result) in
            [("https://api.example/mcp/", ResultKind::Waived), ("https://api.example/", ResultKind::Fail)]
        {
            let (line, remarks) = met(Waiver { target: Some(target.into()), ..waiver(None) }, ResultKind::Fail);
            assert_eq!((line.result, remarks.len()), (result, 0));
        }
        let elsewhere = Waiver { check: "a/c".into(), ..waiver(None) };
        assert!(met(elsewhere, ResultKind::Fail).1.is_empty(), "what is not in the run says nothing");
    }
}
