//! Look-only rules: checks that are a file of TOML. If it only looks, write a rule; if it acts or computes, write Rust.
//!
//! A rule names one document, says what it expects at which places of it, and brings examples that are run whenever it
//! is loaded. It can look and never send, so a stranger's rule is safe to run. `docs/rules.md` describes the format.

use crate::check::{AnyCheck, Card, Conducting, Demand, Outcome, Verdict};
use crate::needs::{Context, Ordinary, Stage};

mod builtin;
mod folder;
mod judge;
mod load;
mod page;
mod pointer;
mod predicate;
pub mod schema;
mod subject;

pub use crate::toml_file::Problem;
pub use builtin::Builtin;
pub use folder::{FolderError, TOPIC, load_all};

use pointer::Pointer;
use predicate::Predicate;
use subject::Subject;

/// What to do about a mistake of which nothing better is known.
const HELP: &str = "docs/rules.md describes the format; `oaudit schema rule` prints its schema";

/// A rule as its file states it. Its examples have been run and came out as they say.
#[derive(Debug)]
pub struct Rule {
    card: &'static Card,
    subject: Subject,
    /// Unless these hold, the rule is not applicable.
    when: Vec<Condition>,
    /// Each of these must hold at each of its places.
    expect: Vec<Expectation>,
}

/// What is asked of the values at some places.
#[derive(Debug)]
struct Condition {
    at: Pointer,
    /// All of them have to hold.
    predicates: Vec<Predicate>,
    /// Nothing is asked where nothing is.
    optional: bool,
    /// What it means if it does not hold.
    message: Option<String>,
}

/// A condition that the server has to meet, and who says so.
#[derive(Debug)]
struct Expectation {
    condition: Condition,
    demand: Demand,
}

impl Rule {
    /// Reads a rule file and runs its examples. `file` is its name in complaints; `page` is its page if it has one of
    /// its own, else one is made of what the file says.
    ///
    /// # Errors
    /// Anything in the file that is not as `docs/rules.md` describes it, and an example that comes out otherwise.
    pub fn load(id: &str, file: &str, text: &str, page: Option<&'static str>) -> Result<Self, Problem> {
        load::rule(id, text, page).map_err(|mistake| mistake.in_file(file, text, HELP))
    }

    async fn look(&self, cx: &Context) -> Outcome {
        let found = match self.subject.supply(cx).await {
            Ok(found) => found,
            Err(shortfall) => return Ok(Verdict::from(shortfall).into()),
        };
        let issuer = &cx.audit.discovery.server.issuer;
        let ruling = self.judge(&found.document, issuer, |demand| cx.binds(demand).then(|| cx.level(demand)));
        Ok(ruling.shown_by([found.exchange]))
    }
}

impl AnyCheck for Rule {
    fn card(&self) -> &'static Card {
        self.card
    }

    fn stage(&self) -> Stage {
        self.subject.stage()
    }

    fn visits(&self, _: &Ordinary) -> usize {
        0
    }

    fn conduct<'a>(&'a self, cx: &'a Context, _: &'a Ordinary) -> Conducting<'a> {
        Box::pin(self.look(cx))
    }
}

#[cfg(test)]
mod tests;
