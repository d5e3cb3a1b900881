//! An authorization request (RFC 6749 section 4.1.1): the ordinary one, or one with a single thing changed.

use std::sync::Arc;

use url::Url;

use super::client::Client;
use super::pkce::Verifier;
use super::scope::ScopeSet;

/// A request to the authorization endpoint. Parameters are pairs in order, so that one can be left out, emptied or
/// repeated. Owns the verifier of its challenge, so it is not `Clone`.
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// What differs from the ordinary request, for the reader.
    pub what: String,
    /// The client that asks.
    pub client: Arc<Client>,
    /// The authorization endpoint.
    pub endpoint: String,
    /// The parameters.
    pub parameters: Vec<(String, String)>,
    /// What the challenge was made of.
    pub verifier: Verifier,
}

impl AuthorizationRequest {
    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Sets a parameter, replacing every value it had.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        match self.parameters.iter().position(|(n, _)| n == name) {
            Some(first) => {
                self.remove_after(name, first);
                self.parameters[first].1 = value.into();
            }
            None => self.parameters.push((name.into(), value.into())),
        }
        self
    }

    fn remove_after(&mut self, name: &str, first: usize) {
        let mut at = 0;
        self.parameters.retain(|(n, _)| {
            at += 1;
            n != name || at - 1 <= first
        });
    }

    /// Adds a parameter, even if it stands there already.
    pub fn add(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Leaves a parameter out.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.parameters.retain(|(n, _)| n != name);
        self
    }

    /// The redirect URI that is asked for.
    pub fn redirect_uri(&self) -> &str {
        self.get("redirect_uri").unwrap_or(&self.client.redirect_uri)
    }

    /// The state that is sent.
    pub fn state(&self) -> &str {
        self.get("state").unwrap_or_default()
    }

    /// The scopes that are asked for.
    pub fn scope(&self) -> ScopeSet {
        ScopeSet::parse(self.get("scope").unwrap_or_default())
    }

    /// The address to visit. The endpoint may carry a query of its own (RFC 6749 section 3.1).
    pub fn url(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.parameters {
            query.append_pair(name, value);
        }
        let joint = if self.endpoint.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.endpoint, query.finish())
    }

    /// Whether an address is the one that the answer is to be sent to: the redirect URI that was asked for, or one that
    /// is registered. Query and fragment are left aside.
    pub fn is_answered_at(&self, address: &str) -> bool {
        let registered = [Some(&self.client.redirect_uri), self.client.https_redirect_uri.as_ref()];
        registered
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain([self.redirect_uri()])
            .any(|uri| same_place(uri, address))
    }
}

/// Whether two addresses differ in query and fragment at most.
pub fn same_place(a: &str, b: &str) -> bool {
    let place = |text: &str| {
        let url = Url::parse(text).ok()?;
        Some((
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
            url.path().to_owned(),
        ))
    };
    match (place(a), place(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oauth::client::{ClientAuth, Origin};

    pub(crate) fn client() -> Client {
        Client {
            id: "client-a".into(),
            secret: None,
            auth: ClientAuth::None,
            signer: None,
            redirect_uri: "http://127.0.0.1:8765/callback".into(),
            https_redirect_uri: None,
            origin: Origin::Configured,
        }
    }

    /// A request for an answer at `redirect_uri`.
    pub(crate) fn request_for(redirect_uri: &str) -> AuthorizationRequest {
        AuthorizationRequest { parameters: vec![("redirect_uri".into(), redirect_uri.into())], ..request() }
    }

    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            what: "ordinary".into(),
            client: Arc::new(client()),
            endpoint: "https://as.example/authorize?tenant=1".into(),
            parameters: vec![("a".into(), "1".into()), ("b".into(), "2".into()), ("a".into(), "3".into())],
            verifier: Verifier::random(),
        }
    }

    #[test]
    fn one_parameter_is_changed_and_the_order_kept() {
        let mut request = request();
        request.set("a", "x y");
        assert_eq!(request.url(), "https://as.example/authorize?tenant=1&a=x+y&b=2");
        request.add("b", "3").remove("a");
        assert_eq!(request.url(), "https://as.example/authorize?tenant=1&b=2&b=3");
    }

    #[test]
    fn the_answer_may_carry_a_query() {
        let request = request();
        assert!(request.is_answered_at("http://127.0.0.1:8765/callback?code=1#x"));
        assert!(!request.is_answered_at("http://127.0.0.1:8766/callback?code=1"));
        assert!(!request.is_answered_at("http://127.0.0.1:8765/callback/x"));
    }
}
