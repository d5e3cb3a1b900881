//! The lab over TLS: an authority of its own, a certificate from it, and what the faults of this layer do.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::faults::{Flaw, Flaws};

/// The name that the lab is called by over TLS: a name and no address, so that clients send it in their hello.
pub(super) const HOST: &str = "localhost";

/// Time for a client to shake hands.
const PATIENCE: Duration = Duration::from_secs(5);

/// An authority that lives as long as the lab, and what it signed.
pub(super) struct Identity {
    /// The authority's certificate, PEM.
    pub(super) authority: String,
    acceptor: TlsAcceptor,
    flaws: Flaws,
}

impl Identity {
    /// Makes both.
    pub(super) fn make(flaws: Flaws) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let now = OffsetDateTime::now_utc();
        let day = time::Duration::DAY;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.distinguished_name.push(DnType::CommonName, "oaudit lab authority");
        (authority.not_before, authority.not_after) = (now - 60 * day, now + 365 * day);
        let authority_key = KeyPair::generate()?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();

        let names = match flaws.has(Flaw::CertificateOtherName) {
            true => vec!["other.lab.test".to_owned()],
            false => vec![HOST.to_owned(), "127.0.0.1".to_owned()],
        };
        let mut own = CertificateParams::new(names)?;
        own.distinguished_name.push(DnType::CommonName, "oaudit lab");
        own.use_authority_key_identifier_extension = true;
        own.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        own.not_before = now - 30 * day;
        own.not_after = match () {
            () if flaws.has(Flaw::CertificateExpired) => now - day,
            () if flaws.has(Flaw::CertificateShortLived) => now + 5 * day,
            () => now + 90 * day,
        };
        let own_key = KeyPair::generate()?;
        let certificate = own.signed_by(&own_key, &Issuer::new(authority, authority_key))?;

        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { authority: authority_pem, acceptor: TlsAcceptor::from(Arc::new(config)), flaws })
    }

    /// A listener whose connections have shaken hands.
    pub(super) fn listen(self, listener: TcpListener) -> io::Result<Secured> {
        let address = listener.local_addr()?;
        let (ready, waiting) = mpsc::channel(16);
        let identity = Arc::new(self);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, from)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let (identity, ready) = (Arc::clone(&identity), ready.clone());
                // Aside, so that a client that says nothing keeps nobody waiting.
                tokio::spawn(async move {
                    if let Ok(Some(io)) = tokio::time::timeout(PATIENCE, identity.greet(stream)).await {
                        let _ = ready.send((io, from)).await;
                    }
                });
            }
        });
        Ok(Secured { waiting, address, task })
    }

    /// Shakes hands; `None` if the client goes away or is sent away.
    async fn greet(&self, mut stream: TcpStream) -> Option<Io> {
        let _ = stream.set_nodelay(true);
        let mut first = [0; 11];
        // Version 3.x of the hello stands behind the headers of record and message.
        while stream.peek(&mut first).await.ok()? < first.len() && first[0] == 22 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if first[0] != 22 && self.flaws.has(Flaw::PlainHttpAnswered) {
            return Some(Box::new(stream));
        }
        let is_old = first[0] == 22 && first[9] == 3 && first[10] < 3;
        if is_old && self.flaws.has(Flaw::OldTlsAccepted) {
            let _ = stream.write_all(&old_server_hello(first[10])).await;
            let _ = stream.shutdown().await;
            return None;
        }
        Some(Box::new(self.acceptor.accept(stream).await.ok()?))
    }
}

/// The answer of a server that takes an old version: enough of it to be seen, for nobody goes on.
fn old_server_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x13, 0]);
    let length = u8::try_from(hello.len()).unwrap_or_default();
    let message = [&[2, 0, 0, length][..], &hello].concat();
    [&[22, 3, minor, 0, length + 4][..], &message].concat()
}

/// Both kinds of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Io = Box<dyn Stream>;

/// Connections that have shaken hands.
pub(super) struct Secured {
    waiting: mpsc::Receiver<(Io, SocketAddr)>,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Secured {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener for Secured {
    type Io = Io;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Io, SocketAddr) {
        match self.waiting.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
