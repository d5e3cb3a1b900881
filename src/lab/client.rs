//! Clients, and how they prove who they are at the token, revocation and introspection endpoints.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::assertion::SIGNER;
use super::form::{Params, decode};
use super::store::Store;

/// After this many failures in a row, answers to a client that fails again come late.
const PATIENCE: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthMethod {
    None,
    Basic,
    Post,
    /// Of the one client whose keys are known; nobody registers for it.
    PrivateKey,
}

impl AuthMethod {
    /// What can be registered for.
    pub(super) const ALL: [Self; 3] = [Self::None, Self::Basic, Self::Post];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKey => "private_key_jwt",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    pub(super) method: AuthMethod,
    pub(super) redirect_uris: Vec<String>,
    pub(super) name: String,
    /// The scopes it may ask for; all, where it did not register any.
    pub(super) scope: Option<Vec<String>>,
    pub(super) refreshes: bool,
    /// What it registered, as it is echoed.
    pub(super) metadata: Map<String, Value>,
    pub(super) registration_token: Option<String>,
    pub(super) issued_at: u64,
    /// Failed attempts in a row.
    pub(super) failures: u32,
}

/// The client that the protected resources are: it may ask about every token.
pub(super) const RESOURCE: &str = "lab-resource";

/// The clients that are there from the start.
const CHATGPT: &str = "https://chatgpt.com/connector_platform_oauth_redirect";

pub(super) fn preregistered() -> Vec<Client> {
    [
        ("lab-public", AuthMethod::None, None),
        ("lab-public-b", AuthMethod::None, None),
        ("lab-confidential", AuthMethod::Basic, Some("lab-confidential-secret-0123456789")),
        (RESOURCE, AuthMethod::Basic, Some("lab-resource-secret-0123456789")),
    ]
    .into_iter()
    .map(|(id, method, secret)| Client {
        id: id.to_owned(),
        secret: secret.map(str::to_owned),
        method,
        redirect_uris: match id {
            "lab-public-b" => vec!["http://127.0.0.1/callback".to_owned()],
            // What the client of a service that ChatGPT is to use needs.
            _ => vec!["http://127.0.0.1/callback".to_owned(), CHATGPT.to_owned()],
        },
        name: id.to_owned(),
        scope: None,
        refreshes: true,
        metadata: Map::new(),
        registration_token: None,
        issued_at: 0,
        failures: 0,
    })
    .collect()
}

/// The client whose metadata document the lab is said to have read, under the quirk that lets it.
pub(super) fn by_document() -> Client {
    let document = "https://client.lab.test/oaudit.json";
    Client {
        id: document.to_owned(),
        secret: None,
        method: AuthMethod::None,
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        name: "client.lab.test".to_owned(),
        scope: None,
        refreshes: true,
        metadata: Map::new(),
        registration_token: None,
        issued_at: 0,
        failures: 0,
    }
}

/// The client that authenticates by signatures.
pub(super) fn by_signature() -> Client {
    Client {
        id: SIGNER.to_owned(),
        secret: None,
        method: AuthMethod::PrivateKey,
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned(), CHATGPT.to_owned()],
        name: SIGNER.to_owned(),
        scope: None,
        refreshes: true,
        metadata: Map::new(),
        registration_token: None,
        issued_at: 0,
        failures: 0,
    }
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
pub(super) fn same_secret(a: &str, b: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

/// The client behind a request, by exactly the method it registered.
pub(super) fn authenticate(store: &Store, headers: &HeaderMap, params: &Params) -> Result<Client, Refusal> {
    let in_body = params.get("client_secret");
    if params.get("client_assertion").is_some() {
        return by_assertion(store, headers, params);
    }
    let (id, secret, method) = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let (id, secret) = value.to_str().ok().and_then(basic).ok_or_else(Refusal::invalid_client)?;
            if in_body.is_some() {
                return Err(Refusal::invalid_request("the client authenticates in two ways at once"));
            }
            if params.get("client_id").is_some_and(|other| other != id) {
                return Err(Refusal::invalid_request("client_id is not the client that authenticates"));
            }
            (id, Some(secret), AuthMethod::Basic)
        }
        None => {
            let id = params.get("client_id").ok_or_else(Refusal::invalid_client)?;
            let method = match in_body {
                Some(_) => AuthMethod::Post,
                None => AuthMethod::None,
            };
            (id.to_owned(), in_body.map(str::to_owned), method)
        }
    };
    store
        .clients
        .get(&id)
        .filter(|client| client.method == method)
        .filter(|client| match (&client.secret, &secret) {
            (None, None) => true,
            (Some(known), Some(given)) => same_secret(known, given),
            _ => false,
        })
        .cloned()
        .ok_or_else(Refusal::invalid_client)
}

fn by_assertion(store: &Store, headers: &HeaderMap, params: &Params) -> Result<Client, Refusal> {
    if headers.contains_key(header::AUTHORIZATION) || params.get("client_secret").is_some() {
        return Err(Refusal::invalid_request("the client authenticates in two ways at once"));
    }
    let id = store.assertions.as_ref().and_then(|assertions| assertions.client(params));
    let named = |id: &&str| params.get("client_id").is_none_or(|other| other == *id);
    id.filter(named).and_then(|id| store.clients.get(id)).cloned().ok_or_else(Refusal::invalid_client)
}

/// The two halves of a Basic credential, each of which is form-encoded (RFC 6749 section 2.3.1).
pub(super) fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = STANDARD.decode(encoded.trim()).ok()?;
    let cut = text.iter().position(|&b| b == b':')?;
    let half = |raw: &[u8]| decode(raw).ok();
    Some((half(&text[..cut])?, half(&text[cut + 1..])?))
}

/// Counts how an attempt in a client's name ended; true if its answer should be held back, so that guessing
/// is slow. Nobody is locked out: that would let a stranger shut out the rightful client.
pub(super) fn note_attempt(store: &mut Store, headers: &HeaderMap, params: &Params, failed: bool) -> bool {
    let named = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(basic)
        .map(|(id, _)| id)
        .or_else(|| params.get("client_id").map(str::to_owned));
    let Some(client) = named.and_then(|id| store.clients.get_mut(&id)) else {
        return false;
    };
    client.failures = if failed { client.failures + 1 } else { 0 };
    client.failures > PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_basic_credentials() {
        let value = format!("bAsIc {}", STANDARD.encode("a%3Ab:c+d%25"));
        assert_eq!(basic(&value), Some(("a:b".into(), "c d%".into())));
        assert_eq!(basic("Basic !!!"), None);
        assert_eq!(basic("Bearer abc"), None);
        assert_eq!(basic(&format!("Basic {}", STANDARD.encode("ab"))), None);
    }

    #[test]
    fn a_client_must_use_its_own_method() {
        let store = Store::new();
        let with_basic = |credentials: &str, body: &str| {
            let mut headers = HeaderMap::new();
            if !credentials.is_empty() {
                let value = format!("Basic {}", STANDARD.encode(credentials));
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            authenticate(&store, &headers, &Params::parse(body.as_bytes()).unwrap())
                .map(|client| client.id)
                .map_err(|refusal| refusal.error)
        };
        let secret = "lab-confidential-secret-0123456789";
        let right = format!("lab-confidential:{secret}");
        let posted = format!("client_id=lab-confidential&client_secret={secret}");
        assert_eq!(with_basic(&right, ""), Ok("lab-confidential".into()));
        assert_eq!(with_basic("", "client_id=lab-public"), Ok("lab-public".into()));
        for (credentials, body, error) in [
            ("", posted.as_str(), "invalid_client"),
            ("", "client_id=lab-confidential", "invalid_client"),
            ("lab-confidential:", "", "invalid_client"),
            ("lab-confidential:wrong", "", "invalid_client"),
            ("lab-public:x", "", "invalid_client"),
            ("", "client_id=lab-public&client_secret=x", "invalid_client"),
            ("", "client_id=nobody", "invalid_client"),
            ("", "", "invalid_client"),
            (right.as_str(), posted.as_str(), "invalid_request"),
            (right.as_str(), "client_id=lab-public", "invalid_request"),
        ] {
            assert_eq!(with_basic(credentials, body), Err(error), "{credentials} {body}");
        }
    }
}
