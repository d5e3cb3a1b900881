//! What the ordinary request asks for: scopes and resource, chosen from the documents as clients choose them.

use crate::discovery::Discovery;
use crate::oauth::scope::ScopeSet;

/// Scopes that stand for "everything"; never asked for unless the user or the challenge names them.
const OMNIBUS: [&str; 8] = ["*", "all", "admin", "admin:all", "api:access", "full_access", "root", "user:data"];

/// Scopes that give claims about a person rather than access to a resource (OpenID Connect Core section 5.4).
const IDENTITY: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// The scopes to ask for, and every scope that is known to give access.
///
/// Asked for are those that the user names; else those of the challenge, else of the resource metadata, else of the
/// server metadata without omnibus scopes. `offline_access` is added where the authorization server lists it.
pub(crate) fn scopes(discovery: &Discovery, named: Option<&ScopeSet>) -> (ScopeSet, ScopeSet) {
    let resource = discovery.resource.as_ref();
    let listed = |metadata: Option<&crate::discovery::Metadata>| -> ScopeSet {
        metadata.and_then(|m| m.list("scopes_supported")).unwrap_or_default().into_iter().collect()
    };
    let challenged = resource.and_then(|r| r.bearer()?.parameter("scope")).map(ScopeSet::parse).unwrap_or_default();
    let of_resource = listed(resource.and_then(|r| r.metadata.as_ref().map(|(m, _)| m)));
    let of_server = listed(Some(&discovery.server.metadata));
    let plain =
        |set: &ScopeSet| -> ScopeSet { set.iter().filter(|s| !IDENTITY.contains(s) && !OMNIBUS.contains(s)).collect() };
    let asked = match named {
        Some(named) => named.clone(),
        None => {
            let chosen = [challenged.clone(), of_resource.clone(), plain(&of_server)];
            let chosen = chosen.into_iter().find(|s| !s.is_empty()).unwrap_or_default();
            if of_server.contains("offline_access") { chosen.with("offline_access") } else { chosen }
        }
    };
    let further = if of_resource.is_empty() { plain(&of_server) } else { of_resource };
    let known = asked.iter().chain(challenged.iter()).chain(further.iter()).collect();
    (asked, known)
}

/// `resource` of the requests (RFC 8707): what the resource metadata says, byte for byte, as ChatGPT sends it; else the
/// URL that was typed, where MCP makes clients send one. Servers that never spoke of resources are not asked for one.
pub(crate) fn resource_indicator(discovery: &Discovery) -> Option<String> {
    let resource = discovery.resource.as_ref()?;
    match &resource.metadata {
        Some((metadata, _)) => metadata.text("resource").map(str::to_owned),
        None if resource.kind == crate::resource::ResourceKind::Mcp => Some(resource.url.clone()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::{resource_facts, server_facts};
    use serde_json::json;

    fn discovery(server: serde_json::Value, resource: serde_json::Value, challenge: &str) -> Discovery {
        Discovery { resource: Some(resource_facts(resource, challenge)), server: server_facts(server) }
    }

    #[test]
    fn the_challenge_comes_first_and_offline_access_is_added() {
        let found = discovery(
            json!({"scopes_supported": ["openid", "offline_access", "profile", "other"]}),
            json!({"scopes_supported": ["a", "b"]}),
            "Bearer scope=\"a\"",
        );
        let (asked, known) = scopes(&found, None);
        assert_eq!(asked.to_string(), "a offline_access");
        assert_eq!(known.access().to_string(), "a b");
    }

    #[test]
    fn omnibus_scopes_of_the_server_are_not_asked_for() {
        let found = discovery(json!({"scopes_supported": ["all", "notes:read"]}), json!({}), "Bearer realm=\"x\"");
        assert_eq!(scopes(&found, None).0.to_string(), "notes:read");
        let named = ScopeSet::parse("x");
        assert_eq!(scopes(&found, Some(&named)).0, named);
    }
}
