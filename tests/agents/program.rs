//! This test binary as the program that the agent `command` starts, and visits to the server as a person makes them.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use oaudit::front::command::Program;
use oaudit::front::cookies::SessionFile;
use oaudit::front::form::{Credentials, FormAgent};
use oaudit::front::{Agent as _, Denial, Landing, Purpose, SignInError};
use oaudit::oauth::client::{Client, ClientAuth, Origin};
use oaudit::oauth::pkce::Verifier;
use oaudit::oauth::request::AuthorizationRequest;
use oaudit::oauth::secret::Secret;
use oaudit::wire::{Guard, Wire, WireOptions};
use serde_json::{Value, json};
use url::Url;

/// This binary as the program that signs in, by what it is to do.
pub(crate) fn program(act: &str) -> Program {
    let exe = std::env::current_exe().unwrap();
    let run = [
        "env",
        &format!("OAUDIT_TEST_ACT={act}"),
        exe.to_str().unwrap(),
        "--exact",
        "program::the_program",
        "--ignored",
        "--nocapture",
    ];
    Program { run: run.map(str::to_owned).to_vec(), limit: Duration::from_secs(60), username: Some("alice".into()) }
}

/// Not a test: what the agent `command` starts.
#[tokio::test]
#[ignore = "started by the agent command"]
async fn the_program() {
    let Ok(act) = std::env::var("OAUDIT_TEST_ACT") else { return };
    let mut asked = String::new();
    std::io::stdin().read_to_string(&mut asked).unwrap();
    let asked: Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(asked["username"], "alice");
    let answer = match act.as_str() {
        "callback" | "cookies" | "wrong" | "deny" => sign_in(&asked, &act).await,
        "stale" => {
            json!({"cookies": [{"name": "lab_session", "value": "of yesterday", "url": asked["authorize_url"]}]})
        }
        "hang" => {
            tokio::time::sleep(Duration::from_secs(50)).await;
            json!({})
        }
        _ => panic!("what is {act}?"),
    };
    // Only the last line is read: the harness talks as well.
    finish(&format!("\n{answer}"));
}

#[expect(
    clippy::print_stdout,
    clippy::exit,
    reason = "the answer of the program, after which the harness must not speak"
)]
fn finish(answer: &str) {
    println!("{answer}");
    std::process::exit(0)
}

/// Signs in through the forms, as a program of somebody's might with a browser.
async fn sign_in(asked: &Value, act: &str) -> Value {
    let password = if act == "wrong" { "looking-glass" } else { "wonderland" };
    let agent = FormAgent::new(Some(Credentials { username: "alice".into(), password: Secret::new(password) }));
    let url = asked["authorize_url"].as_str().unwrap();
    let landing = match act {
        "deny" => deny(&agent, url).await,
        _ => visit(&agent, url).await,
    };
    match landing {
        Ok(Landing::Returned(_)) if act == "cookies" => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("cookies.json");
            SessionFile::make(&path).unwrap().write(&agent.session().unwrap()).unwrap();
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
        }
        Ok(Landing::Returned(returned)) => json!({ "callback_url": returned.url }),
        Ok(Landing::Page(page)) => json!({ "page": format!("{} {}", page.status, page.says) }),
        Ok(Landing::NeverCameBack(why)) => json!({ "page": why }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// An authorization request of somebody else's, as its address says it.
fn request(url: &str) -> AuthorizationRequest {
    let url = Url::parse(url).unwrap();
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let redirect_uri = parameters.iter().find(|(name, _)| name == "redirect_uri").map(|(_, uri)| uri.clone());
    let client = Client {
        id: String::new(),
        secret: None,
        auth: ClientAuth::None,
        signer: None,
        redirect_uri: redirect_uri.unwrap_or_default(),
        https_redirect_uri: None,
        origin: Origin::Configured,
    };
    AuthorizationRequest {
        what: "as asked".into(),
        client: Arc::new(client),
        endpoint: url.as_str().split('?').next().unwrap().to_owned(),
        parameters,
        verifier: Verifier::random(),
    }
}

fn wire(url: &str) -> Wire {
    let guard = Guard::default().naming(url);
    Wire::open(WireOptions { guard, ..WireOptions::default() }).unwrap()
}

/// Opens an address as a browser would, signs in and says yes.
pub(crate) async fn visit(agent: &FormAgent, url: &str) -> Result<Landing, SignInError> {
    agent.visit(&wire(url), &request(url), Purpose::Odd).await
}

/// The same, and says no.
pub(crate) async fn deny(agent: &FormAgent, url: &str) -> Result<Landing, SignInError> {
    match agent.deny(&wire(url), &request(url)).unwrap().await? {
        Denial::Said(landing) | Denial::NotAsked(landing) => Ok(landing),
        Denial::NoWay(page) => Ok(Landing::Page(page)),
    }
}
