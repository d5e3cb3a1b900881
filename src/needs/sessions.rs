//! A session of an MCP endpoint (Streamable HTTP, up to 2025-11-25), opened by the user who signed in first.

use super::{Context, Needs, RealToken, Shortfall, Stage, no_resource};
use crate::document::McpVersion;
use crate::oauth::request::AuthorizationRequest;
use crate::resource::ResourceKind;

/// The resource is one that may have sessions of MCP. Nothing is sent to find that out.
#[derive(Debug, Clone, Copy)]
pub struct SessionsOfMcp(());

impl Needs for SessionsOfMcp {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let none = |why: &str| Err(Shortfall::NotApplicable(why.into()));
        let resource = cx.audit.open_resource().ok_or_else(no_resource)?;
        if resource.kind() == ResourceKind::Api {
            return none("the resource is an API route, and has no sessions of MCP");
        }
        match cx.audit.profile.mcp >= McpVersion::V20260728 {
            true => none("MCP has no sessions from 2026-07-28 on"),
            false => Ok(Self(())),
        }
    }
}

/// A session that the MCP endpoint gave to the first user.
#[derive(Debug, Clone)]
pub struct McpSession {
    /// The token that opened it, and the endpoint.
    pub real: RealToken,
    /// `Mcp-Session-Id`.
    pub id: String,
}

impl Needs for McpSession {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        SessionsOfMcp::supply(cx, Vec::new()).await?;
        let real = RealToken::supply(cx, Vec::new()).await?;
        match real.resource.opened(&cx.wire, real.expose()).await? {
            (_, Some(id)) => Ok(Self { real, id }),
            (200..300, None) => Err(Shortfall::NotApplicable("the MCP endpoint gives out no session id".into())),
            (status, None) => Err(Shortfall::Inconclusive(format!("initialize was answered {status}"))),
        }
    }
}
