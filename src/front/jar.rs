//! Cookies, kept as a browser keeps them.

use std::time::{SystemTime, UNIX_EPOCH};

use cookie_store::{CookieDomain, CookieExpiration, CookieStore};
use url::Url;

use super::cookies::{SavedCookie, SavedSession};
use crate::oauth::secret::Secret;
use crate::wire::Reply;
use crate::wire::guard::is_loopback_url;

/// The longest name and value together (RFC 6265bis section 5.7), and how many cookies a host may keep with us. Browsers
/// drop what is longer, and let the oldest go where there are more; we take no more then.
const LONGEST: usize = 4096;
const MOST: usize = 180;

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
            let pair = cookie.split(';').next().unwrap_or_default();
            if pair.len() > LONGEST || self.0.iter_any().count() >= MOST {
                continue;
            }
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

impl From<&SavedSession> for Jar {
    /// A jar with the cookies of an earlier sign-in, as if they had just been set.
    fn from(session: &SavedSession) -> Self {
        let mut jar = Self::default();
        for cookie in &session.cookies {
            let host = cookie.domain.trim_start_matches('.');
            let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
            let Ok(url) = Url::parse(&format!("https://{host}{}", cookie.path)) else { continue };
            let mut line = format!("{}={}; Path={}", cookie.name, cookie.value.expose(), cookie.path);
            if cookie.domain.starts_with('.') {
                line.push_str(&format!("; Domain={host}"));
            }
            if let Some(at) = cookie.expires {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                line.push_str(&format!("; Max-Age={}", at.saturating_sub(now.as_secs())));
            }
            let same_site = cookie.same_site.as_deref().map(|s| format!("; SameSite={s}")).unwrap_or_default();
            let flags = [(cookie.secure, "; Secure"), (cookie.http_only, "; HttpOnly")];
            line.push_str(&same_site);
            flags.iter().filter(|(on, _)| *on).for_each(|(_, flag)| line.push_str(flag));
            // A cookie that may not be set from there is dropped without a word, as browsers do.
            let _ = jar.0.parse(&line, &url);
        }
        jar
    }
}

impl From<&Jar> for SavedSession {
    fn from(jar: &Jar) -> Self {
        let cookies = jar.0.iter_unexpired().map(|cookie| SavedCookie {
            name: cookie.name().to_owned(),
            value: Secret::new(cookie.value()),
            domain: match &cookie.domain {
                CookieDomain::Suffix(domain) => format!(".{domain}"),
                CookieDomain::HostOnly(host) => host.clone(),
                CookieDomain::NotPresent | CookieDomain::Empty => String::new(),
            },
            path: String::from(cookie.path.clone()),
            expires: match &cookie.expires {
                CookieExpiration::AtUtc(at) => u64::try_from(at.unix_timestamp()).ok(),
                CookieExpiration::SessionEnd => None,
            },
            http_only: cookie.http_only().unwrap_or_default(),
            secure: cookie.secure().unwrap_or_default(),
            same_site: cookie.same_site().map(|s| s.to_string()),
        });
        let mut cookies: Vec<SavedCookie> = cookies.collect();
        cookies.sort_by(|a, b| (&a.domain, &a.path, &a.name).cmp(&(&b.domain, &b.path, &b.name)));
        Self { cookies }
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
        Reply { id: ExchangeId(1), url: url.into(), status: 200, headers, body: Default::default(), truncated: false }
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

    #[test]
    fn a_session_survives_its_file() {
        let mut jar = Jar::default();
        jar.keep(&sets(
            "http://127.0.0.1:8080/login",
            &["__Host-sid=abc; Path=/; Secure; HttpOnly", "b=2; Max-Age=60"],
        ));
        jar.keep(&sets("https://login.as.example/", &["wide=1; Domain=as.example; Path=/", "gone=1; Max-Age=0"]));
        let saved = SavedSession::from(&jar);
        let domains: Vec<&str> = saved.cookies.iter().map(|c| c.domain.as_str()).collect();
        assert_eq!(domains, [".as.example", "127.0.0.1", "127.0.0.1"]);
        let jar = Jar::from(&saved);
        assert_eq!(jar.header("http://127.0.0.1:9/").as_deref(), Some("__Host-sid=abc; b=2"));
        assert_eq!(jar.header("https://www.as.example/").as_deref(), Some("wide=1"));
        assert_eq!(jar.header("http://other.example/"), None);
    }
}
