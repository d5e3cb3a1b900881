//! Calling the protected resource: an API route by GET, an MCP endpoint by JSON-RPC, with any credentials or none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::check::Unsettled;
use crate::document::McpVersion;
use crate::oauth::challenge::{self, Challenge};
use crate::wire::{ExchangeId, Reply, Request, Trouble, Wire};

pub mod route;

/// What kind of resource it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A route of an API, called by GET.
    Api,
    /// An MCP endpoint (Streamable HTTP).
    Mcp,
}

/// The request by which the resource is called: one that is answered 401 without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// GET of an API route.
    Get,
    /// What the configuration says of an API route: method, body, media type.
    Configured,
    /// `initialize` (up to 2025-11-25).
    Initialize,
    /// `tools/list` without a session (2026-07-28).
    ToolsList,
    /// `tools/call` of a tool that does not exist, where discovery is open to everybody: it must be answered 401 before
    /// anybody looks for the tool, and with a token it does nothing.
    ToolsCall,
}

impl Operation {
    /// For a reader.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Configured => "the configured call",
            Self::Initialize => "initialize",
            Self::ToolsList => "tools/list",
            Self::ToolsCall => "tools/call",
        }
    }
}

/// What is put in the request.
#[derive(Debug, Clone, Copy)]
pub enum Credentials<'a> {
    /// Nothing.
    None,
    /// `Authorization: Bearer …`.
    Bearer(&'a str),
    /// `Authorization` with any bytes.
    Header(&'a [u8]),
    /// `?access_token=…`.
    Query(&'a str),
}

/// The protected resource and how it is called.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The URL as it was typed.
    pub url: String,
    /// How it is called.
    pub operation: Operation,
    /// The revision of MCP that is spoken.
    pub version: McpVersion,
    /// How an API route is called, where that is configured.
    pub configured: Option<Arc<Call>>,
    /// What it gave to a good token, once that was seen.
    pub good: Option<Body>,
}

/// What stands in an answer, as far as it tells an answer of the resource from another: status 200 has the page of a
/// portal or of maintenance as well, and the error of an MCP endpoint that refuses within its protocol alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// HTML.
    Page,
    /// A JSON-RPC error, or a result that says `isError`.
    RpcError,
    /// Anything else.
    Other,
}

impl Body {
    fn of(reply: &Reply) -> Self {
        match reply.media_type().as_str() {
            "text/html" => Self::Page,
            _ if route::is_refused_in_band(reply) => Self::RpcError,
            _ => Self::Other,
        }
    }

    /// For a reader.
    const fn describe(self) -> &'static str {
        match self {
            Self::Page => "an HTML page",
            Self::RpcError => "a JSON-RPC error",
            Self::Other => "something",
        }
    }
}

/// How a route of an API is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The body and its media type.
    pub body: Option<(String, String)>,
}

impl Call {
    fn request(&self, url: String) -> Request {
        let request = Request::new(self.method.clone(), url);
        match &self.body {
            Some((body, media_type)) => request.bytes(media_type, body.clone().into_bytes()),
            None => request,
        }
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        !self.method.is_safe()
    }
}

impl Resource {
    /// The kind.
    pub fn kind(&self) -> ResourceKind {
        match self.operation {
            Operation::Get | Operation::Configured => ResourceKind::Api,
            _ => ResourceKind::Mcp,
        }
    }

    /// Calls it.
    pub async fn call(&self, wire: &Wire, credentials: Credentials<'_>) -> Result<Reply, Trouble> {
        wire.send(self.request(credentials)).await
    }

    /// Calls it with a bearer token.
    pub async fn call_with(&self, wire: &Wire, token: &str) -> Result<Reached, Trouble> {
        Ok(self.read(&self.call(wire, Credentials::Bearer(token)).await?))
    }

    /// Shows a token good, as the control of what is done to it next.
    pub async fn control(&self, wire: &Wire, token: &str, before: &str) -> Result<(), Unsettled> {
        let reached = self.look(wire, token).await?;
        match reached.is_accepted() {
            true => Ok(()),
            false => Err(Unsettled::Control(format!(
                "the access token was not good at the resource even before {before}: it was answered {}",
                reached.describe()
            ))),
        }
    }

    /// Presents a token past caches, over a connection that is not used again: what lies between may remember that the
    /// token was good.
    pub async fn call_past_caches(&self, wire: &Wire, token: &str) -> Result<Reply, Trouble> {
        let request = self.request(Credentials::Bearer(token));
        wire.send(request.header("Cache-Control", "no-cache").header("Connection", "close")).await
    }

    /// Reads an answer, beside what a good token gets.
    pub fn read(&self, reply: &Reply) -> Reached {
        let reached = Reached::read(reply);
        let astray = self.good.is_some_and(|good| reached.body != Body::Other && reached.body != good);
        Reached { astray, ..reached }
    }

    async fn look(&self, wire: &Wire, token: &str) -> Result<Reached, Trouble> {
        Ok(self.read(&self.call_past_caches(wire, token).await?))
    }

    /// Presents a token again and again, `seconds` after now, until it is refused.
    pub async fn outlived(&self, wire: &Wire, token: &str, seconds: &[u64]) -> Result<Life, Trouble> {
        let began = Instant::now();
        let mut life = Life::Unclear("it was not asked".into());
        let (mut taken, mut unclear) = (0.0, None);
        for at in seconds {
            tokio::time::sleep(Duration::from_secs(*at).saturating_sub(began.elapsed())).await;
            // When it was asked, and not when it was answered: a slow answer lengthens no life.
            let asked = began.elapsed().as_secs_f64();
            life = Life::read(&self.look(wire, token).await?, asked, taken);
            match &life {
                Life::Ended(_) => break,
                Life::GoesOn(_) => (taken, unclear) = (asked, None),
                Life::Unclear(why) => unclear = Some(why.clone()),
            }
        }
        Ok(life.after(unclear))
    }

    /// The request.
    pub fn request(&self, credentials: Credentials<'_>) -> Request {
        let url = match credentials {
            Credentials::Query(token) => {
                let joint = if self.url.contains('?') { '&' } else { '?' };
                let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
                format!("{}{joint}access_token={token}", self.url)
            }
            _ => self.url.clone(),
        };
        let request = match self.operation {
            Operation::Get => Request::get(url),
            Operation::Configured => match &self.configured {
                Some(call) => call.request(url),
                None => Request::get(url),
            },
            operation => self.json_rpc(url, operation),
        };
        match credentials {
            Credentials::None | Credentials::Query(_) => request,
            Credentials::Bearer(token) => request.bearer(token),
            Credentials::Header(value) => request.header("Authorization", value),
        }
    }

    fn json_rpc(&self, url: String, operation: Operation) -> Request {
        let version = self.version.as_str();
        let client = json!({ "name": "oaudit", "version": env!("CARGO_PKG_VERSION") });
        let mut parameters = match operation {
            Operation::Initialize => json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client }),
            Operation::ToolsCall => json!({ "name": "oaudit-no-such-tool", "arguments": {} }),
            Operation::ToolsList | Operation::Get | Operation::Configured => json!({}),
        };
        let stateless = self.version >= McpVersion::V20260728;
        if stateless {
            parameters["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientInfo": client,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": operation.as_str(), "params": parameters });
        let mut request = Request::json(url, &message)
            // Streamable HTTP: a client must accept both.
            .header("Accept", "application/json, text/event-stream");
        if operation != Operation::Initialize || stateless {
            request = request.header("MCP-Protocol-Version", version);
        }
        if stateless {
            request = request.header("Mcp-Method", operation.as_str());
            if operation == Operation::ToolsCall {
                request = request.header("Mcp-Name", "oaudit-no-such-tool");
            }
        }
        request
    }
}

/// How the resource answered a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The status.
    pub status: u16,
    /// What stands in it.
    pub body: Body,
    /// A page or an error in the place of what a good token gets.
    pub astray: bool,
    /// The challenges of `WWW-Authenticate`.
    pub challenges: Vec<Challenge>,
    /// The exchange.
    pub exchange: ExchangeId,
}

impl Reached {
    /// Reads an answer.
    pub fn read(reply: &Reply) -> Self {
        Self {
            status: reply.status,
            body: Body::of(reply),
            astray: false,
            challenges: challenge::parse(&reply.header_all("www-authenticate")),
            exchange: reply.id,
        }
    }

    /// 2xx, and what a good token gets: the credentials were good.
    pub fn is_accepted(&self) -> bool {
        (200..300).contains(&self.status) && !self.astray
    }

    /// The status, and what stands in the answer if that is not what a good token gets.
    pub fn describe(&self) -> String {
        match self.astray {
            true => format!("{} with {}, which is not what a good token gets", self.status, self.body.describe()),
            false => self.status.to_string(),
        }
    }

    /// 401: they were not.
    pub fn is_unauthorized(&self) -> bool {
        self.status == 401
    }

    /// The Bearer challenge.
    pub fn bearer(&self) -> Option<&Challenge> {
        self.challenges.iter().find(|c| c.is("Bearer"))
    }
}

/// What became of an access token.
#[derive(Debug, Clone, PartialEq)]
pub enum Life {
    /// The resource refused it with 401; it was last taken so many seconds after, 0 if it never was.
    Ended(f64),
    /// The resource still took it at the last look, so many seconds after.
    GoesOn(f64),
    /// The resource answered something that says neither.
    Unclear(String),
}

impl Life {
    fn read(reached: &Reached, asked: f64, taken: f64) -> Self {
        match reached.status {
            401 => Self::Ended(taken),
            200..300 if reached.is_accepted() => Self::GoesOn(asked),
            _ => Self::Unclear(format!("the resource answered {} to the access token", reached.describe())),
        }
    }

    /// When it ended is not known where a look between said neither.
    fn after(self, unclear: Option<String>) -> Self {
        match (&self, unclear) {
            (Self::Ended(_), Some(why)) => Self::Unclear(format!("{why}, and 401 at a later look")),
            _ => self,
        }
    }
}

/// Whether an answer is JSON-RPC, as an MCP endpoint gives it.
pub fn is_json_rpc(reply: &Reply) -> bool {
    reply.json().is_some_and(|j| j.get("jsonrpc").and_then(Value::as_str) == Some("2.0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn a_route_is_called_as_configured() {
        let body = Some((r#"{"q":1}"#.to_owned(), "application/json".to_owned()));
        let call = Call { method: Method::POST, body };
        let resource = Resource {
            url: "https://api.example/search".into(),
            operation: Operation::Configured,
            version: McpVersion::V20251125,
            configured: Some(Arc::new(call.clone())),
            good: None,
        };
        let request = resource.request(Credentials::Bearer("t"));
        let named = |name: &str| request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        assert_eq!((request.method.clone(), resource.kind()), (Method::POST, ResourceKind::Api));
        assert!(named("content-type") && named("authorization") && call.writes());
    }

    #[test]
    fn a_page_or_an_error_is_not_what_a_good_token_gets() {
        let html = reply(200, &[("content-type", "text/html; charset=utf-8")], "<h1>We will be back soon</h1>");
        let error = reply(200, &[], r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Unauthorized"}}"#);
        let fine = reply(200, &[], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        let known_by = |good| Resource {
            url: "https://api.example/mcp".into(),
            operation: Operation::Initialize,
            version: McpVersion::V20251125,
            configured: None,
            good,
        };
        let takes = |good, reply: &Reply| known_by(good).read(reply).is_accepted();
        for strange in [&html, &error] {
            assert!(takes(None, strange), "what a good token gets is not known");
            assert!(!takes(Some(Body::Other), strange));
            assert!(takes(Some(Body::of(strange)), strange), "a good token gets the same");
            let life = Life::read(&known_by(Some(Body::Other)).read(strange), 1.5, 0.5);
            assert!(matches!(life, Life::Unclear(why) if why.contains("not what a good token gets")));
        }
        for good in [None, Some(Body::Other), Some(Body::RpcError), Some(Body::Page)] {
            assert!(takes(good, &fine), "{good:?}");
        }
    }

    #[test]
    fn a_token_is_dead_by_401_alone() {
        let life = |status| Life::read(&Reached::read(&reply(status, &[], "")), 1.5, 0.5);
        assert_eq!(life(401), Life::Ended(0.5));
        assert_eq!(life(204), Life::GoesOn(1.5));
        assert_eq!(life(401).after(None), Life::Ended(0.5));
        let after = life(401).after(Some("the resource answered 503 to the access token".into()));
        assert!(matches!(after, Life::Unclear(why) if why.ends_with("and 401 at a later look")));
        for status in [302, 400, 403, 429, 500] {
            assert!(matches!(life(status), Life::Unclear(_)), "{status}");
        }
    }
}
