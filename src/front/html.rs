//! Reads a page as a browser without scripts does: its forms, where it leads by itself, and what it says.

mod controls;
mod kind;
mod onward;
mod text;

use scraper::{ElementRef, Html, Selector};
use url::Url;

pub(super) use controls::{Choice, Field, FieldKind, Form, Verb};
pub(super) use kind::{Words, is_code, is_login_form, is_password, is_user_name, naming, sounds_like};
pub(super) use onward::Onward;

use crate::oauth::answer::PageKind;
use crate::wire::Reply;

/// A page as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    /// `<title>`.
    pub(super) title: String,
    /// The first heading.
    pub(super) heading: String,
    /// The visible text, one entry a block of it.
    pub(super) blocks: Vec<String>,
    /// What looks like a message: an alert, an element of a class like `error`, red text.
    pub(super) alerts: Vec<String>,
    /// The forms, in the order of the page.
    pub(super) forms: Vec<Form>,
    /// The links: address and text.
    pub(super) links: Vec<(String, String)>,
    /// Where the page leads without anybody doing anything.
    pub(super) onward: Vec<Onward>,
    /// Whether it has scripts.
    pub(super) scripts: bool,
    /// The page as it was parsed, for selectors.
    source: String,
}

impl Sheet {
    /// Reads an answer, whatever it is: HTML, JSON or plain text.
    pub(super) fn of(reply: &Reply) -> Self {
        let body = reply.text();
        let kind = reply.media_type();
        let mut sheet = if kind.contains("html") || (kind.is_empty() && body.trim_start().starts_with('<')) {
            Self::read(&body, &reply.url)
        } else if let Some(json) = reply.json() {
            Self::read_json(&json)
        } else {
            Self { blocks: body.lines().map(text::collapse).filter(|l| !l.is_empty()).collect(), ..Self::default() }
        };
        if let Some((wait, to)) = reply.header("refresh").and_then(onward::refresh) {
            let to = text::resolve(Url::parse(&reply.url).ok().as_ref(), &to);
            sheet.onward.insert(0, Onward::Refresh { wait, to });
        }
        sheet
    }

    /// Reads the HTML of a page that came from `address`.
    pub(super) fn read(html: &str, address: &str) -> Self {
        // The parser takes us for a browser with scripts and would leave what is in `noscript` unparsed.
        let source = text::open_noscript(text::not_too_deep(html));
        let document = Html::parse_document(&source);
        let page = Url::parse(address).ok();
        let base = first_attr(&document, "base[href]", "href")
            .and_then(|href| page.as_ref().and_then(|p| p.join(href.trim()).ok()))
            .or_else(|| page.clone());
        let resolve = |href: &str| text::resolve(base.as_ref(), href);

        let scripts: Vec<String> = every(&document, "script").map(|s| s.text().collect()).collect();
        let mut forms = controls::forms(&document, address, &resolve);
        onward::mark_self_submitting(&document, &scripts, &mut forms);
        let onward = onward::all(&document, &scripts, &forms, &resolve);
        Self {
            title: every(&document, "title").next().map(text::of).unwrap_or_default(),
            heading: every(&document, "h1, h2, h3").map(text::of).find(|t| !t.is_empty()).unwrap_or_default(),
            blocks: text::blocks(&document),
            alerts: text::alerts(&document),
            links: every(&document, "a[href]").filter_map(|a| Some((resolve(a.attr("href")?), text::of(a)))).collect(),
            forms,
            onward,
            scripts: !scripts.is_empty(),
            source: source.into_owned(),
        }
    }

    /// A page as a browser shows it.
    pub(super) fn rendered(title: String, heading: String, blocks: Vec<String>, alerts: Vec<String>) -> Self {
        Self { title, heading, blocks, alerts, scripts: true, ..Self::default() }
    }

    /// The places of the controls, and of the links, that a CSS selector finds.
    pub(super) fn places(&self, selector: &str) -> (Vec<usize>, Vec<usize>) {
        let selector = Selector::parse(&selector.replace("noscript", text::NOSCRIPT));
        selector.map(|s| controls::places(&Html::parse_document(&self.source), &s)).unwrap_or_default()
    }

    /// Some servers answer a navigation in JSON: an error, or the address that a script would go to.
    fn read_json(json: &serde_json::Value) -> Self {
        let text = |name: &str| json.get(name).and_then(serde_json::Value::as_str);
        let says = [text("error"), text("error_description"), text("message")];
        let says: Vec<&str> = says.into_iter().flatten().collect();
        let onward = ["url", "redirect", "redirect_to", "redirectTo", "redirectURI", "redirect_uri", "location"]
            .into_iter()
            .filter_map(text)
            .map(|to| Onward::Told { to: to.to_owned() })
            .collect();
        let blocks = match says.is_empty() {
            true => vec![text::collapse(&json.to_string())],
            false => vec![says.join(": ")],
        };
        Self { blocks, onward, ..Self::default() }
    }

    /// What the page looks like.
    pub(super) fn kind(&self, status: u16) -> PageKind {
        kind::of(self, status)
    }

    /// The title or first words; of an error page rather the sentence that names the error. `hide` takes out what must
    /// not be shown, before anything is cut.
    pub(super) fn says(&self, kind: PageKind, hide: impl Fn(&str) -> String) -> String {
        if kind == PageKind::Error
            && let Some(sentence) = kind::error_sentence(self)
        {
            return text::around(&hide(&sentence.0), sentence.1);
        }
        let first = [&self.title, &self.heading].into_iter().chain(&self.blocks).find(|t| !t.is_empty());
        text::shorten(&hide(first.map_or("", String::as_str)))
    }

    /// What the page says to the person who filled it in wrongly, in one line.
    pub(super) fn complaint(&self, hide: impl Fn(&str) -> String) -> String {
        let found = self.alerts.first().or_else(|| self.blocks.iter().find(|b| kind::complains(b)));
        text::shorten(&hide(found.map_or("", String::as_str)))
    }
}

fn every<'a>(document: &'a Html, selector: &str) -> impl Iterator<Item = ElementRef<'a>> + use<'a> {
    let selector = Selector::parse(selector).expect("a constant selector");
    document.select(&selector).collect::<Vec<_>>().into_iter()
}

fn first_attr<'a>(document: &'a Html, selector: &str, name: &str) -> Option<&'a str> {
    every(document, selector).next().and_then(|e| e.attr(name))
}

#[cfg(test)]
pub(super) mod tests;
