//! Where a page leads by itself: meta refresh, forms that are sent by a script, scripts that set the address.

use scraper::Html;

use super::controls::{FieldKind, Form};
use super::kind::{Words, sounds_like};
use super::{every, text};

/// A way on that takes nobody's hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::front) enum Onward {
    /// A refresh, by `meta` or header, after this many seconds.
    Refresh {
        /// Seconds.
        wait: u32,
        /// Where to, resolved.
        to: String,
    },
    /// The form of this number is sent by the page.
    Form(usize),
    /// A script sets the address to a literal; whether it runs was not seen.
    Script {
        /// Where to, resolved.
        to: String,
    },
    /// A JSON answer names an address for a script to go to.
    Told {
        /// Where to, as it stands.
        to: String,
    },
}

/// All ways on, the surest first.
pub(super) fn all(
    document: &Html,
    scripts: &[String],
    forms: &[Form],
    resolve: &impl Fn(&str) -> String,
) -> Vec<Onward> {
    let refreshes = every(document, "meta[http-equiv][content]")
        .filter(|m| m.attr("http-equiv").is_some_and(|e| e.trim().eq_ignore_ascii_case("refresh")))
        .filter_map(|m| refresh(m.attr("content")?))
        .map(|(wait, to)| Onward::Refresh { wait, to: resolve(&to) });
    let sent = forms.iter().enumerate().filter(|(_, f)| f.submits_itself).map(|(at, _)| Onward::Form(at));
    let scripted = scripts.iter().flat_map(|s| addresses(s)).map(|to| Onward::Script { to: resolve(&to) });
    sent.chain(refreshes).chain(scripted).collect()
}

/// `0; url='…'`, in every spelling that browsers take. A refresh without an address reloads, and leads nowhere.
pub(super) fn refresh(content: &str) -> Option<(u32, String)> {
    let content = content.trim();
    let digits = content.find(|c: char| !c.is_ascii_digit()).unwrap_or(content.len());
    let wait = content[..digits].parse().unwrap_or(0);
    let rest = content[digits..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
    let named =
        rest.get(..3).filter(|r| r.eq_ignore_ascii_case("url")).and_then(|_| rest[3..].trim_start().strip_prefix('='));
    let address = named.map_or(rest, str::trim_start);
    let address = match address.chars().next() {
        Some(quote @ ('"' | '\'')) => address[1..].split(quote).next().unwrap_or_default(),
        _ => address,
    };
    let address = address.trim();
    (!address.is_empty()).then(|| (wait, address.to_owned()))
}

/// Finds out which forms the page sends without being asked: nothing to fill in, and a script that submits, or a button
/// that only browsers without scripts see.
pub(super) fn mark_self_submitting(document: &Html, scripts: &[String], forms: &mut [Form]) {
    let handlers = every(document, "[onload]").filter_map(|e| e.attr("onload").map(str::to_owned));
    let submits =
        scripts.iter().cloned().chain(handlers).any(|s| s.contains(".submit(") || s.contains(".requestSubmit("));
    for form in forms.iter_mut().filter(|f| !f.asks() && !f.fields.is_empty()) {
        let buttons: Vec<_> = form.of_kind(FieldKind::Submit).collect();
        let only_without_scripts = !buttons.is_empty() && buttons.iter().all(|b| b.in_noscript);
        // A consent form may have scripts that submit it, too: a decision is not taken by the page.
        let decides = buttons.iter().filter(|b| !b.in_noscript).any(|b| {
            let says = format!("{} {}", b.text, b.value);
            !b.name.is_empty()
                || sounds_like(&says, Words::Deny)
                || ["continue", "ok", "proceed"].iter().all(|w| !says.to_lowercase().contains(w))
                    && sounds_like(&says, Words::Allow)
        });
        form.submits_itself = only_without_scripts || (submits && !decides);
    }
    // Several at once cannot be told apart.
    if forms.iter().filter(|f| f.submits_itself).count() > 1 {
        forms.iter_mut().for_each(|f| f.submits_itself = false);
    }
}

/// The literals that a script gives to `location`.
fn addresses(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in script.match_indices("location") {
        let rest = script[at + "location".len()..].trim_start();
        let rest = rest.strip_prefix(".href").map_or(rest, str::trim_start);
        let value = match rest.strip_prefix(".replace(").or_else(|| rest.strip_prefix(".assign(")) {
            Some(argument) => argument,
            None => match rest.strip_prefix('=') {
                Some(value) if !value.starts_with('=') => value,
                _ => continue,
            },
        };
        if let Some(literal) = literal(value.trim_start()) {
            found.push(literal);
        }
    }
    found
}

/// A string literal of JavaScript, with the escapes that occur in addresses.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut out = String::new();
    let mut chars = text[1..].chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return (!out.is_empty() && !out.contains("${")).then(|| text::collapse(&out)),
            '\\' => match chars.next()? {
                'u' => out.push(escaped(&mut chars, 4)?),
                'x' => out.push(escaped(&mut chars, 2)?),
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    None
}

fn escaped(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let hex: String = chars.take(digits).collect();
    char::from_u32(u32::from_str_radix(&hex, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_read_in_every_spelling() {
        for content in
            ["0;url=/x?a=1", "0; URL=/x?a=1", "0;URL='/x?a=1'", " 0 ; url = \"/x?a=1\" ", "0,/x?a=1", "0.5; Url=/x?a=1"]
        {
            assert_eq!(refresh(content), Some((0, "/x?a=1".into())), "{content}");
        }
        assert_eq!(refresh("600; url=/expired"), Some((600, "/expired".into())));
        assert_eq!(refresh("30"), None);
    }

    #[test]
    fn a_script_tells_its_literal_and_nothing_that_is_computed() {
        let found = addresses(
            r#"if (location == "/no") {} window.location.href = "https:\/\/c.example\/cb?code=1\u0026state=2";"#,
        );
        assert_eq!(found, ["https://c.example/cb?code=1&state=2"]);
        assert_eq!(addresses("location.replace('/a')"), ["/a"]);
        assert!(addresses("location = next; location.href = `${base}/x`;").is_empty());
    }
}
