//! The walk from what the user typed to the authorization server's metadata and keys.

use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;

use super::{Fetched, IssuerSource, Metadata, Place, ResourceFacts, ServerFacts, places};
use crate::document::McpVersion;
use crate::oauth::answer::origin;
use crate::oauth::challenge;
use crate::resource::{Call, Credentials, Operation, Resource, ResourceKind, is_json_rpc};
use crate::wire::{Reply, Request, Trouble, TroubleKind, Wire};

/// What the user named.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// A URL whose role is not said: a resource, or else an issuer.
    pub typed: Option<String>,
    /// `--issuer`.
    pub issuer: Option<String>,
    /// `--resource`.
    pub resource: Option<String>,
    /// How the resource is called, if it is no MCP endpoint; by GET without.
    pub call: Option<Arc<Call>>,
}

impl Target {
    /// A URL without further words.
    pub fn of(typed: impl Into<String>) -> Self {
        Self { typed: Some(typed.into()), ..Self::default() }
    }

    /// Every URL that the user named.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        [&self.typed, &self.issuer, &self.resource].into_iter().filter_map(Option::as_deref)
    }
}

/// Whose a broken step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The protected resource.
    Resource,
    /// The authorization server.
    AuthorizationServer,
    /// The way there.
    Network,
    /// What was typed.
    CommandLine,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resource => "the protected resource",
            Self::AuthorizationServer => "the authorization server",
            Self::Network => "the network",
            Self::CommandLine => "the command line",
        })
    }
}

/// The first broken step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    /// What happened.
    pub what: String,
    /// Whose it is.
    pub whose: Whose,
    /// What to type next.
    pub hint: String,
}

/// What was found, as far as the walk came.
#[derive(Debug, Clone)]
pub struct Found {
    /// The resource, if one was named.
    pub resource: Option<ResourceFacts>,
    /// The authorization server, or the step that was broken.
    pub server: Result<ServerFacts, Broken>,
}

/// Whether the walk may send anything but GETs: `discover` may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// GETs alone.
    GetOnly,
    /// MCP's `initialize` as well, without credentials.
    Full,
}

/// Walks. An error means that nothing at all was found: the target is no URL or does not answer.
pub async fn discover(wire: &Wire, target: &Target, mcp: McpVersion, probing: Probing) -> Result<Found, Broken> {
    let wire = &wire.stamped("discovery");
    for url in target.named() {
        crate::wire::message::address(url).map_err(|trouble| Broken {
            what: trouble.to_string(),
            whose: Whose::CommandLine,
            hint: "give the URL of an API route, an MCP endpoint or an issuer, such as https://api.example.com/mcp"
                .into(),
        })?;
    }
    let role_is_open = target.issuer.is_none() && target.resource.is_none();
    let resource_url = match (&target.typed, &target.resource) {
        (_, Some(resource)) => Some(resource),
        (Some(typed), None) => Some(typed),
        (None, None) => None,
    };
    let resource = match resource_url {
        Some(url) => Some(
            look_at_resource(wire, url, target.call.as_ref(), mcp, probing).await.map_err(|t| unreachable(url, &t))?,
        ),
        None => None,
    };
    let issuer = |resource: &Option<ResourceFacts>| -> Option<(String, IssuerSource)> {
        if let Some(issuer) = &target.issuer {
            return Some((issuer.clone(), IssuerSource::Named));
        }
        if let (Some(typed), Some(_)) = (&target.typed, &target.resource) {
            return Some((typed.clone(), IssuerSource::Named));
        }
        let (metadata, _) = resource.as_ref()?.metadata.as_ref()?;
        let first = metadata.list("authorization_servers")?.first().copied()?.to_owned();
        Some((first, IssuerSource::ResourceMetadata))
    };
    if let Some((issuer, source)) = issuer(&resource) {
        let server = look_at_issuer(wire, &issuer, source).await;
        return Ok(Found { resource, server });
    }
    // Nobody names an issuer. What was typed may be one itself; else servers of old lie at the origin of the resource.
    let typed = target.typed.clone().or_else(|| target.resource.clone());
    let Some(typed) = typed else {
        return Err(Broken {
            what: "no target was given".into(),
            whose: Whose::CommandLine,
            hint: "give a TARGET or --issuer URL".into(),
        });
    };
    let protected = resource.as_ref().is_some_and(|r| r.status == 401 || r.metadata.is_some());
    if role_is_open
        && !protected
        && let Ok(server) = look_at_issuer(wire, &typed, IssuerSource::Named).await
    {
        return Ok(Found { resource: None, server: Ok(server) });
    }
    let root = origin(&typed).unwrap_or_default();
    let guessed = look_at_issuer(wire, &root, IssuerSource::Guessed).await;
    let server = guessed.map_err(|broken| no_issuer(resource.as_ref(), &broken));
    Ok(Found { resource, server })
}

fn unreachable(url: &str, trouble: &Trouble) -> Broken {
    let hint = match trouble.kind {
        TroubleKind::NoSuchHost => "check the spelling of the host, and whether this machine resolves names",
        TroubleKind::Refused => "check the port and the scheme (http or https), and whether the server is up",
        TroubleKind::Tls => {
            "check the certificate and the scheme; --ca FILE trusts a certificate authority, --insecure whatever comes"
        }
        TroubleKind::TimedOut => "check whether the server answers at all; --timeout SECS waits longer",
        TroubleKind::RateLimited => "wait until the server accepts requests again",
        TroubleKind::OverBudget => "allow more of them, or leave --max-requests out",
        TroubleKind::Guarded => "name the host with --allow-host if it is meant",
        TroubleKind::Coded => "let the server send what nobody asked to have compressed as it is, or in gzip",
        TroubleKind::NotAUrl | TroubleKind::Garbled | TroubleKind::Unsendable => {
            "check that this is an http or https URL of the server itself"
        }
    };
    Broken { what: format!("{url} cannot be reached: {trouble}"), whose: Whose::Network, hint: hint.into() }
}

fn no_issuer(resource: Option<&ResourceFacts>, guessed: &Broken) -> Broken {
    let Some(resource) = resource else { return guessed.clone() };
    let what = match &resource.metadata {
        Some((metadata, _)) => format!(
            "the resource metadata at {} lists no authorization_servers, and the origin of the resource is no issuer either",
            metadata.fetched.url
        ),
        None => {
            let tried: Vec<String> = resource
                .tried
                .iter()
                .map(|(_, result)| match result {
                    Ok(fetched) => format!("{} ({})", fetched.url, fetched.why_not()),
                    Err(why) => why.clone(),
                })
                .collect();
            format!(
                "no resource metadata was found (tried {}), and the origin of the resource is no issuer: {}",
                tried.join(", "),
                guessed.what
            )
        }
    };
    Broken { what, whose: Whose::Resource, hint: "name the authorization server with --issuer URL".into() }
}

async fn look_at_resource(
    wire: &Wire,
    url: &str,
    call: Option<&Arc<Call>>,
    mcp: McpVersion,
    probing: Probing,
) -> Result<ResourceFacts, Trouble> {
    let (mut operation, mut reply, mixed_auth) = call_openly(wire, url, call, mcp, probing).await?;
    if operation == Operation::Get && probing == Probing::GetOnly && looks_like_mcp(url) {
        operation = Operation::Initialize;
    }
    let call = call.cloned();
    if call.is_some() && operation == Operation::Get {
        operation = Operation::Configured;
    }
    if reply.is_redirect() {
        // A redirect of the resource itself (http to https, a missing slash) is followed once: it is where clients end.
        if let Some(next) = reply.location()
            && let Ok(there) = wire
                .send(
                    Resource { url: next, operation, version: mcp, configured: call.clone(), good: None }
                        .request(Credentials::None),
                )
                .await
            && there.status == 401
        {
            reply = there;
        }
    }
    let challenges = challenge::parse(&reply.header_all("www-authenticate"));
    let named = challenges
        .iter()
        .find_map(|c| c.parameter("resource_metadata"))
        .filter(|u| crate::wire::message::address(u).is_ok());
    let tried = fetch_all(wire, places::of_resource(url, named)).await;
    let metadata = tried.iter().find_map(|(place, result)| match result {
        Ok(fetched) if fetched.is_document() => Some((Metadata { fetched: fetched.clone() }, *place)),
        _ => None,
    });
    let api = matches!(operation, Operation::Get | Operation::Configured);
    let kind = if api { ResourceKind::Api } else { ResourceKind::Mcp };
    let (status, exchange) = (reply.status, reply.id);
    Ok(ResourceFacts {
        url: url.into(),
        kind,
        operation,
        call,
        status,
        challenges,
        exchange,
        mixed_auth,
        metadata,
        tried,
    })
}

/// Calls the resource without credentials, in the way that is answered 401 if there is one.
async fn call_openly(
    wire: &Wire,
    url: &str,
    configured: Option<&Arc<Call>>,
    mcp: McpVersion,
    probing: Probing,
) -> Result<(Operation, Reply, bool), Trouble> {
    let call =
        |operation| Resource { url: url.into(), operation, version: mcp, configured: configured.cloned(), good: None };
    let hinted = looks_like_mcp(url);
    // MCP's GET asks for an event stream.
    let accept = if hinted { "application/json, text/event-stream" } else { "application/json" };
    let mut get = Request::get(url).header("Accept", accept);
    if hinted {
        get = get.header("MCP-Protocol-Version", mcp.as_str());
    }
    let by_get = wire.send(get).await;
    if probing == Probing::GetOnly {
        return by_get.map(|reply| (Operation::Get, reply, false));
    }
    let by_get = by_get?;
    if configured.is_some() && !hinted {
        let reply = call(Operation::Configured).call(wire, Credentials::None).await?;
        return Ok((Operation::Configured, reply, false));
    }
    // Routes of an API answer 401 or 2xx to GET. Only what does not is asked by POST, or what is called MCP.
    if !hinted && (by_get.status == 401 || by_get.is_success()) {
        return Ok((Operation::Get, by_get, false));
    }
    let first = if mcp >= McpVersion::V20260728 { Operation::ToolsList } else { Operation::Initialize };
    let by_post = call(first).call(wire, Credentials::None).await?;
    if by_post.is_success() && is_json_rpc(&by_post) {
        // Discovery is open; the tools may not be.
        let tool = call(Operation::ToolsCall).call(wire, Credentials::None).await?;
        return Ok(match tool.status {
            401 => (Operation::ToolsCall, tool, true),
            _ => (first, by_post, false),
        });
    }
    match (by_post.status, by_get.status) {
        (401, _) => Ok((first, by_post, false)),
        (_, 401) => Ok((Operation::Get, by_get, false)),
        (403, _) if hinted => Ok((first, by_post, false)),
        _ if hinted && is_json_rpc(&by_post) => Ok((first, by_post, false)),
        _ => Ok((Operation::Get, by_get, false)),
    }
}

fn looks_like_mcp(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').take(2).any(|segment| {
        let segment = segment.to_ascii_lowercase();
        segment == "sse" || segment.split(['-', '_', '.']).any(|word| word == "mcp")
    })
}

async fn look_at_issuer(wire: &Wire, issuer: &str, source: IssuerSource) -> Result<ServerFacts, Broken> {
    let hint = "name the authorization server with --issuer URL, exactly as its metadata spells it";
    if let Err(trouble) = crate::wire::message::address(issuer) {
        return Err(Broken { what: format!("the issuer {trouble}"), whose: Whose::Resource, hint: hint.into() });
    }
    let tried = fetch_all(wire, places::of_issuer(issuer)).await;
    let found = tried.iter().find_map(|(place, result)| match result {
        Ok(fetched) if fetched.is_document() => {
            let metadata = Metadata { fetched: fetched.clone() };
            let telling = ["issuer", "authorization_endpoint", "token_endpoint"];
            telling.iter().any(|m| metadata.member(m).is_some()).then_some((*place, metadata))
        }
        _ => None,
    });
    let Some((place, metadata)) = found else {
        let all: Vec<String> = tried
            .iter()
            .map(|(_, result)| match result {
                Ok(fetched) if fetched.is_document() => format!("{} (no member of server metadata)", fetched.url),
                Ok(fetched) => format!("{} ({})", fetched.url, fetched.why_not()),
                Err(why) => why.clone(),
            })
            .collect();
        return Err(Broken {
            what: format!(
                "no authorization server metadata was found for the issuer {issuer}: tried {}",
                all.join(", ")
            ),
            // A place that could not be asked may have it.
            whose: match tried.iter().any(|(_, result)| super::is_unheard(result)) {
                true => Whose::Network,
                false => Whose::AuthorizationServer,
            },
            hint: hint.into(),
        });
    };
    let jwks = match metadata.text("jwks_uri") {
        Some(url) => Some(fetch(wire, url).await.map_err(|trouble| trouble.to_string())),
        None => None,
    };
    Ok(ServerFacts { issuer: issuer.into(), source, metadata, place, tried, jwks })
}

async fn fetch_all(wire: &Wire, places: Vec<(Place, String)>) -> Vec<(Place, Result<Fetched, String>)> {
    let fetching = places
        .into_iter()
        .map(|(place, url)| async move { (place, fetch(wire, &url).await.map_err(|trouble| trouble.to_string())) });
    join_all(fetching).await
}

/// Bytes of a document that are read: several times what the largest servers publish.
const LARGEST: usize = 256 << 10;

async fn fetch(wire: &Wire, url: &str) -> Result<Fetched, Trouble> {
    let reply = wire.send(Request::get(url).reading(LARGEST)).await?;
    if reply.truncated {
        let most = LARGEST / 1024;
        return Err(Trouble::new(
            TroubleKind::Garbled,
            format!("{url} sent more than {most} KiB, which was not read to its end"),
        ));
    }
    Ok(Fetched {
        url: url.to_owned(),
        exchange: reply.id,
        status: reply.status,
        media_type: reply.media_type(),
        json: serde_json::from_slice(&reply.body).ok(),
        starts: reply.text().chars().take(80).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segments_tell_an_mcp_endpoint() {
        for url in
            ["https://a.example/mcp", "https://a.example/v1/mcp/", "https://a.example/mcp/sse", "http://h/my-mcp?x=1"]
        {
            assert!(looks_like_mcp(url), "{url}");
        }
        for url in ["https://a.example/api/me", "https://mcp.example.com.evil/x/y", "https://a.example/mcpx"] {
            assert!(!looks_like_mcp(url), "{url}");
        }
    }
}
