//! The agent for logins that a server renders: fills in user name, password and consent by itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use super::album::{Album, SeenPage};
use super::cookies::SavedSession;
use super::fill::{self, Filled};
use super::html::{FieldKind, Sheet};
use super::jar::Jar;
use super::walk::{Sight, Step, Stop, Walker, place};
use super::{Agent, Landing, Purpose, SignInError, Visiting};
use crate::oauth::answer::PageKind;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;
use crate::wire::Wire;

/// How often the same button is pressed in one visit.
const MOST_PRESSES: usize = 2;

/// What a login page is filled in with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Signs in through forms. One session for the whole run: later visits are answered by it.
#[derive(Debug)]
pub struct FormAgent {
    credentials: Option<Credentials>,
    session: Mutex<Jar>,
    logins: AtomicUsize,
    album: Album,
}

impl FormAgent {
    /// An agent with these credentials. Without any it can use servers that ask for none.
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, session: Mutex::new(Jar::default()), logins: AtomicUsize::new(0), album: Album::default() }
    }

    /// An agent that goes on with the session of somebody who signed in elsewhere, and never logs in itself.
    pub(super) fn with_session(session: Jar) -> Self {
        Self { session: Mutex::new(session), ..Self::new(None) }
    }

    /// Goes on with another session.
    pub(super) async fn take_session(&self, session: Jar) {
        *self.session.lock().await = session;
    }

    async fn walk(
        &self,
        wire: &Wire,
        request: &AuthorizationRequest,
        purpose: Purpose,
    ) -> Result<Landing, SignInError> {
        let password = self.credentials.as_ref().map(|c| &c.password);
        if let Some(password) = password {
            wire.vault().learn("password", password.expose());
        }
        let mut jar = self.session.lock().await;
        let mut walker = Walker::new(wire, request, &mut jar, password).keeping(Some(&self.album));
        let mut step = Step::visit(request.url());
        let mut password_sent = false;
        let mut pressed: Vec<String> = Vec::new();
        loop {
            let sight = match walker.go(step).await? {
                Stop::Landed(landing) => {
                    self.count(password_sent);
                    return Ok(landing);
                }
                Stop::At(sight) => sight,
            };
            if sight.page.kind == PageKind::Error {
                self.count(password_sent);
                return Ok(Landing::Page(sight.page));
            }
            if sight.page.kind == PageKind::Login && password_sent {
                return Err(SignInError::WrongPassword { says: sight.sheet.complaint(|text| walker.hide(text)) });
            }
            let again = |filled: &Filled| pressed.iter().filter(|p| **p == filled.pressed).count() >= MOST_PRESSES;
            let next = match self.fill(&sight)? {
                Some(filled) if again(&filled) => Err(" comes back after it was sent"),
                Some(_) if walker.is_tired() => Err(" is one page too many"),
                Some(filled) => Ok(filled),
                None => Err(""),
            };
            match next {
                Ok(filled) => {
                    password_sent |= filled.holds_password;
                    pressed.push(filled.pressed);
                    step = filled.step.from(&sight.url);
                }
                Err(why) => {
                    self.count(password_sent);
                    return match purpose {
                        Purpose::Odd => Ok(Landing::Page(sight.page)),
                        Purpose::SignIn | Purpose::Ordinary => {
                            let what = walker.hide(&format!("{}{why}", describe(&sight)));
                            Err(SignInError::NotUnderstood { what })
                        }
                    };
                }
            }
        }
    }

    /// Follows a request with a copy of the session, up to the first page that asks for something.
    async fn first_page(&self, wire: &Wire, request: &AuthorizationRequest) -> Result<Landing, SignInError> {
        let mut jar = self.session.lock().await.clone();
        let mut walker = Walker::new(wire, request, &mut jar, self.credentials.as_ref().map(|c| &c.password));
        Ok(match walker.go(Step::visit(request.url())).await? {
            Stop::Landed(landing) => landing,
            Stop::At(sight) => Landing::Page(sight.page),
        })
    }

    /// What to send from a page, if it can be made out.
    fn fill(&self, sight: &Sight) -> Result<Option<Filled>, SignInError> {
        Ok(match (sight.page.kind, &self.credentials) {
            (PageKind::Login, None) => return Err(SignInError::NobodyThere),
            (PageKind::Login, Some(credentials)) => {
                fill::login(&sight.sheet, &credentials.username, credentials.password.expose())
                    // A password is not carried from https to where everybody can read it.
                    .filter(|f| !(f.holds_password && sight.url.starts_with("https:") && f.step.is_plain()))
            }
            (PageKind::Consent | PageKind::Unknown, _) => fill::consent(&sight.sheet),
            (PageKind::Error, _) => None,
        })
    }

    /// A login counts when it led to anything else than the login page.
    fn count(&self, password_sent: bool) {
        self.logins.fetch_add(usize::from(password_sent), Ordering::Relaxed);
    }
}

impl Agent for FormAgent {
    fn name(&self) -> &'static str {
        "form"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(self.walk(wire, request, purpose))
    }

    fn look<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        Some(Box::pin(self.first_page(wire, request)))
    }

    fn logins(&self) -> usize {
        self.logins.load(Ordering::Relaxed)
    }

    fn sees_pages(&self) -> bool {
        true
    }

    fn pages(&self) -> Vec<SeenPage> {
        self.album.pages()
    }

    fn session(&self) -> Option<SavedSession> {
        self.session.try_lock().ok().map(|jar| SavedSession::from(&*jar))
    }

    fn keeps_session(&self) -> bool {
        true
    }
}

/// `page "Consent" at https://as.example/consent (200): forms seen: 1 with fields a, b and buttons "X"`.
fn describe(sight: &Sight) -> String {
    let Sight { sheet, page, url } = sight;
    let says = if page.says.is_empty() { String::new() } else { format!(" \"{}\"", page.says) };
    format!("page{says} at {} ({}): {}", place(url), page.status, inventory(sheet))
}

fn inventory(sheet: &Sheet) -> String {
    if sheet.forms.is_empty() {
        return match sheet.scripts {
            true => "it has no form, only scripts, and this agent runs none".into(),
            false => "it has no form".into(),
        };
    }
    let one = |form: &super::html::Form| {
        let mut fields: Vec<&str> = form
            .fields
            .iter()
            .filter(|f| !matches!(f.kind, FieldKind::Hidden | FieldKind::Submit | FieldKind::Inert))
            .map(|f| if f.name.is_empty() { "(unnamed)" } else { f.name.as_str() })
            .collect();
        fields.dedup();
        let buttons: Vec<String> = form
            .fields
            .iter()
            .filter(|f| matches!(f.kind, FieldKind::Submit | FieldKind::Inert))
            .map(|f| format!("\"{}\"", if f.text.is_empty() { &f.name } else { &f.text }))
            .collect();
        let fields = if fields.is_empty() { "no fields".into() } else { format!("fields {}", fields.join(", ")) };
        let buttons = if buttons.is_empty() { "no button".into() } else { format!("buttons {}", buttons.join(", ")) };
        format!("{fields} and {buttons}")
    };
    let forms: Vec<String> = sheet.forms.iter().take(4).map(one).collect();
    format!("forms seen: {} with {}", sheet.forms.len(), forms.join("; then "))
}

#[cfg(test)]
mod tests;
