//! How far the steps of a page are, from one page to the next.

use super::{Act, Mind, Script, Step};

/// How often the steps of one page are begun in a visit.
const MOST_ROUNDS: usize = 2;

/// How far the steps are.
#[derive(Debug, Default)]
pub(in crate::front) struct Course {
    /// The page that they belong to.
    page: Option<String>,
    ahead: Vec<Step>,
    /// Whether what is sent by them says no.
    denies: bool,
    /// Whether the page decides, and nothing was written down for this mind.
    one_sided: bool,
    /// How often each page was begun.
    begun: Vec<String>,
}

/// The next step.
#[derive(Debug)]
pub(in crate::front) enum Next {
    /// This one.
    Do(Step),
    /// None is left, or none was written down.
    Nothing,
    /// The page came back too often.
    Stop(String),
}

impl Course {
    /// Arrives at a page: goes on where it was, or begins its steps. Tells whether there are any.
    pub(in crate::front) fn reach(&mut self, script: &Script, address: &str, mind: Mind) -> bool {
        let page = script.page(address);
        let same = page.map(|p| &p.matches) == self.page.as_ref();
        // A page of its own ends the steps of another; one that nothing is written down for does not.
        if !self.ahead.is_empty() && (same || page.is_none()) {
            return true;
        }
        self.page = page.map(|p| p.matches.clone());
        self.ahead = page.map(|p| p.steps_for(mind)).unwrap_or_default();
        self.denies = mind == Mind::Deny && page.is_some_and(|p| !p.deny.is_empty());
        self.one_sided = page.is_some_and(|p| p.decides()) && mind == Mind::Deny && !self.denies;
        self.begun.extend(self.page.clone());
        !self.ahead.is_empty()
    }

    /// The steps that are still to be done.
    pub(in crate::front) fn ahead(&self) -> Vec<Step> {
        self.ahead.clone()
    }

    /// Whether guessing could say yes where only a yes is written down.
    pub(in crate::front) fn refuses_to_guess(&self) -> bool {
        self.one_sided
    }

    /// The next step, taken from what is ahead.
    pub(in crate::front) fn next(&mut self) -> Next {
        if self.ahead.is_empty() {
            return Next::Nothing;
        }
        let page = self.page.clone().unwrap_or_default();
        if self.begun.iter().filter(|begun| **begun == page).count() > MOST_ROUNDS {
            return Next::Stop(format!("the page {page} comes back after its steps were done"));
        }
        Next::Do(self.ahead.remove(0))
    }

    /// Whether what the last step sent says no: nothing more is pressed after it.
    pub(in crate::front) fn says_no(&self) -> bool {
        self.denies && !self.ahead.iter().any(|step| matches!(step.act, Act::Click(_)))
    }
}
