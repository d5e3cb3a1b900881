//! Takes the sting out of a target's words: what would command a terminal is shown, not obeyed.

use std::borrow::Cow;

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

fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || ('\u{fdd0}'..='\u{fdef}').contains(&c)
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
