//! From what a check found out to its line in the report, its counts and the exit code.

use std::fmt::Write as _;
use std::time::Duration;

use super::{
    BrokenLine, CheckLine, FindingLine, Report, RequirementLine, ResultKind, SignInLine, Summary, VerdictKind,
};
use crate::check::{Card, Demand, Level, Outcome, Ruling, Verdict};
use crate::profile::Profile;
use crate::wire::ExchangeId;

/// The lowest level whose failure fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A broken must.
    Must,
    /// A broken should as well.
    Should,
    /// Advice as well.
    Advice,
    /// Nothing.
    Never,
}

impl FailOn {
    /// Whether a failure at this level fails the run.
    pub fn counts(self, level: Level) -> bool {
        match self {
            Self::Must => level >= Level::Must,
            Self::Should => level >= Level::Should,
            Self::Advice => true,
            Self::Never => false,
        }
    }
}

impl From<&Verdict> for VerdictKind {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass(_) => Self::Pass,
            Verdict::Fail(..) => Self::Fail,
            Verdict::NotApplicable(_) => Self::NotApplicable,
            Verdict::Inconclusive(_) => Self::Inconclusive,
            Verdict::NotRun { .. } => Self::NotRun,
        }
    }
}

impl ResultKind {
    /// Its symbol: colour is never the only carrier.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Fail => "✗",
            Self::Warn => "!",
            Self::Note => "i",
            Self::Inconclusive => "?",
            Self::NotRun => "-",
            Self::NotApplicable => "·",
            Self::Waived => "~",
        }
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Warn => "WARN",
            Self::Note => "NOTE",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::NotRun => "NOT RUN",
            Self::NotApplicable => "N/A",
            Self::Waived => "WAIVED",
        }
    }
}

impl Summary {
    /// The counts in one line of words.
    pub fn sentence(&self, duration_ms: u64) -> String {
        let decided = self.pass + self.fail + self.warn + self.note + self.waived;
        let all = decided + self.inconclusive + self.not_run + self.not_applicable;
        let mut text = format!("{decided} of {all} decided");
        let many = |n: usize, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
        for (n, words) in [
            (self.pass, many(self.pass, "passed", "passed")),
            (self.fail, many(self.fail, "failed", "failed")),
            (self.warn, many(self.warn, "warning", "warnings")),
            (self.note, many(self.note, "note", "notes")),
            (self.waived, many(self.waived, "waived", "waived")),
            (self.inconclusive, many(self.inconclusive, "inconclusive", "inconclusive")),
            (self.not_run, many(self.not_run, "not run", "not run")),
            (self.not_applicable, many(self.not_applicable, "not applicable", "not applicable")),
        ] {
            if n > 0 {
                let _ = write!(text, " · {words}");
            }
        }
        let requests = usize::try_from(self.requests).unwrap_or(usize::MAX);
        let _ = write!(
            text,
            " · {}, {}, {}, {:.1} s",
            many(self.logins, "login", "logins"),
            many(self.authorizations, "authorization", "authorizations"),
            many(requests, "request", "requests"),
            duration_ms as f64 / 1e3
        );
        text
    }
}

impl CheckLine {
    /// The line of a check. What kept it from finding out becomes *inconclusive*.
    pub fn of(
        card: &'static Card,
        outcome: &Outcome,
        profile: &Profile,
        stamped: Vec<ExchangeId>,
        took: Duration,
    ) -> Self {
        let ruling = match outcome {
            Ok(ruling) => ruling.clone(),
            Err(unsettled) => Ruling::from(Verdict::inconclusive(unsettled.to_string())),
        };
        let verdict = VerdictKind::from(&ruling.verdict);
        let broken = match &ruling.verdict {
            Verdict::Fail(demand, _) => Some(broken(demand, profile)),
            _ => None,
        };
        let strongest = card.demands.iter().map(|d| profile.level(d)).max().unwrap_or(Level::Advice);
        let level = broken.as_ref().map_or(strongest, |b| b.level);
        let result = match verdict {
            VerdictKind::Pass => ResultKind::Pass,
            VerdictKind::NotApplicable => ResultKind::NotApplicable,
            VerdictKind::Inconclusive => ResultKind::Inconclusive,
            VerdictKind::NotRun => ResultKind::NotRun,
            VerdictKind::Fail => match level {
                Level::Must => ResultKind::Fail,
                Level::Should => ResultKind::Warn,
                Level::Advice => ResultKind::Note,
            },
        };
        let mut evidence = ruling.evidence.clone();
        if evidence.is_empty() {
            evidence = ruling.findings.iter().flat_map(|f| f.evidence.iter().copied()).collect();
        }
        if evidence.is_empty() {
            evidence = stamped;
        }
        evidence.sort_unstable();
        evidence.dedup();
        Self {
            id: card.id,
            title: card.title(),
            topic: card.topic(),
            verdict,
            result,
            level,
            impact: card.impact,
            message: ruling.verdict.why().to_owned(),
            remediation: card.remediation(),
            how_to_run: match &ruling.verdict {
                Verdict::NotRun { how, .. } => Some(how.clone()),
                _ => None,
            },
            broken,
            waiver: None,
            findings: ruling.findings.iter().map(|f| finding(f, profile)).collect(),
            requirements: requirements(card, profile),
            evidence,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            page: Some(card.page),
        }
    }
}

fn finding(finding: &crate::check::Finding, profile: &Profile) -> FindingLine {
    FindingLine {
        what: finding.what.clone(),
        verdict: VerdictKind::from(&finding.verdict),
        level: match &finding.verdict {
            Verdict::Fail(demand, _) => Some(profile.level(demand)),
            _ => None,
        },
        message: finding.verdict.why().to_owned(),
        measured: finding.measured.clone(),
        evidence: finding.evidence.clone(),
    }
}

/// The strongest requirement in force of what was broken; of what nobody in force demands, the first, as advice.
fn broken(demand: &Demand, profile: &Profile) -> BrokenLine {
    let in_force = profile.strongest(demand);
    let requirement = in_force.or(demand.by.first());
    let level = in_force.map_or(Level::Advice, |r| r.level);
    BrokenLine {
        document: requirement.map_or("", |r| r.document.slug()),
        section: requirement.map_or("", |r| r.section),
        level,
        says: demand.says,
        citation: requirement.map(|r| r.document.cite(r.section, profile.mcp)).unwrap_or_default(),
        url: requirement.map(|r| r.document.url(r.section, profile.mcp)).unwrap_or_default(),
    }
}

fn requirements(card: &Card, profile: &Profile) -> Vec<RequirementLine> {
    let mut lines: Vec<RequirementLine> = Vec::new();
    for r in card.demands.iter().flat_map(|d| d.by).filter(|r| profile.binds(r)) {
        let line = RequirementLine {
            document: r.document.slug(),
            title: r.document.title(),
            section: r.section,
            level: r.level,
            url: r.document.url(r.section, profile.mcp),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

impl Summary {
    /// Counts the lines. Logins, requests and the exit code are entered by whoever knows them.
    pub fn count(checks: &[CheckLine]) -> Self {
        let of = |kind: ResultKind| checks.iter().filter(|c| c.result == kind).count();
        Self {
            pass: of(ResultKind::Pass),
            fail: of(ResultKind::Fail),
            warn: of(ResultKind::Warn),
            note: of(ResultKind::Note),
            inconclusive: of(ResultKind::Inconclusive),
            not_run: of(ResultKind::NotRun),
            not_applicable: of(ResultKind::NotApplicable),
            waived: of(ResultKind::Waived),
            complete: of(ResultKind::Inconclusive) == 0,
            ..Self::default()
        }
    }
}

/// The exit code: 4 could not start, else 1 failed, else 3 incomplete, else 0.
pub fn exit_code(checks: &[CheckLine], fail_on: FailOn, allow_incomplete: bool, strict: bool, stopped: bool) -> u8 {
    let failing: &[ResultKind] = match fail_on {
        FailOn::Must => &[ResultKind::Fail],
        FailOn::Should => &[ResultKind::Fail, ResultKind::Warn],
        FailOn::Advice => &[ResultKind::Fail, ResultKind::Warn, ResultKind::Note],
        FailOn::Never => &[],
    };
    let any = |kinds: &[ResultKind]| checks.iter().any(|c| kinds.contains(&c.result));
    if stopped {
        4
    } else if any(failing) {
        1
    } else if !allow_incomplete && (any(&[ResultKind::Inconclusive]) || (strict && any(&[ResultKind::NotRun]))) {
        3
    } else {
        0
    }
}

impl Report {
    /// What was audited, by the name of its resource.
    pub fn name(&self) -> String {
        let target = &self.target;
        target.resource.as_ref().or(target.issuer.as_ref()).cloned().unwrap_or_else(|| "of nothing".into())
    }

    /// One last pass over every text that may hold a target's words.
    pub(crate) fn redacted(mut self, hide: &impl Fn(&str) -> String) -> Self {
        let all = |texts: &mut Vec<String>| texts.iter_mut().for_each(|t| *t = hide(t));
        all(&mut self.left_behind);
        all(&mut self.remarks);
        let some = |text: &mut Option<String>| text.iter_mut().for_each(|t| *t = hide(t));
        [&mut self.target.resource, &mut self.target.issuer].into_iter().for_each(some);
        let SignInLine { agent, client, registration, scope } = &mut self.sign_in;
        [agent, client, registration, scope].into_iter().for_each(some);
        self.checklist.iter_mut().for_each(|line| line.because = hide(&line.because));
        for client in &mut self.clients {
            client.because = hide(&client.because);
            client.needs.iter_mut().for_each(|n| n.because = hide(&n.because));
        }
        for check in &mut self.checks {
            check.message = hide(&check.message);
            some(&mut check.how_to_run);
            for finding in &mut check.findings {
                finding.what = hide(&finding.what);
                finding.message = hide(&finding.message);
            }
        }
        self.exchanges.iter_mut().for_each(|e| e.map_text(hide));
        for value in
            [&mut self.discovery.resource_metadata, &mut self.discovery.server_metadata, &mut self.discovery.jwks]
        {
            hide_in(value, hide);
        }
        if let Some(stopped) = &mut self.stopped {
            stopped.error = hide(&stopped.error);
            stopped.hint = hide(&stopped.hint);
        }
        self
    }
}

fn hide_in(value: &mut serde_json::Value, hide: &impl Fn(&str) -> String) {
    match value {
        serde_json::Value::String(text) => *text = hide(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|v| hide_in(v, hide)),
        serde_json::Value::Object(members) => {
            // A name is as much a target's word as a value.
            let named = std::mem::take(members).into_iter().map(|(name, value)| (hide(&name), value));
            members.extend(named);
            members.values_mut().for_each(|v| hide_in(v, hide));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Finding, Impact, Reach, Unsettled, advice, demand, must, should};
    use crate::document::Document;
    use crate::profile::ProfileName;

    const STRICT: Demand = demand("It holds.", &[should(Document::Rfc9700, "2"), must(Document::OpenAi, "checklist")]);
    const MILD: Demand = demand("It is nice.", &[advice(Document::Rfc9700, "3")]);
    const CARD: &Card = &Card {
        id: "topic/it-holds",
        demands: &[STRICT, MILD],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: "# topic/it-holds: It holds\n\n## How to fix\n\nMake it\nhold.\n\nMore.",
    };

    fn line(outcome: Outcome, name: ProfileName) -> CheckLine {
        let profile = Profile { name, ..Profile::default() };
        CheckLine::of(CARD, &outcome, &profile, vec![ExchangeId(9)], Duration::from_millis(5))
    }

    fn at(verdict: Verdict) -> CheckLine {
        line(Ok(verdict.into()), ProfileName::ChatGpt)
    }

    #[test]
    fn the_level_in_force_names_the_result() {
        let failed = || Ok(Verdict::fail(STRICT, "no").into());
        let under_chatgpt = line(failed(), ProfileName::ChatGpt);
        assert_eq!((under_chatgpt.result, under_chatgpt.level), (ResultKind::Fail, Level::Must));
        assert_eq!(under_chatgpt.broken.unwrap().document, "openai");
        let under_oauth = line(failed(), ProfileName::OAuth21);
        assert_eq!((under_oauth.result, under_oauth.level), (ResultKind::Warn, Level::Should));
        assert_eq!(under_oauth.requirements.len(), 2);
        assert_eq!(at(Verdict::fail(MILD, "no")).result, ResultKind::Note);
    }

    #[test]
    fn trouble_is_inconclusive_and_keeps_the_strongest_level() {
        let line = line(Err(Unsettled::Control("lost".into())), ProfileName::ChatGpt);
        assert_eq!((line.result, line.level), (ResultKind::Inconclusive, Level::Must));
        assert_eq!(line.message, "lost");
        assert_eq!(line.evidence, [ExchangeId(9)]);
        assert_eq!((line.title, line.remediation.as_str()), ("It holds", "Make it hold."));
    }

    #[test]
    fn evidence_of_the_ruling_comes_first() {
        let ruling = Ruling::from(Verdict::pass("ok")).shown_by([ExchangeId(3), ExchangeId(2), ExchangeId(3)]);
        assert_eq!(line(Ok(ruling), ProfileName::ChatGpt).evidence, [ExchangeId(2), ExchangeId(3)]);
        let finding = Finding::new("x", Verdict::pass("ok")).shown_by([ExchangeId(4)]);
        let ruling = Ruling { verdict: Verdict::pass("ok"), findings: vec![finding], evidence: vec![] };
        assert_eq!(line(Ok(ruling), ProfileName::ChatGpt).evidence, [ExchangeId(4)]);
    }

    #[test]
    fn exit_codes_follow_the_contract() {
        let pass = || at(Verdict::pass("ok"));
        let warn = || line(Ok(Verdict::fail(STRICT, "no").into()), ProfileName::OAuth21);
        let fail = || at(Verdict::fail(STRICT, "no"));
        let unsure = || at(Verdict::inconclusive("?"));
        let left_out = || at(Verdict::NotRun { why: "x".into(), how: "--y".into() });
        let code = |lines: &[CheckLine], on| exit_code(lines, on, false, false, false);
        assert_eq!(code(&[pass(), warn()], FailOn::Must), 0);
        assert_eq!(code(&[pass(), warn()], FailOn::Should), 1);
        assert_eq!(code(&[fail(), unsure()], FailOn::Must), 1, "a proven failure outranks the unknown");
        assert_eq!(code(&[fail(), unsure()], FailOn::Never), 3);
        assert_eq!(exit_code(&[unsure()], FailOn::Must, true, false, false), 0);
        assert_eq!(code(&[left_out()], FailOn::Must), 0);
        assert_eq!(exit_code(&[left_out()], FailOn::Must, false, true, false), 3);
        assert_eq!(exit_code(&[fail()], FailOn::Must, false, false, true), 4);
    }
}
