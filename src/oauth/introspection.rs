//! Asking the authorization server about a token (RFC 7662), and what its answer means.

use std::sync::Arc;

use serde_json::Value;

use super::client::Client;
use super::scope::ScopeSet;
use crate::wire::{ExchangeId, Reply, Trouble, Wire};

/// The introspection endpoint and a client that may ask it.
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The endpoint.
    pub endpoint: String,
    /// Who asks.
    pub client: Arc<Client>,
}

impl Introspection {
    /// Asks about a token.
    pub async fn ask(&self, wire: &Wire, token: &str) -> Result<Introspected, Trouble> {
        let pairs = vec![("token".to_owned(), token.to_owned())];
        Ok(Introspected::read(&wire.send(self.client.form(&self.endpoint, pairs)).await?))
    }
}

/// An answer of the introspection endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum Introspected {
    /// `"active": true`, with every member of the answer.
    Active(Value, ExchangeId),
    /// `"active": false`, with every member of the answer.
    Inactive(Value, ExchangeId),
    /// Anything else: it says nothing about the token.
    Unclear(String, ExchangeId),
}

impl Introspected {
    /// Reads an answer.
    pub fn read(reply: &Reply) -> Self {
        let json = reply.json().filter(|_| reply.status == 200);
        match json.as_ref().and_then(|j| j.get("active")) {
            Some(Value::Bool(true)) => Self::Active(json.unwrap_or_default(), reply.id),
            Some(Value::Bool(false)) => Self::Inactive(json.unwrap_or_default(), reply.id),
            _ => Self::Unclear(
                format!("the introspection request was answered {} without a boolean \"active\"", reply.status),
                reply.id,
            ),
        }
    }

    /// The exchange that brought it.
    pub fn exchange(&self) -> ExchangeId {
        match self {
            Self::Active(_, id) | Self::Inactive(_, id) | Self::Unclear(_, id) => *id,
        }
    }

    /// The members of the description of an active token.
    pub fn members(&self) -> Option<&Value> {
        match self {
            Self::Active(members, _) => Some(members),
            Self::Inactive(..) | Self::Unclear(..) => None,
        }
    }

    /// `aud` of an active token: one or several; `None` where it is not stated.
    pub fn audience(&self) -> Option<Vec<&str>> {
        audience(self.members()?)
    }

    /// `scope` of an active token.
    pub fn scope(&self) -> Option<ScopeSet> {
        Some(ScopeSet::parse(self.members()?.get("scope")?.as_str()?))
    }
}

/// `aud` of claims or of an introspection answer: a string or an array of strings (RFC 7519 section 4.1.3).
pub fn audience(claims: &Value) -> Option<Vec<&str>> {
    match claims.get("aud")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => Some(several.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn only_a_boolean_says_anything() {
        let read = |status, body| Introspected::read(&reply(status, &[], body));
        let active = read(200, r#"{"active":true,"aud":["a","b"],"scope":"x y"}"#);
        assert_eq!(active.audience(), Some(vec!["a", "b"]));
        assert_eq!(active.scope().unwrap().to_string(), "x y");
        assert!(matches!(read(200, r#"{"active":false}"#), Introspected::Inactive(..)));
        for (status, body) in [(200, r#"{"active":"true"}"#), (401, r#"{"active":false}"#), (200, "<html>"), (500, "")]
        {
            assert!(matches!(read(status, body), Introspected::Unclear(..)), "{status} {body}");
        }
    }
}
