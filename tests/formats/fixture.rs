//! One report that never changes, with every kind of verdict in it; and as large a one as is wanted.

#![allow(dead_code, clippy::allow_attributes, reason = "the benchmark uses a part of it")]

use oaudit::check::{Impact, Level, Measure};
use oaudit::checklist::ChecklistLine;
use oaudit::clients::{About, Answer, ClientLine, Grade, Need};
use oaudit::report::{
    BrokenLine, CheckLine, DiscoveryLine, FindingLine, ProfileLine, Report, RequirementLine, ResultKind, SignInLine,
    Stopped, Summary, TargetLine, Tool, VerdictKind,
};
use oaudit::waiver::{WaivedBy, WaiverLine};
use oaudit::wire::ledger::{RecordedRequest, RecordedResponse};
use oaudit::wire::{Exchange, ExchangeId};

const RFC: &str = "https://www.rfc-editor.org/rfc/rfc7636#section-4.6";

/// A page of its own, so that the pages of the catalogue may be mended without these files.
const PAGE: &str = "# topic/property: It holds\n\nIt holds `always`.\n\n## What is sent\n\nA **wrong**\nverifier.\n\n\
    ## How it is judged\n\n- pass: 400\n- fail: a token\n  comes back\n\n## Why it matters\n\n\
    | seen | cause |\n|------|-------|\n| 200  | `<&>` |\n\n## How to fix\n\n1. compare\n2. refuse\n\n\
    ```http\nHTTP/1.1 400\n\n{\"error\": \"invalid_grant\"}\n```\n";

/// Every kind of verdict, and every part that a report may have.
pub(crate) fn mixed() -> Report {
    let checks = vec![
        line("server_metadata/published", ResultKind::Pass, "found at /.well-known/oauth-authorization-server"),
        line("server_metadata/s256-advertised", ResultKind::Note, "S256 is not among the methods"),
        with_findings(line("pkce/verifier-enforced", ResultKind::Fail, "a wrong verifier bought a token")),
        line("pkce/plain-refused", ResultKind::Warn, "plain was taken | with <b>markup</b> & \u{1b}[31mcolour"),
        line("code/single-use", ResultKind::Inconclusive, "the token endpoint answered 503 to the replay"),
        CheckLine {
            how_to_run: Some("--slow".into()),
            ..line("code/expires", ResultKind::NotRun, "it takes ten minutes")
        },
        waived(
            line("refresh/rotated", ResultKind::Waived, "waived until 2027-03-01 (ticket 123): the old token works"),
            WaiverLine {
                by: WaivedBy::Configuration,
                reason: "ticket 123".into(),
                until: Some("2027-03-01".into()),
                owner: Some("identity team".into()),
                first_seen: None,
                age_days: None,
            },
        ),
        waived(
            line(
                "refresh/bound-to-client",
                ResultKind::Waived,
                "known for 54 days, since 2026-10-01 (known.json): another client refreshed",
            ),
            WaiverLine {
                by: WaivedBy::Baseline,
                reason: "in the baseline known.json since 2026-10-01, 54 days".into(),
                until: None,
                owner: None,
                first_seen: Some("2026-10-01".into()),
                age_days: Some(54),
            },
        ),
        line("revocation/access-token", ResultKind::NotApplicable, "the server has no revocation endpoint"),
    ];
    let point = |item, result, id| ChecklistLine {
        section: "Authentication",
        item,
        result,
        because: format!("see {id}"),
        checks: vec![id],
    };
    Report {
        schema_version: 1,
        tool: Tool { name: "oaudit", version: "0.1.0" },
        started_at: "2026-11-24T10:00:00Z".into(),
        duration_ms: 1900,
        target: TargetLine {
            resource: Some("https://api.example.com/mcp".into()),
            issuer: Some("https://login.example.com".into()),
        },
        profile: ProfileLine {
            name: "chatgpt",
            mcp_version: "2025-11-25",
            documents: vec!["oauth2.1", "rfc7636", "openai"],
        },
        summary: Summary { logins: 1, authorizations: 27, requests: 412, exit_code: 1, ..Summary::count(&checks) },
        checks,
        exchanges: (1..=3).map(exchange).collect(),
        checklist: vec![
            point("PKCE with S256 code challenge", ResultKind::Fail, "pkce/verifier-enforced"),
            point("Refresh token rotation", ResultKind::Waived, "refresh/rotated"),
        ],
        clients: vec![ClientLine {
            client: "chatgpt",
            connects: Answer::Unknown,
            because: "iss: it was not seen".into(),
            as_of: "2026-10",
            needs: vec![Need {
                about: About::Pkce,
                answer: Answer::Yes,
                because: "S256 was taken".into(),
                grade: Grade::Quoted,
            }],
        }],
        left_behind: vec!["client dyn-123 could not be deleted (no RFC 7592)".into()],
        journal: None,
        remarks: vec!["the waiver of pkce/required (oaudit.toml:7) is stale: the check holds now, so remove it".into()],
        discovery: DiscoveryLine::default(),
        sign_in: SignInLine {
            agent: Some("form".into()),
            client: Some("dyn-123".into()),
            registration: Some("dynamic, none".into()),
            scope: Some("notes:read notes:write".into()),
        },
        stopped: None,
    }
}

/// The same, of an audit that stopped.
pub(crate) fn stopped() -> Report {
    let mut report = mixed();
    report.stopped = Some(Stopped { error: "the sign-in failed".into(), hint: "check --username".into() });
    report.summary.exit_code = 4;
    report
}

/// A report of so many checks and exchanges, every exchange evidence of a check.
pub(crate) fn large(checks: usize, exchanges: u32) -> Report {
    let small = mixed();
    let mut lines = Vec::with_capacity(checks);
    for at in 0..checks {
        let mut line = small.checks[at % small.checks.len()].clone();
        line.id = format!("{}-{at}", line.id).leak();
        line.evidence = (1..=exchanges).filter(|n| *n as usize % checks == at).map(ExchangeId).collect();
        lines.push(line);
    }
    lines.sort_by_key(|line| line.topic);
    let summary = Summary { exit_code: 1, ..Summary::count(&lines) };
    Report { summary, checks: lines, exchanges: (1..=exchanges).map(exchange).collect(), ..small }
}

fn line(id: &'static str, result: ResultKind, message: &str) -> CheckLine {
    let verdict = match result {
        ResultKind::Pass => VerdictKind::Pass,
        ResultKind::Inconclusive => VerdictKind::Inconclusive,
        ResultKind::NotRun => VerdictKind::NotRun,
        ResultKind::NotApplicable => VerdictKind::NotApplicable,
        ResultKind::Fail | ResultKind::Warn | ResultKind::Note | ResultKind::Waived => VerdictKind::Fail,
    };
    let level = match result {
        ResultKind::Warn => Level::Should,
        ResultKind::Note => Level::Advice,
        _ => Level::Must,
    };
    CheckLine {
        id,
        title: "The property holds",
        topic: id.split('/').next().unwrap_or(id),
        verdict,
        result,
        level,
        impact: if result == ResultKind::Fail { Impact::Critical } else { Impact::Medium },
        message: message.into(),
        remediation: "Make it hold.".into(),
        how_to_run: None,
        broken: (verdict == VerdictKind::Fail).then(|| BrokenLine {
            document: "rfc7636",
            section: "4.6",
            level,
            says: "A wrong verifier is refused.",
            citation: "RFC 7636 section 4.6".into(),
            url: RFC.into(),
        }),
        waiver: None,
        findings: Vec::new(),
        requirements: vec![RequirementLine {
            document: "rfc7636",
            title: "RFC 7636",
            section: "4.6",
            level,
            url: RFC.into(),
        }],
        evidence: vec![ExchangeId(1)],
        duration_ms: 12,
        page: Some(PAGE),
    }
}

fn waived(line: CheckLine, waiver: WaiverLine) -> CheckLine {
    CheckLine { waiver: Some(waiver), ..line }
}

fn with_findings(line: CheckLine) -> CheckLine {
    let finding = |what: &str, verdict, level, measured| FindingLine {
        what: what.into(),
        verdict,
        level,
        message: "as seen".into(),
        measured,
        evidence: vec![ExchangeId(2)],
    };
    let seconds = Measure { value: 2.5, unit: "s" };
    CheckLine {
        findings: vec![
            finding("the verifier of another flow", VerdictKind::Fail, Some(Level::Must), Some(seconds)),
            finding("a verifier of 129 characters", VerdictKind::Fail, Some(Level::Should), None),
            finding("no verifier", VerdictKind::Pass, None, None),
            finding("an empty verifier", VerdictKind::Inconclusive, None, None),
        ],
        evidence: vec![ExchangeId(2), ExchangeId(3)],
        ..line
    }
}

/// The third of each three never got an answer.
fn exchange(id: u32) -> Exchange {
    let response = (!id.is_multiple_of(3)).then(|| RecordedResponse {
        status: if id % 3 == 1 { 400 } else { 200 },
        headers: vec![("content-type".into(), "application/json".into()), ("cache-control".into(), "no-store".into())],
        body: format!("{{\n  \"error\": \"invalid_grant\",\n  \"n\": {id}\n}}"),
    });
    Exchange {
        id: ExchangeId(id),
        check: "pkce/verifier-enforced".into(),
        request: RecordedRequest {
            method: "POST".into(),
            url: "https://login.example.com/token?tenant=a%20b".into(),
            headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
            body: Some("grant_type=authorization_code&code={code 1}&code_verifier=wrong".into()),
        },
        trouble: response.is_none().then(|| "no answer within 10 s".to_owned()),
        response,
        at_ms: 250 * u64::from(id),
        elapsed_ms: 3,
        curl: "curl -d 'code={code 1}' 'https://login.example.com/token?tenant=a%20b'".into(),
    }
}
