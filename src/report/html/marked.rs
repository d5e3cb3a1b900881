//! An exchange whose answer has its decisive part marked, in the place where it stands.

use serde::Serialize;

use crate::report::decisive::Decisive;
use crate::wire::Exchange;

/// Text, and whether it is what decided.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part<'a> {
    text: &'a str,
    mark: bool,
}

/// An exchange as the template shows it.
#[derive(Debug, Serialize)]
pub(super) struct Marked<'a> {
    exchange: &'a Exchange,
    /// Whether it is the one that shows the failure; not where that would be a guess.
    telling: bool,
    status: bool,
    headers: Vec<Header<'a>>,
    body: Vec<Part<'a>>,
    /// What is not there, and should be.
    absent: Option<String>,
}

#[derive(Debug, Serialize)]
struct Header<'a> {
    name: &'a str,
    value: Vec<Part<'a>>,
}

impl<'a> Marked<'a> {
    /// `found` is the part, if this exchange is the one that shows the failure.
    pub(super) fn of(exchange: &'a Exchange, found: Option<&Decisive>) -> Self {
        let mut marked = Self {
            exchange,
            telling: found.is_some_and(|found| *found != Decisive::Nothing),
            status: false,
            headers: vec![],
            body: vec![],
            absent: None,
        };
        let Some(response) = &exchange.response else { return marked };
        marked.status = found == Some(&Decisive::Status);
        marked.headers = response.headers.iter().map(|(name, value)| Header { name, value: whole(value) }).collect();
        marked.body = whole(&response.body);
        match found {
            Some(Decisive::Header { name, part }) => {
                // Of several of one name the one that has the part.
                let has = |header: &&mut Header<'a>| {
                    let value = header.value.first().map_or("", |part| part.text);
                    header.name == name && part.as_deref().is_none_or(|part| value.contains(part))
                };
                if let Some(header) = marked.headers.iter_mut().find(has) {
                    let value = header.value.first().map_or("", |part| part.text);
                    header.value = split(value, part.as_deref().unwrap_or(value));
                }
            }
            Some(Decisive::Body(part)) => marked.body = split(&response.body, part),
            Some(Decisive::Absent(name)) => marked.absent = Some(name.clone()),
            Some(Decisive::Status | Decisive::Nothing) | None => {}
        }
        marked
    }
}

fn whole(text: &str) -> Vec<Part<'_>> {
    vec![Part { text, mark: false }]
}

fn split<'a>(text: &'a str, part: &str) -> Vec<Part<'a>> {
    let Some(at) = text.find(part).filter(|_| !part.is_empty()) else { return whole(text) };
    let (before, rest) = text.split_at(at);
    let (part, after) = rest.split_at(part.len());
    let parts = [(before, false), (part, true), (after, false)];
    parts.into_iter().filter(|(text, _)| !text.is_empty()).map(|(text, mark)| Part { text, mark }).collect()
}

#[cfg(test)]
mod tests {
    use crate::report::html::render;
    use crate::report::tests::mixed;
    use crate::report::{Report, ResultKind};

    /// A report of one failure that says this, of an answer with this header and body.
    fn failed(message: &str, header: (&str, &str), body: &str) -> String {
        let mut report: Report = mixed();
        report.checks.retain(|check| check.result == ResultKind::Fail);
        for check in &mut report.checks {
            check.message = message.into();
            check.findings.clear();
        }
        for response in report.exchanges.iter_mut().filter_map(|exchange| exchange.response.as_mut()) {
            response.headers = vec![("server".into(), "x".into()), (header.0.into(), header.1.into())];
            response.body = body.into();
        }
        render(&report)
    }

    #[test]
    fn a_header_a_member_a_status_and_what_is_missing_are_marked() {
        let cached = failed("Cache-Control is public", ("cache-control", "public, <b>"), "{}");
        assert!(cached.contains("cache-control: <mark>public, &lt;b&gt;</mark>"), "{cached}");
        let redirected = failed("it brought a code", ("location", "https://c.example/cb?code=x&state=s"), "");
        assert!(redirected.contains("?<mark>code=x</mark>&amp;state=s"), "{redirected}");
        let member = failed("expires_in is too long", ("a", "b"), "{\"x\": 1,\n \"expires_in\": 99}");
        assert!(member.contains(",\n <mark>&quot;expires_in&quot;: 99</mark>}"), "{member}");
        let status = failed("it was answered 400", ("a", "b"), "");
        assert!(status.contains("<mark>400</mark>"), "{status}");
        let absent = failed("there is no X-Frame-Options", ("a", "b"), "<html>");
        assert!(absent.contains("<mark>there is no X-Frame-Options</mark>"), "{absent}");
        let nothing = failed("it is odd", ("a", "b"), "text");
        assert!(!nothing.contains("<mark>") && nothing.contains("text</pre>"), "nothing is marked on a guess");
    }

    #[test]
    fn what_holds_has_no_marks() {
        let mut report = mixed();
        report.checks.retain(|check| check.result == ResultKind::Pass);
        assert!(!report.checks.is_empty() && !render(&report).contains("<mark>"));
    }

    #[test]
    fn a_mark_is_more_than_a_colour() {
        let page = render(&mixed());
        let rule = page.lines().find(|line| line.starts_with("mark ")).unwrap();
        assert!(rule.contains("underline") && rule.contains("font-weight"), "{rule}");
    }
}
