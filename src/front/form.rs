//! The agent for logins that a server renders: fills in user name, password and consent by itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use super::album::{Album, SeenPage};
use super::cookies::SavedSession;
use super::fill::{self, Filled};
use super::html::{FieldKind, Form, Sheet};
use super::jar::Jar;
use super::means::Means;
use super::steps::{Course, Mind};
use super::walk::{Sight, Step, Stop, Walker, place};
use super::{Agent, Denial, Denying, Landing, Purpose, SignInError, Visiting};
use crate::oauth::answer::PageKind;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;
use crate::wire::Wire;
use scripted::Move;

mod scripted;

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
    means: Means,
    session: Mutex<Jar>,
    logins: AtomicUsize,
    album: Album,
}

/// What one visit has done so far.
#[derive(Default)]
struct Done {
    password_sent: bool,
    code_sent: bool,
    denied: bool,
    pressed: Vec<String>,
}

impl FormAgent {
    /// An agent with these credentials. Without any it can use servers that ask for none.
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self::with(Means { credentials, ..Means::default() })
    }

    /// An agent with these means.
    pub fn with(means: Means) -> Self {
        Self { means, session: Mutex::new(Jar::default()), logins: AtomicUsize::new(0), album: Album::default() }
    }

    async fn noted(
        &self,
        wire: &Wire,
        request: &AuthorizationRequest,
        purpose: Purpose,
        mind: Mind,
    ) -> Result<(Landing, Done), SignInError> {
        self.means.hide_from(wire);
        let diagnosis = &self.means.diagnosis;
        diagnosis.begin(&format!("form agent: {} to {}", request.what, place(&request.endpoint)));
        match self.walk(wire, request, purpose, mind).await {
            Ok((landing, done)) => {
                diagnosis.note(&landing.outline());
                Ok((landing, done))
            }
            Err(error) => Err(error.explained(diagnosis)),
        }
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
        mind: Mind,
    ) -> Result<(Landing, Done), SignInError> {
        self.means.script.without_browser().map_err(|e| {
            SignInError::Unusable(e.to_string(), "use --agent webdriver, or other steps under [[login.page]]")
        })?;
        let mut jar = self.session.lock().await;
        let mut walker = Walker::new(wire, request, &mut jar, self.means.password()).keeping(Some(&self.album));
        let mut step = Step::visit(request.url());
        let mut course = Course::default();
        let mut done = Done::default();
        loop {
            let sight = match walker.go(step).await? {
                Stop::Landed(landing) => {
                    self.count(&done);
                    return Ok((landing, done));
                }
                Stop::At(sight) => sight,
            };
            self.means.diagnosis.note(&walker.hide(&describe(&sight)));
            if sight.page.kind == PageKind::Error || done.denied {
                self.count(&done);
                return Ok((Landing::Page(sight.page), done));
            }
            let scripted = course.reach(&self.means.script, &sight.url, mind);
            self.complain(&walker, &sight, &done)?;
            let made_out = match self.next(wire, &sight, &mut course, mind).await {
                Ok(made_out) => made_out,
                Err(SignInError::CodeWanted) if purpose == Purpose::Odd => None,
                Err(error) => {
                    self.count(&done);
                    return Err(match error {
                        SignInError::NotUnderstood { what } => SignInError::NotUnderstood { what: walker.hide(&what) },
                        error => error,
                    });
                }
            };
            let again = |filled: &Filled| done.pressed.iter().filter(|p| **p == filled.pressed).count() >= MOST_PRESSES;
            let next = match made_out {
                Some((filled, _)) if again(&filled) => Err(" comes back after it was sent"),
                Some(_) if walker.is_tired() => Err(" is one page too many"),
                Some(made_out) => Ok(made_out),
                None => Err(""),
            };
            match next {
                Ok((filled, denies)) => {
                    let how = if scripted { "by its steps" } else { "by guess" };
                    let denying = if denies { ", which says no" } else { "" };
                    let line = format!("  sends {how}: {}{denying}", filled.outline());
                    self.means.diagnosis.note(&walker.hide(&line));
                    done.password_sent |= filled.holds_password;
                    done.code_sent |= filled.holds_code;
                    done.denied |= denies;
                    done.pressed.push(filled.pressed);
                    step = filled.step.from(&sight.url);
                }
                Err(why) => {
                    self.count(&done);
                    return match (purpose, mind) {
                        (Purpose::Odd, _) | (_, Mind::Deny) => Ok((Landing::Page(sight.page), done)),
                        (Purpose::SignIn | Purpose::Ordinary, Mind::Approve) => {
                            let what = walker.hide(&format!("{}{why}", describe(&sight)));
                            Err(SignInError::NotUnderstood { what })
                        }
                    };
                }
            }
        }
    }

    /// A login page that comes back after it was sent says that something was wrong.
    fn complain(&self, walker: &Walker<'_>, sight: &Sight, done: &Done) -> Result<(), SignInError> {
        let says = || sight.sheet.complaint(|text| walker.hide(text));
        let asks_for_code = fill::code_form(&sight.sheet).is_some();
        if asks_for_code && done.code_sent {
            return Err(SignInError::WrongCode { says: says() });
        }
        if sight.page.kind == PageKind::Login && done.password_sent && !asks_for_code {
            return Err(SignInError::WrongPassword { says: says() });
        }
        Ok(())
    }

    /// Follows a request with a copy of the session, up to the first page that asks for something.
    async fn first_page(&self, wire: &Wire, request: &AuthorizationRequest) -> Result<Landing, SignInError> {
        let mut jar = self.session.lock().await.clone();
        let mut walker = Walker::new(wire, request, &mut jar, self.means.password());
        Ok(match walker.go(Step::visit(request.url())).await? {
            Stop::Landed(landing) => landing,
            Stop::At(sight) => Landing::Page(sight.page),
        })
    }

    /// What to send from a page, if it can be made out, and whether that says no.
    async fn next(
        &self,
        wire: &Wire,
        sight: &Sight,
        course: &mut Course,
        mind: Mind,
    ) -> Result<Option<(Filled, bool)>, SignInError> {
        let steps = course.ahead();
        let code = self.means.code_for(wire, &steps).await;
        let made_out = match scripted::go(course, sight, self.means.credentials.as_ref(), code.as_deref()) {
            Move::Send(filled, denies) => Some((filled, denies)),
            Move::Stuck(why) => {
                let what = format!("{}; {why}", describe(sight));
                return Err(SignInError::NotUnderstood { what });
            }
            Move::Guess if mind == Mind::Deny && course.refuses_to_guess() => None,
            Move::Guess => {
                let way = self.means.guess(wire, &sight.sheet, sight.page.kind, mind).await?;
                way.and_then(|way| fill::sent(&sight.sheet, way)).map(|filled| {
                    let denies = mind == Mind::Deny
                        && !(filled.holds_password || filled.holds_code || sight.page.kind == PageKind::Login);
                    (filled, denies)
                })
            }
        };
        // A password is not carried from https to where everybody can read it.
        Ok(made_out.filter(|(f, _)| !(f.holds_password && sight.url.starts_with("https:") && f.step.is_plain())))
    }

    /// A login counts when it led to anything else than the login page.
    fn count(&self, done: &Done) {
        self.logins.fetch_add(usize::from(done.password_sent), Ordering::Relaxed);
    }
}

impl Agent for FormAgent {
    fn name(&self) -> &'static str {
        "form"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(async move { Ok(self.noted(wire, request, purpose, Mind::Approve).await?.0) })
    }

    fn deny<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Denying<'a>> {
        Some(Box::pin(async move {
            let (landing, done) = self.noted(wire, request, Purpose::Ordinary, Mind::Deny).await?;
            Ok(Denial::of(landing, done.denied))
        }))
    }

    fn look<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest) -> Option<Visiting<'a>> {
        Some(Box::pin(self.first_page(wire, request)))
    }

    fn remarks(&self) -> Vec<String> {
        self.means.diagnosis.remarks()
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

pub(super) fn inventory(sheet: &Sheet) -> String {
    if sheet.forms.is_empty() {
        return match sheet.scripts {
            true => "it has no form, only scripts, and this agent runs none".into(),
            false => "it has no form".into(),
        };
    }
    let one = |form: &Form| {
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
