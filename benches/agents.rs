//! Hops a second of the agents that sign in by themselves: authorization requests of one session, one after the other, at
//! the lab. `cargo bench --bench agents` runs it; times are printed, never asserted.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::sync::Arc;
use std::time::Instant;

use oaudit::front::form::{Credentials, FormAgent};
use oaudit::front::means::Means;
use oaudit::front::webdriver::{Settings, WebdriverAgent, installed};
use oaudit::front::{Agent, Landing, Purpose};
use oaudit::lab::{Lab, LabOptions};
use oaudit::oauth::client::{Client, ClientAuth, Origin};
use oaudit::oauth::pkce::Verifier;
use oaudit::oauth::request::AuthorizationRequest;
use oaudit::oauth::secret::Secret;
use oaudit::wire::{Guard, Wire, WireOptions};

/// Visits that are timed.
const HOPS: usize = 100;

#[tokio::main]
async fn main() {
    let credentials = Some(Credentials { username: "alice".into(), password: Secret::new("wonderland") });
    let means = || Means { credentials: credentials.clone(), ..Means::default() };
    time(&FormAgent::with(means())).await;
    match installed() {
        Some(_) => time(&WebdriverAgent::new(means(), Settings::default())).await,
        None => println!("webdriver: not run, neither chromedriver nor geckodriver is on PATH"),
    }
}

async fn time(agent: &dyn Agent) {
    let lab = Lab::start(LabOptions::default()).await.expect("the lab starts");
    let guard = Guard::default().naming(&lab.mcp());
    let wire = Wire::open(WireOptions { guard, ..WireOptions::default() }).expect("the wire opens");
    let began = Instant::now();
    visit(agent, &wire, &lab, 0, Purpose::SignIn).await;
    let sign_in = began.elapsed();
    let began = Instant::now();
    for n in 1..=HOPS {
        visit(agent, &wire, &lab, n, Purpose::Ordinary).await;
    }
    let took = began.elapsed().as_secs_f64();
    let (name, pace) = (agent.name(), HOPS as f64 / took);
    println!("{name}: sign-in {:.2} s, then {HOPS} hops in {took:.2} s, {pace:.1} a second", sign_in.as_secs_f64());
}

async fn visit(agent: &dyn Agent, wire: &Wire, lab: &Lab, n: usize, purpose: Purpose) {
    let redirect_uri = "http://127.0.0.1:4321/callback";
    let verifier = Verifier::random();
    let challenge = verifier.s256();
    let state = format!("state-{n}");
    let pairs = [
        ("response_type", "code"),
        ("client_id", "lab-public"),
        ("redirect_uri", redirect_uri),
        ("scope", "notes:read"),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let client = Client {
        id: "lab-public".into(),
        secret: None,
        auth: ClientAuth::None,
        signer: None,
        redirect_uri: redirect_uri.into(),
        https_redirect_uri: None,
        origin: Origin::Configured,
    };
    let request = AuthorizationRequest {
        what: "ordinary".into(),
        client: Arc::new(client),
        endpoint: format!("{}/authorize", lab.issuer()),
        parameters: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        verifier,
    };
    match agent.visit(wire, &request, purpose).await {
        Ok(Landing::Returned(returned)) if returned.get("code").is_some() => {}
        other => panic!("visit {n}: {other:?}"),
    }
}
