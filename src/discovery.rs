//! What a client finds out before it asks for anything: the 401 challenge, RFC 9728, RFC 8414 or OpenID, the JWKS.

use std::sync::Arc;

use serde_json::Value;

use crate::oauth::challenge::Challenge;
use crate::resource::{Call, Operation, ResourceKind};
use crate::wire::ExchangeId;

mod find;
mod places;

pub use find::{Broken, Found, Probing, Target, Whose, discover};

/// A document as it was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// From where.
    pub url: String,
    /// The exchange.
    pub exchange: ExchangeId,
    /// The status.
    pub status: u16,
    /// The media type.
    pub media_type: String,
    /// The JSON, if the body is JSON at all.
    pub json: Option<Value>,
    /// Its first words, if it is not.
    pub starts: String,
}

impl Fetched {
    /// Whether it can be taken for a metadata document: 200 and a JSON object, whatever its media type says.
    pub fn is_document(&self) -> bool {
        self.status == 200 && self.json.as_ref().is_some_and(Value::is_object)
    }

    /// Whether the answer speaks of the moment and not of the document: 429, or what a proxy says of a server that is
    /// busy or down.
    pub fn is_outage(&self) -> bool {
        matches!(self.status, 429 | 502..=504)
    }

    /// Why it cannot, in a few words.
    pub fn why_not(&self) -> String {
        match (&self.json, self.status) {
            (_, status) if status != 200 => format!("{status}"),
            (Some(json), _) => format!("200, but JSON that is {}, not an object", kind(json)),
            (None, _) if self.starts.trim_start().starts_with('<') => "200, but an HTML page".into(),
            (None, _) => "200, but not JSON".into(),
        }
    }
}

/// Whether a place could not be asked, so that nobody knows what lies there.
pub fn is_unheard(tried: &Result<Fetched, String>) -> bool {
    tried.as_ref().map_or(true, Fetched::is_outage)
}

/// What kind of JSON a value is, for a reader.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A metadata document, read leniently: a member of the wrong type is as good as absent here; checks look at the JSON.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// As fetched.
    pub fetched: Fetched,
}

impl Metadata {
    /// A member, whatever it is.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.fetched.json.as_ref()?.get(name).filter(|v| !v.is_null())
    }

    /// A member that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// The texts of a member that is an array; `None` if it is absent or no array.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.member(name)?.as_array()?.iter().filter_map(Value::as_str).take(LONGEST_LIST).collect())
    }

    /// Whether a list has a value.
    pub fn lists(&self, name: &str, value: &str) -> bool {
        self.list(name).is_some_and(|l| l.contains(&value))
    }

    /// A member that is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.member(name) == Some(&Value::Bool(true))
    }
}

/// Entries of a list that are looked at. No server means more, and some rules compare each with each.
const LONGEST_LIST: usize = 2_000;

/// How a document was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the URL that the challenge names.
    Challenge,
    /// At the well-known path inserted between host and path.
    Inserted,
    /// At the well-known path of the root.
    Root,
    /// At the OpenID path appended to the issuer.
    Appended,
}

impl Place {
    /// For a reader.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Challenge => "named by the challenge",
            Self::Inserted => "well-known path inserted between host and path",
            Self::Root => "well-known path at the root",
            Self::Appended => "OpenID path appended to the issuer",
        }
    }
}

/// What was found out about the protected resource.
#[derive(Debug, Clone)]
pub struct ResourceFacts {
    /// The URL as it was typed.
    pub url: String,
    /// What it seems to be.
    pub kind: ResourceKind,
    /// The request that was answered 401, or else the one that was tried.
    pub operation: Operation,
    /// How it is called, where that is configured.
    pub call: Option<Arc<Call>>,
    /// The status of the answer without credentials.
    pub status: u16,
    /// Its challenges.
    pub challenges: Vec<Challenge>,
    /// That exchange.
    pub exchange: ExchangeId,
    /// Whether MCP's discovery methods are open and only others are protected.
    pub mixed_auth: bool,
    /// The RFC 9728 document, if one was found.
    pub metadata: Option<(Metadata, Place)>,
    /// Every place that was tried, in order.
    pub tried: Vec<(Place, Result<Fetched, String>)>,
}

impl ResourceFacts {
    /// The Bearer challenge.
    pub fn bearer(&self) -> Option<&Challenge> {
        self.challenges.iter().find(|c| c.is("Bearer"))
    }
}

/// Where the issuer identifier comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerSource {
    /// The resource metadata lists it.
    ResourceMetadata,
    /// The user named it.
    Named,
    /// Nobody named it: the origin of the resource was tried (as MCP 2025-03-26 did).
    Guessed,
}

/// What was found out about the authorization server.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// The issuer identifier that was used, byte for byte.
    pub issuer: String,
    /// Where it comes from.
    pub source: IssuerSource,
    /// The metadata.
    pub metadata: Metadata,
    /// Where it was found.
    pub place: Place,
    /// Every place that was tried, in order.
    pub tried: Vec<(Place, Result<Fetched, String>)>,
    /// The keys: fetched, or why not; `None` without `jwks_uri`.
    pub jwks: Option<Result<Fetched, String>>,
}

impl ServerFacts {
    /// An endpoint.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.metadata.text(name)
    }

    /// The published keys, if there are any, and the exchange that brought them.
    pub fn keys(&self) -> Option<(&[Value], ExchangeId)> {
        let fetched = self.jwks.as_ref()?.as_ref().ok()?;
        let keys = fetched.json.as_ref()?.get("keys")?.as_array()?;
        (!keys.is_empty()).then_some((keys, fetched.exchange))
    }

    /// The private members of keys that should never have been published (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1): a
    /// report says that they are there, and must not hand them on.
    pub fn private_parts(&self) -> Vec<&str> {
        const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "k", "r", "t"];
        let keys = self.keys().map(|(keys, _)| keys).unwrap_or_default();
        let primes = keys.iter().filter_map(|key| key.get("oth")?.as_array()).flatten();
        let parts =
            keys.iter().chain(primes).flat_map(|key| PRIVATE.iter().filter_map(|name| key.get(*name)?.as_str()));
        parts.collect()
    }
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The resource, if one is audited.
    pub resource: Option<ResourceFacts>,
    /// The authorization server.
    pub server: ServerFacts,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oauth::challenge;

    fn fetched(url: &str, json: Value) -> Fetched {
        Fetched {
            url: url.into(),
            exchange: ExchangeId(1),
            status: 200,
            media_type: "application/json".into(),
            json: Some(json),
            starts: String::new(),
        }
    }

    /// A resource whose metadata has these members, as a literal.
    pub(crate) fn resource_facts(metadata: Value, www_authenticate: &str) -> ResourceFacts {
        let url = "https://api.example/.well-known/oauth-protected-resource/mcp";
        let fetched = fetched(url, metadata);
        ResourceFacts {
            url: "https://api.example/mcp".into(),
            kind: ResourceKind::Mcp,
            operation: Operation::Initialize,
            call: None,
            status: 401,
            challenges: challenge::parse(&[www_authenticate]),
            exchange: ExchangeId(2),
            mixed_auth: false,
            metadata: Some((Metadata { fetched: fetched.clone() }, Place::Inserted)),
            tried: vec![(Place::Inserted, Ok(fetched))],
        }
    }

    /// A server whose metadata has these members, as a literal.
    pub(crate) fn server_facts(metadata: Value) -> ServerFacts {
        let fetched = fetched("https://as.example/.well-known/oauth-authorization-server", metadata);
        ServerFacts {
            issuer: "https://as.example".into(),
            source: IssuerSource::ResourceMetadata,
            metadata: Metadata { fetched: fetched.clone() },
            place: Place::Root,
            tried: vec![(Place::Root, Ok(fetched))],
            jwks: None,
        }
    }

    #[test]
    fn private_parts_of_keys_are_known() {
        let keys = serde_json::json!({"keys": [
            {"kty": "RSA", "n": "public", "e": "AQAB", "d": "one", "oth": [{"r": "two"}]},
            {"kty": "oct", "k": "three"},
            {"kty": "EC", "x": "public", "d": null},
        ]});
        let server = ServerFacts {
            jwks: Some(Ok(fetched("https://as.example/jwks", keys))),
            ..server_facts(serde_json::json!({}))
        };
        assert_eq!(server.private_parts(), ["one", "three", "two"]);
        assert!(server_facts(serde_json::json!({})).private_parts().is_empty());
    }

    #[test]
    fn only_a_json_object_with_200_is_a_document() {
        let mut page = fetched("https://as.example/x", serde_json::json!(["a"]));
        assert!(!page.is_document());
        assert_eq!(page.why_not(), "200, but JSON that is an array, not an object");
        page.json = None;
        page.starts = "<!doctype html>".into();
        assert_eq!(page.why_not(), "200, but an HTML page");
        page.status = 404;
        assert_eq!(page.why_not(), "404");
        assert!(!is_unheard(&Ok(page.clone())));
        page.status = 503;
        assert!(is_unheard(&Ok(page)) && is_unheard(&Err("timed out".into())));
    }
}
