//! Looks at the login page without a browser, for what a browser does without a word: a `form-action` that blocks the way
//! back, session cookies that no other site may cause to be sent, a window that is cut off.

use url::Url;

use crate::front::SeenPage;
use crate::front::album::Album;
use crate::front::walk;
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Wire;

/// What the login page says about the way of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Signs {
    /// `form-action` does not allow our redirect URI.
    pub(super) holds_back: bool,
    /// A cookie is `SameSite=Strict`, and the server is another site than our page.
    pub(super) strict: bool,
    /// A `Cross-Origin-Opener-Policy` cuts the link between the windows.
    pub(super) cuts: bool,
}

/// Fetches the page that the request leads a stranger to. Whatever goes wrong, there are no signs.
pub(super) async fn look(wire: &Wire, request: &AuthorizationRequest) -> Signs {
    let album = Album::default();
    // A stamp of its own: what is sent here belongs to no check's evidence.
    let wire = wire.stamped("cockpit");
    match walk::as_stranger(&wire, request, Some(&album)).await {
        Ok(_) => read(&album.pages(), request.redirect_uri()),
        Err(_) => Signs::default(),
    }
}

fn read(pages: &[SeenPage], redirect_uri: &str) -> Signs {
    let mut signs = Signs::default();
    for page in pages {
        let reply = &page.reply;
        let policies = reply.header_all("content-security-policy");
        signs.holds_back |= policies.iter().flat_map(|p| p.split(',')).any(|p| !lets_back(p, &reply.url, redirect_uri));
        let strict = |cookie: &String| {
            let parts = cookie.split(';').skip(1).map(|part| part.trim().to_ascii_lowercase());
            parts.filter_map(|part| part.strip_prefix("samesite=").map(str::to_owned)).any(|value| value == "strict")
        };
        signs.strict |= !is_same_site(&reply.url, redirect_uri) && reply.header_all("set-cookie").iter().any(strict);
        signs.cuts |= reply.header("cross-origin-opener-policy").is_some_and(|v| !v.trim().starts_with("unsafe-none"));
    }
    signs
}

/// Whether a policy lets a form's answer lead to the redirect URI. Chromium holds the whole chain of redirects against
/// `form-action` (CSP level 3 section 6.4.1 leaves that open); sources are matched by scheme, host and port.
fn lets_back(policy: &str, page: &str, redirect_uri: &str) -> bool {
    let directive = policy.split(';').map(str::trim).find_map(|directive| {
        let (name, sources) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        name.eq_ignore_ascii_case("form-action").then_some(sources)
    });
    let (Some(sources), Ok(target)) = (directive, Url::parse(redirect_uri)) else { return true };
    sources.split_ascii_whitespace().any(|source| lets(source, page, &target))
}

fn lets(source: &str, page: &str, target: &Url) -> bool {
    let source = source.to_ascii_lowercase();
    match source.as_str() {
        "'none'" => return false,
        "'self'" => return Url::parse(page).is_ok_and(|page| page.origin() == target.origin()),
        "*" => return ["http", "https"].contains(&target.scheme()),
        _ => {}
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return scheme == target.scheme();
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, source.as_str()),
    };
    // Without a scheme it is that of the page, or a better one.
    let by_scheme = scheme.is_none_or(|s| s == target.scheme() || (s == "http" && target.scheme() == "https"));
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let actual = target.host_str().unwrap_or_default();
    let by_host = match host.strip_prefix("*.") {
        Some(parent) => actual.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        None => host == "*" || host == actual,
    };
    let by_port = match port {
        "*" => true,
        "" => target.port().is_none(),
        port => target.port_or_known_default().is_some_and(|p| p.to_string() == port),
    };
    by_scheme && by_host && by_port
}

/// Same scheme and host; any port. Subdomains are of one site as well, but our page is on an address, which has none.
fn is_same_site(a: &str, b: &str) -> bool {
    match (Url::parse(a), Url::parse(b)) {
        (Ok(a), Ok(b)) => a.scheme() == b.scheme() && a.host_str() == b.host_str(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::{Page, PageKind};
    use crate::wire::message::tests::reply;

    const BACK: &str = "http://127.0.0.1:4711/callback";

    #[test]
    fn form_action_is_matched_by_scheme_host_and_port() {
        let page = "https://as.example/login";
        for policy in [
            "default-src 'none'",
            "form-action 'self' http://127.0.0.1:4711",
            "form-action http://127.0.0.1:*",
            "Form-Action *",
            "form-action http:",
        ] {
            assert!(lets_back(policy, page, BACK), "{policy}");
        }
        for policy in [
            "form-action 'self'",
            "form-action 'none'",
            "default-src *; form-action",
            "form-action http://127.0.0.1",
            "form-action http://localhost:4711",
            "form-action http://127.0.0.1:4712 https:",
            "form-action https://*.example",
        ] {
            assert!(!lets_back(policy, page, BACK), "{policy}");
        }
        assert!(lets_back("form-action https://*.app.example", page, "https://a.app.example/cb"));
        assert!(!lets_back("form-action https://*.app.example", page, "https://app.example/cb"));
    }

    #[test]
    fn the_signs_are_read_from_headers() {
        let page = Page { status: 200, kind: PageKind::Login, says: String::new(), exchange: None };
        let seen = |url: &str, headers: &[(&'static str, &str)]| {
            let mut reply = reply(200, headers, "");
            reply.url = url.into();
            [SeenPage { page: page.clone(), reply }]
        };
        assert_eq!(read(&seen("https://as.example/", &[("set-cookie", "a=b; SameSite=Lax")]), BACK), Signs::default());
        let strict = &[("set-cookie", "SameSite=Strict"), ("set-cookie", "a=b; HttpOnly; samesite=strict")];
        assert!(read(&seen("https://as.example/", strict), BACK).strict);
        assert!(!read(&seen("https://as.example/", &strict[..1]), BACK).strict);
        assert!(!read(&seen("http://127.0.0.1:99/", strict), BACK).strict, "a port makes no other site");
        assert!(read(&seen("http://localhost:99/", &[("cross-origin-opener-policy", "same-origin")]), BACK).cuts);
        assert!(read(&seen("http://a/", &[("content-security-policy", "form-action 'self'")]), BACK).holds_back);
    }
}
