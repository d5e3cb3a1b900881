//! The page of a check as HTML: the Markdown that pages are written in and no more of it. A page may be made of a
//! stranger's rule, so every word is escaped, and there is no markup of theirs and no link.

use crate::checks;
use crate::report::CheckLine;
use crate::report::plain::plain;

/// The page of a check without its heading; `None` where nobody knows it: a report read back names a check of a rule file
/// or of another version.
pub(super) fn of(line: &CheckLine) -> Option<String> {
    let known = || checks::ALL.iter().map(|check| check.card()).find(|card| card.id == line.id).map(|card| card.page);
    let page = line.page.or_else(known)?;
    let (heading, rest) = page.split_once('\n')?;
    Some(html(if heading.starts_with("# ") { rest } else { page }))
}

/// What a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Nothing,
    Paragraph,
    Bullets,
    Numbers,
    Table,
    Code,
}

impl Block {
    fn end(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Paragraph => "</p>\n",
            Self::Bullets => "</li></ul>\n",
            Self::Numbers => "</li></ol>\n",
            Self::Table => "</tbody></table>\n",
            Self::Code => "</pre>\n",
        }
    }
}

/// Markdown as HTML.
fn html(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len() * 5 / 4);
    let mut block = Block::Nothing;
    // Inline markup may go on in the next line, so the text of a paragraph or of an item is kept until it ends.
    let mut text = String::new();
    for line in markdown.lines() {
        let fence = line.trim_start().starts_with("```");
        if block == Block::Code {
            match fence {
                true => end(&mut out, &mut block, &mut text),
                false => out.push_str(&format!("{}\n", escape(line))),
            }
            continue;
        }
        if fence {
            end(&mut out, &mut block, &mut text);
            out.push_str("<pre>");
            block = Block::Code;
        } else if line.trim().is_empty() {
            end(&mut out, &mut block, &mut text);
        } else if let Some(heading) = line.strip_prefix('#') {
            end(&mut out, &mut block, &mut text);
            out.push_str(&format!("<h4>{}</h4>\n", inline(heading.trim_start_matches('#').trim())));
        } else if let Some(item) = line.strip_prefix("- ") {
            begin_item(&mut out, &mut block, &mut text, Block::Bullets, "<ul>");
            text.push_str(item);
        } else if let Some(item) = numbered(line).filter(|(n, _)| block == Block::Numbers || *n == "1") {
            begin_item(&mut out, &mut block, &mut text, Block::Numbers, "<ol>");
            text.push_str(item.1);
        } else if let Some(row) = line.strip_prefix('|').filter(|_| matches!(block, Block::Nothing | Block::Table)) {
            table_row(&mut out, &mut block, row);
        } else {
            match block {
                Block::Nothing => {
                    out.push_str("<p>");
                    block = Block::Paragraph;
                }
                Block::Table => {
                    end(&mut out, &mut block, &mut text);
                    out.push_str("<p>");
                    block = Block::Paragraph;
                }
                _ => text.push(' '),
            }
            text.push_str(line.trim());
        }
    }
    end(&mut out, &mut block, &mut text);
    out
}

fn end(out: &mut String, block: &mut Block, text: &mut String) {
    out.push_str(&inline(&std::mem::take(text)));
    out.push_str(std::mem::replace(block, Block::Nothing).end());
}

fn begin_item(out: &mut String, block: &mut Block, text: &mut String, list: Block, opens: &str) {
    if *block == list {
        out.push_str(&inline(&std::mem::take(text)));
        out.push_str("</li>\n<li>");
        return;
    }
    end(out, block, text);
    out.push_str(opens);
    out.push_str("<li>");
    *block = list;
}

/// The number and the text of `1. text`.
fn numbered(line: &str) -> Option<(&str, &str)> {
    let (number, text) = line.split_once(". ")?;
    (!number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then_some((number, text))
}

fn table_row(out: &mut String, block: &mut Block, row: &str) {
    if row.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ')) {
        return;
    }
    let head = *block == Block::Nothing;
    let tag = if head { "th" } else { "td" };
    let cells = row.trim_end().trim_end_matches('|').split('|');
    let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", inline(cell.trim()))).collect();
    match head {
        true => out.push_str(&format!("<table><thead><tr>{cells}</tr></thead><tbody>\n")),
        false => out.push_str(&format!("<tr>{cells}</tr>\n")),
    }
    *block = Block::Table;
}

/// Code and what is strong. A mark without its other one is a mark.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        out.push_str(&escape(&rest[..at]));
        rest = &rest[at..];
        let (mark, tag) = if rest.starts_with('`') { ("`", "code") } else { ("**", "strong") };
        let within = rest.strip_prefix(mark).and_then(|within| within.split_once(mark)).filter(|(w, _)| !w.is_empty());
        match within {
            Some((within, after)) => {
                out.push_str(&format!("<{tag}>{}</{tag}>", escape(within)));
                rest = after;
            }
            None => {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    out.push_str(&escape(rest));
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in plain(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ResultKind;
    use crate::report::tests::line;

    #[test]
    fn what_pages_are_written_in_is_html() {
        for (markdown, expected) in [
            ("a `b <c>`\nd **e** 2*3\n\nf", "<p>a <code>b &lt;c&gt;</code> d <strong>e</strong> 2*3</p>\n<p>f</p>\n"),
            ("## How\n- one\n  more\n- two\n\nx", "<h4>How</h4>\n<ul><li>one more</li>\n<li>two</li></ul>\n<p>x</p>\n"),
            ("1. a\n2. b", "<ol><li>a</li>\n<li>b</li></ol>\n"),
            ("it was\n500. Or not", "<p>it was 500. Or not</p>\n"),
            ("```http\nGET / & *x*\n\n- y\n```\nz", "<pre>GET / &amp; *x*\n\n- y\n</pre>\n<p>z</p>\n"),
            (
                "| a | b |\n|---|---|\n| `c` | d |\ne",
                "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n\
                 <tr><td><code>c</code></td><td>d</td></tr>\n</tbody></table>\n<p>e</p>\n",
            ),
            ("`open **and` é*", "<p><code>open **and</code> é*</p>\n"),
            ("an `open end", "<p>an `open end</p>\n"),
        ] {
            assert_eq!(html(markdown), expected, "{markdown}");
        }
    }

    #[test]
    fn every_page_of_the_catalogue_has_its_sections_and_no_markup_of_its_own() {
        for check in checks::ALL {
            let card = check.card();
            let page = of(&line(card.id, ResultKind::Pass)).unwrap();
            for section in ["What is sent", "How it is judged", "Why it matters", "How to fix", "References"] {
                assert!(page.contains(&format!("<h4>{section}</h4>")), "{} {section}", card.id);
            }
            assert_eq!(page.matches("<pre>").count() * 2, card.page.matches("```").count(), "{}", card.id);
            let tags =
                ["p", "h4", "ul", "ol", "li", "pre", "code", "strong", "table", "thead", "tbody", "tr", "th", "td"];
            for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap().trim_start_matches('/')) {
                assert!(tags.contains(&tag), "{tag} in {}", card.id);
            }
        }
    }

    #[test]
    fn the_page_of_a_strangers_rule_is_text() {
        let mut of_rule = line("mine/x", ResultKind::Fail);
        assert_eq!(of(&of_rule), None, "nobody knows it");
        of_rule.page =
            Some("# mine/x: T\n\n## <b>Why</b>\n<script>alert(1)</script> [x](javascript:1)\n| <i>\n```\"<u>\n</pre>");
        let page = of(&of_rule).unwrap();
        assert!(!page.contains("# mine") && page.contains("&lt;script&gt;") && page.contains("&lt;/pre&gt;"), "{page}");
        for markup in ["<b>", "<script", "<i>", "<u>", "<a "] {
            assert!(!page.contains(markup), "{markup} in {page}");
        }
        assert_eq!(page.matches("</pre>").count(), 1, "{page}");
    }
}
