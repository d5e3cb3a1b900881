//! The logs of the server hold none of the secrets that passed through it.

use std::time::{Duration, SystemTime};

use crate::check::{
    Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, demand, must, should,
};
use crate::document::Document;
use crate::logs::{self, Scan, Wanted};
use crate::needs::{Baseline, Context, Logs, WholeLedger};
use crate::wire::labels::sent_in_urls;

const NO_SECRET_OF_OURS: Demand = demand(
    "No code, token, secret or verifier that passed through the server stands in its logs.",
    &[must(Document::OpenAi, "approval checklist"), must(Document::Rfc9700, "4.9.3")],
);
const NOTHING_LIKE_A_TOKEN: Demand = demand(
    "Nothing in the logs has the shape of a token or of a secret.",
    &[should(Document::OpenAi, "approval checklist"), should(Document::Asvs5, "16.2.5")],
);

/// For a server that writes its log a moment after it answered.
const MOMENT: Duration = Duration::from_millis(300);
/// Lines of the table; the rest is a number.
const SHOWN: usize = 20;

/// Searches the files that the user named for the secrets of this run.
pub struct NoTokenInLogs;

impl Check for NoTokenInLogs {
    type Needs = (Baseline, WholeLedger, Logs);
    const CARD: Card = Card {
        id: "hygiene/no-token-in-logs",
        demands: &[NO_SECRET_OF_OURS, NOTHING_LIKE_A_TOKEN],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("no_token_in_logs.md"),
    };

    async fn run((_, WholeLedger(exchanges), Logs(paths)): Self::Needs, cx: &Context) -> Outcome {
        tokio::time::sleep(MOMENT).await;
        let wanted = Wanted { secrets: cx.wire.vault().secrets(), sent_in_urls: sent_in_urls(&exchanges) };
        let scan = tokio::task::spawn_blocking(move || logs::scan(&paths, &wanted)).await;
        let scan = scan.map_err(|_| Unsettled::Control("the search of the logs broke off".into()))?;
        Ok(ruling(cx, &scan, cx.wire.opened()))
    }
}

fn ruling(cx: &Context, scan: &Scan, began: SystemTime) -> Ruling {
    let lines = table(scan);
    match lines.is_empty() {
        false => cx.fold(lines, ""),
        true => clean(scan, began).into(),
    }
}

fn table(scan: &Scan) -> Vec<Finding> {
    let counts = scan.findings.iter().filter(|f| !f.sent_in_url);
    let mut lines: Vec<Finding> = counts
        .map(|f| {
            let verdict = match &f.label {
                Some(label) => Verdict::fail(NO_SECRET_OF_OURS, format!("{label} of this run stands there")),
                None => Verdict::fail(NOTHING_LIKE_A_TOKEN, format!("a value of the kind \"{}\" stands there", f.kind)),
            };
            Finding::new(format!("{}, line {}", f.path, f.line), verdict)
        })
        .collect();
    // Those of this run first; they are certain.
    lines.sort_by_key(|f| !matches!(f.verdict, Verdict::Fail(NO_SECRET_OF_OURS, _)));
    let more = lines.len().saturating_sub(SHOWN) as u64 + scan.more;
    lines.truncate(SHOWN);
    if more > 0 {
        let why = "`oaudit logs` lists them";
        lines.push(Finding::new(format!("{more} more"), Verdict::fail(NOTHING_LIKE_A_TOKEN, why)));
    }
    let unread = scan.unreadable.iter();
    lines.extend(unread.map(|u| Finding::new(&u.path, Verdict::inconclusive(format!("not read: {}", u.why)))));
    lines
}

/// A log that nothing of this run was written to is clean for a reason that proves nothing.
fn clean(scan: &Scan, began: SystemTime) -> Verdict {
    // File systems keep coarser time than the clock.
    let since = began.checked_sub(Duration::from_secs(2)).unwrap_or(began);
    let of_this_run = |f: &&logs::FileLine| f.names_us || f.changed.is_some_and(|changed| changed >= since);
    match (scan.files.iter().find(of_this_run), scan.files.len()) {
        (_, 0) => Verdict::inconclusive("there is no text file under the paths that were named"),
        (None, n) => Verdict::inconclusive(format!("{n} files were read, and none was written to during this run")),
        (Some(live), n) => Verdict::pass(format!(
            "{n} files, {} bytes, hold no secret of this run and nothing like a token; {} was written to meanwhile",
            scan.bytes(),
            live.path
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(label: Option<&str>, changed: Option<SystemTime>) -> Scan {
        let file = logs::FileLine { path: "a.log".into(), form: vec![], bytes: 9, found: 0, changed, names_us: false };
        let finding = |kind: &str, label: Option<&str>| logs::Finding {
            path: "a.log".into(),
            line: 3,
            kind: kind.into(),
            label: label.map(str::to_owned),
            sent_in_url: false,
        };
        let findings = label.map(|l| vec![finding("jwt", None), finding("code", Some(l))]).unwrap_or_default();
        Scan { findings, files: vec![file], ..Scan::default() }
    }

    #[test]
    fn secrets_of_the_run_come_first_and_weigh_more() {
        let lines = table(&scan(Some("{code 1}"), None));
        assert!(matches!(lines[0].verdict, Verdict::Fail(NO_SECRET_OF_OURS, _)), "{lines:?}");
        assert!(matches!(lines[1].verdict, Verdict::Fail(NOTHING_LIKE_A_TOKEN, _)));
        let mut excused = scan(Some("{code 1}"), None);
        excused.findings.iter_mut().for_each(|f| f.sent_in_url = true);
        assert!(table(&excused).is_empty());
    }

    #[test]
    fn an_old_log_proves_nothing() {
        let began = SystemTime::now();
        let old = began.checked_sub(Duration::from_secs(60));
        assert!(matches!(clean(&scan(None, old), began), Verdict::Inconclusive(_)));
        assert!(matches!(clean(&scan(None, Some(began)), began), Verdict::Pass(_)));
        assert!(matches!(clean(&Scan::default(), began), Verdict::Inconclusive(_)));
    }
}
