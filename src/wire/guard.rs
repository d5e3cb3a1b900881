//! Where a target may send us: the public internet and the place that the user named, nothing else.
//!
//! A hostile target could name the address of a CI runner's metadata service as its token endpoint. Addresses are
//! judged when a connection is made, after the name was resolved, so a name cannot change its mind in between.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::{Trouble, TroubleKind};

/// The words by which a refusal of the resolver is known again in an error chain.
pub(super) const REFUSAL: &str = "not a public address";

/// What is said to whoever wants out although nothing may be sent.
const OFFLINE: &str = "nothing is sent in an offline audit";

/// The hosts that are named by the user, whatever their addresses.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    named: BTreeSet<String>,
    loopback: bool,
    closed: bool,
}

impl Guard {
    /// Lets nothing out, to whatever is named afterwards: for what reads files alone.
    pub fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// Lets connections go to the host of a URL that the user named. A loopback target opens the loopback.
    #[must_use]
    pub fn naming(mut self, url: &str) -> Self {
        if let Ok(url) = Url::parse(url)
            && let Some(host) = url.host_str()
        {
            self = self.allowing(host);
        }
        self
    }

    /// Lets connections go to a host (`--allow-host`).
    #[must_use]
    pub fn allowing(mut self, host: &str) -> Self {
        self.loopback |= is_loopback_host(host);
        self.named.insert(host.to_ascii_lowercase());
        self
    }

    /// Lets connections go to a proxy that the user or the environment named. A proxy on this machine does not open the
    /// machine to the target.
    #[must_use]
    pub(super) fn through(mut self, host: String) -> Self {
        self.named.insert(host.to_ascii_lowercase());
        self
    }

    /// Judges an address that is written as one, and the names of this machine: a proxy would resolve those for us, and
    /// one that is called by such a name opens it. Other names are judged when they have been resolved.
    pub(super) fn admits(&self, url: &Url) -> Result<(), Trouble> {
        if self.closed {
            return Err(Trouble::new(TroubleKind::Guarded, OFFLINE));
        }
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
            Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
            Some(Host::Domain(name)) if is_loopback_host(name) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => return Ok(()),
        };
        if self.opens(url.host_str().unwrap_or_default(), address) {
            return Ok(());
        }
        Err(Trouble::new(TroubleKind::Guarded, refusal(url.host_str().unwrap_or_default(), address)))
    }

    /// The addresses of a host that may be gone to.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
        if self.closed {
            return Err(Trouble::new(TroubleKind::Guarded, OFFLINE));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let found = tokio::net::lookup_host((bare, port)).await;
        let found = found.into_iter().flatten().collect();
        self.open_of(host, found).map_err(|why| Trouble::new(TroubleKind::Guarded, why))
    }

    /// Those of the addresses of a name that may be gone to; why not, if there are others alone.
    fn open_of(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let open: Vec<SocketAddr> = found.iter().copied().filter(|a| self.opens(host, a.ip())).collect();
        match (open.is_empty(), found.first()) {
            (true, Some(first)) => Err(refusal(host, first.ip())),
            _ => Ok(open),
        }
    }

    fn opens(&self, host: &str, address: IpAddr) -> bool {
        self.named.contains(&host.to_ascii_lowercase())
            || (self.loopback && canonical(address).is_loopback())
            || is_public(address)
    }
}

fn refusal(host: &str, address: IpAddr) -> String {
    let is = if host.trim_matches(['[', ']']) == address.to_string() { String::new() } else { format!("{address}, ") };
    format!("{host} is {is}{REFUSAL}: the target may not lead there; add --allow-host {host} if it may")
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            // Asking for a name is a request as well.
            if guard.closed {
                return Err(OFFLINE.into());
            }
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let open = guard.open_of(&host, found)?;
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// Whether a host, as it stands in a URL, is this machine.
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|a| canonical(a).is_loopback())
}

/// Whether a URL leads to this machine.
pub fn is_loopback_url(url: &str) -> bool {
    Url::parse(url).ok().and_then(|u| u.host_str().map(is_loopback_host)).unwrap_or(false)
}

/// IPv4 in the clothes of IPv6 (mapped, NAT64, 6to4) is judged as the IPv4 that it is.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let low = || Ipv4Addr::new((s[6] >> 8) as u8, s[6] as u8, (s[7] >> 8) as u8, s[7] as u8);
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return IpAddr::V4(low());
    }
    if s[0] == 0x2002 {
        return IpAddr::V4(Ipv4Addr::new((s[1] >> 8) as u8, s[1] as u8, (s[2] >> 8) as u8, s[2] as u8));
    }
    address
}

/// Whether an address is on the public internet (the special-purpose registries of RFC 6890 taken out).
fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            // Only global unicast, without what protocols use (2001::/23, Teredo among it) and what documents do.
            (0x2000..0x4000).contains(&first)
                && !(first == 0x2001 && (second < 0x200 || second == 0x0db8))
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(guard: &Guard, url: &str) -> bool {
        guard.admits(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn private_addresses_are_closed_in_every_spelling() {
        let guard = Guard::default().naming("https://api.example.com/mcp");
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[::10.0.0.1]/",
            "http://[64:ff9b:1::a00:1]/",
            "http://[2002:a00:1::]/",
            "http://[2001:0:a00:1::f5ff:fffe]/",
            "http://[3fff::1]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://localhost/",
            "https://LOCALHOST.:8443/",
            "http://a.localhost/",
        ] {
            assert!(!admits(&guard, url), "{url}");
        }
        assert!(admits(&guard, "http://93.184.216.34/"));
        assert!(admits(&guard, "http://[2606:2800:220:1::1]/"));
    }

    #[test]
    fn a_name_is_judged_by_what_it_resolves_to() {
        let guard = Guard::default().naming("https://api.example.com/mcp");
        let at = |all: &[&str]| all.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 443)).collect::<Vec<_>>();
        for private in
            ["10.0.0.1", "169.254.169.254", "127.0.0.1", "192.168.1.1", "::1", "fd00:ec2::254", "::ffff:10.0.0.1"]
        {
            let why = guard.open_of("metadata.example.net", at(&[private])).unwrap_err();
            assert!(why.starts_with("metadata.example.net is ") && why.contains(REFUSAL), "{why}");
            assert!(why.ends_with("add --allow-host metadata.example.net if it may"), "{why}");
            // A name with both is gone to where it is public, and nowhere else.
            assert_eq!(guard.open_of("both.example.net", at(&[private, "93.184.216.34"])), Ok(at(&["93.184.216.34"])));
            assert_eq!(guard.open_of("API.example.com", at(&[private])), Ok(at(&[private])), "the user named it");
        }
        assert_eq!(guard.open_of("nowhere.example.net", Vec::new()), Ok(Vec::new()));
        // A target on this machine opens this machine, and not the network that it is in.
        let at_home = Guard::default().naming("http://127.0.0.1:9101/");
        assert!(at_home.open_of("rebound.example.net", at(&["127.0.0.1"])).is_ok());
        assert!(at_home.open_of("rebound.example.net", at(&["192.168.1.1"])).is_err());
    }

    #[tokio::test]
    async fn a_closed_guard_lets_nothing_out() {
        let guard = Guard::closed().naming("http://127.0.0.1:9101/").allowing("api.example.com");
        for url in ["http://127.0.0.1:9101/", "https://api.example.com/", "http://93.184.216.34/", "http://localhost/"]
        {
            assert!(!admits(&guard, url), "{url}");
        }
        assert!(guard.addresses("localhost", 80).await.is_err());
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_err());
    }

    #[test]
    fn what_the_user_named_is_open() {
        let guard = Guard::default().naming("http://127.0.0.1:9101/api");
        assert!(admits(&guard, "http://127.0.0.1:1/"));
        assert!(admits(&guard, "http://[::1]:2/"));
        assert!(admits(&guard, "http://localhost:2/"));
        assert!(admits(&Guard::default().naming("http://app.localhost/"), "http://app.localhost/token"));
        assert!(!admits(&guard, "http://10.1.2.3/"));
        assert!(admits(&guard.allowing("10.1.2.3"), "http://10.1.2.3/"));
    }
}
