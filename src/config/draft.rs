//! An `oaudit.toml` as it is written for somebody: every key with what it is for, those that are not known as comments.

use std::collections::BTreeMap;

use super::keys::{KEYS, Key, Kind};

/// What is known of the file that is to be written, by dotted names.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    set: BTreeMap<String, String>,
    samples: BTreeMap<String, String>,
    notes: BTreeMap<String, String>,
}

impl Draft {
    /// A key has this text.
    pub fn set(&mut self, path: &str, text: &str) {
        self.set.insert(path.into(), quoted(text));
    }

    /// A key could have this text; it is written as a comment.
    pub fn suggest(&mut self, path: &str, text: &str) {
        self.samples.insert(path.into(), quoted(text));
    }

    /// Something to know about a key or a table, in one line.
    pub fn note(&mut self, path: &str, note: impl Into<String>) {
        self.notes.insert(path.into(), note.into());
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut lines = vec![
            "# The configuration of oaudit. A flag counts before an environment variable, that before this file."
                .into(),
            "# A secret never stands here: an environment variable holds it, and its name may stand here.".into(),
        ];
        self.table("", KEYS, &mut lines);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn table(&self, of: &str, keys: &[Key], lines: &mut Vec<String>) {
        let is_table = |key: &&Key| matches!(key.kind, Kind::Table(_) | Kind::Tables(_));
        if of.is_empty() {
            lines.push(String::new());
        }
        for key in keys.iter().filter(|key| !is_table(key)) {
            self.key(&format!("{of}{}", key.name), key, lines);
        }
        for key in keys.iter().filter(is_table) {
            let path = format!("{of}{}", key.name);
            lines.extend([String::new(), format!("# {}", key.says)]);
            lines.extend(self.notes.get(&path).map(|note| comment(note)));
            let used = self.set.keys().any(|set| set.starts_with(&format!("{path}.")));
            let mark = if used { "" } else { "# " };
            match key.kind {
                Kind::Table(inner) => {
                    lines.push(format!("{mark}[{path}]"));
                    self.table(&format!("{path}."), inner, lines);
                }
                Kind::Tables(inner) => {
                    lines.push(format!("{mark}[[{path}]]"));
                    self.table(&format!("{path}."), inner, lines);
                }
                _ => {}
            }
        }
    }

    fn key(&self, path: &str, key: &Key, lines: &mut Vec<String>) {
        lines.extend(self.notes.get(path).map(|note| comment(note)));
        let (mark, value) = match (self.set.get(path), self.samples.get(path)) {
            (Some(set), _) => ("", set.as_str()),
            (None, Some(sample)) => ("# ", sample.as_str()),
            (None, None) => ("# ", key.sample),
        };
        let choices = match key.kind {
            Kind::Choice(words) => format!(" One of {}.", words.join(", ")),
            _ => String::new(),
        };
        lines.push(format!("{mark}{} = {value}  # {}{choices}", key.name, key.says));
    }
}

/// A target's words end no line.
fn comment(note: &str) -> String {
    let one_line: String = note.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {one_line}")
}

/// Text as TOML has it: as JSON has it, and with one character more that may not stand there as it is.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Config {
        Config::parse(Path::new("oaudit.toml"), text).unwrap_or_else(|problem| panic!("{problem}\n{text}"))
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut draft = Draft::default();
        assert!(parse(&draft.text()).get("target").is_none());
        draft.set("target", "https://api.example/a\"b\n\u{7f}");
        draft.set("client.id", "x");
        draft.note("client", "two\nlines = 1");
        let config = Config::parse(Path::new("x"), &draft.text());
        // A newline in a URL is what the reader complains of; the file itself is sound.
        assert!(config.is_err_and(|problem| problem.to_string().contains("line")));
        draft.set("target", "https://api.example/a");
        let config = parse(&draft.text());
        assert_eq!((config.text("target"), config.text("client.id")), (Some("https://api.example/a"), Some("x")));
    }

    #[test]
    fn every_comment_that_is_a_key_works() {
        let uncommented: String = Draft::default()
            .text()
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let config = parse(&uncommented);
        assert_eq!(config.text("login.agent"), Some("form"));
        assert_eq!(config.routes().len(), 1);
    }
}
