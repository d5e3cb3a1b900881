//! The words of a page: what is visible, in blocks, in one line, and short.

use std::borrow::Cow;
use std::collections::HashMap;

use scraper::node::Node;
use scraper::{ElementRef, Html};
use url::Url;

use super::every;

/// Characters of a page that are quoted.
const QUOTED: usize = 120;

/// Elements within elements that are looked into: deeper ones are there to exhaust the stack.
const DEEPEST: usize = 200;
/// Messages that are looked at.
const MOST_ALERTS: usize = 50;

/// The element that stands for `noscript` in a parsed page.
pub(super) const NOSCRIPT: &str = "x-noscript";

/// Renames `noscript` elements, so that their content is parsed like everything else.
pub(super) fn open_noscript(html: &str) -> Cow<'_, str> {
    let lower = html.to_ascii_lowercase();
    if !lower.contains("noscript") {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + 64);
    let mut done = 0;
    for (at, _) in lower.match_indices("noscript") {
        if lower[..at].ends_with('<') || lower[..at].ends_with("</") {
            out.push_str(&html[done..at]);
            out.push_str(NOSCRIPT);
            done = at + "noscript".len();
        }
    }
    out.push_str(&html[done..]);
    Cow::Owned(out)
}

/// The page up to where its elements lie too deep within each other: parsing takes the square of the depth.
pub(super) fn not_too_deep(html: &str) -> &str {
    // Elements that have no end tag, or are commonly left without one.
    let flat = [
        "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "td", "th",
        "tr",
    ];
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut depth = 0_usize;
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let (ends, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        if name.is_empty() || flat.contains(&name.as_str()) {
            continue;
        }
        let count = open.entry(name).or_default();
        if !ends {
            *count += 1;
            depth += 1;
        } else if *count > 0 {
            // An end tag without a beginning closes nothing.
            *count -= 1;
            depth -= 1;
        }
        if depth > DEEPEST * 4 {
            return &html[..at];
        }
    }
    html
}

/// An address as it stands if it is whole, else resolved. Parsing and printing changes what is compared later.
pub(super) fn resolve(base: Option<&Url>, href: &str) -> String {
    // Browsers drop line ends and tabs within an address and white space around it.
    let href: String = href.trim().chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    match (Url::parse(&href), base) {
        (Err(_), Some(base)) => base.join(&href).map(String::from).unwrap_or(href),
        _ => href,
    }
}

/// White space in one.
pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most [`QUOTED`] characters.
pub(super) fn shorten(text: &str) -> String {
    around(text, 0)
}

/// At most [`QUOTED`] characters that show what stands at the byte `at`.
pub(super) fn around(text: &str, at: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= QUOTED {
        return text.to_owned();
    }
    let at = text.char_indices().take_while(|(i, _)| *i < at).count();
    let start = if at + 60 < QUOTED { 0 } else { at.saturating_sub(QUOTED / 3).min(chars.len() - QUOTED) };
    let end = (start + QUOTED).min(chars.len());
    let middle: String = chars[start..end].iter().collect();
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < chars.len() { "…" } else { "" });
    format!("{before}{}{after}", middle.trim())
}

/// The visible text of an element, in one line.
pub(super) fn of(element: ElementRef<'_>) -> String {
    let mut blocks = vec![String::new()];
    gather(element, 0, &mut blocks);
    collapse(&blocks.join(" "))
}

/// The visible text of the page, one entry a block.
pub(super) fn blocks(document: &Html) -> Vec<String> {
    let mut blocks = vec![String::new()];
    if let Some(body) = every(document, "body").next() {
        gather(body, 0, &mut blocks);
    }
    blocks.iter().map(|b| collapse(b)).filter(|b| !b.is_empty()).collect()
}

const INLINE: [&str; 18] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "em", "i", "kbd", "mark", "samp", "small", "span",
    "strong", "u", "var",
];

fn gather(element: ElementRef<'_>, depth: usize, blocks: &mut Vec<String>) {
    if depth > DEEPEST || is_hidden(element) {
        return;
    }
    for child in element.children() {
        match child.value() {
            Node::Text(text) => {
                if let Some(last) = blocks.last_mut() {
                    last.push_str(text);
                }
            }
            Node::Element(inner) => {
                let Some(child) = ElementRef::wrap(child) else { continue };
                if INLINE.contains(&inner.name()) {
                    gather(child, depth + 1, blocks);
                } else {
                    blocks.push(String::new());
                    gather(child, depth + 1, blocks);
                    blocks.push(String::new());
                }
            }
            _ => {}
        }
    }
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let style = value.attr("style").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    matches!(value.name(), "script" | "style" | "template" | "head" | "select" | "textarea" | "svg")
        || value.attr("hidden").is_some()
        || style.contains("display:none")
}

/// The texts that look like messages to the person. Hidden ones wait for a script.
pub(super) fn alerts(document: &Html) -> Vec<String> {
    let hidden_within = |e: ElementRef<'_>| e.ancestors().filter_map(ElementRef::wrap).any(is_hidden);
    let mut alerts: Vec<String> = Vec::new();
    let marked = every(document, "[role=alert], [class], [id], [style], font[color]");
    for element in marked.filter(|e| looks_like_alert(*e)).take(MOST_ALERTS) {
        if is_hidden(element) || hidden_within(element) {
            continue;
        }
        let text = of(element);
        // A class like `has-error` may sit on a whole form; that is no message.
        if !text.is_empty() && text.chars().count() <= 240 && !alerts.iter().any(|a| a.contains(&text)) {
            alerts.push(text);
        }
    }
    alerts
}

fn looks_like_alert(element: ElementRef<'_>) -> bool {
    let value = element.value();
    if matches!(value.name(), "html" | "body" | "form" | "input" | "label" | "button" | "a") {
        return false;
    }
    let named = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["error", "alert", "invalid", "danger", "warning", "flash"].iter().any(|word| text.contains(word))
    };
    let style = value.attr("style").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    value.attr("role") == Some("alert")
        || value.classes().any(named)
        || value.id().is_some_and(named)
        || ["color:red", "color:#f00", "color:#c00", "color:crimson"].iter().any(|c| style.contains(c))
        || value.attr("color").is_some_and(|c| c.eq_ignore_ascii_case("red"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_and_shows_its_place() {
        assert_eq!(shorten("short"), "short");
        let long = format!("{} invalid_request {}", "ä".repeat(300), "y".repeat(300));
        let quoted = around(&long, long.find("invalid").unwrap());
        assert!(quoted.contains("invalid_request"), "{quoted}");
        assert!(quoted.chars().count() <= QUOTED + 2);
    }

    #[test]
    fn whole_addresses_stay_as_they_are_written() {
        let base = Url::parse("https://as.example/a/b?x=1").unwrap();
        assert_eq!(resolve(Some(&base), " HTTPS://As.Example:443/cb?a=%7e "), "HTTPS://As.Example:443/cb?a=%7e");
        assert_eq!(resolve(Some(&base), "c"), "https://as.example/a/c");
        assert_eq!(resolve(Some(&base), "?y"), "https://as.example/a/b?y");
    }
}
