//! The first step of discovery at which a client that keeps to the specifications has to stop, and whose it is.

use crate::discovery::{Broken, Found, ResourceFacts, ServerFacts, Whose};

/// The name of the step and what is wrong with it; `None` if a client finds all it needs.
pub(super) fn first_broken(found: &Found) -> Option<(&'static str, Broken)> {
    let of_resource = found.resource.as_ref().and_then(resource_step);
    of_resource.or_else(|| match &found.server {
        Ok(server) => server_step(server),
        Err(broken) => Some(("authorization server", broken.clone())),
    })
}

/// Whether the answer to our GET says something about the protection: MCP endpoints need not take a GET at all.
pub(super) fn is_telling(resource: &ResourceFacts) -> bool {
    ![400, 405, 406].contains(&resource.status)
}

fn resource_step(resource: &ResourceFacts) -> Option<(&'static str, Broken)> {
    let broken = |step, what, hint: &str| Some((step, Broken { what, whose: Whose::Resource, hint: hint.into() }));
    if resource.status != 401 && is_telling(resource) && !resource.mixed_auth {
        return broken(
            "resource",
            format!("{} answers {} to a request without a token, where 401 is due", resource.url, resource.status),
            "check the URL, then `oaudit explain resource_metadata/challenge-401`",
        );
    }
    let Some((metadata, _)) = &resource.metadata else {
        return broken(
            "resource metadata",
            format!(
                "{} publishes no resource metadata, by which a client would find its authorization server",
                resource.url
            ),
            "see `oaudit explain resource_metadata/published`; --issuer URL names the authorization server meanwhile",
        );
    };
    let place = &metadata.fetched.url;
    match metadata.text("resource") {
        Some(named) if named == resource.url => {}
        named => {
            let named = named.unwrap_or("missing");
            return broken(
                "resource metadata",
                format!("resource is {named} in {place}, but {} was called", resource.url),
                "see `oaudit explain resource_metadata/resource-matches`",
            );
        }
    }
    if metadata.list("authorization_servers").is_none_or(|servers| servers.is_empty()) {
        return broken(
            "resource metadata",
            format!("{place} lists no authorization_servers"),
            "see `oaudit explain resource_metadata/authorization-servers-listed`",
        );
    }
    None
}

fn server_step(server: &ServerFacts) -> Option<(&'static str, Broken)> {
    let broken =
        |step, what, hint: &str| Some((step, Broken { what, whose: Whose::AuthorizationServer, hint: hint.into() }));
    let place = &server.metadata.fetched.url;
    match server.metadata.text("issuer") {
        Some(issuer) if issuer == server.issuer => {}
        issuer => {
            let issuer = issuer.unwrap_or("missing");
            return broken(
                "server metadata",
                format!("issuer is {issuer} in {place}, but {} was asked for", server.issuer),
                "see `oaudit explain server_metadata/issuer-matches`",
            );
        }
    }
    let missing: Vec<&str> =
        ["authorization_endpoint", "token_endpoint"].into_iter().filter(|e| server.endpoint(e).is_none()).collect();
    if !missing.is_empty() {
        return broken(
            "server metadata",
            format!("{place} names no {}", missing.join(" and no ")),
            "see `oaudit explain server_metadata/required-members`",
        );
    }
    let keys = server.jwks.as_ref().filter(|keys| !keys.as_ref().is_ok_and(|keys| keys.is_document()));
    keys.and_then(|keys| {
        let why = match keys {
            Ok(fetched) => format!("{} is no key set ({})", fetched.url, fetched.why_not()),
            Err(why) => why.clone(),
        };
        broken("keys", why, "see `oaudit explain server_metadata/jwks-reachable`")
    })
}
