//! Every agent that signs in otherwise, at a sound lab and where something goes wrong: the verdict, or the one message.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]

#[path = "../support/mod.rs"]
mod support;

mod codes;
mod person;
mod program;
mod table;

use std::sync::Arc;
use std::time::Duration;

use oaudit::check::{Impact, Reach};
use oaudit::discovery::Target;
use oaudit::front::choose::AgentName;
use oaudit::front::command::Program;
use oaudit::front::cookies::SavedSession;
use oaudit::front::form::{Credentials, FormAgent};
use oaudit::front::supplied::SuppliedTokens;
use oaudit::front::{Agent, Landing, Purpose, SignIn};
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::client::{Client, ClientAuth, Origin};
use oaudit::oauth::pkce::Verifier;
use oaudit::oauth::request::AuthorizationRequest;
use oaudit::oauth::secret::Secret;
use oaudit::plan::Selection;
use oaudit::registration::Configured;
use oaudit::report::{Report, VerdictKind};
use oaudit::run::{Options, login};
use oaudit::wire::{Guard, Wire, WireOptions};
use program::program;
use serde_json::{Value, json};
use support::{as_alice, audit_of, lab, line, red, trouble};

/// Checks of several stages that sign in more often than the lab's short session lasts.
const SOME: [&str; 4] = ["pkce/*", "code/*", "refresh/*", "redirect_uri/*"];

fn some() -> Selection {
    Selection { select: SOME.map(str::to_owned).to_vec(), ..Selection::default() }
}

fn by(sign_in: SignIn) -> Options {
    Options { sign_in, selection: some(), ..as_alice() }
}

fn by_command(act: &str) -> Options {
    by(SignIn { command: Some(program(act)), ..SignIn::default() })
}

/// A session as `oaudit login` would keep it.
async fn session_of(lab: &Lab) -> SavedSession {
    login::login(&Target::of(lab.mcp()), as_alice()).await.unwrap_or_else(|stopped| panic!("{}", stopped.error))
}

fn by_session(session: SavedSession) -> Options {
    by(SignIn { session: Some(session), ..SignIn::default() })
}

fn bad(report: &Report) -> Vec<&'static str> {
    let bad = [VerdictKind::Fail, VerdictKind::Inconclusive];
    report.checks.iter().filter(|c| bad.contains(&c.verdict)).map(|c| c.id).collect()
}

fn stopped(report: &Report) -> &str {
    report.stopped.as_ref().map_or("", |s| s.error.as_str())
}

#[tokio::test]
async fn at_a_sound_lab_every_agent_gives_the_verdicts_of_the_form_agent() {
    for quirk in [&[][..], &["consent-every-time"][..]] {
        let lab = lab(&[], quirk).await;
        let by_form = audit_of(&lab.mcp(), Options { selection: some(), ..as_alice() }).await;
        let verdicts = |report: &Report| report.checks.iter().map(|c| (c.id, c.verdict)).collect::<Vec<_>>();
        let agents = [("cookies", by_command("cookies")), ("session", by_session(session_of(&lab).await))];
        for (name, options) in agents {
            let report = audit_of(&lab.mcp(), options).await;
            assert_eq!(verdicts(&report), verdicts(&by_form), "{name} {quirk:?}: {}", trouble(&report));
            assert!(bad(&report).is_empty(), "{name} {quirk:?}: {}", trouble(&report));
        }
        // A program that answers with the callback sees no pages: what ends there is not found out, and never green.
        let report = audit_of(&lab.mcp(), by_command("callback")).await;
        assert!(red(&report).is_empty(), "{quirk:?}: {}", trouble(&report));
        assert_eq!(line(&report, "code/single-use").verdict, VerdictKind::Pass, "{}", trouble(&report));
        assert_eq!(report.sign_in.agent.as_deref(), Some("command"));
    }
}

#[tokio::test]
async fn who_cannot_sign_in_gets_one_message() {
    let lab = lab(&[], &[]).await;
    let dead = SavedSession::of(&json!([{"name": "lab_session", "value": "dead", "url": lab.issuer()}])).unwrap();
    let hanging = Program { limit: Duration::from_secs(1), ..program("hang") };
    let missing = Program::parse("/no/such/program --x").unwrap();
    let failing = Program::parse("sh -c 'echo no passkey here >&2; exit 7'").unwrap();
    let silent = Program::parse("true").unwrap();
    let command = |program| by(SignIn { command: Some(program), ..SignIn::default() });
    for (options, says) in [
        (by_command("wrong"), "could not sign in: the login page came back"),
        (by_command("stale"), "handed over cookies, but the server shows its login page"),
        (command(hanging), "did not answer within 1 s"),
        (command(missing), "/no/such/program, could not be started"),
        (command(failing), "ended with exit code 7 (\"no passkey here\")"),
        (command(silent), "wrote nothing to standard output"),
        (by_session(dead), "the saved session is not signed in any more"),
        (by(SignIn { agent: AgentName::Session, ..SignIn::default() }), "--agent session needs --session FILE"),
        (by(SignIn { agent: AgentName::Command, ..SignIn::default() }), "--agent command needs --login-command"),
        (by(SignIn::default()), "needs a person or credentials, and there is neither"),
    ] {
        let report = audit_of(&lab.mcp(), options).await;
        assert!(stopped(&report).contains(says), "{says}: {}", stopped(&report));
        assert_eq!(report.summary.exit_code, 4, "{says}");
        assert!(!report.stopped.as_ref().unwrap().hint.is_empty(), "{says}");
    }
}

#[tokio::test]
async fn a_session_that_ends_meanwhile_is_renewed_or_told_once() {
    let lab = lab(&[], &["session-ends"]).await;
    let report = audit_of(&lab.mcp(), by_session(session_of(&lab).await)).await;
    assert!(red(&report).is_empty(), "{}", trouble(&report));
    let lost: Vec<_> = report.checks.iter().filter(|c| c.verdict == VerdictKind::Inconclusive).collect();
    assert!(!lost.is_empty());
    assert!(lost.iter().any(|c| c.message.contains("the saved session has ended meanwhile")), "{}", trouble(&report));
    let told: Vec<_> = report.remarks.iter().filter(|r| r.contains("session ended while the audit ran")).collect();
    assert_eq!(told.len(), 1, "{:?}", report.remarks);
    assert_eq!(report.summary.exit_code, 3);
    // Who can sign in again does.
    let report = audit_of(&lab.mcp(), by_command("cookies")).await;
    assert!(bad(&report).is_empty() && report.summary.logins > 1, "{}", trouble(&report));
    let forgetful = support::lab(&[], &["session-forgotten"]).await;
    let report = audit_of(&forgetful.mcp(), by_session(session_of(&forgetful).await)).await;
    assert!(stopped(&report).contains("the saved session is not signed in any more"), "{}", stopped(&report));
}

/// Tokens as somebody else got them, who does not have them revoked.
async fn tokens_of(lab: &Lab, id: &str) -> (Secret, Secret) {
    // The example of RFC 7636 appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let (redirect_uri, mcp) = ("http://127.0.0.1/callback", lab.mcp());
    let client = Client {
        id: id.into(),
        secret: None,
        auth: ClientAuth::None,
        signer: None,
        redirect_uri: redirect_uri.into(),
        https_redirect_uri: None,
        origin: Origin::Configured,
    };
    let parameters = [
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", redirect_uri),
        ("scope", "notes:read notes:write"),
        ("state", "a-state-of-the-test"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
        ("resource", &mcp),
    ];
    let request = AuthorizationRequest {
        what: "as asked".into(),
        client: Arc::new(client.clone()),
        endpoint: format!("{}/authorize", lab.issuer()),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        verifier: Verifier::random(),
    };
    let guard = Guard::default().naming(&mcp);
    let wire = Wire::open(WireOptions { guard, ..WireOptions::default() }).unwrap();
    let agent = FormAgent::new(Some(Credentials { username: "alice".into(), password: Secret::new("wonderland") }));
    let landing = agent.visit(&wire, &request, Purpose::SignIn).await.unwrap();
    let Landing::Returned(returned) = landing else { panic!("no callback, but {landing:?}") };
    let form = [
        ("grant_type", "authorization_code"),
        ("code", returned.get("code").unwrap()),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
        ("resource", &mcp),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let answer = wire.send(client.form(&format!("{}/token", lab.issuer()), form)).await.unwrap().json().unwrap();
    let token = |name: &str| Secret::new(answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")));
    (token("access_token"), token("refresh_token"))
}

fn by_tokens(access: Option<&Secret>, refresh: Option<&Secret>, client: Option<&str>) -> Options {
    let tokens = Some(SuppliedTokens { access: access.cloned(), refresh: refresh.cloned() });
    Options {
        client: client.map(|id| Configured { id: id.into(), secret: None, auth: None }),
        sign_in: SignIn { agent: AgentName::Token, tokens, ..SignIn::default() },
        ..as_alice()
    }
}

#[tokio::test]
async fn supplied_tokens_decide_what_they_can_and_the_rest_is_not_run() {
    let lab = Lab::start(LabOptions::default()).await.unwrap();
    let (access, refresh) = tokens_of(&lab, "lab-public").await;
    let report = audit_of(&lab.mcp(), by_tokens(Some(&access), None, None)).await;
    assert!(bad(&report).is_empty(), "{}", trouble(&report));
    for id in ["resource/tampered-token-refused", "resource/alg-none-refused", "access_token/jwt-verifies"] {
        assert_eq!(line(&report, id).verdict, VerdictKind::Pass, "{id}: {}", trouble(&report));
    }
    for id in ["refresh/works", "pkce/required", "authorization/code-flow-works", "token/error-codes"] {
        let line = line(&report, id);
        assert!(line.verdict == VerdictKind::NotRun && line.how_to_run.is_some(), "{id}: {}", trouble(&report));
    }
    assert_eq!((report.summary.logins, report.summary.authorizations, report.summary.exit_code), (0, 0, 0));
    let shown = serde_json::to_string(&report).unwrap();
    assert!(!shown.contains(access.expose()) && !shown.contains(refresh.expose()));

    let report = audit_of(&lab.mcp(), by_tokens(Some(&access), Some(&refresh), Some("lab-public"))).await;
    assert!(bad(&report).is_empty(), "{}", trouble(&report));
    for id in ["refresh/works", "refresh/rotated", "refresh/old-token-refused", "resource/tampered-token-refused"] {
        assert_eq!(line(&report, id).verdict, VerdictKind::Pass, "{id}: {}", trouble(&report));
    }
    // That run ended the grant.
    let report = audit_of(&lab.mcp(), by_tokens(None, Some(&refresh), Some("lab-public"))).await;
    assert!(stopped(&report).contains("the refresh token that was supplied is refused with 400 invalid_grant"));
    let report = audit_of(&lab.mcp(), by_tokens(Some(&Secret::new("x.y.z")), None, None)).await;
    assert!(stopped(&report).contains("the resource answers 401 to the access token"), "{}", stopped(&report));
    assert_eq!(report.summary.exit_code, 4);
}

#[tokio::test]
async fn supplied_tokens_find_what_is_wrong() {
    for (fault, id) in [("no-rotation", "refresh/rotated"), ("bad-token-500", "resource/bad-token-401-not-500")] {
        let lab = lab(&[fault], &[]).await;
        let (access, refresh) = tokens_of(&lab, "lab-public").await;
        let report = audit_of(&lab.mcp(), by_tokens(Some(&access), Some(&refresh), Some("lab-public"))).await;
        assert_eq!(red(&report), [id], "{fault}: {}", trouble(&report));
    }
}

#[tokio::test]
async fn login_keeps_a_session_that_only_its_owner_can_read_and_leaves_no_client() {
    let lab = lab(&[], &[]).await;
    let session = session_of(&lab).await;
    assert!(session.cookies.iter().any(|c| c.name == "lab_session"));
    assert!(lab.registered_clients().is_empty(), "the client of the sign-in is deleted");
    let wrong = SignIn {
        credentials: Some(Credentials { username: "alice".into(), password: Secret::new("no") }),
        ..SignIn::default()
    };
    let failed = login::login(&Target::of(lab.mcp()), by(wrong)).await.unwrap_err();
    assert!(failed.error.contains("login page came back"), "{}", failed.error);
    let browser = SignIn { agent: AgentName::Browser, no_open: true, ..SignIn::default() };
    let blind = login::login(&Target::of(lab.mcp()), by(browser)).await.unwrap_err();
    assert!(blind.error.contains("its cookies cannot be seen"), "{}", blind.error);
}

/// Clients of other kinds than a public one that registers itself.
#[tokio::test]
async fn clients_of_every_kind() {
    let lab = lab(&[], &["metadata-documents"]).await;
    let options = |options: Options| Options { selection: some(), ..options };
    // A document is a client where the server says so, and nowhere else.
    let document = || Options { client_metadata_url: Some("https://client.lab.test/oaudit.json".into()), ..as_alice() };
    let report = audit_of(&lab.mcp(), options(document())).await;
    assert!(bad(&report).is_empty(), "{}", trouble(&report));
    assert_eq!(report.sign_in.registration.as_deref(), Some("metadata document, none"));
    let plain = support::lab(&[], &[]).await;
    let report = audit_of(&plain.mcp(), document()).await;
    assert!(stopped(&report).contains("client_id_metadata_document_supported"), "{}", stopped(&report));
    // A redirect URI that is not ours: the code is read from the redirect, which is not followed.
    let chatgpt = "https://chatgpt.com/connector_platform_oauth_redirect";
    let configured = |id: &str| Some(Configured { id: id.into(), secret: None, auth: None });
    let foreign = Options { client: configured("lab-public"), redirect_uri: Some(chatgpt.into()), ..as_alice() };
    let report = audit_of(&lab.mcp(), options(foreign)).await;
    assert!(bad(&report).is_empty(), "{}", trouble(&report));
    assert!(report.exchanges.iter().all(|e| e.request.url.starts_with(&lab.issuer())));
    let registering = Options { redirect_uri: Some(chatgpt.into()), ..as_alice() };
    let report = audit_of(&lab.mcp(), options(registering)).await;
    assert!(bad(&report).is_empty(), "{}", trouble(&report));
    assert!(report.exchanges.iter().all(|e| e.request.url.starts_with(&lab.issuer())));
    // A secret that nobody asked for is shown wherever the client shows who it is.
    let unasked = support::lab(&[], &["secret-unasked"]).await;
    let report = audit_of(&unasked.mcp(), options(as_alice())).await;
    assert!(bad(&report).is_empty(), "{}", trouble(&report));
    assert_eq!(report.sign_in.registration.as_deref(), Some("dynamic, client_secret_basic"));
    assert!(unasked.registered_clients().is_empty(), "what was registered is deleted");
    // A confidential client that is configured, and one that the audit is made as.
    let secret = || Some(Secret::new("lab-confidential-secret-0123456789"));
    let confidential = || Some(Configured { id: "lab-confidential".into(), secret: secret(), auth: None });
    let quiet = support::lab(&[], &["no-registration"]).await;
    let beside = Options { client: configured("lab-public"), confidential_client: confidential(), ..as_alice() };
    let alone = Options { client: confidential(), ..as_alice() };
    let select = ["token/secret-required", "refresh/client-auth-required", "pkce/required"];
    for given in [beside, alone] {
        let selection = Selection { select: select.map(str::to_owned).to_vec(), ..Selection::default() };
        let report = audit_of(&quiet.mcp(), Options { selection, ..given }).await;
        for id in select {
            assert_eq!(line(&report, id).verdict, VerdictKind::Pass, "{id}: {}", trouble(&report));
        }
        let basic = line(&report, "token/secret-required").findings.iter().any(|f| f.what.contains("HTTP Basic"));
        assert!(basic, "the lab's client uses Basic");
    }
    let without = Options { client: configured("lab-public"), ..as_alice() };
    let report = audit_of(&quiet.mcp(), without).await;
    let line = line(&report, "token/secret-required");
    assert!(line.verdict == VerdictKind::NotRun && line.how_to_run.as_deref().unwrap().contains("--confidential"));
}

/// The plan tells no less than the run does, and not much more.
#[tokio::test]
async fn what_is_foreseen_is_what_happens() {
    let lab = lab(&[], &[]).await;
    let told = oaudit::run::foresee::foresee(&Target::of(lab.mcp()), as_alice()).await.unwrap();
    let told = told.unwrap_or_else(|stopped| panic!("{}", stopped.error));
    assert_eq!((lab.logins(), lab.registered_clients().len()), (0, 0), "a plan does nothing");
    let report = audit_of(&lab.mcp(), as_alice()).await;
    let (made, sent) = (report.summary.authorizations, usize::try_from(report.summary.requests).unwrap());
    let foreseen = told.requests.total();
    assert!(told.authorizations >= made, "{} authorizations were told, {made} made", told.authorizations);
    assert!(
        foreseen * 2 > sent && foreseen < sent * 2,
        "{foreseen} requests were told, {sent} sent: {:?}",
        told.requests
    );
    let planned: usize = told.stages.iter().map(|s| s.checks.len()).sum();
    assert_eq!(planned + told.not_run.len(), report.checks.len());
    assert!(
        told.stages.iter().flat_map(|s| &s.checks).any(|c| c.impact == Impact::Critical && c.reach == Reach::Grant)
    );
}

/// The binary, with nothing in its environment but this.
async fn oaudit(arguments: &[&str], environment: &[(&str, &str)]) -> std::process::Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_oaudit"));
    command.args(arguments).env_clear().envs(environment.iter().copied()).stdin(std::process::Stdio::null());
    command.output().await.unwrap()
}

#[tokio::test]
async fn the_binary_logs_in_once_and_goes_on_with_the_session() {
    use std::os::unix::fs::PermissionsExt;
    let lab = lab(&[], &[]).await;
    let (folder, target) = (tempfile::tempdir().unwrap(), lab.mcp());
    let file = folder.path().join("session.json");
    let path = file.to_str().unwrap();
    let stderr = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let alice = ["login", &target, "--save", path, "--username", "alice"];
    let wrong = oaudit(&alice, &[("OAUDIT_PASSWORD", "looking-glass")]).await;
    assert_eq!(wrong.status.code(), Some(4), "{}", stderr(&wrong));
    assert!(stderr(&wrong).contains("login page came back") && !file.exists());
    let right = oaudit(&alice, &[("OAUDIT_PASSWORD", "wonderland")]).await;
    assert!(right.status.success() && right.stdout.is_empty(), "{}", stderr(&right));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let select = ["--select", "code/single-use", "--format", "json"];
    let audit = [&["audit", &target, "--session", path][..], &select].concat();
    let report: Value = serde_json::from_slice(&oaudit(&audit, &[]).await.stdout).unwrap();
    assert_eq!(report["checks"][0]["verdict"], "pass", "{report}");
    assert_eq!((&report["summary"]["logins"], &report["sign_in"]["agent"]), (&json!(0), &json!("session")));
    let saved: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let session = saved["cookies"].as_array().unwrap().iter().find(|c| c["name"] == "lab_session").unwrap();
    assert!(!report.to_string().contains(session["value"].as_str().unwrap()), "the report holds no cookie");
    // Without anything, it ends at once.
    let nobody = oaudit(&[&["audit", &target][..], &select].concat(), &[]).await;
    assert_eq!(nobody.status.code(), Some(4));
    for (more, says) in [
        (&["--agent", "session"][..], "needs the file of a session"),
        (&["--session", "/no/such"], "cannot be read"),
        (&["--agent", "token"], "neither OAUDIT_ACCESS_TOKEN nor OAUDIT_REFRESH_TOKEN"),
        (&["--access-token-env", "NOPE"], "NOPE is not set"),
        (&["--client-metadata-url", "https://a.example/"], "https address with a path"),
        (&["--client-id", "x", "--client-auth", "private_key_jwt"], "needs a private key"),
    ] {
        let output = oaudit(&[&["audit", &target][..], more].concat(), &[]).await;
        assert!(output.status.code() == Some(2) && stderr(&output).contains(says), "{says}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn the_binary_tells_its_plan_and_does_nothing() {
    let lab = lab(&[], &[]).await;
    let target = lab.mcp();
    let output = oaudit(&["plan", &target, "--agent", "paste", "--max-prompts", "10", "--format", "json"], &[]).await;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["agent"], "paste");
    assert!(told["prompts"]["at_most"].as_u64().unwrap() <= 10, "{}", told["prompts"]);
    assert!(
        told["not_run"].as_array().unwrap().iter().any(|l| l["why"].as_str().unwrap().contains("--max-prompts 10"))
    );
    for command in ["plan", "audit"] {
        let home = tempfile::tempdir().unwrap();
        let home = [("HOME", home.path().to_str().unwrap())];
        let output = oaudit(&[command, &target, "--agent", "paste", "--max-prompts", "2"], &home).await;
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("asks 3 times before there is anything to check, and --max-prompts allows 2"), "{said}");
    }
    let output = oaudit(&["plan", &target, "--username", "alice"], &[("OAUDIT_PASSWORD", "x")]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    for part in
        ["signs in by: form", "a person is asked: 0 times", "spoiled at the server", "odd authorization requests"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((lab.logins(), lab.registered_clients().len()), (0, 0));
}
