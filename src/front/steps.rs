//! What a person writes down about a login that is not found out automatically: pages by their address, and on each the
//! steps to take. Data only: the form agent and the WebDriver agent execute the same steps, each in its own way.

use std::time::Duration;

mod course;
mod locator;
mod plain;
mod totp;

pub(super) use course::{Course, Next};
pub use locator::{Hint, Locator};
pub use plain::{LONGEST_SLEEP, PlainPage, PlainStep, StepProblem};
pub use totp::{Totp, TotpProblem};

use super::form::Credentials;
use crate::plan::glob_matches;

/// Everything that was written down, in order: the first page whose address matches is the one.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The pages.
    pub pages: Vec<LoginPage>,
}

/// A page and what to do on it.
#[derive(Debug, Clone)]
pub struct LoginPage {
    /// Which addresses it has: `*` stands for anything.
    pub matches: String,
    /// What is done whenever it is met.
    pub steps: Vec<Step>,
    /// What says yes on it.
    pub approve: Vec<Step>,
    /// What says no on it.
    pub deny: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// Whether the sign-in goes on if it cannot be done.
    pub optional: bool,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// What would be done if nothing were written down.
    Auto,
    /// Enters a text.
    Fill(Locator, Template),
    /// Presses a button or follows a link.
    Click(Locator),
    /// Presses a key.
    Press(Key),
    /// Chooses the entry of a list with this value or text.
    Select(Locator, Template),
    /// Ticks a box or chooses one of several.
    Check(Locator),
    /// Waits until something is there.
    WaitFor(Locator),
    /// Waits until the address matches.
    WaitUrl(String),
    /// Waits.
    Sleep(Duration),
}

/// A key that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Sends the form.
    Enter,
    /// Goes to the next control.
    Tab,
    /// Closes what is open.
    Escape,
    /// Presses what has the focus.
    Space,
}

/// Whether a page is met by somebody who says yes or by somebody who says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mind {
    Approve,
    Deny,
}

impl Script {
    /// The page that an address belongs to. The query counts only where the pattern has one.
    pub fn page(&self, address: &str) -> Option<&LoginPage> {
        self.pages.iter().find(|page| address_matches(&page.matches, address))
    }

    /// What an agent without a browser could not do, if there is such a thing: told before anything is sent.
    ///
    /// # Errors
    /// The first such step.
    pub fn without_browser(&self) -> Result<(), StepProblem> {
        for page in &self.pages {
            for step in page.steps.iter().chain(&page.approve).chain(&page.deny) {
                step.act.without_browser().map_err(|why| StepProblem::of(&page.matches, why))?;
            }
        }
        Ok(())
    }
}

/// Whether an address matches a pattern; without a query, unless the pattern has one.
pub(super) fn address_matches(pattern: &str, address: &str) -> bool {
    let address = address.split('#').next().unwrap_or_default();
    let address = if pattern.contains('?') { address } else { super::walk::place(address) };
    glob_matches(pattern, address)
}

impl LoginPage {
    /// The steps for somebody of this mind; none if only the other mind is written down.
    pub(super) fn steps_for(&self, mind: Mind) -> Vec<Step> {
        let decides = if mind == Mind::Deny { &self.deny } else { &self.approve };
        self.steps.iter().chain(decides).cloned().collect()
    }

    /// Whether it is a page on which a decision is written down.
    pub(super) fn decides(&self) -> bool {
        !(self.approve.is_empty() && self.deny.is_empty())
    }
}

impl Act {
    fn without_browser(&self) -> Result<(), String> {
        let needs = |what: &str| Err(format!("{what} needs a browser: use --agent webdriver, or another locator"));
        match self {
            Self::Press(Key::Enter) | Self::Auto | Self::WaitUrl(_) | Self::Sleep(_) => Ok(()),
            Self::Press(key) => needs(&format!("pressing {key:?}")),
            Self::Fill(locator, _)
            | Self::Click(locator)
            | Self::Select(locator, _)
            | Self::Check(locator)
            | Self::WaitFor(locator) => match locator {
                Locator::XPath(_) => needs(&format!("the locator {locator}")),
                _ => Ok(()),
            },
        }
    }
}

/// A text with `{username}`, `{password}` and `{totp}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// The words that a template may name.
const NAMES: [&str; 3] = ["username", "password", "totp"];

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// If it names something else.
    pub fn read(text: &str) -> Result<Self, String> {
        for part in text.split('{').skip(1) {
            let Some((name, _)) = part.split_once('}') else { continue };
            if !NAMES.contains(&name) {
                let near = NAMES.iter().find(|n| strsim::jaro_winkler(n, name) > 0.8);
                let near = near.map(|n| format!("; did you mean {{{n}}}?")).unwrap_or_default();
                return Err(format!(
                    "{{{name}}} stands for nothing; there are {{username}}, {{password}}, {{totp}}{near}"
                ));
            }
        }
        Ok(Self(text.to_owned()))
    }

    fn names(&self, name: &str) -> bool {
        self.0.contains(&format!("{{{name}}}"))
    }

    /// Whether the text tells the password.
    pub(super) fn holds_password(&self) -> bool {
        self.names("password")
    }

    /// Whether a one-time code is in it.
    pub(super) fn holds_code(&self) -> bool {
        self.names("totp")
    }

    /// The text with everything filled in.
    ///
    /// # Errors
    /// If it names what nobody gave.
    pub(super) fn fill_in(&self, credentials: Option<&Credentials>, code: Option<&str>) -> Result<String, String> {
        use crate::oauth::secret::Secret;
        let username = credentials.map(|c| c.username.as_str());
        let password = credentials.map(|c| &c.password).map(Secret::expose);
        let mut out = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let known = [("username", username), ("password", password), ("totp", code)];
            let named = known.into_iter().find_map(|(name, value)| {
                let rest = after.strip_prefix(name)?.strip_prefix('}')?;
                Some((name, value, rest))
            });
            rest = match named {
                Some((_, Some(value), rest)) => {
                    out.push_str(value);
                    rest
                }
                Some((name, None, _)) => return Err(format!("{{{name}}} is to be entered, and none is configured")),
                None => {
                    out.push('{');
                    after
                }
            };
        }
        out.push_str(rest);
        Ok(out)
    }
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fill(locator, with) => write!(f, "fill {locator} with {}", with.0),
            Self::Click(locator) => write!(f, "click {locator}"),
            Self::Press(key) => write!(f, "press {key:?}"),
            Self::Select(locator, with) => write!(f, "select {} in {locator}", with.0),
            Self::Check(locator) => write!(f, "check {locator}"),
            Self::WaitFor(locator) => write!(f, "wait_for {locator}"),
            Self::WaitUrl(glob) => write!(f, "wait_url {glob}"),
            Self::Sleep(time) => write!(f, "sleep {} s", time.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests;
