//! What is wrong with a file, shown where it stands: file, line and column, the line itself, a mark, what to do.

use std::fmt;
use std::ops::Range;

use crate::report::plain::plain;

/// Something wrong at a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) what: String,
    pub(crate) at: Range<usize>,
    pub(crate) hint: String,
    /// What stands behind the place on its line may be a secret.
    hidden: bool,
    /// And so may what stands before it.
    alone: bool,
}

impl Mistake {
    pub(crate) fn new(what: impl Into<String>, at: Range<usize>) -> Self {
        Self { what: what.into(), at, hint: String::new(), hidden: false, alone: false }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same at another place.
    pub(crate) fn moved(self, at: Range<usize>) -> Self {
        Self { at, ..self }
    }

    /// The same, shown without what stands behind the place on its line.
    pub(crate) fn hiding_the_rest(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// The same, shown without anything else on its line.
    pub(crate) fn alone(self) -> Self {
        Self { hidden: true, alone: true, ..self }
    }

    /// The same in its file. `help` is what there is to do where nothing better was said.
    pub(crate) fn in_file(self, file: &str, text: &str, help: &str) -> Problem {
        let start = floor(text, self.at.start);
        let end = floor(text, self.at.end.max(start));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let marked = text[start..end].lines().next().unwrap_or_default();
        let lead = if self.alone { "… " } else { &text[line_start..start] };
        Problem {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            excerpt: match self.hidden {
                true => format!("{lead}{marked} …"),
                false => line.to_owned(),
            },
            indent: u32::try_from(lead.chars().count()).unwrap_or(u32::MAX),
            marked: u32::try_from(marked.chars().count().max(1)).unwrap_or(u32::MAX),
            what: self.what,
            hint: if self.hint.is_empty() { help.to_owned() } else { self.hint },
        }
    }
}

/// The character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A mistake in a file, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    file: String,
    line: usize,
    column: usize,
    excerpt: String,
    // Small, for it is an error that is passed on often.
    indent: u32,
    marked: u32,
    what: String,
    hint: String,
}

/// A longer line is cut: nobody wants a screen full of one line.
const WIDEST: usize = 160;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let excerpt: String = plain(&self.excerpt).chars().take(WIDEST).collect();
        writeln!(f, "{}", self.what)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {excerpt}")?;
        let indent = (self.indent as usize).min(WIDEST);
        let marked = (self.marked as usize).min(WIDEST - indent);
        write!(f, "{margin} | {}{}", " ".repeat(indent), "^".repeat(marked))
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_with_a_mark() {
        let text = "title = \"é\"\nimpct = \"high\"\n";
        let at = text.find("impct").unwrap();
        let problem = Mistake::new("no such key", at..at + 5).in_file("x.toml", text, "");
        assert_eq!(problem.to_string(), "no such key\n --> x.toml:2:1\n  |\n2 | impct = \"high\"\n  | ^^^^^");
        let at = text.find('é').unwrap();
        assert!(Mistake::new("x", at..at + 2).in_file("f", text, "").to_string().contains("f:1:10"));
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let problem = Mistake::new("no", 2..8).hiding_the_rest().in_file("f", "  secret = \"hunter2\"\n", "help");
        assert!(problem.to_string().contains("1 |   secret …\n") && !problem.to_string().contains("hunter2"));
        assert_eq!(problem.hint(), "help");
        let text = "a = { pass = \"hunter2\", b = 1 }";
        let problem = Mistake::new("no", 24..25).alone().in_file("f", text, "").to_string();
        assert!(problem.ends_with("f:1:25\n  |\n1 | … b …\n  |   ^"), "{problem}");
    }

    #[test]
    fn no_place_is_out_of_bounds() {
        for (text, at) in [("", 0..0), ("", 5..9), ("é", 1..1), ("a\n", 2..2), ("a", 1..7)] {
            assert!(Mistake::new("x", at).in_file("f", text, "").to_string().contains("f:"));
        }
    }
}
