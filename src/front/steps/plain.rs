//! Steps as they stand in a configuration file, and their way into the types that agents execute.

use std::time::Duration;

use serde::Deserialize;

use super::{Act, Key, Locator, LoginPage, Script, Step, Template};

/// The longest wait that a step may ask for, in seconds.
pub const LONGEST_SLEEP: f64 = 60.0;

/// A page as it is written down.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainPage {
    /// Which addresses it has.
    #[serde(rename = "match")]
    pub matches: String,
    /// What is done whenever it is met.
    #[serde(default)]
    pub steps: Vec<PlainStep>,
    /// What says yes on it.
    #[serde(default)]
    pub approve: Vec<PlainStep>,
    /// What says no on it.
    #[serde(default)]
    pub deny: Vec<PlainStep>,
}

/// A step as it is written down: one of the acts, and what belongs to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainStep {
    /// Do what would be done without steps.
    pub auto: Option<bool>,
    /// Enter a text here.
    pub fill: Option<String>,
    /// Press this.
    pub click: Option<String>,
    /// Press this key.
    pub press: Option<String>,
    /// Choose from this list.
    pub select: Option<String>,
    /// Tick this.
    pub check: Option<String>,
    /// Wait until this is there.
    pub wait_for: Option<String>,
    /// Wait until the address matches.
    pub wait_url: Option<String>,
    /// Wait this many seconds.
    pub sleep: Option<f64>,
    /// What is entered or chosen.
    pub with: Option<String>,
    /// Go on if it cannot be done.
    #[serde(default)]
    pub optional: bool,
}

/// What is wrong with a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the steps for the login page {page}: {why}")]
pub struct StepProblem {
    /// The page's pattern.
    pub page: String,
    /// What is wrong.
    pub why: String,
}

impl StepProblem {
    pub(super) fn of(page: &str, why: String) -> Self {
        Self { page: page.to_owned(), why }
    }
}

impl Script {
    /// Reads what is written down.
    ///
    /// # Errors
    /// The first page or step that means nothing.
    pub fn read(pages: &[PlainPage]) -> Result<Self, StepProblem> {
        Ok(Self { pages: pages.iter().map(LoginPage::read).collect::<Result<_, _>>()? })
    }
}

impl LoginPage {
    /// Reads a page.
    ///
    /// # Errors
    /// If it matches nothing, has no steps, or one that means nothing.
    pub fn read(plain: &PlainPage) -> Result<Self, StepProblem> {
        let problem = |why: String| StepProblem::of(&plain.matches, why);
        if plain.matches.trim().is_empty() {
            return Err(problem("match is empty; it is an address with * for anything, such as */login*".into()));
        }
        let read = |list: &str, steps: &[PlainStep]| -> Result<Vec<Step>, StepProblem> {
            let numbered = steps.iter().enumerate();
            numbered.map(|(at, s)| s.read().map_err(|why| problem(format!("{list}, step {}: {why}", at + 1)))).collect()
        };
        let page = Self {
            matches: plain.matches.clone(),
            steps: read("steps", &plain.steps)?,
            approve: read("approve", &plain.approve)?,
            deny: read("deny", &plain.deny)?,
        };
        if page.steps.is_empty() && !page.decides() {
            return Err(problem("there is nothing to do on it: it needs steps, approve or deny".into()));
        }
        Ok(page)
    }
}

impl PlainStep {
    /// What may stand in a step.
    pub const KEYS: [&str; 11] =
        ["auto", "fill", "click", "press", "select", "check", "wait_for", "wait_url", "sleep", "with", "optional"];

    /// Whether it means something.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self) -> Result<(), String> {
        self.read().map(|_| ())
    }

    /// Whether it enters what is written down where a password is due, in place of `{password}` or `{totp}`.
    pub fn gives_away_a_secret(&self) -> bool {
        let place = self.fill.as_deref().unwrap_or_default().to_lowercase();
        let secret = ["pass", "pwd", "otp", "secret"].iter().any(|word| place.contains(word));
        let text = self.with.as_deref().unwrap_or_default();
        secret && !text.is_empty() && !text.contains('{')
    }

    fn read(&self) -> Result<Step, String> {
        let on = |text: &Option<String>| text.as_deref().map(Locator::read).transpose();
        let with = || match &self.with {
            Some(text) => Template::read(text),
            None => Err("it lacks with = \"…\", the text to enter".to_owned()),
        };
        let mut acts: Vec<Act> = Vec::new();
        if self.auto == Some(true) {
            acts.push(Act::Auto);
        }
        if let Some(locator) = on(&self.fill)? {
            acts.push(Act::Fill(locator, with()?));
        }
        if let Some(locator) = on(&self.select)? {
            acts.push(Act::Select(locator, with()?));
        }
        acts.extend(on(&self.click)?.map(Act::Click));
        acts.extend(on(&self.check)?.map(Act::Check));
        acts.extend(on(&self.wait_for)?.map(Act::WaitFor));
        acts.extend(self.wait_url.clone().map(Act::WaitUrl));
        if let Some(name) = &self.press {
            acts.push(Act::Press(key(name)?));
        }
        if let Some(seconds) = self.sleep {
            if !(0.0..=LONGEST_SLEEP).contains(&seconds) {
                return Err(format!("sleep takes seconds from 0 to {LONGEST_SLEEP}"));
            }
            acts.push(Act::Sleep(Duration::from_secs_f64(seconds)));
        }
        let all = "auto, fill, click, press, select, check, wait_for, wait_url, sleep";
        let mut acts = acts.into_iter();
        let act = acts.next().ok_or_else(|| format!("it does nothing: it needs one of {all}"))?;
        if acts.next().is_some() {
            return Err(format!("it does several things at once; one of {all}, and a step of its own for each"));
        }
        if self.with.is_some() && !matches!(act, Act::Fill(..) | Act::Select(..)) {
            return Err("with belongs to fill and select alone".into());
        }
        Ok(Step { act, optional: self.optional })
    }
}

fn key(name: &str) -> Result<Key, String> {
    let all = [("Enter", Key::Enter), ("Tab", Key::Tab), ("Escape", Key::Escape), ("Space", Key::Space)];
    let named = all.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    named
        .map(|(_, key)| key)
        .ok_or_else(|| format!("{name} is no key that can be pressed: Enter, Tab, Escape or Space"))
}
