//! What a person sees, from literal reports.

use super::*;
use crate::report::tests::{check, report};

fn look(width: usize) -> Look {
    Look { width, color: false, evidence: true, quiet: false, links: false }
}

#[test]
fn no_word_of_a_target_commands_the_terminal() {
    let nasty = "x\u{1b}]0;gone\u{7}\u{202e}y\u{9b}2Jz\u{fdd0}";
    let text = render(&report(nasty), &look(80));
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let word = "some ordinary words that a server might say about what it did not like in this request";
    for width in [40, 59, 60, 80, 100, 200] {
        let mut report = report(word);
        let finding = &mut report.checks[1].findings[0];
        finding.what = "http://127.0.0.1:39379".into();
        finding.message = "cursor://anysphere.cursor-mcp/oauth/user-callback is not a URI that is taken".into();
        let text = render(&report, &look(width));
        assert!(
            width > 59 || text.lines().any(|line| line.starts_with("    fail   http://127.0.0.1:39379:")),
            "{text}"
        );
        // What is to be followed or pasted stands whole, alone behind its label.
        let stands_whole = |line: &&str| {
            line.contains("curl ") || ["| http", "http://127.0.0.1:39379:"].iter().any(|url| line.contains(url))
        };
        for line in text.lines().filter(|line| !stands_whole(line)) {
            assert!(line.chars().count() <= width, "{width}: {} {line}", line.chars().count());
        }
    }
}

#[test]
fn a_failure_is_a_block_with_what_was_sent_and_what_came_back() {
    let mut report = report("it was answered 400");
    let exchange = &mut report.exchanges[0];
    exchange.request.url = "https://login.example.com/token?tenant=a&x=y".into();
    exchange.request.body = None;
    if let Some(response) = &mut exchange.response {
        response.status = 400;
    }
    let text = render(&report, &look(80));
    let block = "\n          sent | POST https://login.example.com/token\n               | ?tenant=a&x=y\n";
    assert!(text.contains(block), "{text}");
    for line in [
        "     came back | 400\n               | ^^^\n",
        "         again | curl ",
        "          more | oaudit explain pkce",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn verdicts_are_words_and_the_first_thing_to_fix_is_named() {
    let text = render(&report("nothing"), &look(100));
    for word in [
        "✓ PASS         server_metadata/published",
        "✗ FAIL         pkce/verifier-enforced",
        "? INCONCLUSIVE pkce/plain-refused",
        "- NOT RUN      refresh/rotated",
        "· N/A          revocation/access-token",
        "demand | A wrong verifier is refused. (must, RFC 7636 section 4.6)",
        "fix | Make it hold.",
        "to run it: --nothing",
        "2 of 5 decided · 1 passed · 1 failed · 1 inconclusive · 1 not run · 1 not applicable · 1 login, 27",
        "oaudit explain pkce/verifier-enforced",
        "Left behind",
        "exit code 1: something failed",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn what_stopped_the_audit_is_said_once() {
    let mut report = report("nobody answers");
    for check in report.checks.iter_mut().filter(|check| check.result == ResultKind::Inconclusive) {
        check.message = "the audit stopped before: nobody answers".into();
    }
    let text = render(&report, &look(100));
    assert!(text.contains("the audit stopped before, see the error at the end"), "{text}");
    assert!(!text.contains("stopped before: nobody answers"), "{text}");
    report.checks.retain(|check| check.result == ResultKind::Inconclusive);
    let text = render(&report, &look(100));
    assert!(!text.contains("INCONCLUSIVE") && text.contains("error: nobody answers"), "{text}");
}

#[test]
fn why_the_ordinary_flow_broke_is_said_once() {
    let mut report = report("x");
    report.checks.push(check("authorization/code-flow-works", ResultKind::Fail, "x"));
    let lead = "the ordinary flow did not work, see authorization/code-flow-works";
    report.checks[2].message = format!("{lead}: the token endpoint answered 500");
    let text = render(&report, &look(100));
    assert!(text.contains(&format!("{lead}\n")), "{text}");
    report.checks.pop();
    assert!(render(&report, &look(200)).contains("the token endpoint answered 500"), "not without the check it names");
}

#[test]
fn the_checklist_and_the_clients_stand_at_the_end() {
    let text = render(&report("nothing"), &look(100));
    for word in [
        "Approval checklist",
        "✗ FAIL         PKCE with S256 code challenge\n               see pkce/verifier-enforced",
        "- NOT RUN      Refresh tokens rotate",
        "Before you submit",
        "chatgpt      unknown (as of 2026-10): nothing",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    let quiet = render(&report("nothing"), &Look { quiet: true, ..look(100) });
    assert!(!quiet.contains("✓ PASS"), "{quiet}");
}

#[test]
fn colour_and_links_are_there_when_wanted() {
    let text = render(&report("nothing"), &Look { color: true, links: true, ..look(100) });
    assert!(text.contains("\u{1b}[") && text.contains("\u{1b}]8;;https://www.rfc-editor.org"));
}
