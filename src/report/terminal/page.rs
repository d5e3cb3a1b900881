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
        let used = 15 + id.chars().count() + 2;
        let room = self.look.width.saturating_sub(used);
        let title = cut(title, room);
        let line = if title.is_empty() {
            format!("{lead} {id}")
        } else {
            format!("{lead} {id}  {}", self.paint(Ink::Faint, &title))
        };
        self.text.push_str(&line);
        self.text.push('\n');
    }

    /// Wrapped text, indented.
    pub(super) fn line(&mut self, indent: usize, ink: Ink, text: &str) {
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

    /// The same with an address of ours behind it, where the terminal follows links.
    pub(super) fn citing(&mut self, indent: usize, label: &str, text: &str, url: &str) {
        let mut text = one_line(text);
        if self.look.links && !url.is_empty() {
            // ESC ] 8 ; ; URL ESC \ WORDS ESC ] 8 ; ; ESC \
            text.push_str(&format!(" \u{1b}]8;;{}\u{1b}\\[read]\u{1b}]8;;\u{1b}\\", one_line(url)));
        }
        self.hang(indent, label, Ink::Faint, &text);
    }

    fn hang(&mut self, indent: usize, label: &str, ink: Ink, text: &str) {
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
        self.text.push_str(&" ".repeat(indent));
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

/// Wraps at spaces; a word that is wider than the width stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(12);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let fits = line.is_empty() || seen(&line) + 1 + seen(word) <= width;
        if !fits {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The columns that a text takes; a link takes those of its words.
fn seen(text: &str) -> usize {
    if text.contains('\u{1b}') { 6 } else { text.chars().count() }
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
}
