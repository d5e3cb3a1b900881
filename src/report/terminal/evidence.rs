//! An exchange under the check that it is evidence for.

use super::one_line;
use super::page::{Ink, Page, cut};
use crate::wire::Exchange;

/// Headers of an answer that decide something.
const TELLING: [&str; 8] = [
    "location",
    "www-authenticate",
    "content-type",
    "cache-control",
    "retry-after",
    "content-security-policy",
    "x-frame-options",
    "access-control-allow-origin",
];

/// Shows request line, body, status, telling headers, the first words of the answer, and the curl line.
pub(super) fn show(exchange: &Exchange, page: &mut Page<'_>) {
    page.line(13, Ink::Remark, &format!("[{}] {}", exchange.id.0, exchange.summary()));
    let room = page.look.width.saturating_sub(page.indent(15) + 2);
    if let Some(body) = &exchange.request.body {
        page.verbatim(15, &format!("> {}", cut(&one_line(body), room)));
    }
    if let Some(response) = &exchange.response {
        for (name, value) in response.headers.iter().filter(|(n, _)| TELLING.contains(&n.as_str())) {
            page.verbatim(15, &format!("< {}", cut(&one_line(&format!("{name}: {value}")), room)));
        }
        if !response.body.is_empty() {
            page.verbatim(15, &format!("< {}", cut(&one_line(&response.body), room)));
        }
    }
    if let Some(trouble) = &exchange.trouble {
        page.line(15, Ink::Plain, &format!("! {trouble}"));
    }
    // Not cut: it is there to be pasted.
    page.verbatim(15, &one_line(&exchange.curl));
}
