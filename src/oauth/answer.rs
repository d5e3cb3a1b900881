//! What became of an authorization request: where the browser ended, and what it brought.

use std::sync::Arc;

use url::Url;
use url::form_urlencoded;

use super::request::AuthorizationRequest;
use super::secret::Secret;
use super::token::{Code, Grant, Latest};
use crate::wire::ExchangeId;

/// What a page of the server looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// It asks for a password, or for a user name.
    Login,
    /// It asks for a decision.
    Consent,
    /// It says that something is wrong: a 4xx or 5xx, or a text that names an OAuth error.
    Error,
    /// None of these could be made out.
    Unknown,
}

/// A page of the server where the browser ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its status.
    pub status: u16,
    /// What it looks like.
    pub kind: PageKind,
    /// Its title or first words, for the reader.
    pub says: String,
    /// The exchange that brought it, if we saw it.
    pub exchange: Option<ExchangeId>,
}

impl Page {
    /// `an error page (400, "Unknown client")`.
    pub fn describe(&self) -> String {
        let kind = match self.kind {
            PageKind::Login => "a login page",
            PageKind::Consent => "a consent page",
            PageKind::Error => "an error page",
            PageKind::Unknown => "a page that could not be made out",
        };
        match self.says.is_empty() {
            true => format!("{kind} ({})", self.status),
            false => format!("{kind} ({}, \"{}\")", self.status, self.says),
        }
    }
}

/// What arrived at a redirect URI.
#[derive(Debug, Clone)]
pub struct Returned {
    /// The whole address, as it was sent.
    pub url: String,
    /// The parameters of the query, or of a form that was posted.
    pub query: Vec<(String, String)>,
    /// The parameters of the fragment.
    pub fragment: Vec<(String, String)>,
    /// The exchange that brought it, if we saw it.
    pub exchange: Option<ExchangeId>,
}

impl Returned {
    /// Reads an address that a redirect led to. Pairs are decoded once, as a form.
    pub fn read(url: &str, exchange: Option<ExchangeId>) -> Self {
        let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (_, query) = rest.split_once('?').unwrap_or((rest, ""));
        let pairs = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        Self { url: url.to_owned(), query: pairs(query), fragment: pairs(fragment), exchange }
    }

    /// The first value of a parameter, of the query or else of the fragment.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().chain(&self.fragment).find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The address without query and fragment, which may hold secrets.
    pub fn place(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// Whether an access token came in the front channel.
    pub fn has_token(&self) -> bool {
        self.get("access_token").is_some()
    }
}

/// An error response of an authorization endpoint (RFC 6749 section 4.1.2.1).
#[derive(Debug, Clone)]
pub struct ErrorReturned {
    /// `error`.
    pub error: String,
    /// `error_description`.
    pub description: Option<String>,
    /// All that arrived.
    pub returned: Returned,
}

/// The answer to an authorization request.
#[derive(Debug)]
pub enum AuthorizationAnswer {
    /// A code, at the redirect URI that was asked for.
    Code(Box<Code>),
    /// An error, sent back to a redirect URI of ours.
    Error(ErrorReturned),
    /// Something came back to a redirect URI of ours that is neither: a token, or nothing.
    Other(Returned),
    /// The browser was sent to a place that is neither the server's nor a redirect URI that was asked for.
    Elsewhere(Returned),
    /// It ended on a page of the server.
    Page(Page),
    /// It never came back, and where it ended could not be seen.
    NeverCameBack(String),
}

impl AuthorizationAnswer {
    /// Reads what arrived at an address.
    pub fn arrived(request: AuthorizationRequest, returned: Returned, token_endpoint: &str) -> Self {
        if !request.is_answered_at(&returned.url) {
            return Self::Elsewhere(returned);
        }
        if let Some(error) = returned.get("error") {
            let error = error.to_owned();
            let description = returned.get("error_description").map(str::to_owned);
            return Self::Error(ErrorReturned { error, description, returned });
        }
        let Some(value) = returned.get("code").filter(|c| !c.is_empty()).map(Secret::new) else {
            return Self::Other(returned);
        };
        let grant = Arc::new(Grant {
            token_endpoint: token_endpoint.to_owned(),
            requested_scope: request.scope(),
            redirect_uri: request.get("redirect_uri").map(str::to_owned),
            resource: request.get("resource").map(str::to_owned),
            client: Arc::clone(&request.client),
            latest: Latest::default(),
        });
        Self::Code(Box::new(Code::new(value, request, grant, returned)))
    }

    /// Where the browser was sent with an answer, without query and fragment.
    pub fn returned(&self) -> Option<&Returned> {
        match self {
            Self::Code(code) => Some(&code.returned),
            Self::Error(error) => Some(&error.returned),
            Self::Other(returned) | Self::Elsewhere(returned) => Some(returned),
            Self::Page(_) | Self::NeverCameBack(_) => None,
        }
    }

    /// The exchange that shows the answer.
    pub fn exchange(&self) -> Option<ExchangeId> {
        match self {
            Self::Page(page) => page.exchange,
            _ => self.returned()?.exchange,
        }
    }

    /// In a few words, without secrets.
    pub fn describe(&self) -> String {
        match self {
            Self::Code(_) => "an authorization code".into(),
            Self::Error(e) => format!("the error {}", e.error),
            Self::Other(returned) if returned.has_token() => "an access token in the redirect".into(),
            Self::Other(returned) => format!("a redirect to {} without code or error", returned.place()),
            Self::Elsewhere(returned) => format!("a redirect to {}", returned.place()),
            Self::Page(page) => page.describe(),
            Self::NeverCameBack(why) => why.clone(),
        }
    }
}

/// The origin of an address, for a reader: scheme, host, port.
pub fn origin(address: &str) -> Option<String> {
    Url::parse(address).ok().map(|u| u.origin().ascii_serialization())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oauth::request::tests::request_for;

    /// What an address that a redirect led to is read as, if `redirect_uri` was asked for.
    pub(crate) fn arrived(redirect_uri: &str, url: &str) -> AuthorizationAnswer {
        let request = request_for(redirect_uri);
        AuthorizationAnswer::arrived(request, Returned::read(url, Some(ExchangeId(1))), "https://as.example/token")
    }

    /// A page.
    pub(crate) fn page(status: u16, kind: PageKind) -> AuthorizationAnswer {
        AuthorizationAnswer::Page(Page { status, kind, says: String::new(), exchange: Some(ExchangeId(1)) })
    }

    #[test]
    fn a_plus_is_a_space_and_is_decoded_once() {
        let returned = Returned::read("http://127.0.0.1/cb?state=a+b%2Bc%2525&code=x#access_token=t", None);
        assert_eq!(returned.get("state"), Some("a b+c%25"));
        assert!(returned.has_token());
        assert_eq!(returned.place(), "http://127.0.0.1/cb");
    }
}
