//! Where a browser is sent in place of a redirect URI: a port of ours that answers everything with an empty page. The code is
//! read from the address, and never leaves this machine.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Bytes of a request that are read and dropped.
const MOST: usize = 16 * 1024;

/// A page that shows nothing, and for which no icon is asked.
const PAGE: &str = "<link rel=icon href=data:,>";

/// A port under way.
#[derive(Debug)]
pub(super) struct Sink {
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Sink {
    /// Opens one on a free port.
    pub(super) async fn open() -> Result<Self, String> {
        let why = |what: &dyn std::fmt::Display| format!("no port could be opened to catch redirects: {what}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| why(&e))?;
        let port = listener.local_addr().map_err(|e| why(&e))?.port();
        let acceptor = acceptor().map_err(|e| why(&e))?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(swallow(stream, acceptor.clone()));
            }
        });
        Ok(Self { port, task })
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A certificate that no browser trusts: it must not be taken for the host's own. A browser that is told so stops at
/// once, while one whose connection fails asks the authorization server again, and gets a second code.
fn acceptor() -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let own = rcgen::generate_simple_self_signed(vec!["redirects-end-here.invalid".to_owned()])?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn swallow(stream: TcpStream, acceptor: TlsAcceptor) {
    let mut first = [0];
    if stream.peek(&mut first).await.is_err() {
        return;
    }
    // A handshake record.
    if first == [0x16] {
        // A browser that takes any certificate (--insecure) gets its answer.
        if let Ok(stream) = acceptor.accept(stream).await {
            answer(stream).await;
        }
        return;
    }
    answer(stream).await;
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut asked = vec![0; MOST];
    let _ = stream.read(&mut asked).await;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
        PAGE.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
