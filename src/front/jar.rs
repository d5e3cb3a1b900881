//! Cookies, kept as a browser keeps them.

use cookie_store::CookieStore;
use url::Url;

use crate::wire::Reply;
use crate::wire::guard::is_loopback_url;

/// The cookies of one session. Loopback counts as secure, so `Secure` and `__Host-` cookies work over plain http there.
#[derive(Default, Clone)]
pub(super) struct Jar(CookieStore);

impl std::fmt::Debug for Jar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jar(…)")
    }
}

impl Jar {
    /// Keeps what an answer sets, and forgets what it expires.
    pub(super) fn keep(&mut self, reply: &Reply) {
        let Some(url) = as_secure(&reply.url) else { return };
        for cookie in reply.header_all("set-cookie") {
            // A cookie that may not be set from there is dropped without a word, as browsers do.
            let _ = self.0.parse(&cookie, &url);
        }
    }

    /// The `Cookie` header for an address.
    pub(super) fn header(&self, address: &str) -> Option<String> {
        let url = as_secure(address)?;
        let mut cookies = self.0.matches(&url);
        // RFC 6265 section 5.4: longer paths first. Equal paths by name, so that two runs send the same bytes.
        cookies.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.name().cmp(b.name())));
        let pairs: Vec<String> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// The address as the jar is to see it: the jar knows `localhost`, but no names below it.
fn as_secure(address: &str) -> Option<Url> {
    let mut url = Url::parse(address).ok()?;
    if is_loopback_url(address) && url.scheme() == "http" {
        url.set_scheme("https").ok()?;
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::wire::ExchangeId;

    fn sets(url: &str, cookies: &[&'static str]) -> Reply {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append("set-cookie", HeaderValue::from_static(cookie));
        }
        Reply { id: ExchangeId(1), url: url.into(), status: 200, headers, body: Vec::new(), truncated: false }
    }

    #[test]
    fn loopback_is_secure_and_other_plain_hosts_are_not() {
        for host in ["http://127.0.0.1:8080", "http://localhost", "http://as.localhost:1", "http://[::1]:9"] {
            let mut jar = Jar::default();
            jar.keep(&sets(&format!("{host}/login"), &["__Host-sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax"]));
            assert_eq!(jar.header(&format!("{host}/authorize")).as_deref(), Some("__Host-sid=abc"), "{host}");
        }
        let mut jar = Jar::default();
        jar.keep(&sets("http://as.example/login", &["sid=abc; Path=/; Secure"]));
        assert_eq!(jar.header("http://as.example/authorize"), None);
    }

    #[test]
    fn paths_domains_and_expiry_are_kept_apart() {
        let mut jar = Jar::default();
        jar.keep(&sets("https://as.example/a/b", &["wide=1; Path=/", "near=2", "other=3; Domain=evil.example"]));
        assert_eq!(jar.header("https://as.example/a/c").as_deref(), Some("near=2; wide=1"));
        assert_eq!(jar.header("https://as.example/").as_deref(), Some("wide=1"));
        assert_eq!(jar.header("https://sub.as.example/"), None);
        jar.keep(&sets("https://as.example/a/b", &["wide=; Path=/; Max-Age=0"]));
        assert_eq!(jar.header("https://as.example/"), None);
    }
}
