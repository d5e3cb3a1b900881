//! The visit that waits, how earlier ones ended, and which of them an answer belongs to.

use std::collections::VecDeque;

use super::{Anomaly, AnomalyKind};
use crate::front::cockpit::Board;
use crate::oauth::answer::Returned;
use crate::oauth::secret::Secret;

/// Anomalies of a kind that are kept: anybody who can reach the port can cause some kinds, which shall not crowd out the
/// others.
const MOST_OF_A_KIND: usize = 20;

/// Visits whose end is remembered: more than an audit makes. An answer to an older one has an unknown state.
pub(super) const MOST_PAST: usize = 200;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) visit: Option<Visit>,
    begun: usize,
    /// How earlier visits ended, by their `state`; the latest is the last.
    past: VecDeque<(String, Past)>,
    pub(super) anomalies: Vec<Anomaly>,
    pub(super) board: Board,
    pub(super) asked: bool,
    pub(super) ended: bool,
}

#[derive(Debug)]
pub(super) struct Visit {
    pub(super) number: usize,
    pub(super) state: String,
    pub(super) url: String,
    /// The page that took the hop.
    pub(super) taken: Option<String>,
    /// That page asked again: the hop led nowhere (an empty answer, a download, a foreign scheme), or leads there slowly.
    pub(super) stayed: bool,
    pub(super) arrived: Option<Returned>,
    /// Nothing more of the answer is to come.
    pub(super) settled: bool,
    pub(super) stray: Option<String>,
}

#[derive(Debug)]
enum Past {
    /// With this code.
    Answered(Option<Secret>),
    GivenUp,
}

/// What became of what arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivered {
    /// It is the answer to the visit that waits.
    First,
    /// It belongs to a visit that had its answer already.
    Again,
    /// It belongs to none of ours that had an answer or still waits for one.
    Foreign,
}

/// How much of an answer was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What a browser sends: a fragment may follow.
    Query,
    /// The whole address, from the page's script.
    Whole,
}

impl State {
    /// Begins a visit, and gives up one that still waits. Tells its number.
    pub(super) fn begin(&mut self, state: &str, url: &str) -> usize {
        self.give_up();
        self.begun += 1;
        self.visit = Some(Visit {
            number: self.begun,
            state: state.to_owned(),
            url: url.to_owned(),
            // A tab that the system opens takes its hop along.
            taken: self.board.told.tabs.then(String::new),
            stayed: false,
            arrived: None,
            settled: false,
            stray: None,
        });
        self.begun
    }

    pub(super) fn give_up(&mut self) {
        let Some(visit) = self.visit.take() else {
            return;
        };
        let past = match &visit.arrived {
            Some(returned) => Past::Answered(code(returned)),
            None => Past::GivenUp,
        };
        if !visit.state.is_empty() {
            self.past.push_back((visit.state, past));
            if self.past.len() > MOST_PAST {
                self.past.pop_front();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.past.len()
    }

    /// Takes what arrived to the visit that it belongs to.
    pub(super) fn deliver(&mut self, returned: Returned, extent: Extent) -> Delivered {
        let state = returned.get("state").unwrap_or_default().to_owned();
        let ours = |visit: &&mut Visit| visit.state == state && (!state.is_empty() || is_answer(&returned));
        if let Some(visit) = self.visit.as_mut().filter(ours) {
            let mut delivered = Delivered::Again;
            match &mut visit.arrived {
                None => {
                    visit.arrived = Some(returned);
                    delivered = Delivered::First;
                }
                Some(first) if !is_same(first, &returned) => {
                    let what = describe("a second answer to one request, with another code", &returned);
                    self.note(AnomalyKind::SecondAnswer, what);
                    return Delivered::Again;
                }
                Some(first) if extent == Extent::Whole && first.fragment.is_empty() => {
                    first.url = returned.url;
                    first.fragment = returned.fragment;
                }
                Some(_) => {}
            }
            visit.settled |= extent == Extent::Whole;
            return delivered;
        }
        if !is_answer(&returned) {
            // A posted form leaves an address without an answer: that page has nothing to add.
            if let Some(visit) = self.visit.as_mut().filter(|v| extent == Extent::Whole && v.arrived.is_some()) {
                visit.settled = true;
            }
            return Delivered::Foreign;
        }
        let past = self.past.iter().rev().find(|(of, _)| *of == state).map(|(_, past)| past);
        let (kind, what) = match past {
            Some(Past::Answered(first)) if *first == code(&returned) => return Delivered::Again,
            Some(Past::Answered(_)) => {
                (AnomalyKind::SecondAnswer, "a second answer to an earlier request, with another code")
            }
            Some(Past::GivenUp) => (AnomalyKind::Late, "an answer to a request that was given up"),
            None if state.is_empty() => (AnomalyKind::NoState, "an answer without the state that was sent"),
            None => (AnomalyKind::UnknownState, "an answer with a state that was never sent"),
        };
        let what = describe(what, &returned);
        // The script of our page tells that a window of the browser stands there. Anybody can send a mere request, and a
        // visit that waits for its person is not ended by it.
        let is_window = extent == Extent::Whole;
        let kind_of_stray = matches!(kind, AnomalyKind::NoState | AnomalyKind::UnknownState);
        if let Some(visit) = self.visit.as_mut().filter(|_| is_window && kind_of_stray) {
            visit.stray = Some(what.clone());
        }
        self.note(kind, what);
        Delivered::Foreign
    }

    pub(super) fn note(&mut self, kind: AnomalyKind, what: String) {
        let anomaly = Anomaly { kind, what };
        if matches!(kind, AnomalyKind::BodyBesideAnswer | AnomalyKind::PasswordInForm) {
            self.board.note(&anomaly.what);
        }
        // The page's script repeats what the query said.
        let of_the_kind = self.anomalies.iter().filter(|a| a.kind == kind).count();
        if self.anomalies.last() != Some(&anomaly) && of_the_kind < MOST_OF_A_KIND {
            self.anomalies.push(anomaly);
        }
    }

    /// The next hop, for a page that asks. Each is handed out once.
    pub(super) fn hand_out(&mut self, page: &str) -> Option<String> {
        let visit = self.visit.as_mut().filter(|v| v.taken.is_none() && v.arrived.is_none())?;
        visit.taken = Some(page.to_owned());
        Some(visit.url.clone())
    }

    /// A page asks; if it is the one that took the hop, it is still there.
    pub(super) fn is_asked_again(&mut self, page: &str) {
        if let Some(visit) = self.visit.as_mut().filter(|v| v.arrived.is_none()) {
            visit.stayed |= !page.is_empty() && visit.taken.as_deref() == Some(page);
        }
    }

    /// Lets the hop be handed out once more.
    pub(super) fn hand_again(&mut self) {
        if let Some(visit) = &mut self.visit {
            visit.taken = None;
            visit.stayed = false;
        }
    }
}

/// Parameters that only an authorization response has (RFC 6749 section 4, OpenID Connect Core, JARM).
pub(super) fn is_answer(returned: &Returned) -> bool {
    ["code", "error", "access_token", "id_token", "response"].iter().any(|name| returned.get(name).is_some())
}

/// Whether an answer is one that arrived already: by a reload, or from the page's script, which adds the fragment.
fn is_same(first: &Returned, second: &Returned) -> bool {
    let in_query = |r: &Returned| r.query.iter().find(|(n, _)| n == "code").map(|(_, v)| Secret::new(v.as_str()));
    let added = [first, second].iter().any(|r| r.fragment.is_empty());
    in_query(first) == in_query(second) && (added || first.fragment == second.fragment)
}

fn code(returned: &Returned) -> Option<Secret> {
    returned.get("code").map(Secret::new)
}

/// Names, but no values: nothing here was learned as a secret.
fn describe(what: &str, returned: &Returned) -> String {
    let mut names: Vec<&str> = returned.query.iter().chain(&returned.fragment).map(|(n, _)| n.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> = names.iter().take(12).map(|n| n.chars().take(40).collect()).collect();
    match returned.get("error") {
        Some(error) => {
            let error: String = error.chars().take(60).collect();
            format!("{what} (with {}; error {error:?})", names.join(", "))
        }
        None => format!("{what} (with {})", names.join(", ")),
    }
}
