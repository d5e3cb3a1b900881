//! The MCP endpoint: Streamable HTTP with two tools, in its session revisions and in the stateless one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{json_no_store, typed, with};
use super::faults::Flaw;
use super::form;
use super::quirks::Twist;
use super::resource::{Caller, admit, is_anonymous, notes_of, write_down};
use super::server::{Resource, SCOPES, Server};
use super::store::random;

/// The revisions with sessions, newest first.
const SESSION_REVISIONS: [&str; 2] = ["2025-11-25", "2025-06-18"];
/// The revision in which each request stands alone.
const STATELESS: &str = "2026-07-28";
/// What a client that names no revision may still mean.
const UNNAMED: &str = "2025-03-26";

const SESSION_ID: &str = "mcp-session-id";

/// There is no stream from the server to listen to; who may not know that is asked for a token first.
pub(super) async fn by_get(State(server): State<Arc<Server>>, request: Request) -> Response {
    match enter(&server, &request) {
        Err(response) => *response,
        Ok(_) => with(StatusCode::METHOD_NOT_ALLOWED.into_response(), header::ALLOW, "POST, DELETE"),
    }
}

pub(super) async fn by_delete(State(server): State<Arc<Server>>, request: Request) -> Response {
    let caller = match enter(&server, &request) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let Some(id) = header_text(request.headers(), SESSION_ID) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut store = server.store();
    if store.mcp_sessions.get(id) != Some(&caller.user) {
        return StatusCode::NOT_FOUND.into_response();
    }
    store.mcp_sessions.remove(id);
    StatusCode::NO_CONTENT.into_response()
}

fn enter(server: &Server, request: &Request) -> Result<Caller, Box<Response>> {
    own_origin(server, request.headers())?;
    let query = request.uri().query();
    admit(server, request.headers(), query, Resource::Mcp, SCOPES[0])
}

/// A page of another site must not reach a server on this machine by rebinding a name.
fn own_origin(server: &Server, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let own = |value: &axum::http::HeaderValue| value.as_bytes() == server.base.as_bytes();
    if headers.get_all(header::ORIGIN).iter().all(own) {
        Ok(())
    } else {
        Err(Box::new(StatusCode::FORBIDDEN.into_response()))
    }
}

pub(super) async fn by_post(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    if let Err(response) = own_origin(&server, headers) {
        return *response;
    }
    let message = match form::bytes(body).await {
        Ok(bytes) => serde_json::from_slice::<Value>(&bytes).ok(),
        Err(refusal) => return refusal.into_response(),
    };
    let method = message.as_ref().and_then(|m| m["method"].as_str()).unwrap_or_default();
    let user = if server.twisted(Twist::MixedAuth) && method != "tools/call" && is_anonymous(headers) {
        String::new()
    } else {
        let tool = message.as_ref().and_then(|m| m["params"]["name"].as_str()).filter(|_| method == "tools/call");
        let needed = if tool == Some("add_note") { SCOPES[1] } else { SCOPES[0] };
        match admit(&server, headers, parts.uri.query(), Resource::Mcp, needed) {
            Ok(caller) => caller.user,
            Err(response) => return *response,
        }
    };
    if !accepts(&server, headers) {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    if form::media_type(headers) != "application/json" {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match &message {
        None => rpc_error(StatusCode::BAD_REQUEST, &Value::Null, -32700, "not JSON"),
        Some(message) if message["jsonrpc"] != "2.0" => {
            let about = "not a JSON-RPC 2.0 message";
            rpc_error(StatusCode::BAD_REQUEST, &Value::Null, -32600, about)
        }
        Some(message) => answer(&server, headers, message, method, &user),
    }
}

/// Whether the answer's type is among what the client takes.
fn accepts(server: &Server, headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>();
    let takes =
        |kind: &str, whole: &str| ranges.is_empty() || ranges.iter().any(|r| r == kind || r == whole || r == "*/*");
    takes("application/json", "application/*") && (!server.twisted(Twist::Sse) || takes("text/event-stream", "text/*"))
}

fn answer(server: &Server, headers: &HeaderMap, message: &Value, method: &str, user: &str) -> Response {
    let id = &message["id"];
    let stateless = match header_text(headers, "mcp-protocol-version") {
        Some(STATELESS) => true,
        Some(revision) if revision != UNNAMED && !SESSION_REVISIONS.contains(&revision) => {
            let about = "this revision of the protocol is not supported";
            return rpc_error(StatusCode::BAD_REQUEST, id, -32600, about);
        }
        _ => false,
    };
    if stateless {
        let named = header_text(headers, "mcp-method");
        let tool = header_text(headers, "mcp-name");
        if named != Some(method) || tool.is_some_and(|tool| message["params"]["name"].as_str() != Some(tool)) {
            let about = "the headers do not say what the message says";
            return rpc_error(StatusCode::BAD_REQUEST, id, -32600, about);
        }
    } else if let Some(session) = headers.get(SESSION_ID) {
        let store = server.store();
        let known = session.to_str().ok().and_then(|s| store.mcp_sessions.get(s));
        let foreign = known.is_some_and(|owner| owner != user) && !server.flawed(Flaw::SessionOfAnybody);
        if known.is_none() || foreign {
            return StatusCode::NOT_FOUND.into_response();
        }
    }
    if id.is_null() {
        // A notification, or an answer to a question that was never put.
        return StatusCode::ACCEPTED.into_response();
    }
    let result = match method {
        "initialize" if !stateless => {
            let result = initialize(message);
            let session = random();
            let mut store = server.store();
            store.mcp_sessions.insert(session.clone(), user.to_owned());
            return with(result_response(server, id, result), header::HeaderName::from_static(SESSION_ID), &session);
        }
        "server/discover" if stateless => discover(),
        "ping" => json!({}),
        "tools/list" => json!({ "tools": [{
            "name": "list_notes",
            "description": "Lists the notes of the signed-in user.",
            "inputSchema": { "type": "object", "properties": {} },
            "annotations": { "readOnlyHint": true },
        }, {
            "name": "add_note",
            "description": "Writes a note of the signed-in user.",
            "inputSchema": {
                "type": "object",
                "properties": { "text": { "type": "string" } },
                "required": ["text"],
            },
            "annotations": { "readOnlyHint": false, "destructiveHint": false },
        }] }),
        "tools/call" if message["params"]["name"] == "list_notes" => {
            let notes = notes_of(server, user).join("\n");
            json!({ "content": [{ "type": "text", "text": notes }], "isError": false })
        }
        "tools/call" if message["params"]["name"] == "add_note" => {
            let Some(note) = message["params"]["arguments"]["text"].as_str() else {
                return rpc_error(StatusCode::OK, id, -32602, "text is missing");
            };
            write_down(server, user, note);
            json!({ "content": [{ "type": "text", "text": "Written down." }], "isError": false })
        }
        "tools/call" => return rpc_error(StatusCode::OK, id, -32602, "there is no such tool"),
        _ => {
            // The stateless revision gives this an HTTP status of its own.
            let status = if stateless { StatusCode::NOT_FOUND } else { StatusCode::OK };
            return rpc_error(status, id, -32601, "there is no such method");
        }
    };
    result_response(server, id, result)
}

fn initialize(message: &Value) -> Value {
    let asked = message["params"]["protocolVersion"].as_str();
    let revision = SESSION_REVISIONS.into_iter().find(|known| asked == Some(known)).unwrap_or(SESSION_REVISIONS[0]);
    json!({
        "protocolVersion": revision,
        "capabilities": { "tools": {} },
        "serverInfo": server_info(),
    })
}

fn discover() -> Value {
    json!({
        "supportedVersions": [STATELESS, SESSION_REVISIONS[0], SESSION_REVISIONS[1]],
        "capabilities": { "tools": {} },
        "serverInfo": server_info(),
    })
}

fn server_info() -> Value {
    json!({ "name": "notes", "version": "1" })
}

fn result_response(server: &Server, id: &Value, result: Value) -> Response {
    let message = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    if server.twisted(Twist::Sse) {
        let event = format!("event: message\ndata: {message}\n\n");
        let response = typed(StatusCode::OK, "text/event-stream", event);
        with(response, header::CACHE_CONTROL, "no-store")
    } else {
        json_no_store(StatusCode::OK, &message)
    }
}

fn rpc_error(status: StatusCode, id: &Value, code: i64, about: &str) -> Response {
    let error = json!({ "code": code, "message": about });
    let message = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    json_no_store(status, &message)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
