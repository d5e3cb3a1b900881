//! What must never be shown: knows every secret of the run in the forms it may take, and replaces it by a label.
//!
//! `{code 2}` stands for the second code of the run wherever it appears, so a reader sees that the same one was sent
//! twice, and not one character of it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::RwLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroize;
use url::form_urlencoded;

use super::disguise::{Needles, Place, SHORTEST, bare, within_base64};
use crate::oauth::secret::Secret;

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
        // The last character of an unpadded encoding depends on what follows, and so does the padding.
        let value = self.value.expose();
        forms.extend([STANDARD.encode(value), STANDARD_NO_PAD.encode(value), URL_SAFE_NO_PAD.encode(value)]);
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

/// The most that is learned of what a target sends, in secrets and in bytes of them.
const MOST: (usize, usize) = (20_000, 8 << 20);

#[derive(Default)]
struct Known {
    /// Value to label.
    labels: HashMap<String, String>,
    /// Bytes of all values.
    bytes: usize,
    /// How many of each kind.
    counts: HashMap<String, usize>,
    /// Every secret, as it is looked for in a text.
    needles: Needles,
    /// Those of which too little is left without white space: looked for as they are written.
    spaced: Vec<(String, String)>,
    /// Passwords that are too short to be looked for in a text; hidden where a form sends them.
    short: HashSet<String>,
    /// What looks like a secret but is a made-up value of ours, and good evidence.
    public: HashSet<String>,
}

impl Drop for Known {
    fn drop(&mut self) {
        self.labels.drain().for_each(|(mut value, _)| value.zeroize());
        self.spaced.iter_mut().for_each(|(form, _)| form.zeroize());
        self.short.drain().for_each(|mut value| value.zeroize());
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("secrets", &self.labels.len()).finish()
    }
}

impl Vault {
    /// Makes a value secret from now on. `kind` is what the label says.
    pub fn learn(&self, kind: &str, value: &str) {
        self.is_news(kind, value);
    }

    /// The same, and whether there is one more to look for.
    pub(super) fn is_news(&self, kind: &str, value: &str) -> bool {
        if kind == "password" && (1..SHORTEST).contains(&value.len()) {
            if let Ok(mut known) = self.known.write() {
                known.short.insert(value.to_owned());
            }
            return false;
        }
        if value.len() < SHORTEST || (kind != "password" && is_word(value)) {
            return false;
        }
        if let Ok(known) = self.known.read()
            && (known.labels.contains_key(value) || known.public.contains(value))
        {
            return false;
        }
        let Ok(mut known) = self.known.write() else { return false };
        if known.labels.contains_key(value) || known.public.contains(value) {
            return false;
        }
        // The same, written another way, is the same secret.
        if known.needles.is_one(value) {
            return false;
        }
        let number = known.counts.entry(kind.to_owned()).or_default();
        *number += 1;
        let label = format!("{{{kind} {number}}}");
        known.labels.insert(value.to_owned(), label.clone());
        known.bytes += value.len();
        known.look_for(kind, value, &label);
        true
    }

    /// Whether a value is a password that is too short to be found in a text.
    pub(super) fn is_short_password(&self, value: &str) -> bool {
        self.known.read().is_ok_and(|known| known.short.contains(value))
    }

    /// Whether more was learned than any audit brings forth: what a target sends from now on is not written down.
    pub(super) fn is_full(&self) -> bool {
        self.known.read().is_ok_and(|known| known.labels.len() > MOST.0 || known.bytes > MOST.1)
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
        let mut found = known.needles.find(text);
        for (form, label) in &known.spaced {
            let places = text.match_indices(form.as_str());
            found.extend(places.map(|(start, form)| Place { start, end: start + form.len(), label }));
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        // The longest of those that begin together: what is found in a part of it says less.
        found.sort_by_key(|place| (place.start, Reverse(place.end)));
        let (mut out, mut done) = (String::new(), 0);
        for Place { start, end, label } in found {
            if start >= done {
                let start = (done..=start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(done);
                out.push_str(&text[done..start]);
                out.push_str(label);
            }
            done = (end.max(done)..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }
}

impl Known {
    /// Looks for a secret as it is, as it would be without the escapes that it has itself, and in the midst of base64.
    fn look_for(&mut self, kind: &str, value: &str, label: &str) {
        if value.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'+').count() < SHORTEST {
            self.spaced.extend(forms(value).into_iter().map(|form| (form, label.to_owned())));
            return;
        }
        self.needles.add(value.as_bytes(), label);
        let bare = bare(value);
        if bare != value.as_bytes() && (kind == "password" || !is_word(&String::from_utf8_lossy(&bare))) {
            self.needles.add(&bare, label);
        }
        for form in forms(value) {
            within_base64(&form).iter().for_each(|form| self.needles.add(form.as_bytes(), label));
        }
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
    let mut forms = vec![value.to_owned(), encoded, lower, spaced, json.replace('/', "\\/"), json, html];
    forms.retain(|f| f.len() >= SHORTEST);
    forms.sort();
    forms.dedup();
    forms
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
