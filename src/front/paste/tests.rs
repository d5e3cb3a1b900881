//! The person at the terminal is the other end of a pipe.

use tokio::io::{AsyncWriteExt, BufReader, DuplexStream, duplex};

use super::*;
use crate::front::browser::tests::{Heard, heard, request, wire};
use crate::front::listener::tests::{get, quick};

struct Desk {
    agent: PasteAgent,
    listener: Arc<Listener>,
    person: DuplexStream,
    heard: Heard,
    wire: Wire,
}

fn desk() -> Desk {
    let (person, terminal) = duplex(4096);
    let (heard, say) = heard();
    let listener = Arc::new(Listener::bind_with(None, quick()).unwrap());
    let agent = PasteAgent::new(Some(Arc::clone(&listener)), BufReader::new(terminal), say);
    Desk { agent, listener, person, heard, wire: wire() }
}

impl Desk {
    async fn paste(&mut self, text: &str, purpose: Purpose) -> Result<Landing, SignInError> {
        self.person.write_all(text.as_bytes()).await.unwrap();
        self.agent.visit(&self.wire, &request("s1"), purpose).await
    }

    async fn code(&mut self, text: &str) -> Returned {
        match self.paste(text, Purpose::SignIn).await {
            Ok(Landing::Returned(returned)) => returned,
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_address_a_query_and_a_code_are_taken() {
    let mut desk = desk();
    let uri = request("s1").redirect_uri().to_owned();
    for line in [
        format!("  {uri}?code=Abc%2F12345&state=s1  \n"),
        format!("\"{}?code=Abc%2F12345&state=s1\"\r\n", uri.trim_start_matches("http://")),
        "?state=s1&code=Abc%2F12345\n".into(),
        "code=Abc%2F12345&state=s1\n".into(),
        "Abc%2F12345\n".into(),
        "Abc/12345\n".into(),
    ] {
        let returned = desk.code(&line).await;
        assert_eq!(returned.get("code"), Some("Abc/12345"), "{line}");
        assert_eq!(returned.place(), uri, "{line}");
    }
    let returned = desk.code("com.example.app:/cb?code=Abc12345&state=s1\n").await;
    assert_eq!((returned.place(), returned.get("code")), ("com.example.app:/cb", Some("Abc12345")));
    let returned = desk.code("#access_token=Tok12345&state=s1\n").await;
    assert!(returned.has_token());
    assert_eq!(desk.agent.logins(), 1);
    assert_eq!(desk.wire.vault().redact("Abc/12345 Tok12345"), "{code 1} {access_token 1}");
    assert!(desk.heard.all().contains("http://127.0.0.1:9/authorize?state=s1"));
}

#[tokio::test]
async fn an_address_of_another_request_is_asked_for_again_but_not_for_ever() {
    let mut desk = desk();
    let returned = desk.code("?code=First123&state=other\n\nhello there\n?code=Second123&state=s1\n").await;
    assert_eq!(returned.get("code"), Some("Second123"));
    assert!(desk.heard.all().contains("belongs to another request"));
    assert!(desk.heard.all().contains("neither an address with an answer"));
    assert_eq!(desk.wire.vault().redact("First123"), "{code 1}");
    let wrong = "?code=First123&state=other\n".repeat(3);
    assert!(
        matches!(desk.paste(&wrong, Purpose::SignIn).await, Err(SignInError::Unusable(why, _)) if why.starts_with("3 times"))
    );
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_visit() {
    let (_, say) = heard();
    let agent = PasteAgent::new(None::<Listener>, &b""[..], say);
    let ended = agent.visit(&wire(), &request("s1"), Purpose::SignIn).await;
    assert!(matches!(ended, Err(SignInError::Unusable(why, _)) if why.contains("input ended")));
    assert_eq!(agent.logins(), 0);
}

#[tokio::test]
async fn a_forwarded_port_may_deliver_first() {
    let desk = desk();
    let (wire, request, port) = (wire(), request("s1"), desk.listener.port());
    let (landing, _) = tokio::join!(desk.agent.visit(&wire, &request, Purpose::SignIn), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        get(port, "/callback?code=Forwarded1&state=s1").await
    });
    assert!(matches!(landing, Ok(Landing::Returned(returned)) if returned.get("code") == Some("Forwarded1")));
}

#[tokio::test]
async fn enter_tells_of_an_error_page_after_an_odd_request_only() {
    let mut desk = desk();
    assert!(matches!(desk.paste("\n", Purpose::Odd).await, Ok(Landing::NeverCameBack(_))));
    assert!(desk.heard.all().contains("just press Enter"));
    let returned = desk.code("\n?code=After1234&state=s1\n").await;
    assert_eq!(returned.get("code"), Some("After1234"));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_for_ever() {
    let (_person, terminal) = duplex(64);
    let (_, say) = heard();
    let agent = PasteAgent::new(None::<Listener>, BufReader::new(terminal), say);
    let ended = agent.visit(&wire(), &request("s1"), Purpose::Ordinary).await;
    assert_eq!(ended.unwrap_err(), SignInError::Abandoned(10));
}

#[test]
fn what_is_typed_in_passing_is_no_code() {
    for line in ["help", "continue", "what is this?", "http://127.0.0.1:1/callback", "https://as.example/error?x=1"] {
        assert!(matches!(read(line, "http://127.0.0.1:1/callback"), Pasted::Other), "{line}");
    }
}
