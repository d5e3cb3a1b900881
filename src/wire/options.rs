//! How the door is set up: limits, proxies, certificates, addresses in place of names; and the clients behind it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::guard::{Guard, is_loopback_host};
use super::{Trace, Trouble, TroubleKind};

/// How long and how much.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Time for one exchange, body included.
    pub time: Duration,
    /// Bytes of a body that are read; the rest is left unread.
    pub body: usize,
    /// The longest `Retry-After` that is waited for.
    pub patience: Duration,
    /// Requests under way at once.
    pub at_once: usize,
    /// Requests that begin within a second.
    pub rate: Option<u32>,
    /// Requests in all, clean-up aside.
    pub requests: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            body: 1 << 20,
            patience: Duration::from_secs(5),
            at_once: 8,
            rate: None,
            requests: None,
        }
    }
}

/// How the wire is set up.
#[derive(Clone, Default)]
pub struct WireOptions {
    /// Limits.
    pub limits: Limits,
    /// Which addresses the target may send us to.
    pub guard: Guard,
    /// Headers added to every request.
    pub headers: Vec<(String, String)>,
    /// Accept any certificate. Recorded in the report.
    pub insecure: bool,
    /// Further trusted certificates, PEM.
    pub authorities: Vec<Vec<u8>>,
    /// The proxy for every request, loopback included; without it, that of the environment.
    pub proxy: Option<String>,
    /// A certificate with its key for servers that ask for one, PEM.
    pub identity: Option<Vec<u8>>,
    /// Where hosts are, in place of what their names resolve to; never by a proxy.
    pub resolve: Vec<Resolved>,
    /// Who is told of every exchange.
    pub trace: Trace,
}

/// It may hold a key and a password.
impl std::fmt::Debug for WireOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireOptions").field("limits", &self.limits).field("guard", &self.guard).finish_non_exhaustive()
    }
}

/// Where a port of a host is: `HOST:PORT:ADDR`, as `curl --resolve` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The host, as it stands in URLs.
    pub host: String,
    /// The address.
    pub address: SocketAddr,
}

/// The URL of a proxy.
///
/// # Errors
/// What is wrong with it.
pub fn proxy_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("this is no URL, such as http://127.0.0.1:8080: {error}"))?;
    match url.scheme() {
        "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h" if url.has_host() => Ok(url),
        _ => Err("the URL of a proxy begins with http, https or socks5, such as http://127.0.0.1:8080".into()),
    }
}

impl FromStr for Resolved {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(port), Some(address)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("it is HOST:PORT:ADDR, such as api.example.com:443:10.0.0.7".into());
        };
        let host = host.to_ascii_lowercase();
        if host.is_empty() || host.parse::<IpAddr>().is_ok() {
            return Err("HOST is a name".into());
        }
        let port = port.parse().map_err(|_| format!("{port} is no port"))?;
        let address = address.trim_matches(['[', ']']).parse().map_err(|_| format!("{address} is no IP address"))?;
        Ok(Self { host, address: SocketAddr::new(address, port) })
    }
}

impl WireOptions {
    /// What a reader of the report must know about the way that its requests took.
    pub fn remarks(&self) -> Vec<String> {
        let proxy = self.proxy.as_ref().map(|proxy| {
            // Whoever has a password in front of the host keeps it.
            let host =
                Url::parse(proxy).ok().map(|url| url[url::Position::BeforeHost..url::Position::AfterPort].to_owned());
            format!("requests went through the proxy {}", host.unwrap_or_default())
        });
        let resolved = self.resolve.iter().map(|r| format!("{} was taken to be at {} (--resolve)", r.host, r.address));
        let budget = self.limits.requests.map(|n| format!("no more than {n} requests were allowed (--max-requests)"));
        let insecure = self.insecure.then(|| "certificates were not verified (--insecure)".to_owned());
        insecure.into_iter().chain(proxy).chain(resolved).chain(budget).collect()
    }

    /// What must not be shown of the way that requests take, each with its kind: passwords of proxies, and headers that
    /// are credentials. A server may repeat what it was sent.
    pub(super) fn secrets(&self) -> Vec<(&'static str, String)> {
        let proxies = self.proxy.clone().into_iter().chain(proxies_of_environment());
        let password = |proxy: String| Url::parse(&proxy).ok()?.password().map(str::to_owned);
        let passwords = proxies.filter_map(password).map(|password| ("password", password));
        passwords.chain(self.headers.iter().flat_map(|(name, value)| credentials(name, value))).collect()
    }

    /// Where a URL leads to, if the user said so.
    pub(super) fn resolved(&self, url: &Url) -> Option<SocketAddr> {
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        let found = self.resolve.iter().find(|r| r.address.port() == port && r.host.eq_ignore_ascii_case(host));
        found.map(|r| r.address)
    }

    /// The guard; the proxies that the user or the environment names are open to us, wherever they are.
    fn open_guard(&self) -> Guard {
        let host = |proxy: String| Url::parse(&proxy).ok().and_then(|url| url.host_str().map(str::to_owned));
        let proxies = self.proxy.clone().into_iter().chain(proxies_of_environment());
        proxies.filter_map(host).fold(self.guard.clone(), Guard::through)
    }
}

fn proxies_of_environment() -> impl Iterator<Item = String> {
    let variables = ["http_proxy", "https_proxy", "all_proxy"];
    let named = variables.into_iter().flat_map(|name| [name.to_owned(), name.to_uppercase()]);
    let named = named.filter_map(|name| std::env::var(name).ok());
    named.map(|proxy| if proxy.contains("://") { proxy } else { format!("http://{proxy}") })
}

/// What is secret in a header that is added to every request, as far as its name or its looks tell.
fn credentials(name: &str, value: &str) -> Vec<(&'static str, String)> {
    let name = name.to_ascii_lowercase();
    if name == "cookie" {
        let pairs = value.split(';').filter_map(|pair| pair.split_once('='));
        return pairs.map(|(_, value)| ("cookie", value.trim().to_owned())).collect();
    }
    if let Some((scheme, credentials)) = value.split_once(' ').filter(|_| name.ends_with("authorization")) {
        let mut found = vec![("header", credentials.trim().to_owned())];
        let decoded = STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.filter(|_| scheme.eq_ignore_ascii_case("basic"));
        found.extend(decoded.as_deref().and_then(|d| d.split_once(':')).map(|(_, p)| ("password", p.to_owned())));
        return found;
    }
    let telling = ["auth", "key", "token", "secret", "pass", "cred", "session", "sig"];
    let random = value.len() >= 16
        && !value.contains([' ', '/'])
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic());
    match random || telling.iter().any(|word| name.contains(word)) {
        true => vec![("header", value.to_owned())],
        false => Vec::new(),
    }
}

/// How long a connection may rest and be used again. Servers close theirs after two seconds (gunicorn) or five (Node.js,
/// uvicorn, Apache), and what is sent in that moment is lost, like a lost answer of the server.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// What speaks HTTP for us.
pub(super) struct Clients {
    /// For loopback targets, never by a proxy of the environment.
    #[expect(clippy::disallowed_types, reason = "this is the door")]
    direct: reqwest::Client,
    /// For all others, by the environment's proxy if there is one.
    #[expect(clippy::disallowed_types, reason = "this is the door")]
    outward: reqwest::Client,
    /// For hosts whose address the user gave: reqwest knows hosts by name alone, without the port.
    #[expect(clippy::disallowed_types, reason = "this is the door")]
    pinned: Vec<(Resolved, reqwest::Client)>,
}

impl Clients {
    pub(super) fn new(options: &WireOptions) -> Result<Self, Trouble> {
        let build = |way: Way| {
            #[expect(clippy::disallowed_types, reason = "this is the door")]
            let mut builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(options.limits.time)
                .pool_idle_timeout(IDLE)
                .dns_resolver(Arc::new(options.open_guard()));
            builder = match (way, &options.proxy) {
                (Way::To(at), _) => builder.no_proxy().resolve(&at.host, at.address),
                (_, Some(proxy)) => {
                    let proxy = reqwest::Proxy::all(proxy)
                        .map_err(|e| Trouble::new(TroubleKind::NotAUrl, format!("--proxy is no proxy: {e}")))?;
                    builder.no_proxy().proxy(proxy)
                }
                (Way::Direct, None) => builder.no_proxy(),
                (Way::Outward, None) => builder,
            };
            if options.insecure {
                builder = builder.tls_danger_accept_invalid_certs(true);
            }
            for pem in &options.authorities {
                let certificate = reqwest::Certificate::from_pem(pem)
                    .map_err(|e| Trouble::new(TroubleKind::Tls, format!("not a PEM certificate: {e}")))?;
                builder = builder.tls_certs_merge([certificate]);
            }
            if let Some(pem) = &options.identity {
                let identity = reqwest::Identity::from_pem(pem).map_err(|_| {
                    let why = "the client certificate is no PEM file of a certificate and its key";
                    Trouble::new(TroubleKind::Tls, why)
                })?;
                builder = builder.identity(identity);
            }
            builder.build().map_err(|e| Trouble::new(TroubleKind::Tls, format!("TLS could not be set up: {e}")))
        };
        let pinned = options.resolve.iter().map(|at| Ok((at.clone(), build(Way::To(at))?)));
        Ok(Self {
            direct: build(Way::Direct)?,
            outward: build(Way::Outward)?,
            pinned: pinned.collect::<Result<_, _>>()?,
        })
    }

    #[expect(clippy::disallowed_types, reason = "this is the door")]
    pub(super) fn to(&self, url: &Url) -> &reqwest::Client {
        let host = url.host_str().unwrap_or_default();
        let is_it = |at: &Resolved| {
            at.host.eq_ignore_ascii_case(host) && url.port_or_known_default() == Some(at.address.port())
        };
        match self.pinned.iter().find(|(at, _)| is_it(at)) {
            Some((_, client)) => client,
            None if is_loopback_host(host) => &self.direct,
            None => &self.outward,
        }
    }
}

#[derive(Clone, Copy)]
enum Way<'a> {
    Direct,
    Outward,
    To(&'a Resolved),
}

#[cfg(test)]
mod tests;
