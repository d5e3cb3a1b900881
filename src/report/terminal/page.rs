//! Lines on a page of a given width: wrapped, indented, coloured or plain.

use colored::Colorize;

use super::{Look, one_line};

/// What a stretch of text is, as far as its colour goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Doubtful,
    Remark,
}

/// The columns to the left of the bar of a block: it stands under the ids of checks.
const GUTTER: usize = 15;

/// Below so many columns there is no room to the left of anything.
const NARROW: usize = 60;
/// The indentation and the gutter that are left there: the longest label of a block is as wide.
const NARROW_INDENT: usize = 4;
const NARROW_GUTTER: usize = 10;

/// The page as far as it is written.
pub(super) struct Page<'a> {
    pub(super) text: String,
    pub(super) look: &'a Look,
}

impl<'a> Page<'a> {
    pub(super) fn new(look: &'a Look) -> Self {
        // `colored` would decide by stdout; whether to colour has been decided, and plain text never reaches it.
        if look.color {
            colored::control::set_override(true);
        }
        Self { text: String::new(), look }
    }

    fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.look.color {
            return text.to_owned();
        }
        match ink {
            Ink::Plain => text.to_owned(),
            Ink::Strong => text.bold().to_string(),
            Ink::Faint => text.dimmed().to_string(),
            Ink::Good => text.green().to_string(),
            Ink::Bad => text.red().bold().to_string(),
            Ink::Doubtful => text.yellow().to_string(),
            Ink::Remark => text.cyan().to_string(),
        }
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// The line of a check: `✓ PASS         id  title`.
    pub(super) fn status(&mut self, symbol: &str, word: &str, ink: Ink, id: &str, title: &str) {
        let lead = self.paint(ink, &format!("{symbol} {word:<12}"));
        let lines = wrap(id, self.look.width.saturating_sub(GUTTER));
        let used = GUTTER + lines.last().map_or(0, |line| line.chars().count()) + 2;
        let title = cut(title, self.look.width.saturating_sub(used));
        self.text.push_str(&format!("{lead} {}", lines.join(&format!("\n{}", " ".repeat(GUTTER)))));
        if !title.is_empty() {
            self.text.push_str(&format!("  {}", self.paint(Ink::Faint, &title)));
        }
        self.text.push('\n');
    }

    fn is_narrow(&self) -> bool {
        self.look.width < NARROW
    }

    /// The indentation that there is room for.
    pub(super) fn indent(&self, indent: usize) -> usize {
        if self.is_narrow() { indent.min(NARROW_INDENT) } else { indent }
    }

    fn gutter_width(&self) -> usize {
        if self.is_narrow() { NARROW_GUTTER } else { GUTTER }
    }

    /// Wrapped text, indented.
    pub(super) fn line(&mut self, indent: usize, ink: Ink, text: &str) {
        let indent = self.indent(indent);
        for line in wrap(&one_line(text), self.look.width.saturating_sub(indent)) {
            let painted = self.paint(ink, &line);
            self.text.push_str(&" ".repeat(indent));
            self.text.push_str(&painted);
            self.text.push('\n');
        }
    }

    /// Wrapped text behind a label; further lines hang under the first.
    pub(super) fn hanging(&mut self, label: &str, ink: Ink, text: &str) {
        self.hang(0, label, ink, &one_line(text));
    }

    /// The same, indented.
    pub(super) fn hanging_at(&mut self, indent: usize, label: &str, text: &str) {
        self.hang(indent, label, Ink::Faint, &one_line(text));
    }

    /// Wrapped text to the right of the gutter, under a label that stands in it.
    pub(super) fn gutter(&mut self, label: &str, ink: Ink, text: &str) {
        for (at, line) in wrap(&one_line(text), self.room()).iter().enumerate() {
            self.beside(if at == 0 { label } else { "" }, ink, line);
        }
    }

    /// Text to the right of the gutter as it is: it is there to be pasted.
    pub(super) fn pasted(&mut self, label: &str, text: &str) {
        self.beside(label, Ink::Strong, &one_line(text));
    }

    /// A line to the right of the gutter that fits already.
    pub(super) fn raw(&mut self, text: &str) {
        self.beside("", Ink::Plain, text);
    }

    /// Underlines what stands in the line above.
    pub(super) fn carets(&mut self, from: usize, long: usize) {
        let marks = self.paint(Ink::Bad, &"^".repeat(long));
        self.beside("", Ink::Plain, &format!("{}{marks}", " ".repeat(from)));
    }

    /// What is to be said of the answer above.
    pub(super) fn remark(&mut self, text: &str) {
        for line in wrap(&one_line(text), self.room()) {
            let line = self.paint(Ink::Bad, &line);
            self.beside("", Ink::Plain, &line);
        }
    }

    /// An address of ours: a link of two words where the terminal follows links, in full elsewhere.
    pub(super) fn address(&mut self, url: &str) {
        let url = one_line(url);
        match (url.is_empty(), self.look.links) {
            (true, _) => {}
            // ESC ] 8 ; ; URL ESC \ WORDS ESC ] 8 ; ; ESC \
            (false, true) => self.raw(&format!("\u{1b}]8;;{url}\u{1b}\\read it\u{1b}]8;;\u{1b}\\")),
            (false, false) => self.raw(&url),
        }
    }

    /// The columns to the right of the gutter.
    pub(super) fn room(&self) -> usize {
        self.look.width.saturating_sub(self.gutter_width() + 2)
    }

    fn beside(&mut self, label: &str, ink: Ink, text: &str) {
        let before = " ".repeat((self.gutter_width() - 1).saturating_sub(label.chars().count()));
        let label = if label.is_empty() { String::new() } else { self.paint(ink, label) };
        let line = format!("{before}{label} {} {text}", self.paint(Ink::Faint, "|"));
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn hang(&mut self, indent: usize, label: &str, ink: Ink, text: &str) {
        let indent = self.indent(indent);
        let lead = label.chars().count();
        let room = self.look.width.saturating_sub(indent + lead);
        for (at, line) in wrap(text, room).iter().enumerate() {
            let shown = if at == 0 { self.paint(ink, label) } else { " ".repeat(lead) };
            self.text.push_str(&" ".repeat(indent));
            self.text.push_str(&shown);
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// Text as it is, one line, cut at the width.
    pub(super) fn verbatim(&mut self, indent: usize, text: &str) {
        self.text.push_str(&" ".repeat(self.indent(indent)));
        self.text.push_str(text);
        self.text.push('\n');
    }
}

/// Cuts at a width, with an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    if width < 2 {
        return String::new();
    }
    let mut cut: String = text.chars().take(width - 1).collect();
    cut.push('…');
    cut
}

/// Wraps at spaces. A word that is wider than the width is broken behind a slash or hyphen, or where it must be;
/// addresses of the web alone stand whole, so that they can be followed.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(12);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        let (glued, word) = word;
        let between = usize::from(!line.is_empty() && !glued);
        if !line.is_empty() && (glued || line.chars().count() + between + word.chars().count() > width) {
            lines.push(std::mem::take(&mut line));
        } else if between == 1 {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A word in pieces that fit; all but the first belong directly behind the one before.
fn pieces(word: &str, width: usize) -> Vec<(bool, &str)> {
    let mut pieces = Vec::new();
    let mut rest = word;
    let leads_somewhere = ["http://", "https://"].iter().any(|scheme| word.contains(scheme));
    while rest.chars().count() > width && !leads_somewhere {
        let most = rest.char_indices().nth(width).map_or(rest.len(), |(at, _)| at);
        let at = rest[..most].rfind(['/', '-']).map_or(most, |at| at + 1);
        pieces.push((!pieces.is_empty(), &rest[..at]));
        rest = &rest[at..];
    }
    pieces.push((!pieces.is_empty(), rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_never_lost() {
        let text = "a refusal is recognised, never inferred; green must be earned";
        let lines = wrap(text, 24);
        assert!(lines.iter().all(|l| l.chars().count() <= 24), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn long_words_are_broken_and_addresses_are_not() {
        let id = "see resource_metadata/challenge-points-to-metadata, once";
        let lines = wrap(id, 25);
        assert_eq!(lines, ["see resource_metadata/", "challenge-points-to-", "metadata, once"]);
        let address = "at https://login.example.com/.well-known/oauth-authorization-server now";
        assert_eq!(wrap(address, 20).len(), 3);
        let of_a_program = wrap("cursor://anysphere.cursor-mcp/oauth/callback", 20);
        assert!(of_a_program.len() > 1 && of_a_program.iter().all(|l| l.chars().count() <= 20), "{of_a_program:?}");
        assert!(wrap(&"é".repeat(100), 20).iter().all(|l| l.chars().count() <= 20));
    }
}
