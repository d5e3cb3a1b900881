//! Redirect URIs: which may be registered, and which request matches a registered one.

use super::faults::{Flaw, Flaws};

/// A redirect URI cut at its delimiters, as the strings they are: nothing is decoded or normalised.
struct Parts<'a> {
    scheme: &'a str,
    userinfo: Option<&'a str>,
    host: &'a str,
    port: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

fn cut(uri: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = uri.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (userinfo, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    // The colons inside the brackets of an IPv6 literal are not the port's.
    let bracket = address.find(']').unwrap_or(0);
    let (host, port) = match address[bracket..].rfind(':') {
        Some(at) => (&address[..bracket + at], &address[bracket + at + 1..]),
        None => (address, ""),
    };
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (tail, None),
    };
    Some(Parts { scheme, userinfo, host, port, path, query })
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
}

/// Why a redirect URI cannot be registered, if so. `localhost` may be registered, as clients in use do, but
/// without the freedom of port that the literals have.
pub(super) fn objection(uri: &str) -> Option<&'static str> {
    if !uri.bytes().all(|b| b.is_ascii_graphic()) || uri.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}']) {
        return Some("it has characters that no URI has");
    }
    if uri.contains('#') {
        return Some("it has a fragment");
    }
    if uri.contains('*') {
        return Some("it has a wildcard");
    }
    let Some(parts) = cut(uri) else {
        return Some("it is neither https nor loopback http");
    };
    if parts.userinfo.is_some() {
        return Some("it has user information");
    }
    if parts.host.is_empty() || !(parts.port.is_empty() || is_port(parts.port)) {
        return Some("its host or port is malformed");
    }
    if ["/../", "/./"].iter().any(|dots| format!("{}/", parts.path).contains(dots)) {
        return Some("it has dot segments");
    }
    match parts.scheme {
        "https" => None,
        "http" if ["127.0.0.1", "[::1]", "localhost"].contains(&parts.host) => None,
        _ => Some("it is neither https nor loopback http"),
    }
}

/// Whether it leads to a program beside the browser (RFC 8252 section 7.1), and to nothing that a browser runs or shows.
pub(super) fn is_private(uri: &str) -> bool {
    let never = ["http", "https", "javascript", "data", "vbscript", "file", "blob", "about"];
    let is_plain = |scheme: &str| scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-');
    cut(uri).is_some_and(|parts| is_plain(parts.scheme) && !never.contains(&parts.scheme)) && !uri.contains(['#', '*'])
}

/// Whether a requested redirect URI is the registered one: the same string (OAuth 2.1 section 2.3.1), except
/// that the port of a loopback literal is the client's to choose at run time (RFC 8252 section 7.3).
pub(super) fn matches(registered: &str, requested: &str, flaws: Flaws) -> bool {
    if registered == requested {
        return true;
    }
    let (Some(known), Some(asked)) = (cut(registered), cut(requested)) else {
        return false;
    };
    if known.scheme != asked.scheme || requested.contains('#') {
        return false;
    }
    let literal = known.scheme == "http" && ["127.0.0.1", "[::1]"].contains(&known.host);
    let same_port = known.port == asked.port || (literal && (asked.port.is_empty() || is_port(asked.port)));
    let pattern = flaws.has(Flaw::RedirectPatternHost);
    let any_host = flaws.has(Flaw::RedirectAnyHost);
    let same_user = known.userinfo == asked.userinfo || pattern || any_host;
    let same_host = known.host == asked.host
        || any_host
        || (pattern
            && known.host.len() == asked.host.len()
            && known.host.bytes().zip(asked.host.bytes()).all(|(k, a)| k == b'.' || k == a));
    let same_path =
        known.path == asked.path || (flaws.has(Flaw::RedirectPathPrefix) && asked.path.starts_with(known.path));
    let same_query = known.query == asked.query || flaws.has(Flaw::RedirectQueryIgnored);
    same_user && same_host && same_port && same_path && same_query
}

/// The host a person is told about on the consent page.
pub(super) fn host(uri: &str) -> &str {
    cut(uri).map_or(uri, |parts| parts.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &[(&str, &str, bool)] = &[
        ("http://127.0.0.1/callback", "http://127.0.0.1:5000/callback", true),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1:2/callback", true),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1/callback", true),
        ("http://[::1]/cb", "http://[::1]:5000/cb", true),
        ("http://localhost:1/cb", "http://localhost:2/cb", false),
        ("http://127.0.0.1/callback", "http://localhost/callback", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:0/callback", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:99999/callback", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:1@evil.test/callback", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1.evil.test/callback", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:5/callback/", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:5/callback/../x", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:5/Callback", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:5/callback?x=1", false),
        ("http://127.0.0.1/callback", "http://127.0.0.1:5/callback#x", false),
        ("http://127.0.0.1/callback", "https://127.0.0.1/callback", false),
        ("https://a.test/cb", "https://a.test/cb", true),
        ("https://a.test/cb", "https://a.test:443/cb", false),
        ("https://a.test/cb", "https://b.a.test/cb", false),
        ("https://a.test/cb", "https://a.test@evil.test/cb", false),
        ("https://a.test/cb", "https://A.test/cb", false),
    ];

    #[test]
    fn a_scheme_of_the_clients_own_is_nothing_that_a_browser_runs() {
        for (uri, private) in [
            ("cursor://anysphere.cursor/cb", true),
            ("com.example.app://cb", true),
            ("https://a.test/cb", false),
            ("http://127.0.0.1/cb", false),
            ("javascript://a/%0aalert(1)", false),
            ("JAVASCRIPT://a/%0aalert(1)", false),
            ("cursor://a/cb#x", false),
            ("cursor", false),
        ] {
            assert_eq!(is_private(uri), private, "{uri}");
        }
    }

    #[test]
    fn compares_strings_but_for_loopback_ports() {
        for (registered, requested, expected) in SOUND {
            let matched = matches(registered, requested, Flaws::default());
            assert_eq!(matched, *expected, "{registered} {requested}");
        }
    }

    #[test]
    fn each_fault_lets_its_own_family_through_and_no_other() {
        let host = ["https://evil.test/cb?q=1", "https://a.test@evil.test/cb?q=1"];
        let pattern = ["https://axtest/cb?q=1", "https://evil.test@a.test/cb?q=1"];
        let path = ["https://a.test/cb/x?q=1", "https://a.test/cb%2e%2e?q=1", "https://a.test/cb;x?q=1"];
        let query = ["https://a.test/cb?q=2", "https://a.test/cb", "https://a.test/cb?q=1&r=2"];
        let never = ["http://a.test/cb?q=1", "https://a.test/cb?q=1#x", "https://a.test:444/cb?q=1"];
        for (flaw, through) in [
            (Flaw::RedirectAnyHost, &[&host[..], &pattern].concat()),
            (Flaw::RedirectPatternHost, &pattern.to_vec()),
            (Flaw::RedirectPathPrefix, &path.to_vec()),
            (Flaw::RedirectQueryIgnored, &query.to_vec()),
        ] {
            let mut flaws = Flaws::default();
            flaws.add(flaw);
            for uri in [&host[..], &pattern, &path, &query, &never].concat() {
                let matched = matches("https://a.test/cb?q=1", uri, flaws);
                assert_eq!(matched, through.contains(&uri), "{flaw:?} {uri}");
            }
        }
    }

    #[test]
    fn dangerous_ones_cannot_be_registered() {
        for uri in [
            "http://a.test/cb",
            "javascript:alert(1)",
            "javascript://a.test/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://*.a.test/cb",
            "https://a.test/cb#x",
            "https://u:p@a.test/cb",
            "https://a.test/x/../cb",
            "https:///cb",
            "https://a.test:x/cb",
            "https://a.test/c b",
            "https://evil.test\\@a.test/cb",
            "http://127.0.0.1.evil.test/cb",
            "com.example.app:/cb",
            "/cb",
            "",
        ] {
            assert!(objection(uri).is_some(), "{uri}");
        }
        for uri in [
            "https://a.test/cb?x=1",
            "http://127.0.0.1:1/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:1/cb",
            "http://localhost:1/cb",
        ] {
            assert_eq!(objection(uri), None, "{uri}");
        }
    }
}
