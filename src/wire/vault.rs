//! What must never be shown: knows every secret of the run in the forms it may take, and replaces it by a label.
//!
//! `{code 2}` stands for the second code of the run wherever it appears, so a reader sees that the same one was sent
//! twice, and not one character of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::RwLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use url::form_urlencoded;

use crate::oauth::secret::Secret;

/// Shorter values are left alone: they would be found in ordinary words.
const SHORTEST: usize = 6;

/// One secret of a run, for whoever looks for it elsewhere: in the log files of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSecret {
    /// What it is: `code`, `access_token`, `client_secret`.
    pub kind: String,
    /// How the report calls it: `{access_token 1}`.
    pub label: String,
    /// The value.
    pub value: Secret,
}

impl KnownSecret {
    /// Every form in which it may stand in a text, and in which a larger base64 text may hold it.
    pub(crate) fn forms(&self) -> Vec<String> {
        let mut forms = forms(self.value.expose());
        forms.extend(within_base64(self.value.expose()));
        forms.sort();
        forms.dedup();
        forms
    }
}

/// The secrets of a run.
#[derive(Debug, Default)]
pub struct Vault {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Value to label.
    labels: HashMap<String, String>,
    /// How many of each kind.
    counts: HashMap<String, usize>,
    /// Every form of every secret, found by its first bytes.
    forms: HashMap<[u8; SHORTEST], Vec<(String, String)>>,
    /// Passwords that are too short to be looked for in a text; hidden where a form sends them.
    short: HashSet<String>,
    /// What looks like a secret but is a made-up value of ours, and good evidence.
    public: HashSet<String>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("secrets", &self.labels.len()).finish()
    }
}

impl Vault {
    /// Makes a value secret from now on. `kind` is what the label says.
    pub fn learn(&self, kind: &str, value: &str) {
        if kind == "password" && (1..SHORTEST).contains(&value.len()) {
            if let Ok(mut known) = self.known.write() {
                known.short.insert(value.to_owned());
            }
            return;
        }
        if value.len() < SHORTEST || (kind != "password" && is_word(value)) {
            return;
        }
        if let Ok(known) = self.known.read()
            && (known.labels.contains_key(value) || known.public.contains(value))
        {
            return;
        }
        let Ok(mut known) = self.known.write() else { return };
        if known.labels.contains_key(value) || known.public.contains(value) {
            return;
        }
        let number = known.counts.entry(kind.to_owned()).or_default();
        *number += 1;
        let label = format!("{{{kind} {number}}}");
        known.labels.insert(value.to_owned(), label.clone());
        for form in forms(value) {
            if let Some(key) = form.as_bytes().first_chunk::<SHORTEST>() {
                let bucket = known.forms.entry(*key).or_default();
                bucket.push((form, label.clone()));
                // The longest first: a token may begin with another token.
                bucket.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
            }
        }
    }

    /// Whether a value is a password that is too short to be found in a text.
    pub(super) fn is_short_password(&self, value: &str) -> bool {
        self.known.read().is_ok_and(|known| known.short.contains(value))
    }

    /// Declares a made-up value to be no secret.
    pub fn declare_public(&self, value: &str) {
        if let Ok(mut known) = self.known.write() {
            known.public.insert(value.to_owned());
        }
    }

    /// Every secret that is known by now, by its label.
    pub fn secrets(&self) -> Vec<KnownSecret> {
        let Ok(known) = self.known.read() else { return Vec::new() };
        let mut secrets: Vec<KnownSecret> = known
            .labels
            .iter()
            .map(|(value, label)| {
                let name = label.trim_matches(['{', '}']);
                let kind = name.rsplit_once(' ').map_or(name, |(kind, _)| kind).to_owned();
                KnownSecret { kind, label: label.clone(), value: Secret::new(value.clone()) }
            })
            .collect();
        secrets.sort_by(|a, b| a.label.len().cmp(&b.label.len()).then_with(|| a.label.cmp(&b.label)));
        secrets
    }

    /// The text with every secret replaced by its label.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Ok(known) = self.known.read() else { return Cow::Owned(String::from("{redacted}")) };
        let bytes = text.as_bytes();
        let mut out = String::new();
        let (mut done, mut at) = (0, 0);
        while at + SHORTEST <= bytes.len() {
            let found = bytes[at..]
                .first_chunk::<SHORTEST>()
                .and_then(|key| known.forms.get(key))
                .and_then(|bucket| bucket.iter().find(|(form, _)| bytes[at..].starts_with(form.as_bytes())));
            match found {
                Some((form, label)) if text.is_char_boundary(at) && text.is_char_boundary(at + form.len()) => {
                    out.push_str(&text[done..at]);
                    out.push_str(label);
                    at += form.len();
                    done = at;
                }
                _ => at += 1,
            }
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }
}

/// Whether a value is a plain word: `{"code": "invalid_request"}` is no authorization code, and hiding the word would
/// hide it everywhere. People do choose words as passwords, so those are not asked.
fn is_word(value: &str) -> bool {
    value.len() < 32 && value.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-' | ' ' | '.'))
}

/// The forms in which a value may stand in a message.
fn forms(value: &str) -> Vec<String> {
    let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let lower = lower_escapes(&encoded);
    let spaced = encoded.replace('+', "%20");
    let json = serde_json::Value::from(value).to_string();
    let json = json.trim_matches('"').to_owned();
    let html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    // The last character of an unpadded encoding depends on what follows, and so does the padding.
    let base64 = [STANDARD.encode(value), STANDARD_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(value)];
    let mut forms = vec![value.to_owned(), encoded, lower, spaced, json.replace('/', "\\/"), json, html];
    forms.extend(base64);
    forms.retain(|f| f.len() >= SHORTEST);
    forms.sort();
    forms.dedup();
    forms
}

/// What base64 makes of a value that stands inside of a longer text (a JSON document, `user:password`): where it begins
/// decides between three encodings, whose first and last characters depend on the neighbours and are left out.
fn within_base64(value: &str) -> Vec<String> {
    let alphabets = [STANDARD_NO_PAD, URL_SAFE_NO_PAD];
    let shifted = alphabets.iter().flat_map(|alphabet| {
        (0..3).map(move |shift| {
            let encoded = alphabet.encode([&[0; 2][..shift], value.as_bytes()].concat());
            // Characters that hold bits of a neighbour: ceil(8 * shift / 6) at the front, one at the end unless it fits.
            let front = [0, 2, 3][shift];
            let back = usize::from(!(shift + value.len()).is_multiple_of(3));
            encoded.get(front..encoded.len().saturating_sub(back)).unwrap_or_default().to_owned()
        })
    });
    shifted.filter(|form| form.len() >= SHORTEST).collect()
}

fn lower_escapes(encoded: &str) -> String {
    let mut out = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(at) = rest.find('%') {
        let end = (at + 3).min(rest.len());
        out.push_str(&rest[..at]);
        out.push_str(&rest[at..end].to_ascii_lowercase());
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let vault = Vault::default();
        vault.learn("code", "a+b/c=d e\"f");
        for text in [
            "a+b/c=d e\"f",
            "x=a%2Bb%2Fc%3Dd+e%22f&y",
            "x=a%2bb%2fc%3dd+e%22f&y",
            "x=a%2Bb%2Fc%3Dd%20e%22f",
            r#"{"v":"a+b/c=d e\"f"}"#,
            r#"{"v":"a+b\/c=d e\"f"}"#,
            "value=\"a+b/c=d e&quot;f\"",
            &STANDARD.encode("a+b/c=d e\"f"),
        ] {
            let shown = vault.redact(text);
            assert!(shown.contains("{code 1}"), "{text} -> {shown}");
        }
    }

    #[test]
    fn equal_values_keep_one_label_and_longer_ones_win() {
        let vault = Vault::default();
        vault.learn("code", "abcdefg1");
        vault.learn("token", "abcdefg1ijkl");
        vault.learn("code", "abcdefg1");
        vault.learn("code", "zyxwvut2");
        assert_eq!(vault.redact("abcdefg1 abcdefg1ijkl zyxwvut2 é"), "{code 1} {token 1} {code 2} é");
    }

    #[test]
    fn words_are_no_secrets_but_passwords_may_be_words() {
        let vault = Vault::default();
        vault.learn("code", "invalid_request");
        vault.learn("password", "wonderland");
        assert_eq!(vault.redact("invalid_request wonderland"), "invalid_request {password 1}");
    }

    #[test]
    fn a_secret_is_known_by_kind_and_label_and_inside_of_base64() {
        let vault = Vault::default();
        vault.learn("basic credentials", "Y2xpZW50OnNlY3JldA==");
        vault.learn("code", "a-secret-code-1");
        let secrets = vault.secrets();
        let kinds: Vec<_> = secrets.iter().map(|s| (s.kind.as_str(), s.label.as_str())).collect();
        assert_eq!(kinds, [("code", "{code 1}"), ("basic credentials", "{basic credentials 1}")]);
        assert!(!format!("{secrets:?}").contains("a-secret-code-1"));
        for text in ["a-secret-code-1", "xa-secret-code-1y", "xya-secret-code-1yz", "xyz?a-secret-code-1?"] {
            for encoded in [STANDARD.encode(text), URL_SAFE_NO_PAD.encode(text)] {
                assert!(secrets[0].forms().iter().any(|form| encoded.contains(form)), "{text} as {encoded}");
            }
        }
    }

    #[test]
    fn made_up_values_stay_readable() {
        let vault = Vault::default();
        vault.declare_public("Not-A-Token-1");
        vault.learn("token", "Not-A-Token-1");
        assert_eq!(vault.redact("Bearer Not-A-Token-1"), "Bearer Not-A-Token-1");
    }
}
