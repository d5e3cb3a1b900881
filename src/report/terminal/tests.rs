//! What a person sees, from literal reports.

use super::*;
use crate::clients::{About, Answer, ClientLine, Grade, Need};
use crate::report::{BrokenLine, DiscoveryLine, FindingLine, ProfileLine, SignInLine, Stopped, TargetLine, Tool};
use crate::wire::ledger::{RecordedRequest, RecordedResponse};
use crate::wire::{Exchange, ExchangeId};

fn check(id: &'static str, result: ResultKind, word: &str) -> CheckLine {
    let verdict = match result {
        ResultKind::Pass => VerdictKind::Pass,
        ResultKind::Inconclusive => VerdictKind::Inconclusive,
        ResultKind::NotRun => VerdictKind::NotRun,
        ResultKind::NotApplicable => VerdictKind::NotApplicable,
        _ => VerdictKind::Fail,
    };
    CheckLine {
        id,
        title: "The property holds",
        topic: id.split('/').next().unwrap(),
        verdict,
        result,
        level: Level::Must,
        impact: Impact::High,
        message: format!("{word} was seen"),
        remediation: "Make it hold.".into(),
        how_to_run: (result == ResultKind::NotRun).then(|| format!("--{word}")),
        broken: (verdict == VerdictKind::Fail).then(|| BrokenLine {
            document: "rfc7636",
            section: "4.6",
            level: Level::Must,
            says: "A wrong verifier is refused.",
            citation: "RFC 7636 section 4.6".into(),
            url: "https://www.rfc-editor.org/rfc/rfc7636#section-4.6".into(),
        }),
        findings: Vec::new(),
        requirements: Vec::new(),
        evidence: vec![ExchangeId(1)],
        duration_ms: 1,
    }
}

fn report(word: &str) -> Report {
    let mut failed = check("pkce/verifier-enforced", ResultKind::Fail, word);
    failed.findings.push(FindingLine {
        what: format!("a {word} verifier"),
        verdict: VerdictKind::Fail,
        level: Some(Level::Must),
        message: word.to_owned(),
        measured: None,
        evidence: vec![],
    });
    let checks = vec![
        check("server_metadata/published", ResultKind::Pass, word),
        failed,
        check("pkce/plain-refused", ResultKind::Inconclusive, word),
        check("refresh/rotated", ResultKind::NotRun, word),
        check("revocation/access-token", ResultKind::NotApplicable, word),
    ];
    let pair = || vec![("location".to_owned(), word.to_owned())];
    let exchange = Exchange {
        id: ExchangeId(1),
        check: "pkce/verifier-enforced".into(),
        request: RecordedRequest { method: "POST".into(), url: word.into(), headers: pair(), body: Some(word.into()) },
        response: Some(RecordedResponse { status: 200, headers: pair(), body: word.into() }),
        trouble: Some(word.into()),
        elapsed_ms: 3,
        curl: format!("curl {word}"),
    };
    Report {
        schema_version: 1,
        tool: Tool { name: "oaudit", version: "0.1.0" },
        started_at: "2026-11-24T10:00:00Z".into(),
        duration_ms: 1900,
        target: TargetLine { resource: Some(word.into()), issuer: Some(word.into()) },
        profile: ProfileLine { name: "chatgpt", mcp_version: "2025-11-25", documents: vec!["oauth2.1"] },
        summary: Summary { logins: 1, authorizations: 27, requests: 412, exit_code: 1, ..Summary::count(&checks) },
        checklist: crate::checklist::answer(&checks, false),
        clients: vec![ClientLine {
            client: "chatgpt",
            connects: Answer::Unknown,
            because: word.into(),
            as_of: "2026-10",
            needs: vec![Need { about: About::Pkce, answer: Answer::Yes, because: word.into(), grade: Grade::Quoted }],
        }],
        checks,
        exchanges: vec![exchange],
        left_behind: vec![word.into()],
        remarks: vec![word.into()],
        discovery: DiscoveryLine::default(),
        sign_in: SignInLine {
            agent: Some("form".into()),
            client: Some(word.into()),
            registration: Some("dynamic, none".into()),
            scope: Some(word.into()),
        },
        stopped: Some(Stopped { error: word.into(), hint: "--yes".into() }),
    }
}

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
    for width in [40, 80, 100, 200] {
        let text = render(&report(word), &look(width));
        // A word that is wider than the terminal stands alone: the ids of checks at 40 columns.
        for line in text.lines().filter(|l| !l.contains("curl ") && l.trim().contains(' ')) {
            assert!(line.chars().count() <= width, "{width}: {} {line}", line.chars().count());
        }
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
        "A wrong verifier is refused. (must, RFC 7636 section 4.6)",
        "fix: Make it hold.",
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
