//! Where a target is reached: the addresses whose transport is judged.

use super::{Context, Needs, Shortfall, Stage};
use crate::audit::Audit;
use crate::oauth::request::AuthorizationRequest;
use crate::wire::guard::is_loopback_url;

/// Every address of the target: the resource, the endpoints and the keys. All of them are reached directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses(pub Vec<String>);

impl Addresses {
    fn of(audit: &Audit) -> Self {
        let discovery = &audit.discovery;
        let members = discovery.server.metadata.fetched.json.as_ref().and_then(|json| json.as_object());
        let endpoints = members.into_iter().flatten().filter(|(name, _)| *name == "jwks_uri" || is_endpoint(name));
        let resource = discovery.resource.as_ref().map(|resource| resource.url.clone());
        let mut all: Vec<String> = Vec::new();
        for url in resource.into_iter().chain(endpoints.filter_map(|(_, url)| url.as_str().map(str::to_owned))) {
            // Query and fragment have no part in how an address is reached.
            let url = url.split(['?', '#']).next().unwrap_or_default().to_owned();
            let is_web = url::Url::parse(&url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
            if is_web && !all.contains(&url) {
                all.push(url);
            }
        }
        Self(all)
    }

    /// One address for each host and port that is reached by https.
    pub fn https(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for url in self.0.iter().filter(|url| url.starts_with("https:")) {
            if !found.iter().any(|other| same_origin(other, url)) {
                found.push(url);
            }
        }
        found
    }
}

fn is_endpoint(name: &str) -> bool {
    name.ends_with("_endpoint")
}

fn same_origin(a: &str, b: &str) -> bool {
    let origin = |url: &str| url::Url::parse(url).ok().map(|u| u.origin());
    origin(a) == origin(b)
}

impl Needs for Addresses {
    const STAGE: Stage = Stage::Anonymous;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let addresses = Self::of(&cx.audit);
        if addresses.0.iter().all(|url| url.starts_with("http:") && is_loopback_url(url)) {
            return Err(Shortfall::NotApplicable(
                "every address is plain http on this machine, as in development".into(),
            ));
        }
        if let Some(url) = addresses.0.iter().find(|url| cx.wire.is_proxied(url)) {
            let host = url::Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
            let how = match cx.wire.has_named_proxy() {
                true => "leave --proxy out, where a direct connection is possible".to_owned(),
                false => format!("NO_PROXY={host} in the environment, where a direct connection is possible"),
            };
            let why = "a proxy stands between, so what its other side speaks cannot be seen".to_owned();
            return Err(Shortfall::NotRun(why, how));
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_for_each_origin() {
        let all = ["https://a.example/x", "https://a.example:443/y", "http://a.example/z", "https://a.example:8443/"];
        let addresses = Addresses(all.map(str::to_owned).to_vec());
        assert_eq!(addresses.https(), ["https://a.example/x", "https://a.example:8443/"]);
    }
}
