//! What is known of each client: dated, graded, and judged by what was seen and nothing else.

use super::{About, Answer, Facts, Grade, Need};

/// A client of which enough is known.
pub(super) struct Client {
    pub(super) name: &'static str,
    /// The month that the facts are from.
    pub(super) as_of: &'static str,
    /// What it needs, held against what was seen.
    pub(super) needs: fn(&Facts<'_>) -> Vec<Need>,
}

/// The clients, in the order of the table.
pub(super) const CLIENTS: &[Client] = &[
    Client { name: "chatgpt", as_of: "2026-10", needs: chatgpt },
    Client { name: "claude", as_of: "2026-10", needs: claude },
    Client { name: "claude-code", as_of: "2026-10", needs: claude_code },
    Client { name: "vscode", as_of: "2026-11", needs: vscode },
    Client { name: "cursor", as_of: "2026-11", needs: cursor },
    Client { name: "codex", as_of: "2026-11", needs: codex },
];

fn need(about: About, grade: Grade, (answer, because): (Answer, String)) -> Need {
    Need { about, answer, because, grade }
}

fn yes(because: impl Into<String>) -> (Answer, String) {
    (Answer::Yes, because.into())
}

fn no(because: impl Into<String>) -> (Answer, String) {
    (Answer::No, because.into())
}

fn unknown(because: impl Into<String>) -> (Answer, String) {
    (Answer::Unknown, because.into())
}

/// ChatGPT comes back to a stable address where the server identifies itself by `iss`, else to one of the app's own.
fn chatgpt(facts: &Facts<'_>) -> Vec<Need> {
    let identifies_itself = facts.flag("authorization_response_iss_parameter_supported");
    let uri = match identifies_itself {
        true => "https://chatgpt.com/connector_platform_oauth_redirect",
        false => "https://chatgpt.com/connector/oauth/{callback_id}",
    };
    let redirect = match facts.held("redirect_uri/chatgpt-allowed") {
        Answer::Yes => yes(format!("{uri} is accepted")),
        Answer::No => no(format!("{uri} applies, see redirect_uri/chatgpt-allowed")),
        Answer::Unknown => unknown(format!("{uri} applies and was not seen to be accepted")),
    };
    let methods = facts.listed("token_endpoint_auth_methods_supported");
    let any = |of: &[&str]| methods.as_ref().is_some_and(|m| m.iter().any(|method| of.contains(method)));
    let document = facts.takes_metadata_documents() && any(&["none", "private_key_jwt"]);
    let registration = match (document, facts.registers()) {
        (true, _) => yes("by its client metadata document"),
        (false, true) => yes("by dynamic registration"),
        (false, false) => unknown("only with a predefined client, and none can be seen from here"),
    };
    let auth = match (&methods, document) {
        (_, true) => yes("none or private_key_jwt is listed"),
        // RFC 8414 section 2: absent means client_secret_basic, which ChatGPT speaks as a registered client.
        (None, false) => yes("no method is listed, which means client_secret_basic"),
        (Some(_), false) if any(&["none", "client_secret_post", "client_secret_basic"]) => {
            yes("a common method is listed")
        }
        (Some(methods), false) => no(format!("it speaks none of {}", methods.join(", "))),
    };
    vec![
        need(About::RedirectUri, Grade::Quoted, redirect),
        need(About::Registration, Grade::Primary, registration),
        need(About::TokenAuth, Grade::Primary, auth),
        need(About::Pkce, Grade::Quoted, advertises_s256(facts, Answer::No)),
        need(About::Resource, Grade::Primary, sends_what_the_metadata_says(facts)),
        need(About::Iss, Grade::Quoted, iss_is_checked(facts)),
    ]
}

/// Claude on the web, on the desktop and on the phone.
fn claude(facts: &Facts<'_>) -> Vec<Need> {
    vec![
        need(About::RedirectUri, Grade::Quoted, tried(facts, "https://claude.ai/api/mcp/auth_callback")),
        need(About::Registration, Grade::Quoted, document_or_dynamic(facts)),
        need(About::TokenAuth, Grade::Quoted, as_public_client(facts, Answer::Unknown)),
        need(About::Pkce, Grade::Quoted, advertises_s256(facts, Answer::No)),
        need(About::Resource, Grade::Quoted, metadata_repeats_what_was_typed(facts)),
    ]
}

/// Claude Code registers loopback addresses without a port and comes back on whichever port is free.
fn claude_code(facts: &Facts<'_>) -> Vec<Need> {
    let redirect = match facts.held("redirect_uri/loopback-port-flexible") {
        Answer::Yes => yes("a loopback address may come back on another port"),
        Answer::No => no("it comes back on a free port, which the server refuses"),
        Answer::Unknown => unknown("not seen whether a loopback address may come back on another port"),
    };
    let registration = match facts.takes_metadata_documents() {
        true => yes("by its client metadata document"),
        false => unknown("the server does not take client metadata documents"),
    };
    vec![
        need(About::RedirectUri, Grade::Observed, redirect),
        need(About::Registration, Grade::Observed, registration),
        need(About::TokenAuth, Grade::Observed, as_public_client(facts, Answer::No)),
        need(About::Pkce, Grade::Quoted, advertises_s256(facts, Answer::No)),
        need(About::Resource, Grade::Quoted, metadata_repeats_what_was_typed(facts)),
        need(About::Iss, Grade::Quoted, iss_is_checked(facts)),
    ]
}

fn vscode(facts: &Facts<'_>) -> Vec<Need> {
    vec![
        need(About::RedirectUri, Grade::Observed, tried(facts, "https://vscode.dev/redirect")),
        need(About::Registration, Grade::Observed, dynamic_or_by_hand(facts)),
        need(About::TokenAuth, Grade::Observed, as_public_client(facts, Answer::Unknown)),
        need(About::Pkce, Grade::Primary, advertises_s256(facts, Answer::Unknown)),
    ]
}

fn cursor(facts: &Facts<'_>) -> Vec<Need> {
    vec![
        need(About::RedirectUri, Grade::Observed, tried(facts, "cursor://anysphere.cursor-mcp/oauth/callback")),
        need(About::Registration, Grade::Observed, dynamic_or_by_hand(facts)),
        need(About::TokenAuth, Grade::Observed, as_public_client(facts, Answer::Unknown)),
        need(About::Pkce, Grade::Primary, advertises_s256(facts, Answer::Unknown)),
    ]
}

/// Codex registers what we register ourselves: a loopback address with `/callback` on a port of its own.
fn codex(facts: &Facts<'_>) -> Vec<Need> {
    let like_ours = facts.redirect_uri.is_some_and(|u| u.starts_with("http://127.0.0.1:") && u.ends_with("/callback"));
    let redirect = match like_ours && facts.worked_as_public() {
        true => yes("our own client registered the same form, and it worked"),
        false => unknown("http://127.0.0.1:<port>/callback was not seen to be accepted from a public client"),
    };
    vec![
        need(About::RedirectUri, Grade::Observed, redirect),
        need(About::Registration, Grade::Observed, document_or_dynamic(facts)),
        need(About::TokenAuth, Grade::Observed, as_public_client(facts, Answer::No)),
        need(About::Pkce, Grade::Primary, advertises_s256(facts, Answer::Unknown)),
    ]
}

fn tried(facts: &Facts<'_>, uri: &str) -> (Answer, String) {
    match facts.tried(uri) {
        Answer::Yes => yes(format!("{uri} is accepted")),
        Answer::No => no(format!("{uri} is refused")),
        Answer::Unknown => unknown(format!("{uri} was not tried")),
    }
}

/// A client metadata document if the server takes one from public clients, else dynamic registration.
fn document_or_dynamic(facts: &Facts<'_>) -> (Answer, String) {
    let public = facts.listed("token_endpoint_auth_methods_supported").is_some_and(|m| m.contains(&"none"));
    match (facts.takes_metadata_documents() && public, facts.registers()) {
        (true, _) => yes("by its client metadata document"),
        (false, true) => yes("by dynamic registration"),
        (false, false) => unknown("only with a client that somebody sets up by hand"),
    }
}

fn dynamic_or_by_hand(facts: &Facts<'_>) -> (Answer, String) {
    match facts.registers() {
        true => yes("by dynamic registration"),
        false => unknown("only with a client that somebody sets up by hand"),
    }
}

/// `otherwise` is what it means for the client that public clients are not among what is listed.
fn as_public_client(facts: &Facts<'_>, otherwise: Answer) -> (Answer, String) {
    let listed = facts.listed("token_endpoint_auth_methods_supported");
    match listed {
        Some(methods) if methods.contains(&"none") => yes("none is listed"),
        _ if facts.worked_as_public() => yes("our own public client got its token"),
        Some(methods) => (otherwise, format!("none is not among {}", methods.join(", "))),
        None => unknown("no method is listed, which means client_secret_basic"),
    }
}

/// `otherwise` is what the client does of which the metadata does not promise S256. By MCP 2025-11-25 it has to refuse
/// where the member is absent; of which client it is known that it does, is another question.
fn advertises_s256(facts: &Facts<'_>, otherwise: Answer) -> (Answer, String) {
    match facts.listed("code_challenge_methods_supported") {
        Some(methods) if methods.contains(&"S256") => yes("S256 is advertised"),
        Some(_) => (otherwise, "code_challenge_methods_supported is there without S256".into()),
        None => (otherwise, "code_challenge_methods_supported is missing".into()),
    }
}

/// ChatGPT sends the `resource` of the metadata, byte for byte; so does our ordinary flow.
fn sends_what_the_metadata_says(facts: &Facts<'_>) -> (Answer, String) {
    let says = facts.resource_metadata.get("resource").and_then(serde_json::Value::as_str);
    match (says, facts.held("authorization/code-flow-works")) {
        (Some(resource), Answer::Yes) => yes(format!("{resource} was sent, and the flow worked")),
        (Some(_), _) => unknown("no flow was seen to work with the resource of the metadata"),
        (None, _) if facts.held("resource_metadata/published") == Answer::No => {
            no("there is no protected resource metadata to take it from")
        }
        (None, _) => unknown("no protected resource metadata was seen"),
    }
}

/// Claude takes the metadata only if its `resource` is the URL that somebody entered.
fn metadata_repeats_what_was_typed(facts: &Facts<'_>) -> (Answer, String) {
    let says = facts.resource_metadata.get("resource").and_then(serde_json::Value::as_str);
    match (says, facts.resource) {
        (Some(says), Some(typed)) if says == typed => yes("the metadata names the URL that was entered"),
        (Some(says), Some(typed)) => no(format!("the metadata names {says}, entered was {typed}")),
        _ => unknown("no protected resource metadata was seen"),
    }
}

/// A client that checks `iss` refuses a server that promises it and does not keep the promise (RFC 9207 section 2.4).
fn iss_is_checked(facts: &Facts<'_>) -> (Answer, String) {
    if !facts.flag("authorization_response_iss_parameter_supported") {
        return yes("not promised, so not expected");
    }
    match facts.held("authorization/iss-returned") {
        Answer::Yes => yes("promised and returned"),
        Answer::No => no("promised, but not returned as promised, see authorization/iss-returned"),
        Answer::Unknown => unknown("promised, and not seen to be returned"),
    }
}
