//! A browser without a window: follows redirects by hand, keeps cookies, reads pages, and stops where an answer leads.

use cookie_store::{CookieStore, RawCookie};
use url::Url;

use super::Landing;
use super::html::{self, FieldKind, Form, PageRead};
use crate::oauth::answer::{Page, PageKind, Returned, origin};
use crate::oauth::request::AuthorizationRequest;
use crate::wire::{Reply, Request, Trouble, Wire};

/// Redirects and pages that one visit may take.
const STEPS: usize = 32;

/// A page where the walk stands.
pub(super) struct Stand {
    pub(super) reply: Reply,
    pub(super) page: PageRead,
}

impl Stand {
    /// The page as an answer.
    pub(super) fn page(&self) -> Page {
        let kind = self.page.kind(self.reply.status);
        Page { status: self.reply.status, kind, says: self.page.says(kind), exchange: Some(self.reply.id) }
    }

    /// Where it stands, without the query, which may hold secrets.
    pub(super) fn place(&self) -> &str {
        self.reply.url.split(['?', '#']).next().unwrap_or_default()
    }
}

/// Where a step led.
pub(super) enum Step {
    /// The end: an answer of the server.
    Landed(Landing),
    /// A page that asks for something.
    Standing(Box<Stand>),
}

/// One walk: a request, a cookie jar, and the steps it took.
pub(super) struct Walk<'a> {
    wire: &'a Wire,
    request: &'a AuthorizationRequest,
    jar: &'a mut CookieStore,
    steps: usize,
}

/// Follows an authorization request with an empty cookie jar and fills in nothing.
pub async fn as_stranger(wire: &Wire, request: &AuthorizationRequest) -> Result<Landing, Trouble> {
    let mut jar = CookieStore::default();
    Ok(match Walk::new(wire, request, &mut jar).start().await? {
        Step::Landed(landing) => landing,
        Step::Standing(stand) => Landing::Page(stand.page()),
    })
}

impl<'a> Walk<'a> {
    pub(super) fn new(wire: &'a Wire, request: &'a AuthorizationRequest, jar: &'a mut CookieStore) -> Self {
        Self { wire, request, jar, steps: 0 }
    }

    /// Makes the authorization request.
    pub(super) async fn start(&mut self) -> Result<Step, Trouble> {
        self.follow(Request::get(self.request.url())).await
    }

    /// Sends a form with these pairs.
    pub(super) async fn submit(&mut self, form: &Form, action: &str, pairs: &[(String, String)]) -> Result<Step, Trouble> {
        if let Some(returned) = self.posted_back(form, action, pairs) {
            return Ok(Step::Landed(returned));
        }
        self.follow(form_request(form.post, action, pairs)).await
    }

    /// Sends, and goes on until something is asked or answered.
    async fn follow(&mut self, first: Request) -> Result<Step, Trouble> {
        let mut request = first;
        loop {
            self.steps += 1;
            if self.steps > STEPS {
                let why = format!("the redirects did not end after {STEPS} steps");
                return Ok(Step::Landed(Landing::NeverCameBack(why)));
            }
            let reply = self.send(&request).await?;
            if reply.is_redirect() {
                let Some(next) = reply.location() else {
                    let page = html::read(&reply.url, "");
                    return Ok(Step::Standing(Box::new(Stand { reply, page })));
                };
                if let Some(landing) = self.landing(&next, &reply) {
                    return Ok(Step::Landed(landing));
                }
                let keeps_body = matches!(reply.status, 307 | 308) && request.body.is_some();
                if keeps_body && origin(&next) != origin(&reply.url) {
                    let why = format!("a {} would have carried the form to another host; it was not followed", reply.status);
                    return Ok(Step::Landed(Landing::NeverCameBack(why)));
                }
                request = if keeps_body { Request { url: next, ..request } } else { Request::get(next) };
                continue;
            }
            let page = html::read(&reply.url, &reply.text());
            if let Some(next) = page.refresh.clone() {
                if let Some(landing) = self.landing(&next, &reply) {
                    return Ok(Step::Landed(landing));
                }
                request = Request::get(next);
                continue;
            }
            // A page that submits itself asks nobody. Without script, its hidden form stands for the same.
            if let Some(form) = page.forms.iter().find(|f| f.is_hidden() && (page.submits_itself || page.forms.len() == 1))
                && reply.status < 400
                && !form.is_consent()
            {
                let pairs = hidden_pairs(form);
                if let Some(landing) = self.posted_back(form, &form.action, &pairs) {
                    return Ok(Step::Landed(match landing {
                        Landing::Returned(returned) => {
                            Landing::Returned(Returned { exchange: Some(reply.id), ..returned })
                        }
                        other => other,
                    }));
                }
                if page.submits_itself {
                    request = form_request(form.post, &form.action, &pairs);
                    continue;
                }
            }
            return Ok(Step::Standing(Box::new(Stand { reply, page })));
        }
    }

    async fn send(&mut self, request: &Request) -> Result<Reply, Trouble> {
        let mut request = request.clone().page();
        let url = Url::parse(&request.url).ok();
        if let Some(url) = &url {
            let cookies: Vec<String> = self.jar.get_request_values(url).map(|(n, v)| format!("{n}={v}")).collect();
            request.headers.retain(|(name, _)| name != "Cookie");
            if !cookies.is_empty() {
                request = request.header("Cookie", cookies.join("; "));
            }
        }
        let reply = self.wire.send(request).await?;
        if let Some(url) = url {
            let set = reply.header_all("set-cookie");
            let cookies: Vec<RawCookie<'static>> =
                set.iter().filter_map(|c| RawCookie::parse(c.clone()).ok()).map(RawCookie::into_owned).collect();
            self.jar.store_response_cookies(cookies.into_iter(), &url);
        }
        Ok(reply)
    }

    /// Whether an address is where the answer goes. It is not visited: the redirect URI may not be ours.
    fn landing(&self, address: &str, reply: &Reply) -> Option<Landing> {
        let returned = || Some(Landing::Returned(Returned::read(address, Some(reply.id))));
        if self.request.is_answered_at(address) {
            return returned();
        }
        let web = Url::parse(address).is_ok_and(|u| ["http", "https"].contains(&u.scheme()));
        if !web {
            return returned();
        }
        let home = [origin(&self.request.endpoint), origin(&reply.url)];
        let abroad = origin(address).is_none_or(|there| !home.iter().flatten().any(|h| *h == there));
        let read = Returned::read(address, None);
        let state = self.request.state();
        let carries = ["code", "access_token", "id_token"].iter().any(|name| read.get(name).is_some())
            || (!state.is_empty() && read.get("state") == Some(state))
            || (read.get("error").is_some() && read.get("state").is_some());
        // Only a redirect URI is told the state or a code; the pages of a login elsewhere have their own.
        if (abroad && carries) || self.asked_for(address) { returned() } else { None }
    }

    /// Whether an address leads to the host of the redirect URI that was asked for, where that is not the server's own.
    fn asked_for(&self, address: &str) -> bool {
        let host = |text: &str| Url::parse(text).ok().and_then(|u| Some((u.host_str()?.to_owned(), u.port_or_known_default())));
        let asked = host(self.request.redirect_uri());
        asked.is_some() && asked == host(address) && asked != host(&self.request.endpoint)
    }

    /// A form that is posted to the redirect URI (`response_mode=form_post`) is an answer as well.
    fn posted_back(&self, form: &Form, action: &str, pairs: &[(String, String)]) -> Option<Landing> {
        let carries = pairs.iter().any(|(n, _)| ["code", "access_token", "id_token", "error"].contains(&n.as_str()));
        let at_client = self.request.is_answered_at(action) || (carries && self.asked_for(action));
        if !at_client {
            return None;
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        // A GET form replaces the query of its action.
        let bare = if form.post { action } else { action.split('?').next().unwrap_or(action) };
        let joint = if bare.contains('?') { '&' } else { '?' };
        let url = format!("{bare}{joint}{}", query.finish());
        Some(Landing::Returned(Returned::read(&url, None)))
    }
}

fn hidden_pairs(form: &Form) -> Vec<(String, String)> {
    let hidden = form.fields.iter().filter(|f| f.kind == FieldKind::Hidden);
    hidden.map(|f| (f.name.clone(), f.value.clone())).collect()
}

fn form_request(post: bool, action: &str, pairs: &[(String, String)]) -> Request {
    if post {
        return match origin(action) {
            // Django and its like look where a form comes from.
            Some(origin) => Request::form(action, pairs).header("Origin", origin).header("Referer", action),
            None => Request::form(action, pairs),
        };
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    Request::get(format!("{}?{}", action.split(['?', '#']).next().unwrap_or(action), query.finish()))
}

/// Whether a page is of a kind that a stranger cannot pass.
pub(super) fn asks(kind: PageKind) -> bool {
    !matches!(kind, PageKind::Error)
}
