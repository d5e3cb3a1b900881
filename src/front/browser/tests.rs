//! The browser is played: by plain requests over the loopback where it answers, by nobody where it is silent.

use std::sync::Mutex;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::front::listener::Clocks;
use crate::front::listener::tests::{ask, get, quick};
use crate::oauth::pkce::Verifier;
use crate::oauth::request::tests::client;
use crate::wire::WireOptions;

/// What the person was told.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(crate) fn all(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

pub(crate) fn heard() -> (Heard, Say) {
    let heard = Heard::default();
    let ear = heard.clone();
    (heard, Arc::new(move |text: &str| ear.0.lock().unwrap().push(text.to_owned())))
}

pub(crate) fn wire() -> Wire {
    Wire::open(WireOptions::default()).unwrap()
}

pub(crate) fn request(state: &str) -> AuthorizationRequest {
    AuthorizationRequest {
        what: "ordinary".into(),
        client: Arc::new(client()),
        endpoint: "http://127.0.0.1:9/authorize".into(),
        parameters: vec![("state".into(), state.into())],
        verifier: Verifier::random(),
    }
}

pub(super) struct Desk {
    pub(super) agent: BrowserAgent,
    pub(super) listener: Arc<Listener>,
    pub(super) heard: Heard,
    wire: Wire,
}

/// The agent, and the addresses that it opens.
pub(super) fn desk(clocks: Clocks) -> (Desk, mpsc::UnboundedReceiver<String>) {
    let listener = Arc::new(Listener::bind_with(None, clocks).unwrap());
    let (told, opened) = mpsc::unbounded_channel();
    let opener: Opener = Arc::new(move |page| told.send(page.to_owned()).map_err(io::Error::other));
    let (heard, say) = heard();
    let agent = BrowserAgent::with_opener(Arc::clone(&listener), Some(opener), say);
    (Desk { agent, listener, heard, wire: wire() }, opened)
}

impl Desk {
    pub(super) async fn visit(&self, state: &str, purpose: Purpose) -> Result<Landing, SignInError> {
        self.agent.visit(&self.wire, &request(state), purpose).await
    }

    /// The page takes the hop, and the server sends the browser back with this query.
    async fn play(&self, href: Option<&str>, query: &str) -> String {
        let port = self.listener.port();
        let mut href = href.map(str::to_owned);
        let next = loop {
            let reply = ask(port, href.take().as_deref()).await;
            if let Some(next) = reply["next"].as_str() {
                break next.to_owned();
            }
        };
        get(port, &format!("/callback?{query}")).await;
        next
    }
}

fn code(landing: Result<Landing, SignInError>) -> String {
    match landing {
        Ok(Landing::Returned(returned)) => {
            assert_eq!(returned.exchange, None);
            returned.get("code").unwrap_or_default().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_window_is_opened_and_makes_the_later_visits() {
    let (desk, mut opened) = desk(quick());
    let start = desk.listener.start_page();
    let (landing, next) =
        tokio::join!(desk.visit("s1", Purpose::SignIn), desk.play(Some(&start), "code=Code0001&state=s1"));
    assert_eq!(code(landing), "Code0001");
    assert_eq!(next, "http://127.0.0.1:9/authorize?state=s1");
    assert_eq!(opened.recv().await.unwrap(), start);
    assert!(desk.heard.all().contains(&start));
    for n in 2..=4 {
        let (state, query) = (format!("s{n}"), format!("code=Code000{n}&state=s{n}"));
        let (landing, _) = tokio::join!(desk.visit(&state, Purpose::Ordinary), desk.play(None, &query));
        assert_eq!(code(landing), format!("Code000{n}"));
    }
    assert!(opened.try_recv().is_err(), "one window is enough");
    assert_eq!(desk.agent.logins(), 1);
    assert_eq!(desk.wire.vault().redact("Code0001 Code0004"), "{code 1} {code 4}");
}

#[tokio::test]
async fn a_window_that_is_gone_is_replaced() {
    let (desk, mut opened) = desk(quick());
    let start = desk.listener.start_page();
    let (landing, _) =
        tokio::join!(desk.visit("s1", Purpose::SignIn), desk.play(Some(&start), "code=Code0001&state=s1"));
    code(landing);
    opened.recv().await.unwrap();
    let (landing, _) = tokio::join!(desk.visit("s2", Purpose::Ordinary), async {
        assert_eq!(opened.recv().await.unwrap(), start);
        assert!(get(desk.listener.port(), "/window").await.contains("authorize?state=s2"));
        desk.play(Some(&start), "code=Code0002&state=s2").await
    });
    assert_eq!(code(landing), "Code0002");
    assert!(desk.heard.all().contains("The cockpit is closed"));
}

#[tokio::test]
async fn an_answer_without_the_state_is_not_waited_past() {
    let (desk, _opened) = desk(quick());
    let there = format!("{}?code=Code0001", desk.listener.redirect_uri());
    let (landing, _) = tokio::join!(desk.visit("s1", Purpose::SignIn), async {
        desk.play(None, "code=Code0001").await;
        // The script of the page on which the window ended; it may not be there any more when it is answered.
        timeout(Duration::from_secs(1), ask(desk.listener.port(), Some(&there))).await
    });
    assert!(matches!(landing, Ok(Landing::NeverCameBack(why)) if why.contains("without the state")));
    assert_eq!(desk.agent.logins(), 0);
}

#[tokio::test]
async fn the_true_answer_soon_after_a_strangers_counts() {
    let (desk, _opened) = desk(Clocks { stray: Duration::from_secs(5), ..quick() });
    let (landing, ()) = tokio::join!(desk.visit("s2", Purpose::SignIn), async {
        desk.play(None, "code=Stranger1&state=guess").await;
        let there = format!("{}?code=Stranger1&state=guess", desk.listener.redirect_uri());
        ask(desk.listener.port(), Some(&there)).await;
        get(desk.listener.port(), "/callback?code=Code0002&state=s2").await;
    });
    assert_eq!(code(landing), "Code0002");
}

#[tokio::test]
async fn a_request_that_no_window_made_ends_no_visit() {
    let (desk, _opened) = desk(quick());
    let (landing, ()) = tokio::join!(desk.visit("s1", Purpose::SignIn), async {
        desk.play(None, "code=Stranger1&state=guess").await;
        get(desk.listener.port(), "/callback?code=Stranger2").await;
        sleep(desk.listener.clocks().stray * 3).await;
        get(desk.listener.port(), "/callback?code=Code0001&state=s1").await;
    });
    assert_eq!(code(landing), "Code0001");
}

/// The hop is taken, and nothing comes back: no request is played, so that the clock can be paused.
async fn silent(desk: &Desk, purpose: Purpose) -> (Result<Landing, SignInError>, Duration) {
    let began = tokio::time::Instant::now();
    let landing = tokio::join!(desk.visit("s1", purpose), async {
        tokio::task::yield_now().await;
        desk.listener.take_hop();
    });
    (landing.0, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_is_given_ten_minutes_and_a_reminder() {
    let (desk, _opened) = desk(Clocks::default());
    let (landing, took) = silent(&desk, Purpose::SignIn).await;
    assert_eq!(landing.unwrap_err(), SignInError::Abandoned(10));
    assert_eq!(took.as_secs(), 600);
    let port = desk.listener.port();
    assert!(desk.heard.all().contains(&format!("ssh -L {port}:127.0.0.1:{port}")));
    assert!(desk.heard.all().contains("5 minutes are left"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_ordinary_visit_means_that_the_server_asks_again() {
    let (desk, _opened) = desk(Clocks::default());
    let (landing, took) = silent(&desk, Purpose::Ordinary).await;
    assert_eq!(landing.unwrap_err(), SignInError::Abandoned(5));
    assert_eq!(took.as_secs(), 300);
    assert!(desk.heard.all().contains("asks again"));
}

/// It was allowed once, and the sign-in was that: the window asks, and nobody is told to answer.
#[tokio::test(start_paused = true)]
async fn what_would_ask_more_often_than_is_allowed_ends() {
    let (desk, _opened) = desk(Clocks::default());
    desk.agent.may_ask(1);
    let (landing, _) = silent(&desk, Purpose::SignIn).await;
    assert_eq!((landing.unwrap_err(), desk.agent.prompts()), (SignInError::Abandoned(10), 1));
    let (landing, took) = silent(&desk, Purpose::Ordinary).await;
    assert_eq!((landing.unwrap_err(), desk.agent.prompts()), (SignInError::BudgetSpent(1), 2));
    assert!(took < Duration::from_secs(60) && !desk.heard.all().contains("asks again"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_odd_visit_ended_on_a_page_of_the_server() {
    let (desk, _opened) = desk(Clocks::default());
    let (landing, took) = silent(&desk, Purpose::Odd).await;
    assert!(matches!(landing, Ok(Landing::NeverCameBack(why)) if why.contains("stayed on a page of the server")));
    assert_eq!(took.as_secs(), 8);
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_but_to_the_web() {
    let (desk, mut opened) = desk(quick());
    let mut request = request("s1");
    request.endpoint = "javascript:alert(1)//".into();
    let refused = desk.agent.visit(&desk.wire, &request, Purpose::SignIn).await;
    assert!(matches!(refused, Err(SignInError::Unusable(..))));
    assert!(opened.try_recv().is_err());
}

#[tokio::test]
async fn an_opener_that_fails_is_spoken_of() {
    let listener = Listener::bind_with(None, quick()).unwrap();
    let (heard, say) = heard();
    let opener: Opener = Arc::new(|_| Err(io::Error::other("none here")));
    let agent = BrowserAgent::with_opener(listener, Some(opener), say);
    let (wire, request) = (wire(), request("s1"));
    let visit = agent.visit(&wire, &request, Purpose::SignIn);
    assert!(timeout(Duration::from_millis(200), visit).await.is_err());
    assert!(heard.all().contains("none here"));
}
