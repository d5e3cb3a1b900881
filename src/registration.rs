//! The clients that we audit as: registered for this run (RFC 7591) and deleted after it (RFC 7592), or configured.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::discovery::Metadata;
use crate::oauth::assertion::Signer;
use crate::oauth::client::{Client, ClientAuth, Management, Origin};
use crate::oauth::pkce::random_text;
use crate::oauth::scope::ScopeSet;
use crate::oauth::secret::Secret;
use crate::wire::{Reply, Request, Trouble, Wire};

/// A client that the user configured.
#[derive(Debug, Clone)]
pub struct Configured {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: Option<Secret>,
    /// How it authenticates; by default `none` without a secret, `client_secret_basic` with one.
    pub auth: Option<ClientAuth>,
}

impl Configured {
    /// The client, as it comes back to `redirect_uri`.
    pub(crate) fn client(&self, redirect_uri: &str) -> Client {
        let auth = self.auth.unwrap_or(if self.secret.is_some() { ClientAuth::Basic } else { ClientAuth::None });
        Client {
            id: self.id.clone(),
            secret: self.secret.clone(),
            auth,
            signer: None,
            redirect_uri: redirect_uri.to_owned(),
            https_redirect_uri: None,
            origin: Origin::Configured,
        }
    }
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The server offers no registration.
    #[error("the server offers no dynamic client registration (no registration_endpoint), and no client is configured")]
    NotOffered,
    /// It does not say that it takes client ID metadata documents.
    #[error(
        "the server does not say client_id_metadata_document_supported, so {0} cannot be used as a client identifier there"
    )]
    NoDocuments(String),
    /// It could not be asked.
    #[error("the registration endpoint could not be asked: {0}")]
    NotAsked(String),
    /// It refused.
    #[error("the server refused to register a client: {0}")]
    Refused(String),
}

impl RegistrationError {
    /// What to type next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoDocuments(_) => "leave --client-metadata-url out, or have the server take such documents",
            Self::NotOffered | Self::NotAsked(_) | Self::Refused(_) => {
                "register a public client with the redirect URI http://127.0.0.1:8765/callback by hand, then run with \
                 --client-id ID --redirect-uri http://127.0.0.1:8765/callback (a secret goes into OAUDIT_CLIENT_SECRET)"
            }
        }
    }
}

/// The clients of a run.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The one that we audit as.
    pub a: Arc<Client>,
    /// A second one.
    pub b: Option<Arc<Client>>,
    /// How the first one was registered, if it was.
    pub registered: Option<Arc<Registered>>,
}

/// A registration as it went.
#[derive(Debug, Clone)]
pub struct Registered {
    /// What was asked for.
    pub asked: Value,
    /// The answer.
    pub reply: Reply,
}

/// What to register, or what is configured.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The loopback redirect URI.
    pub redirect_uri: String,
    /// The scopes that will be asked for.
    pub scope: ScopeSet,
    /// Every scope that may be asked for by some check: some servers grant no others than were registered.
    pub all_scopes: ScopeSet,
    /// The first client, if it is configured.
    pub a: Option<Configured>,
    /// The second client, if it is configured.
    pub b: Option<Configured>,
    /// No second client is needed.
    pub alone: bool,
    /// The address of a metadata document that is the first client's identifier.
    pub document: Option<String>,
    /// What signs for configured clients that authenticate by signatures.
    pub signer: Option<Signer>,
}

impl Wanted {
    /// A configured client, as it comes back to the redirect URI of this run.
    pub fn configured(&self, wire: &Wire, configured: &Configured) -> Client {
        if let Some(secret) = &configured.secret {
            wire.vault().learn("client_secret", secret.expose());
        }
        let mut client = configured.client(&self.redirect_uri);
        client.signer = self.signer.clone().filter(|_| client.auth == ClientAuth::PrivateKeyJwt);
        client
    }
}

/// Comes by the clients. A second one that cannot be had is no error.
pub async fn clients(wire: &Wire, metadata: &Metadata, wanted: &Wanted) -> Result<Clients, RegistrationError> {
    let wire = &wire.stamped("registration");
    let configured = |c: &Configured| Arc::new(wanted.configured(wire, c));
    let b = wanted.b.as_ref().map(&configured);
    if let Some(a) = &wanted.a {
        return Ok(Clients { a: configured(a), b, registered: None });
    }
    if let Some(url) = &wanted.document {
        return match metadata.member("client_id_metadata_document_supported") {
            Some(Value::Bool(true)) => {
                let known = Configured { id: url.clone(), secret: None, auth: Some(ClientAuth::None) };
                let client = Client { origin: Origin::Document, ..known.client(&wanted.redirect_uri) };
                Ok(Clients { a: Arc::new(client), b, registered: None })
            }
            _ => Err(RegistrationError::NoDocuments(url.clone())),
        };
    }
    let endpoint = metadata.text("registration_endpoint").ok_or(RegistrationError::NotOffered)?;
    let auth = preferred(metadata);
    // The redirect URI of a host that nobody owns may be what is refused, or the further scopes.
    let mut manners = vec![Manner { https: true, all_scopes: true }, Manner { https: false, all_scopes: true }];
    if wanted.all_scopes != wanted.scope {
        manners.push(Manner { https: false, all_scopes: false });
    }
    let mut refused = None;
    for manner in manners {
        match register(wire, endpoint, wanted, auth, manner).await {
            Ok((a, registered)) => {
                let b = match b {
                    Some(b) => Some(b),
                    None if wanted.alone => None,
                    // What was accepted once is asked for again: registrations are counted by some servers.
                    None => register(wire, endpoint, wanted, a.auth, manner).await.ok().map(|(b, _)| Arc::new(b)),
                };
                return Ok(Clients { a: Arc::new(a), b, registered: Some(Arc::new(registered)) });
            }
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or(RegistrationError::NotOffered))
}

/// Registers a confidential client in place of a public one that can never get a token.
pub async fn confidential(wire: &Wire, metadata: &Metadata, wanted: &Wanted) -> Result<Client, RegistrationError> {
    let endpoint = metadata.text("registration_endpoint").ok_or(RegistrationError::NotOffered)?;
    let auth = match metadata.lists("token_endpoint_auth_methods_supported", "client_secret_post") {
        true => ClientAuth::Post,
        false => ClientAuth::Basic,
    };
    let manner = Manner { https: false, all_scopes: false };
    Ok(register(&wire.stamped("registration"), endpoint, wanted, auth, manner).await?.0)
}

/// Registers a client as somebody else's service would: for one https redirect URI, and nothing that it does not need.
/// The answer, and the client if there is one.
pub async fn for_service(
    wire: &Wire,
    endpoint: &str,
    redirect_uri: &str,
    auth: ClientAuth,
    scope: &ScopeSet,
) -> Result<(Reply, Option<Client>), Trouble> {
    let mut members = json!({
        "client_name": "oaudit (security audit; may be deleted)",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": auth.as_str(),
    });
    if !scope.is_empty() {
        members["scope"] = Value::from(scope.to_string());
    }
    let reply = wire.send(Request::json(endpoint, &members)).await?;
    let client = read(&reply, auth, redirect_uri, None).ok();
    Ok((reply, client))
}

/// What is asked for beside the plain minimum.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// An https redirect URI as well.
    https: bool,
    /// Every scope that some check may ask for.
    all_scopes: bool,
}

/// A public client wherever the server does not rule it out: it is what ChatGPT and its like are.
fn preferred(metadata: &Metadata) -> ClientAuth {
    let methods = metadata.list("token_endpoint_auth_methods_supported");
    match methods {
        Some(methods) if methods.contains(&"none") => ClientAuth::None,
        Some(methods) if methods.contains(&"client_secret_post") => ClientAuth::Post,
        Some(methods) if methods.contains(&"client_secret_basic") => ClientAuth::Basic,
        // Absent means client_secret_basic by RFC 8414; servers that leave it out take public clients all the same.
        _ => ClientAuth::None,
    }
}

async fn register(
    wire: &Wire,
    endpoint: &str,
    wanted: &Wanted,
    auth: ClientAuth,
    manner: Manner,
) -> Result<(Client, Registered), RegistrationError> {
    // A digit tells it from a name that somebody chose: a baseline knows it again.
    let https = format!("https://c1{}.test/cb", random_text(9).to_ascii_lowercase().replace(['_', '-'], "x"));
    let mut uris = vec![wanted.redirect_uri.as_str()];
    uris.extend(manner.https.then_some(https.as_str()));
    let mut members = json!({
        "client_name": "oaudit (security audit; may be deleted)",
        "redirect_uris": uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": auth.as_str(),
        // Loopback redirect URIs over http belong to native applications (RFC 8252; OpenID registration section 2).
        "application_type": "native",
    });
    let scope = if manner.all_scopes { &wanted.all_scopes } else { &wanted.scope };
    if !scope.is_empty() {
        members["scope"] = Value::from(scope.to_string());
    }
    let reply = wire
        .send(Request::json(endpoint, &members))
        .await
        .map_err(|trouble| RegistrationError::NotAsked(trouble.to_string()))?;
    let client = read(&reply, auth, &wanted.redirect_uri, manner.https.then_some(https))?;
    Ok((client, Registered { asked: members, reply }))
}

fn read(
    reply: &Reply,
    asked: ClientAuth,
    redirect_uri: &str,
    https: Option<String>,
) -> Result<Client, RegistrationError> {
    let json = reply.json();
    let text = |name: &str| json.as_ref().and_then(|j| j.get(name)).and_then(Value::as_str);
    let Some(id) = text("client_id").filter(|_| reply.is_success()) else {
        let why = match (text("error"), text("error_description")) {
            (Some(error), Some(description)) => format!("{} {error} ({description})", reply.status),
            (Some(error), None) => format!("{} {error}", reply.status),
            _ => format!("{} without a client_id", reply.status),
        };
        return Err(RegistrationError::Refused(why));
    };
    let secret = text("client_secret").filter(|s| !s.is_empty()).map(Secret::new);
    // What the server says it registered counts, not what was asked for; a secret that comes unasked is used.
    let auth = match (text("token_endpoint_auth_method"), &secret) {
        (Some("none"), _) | (_, None) => ClientAuth::None,
        (Some("client_secret_post"), Some(_)) => ClientAuth::Post,
        (Some("client_secret_basic"), Some(_)) => ClientAuth::Basic,
        (_, Some(_)) if asked == ClientAuth::Basic => ClientAuth::Basic,
        (_, Some(_)) => ClientAuth::Post,
    };
    let management = text("registration_client_uri")
        .zip(text("registration_access_token"))
        .map(|(uri, token)| Management { uri: uri.to_owned(), token: Secret::new(token) });
    let taken = |uri: &str| {
        let echo = json.as_ref().and_then(|j| j.get("redirect_uris")).and_then(Value::as_array);
        echo.is_none_or(|uris| uris.iter().any(|u| u.as_str() == Some(uri)))
    };
    Ok(Client {
        id: id.to_owned(),
        secret,
        auth,
        signer: None,
        redirect_uri: redirect_uri.to_owned(),
        https_redirect_uri: https.filter(|uri| taken(uri)),
        origin: Origin::Dynamic(management),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ExchangeId;

    fn answer(status: u16, body: &Value) -> Reply {
        Reply {
            id: ExchangeId(1),
            url: "https://as.example/register".into(),
            status,
            headers: http::HeaderMap::new(),
            body: body.to_string().into_bytes().into(),
            truncated: false,
        }
    }

    #[test]
    fn what_the_server_registered_counts() {
        let body =
            json!({"client_id": "x", "client_secret": "s3cr3t", "token_endpoint_auth_method": "client_secret_post"});
        let client = read(&answer(200, &body), ClientAuth::None, "http://127.0.0.1/cb", None).unwrap();
        assert_eq!(client.auth, ClientAuth::Post);
        let body = json!({"client_id": "x", "client_secret": "s3cr3t", "token_endpoint_auth_method": "none"});
        let client = read(&answer(201, &body), ClientAuth::None, "http://127.0.0.1/cb", None).unwrap();
        assert!(client.is_public());
    }

    #[test]
    fn an_https_uri_that_was_dropped_is_not_used() {
        let body = json!({"client_id": "x", "redirect_uris": ["http://127.0.0.1/cb"]});
        let https = Some("https://a.test/cb".to_owned());
        let client = read(&answer(201, &body), ClientAuth::None, "http://127.0.0.1/cb", https).unwrap();
        assert_eq!(client.https_redirect_uri, None);
    }

    #[test]
    fn a_refusal_says_why() {
        let body = json!({"error": "invalid_redirect_uri", "error_description": "no"});
        let error = read(&answer(400, &body), ClientAuth::None, "http://127.0.0.1/cb", None).unwrap_err();
        assert_eq!(error, RegistrationError::Refused("400 invalid_redirect_uri (no)".into()));
    }
}
