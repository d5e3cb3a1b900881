//! Answers that arrive where the address bar does not show them, or at somebody else's.

use oaudit::front::steps::Script;
use oaudit::registration::Configured;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::Options;

use crate::support::{as_alice, audit_of, lab, line, red, trouble};
use crate::{browser, only, verdicts, with_browser};

const FLOW: &str = "authorization/code-flow-works";
const PRIVATE: &str = "cursor://anysphere.cursor/cb";
/// What is said of a login form that arrived at a redirect URI.
const HANDED_ON: &str = "a form was posted to the redirect URI together with an answer in the query";

fn by_browser(options: Options) -> Options {
    with_browser(options, "wonderland", Script::default())
}

fn at(redirect_uri: &str, options: Options) -> Options {
    Options { redirect_uri: Some(redirect_uri.to_owned()), ..options }
}

/// A browser that was sent to another program asks a question first: the login after it must be made all the same.
#[tokio::test]
async fn a_scheme_of_another_program_is_seen_as_the_form_agent_sees_it() {
    if !browser("a_scheme_of_another_program_is_seen_as_the_form_agent_sees_it") {
        return;
    }
    let some = || {
        let mut options = at(PRIVATE, as_alice());
        options.selection.select = vec!["authorization/*".into(), "pkce/*".into()];
        options
    };
    let lab = lab(&[], &["private-scheme", "session-forgotten"]).await;
    let form = audit_of(&lab.mcp(), some()).await;
    let report = audit_of(&lab.mcp(), by_browser(some())).await;
    assert_eq!(line(&report, FLOW).verdict, VerdictKind::Pass, "{}", trouble(&report));
    assert_eq!(verdicts(&report), verdicts(&form), "{}\nform:\n{}", trouble(&report), trouble(&form));
    assert!(report.summary.logins > 3, "{} logins", report.summary.logins);
    // And a wrong password is one there as well.
    let wrong = with_browser(only(FLOW, at(PRIVATE, as_alice())), "looking-glass", Script::default());
    let stopped = audit_of(&lab.mcp(), wrong).await.stopped.expect("the audit stops");
    assert!(stopped.error.contains("the login page came back"), "{}", stopped.error);
}

fn says_handed_on(report: &Report) -> usize {
    report.remarks.iter().filter(|remark| remark.contains(HANDED_ON)).count()
}

#[tokio::test]
async fn a_login_form_that_is_handed_on_is_told_by_every_agent_that_signs_in() {
    let handed_on = lab(&[], &["login-307"]).await;
    let report = audit_of(&handed_on.mcp(), only(FLOW, as_alice())).await;
    let flow = line(&report, FLOW);
    assert_eq!(flow.verdict, VerdictKind::Inconclusive, "{}", trouble(&report));
    let says = "/login answered the login form with 307, which would hand the password on to another origin";
    assert!(flow.message.contains(says) && flow.message.contains("it was not followed"), "{}", flow.message);
    if !browser("a_login_form_that_is_handed_on_is_told_by_every_agent_that_signs_in") {
        return;
    }
    let scripted = lab(&[], &["login-307", "scripted-login"]).await;
    let sound = lab(&[], &[]).await;
    for (lab, times) in [(&handed_on, 1), (&scripted, 1), (&sound, 0)] {
        let report = audit_of(&lab.mcp(), by_browser(only(FLOW, as_alice()))).await;
        assert_eq!(line(&report, FLOW).verdict, VerdictKind::Pass, "{}", trouble(&report));
        assert_eq!(says_handed_on(&report), times, "{:?}", report.remarks);
        let written = serde_json::to_string(&report).unwrap();
        assert!(!written.contains("wonderland"), "the password is in the report");
    }
    // Two users meet it in a whole audit, and it is said once.
    let mut both = as_alice();
    both.selection.select = vec![FLOW.into(), "resource/session-bound-to-user".into()];
    let report = audit_of(&handed_on.mcp(), by_browser(both)).await;
    assert_eq!((says_handed_on(&report), report.summary.logins), (1, 2), "{:?}", report.remarks);
    // To somebody else's address as well, which the browser is kept from.
    let service = Configured { id: "lab-public".into(), secret: None, auth: None };
    let service = Options { client: Some(service), ..at(CHATGPT, as_alice()) };
    let report = audit_of(&handed_on.mcp(), by_browser(only(FLOW, service))).await;
    assert_eq!(line(&report, FLOW).verdict, VerdictKind::Pass, "{}", trouble(&report));
    assert_eq!(says_handed_on(&report), 1, "{:?}", report.remarks);
}

const CHATGPT: &str = "https://chatgpt.com/connector_platform_oauth_redirect";

#[tokio::test]
async fn a_client_of_somebody_elses_redirect_uri_is_audited_without_going_there() {
    if !browser("a_client_of_somebody_elses_redirect_uri_is_audited_without_going_there") {
        return;
    }
    let lab = lab(&[], &["scripted-login"]).await;
    let service = Configured { id: "lab-public".into(), secret: None, auth: None };
    let mut options = Options { client: Some(service), ..at(CHATGPT, as_alice()) };
    options.selection.select = vec!["authorization/*".into(), "code/*".into()];
    let report = audit_of(&lab.mcp(), by_browser(options)).await;
    assert!(report.stopped.is_none() && red(&report).is_empty(), "{}", trouble(&report));
    assert_eq!(line(&report, FLOW).verdict, VerdictKind::Pass, "{}", trouble(&report));
    assert_eq!((report.summary.inconclusive, lab.logins()), (0, 1), "{}", trouble(&report));
}
