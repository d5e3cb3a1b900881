//! TLS looked at from outside: what a certificate is worth, which versions are spoken. Over connections of our own,
//! without a proxy between, and entered in the ledger like everything else.

mod certificate;
mod hello;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Host, Url};

use super::ledger::{RecordedRequest, RecordedResponse};
use super::{ExchangeId, Trouble, TroubleKind, Wire, guard, message};

pub use certificate::{Certificate, Problem};
pub use hello::{Offered, OldVersion};

/// A handshake that was carried to its end, whatever the certificate is worth.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The record in the ledger.
    pub id: ExchangeId,
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The certificates that were sent, the server's own first.
    pub chain: Vec<Certificate>,
    /// What is wrong with them, by the authorities of this machine and those that the user added.
    pub problems: Vec<Problem>,
    /// When that was, in seconds since 1970.
    pub at: i64,
}

impl Wire {
    /// Whether requests to this address go through a proxy, so that a connection of our own would show another way.
    pub fn is_proxied(&self, url: &str) -> bool {
        let options = &self.inner.options;
        if Url::parse(url).is_ok_and(|url| options.resolved(&url).is_some()) {
            return false;
        }
        options.proxy.is_some() || self.has_proxy_of_environment(url)
    }

    /// Whether the environment has a proxy for this address, which a browser takes by itself.
    pub(crate) fn has_proxy_of_environment(&self, url: &str) -> bool {
        let resolved = Url::parse(url).is_ok_and(|url| self.inner.options.resolved(&url).is_some());
        let loopback = guard::is_loopback_url(url);
        let proxied = |uri: http::Uri| Matcher::from_system().intercept(&uri).is_some();
        !resolved && !loopback && url.parse().is_ok_and(proxied)
    }

    /// Whether the guard lets somebody else go to an address: a browser that we send there.
    pub(crate) async fn may_lead_to(&self, url: &str) -> Result<(), Trouble> {
        let options = &self.inner.options;
        let parsed = message::address(url)?;
        options.guard.admits(&parsed)?;
        // A proxy resolves names by itself.
        if options.resolved(&parsed).is_none() && !self.is_proxied(url) {
            let (host, port) = (parsed.host_str().unwrap_or_default(), parsed.port_or_known_default());
            options.guard.addresses(host, port.unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Whether the proxy is one that the user named, and not one of the environment.
    pub fn has_named_proxy(&self) -> bool {
        self.inner.options.proxy.is_some()
    }

    /// Whether the user named authorities beside those of this machine.
    pub fn has_named_authorities(&self) -> bool {
        !self.inner.options.authorities.is_empty()
    }

    /// Shakes hands in TLS 1.3 or 1.2 and hangs up. An invalid certificate is looked at and is no trouble.
    pub async fn shake_hands(&self, url: &str) -> Result<Handshake, Trouble> {
        let url = message::address(url)?;
        let offered = "ClientHello: TLS 1.3, TLS 1.2";
        let (id, (version, seen, at)) = self.probe(&url, offered, "", self.shaken(&url)).await?;
        Ok(Handshake { id, version, chain: seen.chain, problems: seen.problems, at })
    }

    async fn shaken(&self, url: &Url) -> Result<((&'static str, certificate::Seen, i64), String), Trouble> {
        let tls = |what: String| Trouble::new(TroubleKind::Tls, format!("TLS with {} failed: {what}", authority(url)));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let added = self.inner.options.authorities.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem).flatten());
        let real =
            Verifier::new_with_extra_roots(added, Arc::clone(&provider)).map_err(|e| tls(format!("{e} (see --ca)")))?;
        let recorder = certificate::Recorder::new(real);
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| tls(e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<_>);
        let mut config = match &self.inner.options.identity {
            Some(pem) => {
                let chain = CertificateDer::pem_slice_iter(pem).flatten().collect();
                let key = PrivateKeyDer::from_pem_slice(pem).map_err(|e| tls(e.to_string()))?;
                config.with_client_auth_cert(chain, key).map_err(|e| tls(e.to_string()))?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = match url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|e| tls(e.to_string()))?,
            Some(Host::Ipv4(v4)) => ServerName::from(std::net::IpAddr::from(v4)),
            Some(Host::Ipv6(v6)) => ServerName::from(std::net::IpAddr::from(v6)),
            None => return Err(tls("there is no host".into())),
        };
        let stream = self.connect(url).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.map_err(|e| tls(e.to_string()))?;
        let version = match stream.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        };
        let _ = stream.shutdown().await;
        let seen = recorder.seen();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let own = seen.chain.first().map_or_else(String::new, |own| {
            format!(
                "; certificate of {} for {}, signed by {}, {} days left",
                own.subject,
                own.names.join(", "),
                own.issuer,
                own.days_left(now)
            )
        });
        let verified = match seen.problems.is_empty() {
            true => "trusted".to_owned(),
            false => format!("not accepted: {:?}", seen.problems),
        };
        Ok(((version, seen, now), format!("ServerHello: {version}{own}; {verified}")))
    }

    /// Offers a version that is out of use, and hangs up whatever comes back.
    pub async fn offer(&self, url: &str, version: OldVersion) -> Result<(ExchangeId, Offered), Trouble> {
        let url = message::address(url)?;
        let offered = format!("ClientHello: {} at most", version.as_str());
        let asking = async {
            let mut stream = self.connect(&url).await?;
            let name = url.domain();
            let io = |e: std::io::Error| Trouble::new(TroubleKind::Refused, format!("{} failed: {e}", authority(&url)));
            stream.write_all(&hello::client_hello(version, name)).await.map_err(io)?;
            let mut heard = Vec::new();
            let answer = loop {
                let mut part = [0; 1024];
                // Being cut off is an answer here.
                let read = stream.read(&mut part).await.unwrap_or(0);
                heard.extend_from_slice(&part[..read]);
                if let Some(answer) = hello::read(&heard, read == 0) {
                    break answer;
                }
            };
            let says = answer.describe();
            Ok((answer, says))
        };
        self.probe(&url, &offered, version.as_str(), asking).await
    }

    /// A connection to where an address leads, through the guard.
    pub(crate) async fn connect(&self, url: &Url) -> Result<TcpStream, Trouble> {
        let options = &self.inner.options;
        options.guard.admits(url)?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = match options.resolved(url) {
            Some(address) => vec![address],
            None => options.guard.addresses(host, port).await?,
        };
        let mut last = format!("the host {host} does not resolve");
        let each = self.limits().time / u32::try_from(addresses.len().max(1)).unwrap_or(1);
        let mut kind = TroubleKind::NoSuchHost;
        for address in addresses {
            (kind, last) = match tokio::time::timeout(each, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(e)) => (TroubleKind::Refused, format!("{address} takes no connection: {e}")),
                Err(_) => (TroubleKind::TimedOut, format!("{address} lets no connection through")),
            };
        }
        Err(Trouble::new(kind, last))
    }

    /// Does the work within the limits and enters it in the ledger: what was offered, and what came back in words.
    async fn probe<T>(
        &self,
        url: &Url,
        offered: &str,
        version: &str,
        work: impl Future<Output = Result<(T, String), Trouble>>,
    ) -> Result<(ExchangeId, T), Trouble> {
        let _slot = self.inner.slots.acquire().await.expect("the semaphore is never closed");
        self.begin(1).await?;
        let began = Instant::now();
        let time: Duration = self.limits().time;
        let done = tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
            let why = format!("{} gave no answer within {} s", authority(url), time.as_secs_f32());
            Err(Trouble::new(TroubleKind::TimedOut, why))
        });
        let hide = |text: &str| self.vault().redact(text).into_owned();
        let headers = match version {
            "" => Vec::new(),
            version => vec![("tls-max".to_owned(), version.to_owned())],
        };
        let request = RecordedRequest {
            method: "TLS".into(),
            url: hide(&format!("https://{}/", authority(url))),
            headers,
            body: Some(offered.to_owned()),
        };
        let response = match &done {
            Ok((_, says)) => Ok(RecordedResponse { status: 0, headers: Vec::new(), body: hide(says) }),
            Err(trouble) => Err(hide(&trouble.why)),
        };
        let id = self.ledger().enter(self.stamp(), request, response, began.elapsed(), self.trace());
        done.map(|(value, _)| (id, value))
    }
}

/// Host and port.
fn authority(url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    }
}
