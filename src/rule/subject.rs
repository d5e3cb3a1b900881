//! What a rule may look at: eight documents, and how each is come by. What an absent one means is for another check.

use serde_json::Value;

use crate::discovery::{Fetched, Place};
use crate::needs::{AboutResource, Baseline, Context, Needs, Shortfall, Stage};
use crate::oauth::introspection::{Introspected, Introspection};
use crate::oauth::jwt::Jwt;
use crate::wire::ExchangeId;

/// One of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    ResourceMetadata,
    ServerMetadata,
    OpenIdConfiguration,
    Jwks,
    TokenResponse,
    AccessToken,
    IdToken,
    Introspection,
}

/// A document as it was found, and the exchange that brought it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) document: Value,
    pub(super) exchange: ExchangeId,
}

impl Subject {
    /// Every one, by its name in a rule file.
    pub(super) const ALL: [(&str, Self); 8] = [
        ("resource-metadata", Self::ResourceMetadata),
        ("server-metadata", Self::ServerMetadata),
        ("openid-configuration", Self::OpenIdConfiguration),
        ("jwks", Self::Jwks),
        ("token-response", Self::TokenResponse),
        ("access-token", Self::AccessToken),
        ("id-token", Self::IdToken),
        ("introspection", Self::Introspection),
    ];

    /// For a reader.
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::ResourceMetadata => "the metadata of the resource (RFC 9728)",
            Self::ServerMetadata => "the metadata of the authorization server, by RFC 8414 or OpenID",
            Self::OpenIdConfiguration => "the OpenID Connect configuration of the authorization server",
            Self::Jwks => "the key set at jwks_uri",
            Self::TokenResponse => "the answer of the token endpoint in the ordinary flow",
            Self::AccessToken => "the claims of the access token of the ordinary flow, if it is a JWT",
            Self::IdToken => "the claims of the ID token of the ordinary flow",
            Self::Introspection => "what the introspection endpoint says about the access token of the ordinary flow",
        }
    }

    /// When it can be had.
    pub(super) const fn stage(self) -> Stage {
        match self {
            Self::ResourceMetadata | Self::ServerMetadata | Self::OpenIdConfiguration | Self::Jwks => Stage::Documents,
            Self::TokenResponse | Self::AccessToken | Self::IdToken | Self::Introspection => Stage::Baseline,
        }
    }

    /// Comes by it.
    pub(super) async fn supply(self, cx: &Context) -> Result<Found, Shortfall> {
        let server = &cx.audit.discovery.server;
        match self {
            Self::ResourceMetadata => {
                let facts = AboutResource::supply(cx, Vec::new()).await?;
                let metadata = facts.metadata.as_ref().map(|(metadata, _)| &metadata.fetched);
                found(metadata, "the resource publishes no metadata, see resource_metadata/published")
            }
            Self::ServerMetadata => {
                found(Some(&server.metadata.fetched), "no metadata were found, see server_metadata/published")
            }
            Self::OpenIdConfiguration => {
                let tried = server.tried.iter().filter_map(|(place, result)| Some((*place, result.as_ref().ok()?)));
                let mut openid =
                    tried.filter(|(place, fetched)| is_openid(*place, fetched)).map(|(_, fetched)| fetched);
                found(openid.next(), "there is no OpenID Connect configuration, see server_metadata/published")
            }
            Self::Jwks => {
                let fetched = server.jwks.as_ref().and_then(|result| result.as_ref().ok());
                found(fetched, "no keys were found, see server_metadata/jwks-reachable")
            }
            Self::TokenResponse => {
                let baseline = Baseline::supply(cx, Vec::new()).await?;
                Ok(Found { document: baseline.tokens.members.clone(), exchange: baseline.token_reply.id })
            }
            Self::AccessToken => {
                let baseline = Baseline::supply(cx, Vec::new()).await?;
                claims(
                    &baseline,
                    Some(baseline.tokens.access_token.expose()),
                    "the access token is no JWT: it is opaque",
                )
            }
            Self::IdToken => {
                let baseline = Baseline::supply(cx, Vec::new()).await?;
                let token = baseline.tokens.members.get("id_token").and_then(Value::as_str);
                claims(&baseline, token, "the token answer has no ID token, as without the scope openid")
            }
            Self::Introspection => introspection(cx).await,
        }
    }
}

fn found(fetched: Option<&Fetched>, absent: &str) -> Result<Found, Shortfall> {
    let fetched = fetched.filter(|f| f.is_document());
    let document = fetched.and_then(|f| Some(Found { document: f.json.clone()?, exchange: f.exchange }));
    document.ok_or_else(|| Shortfall::NotApplicable(absent.into()))
}

fn is_openid(place: Place, fetched: &Fetched) -> bool {
    fetched.is_document() && (place == Place::Appended || fetched.url.contains("/.well-known/openid-configuration"))
}

fn claims(baseline: &Baseline, token: Option<&str>, absent: &str) -> Result<Found, Shortfall> {
    let jwt = token.and_then(Jwt::read).ok_or_else(|| Shortfall::NotApplicable(absent.into()))?;
    Ok(Found { document: jwt.claims, exchange: baseline.token_reply.id })
}

/// The audit asks once, for all rules: a rule itself sends nothing.
async fn introspection(cx: &Context) -> Result<Found, Shortfall> {
    let endpoint = Introspection::supply(cx, Vec::new()).await?;
    let baseline = Baseline::supply(cx, Vec::new()).await?;
    let wire = cx.wire.stamped("introspection");
    let ask = || endpoint.ask(&wire, baseline.tokens.access_token.expose());
    match cx.audit.introspected.get_or_try_init(ask).await? {
        Introspected::Active(document, exchange) => Ok(Found { document: document.clone(), exchange: *exchange }),
        // So it answers as well whoever may not know of the token (RFC 7662 section 2.2): nothing is described.
        Introspected::Inactive(..) => Err(Shortfall::Inconclusive(
            "the introspection endpoint calls the token inactive, to us at least, and describes nothing".into(),
        )),
        Introspected::Unclear(why, _) => Err(Shortfall::Inconclusive(why.clone())),
    }
}
