//! A request as it is to be sent, byte for byte, and the answer to it.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use url::Url;
use url::form_urlencoded;

use super::{ExchangeId, Trouble, TroubleKind};

/// What may hold a secret: wiped when it is dropped.
pub type Wiped = Zeroizing<Vec<u8>>;

/// Who we look like. Pages are asked for as a browser would, endpoints as a program would: some servers answer JSON
/// where a browser gets a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dress {
    /// A browser that navigates.
    Page,
    /// A program that wants JSON.
    Endpoint,
}

/// Our name towards the target.
pub const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; oaudit/", env!("CARGO_PKG_VERSION"), ")");

/// Bytes of an answer to a form: token endpoints and their like have no more to say, and every token in it is
/// remembered to be kept out of the report.
const LONGEST_FORM_ANSWER: usize = 128 << 10;

/// A request. Parameters are pairs, so that they can be repeated; a body is bytes, so that it can be malformed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address, as given.
    pub url: String,
    /// Headers beside those of the dress; a name may stand twice, a value may be any bytes.
    pub headers: Vec<(String, Wiped)>,
    /// The body.
    pub body: Option<Wiped>,
    /// Who we look like.
    pub dress: Dress,
    /// Bytes of the answer's body that are read, if fewer than the limit for all.
    pub most: usize,
    /// Whether it can only fail, so that a second one changes nothing.
    pub probe: bool,
}

impl Request {
    /// A request of any method.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            dress: Dress::Endpoint,
            most: usize::MAX,
            probe: false,
        }
    }

    /// A GET of an endpoint.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST of a form to an endpoint.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(url: impl Into<String>, pairs: &[(K, V)]) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            body.append_pair(name.as_ref(), value.as_ref());
        }
        let form = Self::new(Method::POST, url).bytes("application/x-www-form-urlencoded", body.finish().into_bytes());
        form.reading(LONGEST_FORM_ANSWER)
    }

    /// A POST of JSON to an endpoint.
    pub fn json(url: impl Into<String>, value: &Value) -> Self {
        Self::new(Method::POST, url).bytes("application/json", value.to_string().into_bytes())
    }

    /// The same with a body of any bytes.
    #[must_use]
    pub fn bytes(mut self, content_type: &str, body: impl Into<Wiped>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    /// The same with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec().into()));
        self
    }

    /// The same with a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// The same, of whose answer no more is read than this many bytes.
    #[must_use]
    pub fn reading(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// The same, which can only fail: what it names does not exist.
    #[must_use]
    pub fn probe(mut self) -> Self {
        self.probe = true;
        self
    }

    /// The same, asked for as a browser would.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.dress = Dress::Page;
        self.most = usize::MAX;
        self
    }

    /// Whether sending it twice is the same as sending it once: documents and calls by GET, and what can only fail. An
    /// authorization request is a GET as well, but a page, and may bring a second code; an assertion of the client is
    /// good for once (RFC 7523 section 3).
    pub(super) fn changes_nothing(&self) -> bool {
        let asserts = |body: &Wiped| body.windows(17).any(|part| part == b"client_assertion=");
        match self.probe {
            true => !self.body.as_ref().is_some_and(asserts),
            false => self.method.is_safe() && self.dress == Dress::Endpoint,
        }
    }

    /// The first header of ours that HTTP cannot carry: a token with a line break in it.
    pub(super) fn unsendable(&self) -> Option<&str> {
        let fits = |(name, value): &&(String, Wiped)| {
            HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::from_bytes(value).is_ok()
        };
        self.headers.iter().find(|header| !fits(header)).map(|(name, _)| name.as_str())
    }

    /// All headers, ours and those of the dress.
    pub(super) fn header_map(&self, extra: &[(String, String)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        let mut put = |name: &str, value: &[u8]| {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
                map.append(name, value);
            }
        };
        let own = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let dress: &[(&str, &str)] = match self.dress {
            Dress::Page => &[
                ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                ("accept-language", "en"),
                ("upgrade-insecure-requests", "1"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            Dress::Endpoint => &[("accept", "application/json")],
        };
        put("user-agent", USER_AGENT.as_bytes());
        for (name, value) in dress.iter().filter(|(name, _)| !own(name)) {
            put(name, value.as_bytes());
        }
        for (name, value) in extra.iter().filter(|(name, _)| !own(name)) {
            put(name, value.as_bytes());
        }
        for (name, value) in &self.headers {
            put(name, value);
        }
        map
    }
}

/// The answer. It holds secrets; what may be shown is the exchange of the same id in the ledger.
#[derive(Clone)]
pub struct Reply {
    /// The record in the ledger.
    pub id: ExchangeId,
    /// Where it came from.
    pub url: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to the limit.
    pub body: Wiped,
    /// Whether the body was longer than the limit.
    pub truncated: bool,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Every value of a header, bytes that are no text replaced.
    pub fn header_all(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).collect()
    }

    /// The media type, lower case, without parameters.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it is a redirect that a browser follows: a 3xx that carries `Location`.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308) && self.headers.contains_key("location")
    }

    /// Where a redirect leads, resolved against where it came from.
    pub fn location(&self) -> Option<String> {
        let value = String::from_utf8_lossy(self.headers.get("location")?.as_bytes()).into_owned();
        match Url::parse(&value) {
            // Kept as it was sent: parsing and printing changes what is compared later.
            Ok(_) => Some(value),
            Err(_) => Url::parse(&self.url).ok()?.join(&value).ok().map(String::from),
        }
    }

    /// The body as text, bytes that are no UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, whatever the media type says; of an event stream, its first data event.
    pub fn json(&self) -> Option<Value> {
        if self.media_type() == "text/event-stream" {
            return serde_json::from_str(&data_event(&self.text())?).ok();
        }
        serde_json::from_slice(&self.body).ok()
    }
}

/// Whether a whole event with data has arrived.
pub(super) fn has_data_event(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n");
    text.rsplit_once("\n\n").is_some_and(|(whole, _)| data_event(whole).is_some())
}

/// The first event of a stream that carries data.
fn data_event(text: &str) -> Option<String> {
    text.replace("\r\n", "\n").split("\n\n").find_map(|event| {
        let lines: Vec<&str> =
            event.lines().filter_map(|l| l.strip_prefix("data:")).map(|l| l.strip_prefix(' ').unwrap_or(l)).collect();
        let data = lines.join("\n");
        (!data.trim().is_empty()).then_some(data)
    })
}

/// An http(s) URL.
pub(crate) fn address(text: &str) -> Result<Url, Trouble> {
    let url = Url::parse(text)
        .map_err(|e| Trouble::new(TroubleKind::NotAUrl, format!("{} is not a URL: {e}", without_query(text))))?;
    match url.scheme() {
        "http" | "https" if url.host_str().is_some() => Ok(url),
        other => Err(Trouble::new(
            TroubleKind::NotAUrl,
            format!("{} is not an http or https URL (its scheme is {other})", without_query(text)),
        )),
    }
}

/// An address as far as a reader needs it in a message: the query of an authorization request is longer than the rest.
pub(super) fn without_query(url: &str) -> Cow<'_, str> {
    const ENOUGH: usize = 200;
    let place = url.split(['?', '#']).next().unwrap_or_default();
    match place.char_indices().nth(ENOUGH) {
        Some((at, _)) => Cow::Owned(format!("{}…", &place[..at])),
        None => Cow::Borrowed(place),
    }
}

/// How it begins where nobody was there.
pub(super) const NOBODY: &str = "nothing answers at";

/// What reqwest's error means for the reader.
pub(super) fn trouble(url: &str, error: &reqwest::Error) -> Trouble {
    let mut causes = Vec::new();
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let all = causes.join(": ");
    let last = causes.last().cloned().unwrap_or_else(|| error.to_string());
    let host = Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
    let (lower, url) = (all.to_ascii_lowercase(), without_query(url));
    if lower.contains(super::guard::REFUSAL) {
        return Trouble::new(TroubleKind::Guarded, last);
    }
    if lower.contains("dns error") || lower.contains("failed to lookup") || lower.contains("name or service") {
        return Trouble::new(TroubleKind::NoSuchHost, format!("the host {host} does not resolve"));
    }
    if ["certificate", "tls", "handshake", "corrupt message", "invalidcertificate", "fatal alert"]
        .iter()
        .any(|w| lower.contains(w))
    {
        // What rustls says of an answer in plain HTTP.
        let plain = lower.contains("invalidcontenttype");
        let last = if plain { "the answer is not TLS; perhaps the port speaks plain http".to_owned() } else { last };
        return Trouble::new(TroubleKind::Tls, format!("TLS with {host} failed: {last}"));
    }
    if error.is_timeout() {
        return Trouble::new(TroubleKind::TimedOut, format!("{url} gave no answer in time"));
    }
    if error.is_connect() {
        return Trouble::new(TroubleKind::Refused, format!("{NOBODY} {url}: {last}"));
    }
    let cut = ["reset", "closed", "broken pipe", "eof", "end of file", "incomplete message"];
    if cut.iter().any(|words| lower.contains(words)) {
        return Trouble::new(TroubleKind::Refused, format!("{url} cut the connection: {last}"));
    }
    Trouble::new(TroubleKind::Garbled, format!("{url} did not answer in HTTP: {last}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An answer, as a literal.
    pub(crate) fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        Reply {
            id: ExchangeId(1),
            url: "https://as.example/".into(),
            status,
            headers: headers.iter().map(|(n, v)| (HeaderName::from_static(n), v.parse().expect("a literal"))).collect(),
            body: body.as_bytes().to_vec().into(),
            truncated: false,
        }
    }

    #[test]
    fn an_event_stream_is_read_as_its_first_data_event() {
        let stream = reply(200, &[("content-type", "text/event-stream")], ": hi\n\ndata: {\"a\":\ndata: 1}\n\n");
        assert_eq!(stream.json(), Some(serde_json::json!({"a": 1})));
        assert_eq!(reply(200, &[], "data: {}").json(), None);
    }
}
