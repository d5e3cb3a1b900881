//! Finds the marks of hundreds of values in one pass, and looks closer where one stands.

use std::collections::BTreeSet;

use aho_corasick::dfa::{Builder, DFA};
use aho_corasick::{Anchored, Input, MatchKind, automaton::Automaton, automaton::OverlappingState};

use super::Wanted;
use super::shape::{self, MARKS, Mark};
use crate::wire::KnownSecret;
use crate::wire::message::USER_AGENT;

/// Bytes of a secret by which it is first noticed.
const NOTICED: usize = 8;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A secret of the run, by its number.
    Own(usize),
    /// What has the shape of a token, by its kind.
    Shape(&'static str, u8),
    /// The name of this program: no secret, but a sign that requests of the run are logged here.
    OurName,
}

impl What {
    /// The lower, the surer.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Own(_) => 0,
            Self::Shape(_, rank) => rank,
            Self::OurName => u8::MAX,
        }
    }
}

/// A value in the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) what: What,
    pub(super) start: usize,
    pub(super) end: usize,
}

enum Pattern {
    /// The beginning of one secret or of several.
    Secret,
    Mark(&'static Mark),
    OurName,
}

/// One form of a secret.
struct Form {
    text: Vec<u8>,
    secret: usize,
    /// A plain word, which is a secret only where it is called one.
    only_named: bool,
    /// So short that it may stand inside of other words.
    only_alone: bool,
}

/// Looks for the secrets of a run and for the shapes of tokens.
pub(super) struct Searcher {
    /// Sorted, and none begins with another: the greatest that is not greater than a text is the only one that the
    /// text can begin with.
    forms: Vec<Form>,
    secrets: Vec<(String, String, bool)>,
    patterns: Vec<Pattern>,
    automaton: DFA,
}

impl Searcher {
    pub(super) fn new(wanted: &Wanted) -> Self {
        let mut forms: Vec<Form> =
            wanted.secrets.iter().enumerate().flat_map(|(number, secret)| forms_of(number, secret)).collect();
        forms.sort_by(|a, b| a.text.cmp(&b.text));
        let mut free: Vec<Form> = Vec::with_capacity(forms.len());
        for form in forms {
            if !free.last().is_some_and(|shorter| form.text.starts_with(&shorter.text)) {
                free.push(form);
            }
        }
        let beginnings: BTreeSet<Vec<u8>> = free.iter().map(|f| f.text[..NOTICED].to_ascii_lowercase()).collect();
        let mut patterns: Vec<Pattern> = beginnings.iter().map(|_| Pattern::Secret).collect();
        patterns.extend(MARKS.iter().map(Pattern::Mark));
        patterns.push(Pattern::OurName);
        let name = USER_AGENT.split_once(' ').map_or(USER_AGENT, |(_, ours)| ours).as_bytes();
        let texts = beginnings.iter().map(Vec::as_slice).chain(MARKS.iter().map(|m| m.text.as_bytes())).chain([name]);
        // Overlapping matches, so that a name before a value hides no secret in it. Small text is what the patterns
        // are, so that the builder cannot meet its limits.
        let automaton = Builder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(texts)
            .expect("a few thousand short patterns");
        let secrets = wanted
            .secrets
            .iter()
            .map(|s| (s.kind.clone(), s.label.clone(), wanted.sent_in_urls.contains(&s.label)))
            .collect();
        Self { forms: free, secrets, patterns, automaton }
    }

    /// Kind, label, and whether the audit itself put it into an address.
    pub(super) fn describe(&self, what: What) -> (&str, Option<&str>, bool) {
        match what {
            What::Own(number) => {
                let (kind, label, sent_in_url) = &self.secrets[number];
                (kind, Some(label), *sent_in_url)
            }
            What::Shape(kind, _) => (kind, None, false),
            What::OurName => ("", None, false),
        }
    }

    /// What begins in `text[from..limit]`.
    pub(super) fn search(&self, text: &[u8], from: usize, limit: usize, found: &mut Vec<Found>) {
        // The longest pattern that begins before the limit may end after it.
        let end = text.len().min(limit + self.automaton.max_pattern_len());
        let input = Input::new(text).range(from..end).anchored(Anchored::No);
        let mut state = OverlappingState::start();
        while self.automaton.try_find_overlapping(&input, &mut state).is_ok() {
            let Some(noticed) = state.get_match() else { return };
            if noticed.start() >= limit {
                continue;
            }
            found.extend(match &self.patterns[noticed.pattern().as_usize()] {
                Pattern::Secret => self.own(text, noticed.start()),
                Pattern::Mark(mark) => shape::judge(mark, text, noticed.start(), noticed.end()).map(|value| Found {
                    what: What::Shape(mark.kind, mark.rank),
                    start: value.start,
                    end: value.end,
                }),
                Pattern::OurName => Some(Found { what: What::OurName, start: noticed.start(), end: noticed.start() }),
            });
        }
    }

    fn own(&self, text: &[u8], at: usize) -> Option<Found> {
        let rest = &text[at..];
        let next = self.forms.partition_point(|form| form.text.as_slice() <= rest);
        let form = &self.forms[next.checked_sub(1)?];
        let end = at + form.text.len();
        let alone = || {
            !at.checked_sub(1).is_some_and(|i| text[i].is_ascii_alphanumeric())
                && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
        };
        let holds = rest.starts_with(&form.text)
            && (!form.only_alone || alone())
            && (!form.only_named || shape::is_called_a_password(text, at));
        holds.then_some(Found { what: What::Own(form.secret), start: at, end })
    }
}

/// The forms that are worth looking for: what could stand in any log by chance is left out.
fn forms_of(number: usize, secret: &KnownSecret) -> Vec<Form> {
    let value = secret.value.expose();
    let random = shape::looks_random(value.as_bytes(), 16);
    let only_named = secret.kind == "password" && !random;
    let too_common = match secret.kind.as_str() {
        // Languages, themes and counters are cookies as well.
        "cookie" => !random,
        _ => value.len() < NOTICED || (value.len() < 16 && value.bytes().all(|b| b.is_ascii_digit())),
    };
    if too_common {
        return Vec::new();
    }
    let whole = |text: String| {
        let text = text.into_bytes();
        let cut = text.len().min(super::window::AHEAD / 2);
        Form { only_alone: text.len() < 16, text: text[..cut].to_vec(), secret: number, only_named }
    };
    secret.forms().into_iter().filter(|text| text.len() >= NOTICED).map(whole).collect()
}
