//! Reports to try the formats on.

use super::*;
use crate::clients::{About, Answer, Grade, Need};
use crate::waiver::WaivedBy;
use crate::wire::ledger::{RecordedRequest, RecordedResponse};

/// The line of a check that ended so.
pub(crate) fn line(id: &'static str, result: ResultKind) -> CheckLine {
    let verdict = match result {
        ResultKind::Pass => VerdictKind::Pass,
        ResultKind::Inconclusive => VerdictKind::Inconclusive,
        ResultKind::NotRun => VerdictKind::NotRun,
        ResultKind::NotApplicable => VerdictKind::NotApplicable,
        ResultKind::Fail | ResultKind::Warn | ResultKind::Note | ResultKind::Waived => VerdictKind::Fail,
    };
    CheckLine {
        id,
        title: "The property holds",
        topic: id.split('/').next().unwrap_or(id),
        verdict,
        result,
        level: Level::Must,
        impact: Impact::High,
        message: "seen".into(),
        remediation: "Make it hold.".into(),
        how_to_run: None,
        broken: None,
        waiver: None,
        findings: Vec::new(),
        requirements: Vec::new(),
        evidence: Vec::new(),
        duration_ms: 0,
        page: None,
    }
}

/// The line of a check whose words have `word` in them.
pub(crate) fn check(id: &'static str, result: ResultKind, word: &str) -> CheckLine {
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
        waiver: (result == ResultKind::Waived).then(|| WaiverLine {
            by: WaivedBy::Configuration,
            reason: format!("{word} is known"),
            until: Some("2027-03-01".into()),
            owner: None,
            first_seen: None,
            age_days: None,
        }),
        findings: Vec::new(),
        requirements: Vec::new(),
        evidence: vec![ExchangeId(1)],
        duration_ms: 1,
        page: None,
    }
}

/// A report in which a target said `word` wherever it can.
pub(crate) fn report(word: &str) -> Report {
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
        at_ms: 250,
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
        journal: Some("0123456789abcdef".into()),
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

/// A report with every result in it.
pub(crate) fn mixed() -> Report {
    let mut report = report("something");
    for (id, result, level) in [
        ("pkce/required", ResultKind::Warn, Level::Should),
        ("pkce/plain-refused-too", ResultKind::Note, Level::Advice),
        ("pkce/waived", ResultKind::Waived, Level::Must),
    ] {
        report.checks.insert(2, CheckLine { level, ..check(id, result, "something") });
    }
    report.summary = Summary::count(&report.checks);
    report.stopped = None;
    let exchange = &mut report.exchanges[0];
    exchange.request.url = "https://as.example/token?a=b".into();
    exchange.request.headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
    if let Some(response) = &mut exchange.response {
        response.status = 400;
    }
    report
}

/// A report of a target that wants to break out of every format.
pub(crate) fn nasty() -> Report {
    report(
        "\u{1b}[2J\u{202e}\n::set-output name=x::y\r\n</td><script>alert(1)</script>]]>&\"'|`[x](javascript:1)\u{0}\u{b}%0A",
    )
}
