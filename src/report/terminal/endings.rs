//! What stands at the end of the report beside the counts: the approval checklist and the table of known clients.

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::page::{Ink, Page};
use super::{INDENT, TABLE, words};
use crate::clients::{About, Answer, ClientLine};
use crate::report::{Report, ResultKind};

/// The checklist, section by section: the words of a result are those of a check.
pub(super) fn checklist(report: &Report, page: &mut Page<'_>) {
    if report.checklist.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Ink::Strong, "Approval checklist");
    let mut section = "";
    for line in &report.checklist {
        if page.look.quiet && line.result == ResultKind::Pass {
            continue;
        }
        if line.section != section {
            section = line.section;
            page.line(0, Ink::Faint, section);
        }
        let (symbol, word, ink) = words(line.result);
        page.hanging(&format!("{symbol} {word:<12} "), ink, line.item);
        if line.result != ResultKind::Pass {
            page.line(INDENT, Ink::Plain, &line.because);
        }
    }
}

/// The clients: a row each, and below it why.
pub(super) fn clients(report: &Report, page: &mut Page<'_>) {
    if report.clients.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Ink::Strong, "Known clients (advice: vendors change, and none of this fails a run)");
    if page.look.width >= TABLE {
        needs(report, page);
    }
    report.clients.iter().for_each(|client| because(client, page));
}

fn needs(report: &Report, page: &mut Page<'_>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(page.look.width).unwrap_or(100));
    table.force_no_tty();
    table.set_header(["client", "connects"].into_iter().chain(About::ALL.map(About::heading)));
    for client in &report.clients {
        let about = |about: About| client.needs.iter().find(|n| n.about == about);
        let cells = About::ALL.map(|a| Cell::new(about(a).map_or("·", |n| symbol(n.answer))));
        table.add_row([Cell::new(client.client), Cell::new(client.connects.as_str())].into_iter().chain(cells));
    }
    for line in table.lines() {
        page.verbatim(0, line.trim_end());
    }
    page.line(0, Ink::Faint, "✓ seen, ✗ seen to be missing, ? not seen, · nothing known to be needed");
}

fn symbol(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "✓",
        Answer::No => "✗",
        Answer::Unknown => "?",
    }
}

fn because(client: &ClientLine, page: &mut Page<'_>) {
    let ink = match client.connects {
        Answer::Yes => Ink::Good,
        Answer::No => Ink::Bad,
        Answer::Unknown => Ink::Faint,
    };
    let label = format!("{:<12} ", client.client);
    page.hanging(&label, ink, &format!("{} (as of {}): {}", client.connects.as_str(), client.as_of, client.because));
}
