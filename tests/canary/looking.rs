//! Looks for secrets in what was written: whole, in twelve characters out of their midst, and in the forms that they take
//! on their way.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Fewer characters than these prove nothing.
const WINDOW: usize = 12;

/// What is looked for.
#[derive(Default)]
pub(crate) struct Looker {
    names: Vec<String>,
    windows: HashMap<[u8; WINDOW], usize>,
    /// Shorter ones, which are looked for as a whole.
    whole: Vec<(String, usize)>,
    /// A bit for the first three bytes of each window: most places of a text are dismissed by it.
    starts: Vec<u64>,
    /// What is no secret, although it stands in one.
    innocent: String,
}

impl Looker {
    /// What is no secret, although it stands in one.
    pub(crate) fn sparing(words: &[&str]) -> Self {
        Self { innocent: words.join("\n"), starts: vec![0; 1 << 18], ..Self::default() }
    }

    /// Looks for this secret from now on.
    pub(crate) fn add(&mut self, name: &str, secret: &str) {
        let index = self.names.len();
        self.names.push(name.to_owned());
        let forms = match secret.split_once('.').filter(|_| secret.starts_with("eyJ")) {
            // The header of a token is the same in all of them. The signature is what nobody may have.
            Some((_, rest)) => {
                let signature = rest.rsplit('.').next().unwrap_or_default();
                [vec![rest.to_owned()], forms(signature)].concat()
            }
            None => forms(secret),
        };
        for form in forms {
            if form.len() < WINDOW {
                self.whole.push((form, index));
                continue;
            }
            for window in form.as_bytes().windows(WINDOW) {
                let spared = std::str::from_utf8(window).is_ok_and(|window| self.innocent.contains(window));
                let key: [u8; WINDOW] = window.try_into().unwrap();
                if !spared && self.windows.insert(key, index).is_none() {
                    let bit = bit(window);
                    self.starts[bit / 64] |= 1 << (bit % 64);
                }
            }
        }
    }

    /// The first secret in a text, and what stands around it.
    pub(crate) fn find(&self, text: &[u8]) -> Option<String> {
        let found = |index: usize, at: usize| {
            let around = &text[at.saturating_sub(120)..(at + 60).min(text.len())];
            Some(format!("{}: {}", self.names[index], String::from_utf8_lossy(around)))
        };
        for (at, window) in text.windows(WINDOW).enumerate() {
            let bit = bit(window);
            if self.starts[bit / 64] & (1 << (bit % 64)) != 0
                && let Some(index) = self.windows.get(window)
            {
                return found(*index, at);
            }
        }
        let lossy = String::from_utf8_lossy(text);
        let (_, index) = self.whole.iter().find(|(form, _)| lossy.contains(form.as_str()))?;
        found(*index, 0)
    }

    pub(crate) fn assert_clean(&self, what: &str, text: impl AsRef<[u8]>) {
        assert!(self.names.len() > 5, "the canary is asleep: it looks for {:?}", self.names);
        if let Some(found) = self.find(text.as_ref()) {
            panic!("{what} holds a secret: {found}");
        }
    }
}

fn bit(window: &[u8]) -> usize {
    // 24 bits of three bytes are more than the table has: a part of them will do.
    (usize::from(window[0]) << 16 | usize::from(window[1]) << 8 | usize::from(window[2])) % (1 << 24)
}

/// The forms in which a secret is looked for.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    // A token that nobody signed.
    if secret.len() < 6 {
        return Vec::new();
    }
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let every: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let json = serde_json::Value::from(secret).to_string().trim_matches('"').to_owned();
    let units: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![secret.to_owned(), form.replace('+', "%20"), lower(&form), lower(&every), units];
    forms.extend([secret.replace('"', "&#34;"), json.replace('/', "\\/"), form, every, json, html]);
    for alphabet in [STANDARD, URL_SAFE] {
        for shift in 0..3 {
            let encoded = alphabet.encode([&[0; 2][..shift], secret.as_bytes()].concat());
            // Characters that hold bits of what stands before and behind.
            let end = encoded.trim_end_matches('=').len();
            let end = end - usize::from(!(shift + secret.len()).is_multiple_of(3));
            forms.push(encoded[[0, 2, 3][shift]..end].to_owned());
        }
    }
    forms.retain(|form| form.len() >= 6);
    forms.sort();
    forms.dedup();
    forms
}

/// Escapes in small letters.
fn lower(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| format!("{all}%{}{}", part[..2].to_lowercase(), &part[2..]))
}

#[test]
fn no_disguise_deceives_it() {
    let secret = "C4nary+of/the=mine&\"x\"";
    let mut looker = Looker::sparing(&["C4nary+of/the"]);
    looker.add("canary", secret);
    for text in [
        secret.to_owned(),
        format!("https://c4nary:{secret}@a.example/"),
        "x=C4nary%2Bof%2Fthe%3Dmine%26%22x%22".into(),
        "x=C4nary%2bof%2fthe%3dmine%26%22x%22".into(),
        format!("{{\"v\":{}}}", serde_json::Value::from(secret)),
        format!("Basic {}", STANDARD.encode(format!("id:{secret}"))),
        format!("Basic {}", STANDARD.encode(format!("id4:{secret}:x"))),
        URL_SAFE.encode(format!("ab{secret}")),
        secret[5..17].to_owned(),
        secret.bytes().map(|b| format!("%{b:02x}")).collect(),
    ] {
        assert!(looker.find(text.as_bytes()).is_some(), "{text}");
    }
    for text in ["C4nary+of/the", "the canary is well", "4nary+of/the", ""] {
        assert_eq!(looker.find(text.as_bytes()), None, "{text}");
    }
}
