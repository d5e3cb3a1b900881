//! Calling a route that the user named, as clients of this resource call it.

use http::Method;
use serde_json::Value;
use url::Url;

use super::{Credentials, Operation, Reached, Resource, ResourceKind};
use crate::document::McpVersion;
use crate::oauth::scope::ScopeSet;
use crate::settings::Route;
use crate::wire::{Reply, Request, Trouble, Wire};

/// The session that an MCP endpoint opened, where it opens any (Streamable HTTP, up to 2025-11-25).
const SESSION: &str = "mcp-session-id";

impl Resource {
    /// Calls a route with a token. An MCP endpoint is asked for a session first, as its clients do.
    pub async fn call_route(&self, wire: &Wire, route: &Route, token: &str) -> Result<Reply, Trouble> {
        let session = self.session(wire, token).await?;
        wire.send(self.route_request(route, session.as_deref()).bearer(token)).await
    }

    /// Opens a session as MCP's clients do; `None` where it opens none.
    pub(crate) async fn session(&self, wire: &Wire, token: &str) -> Result<Option<String>, Trouble> {
        Ok(self.opened(wire, token).await?.1)
    }

    /// The same, with the status that answered; 200 where there is nothing to open.
    pub(crate) async fn opened(&self, wire: &Wire, token: &str) -> Result<(u16, Option<String>), Trouble> {
        if self.kind() == ResourceKind::Api || self.version >= McpVersion::V20260728 {
            return Ok((200, None));
        }
        let opening = Self { operation: Operation::Initialize, ..self.clone() };
        let reply = opening.call(wire, Credentials::Bearer(token)).await?;
        let session = reply.header(SESSION).filter(|_| reply.is_success()).map(str::to_owned);
        if let Some(session) = &session {
            let done = serde_json::json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            let told = self.as_mcp(Request::json(&self.url, &done), &done).header(SESSION, session).bearer(token);
            wire.send(told).await?;
        }
        Ok((reply.status, session))
    }

    /// Asks for the tools within a session.
    pub(crate) async fn within(&self, wire: &Wire, session: &str, token: &str) -> Result<Reply, Trouble> {
        let message = serde_json::json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} });
        let request = self.as_mcp(Request::json(&self.url, &message), &message);
        wire.send(request.header(SESSION, session).bearer(token)).await
    }

    /// Ends a session. A server may answer 405 to that.
    pub(crate) async fn end(&self, wire: &Wire, session: &str, token: &str) -> Result<Reply, Trouble> {
        let request = self.as_mcp(Request::new(Method::DELETE, self.url.clone()), &Value::Null);
        wire.send(request.header(SESSION, session).bearer(token)).await
    }

    fn route_request(&self, route: &Route, session: Option<&str>) -> Request {
        let url = Url::parse(&self.url).and_then(|home| home.join(&route.path));
        let url = url.map_or_else(|_| route.path.clone(), String::from);
        let method = Method::from_bytes(route.method.to_ascii_uppercase().as_bytes()).unwrap_or(Method::GET);
        let mut request = Request::new(method, url);
        if let Some(body) = &route.body {
            let media_type = route.content_type.as_deref().unwrap_or("application/json");
            request = request.bytes(media_type, body.clone().into_bytes());
        }
        if self.kind() == ResourceKind::Mcp {
            let message = route.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
            request = self.as_mcp(request, &message.unwrap_or(Value::Null));
            if let Some(session) = session {
                request = request.header(SESSION, session);
            }
        }
        request
    }

    /// The headers that a message to an MCP endpoint has.
    fn as_mcp(&self, request: Request, message: &Value) -> Request {
        let mut request = request
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", self.version.as_str());
        if self.version >= McpVersion::V20260728 {
            for (header, value) in [("Mcp-Method", &message["method"]), ("Mcp-Name", &message["params"]["name"])] {
                if let Some(value) = value.as_str() {
                    request = request.header(header, value);
                }
            }
        }
        request
    }
}

/// How a route answered a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The status.
    pub status: u16,
    /// A JSON-RPC error, or a result that says `isError`: the refusal of an MCP endpoint that answers 200.
    pub in_band: bool,
    error: Option<String>,
    scope: Option<ScopeSet>,
}

impl Called {
    /// Reads an answer.
    pub fn read(reply: &Reply) -> Self {
        let reached = Reached::read(reply);
        let parameter = |name| reached.bearer().and_then(|c| c.parameter(name)).map(str::to_owned);
        Self {
            status: reply.status,
            in_band: is_refused_in_band(reply),
            error: parameter("error"),
            scope: parameter("scope").map(|scope| ScopeSet::parse(&scope)),
        }
    }

    /// Neither refused for its credentials nor a failure of the server.
    pub fn may_pass(&self) -> bool {
        !matches!(self.status, 401 | 403 | 429 | 500..)
    }

    /// It did what was asked.
    pub fn worked(&self) -> bool {
        (200..300).contains(&self.status) && !self.in_band
    }

    /// Whether the challenge says `insufficient_scope` and names these scopes.
    pub fn names(&self, scope: &ScopeSet) -> bool {
        let named = self.scope.as_ref().is_some_and(|named| scope.beyond(named).is_empty());
        named && self.error.as_deref() == Some("insufficient_scope")
    }

    /// `403 insufficient_scope`.
    pub fn describe(&self) -> String {
        let error = self.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
        let in_band = if self.in_band { " with an error in the body" } else { "" };
        format!("{}{error}{in_band}", self.status)
    }
}

/// The message stands in the body as it is, or in the last event of a stream.
pub(crate) fn is_refused_in_band(reply: &Reply) -> bool {
    let text = reply.text();
    let event = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data:")?).ok());
    let Some(message) = reply.json().or(event).filter(|m| m["jsonrpc"] == "2.0") else { return false };
    message.get("error").is_some() || message["result"]["isError"] == true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: Operation, version: McpVersion, path: &str) -> Request {
        let resource =
            Resource { url: "https://api.example/v1/mcp".into(), operation, version, configured: None, good: None };
        let route = Route {
            method: "post".into(),
            path: path.into(),
            scope: "a".into(),
            body: Some(r#"{"method":"tools/call","params":{"name":"t"}}"#.into()),
            content_type: None,
        };
        resource.route_request(&route, Some("s"))
    }

    fn header(request: &Request, name: &str) -> Option<String> {
        let of = |(_, value): &(String, crate::wire::Wiped)| String::from_utf8_lossy(value).into_owned();
        request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(of)
    }

    #[test]
    fn a_path_is_resolved_against_the_origin() {
        let api = request(Operation::Get, McpVersion::V20251125, "/items?x=1");
        assert_eq!((api.method, api.url.as_str()), (Method::POST, "https://api.example/items?x=1"));
        let whole = request(Operation::Get, McpVersion::V20251125, "https://other.example/items");
        assert_eq!(whole.url, "https://other.example/items");
        assert_eq!(header(&whole, "content-type").as_deref(), Some("application/json"));
        assert_eq!(header(&whole, "mcp-protocol-version"), None);
    }

    #[test]
    fn an_mcp_endpoint_gets_its_headers() {
        let call = request(Operation::Initialize, McpVersion::V20251125, "/v1/mcp");
        assert_eq!(header(&call, "mcp-session-id").as_deref(), Some("s"));
        assert_eq!(header(&call, "mcp-protocol-version").as_deref(), Some("2025-11-25"));
        assert_eq!(header(&call, "mcp-method"), None);
        let call = request(Operation::ToolsList, McpVersion::V20260728, "/v1/mcp");
        assert_eq!(header(&call, "mcp-method").as_deref(), Some("tools/call"));
        assert_eq!(header(&call, "mcp-name").as_deref(), Some("t"));
    }
}
