//! A person who signs in: at the pages of the listener with a browser, or at a terminal with one elsewhere. The browser
//! is played by requests; what it does on the server's pages the form agent does.

use std::sync::Arc;

use oaudit::front::Landing;
use oaudit::front::form::{Credentials, FormAgent};
use oaudit::front::means::Means;
use oaudit::front::steps::{PlainPage, PlainStep, Script};
use oaudit::oauth::secret::Secret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program::{deny, visit};

/// How a person behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Habit {
    /// Types the password, answers questions for people, allows.
    #[default]
    Obliging,
    /// Mistypes the password the first time.
    Mistypes,
    /// Says no.
    Refuses,
}

/// A person with a browser of their own.
pub(crate) struct Person {
    habit: Habit,
    browser: FormAgent,
}

impl Person {
    pub(crate) fn of(habit: Habit) -> Self {
        Self { habit, browser: browser("wonderland") }
    }

    /// Opens an address, and does there what is asked. Tells where it ended, if that was the redirect URI.
    pub(crate) async fn open(&mut self, url: &str) -> Option<String> {
        if self.habit == Habit::Mistypes {
            self.habit = Habit::Obliging;
            let error = visit(&browser("looking-glass"), url).await.unwrap_err().to_string();
            assert!(error.contains("login page came back"), "{error}");
        } else if self.habit == Habit::Refuses {
            return came_back(deny(&self.browser, url).await.unwrap());
        }
        came_back(visit(&self.browser, url).await.unwrap_or_else(|error| panic!("{url}: {error}")))
    }

    /// Presses the button of the cockpit, and does what the window shows until nobody listens any more.
    pub(crate) async fn at_the_cockpit(&mut self, port: u16) {
        let mut href = Some(format!("http://127.0.0.1:{port}/window"));
        loop {
            let asked = json!({ "page": "the second window", "href": href.take() }).to_string();
            let Some(reply) = send(port, "POST", "/next", &asked).await else { return };
            let reply: Value = serde_json::from_str(&reply).unwrap();
            if reply["end"] == true {
                return;
            }
            let Some(next) = reply["next"].as_str() else { continue };
            href = self.open(next).await;
            let ours = format!("http://127.0.0.1:{port}");
            if let Some(path) = href.as_ref().and_then(|href| href.strip_prefix(&ours)) {
                send(port, "GET", path, "").await;
            }
        }
    }
}

fn came_back(landing: Landing) -> Option<String> {
    match landing {
        Landing::Returned(returned) => Some(returned.url),
        Landing::Page(_) | Landing::NeverCameBack(_) => None,
    }
}

/// A person sees what a program does not: what the lab asks of people is answered.
fn browser(password: &str) -> FormAgent {
    let step = |fill: &str, with: &str| PlainStep {
        fill: Some(fill.into()),
        with: Some(with.into()),
        optional: true,
        ..PlainStep::default()
    };
    let page = |matches: &str| PlainPage {
        matches: matches.into(),
        steps: vec![
            step("name:challenge", "twelve"),
            step("auto:username", "{username}"),
            step("auto:password", "{password}"),
            PlainStep { click: Some("text:Sign in".into()), optional: true, ..PlainStep::default() },
        ],
        ..PlainPage::default()
    };
    let script = Script::read(&[page("*/authorize*"), page("*/login*")]).unwrap();
    let credentials = Some(Credentials { username: "alice".into(), password: Secret::new(password) });
    FormAgent::with(Means { credentials, script: Arc::new(script), ..Means::default() })
}

/// One request to the listener; nothing if nobody listens.
async fn send(port: u16, method: &str, path: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}
