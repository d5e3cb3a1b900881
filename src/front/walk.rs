//! A browser without a window: follows redirects by hand, keeps cookies, reads pages, and stops before it follows
//! anything to where the answer is to be sent.

use http::Method;
use url::{Origin, Url, form_urlencoded};

use super::Landing;
use super::album::Album;
use super::html::{Field, Form, Onward, Sheet, Verb};
use super::jar::Jar;
use crate::oauth::answer::{Page, PageKind, Returned};
use crate::oauth::request::{AuthorizationRequest, same_place};
use crate::oauth::secret::Secret;
use crate::wire::guard::is_loopback_url;
use crate::wire::{ExchangeId, Reply, Request, Trouble, Wire};

/// Redirects from one page to the next.
const MOST_HOPS: usize = 20;
/// Pages in one visit.
const MOST_PAGES: usize = 12;
/// Seconds of a refresh that are waited for, without waiting.
const LONGEST_REFRESH: u32 = 10;

/// Follows an authorization request with an empty cookie jar and fills in nothing. Pages on the way go into the album.
pub async fn as_stranger(
    wire: &Wire,
    request: &AuthorizationRequest,
    album: Option<&Album>,
) -> Result<Landing, Trouble> {
    let mut jar = Jar::default();
    let mut walker = Walker::new(wire, request, &mut jar, None).keeping(album);
    Ok(match walker.go(Step::visit(request.url())).await? {
        Stop::Landed(landing) => landing,
        Stop::At(sight) => Landing::Page(sight.page),
    })
}

/// Whether a stranger's ordinary request leads to a page that has scripts and nothing to fill in, and that no steps are
/// written down for.
pub(super) async fn lacks_form(wire: &Wire, request: &AuthorizationRequest, script: &super::steps::Script) -> bool {
    let mut jar = Jar::default();
    let ended = Walker::new(wire, request, &mut jar, None).go(Step::visit(request.url())).await;
    let Ok(Stop::At(sight)) = ended else { return false };
    sight.page.kind == PageKind::Unknown
        && sight.sheet.scripts
        && script.page(&sight.url).is_none()
        && super::fill::code_form(&sight.sheet).is_none()
        && super::fill::consent(&sight.sheet).is_none()
}

/// What is to be requested next. It may hold the password.
#[derive(Clone)]
pub(super) struct Step {
    method: Method,
    url: String,
    /// The fields of a form that is posted.
    fields: Option<Vec<(String, String)>>,
    multipart: bool,
    /// The fields hold the password.
    secret: bool,
    /// The page it is requested from.
    from: Option<String>,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Step({} {})", self.method, place(&self.url))
    }
}

impl Step {
    /// An address.
    pub(super) fn visit(url: impl Into<String>) -> Self {
        let url = url.into();
        Self { method: Method::GET, url, fields: None, multipart: false, secret: false, from: None }
    }

    /// A form, sent with a button or without.
    pub(super) fn send(form: &Form, button: Option<&Field>, fields: Vec<(String, String)>) -> Self {
        let action = button.and_then(|b| b.action.clone()).unwrap_or_else(|| form.action.clone());
        let (method, url, fields) = match button.and_then(|b| b.verb).unwrap_or(form.verb) {
            Verb::Post => (Method::POST, action, Some(fields)),
            // The fields take the place of the query.
            Verb::Get => (Method::GET, with_query(action.split(['?', '#']).next().unwrap_or_default(), &fields), None),
        };
        Self { method, url, fields, multipart: form.multipart, secret: false, from: None }
    }

    /// The same, coming from a page.
    pub(super) fn from(mut self, page: &str) -> Self {
        self.from = Some(page.to_owned());
        self
    }

    /// The same, marked as one that hands out the password.
    pub(super) fn holding_secret(mut self, secret: bool) -> Self {
        self.secret = secret;
        self
    }

    /// Whether it goes over the network unencrypted.
    pub(super) fn is_plain(&self) -> bool {
        self.url.starts_with("http:") && !is_loopback_url(&self.url)
    }

    /// The address with everything that would arrive there.
    pub(super) fn arriving(&self) -> String {
        match &self.fields {
            Some(fields) => with_query(&self.url, fields),
            None => self.url.clone(),
        }
    }

    /// The step that a redirect asks for, by the rules of the fetch standard.
    fn redirected(mut self, status: u16, to: String) -> Self {
        self.url = to;
        let to_get = status == 303 || (matches!(status, 301 | 302) && self.method == Method::POST);
        if to_get {
            self.method = Method::GET;
            self.fields = None;
            self.secret = false;
        }
        self
    }

    fn request(&self, jar: &Jar) -> Request {
        let mut request = Request::new(self.method.clone(), &self.url).page();
        if let Some(fields) = &self.fields {
            request = match self.multipart {
                true => multipart(request, fields),
                false => {
                    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                    request.bytes("application/x-www-form-urlencoded", body.into_bytes())
                }
            };
        }
        if let Some(from) = self.from.as_deref().and_then(|f| Url::parse(f).ok()) {
            let home = from.origin().ascii_serialization();
            if self.method == Method::POST {
                request = request.header("Origin", &home);
            }
            let same = origin(&self.url).is_some_and(|o| o == from.origin());
            let referer = if same { String::from(from) } else { format!("{home}/") };
            request = request.header("Referer", referer.split('#').next().unwrap_or_default());
        }
        if let Some(cookies) = jar.header(&self.url) {
            request = request.header("Cookie", cookies);
        }
        request
    }
}

/// Where the walker stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// At the end of the visit.
    Landed(Landing),
    /// At a page that somebody has to act on.
    At(Box<Sight>),
}

/// A page, for somebody who can fill it in.
#[derive(Debug)]
pub(super) struct Sight {
    /// What was read.
    pub(super) sheet: Sheet,
    /// What is told of it.
    pub(super) page: Page,
    /// Where it came from.
    pub(super) url: String,
}

/// One visit under way.
pub(super) struct Walker<'a> {
    wire: &'a Wire,
    request: &'a AuthorizationRequest,
    jar: &'a mut Jar,
    password: Option<&'a Secret>,
    last: Option<ExchangeId>,
    pages: usize,
    /// Where other servers, which the login was left to, were asked to answer.
    relays: Vec<String>,
    /// Where pages are kept.
    album: Option<&'a Album>,
}

impl<'a> Walker<'a> {
    /// Sets out with a jar. The password is known only to be kept out of quotations.
    pub(super) fn new(
        wire: &'a Wire,
        request: &'a AuthorizationRequest,
        jar: &'a mut Jar,
        password: Option<&'a Secret>,
    ) -> Self {
        Self { wire, request, jar, password, last: None, pages: 0, relays: Vec::new(), album: None }
    }

    /// The same with an album for the pages on the way.
    pub(super) fn keeping(mut self, album: Option<&'a Album>) -> Self {
        self.album = album;
        self
    }

    /// Makes a step and everything that follows of it without anybody's hand.
    pub(super) async fn go(&mut self, mut step: Step) -> Result<Stop, Trouble> {
        let mut hops = 0;
        loop {
            // The first request of all goes to the authorization endpoint, whatever redirect URI is asked for.
            if self.last.is_some() && self.is_landing(&step.arriving()) {
                return Ok(Stop::Landed(self.landed(&step)));
            }
            self.note_relay(&step.url);
            let reply = match self.wire.send(step.request(self.jar)).await {
                Ok(reply) => reply,
                Err(trouble) => return Err(Trouble { why: self.hide(&trouble.why), ..trouble }),
            };
            self.last = Some(reply.id);
            self.jar.keep(&reply);
            if reply.is_redirect() {
                hops += 1;
                step = match self.follow(step, &reply, hops) {
                    Ok(next) => next,
                    Err(why) => return Ok(Stop::Landed(Landing::NeverCameBack(why))),
                };
                continue;
            }
            hops = 0;
            self.pages += 1;
            let sight = self.look(&reply);
            step = match self.onward(&sight) {
                Some(_) if self.pages >= MOST_PAGES => {
                    let why =
                        format!("after {MOST_PAGES} pages the server still led on, last at {}", place(&sight.url));
                    return Ok(Stop::Landed(Landing::NeverCameBack(why)));
                }
                Some(next) => next.from(&sight.url),
                None => return Ok(Stop::At(Box::new(sight))),
            };
        }
    }

    /// Whether another page would be too many.
    pub(super) fn is_tired(&self) -> bool {
        self.pages >= MOST_PAGES
    }

    /// The text without anything that must not be shown.
    pub(super) fn hide(&self, text: &str) -> String {
        let text = self.wire.vault().redact(text).into_owned();
        // The vault leaves very short values alone; a page that quotes the password must not.
        match self.password.map(Secret::expose).filter(|p| !p.is_empty()) {
            Some(password) => text.replace(password, "{password}"),
            None => text,
        }
    }

    fn follow(&self, step: Step, reply: &Reply, hops: usize) -> Result<Step, String> {
        let here = place(&reply.url);
        let Some(to) = reply.location() else {
            return Err(format!("{here} answered {} with a Location that is no URL", reply.status));
        };
        if hops > MOST_HOPS {
            return Err(format!(
                "the server redirected more than {MOST_HOPS} times, last from {here} to {}",
                place(&to)
            ));
        }
        let next = step.redirected(reply.status, to);
        if next.secret && origin(&next.url) != origin(&reply.url) {
            return Err(format!(
                "{here} answered the login form with {}, which would hand the password on to another origin ({}); it was not followed",
                reply.status,
                place(&next.url),
            ));
        }
        Ok(next)
    }

    fn note_relay(&mut self, address: &str) {
        self.relays.extend(relay(self.request, address));
    }

    fn landed(&self, step: &Step) -> Landing {
        if step.secret {
            let why = format!("a form with the password in it is to be sent to {}; it was not sent", place(&step.url));
            return Landing::NeverCameBack(why);
        }
        Landing::Returned(Returned::read(&step.arriving(), self.last))
    }

    fn look(&self, reply: &Reply) -> Sight {
        let sheet = Sheet::of(reply);
        let kind = sheet.kind(reply.status);
        let says = sheet.says(kind, |text| self.hide(text));
        let page = Page { status: reply.status, kind, says, exchange: Some(reply.id) };
        if let Some(album) = self.album {
            album.keep(&page, reply);
        }
        Sight { sheet, page, url: reply.url.clone() }
    }

    fn is_landing(&self, address: &str) -> bool {
        is_landing(self.request, &self.relays, address)
    }

    fn carries_answer(&self, arrived: &Returned, names: &[&str]) -> bool {
        carries_answer(self.request, arrived, names)
    }

    /// The step that a page takes by itself.
    fn onward(&self, sight: &Sight) -> Option<Step> {
        let (sheet, kind) = (&sight.sheet, sight.page.kind);
        let asks = matches!(kind, PageKind::Login | PageKind::Consent);
        let answers = |to: &str| {
            let names = ["code", "access_token", "id_token", "error"];
            self.is_landing(to) && self.carries_answer(&Returned::read(to, None), &names)
        };
        let automatic = sheet.onward.iter().find_map(|onward| {
            let (step, goes) = match onward {
                Onward::Form(at) => {
                    let form = sheet.forms.get(*at)?;
                    let step = Step::send(form, None, super::fill::untouched(form));
                    let goes = kind != PageKind::Error || self.is_landing(&step.arriving());
                    (step, goes)
                }
                Onward::Refresh { wait, to } => {
                    let idle = !asks || (*wait == 0 && kind != PageKind::Login);
                    let goes = *wait <= LONGEST_REFRESH && (self.is_landing(to) || (idle && kind != PageKind::Error));
                    (Step::visit(to), goes)
                }
                // Whether a script runs is unknown: it is believed if it brings the answer, or if there is nothing else.
                Onward::Script { to } => {
                    let empty = kind == PageKind::Unknown && sheet.forms.is_empty() && sheet.blocks.is_empty();
                    (Step::visit(to), !asks && (answers(to) || empty))
                }
                Onward::Told { to } => (Step::visit(to), sight.page.status < 300 && answers(to)),
            };
            goes.then_some(step)
        });
        // "Return to the application": a link that holds the code. One without is a way to give up.
        automatic.or_else(|| {
            let holds = |to: &str| {
                ["code", "access_token", "id_token"].iter().any(|n| Returned::read(to, None).get(n).is_some())
            };
            let link = sheet.links.iter().find(|(to, _)| !asks && holds(to) && self.is_landing(to))?;
            Some(Step::visit(&link.0))
        })
    }
}

/// Whether an address is where the answer goes, or one that an answer is sent to by mistake.
pub(super) fn is_landing(request: &AuthorizationRequest, relays: &[String], address: &str) -> bool {
    if request.is_answered_at(address) {
        return true;
    }
    let Ok(url) = Url::parse(address) else { return false };
    if !matches!(url.scheme(), "http" | "https") {
        return true;
    }
    let target = url.origin();
    if origin(&request.endpoint).is_some_and(|home| home == target) {
        return false;
    }
    let client = &request.client;
    let callbacks = [request.redirect_uri(), &client.redirect_uri];
    let callbacks = callbacks.into_iter().chain(client.https_redirect_uri.as_deref());
    if callbacks.filter_map(origin).any(|o| o == target) {
        return true;
    }
    if relays.iter().any(|relay| same_place(relay, address)) {
        return false;
    }
    // A request that is passed on to a login page elsewhere carries the state as well, and is no answer.
    let arrived = Returned::read(address, None);
    let is_request = arrived.get("response_type").is_some() && arrived.get("client_id").is_some();
    !is_request && carries_answer(request, &arrived, &["code", "access_token", "id_token"])
}

fn carries_answer(request: &AuthorizationRequest, arrived: &Returned, names: &[&str]) -> bool {
    let state = request.state();
    let values = arrived.query.iter().chain(&arrived.fragment);
    (!state.is_empty() && values.into_iter().any(|(_, v)| v == state)) || names.iter().any(|n| arrived.get(n).is_some())
}

/// A login that is left to another server brings a code as well: one for the authorization server, not for us. This is
/// where it goes, if an address asks for one.
pub(super) fn relay(request: &AuthorizationRequest, address: &str) -> Option<String> {
    let sent = Returned::read(address, None);
    let theirs = sent.get("response_type").is_some() && sent.get("client_id").is_some_and(|c| c != request.client.id);
    sent.get("redirect_uri").filter(|_| theirs).map(str::to_owned)
}

/// An address without query and fragment, which may hold secrets.
pub(super) fn place(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

fn origin(address: &str) -> Option<Origin> {
    Url::parse(address).ok().map(|u| u.origin())
}

fn with_query(address: &str, pairs: &[(String, String)]) -> String {
    let address = address.split('#').next().unwrap_or_default();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let joint = if address.contains('?') { '&' } else { '?' };
    if query.is_empty() { address.to_owned() } else { format!("{address}{joint}{query}") }
}

fn multipart(request: Request, fields: &[(String, String)]) -> Request {
    // Parts are told apart by a line that occurs in none of them.
    let boundary = crate::oauth::pkce::random_text(24);
    let mut body = String::new();
    for (name, value) in fields {
        let name = name.replace('"', "%22").replace(['\r', '\n'], " ");
        body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    request.bytes(&format!("multipart/form-data; boundary={boundary}"), body.into_bytes())
}

#[cfg(test)]
mod tests;
