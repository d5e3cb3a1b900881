//! Calling a route that the user named, as clients of this resource call it.

use http::Method;
use serde_json::Value;
use url::Url;

use super::{Credentials, Operation, Resource, ResourceKind};
use crate::document::McpVersion;
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

    async fn session(&self, wire: &Wire, token: &str) -> Result<Option<String>, Trouble> {
        if self.kind() == ResourceKind::Api || self.version >= McpVersion::V20260728 {
            return Ok(None);
        }
        let opening = Self { operation: Operation::Initialize, ..self.clone() };
        let reply = opening.call(wire, Credentials::Bearer(token)).await?;
        let session = reply.header(SESSION).filter(|_| reply.is_success()).map(str::to_owned);
        if let Some(session) = &session {
            let done = serde_json::json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            let told = self.as_mcp(Request::json(&self.url, &done), &done).header(SESSION, session).bearer(token);
            wire.send(told).await?;
        }
        Ok(session)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: Operation, version: McpVersion, path: &str) -> Request {
        let resource = Resource { url: "https://api.example/v1/mcp".into(), operation, version };
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
        let of = |(_, value): &(String, Vec<u8>)| String::from_utf8_lossy(value).into_owned();
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
