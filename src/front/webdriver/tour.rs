//! One visit with the browser: where it is, what it sees there, and what is done about it.

use std::time::{Duration, Instant};

use thirtyfour::WebDriver;

use super::super::fill::{self, Way};
use super::super::means::Means;
use super::super::steps::{Act, Course, Mind, Next};
use super::super::walk::{is_landing, place, relay};
use super::super::{Landing, Purpose, SignInError};
use super::driver::{Driver, told};
use super::gate::Gate;
use super::hand::Hand;
use super::look::{self, Look, Seen};
use crate::oauth::answer::{Page, PageKind, Returned};
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Wire;

mod barred;
mod beside;
mod outset;

use barred::inventory;
use outset::is_nowhere;

/// Between two looks.
const GLANCE: Duration = Duration::from_millis(80);
/// How long a page may take to show something, or to answer what was done.
const PATIENCE: Duration = Duration::from_secs(12);
/// The same for a request that may well end on a page.
const IMPATIENCE: Duration = Duration::from_secs(3);
/// How long a login page that stays is waited for, where it complains of nothing.
const SECOND_LOOK: Duration = Duration::from_secs(4);
/// How often something is done in one visit.
const MOST_DEEDS: usize = 16;
/// How often the same button is pressed in one visit.
const MOST_PRESSES: usize = 2;

/// One visit under way.
pub(super) struct Tour<'a> {
    session: &'a WebDriver,
    wire: &'a Wire,
    means: &'a Means,
    request: &'a AuthorizationRequest,
    purpose: Purpose,
    mind: Mind,
    relays: Vec<String>,
    pressed: Vec<String>,
    code_sent: bool,
    /// Whether the browser tells where it was sent beside its address.
    tells: bool,
    /// Whether something was filled in or pressed.
    acted: bool,
    /// Where it was sent, if no browser goes there.
    beyond: Option<String>,
    /// The way out of the browser, if it is ours.
    pub(super) gate: Option<&'a Gate>,
    /// What a reader of the report should know.
    pub(super) remarks: Vec<String>,
    /// Whether the password was sent.
    pub(super) password_sent: bool,
    /// Whether no was said.
    pub(super) denied: bool,
}

/// Where the browser is.
enum Place {
    Landed(Landing),
    At(Box<Look>, String),
}

impl<'a> Tour<'a> {
    pub(super) fn new(
        driver: &'a Driver,
        wire: &'a Wire,
        means: &'a Means,
        request: &'a AuthorizationRequest,
        purpose: Purpose,
        mind: Mind,
    ) -> Result<Self, String> {
        Ok(Self {
            session: driver.session()?,
            tells: driver.tells,
            acted: false,
            beyond: None,
            gate: None,
            remarks: Vec::new(),
            wire,
            means,
            request,
            purpose,
            mind,
            relays: Vec::new(),
            pressed: Vec::new(),
            code_sent: false,
            password_sent: false,
            denied: false,
        })
    }

    fn patience(&self) -> Duration {
        if self.purpose == Purpose::Odd { IMPATIENCE } else { PATIENCE }
    }

    fn hide(&self, text: &str) -> String {
        self.means.hide(self.wire, text)
    }

    fn note(&self, line: &str) {
        self.means.diagnosis.note(&self.hide(line));
    }

    /// Goes as far as the first page, and does nothing there.
    pub(super) async fn first_page(&mut self) -> Landing {
        let loaded = self.set_out().await;
        match self.arrive(None, self.patience(), &loaded).await {
            Place::Landed(landing) => landing,
            Place::At(look, _) => {
                let mut look = *look;
                // Whether a script has more to show is not told.
                let unfinished = |tour: &Self, look: &Look| tour.page(look, &look.seen()).kind == PageKind::Unknown;
                while unfinished(self, &look) && self.changes(&look, IMPATIENCE).await {
                    match self.arrive(None, self.patience(), &loaded).await {
                        Place::Landed(landing) => return landing,
                        Place::At(again, _) => look = *again,
                    }
                }
                Landing::Page(self.page(&look, &look.seen()))
            }
        }
    }

    /// Makes the visit.
    pub(super) async fn walk(&mut self) -> Result<Landing, SignInError> {
        let loaded = self.set_out().await;
        let mut course = Course::default();
        let mut before: Option<Look> = None;
        for _ in 0..MOST_DEEDS {
            let (look, url) = match self.arrive(before.as_ref(), self.patience(), &loaded).await {
                Place::Landed(landing) => return Ok(landing),
                Place::At(look, url) => (*look, url),
            };
            let seen = look.seen();
            let page = self.page(&look, &seen);
            self.note(&format!(
                "page \"{}\" at {} ({}, {:?}): {}",
                page.says,
                place(&url),
                page.status,
                page.kind,
                inventory(&seen)
            ));
            if page.kind == PageKind::Error && self.password_sent && self.changes(&look, SECOND_LOOK).await {
                // A script that has yet to build the login again shows its complaint first.
                before = None;
                continue;
            }
            if page.kind == PageKind::Error || self.denied {
                return Ok(Landing::Page(page));
            }
            if let Some(error) = self.complaint(&seen, page.kind) {
                // A page that is still at work looks as if it had come back.
                let settled = !self.says(&seen).is_empty() || before.is_none();
                if settled || !self.changes(&look, SECOND_LOOK).await {
                    return Err(error);
                }
                before = None;
                continue;
            }
            let scripted = course.reach(&self.means.script, &url, self.mind);
            let did = match scripted {
                true => self.by_steps(&mut course, &seen, &page).await?,
                false if self.mind == Mind::Deny && course.refuses_to_guess() => false,
                false => self.by_guess(&seen, &page).await?,
            };
            self.acted |= did;
            if did {
                before = Some(look);
            } else if self.changes(&look, self.patience()).await {
                // It was not finished.
                before = None;
            } else {
                return self.stuck(page, &seen, &url);
            }
        }
        Err(SignInError::NotUnderstoodInBrowser { what: format!("after {MOST_DEEDS} pages it was still not done") })
    }

    fn stuck(&self, page: Page, seen: &Seen, url: &str) -> Result<Landing, SignInError> {
        if self.purpose == Purpose::Odd || self.mind == Mind::Deny {
            return Ok(Landing::Page(page));
        }
        let inventory = inventory(seen);
        let what = format!("page \"{}\" at {} ({}): {inventory}", page.says, place(url), page.status);
        Err(SignInError::NotUnderstoodInBrowser { what: self.hide(&what) })
    }

    fn page(&self, look: &Look, seen: &Seen) -> Page {
        // Not every browser tells the status.
        let status = if look.status == 0 { 200 } else { look.status };
        let kind = seen.sheet.kind(status);
        let says = seen.sheet.says(kind, |text| self.hide(text));
        Page { status, kind, says, exchange: None }
    }

    fn says(&self, seen: &Seen) -> String {
        seen.sheet.complaint(|text| self.hide(text))
    }

    /// What is wrong if this page comes after what was sent.
    fn complaint(&self, seen: &Seen, kind: PageKind) -> Option<SignInError> {
        let asks_for_code = fill::code_form(&seen.sheet).is_some();
        if asks_for_code && self.code_sent {
            return Some(SignInError::WrongCode { says: self.says(seen) });
        }
        let again = kind == PageKind::Login && self.password_sent && !asks_for_code;
        again.then(|| SignInError::WrongPassword { says: self.says(seen) })
    }

    /// Waits until the browser is somewhere else than before, and stays.
    async fn arrive(&mut self, before: Option<&Look>, limit: Duration, loaded: &Result<(), String>) -> Place {
        let began = Instant::now();
        let mut last: Option<Look> = None;
        loop {
            let url = self.session.current_url().await.map(String::from).unwrap_or_default();
            self.relays.extend(relay(self.request, &url));
            if self.has_landed(&url) && url.starts_with("http") {
                // Only a form can have come along.
                if self.acted {
                    self.follow().await;
                }
                return Place::Landed(self.landed(&url));
            }
            self.follow().await;
            if let Some(beyond) = self.beyond.take() {
                self.leave_window().await;
                return Place::Landed(self.landed(&beyond));
            }
            let look = self.look().await;
            let late = began.elapsed() > limit;
            if let Some(look) = look {
                let changed = before.is_none_or(|before| *before != look);
                let settled = look.ready && last.as_ref() == Some(&look) && changed && !look.is_empty();
                if look.url.starts_with("chrome-error:") || look.url.starts_with("about:neterror") {
                    // It may have got there since its address was asked for.
                    let now = self.session.current_url().await.map(String::from).unwrap_or_default();
                    if now != url {
                        continue;
                    }
                    let why = match loaded {
                        Err(why) => format!("{} could not be loaded: {why}", place(&url)),
                        Ok(()) => format!("{} could not be loaded", place(&url)),
                    };
                    return Place::Landed(Landing::NeverCameBack(self.hide(&why)));
                }
                if is_nowhere(&look.url) && late {
                    let why = "the browser shows no page: the server sent it to an address that no browser follows, or to none";
                    return Place::Landed(Landing::NeverCameBack(why.into()));
                }
                if settled || late {
                    return Place::At(Box::new(look), url);
                }
                last = Some(look);
            } else if late {
                let why = match loaded {
                    Err(why) => format!("the browser shows nothing: {why}"),
                    Ok(()) => "the browser shows nothing that can be read".into(),
                };
                return Place::Landed(Landing::NeverCameBack(self.hide(&why)));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Whether what is seen, or where, becomes another within this time.
    async fn changes(&mut self, before: &Look, limit: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < limit {
            tokio::time::sleep(GLANCE).await;
            let url = self.session.current_url().await.map(String::from).unwrap_or_default();
            self.follow().await;
            let elsewhere = self.beyond.is_some() || self.has_landed(&url);
            if elsewhere || self.look().await.is_some_and(|look| look != *before) {
                return true;
            }
        }
        false
    }

    fn has_landed(&self, url: &str) -> bool {
        !is_nowhere(url) && is_landing(self.request, &self.relays, url)
    }

    async fn look(&self) -> Option<Look> {
        let seen = self.session.execute(look::SCRIPT, Vec::new()).await.ok()?;
        serde_json::from_value(seen.json().clone()).ok()
    }

    fn landed(&self, url: &str) -> Landing {
        let returned = Returned::read(url, None);
        if returned.query.is_empty() && returned.fragment.is_empty() {
            let why = "the browser came back without anything in the address; what was posted there it does not tell";
            return Landing::NeverCameBack(why.into());
        }
        Landing::Returned(returned)
    }

    /// Does what the page looks as if it wanted.
    async fn by_guess(&mut self, seen: &Seen, page: &Page) -> Result<bool, SignInError> {
        let way = match self.means.guess(self.wire, &seen.sheet, page.kind, self.mind).await {
            Ok(Some(way)) => way,
            Ok(None) => return Ok(false),
            Err(SignInError::CodeWanted) if self.purpose == Purpose::Odd => return Ok(false),
            Err(error) => return Err(error),
        };
        let (holds_password, holds_code, pressed) = match &way {
            Way::Form(plan) => {
                (plan.holds_password, plan.holds_code, fill::pressed(&seen.sheet.forms[plan.form], plan.button))
            }
            Way::Link(at) => (false, false, seen.sheet.links[*at].1.clone()),
        };
        if self.pressed.iter().filter(|p| **p == pressed).count() >= MOST_PRESSES {
            return Ok(false);
        }
        self.note(&format!("  does by guess: {pressed}"));
        Hand::new(self.session).does(seen, way).await.map_err(|why| self.failed("what it guessed", &why))?;
        self.password_sent |= holds_password;
        self.code_sent |= holds_code;
        self.denied |= self.mind == Mind::Deny && page.kind != PageKind::Login && !holds_code;
        self.pressed.push(pressed);
        Ok(true)
    }

    /// Does the steps that were written down, up to one that may lead to another page.
    async fn by_steps(&mut self, course: &mut Course, seen: &Seen, page: &Page) -> Result<bool, SignInError> {
        let code = self.means.code_for(self.wire, &course.ahead()).await;
        let mut touched = false;
        loop {
            let step = match course.next() {
                Next::Do(step) => step,
                Next::Stop(why) => return Err(SignInError::NotUnderstoodInBrowser { what: self.hide(&why) }),
                Next::Nothing => return Ok(touched),
            };
            if step.act == Act::Auto {
                return self.by_guess(seen, page).await;
            }
            self.note(&format!("  step: {}", step.act));
            let credentials = self.means.credentials.as_ref();
            let hand = Hand::new(self.session);
            match hand.steps(&step.act, step.optional, seen, credentials, code.as_deref()).await {
                Ok(leads_on) => {
                    touched = true;
                    if let Act::Fill(_, with) = &step.act {
                        self.password_sent |= with.holds_password();
                        self.code_sent |= with.holds_code();
                    }
                    if leads_on {
                        self.denied |= course.says_no();
                        return Ok(true);
                    }
                }
                Err(why) if step.optional => self.note(&format!("  left out: {why}")),
                Err(why) => return Err(self.failed(&step.act.to_string(), &why)),
            }
        }
    }

    fn failed(&self, what: &str, why: &str) -> SignInError {
        SignInError::NotUnderstoodInBrowser { what: self.hide(&format!("\"{what}\" could not be done: {why}")) }
    }

    /// Keeps what the browser shows, for the diagnosis of a failure: the words, and a picture. What was typed is taken
    /// out of the page before.
    pub(super) async fn show(&self) {
        if let Some(look) = self.look().await {
            for line in look.words().take(60) {
                self.note(&format!("  | {line}"));
            }
        }
        let Some(file) = self.means.diagnosis.beside("png") else { return };
        let emptied = self.session.execute(look::EMPTY, Vec::new()).await.is_ok();
        if !emptied {
            self.note("no picture was taken: what was typed could not be taken out of the page");
            return;
        }
        match self.session.screenshot_as_png().await.map_err(|e| told(&e)) {
            Ok(picture) => match super::super::diagnosis::write(&file, &picture) {
                Ok(()) => self.note(&format!("picture: {}", file.display())),
                Err(error) => self.note(&format!("{} could not be written: {error}", file.display())),
            },
            Err(why) => self.note(&format!("no picture was taken: {why}")),
        }
    }
}
