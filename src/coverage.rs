//! What each document demands of a server, sentence by sentence, and what answers it: a check, a check that is planned,
//! or the reason why nothing can be seen of it from outside.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::document::{Document, McpVersion};

/// How binding a sentence is in its document. Ordered, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Good practice that the document describes without a key word.
    Advice,
    /// MAY, OPTIONAL.
    May,
    /// SHOULD, RECOMMENDED.
    Should,
    /// MUST, REQUIRED.
    Must,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Advice => "advice",
            Self::May => "may",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

/// One sentence that concerns a server, in words of ours.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// Where it stands, as the document numbers or names it.
    pub section: String,
    /// How binding it is there.
    pub level: Strength,
    /// What it demands, paraphrased.
    pub says: String,
    /// The checks that answer it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// The checks that are meant to answer it and are not written yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<String>,
    /// Why nothing is tested: it cannot be seen from outside, or it binds somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untested: Option<String>,
}

/// What becomes of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// At least one check.
    Tested,
    /// No check yet.
    Planned,
    /// Not tested, for a reason.
    Untested,
}

impl Sentence {
    /// What becomes of it.
    pub fn answer(&self) -> Answer {
        match (self.checks.is_empty(), &self.untested) {
            (false, _) => Answer::Tested,
            (true, None) => Answer::Planned,
            (true, Some(_)) => Answer::Untested,
        }
    }
}

/// A document, walked.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The name of the file, which is what `--coverage` takes.
    #[serde(skip_deserializing)]
    pub name: String,
    /// The slug by which cards cite the document.
    pub document: String,
    /// The revision, where the document has several side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The part of the document that was walked: the beginning of its section numbers. All of it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The title.
    pub title: String,
    /// What was read, and when.
    pub read: String,
    /// Its sentences, in the order of the document.
    #[serde(rename = "sentence")]
    pub sentences: Vec<Sentence>,
}

impl Coverage {
    /// The document.
    pub fn document(&self) -> Option<Document> {
        Document::ALL.iter().copied().find(|d| d.slug() == self.document)
    }

    /// The revision of MCP that it walks.
    pub fn revision(&self) -> Option<McpVersion> {
        McpVersion::ALL.into_iter().find(|v| Some(v.as_str()) == self.revision.as_deref())
    }

    /// Whether a section belongs to the part that was walked.
    pub fn walks(&self, section: &str) -> bool {
        self.part.as_deref().is_none_or(|part| section.starts_with(part))
    }

    /// Whether some sentence stands in a section.
    pub fn has(&self, section: &str) -> bool {
        self.sentences.iter().any(|s| s.section == section)
    }

    /// How many sentences have this answer.
    pub fn count(&self, answer: Answer) -> usize {
        self.sentences.iter().filter(|s| s.answer() == answer).count()
    }
}

macro_rules! files {
    ($($name:literal,)*) => {
        /// The files: name and text.
        pub const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../checks/coverage/", $name, ".toml"))),)*];
    };
}

files! {
    "oauth2.1",
    "rfc6750",
    "rfc7009",
    "rfc7636",
    "rfc8414",
    "rfc8707",
    "rfc9068",
    "rfc9207",
    "rfc9700",
    "rfc9728",
    "mcp-2025-06-18",
    "mcp-2025-11-25",
    "mcp-2026-07-28",
    "openai",
    "approval-checklist",
    "asvs5-v10",
}

/// Reads one file.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn parse(name: &str, text: &str) -> Result<Coverage, toml::de::Error> {
    let mut coverage: Coverage = toml::from_str(text)?;
    name.clone_into(&mut coverage.name);
    Ok(coverage)
}

/// Every document that was walked.
pub fn all() -> &'static [Coverage] {
    static ALL: LazyLock<Vec<Coverage>> = LazyLock::new(|| {
        let read = |(name, text): &(&str, &str)| parse(name, text).expect("the files are read by the tests");
        FILES.iter().map(read).collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "document = \"rfc7636\"\ntitle = \"RFC 7636\"\nread = \"the RFC\"\n";

    #[test]
    fn a_sentence_is_tested_planned_or_explained() {
        let text = format!(
            "{HEAD}[[sentence]]\nsection = \"4.6\"\nlevel = \"must\"\nsays = \"A.\"\nchecks = [\"a/b\"]\nplanned = [\"a/c\"]\n\
             [[sentence]]\nsection = \"4.5\"\nlevel = \"should\"\nsays = \"B.\"\nplanned = [\"a/d\"]\n\
             [[sentence]]\nsection = \"4.1\"\nlevel = \"may\"\nsays = \"C.\"\nuntested = \"Why.\"\n"
        );
        let coverage = parse("rfc7636", &text).unwrap();
        let answers: Vec<Answer> = coverage.sentences.iter().map(Sentence::answer).collect();
        assert_eq!(answers, [Answer::Tested, Answer::Planned, Answer::Untested]);
        assert_eq!(coverage.document(), Some(Document::Rfc7636));
        assert!(coverage.has("4.5") && !coverage.has("4"));
    }

    #[test]
    fn a_typing_mistake_is_an_error_with_its_line() {
        let error = parse("x", &format!("{HEAD}[[sentence]]\nsection = \"1\"\nlevel = \"must\"\nsay = \"A.\"\n"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("line 7") && error.contains("say"), "{error}");
    }
}
