//! No error answer of any endpoint gives away a secret or how the program is built.

use std::collections::BTreeSet;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Baseline, Context, WholeLedger};
use crate::oauth::leak::{Leak, is_error, leak};
use crate::wire::Exchange;

/// An error answer that says again what was secret in the request.
pub(crate) const NO_ECHO: Demand = demand(
    "No error answer repeats a code, token, secret or verifier that was sent.",
    &[must(Document::OpenAi, "approval checklist"), should(Document::Asvs5, "16.5.1")],
);
/// An error answer that shows the program behind it.
pub(crate) const NO_INTERNALS: Demand = demand(
    "No error answer shows a stack trace, paths of the program or errors of its database.",
    &[must(Document::OpenAi, "approval checklist"), should(Document::Asvs5, "16.5.1")],
);

/// Reads every error answer of the run.
pub struct NoSecretInErrors;

impl Check for NoSecretInErrors {
    type Needs = (WholeLedger, Baseline);
    const CARD: Card = Card {
        id: "hygiene/no-secret-in-errors",
        demands: &[NO_ECHO, NO_INTERNALS],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("no_secret_in_errors.md"),
    };

    async fn run((ledger, _): Self::Needs, cx: &Context) -> Outcome {
        // A handshake that is refused is an answer of its own kind.
        Ok(read(cx, &ledger, |e| e.request.method != "TLS"))
    }
}

/// Judges the error answers to these requests. The same leak of the same address is one line.
pub(crate) fn read(cx: &Context, ledger: &WholeLedger, among: impl Fn(&Exchange) -> bool) -> Ruling {
    let (mut count, mut cut, mut seen, mut lines) = (0, 0, BTreeSet::new(), Vec::new());
    for exchange in ledger.0.iter().filter(|e| is_error(e) && among(e)) {
        count += 1;
        let Some((kind, verdict)) = judge(exchange) else {
            // Pages are long; what answers a program is not, and may hide something at its end.
            if exchange.whole_body().is_none() {
                cut += 1;
                if exchange.request.method == "POST" && exchange.is_answered() {
                    lines.extend(seen.insert(("", "cut".to_owned())).then(|| too_long(exchange)));
                }
            }
            continue;
        };
        let address = exchange.request.url.split(['?', '#']).next().unwrap_or_default();
        if seen.insert((address, kind)) {
            lines.push(Finding::new(exchange.summary(), verdict).shown_by([exchange.id]));
        }
    }
    match (count, lines.is_empty()) {
        (_, false) => cx.fold(lines, ""),
        (0, _) => Verdict::inconclusive("no error was answered in this run").into(),
        _ => {
            let beginnings = if cut > 0 { format!(", of {cut} long ones the first 8 KiB,") } else { String::new() };
            let why = format!("{count} error answers were read{beginnings} and none gives anything away");
            ledger.nothing_wrong(among, why).into()
        }
    }
}

fn too_long(exchange: &Exchange) -> Finding {
    let why = "nothing was found in its first 8 KiB, and the rest is not in the record";
    Finding::new(exchange.summary(), Verdict::inconclusive(why)).shown_by([exchange.id])
}

fn judge(exchange: &Exchange) -> Option<(String, Verdict)> {
    Some(match leak(exchange)? {
        Leak::Secret(label) => {
            let kind = label.trim_start_matches('{').split(' ').next().unwrap_or_default().to_owned();
            (kind, Verdict::fail(NO_ECHO, format!("the error answer repeats {label}, which was sent")))
        }
        Leak::Internals(what) => {
            (what.to_owned(), Verdict::fail(NO_INTERNALS, format!("the error answer shows {what}")))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::labels::tests::exchange;

    #[test]
    fn an_echo_and_a_trace_are_two_failures() {
        let request = ("POST", "https://as/token", Some("refresh_token={refresh_token 3}"));
        let echo = exchange(request, (400, &[], "unknown token {refresh_token 3}"));
        assert!(matches!(judge(&echo), Some((_, Verdict::Fail(NO_ECHO, _)))));
        let trace = exchange(request, (500, &[], "Traceback (most recent call last)"));
        assert!(matches!(judge(&trace), Some((_, Verdict::Fail(NO_INTERNALS, _)))));
        assert!(judge(&exchange(request, (400, &[], r#"{"error":"invalid_grant"}"#))).is_none());
    }
}
