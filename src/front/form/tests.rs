//! Whole visits against a server of a few lines.

use axum::response::Response;

use super::super::small_server::{Seen, Small, page, redirect, typed, with};
use super::*;
use crate::front::Front;
use crate::oauth::answer::AuthorizationAnswer;

const PASSWORD: &str = "correct horse";
const LOGIN: &str = "<title>Sign in</title><form method=post action=/login><input type=hidden name=csrf value=tok-1>
    <input name=username required><input type=password name=password required><button>Sign in</button></form>";
const CONSENT: &str =
    "<title>Consent</title><form method=post action=/consent><input type=checkbox name=scope value=read>
    <button name=d value=deny>Deny</button><button name=d value=allow>Allow</button></form>";
const CALLBACK: &str = "http://127.0.0.1:8765/callback?code=the-code-1&state=OURSTATE";

/// Login by a `__Host-` cookie, consent once, then a code.
fn server(seen: &Seen) -> Response {
    let in_session = seen.cookie.contains("__Host-sid=g00d-Session");
    match seen.path.as_str() {
        "/authorize" if !in_session => redirect(302, "/login"),
        "/authorize" if seen.cookie.contains("agreed=1") => redirect(302, CALLBACK),
        "/authorize" => page(200, CONSENT),
        "/login" if seen.method == "GET" => with(page(200, LOGIN), "set-cookie", "__Host-pre=1; Secure; Path=/"),
        "/login"
            if seen.body == "csrf=tok-1&username=alice&password=correct+horse" && seen.cookie == "__Host-pre=1" =>
        {
            with(redirect(303, "/authorize"), "set-cookie", "__Host-sid=g00d-Session; Secure; HttpOnly; Path=/")
        }
        "/login" => {
            page(401, format!("<p class=error>No account with {}</p>{LOGIN}", seen.body.rsplit('=').next().unwrap()))
        }
        "/consent" if in_session && seen.body == "scope=read&d=allow" => {
            with(redirect(303, "/authorize"), "set-cookie", "agreed=1; Path=/")
        }
        _ => page(500, "not foreseen"),
    }
}

fn agent(password: &str) -> FormAgent {
    FormAgent::new(Some(Credentials { username: "alice".into(), password: Secret::new(password) }))
}

async fn visit(small: &Small, agent: &FormAgent, purpose: Purpose) -> Result<Landing, SignInError> {
    agent.visit(&small.wire, &small.request(), purpose).await
}

fn came_back(landing: Result<Landing, SignInError>) -> String {
    match landing.unwrap() {
        Landing::Returned(returned) => returned.url,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn login_and_consent_reach_the_code_and_the_session_stays() {
    let small = Small::serve(server).await;
    let agent = std::sync::Arc::new(agent(PASSWORD));
    let front = Front::new(agent.clone());
    let answer = front.visit(&small.wire, small.request(), Purpose::SignIn, "http://127.0.0.1/token").await.unwrap();
    assert!(matches!(answer, AuthorizationAnswer::Code(_)), "{answer:?}");
    let first = small.seen().len();
    assert_eq!(came_back(visit(&small, &agent, Purpose::Ordinary).await), CALLBACK);
    assert_eq!((small.seen().len(), agent.logins()), (first + 1, 1));
    // A stranger has no part in the session.
    let stranger = front.visit_as_stranger(&small.wire, small.request(), "http://127.0.0.1/token").await.unwrap();
    assert!(matches!(stranger, crate::front::Stranger::Asked(_, page) if page.kind == PageKind::Login));
    let ledger = format!("{:?}", small.wire.ledger().all());
    for secret in ["correct horse", "correct+horse", "g00d-Session", "the-code-1"] {
        assert!(!ledger.contains(secret), "{secret}");
    }
}

/// A guard before the server, or a server that wants a session first.
#[tokio::test]
async fn an_error_page_for_every_stranger_is_no_refusal() {
    let token = "http://127.0.0.1/token";
    let odd = |small: &Small| {
        let mut request = small.request();
        request.set("odd", "1");
        request
    };
    for (to_ordinary, lets_in) in [(403, false), (401, false), (200, true)] {
        let small = Small::serve(move |seen| match seen.query.contains("odd=1") {
            true => page(403, "<h1>Forbidden</h1>"),
            false => page(to_ordinary, "<h1>Welcome</h1>"),
        })
        .await;
        let front = Front::new(std::sync::Arc::new(agent(PASSWORD)));
        front.meet_strangers(&small.wire, small.request()).await;
        front.meet_strangers(&small.wire, small.request()).await;
        assert_eq!(small.seen().len(), 1, "the control is made once");
        let stranger = front.visit_as_stranger(&small.wire, odd(&small), token).await.unwrap();
        assert_eq!(matches!(stranger, crate::front::Stranger::Answered(_)), lets_in, "{to_ordinary}: {stranger:?}");
    }
}

#[tokio::test]
async fn the_login_page_again_is_a_wrong_password_and_the_password_is_not_quoted() {
    for password in ["wrongwrong", "abc"] {
        let small = Small::serve(server).await;
        match visit(&small, &agent(password), Purpose::SignIn).await {
            Err(SignInError::WrongPassword { says }) => {
                assert!(says.starts_with("No account with {password"), "{says}");
                assert!(!says.contains(password), "{says}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            small.seen().iter().filter(|s| s.method == "POST").count(),
            1,
            "one attempt, or the account is locked"
        );
    }
}

#[tokio::test]
async fn name_and_password_on_two_pages() {
    let small = Small::serve(|seen| match (seen.path.as_str(), seen.body.as_str()) {
        ("/authorize", "") => {
            page(200, "<form method=post><input type=email name=identifier><button>Next</button></form>")
        }
        ("/authorize", "identifier=alice") => page(
            200,
            "<p>alice</p><form method=post><input type=password name=pw><button name=b value=1>Next</button></form>",
        ),
        ("/authorize", "pw=correct+horse&b=1") => redirect(302, CALLBACK),
        _ => page(500, "not foreseen"),
    })
    .await;
    let agent = agent(PASSWORD);
    assert_eq!(came_back(visit(&small, &agent, Purpose::SignIn).await), CALLBACK);
    assert_eq!(agent.logins(), 1);
}

#[tokio::test]
async fn without_credentials_only_servers_that_ask_for_none() {
    let agent = FormAgent::new(None);
    let small = Small::serve(server).await;
    assert_eq!(visit(&small, &agent, Purpose::SignIn).await.unwrap_err(), SignInError::NobodyThere);
    let small =
        Small::serve(|seen| if seen.method == "POST" { redirect(302, CALLBACK) } else { page(200, CONSENT) }).await;
    assert_eq!(came_back(visit(&small, &agent, Purpose::SignIn).await), CALLBACK);
    assert_eq!(agent.logins(), 0);
}

#[tokio::test]
async fn what_cannot_be_filled_in_is_described_without_secrets() {
    let table = [
        ("<title>App</title><div id=root></div><script src=/app.js></script>", "no form, only scripts"),
        ("<title>Nothing</title><p>Hello", "it has no form"),
    ];
    for (html, seen) in table {
        let small = Small::serve(move |_| page(200, html)).await;
        let agent = agent(PASSWORD);
        match visit(&small, &agent, Purpose::Ordinary).await {
            Err(SignInError::NotUnderstood { what }) => {
                assert!(what.contains(seen) && what.contains(&format!("at {}/authorize (200)", small.base)), "{what}");
                assert!(!what.contains("OURSTATE"), "{what}");
            }
            other => panic!("{other:?}"),
        }
        let odd = visit(&small, &agent, Purpose::Odd).await.unwrap();
        assert!(matches!(odd, Landing::Page(page) if page.kind == PageKind::Unknown));
    }
}

#[tokio::test]
async fn the_same_page_again_and_again_comes_to_an_end() {
    let small = Small::serve(|_| page(200, CONSENT)).await;
    match visit(&small, &agent(PASSWORD), Purpose::Ordinary).await {
        Err(SignInError::NotUnderstood { what }) => assert!(what.contains("comes back"), "{what}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(small.seen().len(), 3);
}

#[tokio::test]
async fn an_error_page_is_an_answer_whatever_the_visit_is_for() {
    for purpose in [Purpose::SignIn, Purpose::Ordinary, Purpose::Odd] {
        let small = Small::serve(|_| typed(400, "application/json", r#"{"error":"invalid_scope"}"#)).await;
        let landing = visit(&small, &agent(PASSWORD), purpose).await.unwrap();
        assert!(matches!(landing, Landing::Page(page) if page.kind == PageKind::Error && page.says == "invalid_scope"));
    }
}

#[tokio::test]
async fn a_one_time_code_is_entered_after_the_password() {
    const CODE: &str = "<title>Second factor</title><form method=post action=/f><input name=otp required><button>Verify</button></form>";
    let small = Small::serve(|seen| match seen.path.as_str() {
        "/authorize" => page(200, LOGIN),
        "/login" => page(200, CODE),
        "/f" if seen.body.len() == "otp=123456".len() && seen.query.is_empty() => redirect(303, CALLBACK),
        _ => page(401, format!("<p class=error>Wrong code</p>{CODE}")),
    })
    .await;
    let credentials = Some(Credentials { username: "alice".into(), password: Secret::new(PASSWORD) });
    let without = FormAgent::new(credentials.clone());
    assert!(matches!(visit(&small, &without, Purpose::SignIn).await, Err(SignInError::CodeWanted)));
    assert!(matches!(visit(&small, &without, Purpose::Odd).await, Ok(Landing::Page(_))));
    let totp = crate::front::steps::Totp::read("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&period=300");
    let with = FormAgent::with(Means { credentials, totp: totp.ok().map(std::sync::Arc::new), ..Means::default() });
    assert_eq!(came_back(visit(&small, &with, Purpose::SignIn).await), CALLBACK);
    let ledger = format!("{:?}", small.wire.ledger().all());
    assert!(ledger.contains("otp={one_time_code 1}"), "{ledger}");
}

#[tokio::test]
async fn steps_are_done_from_page_to_page_and_a_failure_is_written_down() {
    use crate::front::diagnosis::Diagnosis;
    use crate::front::steps::{PlainPage, Script};
    let pages = r#"
        [[page]]
        match = "*/authorize"
        steps = [
            { fill = "label:Your name", with = "{username}" },
            { click = "text:Weiter" },
            { fill = "css:form input[type=password]", with = "{password}" },
            { press = "Enter" },
        ]
        [[page]]
        match = "*/consent"
        approve = [{ check = "name:all" }, { click = "id:ja" }]
        deny = [{ click = "id:nein" }]
    "#;
    #[derive(serde::Deserialize)]
    struct Written {
        page: Vec<PlainPage>,
    }
    let script = |text: &str| Script::read(&toml::from_str::<Written>(text).unwrap().page).unwrap();
    let answer = |seen: &Seen| match (seen.path.as_str(), seen.body.as_str()) {
        ("/authorize", _) => page(
            200,
            "<form method=post action=/2><label>Your name <input name=x></label><button>Weiter</button></form>",
        ),
        ("/2", "x=alice") => page(
            200,
            "<form method=post action=/3><input type=password name=y><button name=b value=1>Los</button></form>",
        ),
        ("/3", "y=correct+horse&b=1") => redirect(303, "/consent"),
        ("/consent", "") => page(
            200,
            "<form method=post action=/consent><input type=checkbox name=all><button id=nein name=d value=n>Nein</button><button id=ja name=d value=j>Ja</button></form>",
        ),
        ("/consent", "all=on&d=j") => redirect(303, CALLBACK),
        ("/consent", "d=n") => redirect(303, "http://127.0.0.1:8765/callback?error=access_denied&state=OURSTATE"),
        _ => page(500, "not foreseen"),
    };
    let credentials = || Some(Credentials { username: "alice".into(), password: Secret::new(PASSWORD) });
    let means = |text: &str, diagnosis| Means {
        credentials: credentials(),
        script: std::sync::Arc::new(script(text)),
        diagnosis,
        ..Means::default()
    };
    let small = Small::serve(answer).await;
    let agent = FormAgent::with(means(pages, Diagnosis::default()));
    assert_eq!(came_back(visit(&small, &agent, Purpose::SignIn).await), CALLBACK);
    assert_eq!(agent.logins(), 1);
    match agent.deny(&small.wire, &small.request()).unwrap().await.unwrap() {
        crate::front::Denial::Said(Landing::Returned(returned)) => {
            assert_eq!(returned.get("error"), Some("access_denied"))
        }
        other => panic!("{other:?}"),
    }
    // A step that cannot be done is named, and what was seen is written down without the password.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("login.txt");
    let wrong = pages.replace("id:ja", "id:oui");
    let agent = FormAgent::with(means(&wrong, Diagnosis::new(Some(file.clone()), None)));
    match visit(&small, &agent, Purpose::SignIn).await {
        Err(SignInError::NotUnderstood { what }) => {
            assert!(what.contains("the step \"click id:oui\" could not be done: there is no id:oui"), "{what}");
        }
        other => panic!("{other:?}"),
    }
    let written = std::fs::read_to_string(file).unwrap();
    assert!(written.contains("sends by its steps") && written.contains("buttons \"Nein\", \"Ja\""), "{written}");
    assert!(!written.contains(PASSWORD), "{written}");
    // What takes a browser is told before anything is sent.
    let before = small.seen().len();
    let agent = FormAgent::with(means(&pages.replace("id:ja", "xpath://button"), Diagnosis::default()));
    assert!(matches!(visit(&small, &agent, Purpose::SignIn).await, Err(SignInError::Unusable(..))));
    assert_eq!(small.seen().len(), before);
}

#[tokio::test]
async fn no_is_said_with_the_session_and_never_yes() {
    let small = Small::serve(|seen| match (seen.path.as_str(), seen.body.as_str()) {
        ("/authorize", _) => page(200, CONSENT),
        ("/consent", "d=deny") => redirect(303, "http://127.0.0.1:8765/callback?error=access_denied&state=OURSTATE"),
        _ => page(500, "not foreseen"),
    })
    .await;
    let denial = agent(PASSWORD).deny(&small.wire, &small.request()).unwrap().await.unwrap();
    assert!(matches!(denial, crate::front::Denial::Said(Landing::Returned(_))), "{denial:?}");
    let small = Small::serve(|_| page(200, "<form method=post><button>Allow</button></form>")).await;
    let denial = agent(PASSWORD).deny(&small.wire, &small.request()).unwrap().await.unwrap();
    assert!(matches!(denial, crate::front::Denial::NoWay(_)), "{denial:?}");
    let small = Small::serve(|_| redirect(302, CALLBACK)).await;
    let denial = agent(PASSWORD).deny(&small.wire, &small.request()).unwrap().await.unwrap();
    assert!(matches!(denial, crate::front::Denial::NotAsked(_)), "{denial:?}");
    assert_eq!(small.seen().len(), 1);
}
