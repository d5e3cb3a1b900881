//! A failure as a block: what was sent, what came back with the decisive part underlined, what was due, what to do.

use super::one_line;
use super::page::{Ink, Page, cut};
use crate::check::Level;
use crate::report::decisive::{Decisive, telling};
use crate::report::{CheckLine, Report, ResultKind};
use crate::wire::Exchange;
use crate::wire::ledger::{RecordedRequest, RecordedResponse};

/// Request headers that say what was tried.
const TRIED: [&str; 2] = ["authorization", "origin"];

/// Lines that the parameters of a request may take.
const PARAMETER_LINES: usize = 4;

/// What was demanded and what to do; for what fails the run or warns, also the exchange that shows it.
pub(super) fn show(check: &CheckLine, report: &Report, page: &mut Page<'_>) {
    let Some(broken) = &check.broken else { return };
    let open = matches!(check.result, ResultKind::Fail | ResultKind::Warn);
    let telling = open.then(|| telling(check, report)).flatten();
    if let Some((exchange, found)) = &telling {
        sent(&exchange.request, page);
        came_back(exchange, found, page);
    }
    let level = match broken.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Advice => "advice",
    };
    page.gutter("demand", Ink::Strong, &format!("{} ({level}, {})", broken.says, broken.citation));
    if open || page.look.links {
        page.address(&broken.url);
    }
    page.gutter("fix", Ink::Strong, &check.remediation);
    if let Some((exchange, _)) = &telling {
        page.pasted("again", &exchange.curl);
    }
    if open {
        page.gutter("more", Ink::Strong, &format!("oaudit explain {}", check.id));
    }
}

fn sent(request: &RecordedRequest, page: &mut Page<'_>) {
    let (address, query) = request.url.split_once('?').map_or((&*request.url, None), |(a, q)| (a, Some(q)));
    page.gutter("sent", Ink::Strong, &format!("{} {address}", request.method));
    if let Some(query) = query {
        parameters(&format!("?{query}"), page);
    }
    for (name, value) in request.headers.iter().filter(|(n, _)| TRIED.contains(&n.as_str())) {
        page.raw(&cut(&one_line(&format!("{name}: {value}")), page.room()));
    }
    if let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) {
        match body.starts_with(['{', '[']) {
            true => page.raw(&cut(&one_line(body), page.room())),
            false => parameters(body, page),
        }
    }
}

/// Parameters, broken between them, as far as there is room.
fn parameters(text: &str, page: &mut Page<'_>) {
    let room = page.room();
    let text = one_line(text);
    let mut lines = vec![String::new()];
    for parameter in text.split_inclusive('&') {
        // A label may have a space in it, and long values say nothing.
        let parameter = cut(parameter, room);
        let fits = lines.last().is_some_and(|l| l.chars().count() + parameter.chars().count() <= room);
        match lines.last_mut() {
            Some(line) if fits => line.push_str(&parameter),
            _ => lines.push(parameter),
        }
    }
    let more = lines.len() > PARAMETER_LINES;
    lines.iter().take(PARAMETER_LINES).filter(|line| !line.is_empty()).for_each(|line| page.raw(line));
    if more {
        page.raw("…");
    }
}

fn came_back(exchange: &Exchange, found: &Decisive, page: &mut Page<'_>) {
    let Some(response) = &exchange.response else {
        let trouble = exchange.trouble.as_deref().unwrap_or("nothing");
        return page.gutter("came back", Ink::Strong, trouble);
    };
    if exchange.request.method == "TLS" {
        return page.gutter("came back", Ink::Strong, &response.body);
    }
    let status = response.status.to_string();
    page.pasted("came back", &status);
    if *found == Decisive::Status {
        page.carets(0, status.len());
    }
    for (name, value) in response.headers.iter().filter(|(name, _)| is_shown(name, response, found)) {
        let line = one_line(&format!("{name}: {value}"));
        match found {
            Decisive::Header { name: decisive, part } if decisive == name => {
                let part = part.as_deref().map_or_else(|| line.clone(), one_line);
                underlined(&line, &part, page);
            }
            _ => page.raw(&cut(&line, page.room())),
        }
    }
    let body = one_line(&response.body);
    match found {
        Decisive::Body(part) => underlined(&body, &one_line(part), page),
        _ if !body.is_empty() && !body.starts_with('<') => page.raw(&cut(&body, page.room())),
        _ => {}
    }
    if let Decisive::Absent(name) = found {
        page.remark(&format!("^ there is no {name}"));
    }
}

fn is_shown(name: &str, response: &RecordedResponse, found: &Decisive) -> bool {
    match (name, response.status) {
        ("location", 300..400) | ("www-authenticate", 401 | 403) => true,
        ("content-type", _) if matches!(found, Decisive::Nothing) => !response.body.is_empty(),
        _ => matches!(found, Decisive::Header { name: decisive, .. } if decisive == name),
    }
}

/// The line, as much of it as there is room for around a part of it, and that part underlined.
fn underlined(line: &str, part: &str, page: &mut Page<'_>) {
    let room = page.room();
    let Some(at) = line.find(part).filter(|_| !part.is_empty()) else { return page.raw(&cut(line, room)) };
    let before = line[..at].chars().count();
    let long = part.chars().count();
    if before + long <= room || before < room / 3 {
        page.raw(&cut(line, room));
        return page.carets(before, long.min(room.saturating_sub(before)));
    }
    // The part stands too far to the right: the line is shown from a little before it.
    let lead = (room / 4).min(before);
    let shown: String = line.chars().skip(before - lead).collect();
    page.raw(&cut(&format!("…{shown}"), room));
    page.carets(lead + 1, long.min(room.saturating_sub(lead + 1)));
}

#[cfg(test)]
mod tests {
    use super::super::Look;
    use super::*;

    fn shown(line: &str, part: &str, width: usize) -> Vec<String> {
        let look = Look { width, color: false, evidence: false, quiet: false, links: false };
        let mut page = Page::new(&look);
        underlined(line, part, &mut page);
        page.text.lines().map(|line| line.chars().skip(17).collect()).collect()
    }

    #[test]
    fn the_part_is_underlined_wherever_it_stands() {
        assert_eq!(shown("a: bcd", "bcd", 80), ["a: bcd", "   ^^^"]);
        let long = format!("{}END", "x".repeat(300));
        let lines = shown(&long, "END", 40);
        assert!(lines[0].chars().count() <= 23, "{lines:?}");
        let at = lines[1].find('^').unwrap();
        assert!(lines[0].chars().skip(at).collect::<String>().starts_with("END"), "{lines:?}");
        assert_eq!(lines[1].matches('^').count(), 3);
        let begins = shown(&format!("k: {}", "y".repeat(300)), &"y".repeat(300), 40);
        assert!(begins.iter().all(|line| line.chars().count() <= 23), "{begins:?}");
    }
}
