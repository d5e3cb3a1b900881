//! The agent that signs in by itself: fills in HTML forms with the user name and password it was given.

use std::sync::atomic::{AtomicUsize, Ordering};

use cookie_store::CookieStore;
use tokio::sync::Mutex;

use super::html::{Button, FieldKind, Form};
use super::walk::{Stand, Step, Walk};
use super::{Agent, Landing, Purpose, SignInError, Visiting};
use crate::oauth::answer::PageKind;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;
use crate::wire::Wire;

/// As whom to sign in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Signs in with forms. One cookie jar for the whole run, so that later visits find the session.
pub struct FormAgent {
    credentials: Option<Credentials>,
    jar: Mutex<CookieStore>,
    logins: AtomicUsize,
}

/// Pages that one visit may fill in.
const PAGES: usize = 8;

impl FormAgent {
    /// With credentials; or without, for servers that ask nobody anything.
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, jar: Mutex::new(CookieStore::default()), logins: AtomicUsize::new(0) }
    }

    async fn go(&self, wire: &Wire, request: &AuthorizationRequest, purpose: Purpose) -> Result<Landing, SignInError> {
        if let Some(credentials) = &self.credentials {
            wire.vault().learn("password", credentials.password.expose());
        }
        let mut jar = self.jar.lock().await;
        let mut walk = Walk::new(wire, request, &mut jar);
        let mut step = walk.start().await?;
        let mut password_sent = false;
        for _ in 0..PAGES {
            let stand = match step {
                Step::Landed(landing) => {
                    if password_sent {
                        self.logins.fetch_add(1, Ordering::Relaxed);
                    }
                    return Ok(landing);
                }
                Step::Standing(stand) => stand,
            };
            let page = stand.page();
            let fill = match page.kind {
                PageKind::Error => {
                    return Ok(Landing::Page(page));
                }
                PageKind::Login if password_sent && stand.page.forms.iter().any(Form::asks_password) => {
                    let says = stand.page.alert.as_deref().unwrap_or_default();
                    return Err(SignInError::WrongPassword { says: says.chars().take(120).collect() });
                }
                PageKind::Login => self.login(&stand)?,
                PageKind::Consent => consent(&stand),
                PageKind::Unknown => None,
            };
            let Some(fill) = fill else {
                return match purpose {
                    Purpose::Odd => Ok(Landing::Page(page)),
                    _ => Err(SignInError::NotUnderstood { what: describe(&stand) }),
                };
            };
            if password_sent && page.kind != PageKind::Login {
                // The login went through; what follows is another page.
                self.logins.fetch_add(1, Ordering::Relaxed);
                password_sent = false;
            }
            password_sent |= fill.sends_password;
            step = walk.submit(&fill.form, &fill.action, &fill.pairs).await?;
        }
        match (purpose, step) {
            (_, Step::Landed(landing)) => Ok(landing),
            (Purpose::Odd, Step::Standing(stand)) => Ok(Landing::Page(stand.page())),
            (_, Step::Standing(stand)) => {
                Err(SignInError::NotUnderstood { what: format!("after {PAGES} pages, {}", describe(&stand)) })
            }
        }
    }

    fn login(&self, stand: &Stand) -> Result<Option<Filled>, SignInError> {
        let Some(credentials) = &self.credentials else { return Err(SignInError::NobodyThere) };
        let forms = &stand.page.forms;
        let Some(form) = forms.iter().find(|f| f.asks_password()).or_else(|| forms.iter().find(|f| f.is_login())) else {
            return Ok(None);
        };
        let user = form.user_name();
        let mut pairs = Vec::new();
        for (at, field) in form.fields.iter().enumerate() {
            let value = match field.kind {
                FieldKind::Password => credentials.password.expose(),
                _ if Some(at) == user => &credentials.username,
                FieldKind::Checkbox | FieldKind::Radio if !(field.checked || field.required) => continue,
                _ => &field.value,
            };
            pairs.push((field.name.clone(), value.to_owned()));
        }
        let aside = ["cancel", "register", "sign up", "signup", "forgot", "reset", "deny", "google", "github", "facebook", "back"];
        let button = form.buttons.iter().find(|b| !aside.iter().any(|w| b.says.contains(w))).or(form.buttons.first());
        Ok(Some(Filled::new(form, button, pairs, form.asks_password())))
    }
}

/// A form that is ready to go.
struct Filled {
    form: Form,
    action: String,
    pairs: Vec<(String, String)>,
    sends_password: bool,
}

impl Filled {
    fn new(form: &Form, button: Option<&Button>, mut pairs: Vec<(String, String)>, sends_password: bool) -> Self {
        if let Some(button) = button
            && let Some(name) = &button.name
        {
            pairs.push((name.clone(), button.value.clone()));
        }
        let action = button.and_then(|b| b.action.clone()).unwrap_or_else(|| form.action.clone());
        Self { form: form.clone(), action, pairs, sends_password }
    }
}

fn consent(stand: &Stand) -> Option<Filled> {
    let form = stand.page.forms.iter().find(|f| f.is_consent() && f.allowing().is_some())?;
    let button = form.allowing()?;
    let allows = |text: &str| super::html::ALLOWING.iter().any(|w| text.contains(w));
    let denies = |text: &str| super::html::DENYING.iter().any(|w| text.contains(w));
    let mut pairs = Vec::new();
    let mut chosen: Vec<&str> = Vec::new();
    for field in &form.fields {
        let take = match field.kind {
            // Every scope that is offered: the check has asked for no more than it wants.
            FieldKind::Checkbox => !denies(&format!("{} {}", field.hints, field.value)),
            FieldKind::Radio => {
                let text = format!("{} {}", field.hints, field.value).to_ascii_lowercase();
                let first = !chosen.contains(&field.name.as_str());
                first && !denies(&text) && (field.checked || allows(&text))
            }
            _ => true,
        };
        if take {
            chosen.push(&field.name);
            pairs.push((field.name.clone(), field.value.clone()));
        }
    }
    Some(Filled::new(form, Some(button), pairs, false))
}

fn describe(stand: &Stand) -> String {
    let page = &stand.page;
    let title = if page.title.is_empty() { "without a title".to_owned() } else { format!("\"{}\"", page.title) };
    let seen = match (page.forms.as_slice(), page.has_script) {
        ([], true) => "no form; it is built by script".to_owned(),
        ([], false) => format!("no form; it says \"{}\"", page.text.chars().take(80).collect::<String>()),
        (forms, _) => {
            let all: Vec<String> = forms.iter().map(Form::describe).collect();
            format!("{} form(s): {}", forms.len(), all.join("; "))
        }
    };
    format!("the page {title} at {} ({}) has {seen}", stand.place(), stand.reply.status)
}

impl Agent for FormAgent {
    fn name(&self) -> &'static str {
        "form"
    }

    fn visit<'a>(&'a self, wire: &'a Wire, request: &'a AuthorizationRequest, purpose: Purpose) -> Visiting<'a> {
        Box::pin(self.go(wire, request, purpose))
    }

    fn logins(&self) -> usize {
        self.logins.load(Ordering::Relaxed)
    }

    fn sees_pages(&self) -> bool {
        true
    }
}
