//! The HTTP face of the listener: reads requests of a browser into answers, and renders the one page.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};
use url::form_urlencoded;

use super::door::Place;
use super::visit::{Delivered, Extent, is_answer};
use super::{AnomalyKind, HANDED_ON, Shared, cockpit};
use crate::oauth::answer::Returned;
use crate::oauth::pkce::random_text;

const PAGE: &str = include_str!("../callback.html");

/// Where a browser tells who makes it ask (Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where the cockpit's own addresses begin.
const COCKPIT: &str = "/cockpit/";

/// Bytes of a posted body that are read.
const LARGEST: usize = 128 << 10;

/// For a posted body to arrive.
const BODY: Duration = Duration::from_secs(10);

/// What is kept of a posted form (RFC 6749, RFC 9207, OpenID Connect, JARM): a login form that was redirected here must
/// leave nothing behind.
const RESPONSE_PARAMETERS: [&str; 13] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "id_token",
    "session_state",
    "response",
];

/// Servers are asked to redirect to odd addresses as well: every path but our own may turn out to be a callback.
pub(super) async fn answer(shared: &Arc<Shared>, request: Request) -> Response {
    let Some(host) = our_host(shared, &request) else {
        shared.change(|s| s.note(AnomalyKind::ForeignHost, "a request for another host than 127.0.0.1".into()));
        return plain(StatusCode::BAD_REQUEST, "This address is not served here.");
    };
    let path = request.uri().path().to_owned();
    let address = format!("http://{host}{}", request.uri().path_and_query().map_or("/", |p| p.as_str()));
    let returned = Returned::read(&address, None);
    let (get, post) = (request.method() == Method::GET, request.method() == Method::POST);
    // What only our own pages lead to. Where answers arrive, other sites are expected.
    let ours = matches!(path.as_str(), "/next" | "/window") || path.starts_with(COCKPIT);
    if ours && is_foreign(&host, &request) {
        return plain(StatusCode::FORBIDDEN, "Pages of other sites are not answered here.");
    }
    match path.as_str() {
        "/next" if post => next(shared, request).await,
        "/window" if get => window(shared),
        _ if path.starts_with(COCKPIT) => cockpit::answer(shared, &path[COCKPIT.len()..], request).await,
        "/next" | "/window" => plain(StatusCode::METHOD_NOT_ALLOWED, "This is not asked so."),
        "/" if !get && !is_answer(&returned) => plain(StatusCode::METHOD_NOT_ALLOWED, "GET is served here."),
        _ if post => posted(shared, returned, request).await,
        _ if !get => plain(StatusCode::METHOD_NOT_ALLOWED, "GET and POST are served here."),
        "/" if !is_answer(&returned) => cockpit::page(shared),
        _ => {
            let asked = path == "/callback" || !returned.query.is_empty();
            arrived(shared, returned, if asked { StatusCode::OK } else { StatusCode::NOT_FOUND }).0
        }
    }
}

/// The `Host` of a request, if it is ours: another one is a foreign name that was made to resolve to this machine. A
/// request that carries a whole address must mean the same by it.
fn our_host(shared: &Shared, request: &Request) -> Option<String> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    let host = host.to_str().ok()?.to_ascii_lowercase();
    let (name, port) = host.rsplit_once(':').unwrap_or((&host, "80"));
    let ours = matches!(name, "127.0.0.1" | "localhost" | "[::1]") && port == shared.port.to_string();
    let meant = request.uri().authority().is_none_or(|meant| meant.as_str().eq_ignore_ascii_case(&host));
    (ours && meant).then_some(host)
}

/// Whether a page of another site asks, as far as the browser tells. An origin that is `null` tells nothing: some write
/// it under our own referrer policy. The type of a body keeps such a page out in any case.
fn is_foreign(host: &str, request: &Request) -> bool {
    let header = |name| request.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("unreadable"));
    match (header(FETCH_SITE), header(ORIGIN)) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin != "null" && origin.strip_prefix("http://") != Some(host),
        (None, None) => false,
    }
}

/// Reads a body: in time, and no more than that many bytes.
pub(super) async fn read(request: Request, most: usize) -> Result<Bytes, Response> {
    match timeout(BODY, to_bytes(request.into_body(), most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(plain(StatusCode::PAYLOAD_TOO_LARGE, "This is too large.")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "This took too long.")),
    }
}

/// What the second window begins with: it leads to the visit that waits, even if another window took the hop and lost it.
fn window(shared: &Shared) -> Response {
    let hop = shared.change(|s| {
        let visit = s.visit.as_mut().filter(|v| v.arrived.is_none())?;
        visit.taken = None;
        Some(visit.url.clone())
    });
    let link = hop.map(|url| format!("<a rel=\"noreferrer\" href=\"{}\">go to the server</a>", escape(&url)));
    let said = match link {
        Some(_) => "Leading you to the server that is audited. Sign in and allow there; the rest should run by itself.",
        None => "Nothing is to be done at the moment. Keep this window open.",
    };
    let detail = link.as_ref().map(|link| format!("<p>If nothing happens: {link}.</p>")).unwrap_or_default();
    page(shared, StatusCode::OK, said, &detail, &link.unwrap_or_else(|| "reload this page".into()))
}

/// An answer in the query: the page's script reports the fragment, if there is one. Tells also whether it is an answer to
/// one of our requests.
fn arrived(shared: &Shared, returned: Returned, status: StatusCode) -> (Response, bool) {
    let seen = returned.clone();
    let delivered = shared.change(|s| s.deliver(returned, Extent::Query));
    let said = match (delivered, is_answer(&seen)) {
        (Delivered::First, _) => "The answer arrived. Keep this window open: the next step follows by itself.",
        (Delivered::Again, _) => {
            "An answer to this request had arrived already, and the first is counted. Keep this window open: the next \
             step follows by itself."
        }
        (Delivered::Foreign, true) => "This answer belongs to no request that is waiting, so it is not counted.",
        (Delivered::Foreign, false) => "Keep this window open: the next step follows by itself.",
    };
    let ours = delivered != Delivered::Foreign;
    // Only an answer to our own request is quoted: a link from elsewhere shall not speak on this page.
    let detail = seen.get("error").filter(|_| ours).map(|error| {
        let error = quote(error);
        match seen.get("error_description") {
            Some(text) => format!("<p>The server says: <strong>{error}</strong> ({})</p>", quote(text)),
            None => format!("<p>The server says: <strong>{error}</strong></p>"),
        }
    });
    (page(shared, status, said, &detail.unwrap_or_default(), "<a href=\"/\">go on</a>"), ours)
}

/// A POST to the callback: an answer by `form_post`, or a login form that was redirected here with its content.
async fn posted(shared: &Shared, mut returned: Returned, request: Request) -> Response {
    // What is noted goes into the report, so a stranger's form is none of it.
    let note = |kind, what: &str| shared.change(|s| s.note(kind, what.into()));
    if is_answer(&returned) || returned.get("state").is_some() {
        drop(request);
        let (response, ours) = arrived(shared, returned, StatusCode::OK);
        if ours {
            note(AnomalyKind::BodyBesideAnswer, HANDED_ON);
        }
        return response;
    }
    if !is_type(&request, "application/x-www-form-urlencoded") {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A form is expected here.");
    }
    let body = match read(request, LARGEST).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let (kept, other): (Vec<_>, Vec<_>) =
        form_urlencoded::parse(&body).into_owned().partition(|(name, _)| RESPONSE_PARAMETERS.contains(&name.as_str()));
    let holds_password = other.iter().any(|(name, _)| is_password(name));
    drop((body, other));
    returned.query.extend(kept);
    let (response, ours) = arrived(shared, returned, StatusCode::OK);
    if ours && holds_password {
        note(
            AnomalyKind::PasswordInForm,
            "a form with a password field was posted to the redirect URI; nothing but the parameters of an answer was kept",
        );
    }
    response
}

fn is_password(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd"].iter().any(|part| name.contains(part))
}

/// A page asks where to go. The type of the body keeps pages of other origins out: they would need a permission that
/// is never given.
async fn next(shared: &Shared, request: Request) -> Response {
    if !is_type(&request, "application/json") {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON is expected here.");
    }
    let place = request.extensions().get::<Place>().cloned();
    let body = match read(request, LARGEST).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let Ok(question) = serde_json::from_slice::<Value>(&body) else {
        return plain(StatusCode::BAD_REQUEST, "This is not JSON.");
    };
    place.iter().for_each(Place::keep);
    let page = question["page"].as_str().unwrap_or_default();
    let answered = question["href"].as_str().is_some_and(|href| is_answer(&Returned::read(href, None)));
    let deadline = Instant::now() + shared.clocks.poll;
    let mut changes = shared.changes.subscribe();
    shared.change(|s| {
        s.asked = true;
        if let Some(href) = question["href"].as_str() {
            s.deliver(Returned::read(href, None), Extent::Whole);
        }
        s.is_asked_again(page);
    });
    loop {
        // Marked as seen first: what changes while we look must wake us.
        changes.borrow_and_update();
        let (hop, ended, tabs) = shared.with(|s| (s.hand_out(page), s.ended || s.board.is_over(), s.board.told.tabs));
        let mut reply = match hop {
            Some(url) => json!({ "next": url }),
            // Where each step has a tab of its own, this one has done its work.
            None if ended || (tabs && answered) => json!({ "end": true }),
            None => match timeout_at(deadline, changes.changed()).await {
                Ok(_) => continue,
                Err(_) => json!({ "wait": true }),
            },
        };
        if reply.get("next").is_some() {
            // The visit waits for this.
            shared.change(|_| ());
        }
        reply["progress"] = progress(shared).into();
        return dressed(StatusCode::OK, "application/json", "default-src 'none'", reply.to_string());
    }
}

pub(super) fn is_type(request: &Request, wanted: &str) -> bool {
    let given = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

fn progress(shared: &Shared) -> String {
    match shared.with(|s| s.board.progress) {
        (_, 0) => String::new(),
        (n, m) => format!("Step {n} of {m}"),
    }
}

/// The page. `detail` and `link` are HTML, `said` is text.
fn page(shared: &Shared, status: StatusCode, said: &str, detail: &str, link: &str) -> Response {
    let nonce = random_text(16);
    let filled = filled(PAGE, |name| match name {
        "nonce" => nonce.clone(),
        "said" => escape(said),
        "progress" => escape(&progress(shared)),
        "detail" => detail.to_owned(),
        "link" => link.to_owned(),
        other => unreachable!("the page asks for {other}"),
    });
    html(status, &nonce, "", filled)
}

/// A page with what it asks for put in, in one pass, so that nothing put in is looked at again.
pub(super) fn filled(page: &str, put: impl Fn(&str) -> String) -> String {
    let mut html = String::with_capacity(page.len() + 512);
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("the page closes what it opens");
        html.push_str(before);
        html.push_str(&put(name));
        rest = after;
    }
    html.push_str(rest);
    html
}

/// A page of ours: it loads nothing, and runs what stands in it alone. `further` goes into its policy.
pub(super) fn html(status: StatusCode, nonce: &str, further: &str, html: String) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; {further}connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    dressed(status, "text/html; charset=utf-8", &policy, html)
}

pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    dressed(status, "text/plain; charset=utf-8", "default-src 'none'; frame-ancestors 'none'", text.to_owned())
}

/// Every answer wears the same headers. No cookies: the audited server would get them. No COOP: it would cut windows.
pub(super) fn dressed(status: StatusCode, kind: &'static str, policy: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let policy = HeaderValue::from_str(policy).expect("a policy is made of visible ASCII");
    let fixed: [(HeaderName, &'static str); 4] = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Text of the server: short, without control characters, and as text.
fn quote(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    escape(&text)
}

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
