//! What the tests of whole audits share: options for the lab's user, and a look at a report by check.

#![allow(dead_code, clippy::allow_attributes, reason = "every test binary uses a part of it")]

use oaudit::discovery::Target;
use oaudit::front::SignIn;
use oaudit::front::choose::AgentName;
use oaudit::front::form::Credentials;
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::secret::Secret;
use oaudit::report::{CheckLine, Report, VerdictKind};
use oaudit::run::{Options, audit};
use oaudit::settings::{Route, Settings};

/// Signs in as the lab's users, without a person, and knows a tool of the lab that writes.
pub(crate) fn as_alice() -> Options {
    let call =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"oaudit"}}}"#;
    with_route("/mcp", call)
}

/// The same, and knows the route of the lab's API that writes.
pub(crate) fn as_alice_of_the_api() -> Options {
    with_route("/api/notes", r#"{"text":"oaudit"}"#)
}

fn with_route(path: &str, body: &str) -> Options {
    let route = Route {
        method: "POST".into(),
        path: path.into(),
        scope: "notes:write".into(),
        body: Some(body.into()),
        content_type: Some("application/json".into()),
    };
    let bob = Credentials { username: "bob".into(), password: Secret::new("looking-glass") };
    let other_user = SignIn { agent: AgentName::Form, credentials: Some(bob), ..SignIn::default() };
    let settings = Settings { routes: vec![route], ..Settings::default() };
    Options { settings, other_user: Some(other_user), ..as_somebody() }
}

/// Signs in as alice at a server of which nothing more is known.
pub(crate) fn as_somebody() -> Options {
    Options {
        sign_in: SignIn {
            agent: AgentName::Form,
            credentials: Some(Credentials { username: "alice".into(), password: Secret::new("wonderland") }),
            ..SignIn::default()
        },
        ..Options::default()
    }
}

/// A lab with these faults and quirks.
pub(crate) async fn lab(faults: &[&str], quirks: &[&str]) -> Lab {
    let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let options = LabOptions { faults: owned(faults), quirks: owned(quirks), ..LabOptions::default() };
    Lab::start(options).await.expect("the lab starts on a free port")
}

/// Audits a URL.
pub(crate) async fn audit_of(url: &str, options: Options) -> Report {
    audit(&Target::of(url), options).await.expect("the selection names checks")
}

/// The line of a check.
pub(crate) fn line<'a>(report: &'a Report, id: &str) -> &'a CheckLine {
    report.checks.iter().find(|c| c.id == id).unwrap_or_else(|| panic!("{id} is not in the report"))
}

/// The ids of the checks that failed at any level.
pub(crate) fn red(report: &Report) -> Vec<&'static str> {
    report.checks.iter().filter(|c| c.verdict == VerdictKind::Fail).map(|c| c.id).collect()
}

/// Every line that is not a pass, for a message.
pub(crate) fn trouble(report: &Report) -> String {
    let mut text = String::new();
    for c in report.checks.iter().filter(|c| c.verdict != VerdictKind::Pass) {
        text.push_str(&format!("  {:?} {} ({:?}): {}\n", c.result, c.id, c.level, c.message));
        for f in c.findings.iter().filter(|f| f.verdict != VerdictKind::Pass) {
            text.push_str(&format!("      {:?} {}: {}\n", f.verdict, f.what, f.message));
        }
    }
    if let Some(stopped) = &report.stopped {
        text.push_str(&format!("  stopped: {}\n", stopped.error));
    }
    text
}
