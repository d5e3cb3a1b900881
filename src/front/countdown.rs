//! How long a person still has to sign in, said once a minute beside any agent that waits for one.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::browser::Say;
use super::cookies::SavedSession;
use super::twin::Twin;
use super::{Agent, Asks, Denying, Purpose, SeenPage, Visiting};
use crate::oauth::request::AuthorizationRequest;
use crate::report::Report;
use crate::run::Progress;
use crate::wire::Wire;

/// Between two words about the time that is left.
const STEP: Duration = Duration::from_secs(60);

/// An agent that waits for a person, and says how long it still will.
pub struct Counting {
    agent: Arc<dyn Agent>,
    patience: Duration,
    say: Say,
    /// What brings callbacks of the other family of loopback addresses to the same listener. Lives as long as the agent.
    _twin: Option<Twin>,
}

impl std::fmt::Debug for Counting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counting").field("agent", &self.agent.name()).finish_non_exhaustive()
    }
}

impl Counting {
    /// Counts down `patience` beside the sign-in of this agent.
    pub fn new(agent: Arc<dyn Agent>, patience: Duration, say: Say, twin: Option<Twin>) -> Self {
        Self { agent, patience, say, _twin: twin }
    }

    async fn count_down(&self) -> std::convert::Infallible {
        let began = Instant::now();
        let mut left = self.patience;
        while left > STEP {
            left -= STEP;
            sleep_until(began + (self.patience - left)).await;
            let minutes = left.as_secs().div_ceil(60);
            let unit = if minutes == 1 { "minute" } else { "minutes" };
            (self.say)(&format!("waiting for the sign-in: {minutes} {unit} left"));
        }
        std::future::pending().await
    }
}

impl Agent for Counting {
    fn name(&self) -> &'static str {
        self.agent.name()
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        let visiting = self.agent.visit(wire, request, purpose);
        if purpose != Purpose::SignIn {
            return visiting;
        }
        Box::pin(async move {
            tokio::select! {
                biased;
                landed = visiting => landed,
                never = self.count_down() => match never {},
            }
        })
    }

    fn logins(&self) -> usize {
        self.agent.logins()
    }

    fn sees_pages(&self) -> bool {
        self.agent.sees_pages()
    }

    fn pages(&self) -> Vec<SeenPage> {
        self.agent.pages()
    }

    fn look<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        self.agent.look(wire, request)
    }

    fn progress(&self, n: usize, m: usize) {
        self.agent.progress(n, m);
    }

    fn session(&self) -> Option<SavedSession> {
        self.agent.session()
    }

    fn keeps_session(&self) -> bool {
        self.agent.keeps_session()
    }

    fn asks(&self) -> Asks {
        self.agent.asks()
    }

    fn prompts(&self) -> usize {
        self.agent.prompts()
    }

    fn may_ask(&self, most: usize) {
        self.agent.may_ask(most);
    }

    fn deny<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Denying<'a>> {
        self.agent.deny(wire, request)
    }

    fn hear(&self, progress: Progress<'_>) {
        self.agent.hear(progress);
    }

    fn remarks(&self) -> Vec<String> {
        self.agent.remarks()
    }

    fn end<'a>(&'a self, report: &'a Report) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.agent.end(report)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::front::SignInError;
    use crate::oauth::request::tests::request_for;

    struct Sleeper(Duration);

    impl Agent for Sleeper {
        fn name(&self) -> &'static str {
            "sleeper"
        }
        fn visit<'a>(&'a self, _: &'a Wire, _: &'a AuthorizationRequest, _: Purpose) -> Visiting<'a> {
            Box::pin(async {
                tokio::time::sleep(self.0).await;
                Err(SignInError::Abandoned(10))
            })
        }
        fn logins(&self) -> usize {
            0
        }
        fn sees_pages(&self) -> bool {
            false
        }
    }

    async fn said(patience: u64, takes: u64, purpose: Purpose) -> Vec<String> {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (hears, wire) = (Arc::clone(&said), Wire::open(crate::wire::WireOptions::default()).unwrap());
        let say: Say = Arc::new(move |text| hears.lock().unwrap().push(text.to_owned()));
        let agent = Arc::new(Sleeper(Duration::from_secs(takes)));
        let counting = Counting::new(agent, Duration::from_secs(patience), say, None);
        let ended = counting.visit(&wire, &request_for("http://127.0.0.1:1/callback"), purpose).await;
        assert!(ended.is_err());
        said.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn every_minute_is_told_while_somebody_signs_in() {
        let told = said(600, 590, Purpose::SignIn).await;
        assert_eq!(told.len(), 9);
        assert_eq!(told[0], "waiting for the sign-in: 9 minutes left");
        assert_eq!(told[8], "waiting for the sign-in: 1 minute left");
        assert!(said(600, 30, Purpose::SignIn).await.is_empty());
        assert!(said(600, 300, Purpose::Ordinary).await.is_empty());
    }
}
