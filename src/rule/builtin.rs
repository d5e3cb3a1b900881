//! Rules that are part of the program: `checks/topic/property.toml` beside its page.

use std::sync::OnceLock;

use super::Rule;
use crate::check::{AnyCheck, Card, Conducting};
use crate::needs::{Context, Ordinary, Stage};

/// A built-in rule, read when it is first asked for, so that a program which needs no check reads none.
#[derive(Debug)]
pub struct Builtin {
    path: &'static str,
    text: &'static str,
    page: &'static str,
    rule: OnceLock<Rule>,
}

impl Builtin {
    /// The rule at `checks/{path}.toml`; the path is its id with `_` for `-`.
    pub const fn new(path: &'static str, text: &'static str, page: &'static str) -> Self {
        Self { path, text, page, rule: OnceLock::new() }
    }

    /// Its file.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    fn rule(&self) -> &Rule {
        self.rule.get_or_init(|| {
            let (topic, property) = self.path.split_once('/').unwrap_or(("", self.path));
            let id = format!("{topic}/{}", property.replace('_', "-"));
            let file = format!("checks/{}.toml", self.path);
            Rule::load(&id, &file, self.text, Some(self.page)).expect("the tests load every built-in rule")
        })
    }
}

impl AnyCheck for Builtin {
    fn card(&self) -> &'static Card {
        self.rule().card()
    }

    fn stage(&self) -> Stage {
        self.rule().stage()
    }

    fn visits(&self, ordinary: &Ordinary) -> usize {
        self.rule().visits(ordinary)
    }

    fn conduct<'a>(&'a self, cx: &'a Context, ordinary: &'a Ordinary) -> Conducting<'a> {
        self.rule().conduct(cx, ordinary)
    }
}
