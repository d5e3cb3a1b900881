//! The agent `session`: goes on with the cookies of an earlier sign-in, through the form machinery and without a login.

use std::sync::atomic::{AtomicBool, Ordering};

use super::cookies::SavedSession;
use super::form::FormAgent;
use super::jar::Jar;
use super::{Agent, Denying, Landing, Purpose, SeenPage, SignInError, Visiting};
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Wire;

/// Uses a saved session until the server wants a login.
#[derive(Debug)]
pub struct SessionAgent {
    forms: FormAgent,
    /// Whether it was seen to work.
    worked: AtomicBool,
    /// Whether a login page came where the session should have answered.
    ended: AtomicBool,
}

impl SessionAgent {
    /// An agent with these cookies.
    pub fn new(session: &SavedSession) -> Self {
        Self {
            forms: FormAgent::with_session(Jar::from(session)),
            worked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    async fn go(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Landing, SignInError> {
        match self.forms.visit(wire, request, purpose).await {
            Err(SignInError::NobodyThere) if purpose == Purpose::Odd || wants_login(request) => {
                at_login(&self.forms, wire, request).await
            }
            Err(SignInError::NobodyThere) => Err(self.ended()),
            Ok(landing) => {
                self.worked.store(true, Ordering::Relaxed);
                Ok(landing)
            }
            Err(error) => Err(error),
        }
    }

    /// The login page came where the session should have answered.
    fn ended(&self) -> SignInError {
        self.ended.store(true, Ordering::Relaxed);
        SignInError::SessionEnded { worked: self.worked.load(Ordering::Relaxed) }
    }
}

/// Whether a request asks for a login although there is a session (OpenID Connect Core section 3.1.2.1).
pub(super) fn wants_login(request: &AuthorizationRequest) -> bool {
    request.get("prompt").is_some_and(|p| p.split(' ').any(|p| p == "login")) || request.get("max_age").is_some()
}

/// The page at which nobody could log in, as an answer: an odd request may well end there.
pub(super) async fn at_login(
    forms: &FormAgent,
    wire: &Wire,
    request: &AuthorizationRequest,
) -> Result<Landing, SignInError> {
    match forms.look(wire, request) {
        Some(looking) => looking.await,
        None => Err(SignInError::NobodyThere),
    }
}

impl Agent for SessionAgent {
    fn name(&self) -> &'static str {
        "session"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(self.go(wire, request, purpose))
    }

    fn look<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        self.forms.look(wire, request)
    }

    fn deny<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Denying<'a>> {
        let denying = self.forms.deny(wire, request)?;
        Some(Box::pin(async {
            denying.await.map_err(|error| match error {
                SignInError::NobodyThere => self.ended(),
                other => other,
            })
        }))
    }

    fn logins(&self) -> usize {
        0
    }

    fn sees_pages(&self) -> bool {
        true
    }

    fn pages(&self) -> Vec<SeenPage> {
        self.forms.pages()
    }

    fn session(&self) -> Option<SavedSession> {
        self.forms.session()
    }

    fn keeps_session(&self) -> bool {
        true
    }

    fn remarks(&self) -> Vec<String> {
        let mid_run = self.ended.load(Ordering::Relaxed) && self.worked.load(Ordering::Relaxed);
        let remark = mid_run.then(|| {
            "the saved session ended while the audit ran: the server showed its login page again; sign in anew with \
             `oaudit login --save FILE`, or let the audit sign in itself (--agent form or browser)"
                .into()
        });
        remark.into_iter().collect()
    }
}
