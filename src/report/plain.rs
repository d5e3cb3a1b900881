//! Takes the sting out of a target's words: what would command a terminal is shown, not obeyed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text without control characters and marks that turn the direction of writing. Line ends and tabs become spaces.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !is_command(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                '\n' | '\t' | '\r' => ' ',
                c if is_command(c) => '\u{fffd}',
                c => c,
            })
            .collect(),
    )
}

/// JSON in which every such character is escaped: a reader gets what was said, and a terminal that shows the file is told
/// nothing.
pub fn escaped(json: String) -> String {
    if json.chars().all(|c| c == '\n' || !is_command(c)) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match c {
            // Between members; within a text it is escaped already.
            '\n' => out.push(c),
            c if is_command(c) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}")),
            c => out.push(c),
        }
    }
    out
}

fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || ('\u{fdd0}'..='\u{fdef}').contains(&c)
        // What no XML may hold.
        || matches!(c, '\u{fffe}' | '\u{ffff}')
        // What nobody sees, and what hides a word from who looks for it.
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_is_left() {
        let nasty = "a\u{1b}[2Jb\u{9b}31mc\u{7}\u{202e}d\r\ne\tf\u{2066}g\u{200f}\u{0}";
        let shown = plain(nasty);
        assert!(shown.chars().all(|c| !is_command(c)), "{shown:?}");
        assert!(shown.contains("[2J"), "what it was can still be read");
        assert!(matches!(plain("plain é 漢"), Cow::Borrowed(_)));
    }
}
