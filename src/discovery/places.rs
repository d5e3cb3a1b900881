//! Where metadata may lie, in the order in which clients look (RFC 9728 section 3.1, RFC 8414 section 3.1, OpenID
//! Discovery section 4).

use url::Url;

use super::Place;

/// The places of the RFC 9728 document of a resource: named by the challenge, inserted, root.
pub(super) fn of_resource(resource: &str, challenge: Option<&str>) -> Vec<(Place, String)> {
    let mut places: Vec<(Place, String)> =
        challenge.map(|url| (Place::Challenge, url.to_owned())).into_iter().collect();
    if let Some((origin, path, query)) = parts(resource) {
        const NAME: &str = "/.well-known/oauth-protected-resource";
        if path != "/" && !path.is_empty() {
            places.push((Place::Inserted, format!("{origin}{NAME}{path}{query}")));
        }
        places.push((Place::Root, format!("{origin}{NAME}")));
    }
    once(places)
}

/// The places of an authorization server's metadata. Issuers with a path: RFC 8414 inserted, OpenID inserted, OpenID
/// appended; without: the two root forms.
pub(super) fn of_issuer(issuer: &str) -> Vec<(Place, String)> {
    let Some((origin, path, _)) = parts(issuer) else { return Vec::new() };
    let path = path.trim_end_matches('/');
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    const OPENID: &str = "/.well-known/openid-configuration";
    if path.is_empty() {
        return vec![(Place::Root, format!("{origin}{OAUTH}")), (Place::Root, format!("{origin}{OPENID}"))];
    }
    vec![
        (Place::Inserted, format!("{origin}{OAUTH}{path}")),
        (Place::Inserted, format!("{origin}{OPENID}{path}")),
        (Place::Appended, format!("{origin}{path}{OPENID}")),
    ]
}

/// Origin, path and query, cut out of the text itself: parsing and printing would change ports and slashes.
fn parts(address: &str) -> Option<(String, String, String)> {
    Url::parse(address).ok()?;
    let address = address.split('#').next()?;
    let (scheme, rest) = address.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let (path, query) = match rest.find('?') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    Some((format!("{scheme}://{host}"), path.to_owned(), query.to_owned()))
}

fn once(places: Vec<(Place, String)>) -> Vec<(Place, String)> {
    let mut kept: Vec<(Place, String)> = Vec::new();
    for place in places {
        if !kept.iter().any(|(_, url)| *url == place.1) {
            kept.push(place);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(places: Vec<(Place, String)>) -> Vec<String> {
        places.into_iter().map(|(_, url)| url).collect()
    }

    #[test]
    fn the_path_is_inserted_for_a_resource() {
        assert_eq!(
            urls(of_resource("https://api.example:8443/v1/mcp", None)),
            [
                "https://api.example:8443/.well-known/oauth-protected-resource/v1/mcp",
                "https://api.example:8443/.well-known/oauth-protected-resource",
            ]
        );
        let named = "https://api.example/.well-known/oauth-protected-resource";
        assert_eq!(urls(of_resource("https://api.example/", Some(named))), [named]);
    }

    #[test]
    fn an_issuer_with_a_path_has_three_places() {
        assert_eq!(
            urls(of_issuer("https://as.example/tenant/")),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant",
                "https://as.example/.well-known/openid-configuration/tenant",
                "https://as.example/tenant/.well-known/openid-configuration",
            ]
        );
        assert_eq!(urls(of_issuer("https://as.example")).len(), 2);
    }
}
