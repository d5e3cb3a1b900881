//! A client as the authorization server knows it, and how it says who it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::assertion::{JWT_BEARER, Signer};
use super::secret::Secret;
use crate::wire::Request;

/// How a client authenticates at the token endpoint (RFC 7591 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// A public client: `client_id` in the body, no secret.
    None,
    /// HTTP Basic.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
    /// A JWT that the client signs (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuth {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::None, Self::Basic, Self::Post, Self::PrivateKeyJwt];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// Where a dynamically registered client is managed (RFC 7592).
#[derive(Debug, Clone)]
pub struct Management {
    /// `registration_client_uri`.
    pub uri: String,
    /// `registration_access_token`.
    pub token: Secret,
}

/// How we came by a client.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Registered by us, to be deleted at the end where that is offered.
    Dynamic(Option<Management>),
    /// Named by the user.
    Configured,
    /// Its identifier is the address of its metadata (client ID metadata document).
    Document,
}

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`, if it has one.
    pub secret: Option<Secret>,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// What signs for it, where it authenticates by signatures.
    pub signer: Option<Signer>,
    /// The loopback redirect URI that its codes come back to.
    pub redirect_uri: String,
    /// An https redirect URI that is registered as well, if the server took one.
    pub https_redirect_uri: Option<String>,
    /// How we came by it.
    pub origin: Origin,
}

impl Client {
    /// Whether it holds no secret.
    pub fn is_public(&self) -> bool {
        self.auth == ClientAuth::None
    }

    /// A form to an endpoint, with the client's own way of authenticating.
    pub fn form(&self, url: &str, mut pairs: Vec<(String, String)>) -> Request {
        let secret = self.secret.as_ref().map_or("", Secret::expose);
        match self.auth {
            ClientAuth::None => pairs.push(("client_id".into(), self.id.clone())),
            ClientAuth::Post => {
                pairs.push(("client_id".into(), self.id.clone()));
                pairs.push(("client_secret".into(), secret.to_owned()));
            }
            ClientAuth::PrivateKeyJwt => {
                let assertion = self.signer.as_ref().map(|signer| signer.assertion(&self.id)).unwrap_or_default();
                pairs.push(("client_id".into(), self.id.clone()));
                pairs.push(("client_assertion_type".into(), JWT_BEARER.into()));
                pairs.push(("client_assertion".into(), assertion));
            }
            ClientAuth::Basic => {}
        }
        let request = Request::form(url, &pairs);
        if self.auth != ClientAuth::Basic {
            return request;
        }
        // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
        let encode = |s: &str| form_urlencoded::byte_serialize(s.as_bytes()).collect::<String>();
        let credentials = STANDARD.encode(format!("{}:{}", encode(&self.id), encode(secret)));
        request.header("Authorization", format!("Basic {credentials}"))
    }
}
