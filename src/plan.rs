//! Which checks run, when, and what that takes: a pure function of the catalogue, the profile and the options.

use std::collections::BTreeMap;

use crate::check::{AnyCheck, Reach, Verdict};
use crate::front::Asks;
use crate::needs::{Beside, Ordinary, Stage};
use crate::profile::Profile;

pub mod outline;

/// Which checks are wanted and how far they may go.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Globs over ids; empty means all.
    pub select: Vec<String>,
    /// Globs over ids that are left out.
    pub ignore: Vec<String>,
    /// The most that may be spoiled.
    pub reach: Reach,
}

impl Default for Selection {
    fn default() -> Self {
        Self { select: Vec::new(), ignore: Vec::new(), reach: Reach::Grant }
    }
}

/// A glob that no check answers to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No check has such an id.
    #[error("no check is named {glob}{}", .meant.as_ref().map(|m| format!(", did you mean {m}?")).unwrap_or_default())]
    Unknown {
        /// What was given.
        glob: String,
        /// The nearest id.
        meant: Option<String>,
    },
    /// The check exists, but nothing that it demands is in force.
    #[error("nothing that {glob} selects is in force under the profile {profile}")]
    NotInForce {
        /// What was given.
        glob: String,
        /// The profile.
        profile: &'static str,
    },
}

impl SelectionError {
    /// What to type next.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => {
                "`oaudit checks` lists the ids; --select and --ignore take globs such as pkce/*".into()
            }
            Self::NotInForce { .. } => "choose another --profile, see `oaudit checks --profile NAME`".into(),
        }
    }
}

/// The work, in order.
pub struct Plan {
    /// The checks in force, in the order of the catalogue.
    pub checks: Vec<&'static dyn AnyCheck>,
    /// Those left out because they would spoil too much.
    pub beyond_reach: Vec<&'static dyn AnyCheck>,
    /// Those left out for another reason, and what is to be said of them.
    pub left_out: Vec<(&'static dyn AnyCheck, Verdict)>,
}

impl Plan {
    /// Makes the plan.
    pub fn new(
        all: &[&'static dyn AnyCheck],
        profile: &Profile,
        selection: &Selection,
    ) -> Result<Self, SelectionError> {
        for glob in selection.select.iter().chain(&selection.ignore) {
            if !all.iter().any(|c| glob_matches(glob, c.card().id)) {
                return Err(SelectionError::Unknown { glob: glob.clone(), meant: nearest(all, glob) });
            }
        }
        let wanted = |id: &str| selection.select.is_empty() || selection.select.iter().any(|g| glob_matches(g, id));
        let ignored = |id: &str| selection.ignore.iter().any(|g| glob_matches(g, id));
        let chosen: Vec<&'static dyn AnyCheck> = all
            .iter()
            .copied()
            .filter(|c| profile.selects(c.card()) && wanted(c.card().id) && !ignored(c.card().id))
            .collect();
        if chosen.is_empty()
            && let Some(glob) = selection.select.first()
        {
            return Err(SelectionError::NotInForce { glob: glob.clone(), profile: profile.name.as_str() });
        }
        let (checks, beyond_reach) = chosen.into_iter().partition(|c| c.card().reach <= selection.reach);
        Ok(Self { checks, beyond_reach, left_out: Vec::new() })
    }

    /// Leaves out every check for which `why` has a verdict already.
    pub fn leave_out(&mut self, why: impl Fn(&dyn AnyCheck) -> Option<Verdict>) {
        let mut stay = Vec::with_capacity(self.checks.len());
        for check in std::mem::take(&mut self.checks) {
            match why(check) {
                Some(verdict) => self.left_out.push((check, verdict)),
                None => stay.push(check),
            }
        }
        self.checks = stay;
    }

    /// Leaves out what would ask a person more often than is allowed: what matters least first.
    pub fn fit(&mut self, most: Option<usize>, asks: Asks, ordinary: &Ordinary) {
        let Some(most) = most else { return };
        let mut left = most.saturating_sub(asks.to_begin_with());
        let mut by_impact: Vec<&'static dyn AnyCheck> = self.checks.clone();
        by_impact.sort_by_key(|check| std::cmp::Reverse(check.card().impact));
        let (mut over, mut agreed) = (BTreeMap::new(), Beside::NONE);
        for check in by_impact {
            let beside = if asks == Asks::Nobody { Beside::NONE } else { check.beside() };
            let cost = asks.of(check, ordinary) + beside.beyond(agreed);
            match left.checked_sub(cost) {
                Some(rest) => (left, agreed) = (rest, agreed.and(beside)),
                None => {
                    over.insert(check.card().id, cost);
                }
            }
        }
        self.leave_out(|check| {
            let times = match over.get(check.card().id)? {
                1 => "once".to_owned(),
                n => format!("{n} times"),
            };
            Some(Verdict::Inconclusive(format!(
                "it may ask the person {times} more, and --max-prompts {most} is spent on what matters more"
            )))
        });
    }

    /// The clients beside the audited one that the checks take.
    pub fn beside(&self) -> Beside {
        self.checks.iter().fold(Beside::NONE, |all, check| all.and(check.beside()))
    }

    /// The checks of a stage.
    pub fn stage(&self, stage: Stage) -> Vec<&'static dyn AnyCheck> {
        self.checks.iter().copied().filter(|c| c.stage() == stage).collect()
    }

    /// The most visits with the session that it takes: the sign-in, the look whether grants live side by side, the
    /// ordinary flows of a second and a confidential client, and every request of every check (many are answered to a
    /// stranger and need none).
    pub fn visits(&self, ordinary: &Ordinary) -> usize {
        5 + self.checks.iter().map(|c| c.visits(ordinary)).sum::<usize>()
    }
}

/// Whether an id answers to a glob; `*` stands for anything.
pub fn glob_matches(glob: &str, id: &str) -> bool {
    match glob.split_once('*') {
        None => glob == id,
        Some((head, tail)) => id.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| glob_matches(tail, &rest[at..]))
        }),
    }
}

/// The id that is nearest to what was typed, if any is near.
pub fn nearest(all: &[&'static dyn AnyCheck], typed: &str) -> Option<String> {
    let ids = all.iter().map(|c| c.card().id);
    let property = |id: &str| id.rsplit('/').next().unwrap_or(id).to_owned();
    // Either the whole id, or the property alone: people leave the topic out.
    ids.map(|id| {
        let whole = strsim::jaro_winkler(typed, id);
        (whole.max(strsim::jaro_winkler(&property(typed), &property(id)) - 0.02), id)
    })
    .filter(|(likeness, _)| *likeness > 0.8)
    .max_by(|a, b| a.0.total_cmp(&b.0))
    .map(|(_, id)| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Card, Check, Impact, Outcome, demand, must};
    use crate::document::Document;
    use crate::needs::{Context, Documents};
    use crate::oauth::token::Code;
    use crate::profile::ProfileName;

    macro_rules! check {
        ($name:ident, $id:literal, $needs:ty, $document:ident, $reach:ident) => {
            struct $name;
            impl Check for $name {
                type Needs = $needs;
                const CARD: Card = Card {
                    id: $id,
                    demands: &[demand("d", &[must(Document::$document, "1")])],
                    impact: Impact::High,
                    reach: Reach::$reach,
                    page: "",
                };
                async fn run(_: $needs, _: &Context) -> Outcome {
                    unreachable!("a plan runs nothing")
                }
            }
        };
    }
    check!(Look, "a/look", Documents, Rfc8414, Nothing);
    check!(Ask, "b/ask", Code, OpenAi, OwnMaterial);
    check!(Break, "b/break", Code, OAuth21, Grant);

    static ALL: &[&dyn AnyCheck] = &[&Look, &Ask, &Break];

    fn ids(checks: &[&dyn AnyCheck]) -> Vec<&'static str> {
        checks.iter().map(|c| c.card().id).collect()
    }

    fn plan(selection: &Selection) -> Result<Plan, SelectionError> {
        Plan::new(ALL, &Profile::default(), selection)
    }

    #[test]
    fn stages_follow_needs_and_reach() {
        let plan = plan(&Selection::default()).ok().unwrap();
        assert_eq!(ids(&plan.stage(Stage::Documents)), ["a/look"]);
        assert_eq!(ids(&plan.stage(Stage::OwnMaterial)), ["b/ask"]);
        assert_eq!(ids(&plan.stage(Stage::Grants)), ["b/break"]);
    }

    #[test]
    fn the_profile_and_the_reach_leave_out() {
        let profile = Profile { name: ProfileName::OAuth21, ..Profile::default() };
        let selection = Selection { reach: Reach::OwnMaterial, ..Selection::default() };
        let plan = Plan::new(ALL, &profile, &selection).ok().unwrap();
        assert_eq!(ids(&plan.checks), ["a/look"]);
        assert_eq!(ids(&plan.beyond_reach), ["b/break"]);
    }

    #[test]
    fn globs_select_and_unknown_ones_are_errors() {
        let of = |glob: &str| Selection { select: vec![glob.into()], ..Selection::default() };
        assert_eq!(ids(&plan(&of("b/*")).ok().unwrap().checks), ["b/ask", "b/break"]);
        assert_eq!(ids(&plan(&of("*k")).ok().unwrap().checks), ["a/look", "b/ask", "b/break"]);
        let error = plan(&of("b/brake")).err().unwrap();
        assert_eq!(error.to_string(), "no check is named b/brake, did you mean b/break?");
    }
}
